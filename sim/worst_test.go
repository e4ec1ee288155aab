package sim

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	worstPage  = "../docs/WORST.md"
	worstFiles = "testdata/worst"
	worstIntro = `# The worst that a search has found

<!-- written by: make worst -->
How long can somebody be inside a home while nobody can see and nobody was told? ` + "`eyebolt sim --search 1h`" + ` changes scenarios of one visit by
chance (people, moves of any attack, when, for how long) towards the longest such time, for each kind of blindness by itself; what it found
lies in ` + "`sim/testdata/worst`" + `. A test plays each file again and fails when this page is not what they come to now, or when one is over its bound.

The time counts from the truth: somebody is inside, the lens does not see what is now at the door, and the service has stored no alarm. A kind's
bound is how long its finding may take (SAFETY.md), and a second for telling.

`
)

// whyNotWorse says of each kind what ends it, and what would have to fail for it to take longer.
var whyNotWorse = map[string]string{
	"dark": "The newest picture's own age ends it: lagging at 0.5 s, lost at 1.5 s, whatever the transport says (S6). A judge holds every lapse of every " +
		"town to these two, to 0.12 s, and to an alarm that the service has stored a second later; the rest here is a core's tick and the bus",
	"late":        "Pictures older than 0.5 s are not live, and after a second of them the word is late (S6): what is over 0.5 s is looked at with each picture",
	"replayed":    "The first coded picture that was shown before convicts, 66 ms after it came (T5)",
	"frozen":      "The longest that a frozen sensor took in the measured clips is 8 s (BENCH-LIVENESS.md); the town's detector is that model",
	"covered":     "The longest that a covered lens took in the measured clips is 4 s; the town's detector is that model",
	"loop":        "The longest that a loop, coded anew, took in the measured clips is 18 s; the town's detector is that model",
	"hub-off":     "The service hears no beat for 2 s and alarms by itself (S14); it looks twice a second",
	"hub-stalled": "As with hub-off: a hub that stands still sends no beats (S14)",
	"dark+T10":    "With the uplink cut before the alarm could leave, the hub's silence tells after 2 s, or the alarm is sent again with the first beat that is answered",
	"in all": "Several kinds, one behind the other, in one stretch: a camera that is frozen, then covered, then dark. Each has its own bound, and each that is found is told; " +
		"a chain is as long as its links, so this has no bound of its own. Whoever forges pictures at will chooses the longest link, the loop",
}

// lengthenings say the same of what has no bound.
var lengthenings = map[string]string{
	"+missed": "The detector does not find it: it lasts as long as the attack. Of the measured clips that is 0 of 44 frozen, 4 of 120 covered, 5 of 60 loops; the town misses 5, 3.2 and 8.3 %",
	"+T27":    "A magnet tells the hub that the door never opened: it does not know that anybody is in. The walk test and the door's own sense are against it, not the watch",
	"+T15":    "The town's service waits by a clock that was turned meanwhile; a real one waits by its monotonic clock",
	"+T23":    "The bus loses what is said; an alarm that is lost is sent again with the next beat that is answered, as often as it is lost",
	"+T10":    "With the uplink cut before the alarm could leave, the hub's silence tells after 2 s, or the alarm is sent again with the first beat that is answered; the bound is longer by that, and half a second for each cut that hits it again",
}

// The page of the worst says what the search's files come to now: none breaks a rule or is over its bound (S6, S14). With -rewrite it is
// written.
func TestWorstPage(t *testing.T) {
	files, err := filepath.Glob(worstFiles + "/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	var page, stories strings.Builder
	page.WriteString(worstIntro)
	if b, err := os.ReadFile(worstFiles + "/search.txt"); err != nil {
		t.Error(err)
	} else {
		page.WriteString(strings.TrimSpace(string(b)) + "\n\n")
	}
	page.WriteString("| kind | worst | bound | left | attacks in it | why it cannot be worse |\n|---|---|---|---|---|---|\n")
	kindOf := func(file string) string { return strings.TrimSuffix(filepath.Base(file), ".json") }
	slices.SortStableFunc(files, func(a, b string) int { // what has a bound comes first
		order := func(file string) int {
			if _, ok := Untold(kindOf(file)); ok {
				return strings.Count(kindOf(file), "+")
			}
			return 2
		}
		return order(a) - order(b)
	})
	for _, file := range files {
		kind := kindOf(file)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sc, err := Decode(b)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		r := Run(sc, Options{Story: true})
		worst, ok := r.Tally.Worst[kind]
		if !ok {
			t.Errorf("%s: nobody is inside, unwatched by %q, any more: make worst", file, kind)
		}
		for _, v := range r.Violations {
			t.Errorf("%s: %v: eyebolt sim --story --file sim/%s", file, v, file)
		}
		bound, left := "none", ""
		if most, ok := Untold(kind); ok {
			bound, left = fmt.Sprintf("%.1f s", most.Seconds()), fmt.Sprintf("%.2f s", (most-worst).Seconds())
			if worst > most {
				t.Errorf("%s: %v, over its bound of %v", file, worst, most)
			}
		}
		why := whyNotWorse[kind]
		if _, end, ok := strings.Cut(kind, "+"); ok && why == "" {
			why = lengthenings["+"+end]
		}
		if why == "" {
			t.Errorf("%s: nothing says why %q cannot be worse", file, kind)
		}
		var attacks []string
		for _, m := range sc.Homes[0].Visit[0].Moves {
			if n := fmt.Sprintf("T%d", m.Attack); m.Attack != household && !slices.Contains(attacks, n) {
				attacks = append(attacks, n)
			}
		}
		fmt.Fprintf(&page, "| [%s](../sim/%s) | %.2f s | %s | %s | %s | %s |\n", kind, strings.ReplaceAll(file, " ", "%20"), worst.Seconds(), bound, left, strings.Join(attacks, ", "), why)
		if _, ok := Untold(kind); ok || kind == "in all" {
			fmt.Fprintf(&stories, "\n### %s, %.2f s\n```text\n%s\n```\n", kind, worst.Seconds(), r.Story)
		}
	}
	page.WriteString("\n## Their stories\nOne event a line; `eyebolt sim --story --file FILE` prints them.\n" + stories.String())
	samePage(t, worstPage, page.String(), "go test ./sim -run WorstPage -rewrite")
}
