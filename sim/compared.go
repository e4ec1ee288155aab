package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Verdict is the ending in a few words that do not depend on how long anything took: the outcome on record, the first alarm, and what was
// refused.
func (e Ending) Verdict() string {
	parts := []string{e.Outcome}
	if e.Outcome == "" {
		parts[0] = "no end"
	}
	if e.Gap > 0 {
		parts[0] += ", gap on record"
	}
	if e.Alarm != "" {
		parts = append(parts, e.Alarm)
	}
	if len(e.Refused) > 0 {
		parts = append(parts, "refused: "+strings.Join(slices.Sorted(slices.Values(e.Refused)), ", "))
	}
	if e.Disowned {
		parts = append(parts, "disowned by a stranger")
	}
	return strings.Join(parts, "; ")
}

// Frequent is what a scenario comes to in most of its seeds: the verdict of the first home's last visit.
type Frequent struct {
	Verdict    string
	Of, Seeds  int // so many of so many
	Others     []string
	Attack     int // that began, and in which phase
	Tried      int // in so many seeds
	Phase      string
	Worst      Ending // the longest of each time, over all seeds; a time that never came is 0
	Violations int
}

// Often plays a scenario with the seeds 1 to n.
func Often(sc Scenario, n int) (f Frequent) {
	f.Seeds = n
	count := map[string]int{}
	last := len(sc.Homes[0].Visit)
	for seed := range uint64(n) {
		sc.Seed = seed + 1
		r := Run(sc, Options{})
		f.Violations += len(r.Violations)
		for _, e := range r.Endings {
			if e.Home != 0 || e.Visit != last {
				continue
			}
			count[e.Verdict()]++
			if e.Attack != 0 || len(sc.Homes[0].Visit[last-1].Moves) == 0 {
				f.Attack, f.Phase = e.Attack, e.Phase
				f.Tried++
			}
			w := &f.Worst
			w.Noticed, w.Told, w.Ordered = max(w.Noticed, e.Noticed), max(w.Told, e.Told), max(w.Ordered, e.Ordered)
			w.Unlocked, w.Bolted = max(w.Unlocked, e.Unlocked), max(w.Bolted, e.Bolted)
		}
	}
	all := slices.Collect(maps.Keys(count))
	slices.SortFunc(all, func(a, b string) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return strings.Compare(a, b)
	})
	for i, v := range all {
		if i == 0 {
			f.Verdict, f.Of = v, count[v]
			continue
		}
		f.Others = append(f.Others, fmt.Sprintf("%s (%d)", v, count[v]))
	}
	return f
}

// Compared is a scenario in the town and in a home of real protocols.
type Compared struct {
	File    string
	Town    Frequent `json:"-"`
	Real    Ending
	Refused string  `json:",omitempty"` // why the real home cannot play it
	Failed  string  `json:",omitempty"` // it was played, and did not come to an end
	Day     string  `json:",omitempty"` // of the real run
	Seconds float64 `json:",omitempty"` // that it took
	Same    bool    `json:",omitempty"`
	Late    Late    `json:",omitzero"`  // who was late by himself in the real run: with it, a gap on record is the machine's doing
	Note    string  `json:",omitempty"` // what else is known of real runs, by hand
}

// Late is by how many seconds those were late at most, by themselves, whose being late ends in a lapse: a starved machine.
type Late struct {
	Hub     float64 `json:",omitempty"` // its own clockwork, as it says (S6); from 0.1 s on it calls itself lagging
	Camera  float64 `json:",omitempty"` // the pretend camera with its next picture, beyond the time between two
	Process float64 `json:",omitempty"` // in which camera, broker's clients, service and people run
}

func (l Late) String() string {
	if l == (Late{}) {
		return ""
	}
	return fmt.Sprintf("late by themselves: the hub %.2f s, the camera %.2f s, the process of camera and people %.2f s", l.Hub, l.Camera, l.Process)
}

// Merge is old with what is new of it, in the order of their names.
func Merge(old, now []Compared) []Compared {
	all := slices.Clone(now)
	for _, o := range old {
		if !slices.ContainsFunc(now, func(n Compared) bool { return n.File == o.File }) {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b Compared) int { return strings.Compare(a.File, b.File) })
	return all
}

// Seconds is a time as tables show it; 0 is a thing that did not happen.
func Seconds(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f s", max(d.Seconds(), 0.05))
}
