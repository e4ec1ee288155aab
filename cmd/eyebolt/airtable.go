package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// AirTableCmd puts the results of bench air into tables.
type AirTableCmd struct {
	Results []string `arg:"" type:"existingfile" placeholder:"FILE" help:"Results of bench air (…-1.json)."`
}

// Run prints one table of times, the order of events, what else watched, and the quiet.
func (c *AirTableCmd) Run() error {
	var all []airResult
	for _, path := range c.Results {
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var r airResult
		if err := json.Unmarshal(raw, &r); err != nil || r.Story == "" {
			return fmt.Errorf("%s is no result of bench air: %w", filepath.Base(path), errors.Join(err, errors.New("give it the .json files of its --out")))
		}
		all = append(all, r)
	}
	return airTables(os.Stdout, all)
}

// airGroup is one story with one label.
type airGroup struct {
	story, label string
	runs         []airResult
}

func airGroups(all []airResult) (groups []airGroup, honest []airResult) {
	for _, r := range all {
		if r.Story == airHonest {
			honest = append(honest, r)
			continue
		}
		i := slices.IndexFunc(groups, func(g airGroup) bool { return g.story == r.Story && g.label == r.Label })
		if i < 0 {
			i = len(groups)
			groups = append(groups, airGroup{story: r.Story, label: r.Label})
		}
		groups[i].runs = append(groups[i].runs, r)
	}
	order := map[string]int{"reentry": 1, "return": 2, "bystander": 3, "flood": 4, "outage": 5}
	slices.SortStableFunc(groups, func(a, b airGroup) int {
		if a.label != b.label {
			return strings.Compare(a.label, b.label)
		}
		return order[a.story] - order[b.story]
	})
	return groups, honest
}

// airColumns are the signs that the table of times has, in the order in which an attack brings them.
var airColumns = []struct{ key, head string }{
	{"last_picture", "last picture"},
	{"flood_heard", "5 frames heard"},
	{"access_point_gone", "access point: device gone"},
	{"thrown_off_wifi", "camera: off the Wi-Fi"},
	{"lagging", "lagging"},
	{"lost", "lost"},
	{"alarm", "alarm"},
	{"door_closed", "door closed"},
	{"lock", "Lock on the wire"},
	{"thrown", "bolt thrown"},
	{"inside_again", "in again"},
	{"stopped", "air good again"},
	{"pictures_again", "pictures again"},
	{"quiet_again", "live again"},
}

func airTables(out io.Writer, all []airResult) error {
	groups, honest := airGroups(all)
	w := &strings.Builder{}
	row := func(cells ...string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }
	rule := func(n int) { fmt.Fprintln(w, strings.Repeat("|---", n)+"|") }

	fmt.Fprintln(w, "Seconds after the first forged frame or, in an outage, after the radio fell silent: median (least … most); k/n where not every run has it.")
	fmt.Fprintln(w)
	head := []string{"story", "n", "frames"}
	for _, c := range airColumns {
		head = append(head, c.head)
	}
	row(append(head, "visit")...)
	rule(len(head) + 1)
	for _, g := range groups {
		cells := []string{g.story + " " + g.label, fmt.Sprint(len(g.runs)), count(g, func(r airResult) float64 { return float64(r.Frames) })}
		for _, c := range airColumns {
			cells = append(cells, g.times(c.key))
		}
		row(append(cells, g.outcomes())...)
	}

	fmt.Fprintln(w, "\nOrder of events:")
	fmt.Fprintln(w)
	for _, g := range groups {
		for _, o := range g.orders() {
			fmt.Fprintf(w, "- %s %s, %s\n", g.story, g.label, o)
		}
	}

	fmt.Fprintln(w, "\nWho else watched the same camera, and when each said that it was lost:")
	fmt.Fprintln(w)
	for _, g := range groups {
		for _, p := range g.peers() {
			fmt.Fprintf(w, "- %s %s: %s\n", g.story, g.label, p)
		}
	}

	fmt.Fprintln(w, "\nUndisturbed, from picture to picture (ms):")
	fmt.Fprintln(w)
	row("", "time", "pictures", "median", "p99", "longest", "watch not live", "hub late")
	rule(8)
	for _, r := range honest {
		row(quietCells("after all, "+r.Label, []airResult{r})...)
	}
	for _, g := range groups {
		row(quietCells("before "+g.story+" "+g.label, g.runs)...)
	}
	_, err := io.WriteString(out, w.String())
	return err
}

