package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// timeline is what happened, from everybody who saw it.
type timeline struct {
	mu   sync.Mutex
	rows []airRow
}

type airRow struct {
	at        time.Duration
	who, what string
}

// maxRows bounds one story's timeline.
const maxRows = 5000

func (t *timeline) add(at time.Duration, who, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.rows) < maxRows {
		t.rows = append(t.rows, airRow{at, who, what})
	}
}

func (t *timeline) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows = nil
}

func (t *timeline) sorted() []airRow {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows := slices.Clone(t.rows)
	slices.SortStableFunc(rows, func(a, b airRow) int { return int(a.at - b.at) })
	return rows
}

// airResult is one story's. Times in the JSON are seconds after the first frame or, in an outage, after the radio fell silent.
type airResult struct {
	Story   string  `json:"story"`
	Label   string  `json:"label"`
	Round   int     `json:"round"`
	Failed  string  `json:"failed,omitempty"` // what was not as it must be
	Visit   string  `json:"visit"`
	Outcome string  `json:"outcome"`
	Reason  string  `json:"reason"`
	GapS    float64 `json:"gap_s"`
	Held    bool    `json:"held,omitempty"` // the bolt held the door that was pushed again
	Out     bool    `json:"out,omitempty"`  // the courier's "I am out" was taken

	QuietS    float64 `json:"quiet_s"`
	Quiet     spread  `json:"quiet_ms"` // from picture to picture
	QuietLags int     `json:"quiet_not_live"`
	QuietLate int     `json:"quiet_hub_late"`

	Frames  int                `json:"frames"` // unprotected frames that end a connection, while the air was bad
	Times   map[string]float64 `json:"times_s"`
	Peers   map[string]string  `json:"peers"`
	Longest float64            `json:"longest_without_picture_s"`

	delivery                string
	begin, started, stopped time.Duration
	first, lastFrame, again time.Duration
	thrownOff, gone, heard  time.Duration // the camera's Wi-Fi says so; the access point says so; a flood was heard
	marks                   map[string]time.Duration
	gap                     airGap
	peers                   []airPeer
	page                    visitPage
}

type airPeer struct {
	name string
	at   time.Duration // 0: it said nothing
	says string
}

// zero is the moment that a story's times are counted from.
func (r airResult) zero() time.Duration {
	if r.first > 0 && r.Story != "outage" {
		return r.first
	}
	return r.started
}

func (r *airResult) times() {
	zero := r.zero()
	r.Times, r.Peers = map[string]float64{}, map[string]string{}
	put := func(name string, at time.Duration) {
		if at > 0 {
			r.Times[name] = float64((at - zero).Milliseconds()) / 1000
		}
	}
	for _, sign := range []string{"door_closed", "lagging", "lock", "lost", "alarm", "thrown", "inside_again"} {
		put(sign, r.marks[sign])
	}
	put("stopped", r.stopped)
	put("thrown_off_wifi", r.thrownOff)
	put("access_point_gone", r.gone)
	put("flood_heard", r.heard)
	put("quiet_again", r.again)
	if r.gap.length > time.Second {
		put("last_picture", r.gap.from)
		put("pictures_again", r.gap.from+r.gap.length)
	}
	r.Longest = float64(r.gap.length.Milliseconds()) / 1000
	for _, p := range r.peers {
		if p.at > 0 {
			put(p.name, p.at)
		}
		r.Peers[p.name] = p.says
	}
}

// save prints a story's timeline and keeps it.
func (b *airBench) save(r airResult) error {
	r.times()
	name := filepath.Join(b.Out, strings.Trim(r.Story+"-"+r.Label, "-")+fmt.Sprintf("-%d", r.Round))
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(name+".json", append(raw, '\n'), 0o644); err != nil {
		return err
	}
	f, err := os.Create(name + ".txt")
	if err != nil {
		return err
	}
	err = b.print(io.MultiWriter(os.Stdout, f), r)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

func (b *airBench) print(out io.Writer, r airResult) error {
	fmt.Fprintf(out, "\n== %s %s, round %d: visit %s, %s, gap %.1f s\n", r.Story, r.Label, r.Round, r.Outcome, r.Reason, r.GapS)
	if r.Failed != "" {
		fmt.Fprintln(out, "NOT AS IT MUST BE:", r.Failed)
	}
	fmt.Fprintf(out, "quiet %.0f s before: %d pictures, from one to the next median %.0f ms, p99 %.0f ms, longest %.0f ms; watch not live %d times, hub late %d\n",
		r.QuietS, r.Quiet.N, r.Quiet.P50, r.Quiet.P99, r.Quiet.Max, r.QuietLags, r.QuietLate)
	if r.Story == airHonest {
		return nil
	}
	fmt.Fprintf(out, "%d forged frames; the longest time without a picture was %.2f s\n", r.Frames, r.Longest)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	zero := r.zero()
	rows := b.line.sorted()
	for i, row := range rows {
		if i > 0 && rows[i-1].who == row.who && rows[i-1].what == row.what && row.at-rows[i-1].at < time.Second {
			continue
		}
		fmt.Fprintf(w, "%+9.3f\t%s\t%s\n", (row.at - zero).Seconds(), row.who, row.what)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if r.page.ID != "" {
		fmt.Fprintln(out, "the visit as its resident reads it:")
		return printTimeline(out, r.page)
	}
	return nil
}