func quietCells(name string, runs []airResult) []string {
	var n, lags, late int
	var secs, p99, longest float64
	var p50 []float64
	for _, r := range runs {
		n += r.Quiet.N
		lags += r.QuietLags
		late += r.QuietLate
		secs += r.QuietS
		p99, longest = max(p99, r.Quiet.P99), max(longest, r.Quiet.Max)
		p50 = append(p50, r.Quiet.P50)
	}
	m, _, _ := middle(p50)
	return []string{name, fmt.Sprintf("%.0f s", secs), fmt.Sprint(n), fmt.Sprintf("%.0f", m), fmt.Sprintf("%.0f", p99), fmt.Sprintf("%.0f", longest), fmt.Sprint(lags), fmt.Sprint(late)}
}

// middle gives the middle of xs, or the lower of two; and the ends.
func middle(xs []float64) (mid, least, most float64) {
	if len(xs) == 0 {
		return 0, 0, 0
	}
	s := slices.Sorted(slices.Values(xs))
	return s[(len(s)-1)/2], s[0], s[len(s)-1]
}

func count(g airGroup, of func(airResult) float64) string {
	var xs []float64
	for _, r := range g.runs {
		xs = append(xs, of(r))
	}
	m, least, most := middle(xs)
	if least == most {
		return fmt.Sprintf("%.0f", m)
	}
	return fmt.Sprintf("%.0f (%.0f … %.0f)", m, least, most)
}

// times is one sign's cell.
func (g airGroup) times(key string) string {
	var xs []float64
	for _, r := range g.runs {
		if at, ok := r.Times[key]; ok {
			xs = append(xs, at)
		}
	}
	if len(xs) == 0 {
		return "never"
	}
	m, least, most := middle(xs)
	cell := fmt.Sprintf("%+.3f", m)
	if len(xs) > 1 {
		cell += fmt.Sprintf(" (%+.3f … %+.3f)", least, most)
	}
	if len(xs) < len(g.runs) {
		cell += fmt.Sprintf(", %d/%d", len(xs), len(g.runs))
	}
	return cell
}

// outcomes tells how the visits ended.
func (g airGroup) outcomes() string {
	said := map[string][]float64{}
	var names []string
	for _, r := range g.runs {
		name := or(r.Outcome, "none")
		if r.Failed != "" {
			name += ", NOT AS IT MUST BE"
		}
		if said[name] == nil {
			names = append(names, name)
		}
		said[name] = append(said[name], r.GapS)
	}
	for i, name := range names {
		n := len(said[name])
		m, least, most := middle(said[name])
		names[i] = fmt.Sprintf("%s %d/%d", name, n, len(g.runs))
		if most > 0 {
			names[i] += fmt.Sprintf(", unwatched %.1f s (%.1f … %.1f)", m, least, most)
		}
	}
	return strings.Join(names, "; ")
}

// orders are the orders in which the signs came, the most frequent first.
func (g airGroup) orders() []string {
	seen := map[string]int{}
	var lines []string
	for _, r := range g.runs {
		var keys []string
		for _, c := range airColumns[:11] { // until the air is good again
			if _, ok := r.Times[c.key]; ok {
				keys = append(keys, c.key)
			}
		}
		slices.SortStableFunc(keys, func(a, b string) int {
			switch x, y := r.Times[a], r.Times[b]; {
			case x < y:
				return -1
			case x > y:
				return 1
			default:
				return 0
			}
		})
		for i, k := range keys {
			keys[i] = airColumns[slices.IndexFunc(airColumns, func(c struct{ key, head string }) bool { return c.key == k })].head
		}
		line := strings.Join(keys, " → ")
		if seen[line] == 0 {
			lines = append(lines, line)
		}
		seen[line]++
	}
	slices.SortStableFunc(lines, func(a, b string) int { return seen[b] - seen[a] })
	for i, l := range lines {
		lines[i] = fmt.Sprintf("%d of %d: %s", seen[l], len(g.runs), or(l, "nothing came"))
	}
	return lines
}

// peers tells when each other watcher noticed.
func (g airGroup) peers() (lines []string) {
	var names []string
	for _, r := range g.runs {
		for name := range r.Peers {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	for _, name := range names {
		var xs []float64
		says := ""
		for _, r := range g.runs {
			if at, ok := r.Times[name]; ok {
				xs = append(xs, at)
				says = or(says, r.Peers[name])
			}
		}
		if len(xs) == 0 {
			lines = append(lines, fmt.Sprintf("%s never, in %d runs", name, len(g.runs)))
			continue
		}
		lines = append(lines, fmt.Sprintf("%s %s: %q", name, g.times(name), says))
	}
	return lines
}
