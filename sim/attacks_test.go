package sim

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write docs/ATTACKS.md anew")

const (
	attacksPage  = "../docs/ATTACKS.md"
	attackFiles  = "testdata/attacks"
	realResult   = attackFiles + "/real/result.json" // of the last eyebolt bench attacks
	attackSeeds  = 20
	attacksIntro = `# The attacks, each played

<!-- written by: make attacks -->
Each attack of [SAFETY.md](SAFETY.md) is a scenario file in ` + "`sim/testdata/attacks`" + `: a person, a plan and one move in a phase of a visit. This page is
generated from a run of all of them, and a test replays them and fails when the page is not what they say now.

- **In the town**: ` + "`eyebolt sim`" + `'s world, virtual time, the shipped hub core and rules. Each file is played with %d seeds, and every rule is judged; the
  verdict is the one of most seeds, the others stand beside it. Times count from the attack's beginning, in virtual seconds, the longest of all
  seeds: *noticed* (the watch is no longer called live, or somebody alarms), *told* (the service has stored the alarm), *Unlock* (the first that
  the hub orders after the attack began: it has waited so long), *bolted* (the bolt is thrown into a closed door; a courier who is inside or a
  door that stands open comes first, S11).
- **In the real home**: the same file played by ` + "`eyebolt bench attacks`" + ` in real time, once, against the shipped hub as a process of its own, an RTSP
  camera, an MQTT broker and lock, the bus and the service, over loopback; limits as published, but a tail of 5 s; for T4
  and T7 with ` + "`stills: keyframes`" + ` and a key picture each half second, so that the camera is learned before the visit. Loopback is no radio: what a jam does
  to a Wi-Fi is played in the [lab](LAB.md). Forged grants (T13), a service that was taken over (T16) and junk (T20) are said on the bus with the
  service's own key, forged slides and strangers' wishes (T13, T24) by the apps' calls; for T15 the time of day of the service's process is stepped,
  in which the pretend people are, too; for T18 the hub's folder is a filesystem of its own; for T19 a copy of the record that is whole is changed, and
  judged by the service's checkpoint; for T23 each message between hub and service is dropped, doubled or delayed by the town's chances; for T29 the
  hub's whole folder is put back, and the hub must tell of it, refuse the old grant, and a stranger must see it. Kept in ` + "`%s`" + `.
  The town differs from reality where it takes a camera as learned: in a home that had run for seconds, without stills and at 300 kbit/s, the
  covered lens (T7) was not found and the frozen sensor (T4) was called ` + "`replayed`" + `.
- *Not built* is never called passed, whatever the town says of what is there.

`
)

// attackRows say in a line what each file plays.
var attackRows = map[int]string{
	1:  "rogue courier: floods the Wi-Fi, wants to come in again",
	2:  "flood between the door's closing and the lock",
	3:  "bolt blocked, a sound is played; the lock says nothing of it",
	4:  "the sensor is frozen, its encoder runs on",
	5:  "an earlier recording is played in",
	6:  "pictures come later and later",
	7:  "the lens is covered",
	8:  "the camera is unplugged",
	9:  "the hub is unplugged, and comes back",
	10: "the uplink is cut",
	11: "camera, uplink, radio at once, the hub's power 4 s later",
	12: "a used grant is tried again",
	13: "forged slides and grants",
	14: "a parcel of somebody else's, before the right one",
	15: "the service's clock is put an hour back for 65 s",
	16: "the service issues a grant with a carrier's key that nobody let in",
	17: "the bolt jams",
	18: "the hub's disk is full for 20 s",
	19: "the record is written anew by whoever holds the disk",
	20: "junk on the bus and from the devices",
	21: "the courier shuts himself in, stays for minutes and props the door",
	22: "the camera is unplugged, and the resident's phone is off",
	23: "messages are dropped, doubled, delayed",
	24: "a carrier without consent, a stranger's courier and resident",
	25: "an address inside the operator's network",
	26: "the jam silences lock and contact too; thieving courier",
	27: "a magnet on the contact before the door opens",
	28: "a second person slips in behind the courier",
	29: "the hub's disk is put back to an earlier day",
	30: "a second arrival during a visit",
}

// notBuilt are attacks of which what must happen is not there, or not all of it: docs/SAFETY.md, "What is not built yet".
var notBuilt = map[int]string{
	22: "escalation is *not built*: the alarm waits in the apps. What is there:",
	25: "*not built*: there are no webhooks, and cameras are named in the hub's own file",
	28: "counting people is *not built*: who slips in is filmed. What is there:",
}

// The page of attacks says what their files come to now, in the town and, as kept, in the real home; no rule is broken in any (S1 to S19, T1
// to T30). With -rewrite it is written.
func TestAttacksPage(t *testing.T) {
	kept := map[string]Compared{}
	if b, err := os.ReadFile(realResult); err != nil {
		t.Fatal(err)
	} else {
		var all []Compared
		if err := json.Unmarshal(b, &all); err != nil {
			t.Fatal(err)
		}
		for _, k := range all {
			kept[k.File] = k
		}
	}
	var page strings.Builder
	fmt.Fprintf(&page, attacksIntro, attackSeeds, "sim/"+realResult)
	page.WriteString("| | what is played | when | verdict in the town | of | noticed | told | Unlock | bolted | verdict in the real home | noticed | told | bolted | played |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for n := range 31 {
		name, what := fmt.Sprintf("t%02d", n), attackRows[n]
		row := fmt.Sprintf("T%d", n)
		if n == 0 {
			name, row, what = "honest", "–", "an honest visit"
		}
		file := filepath.Join(attackFiles, name+".json")
		if _, err := os.Stat(file); err != nil {
			if notBuilt[n] == "" || NotSimulated[n] == "" {
				t.Errorf("T%d has no file %s, and nothing says that it is not built", n, file)
			}
			fmt.Fprintf(&page, "| %s | %s | – | %s | – | – | – | – | – | – | – | – | – | – |\n", row, what, notBuilt[n])
			continue
		}
		f := often(t, file, n)
		link := fmt.Sprintf("[%s](../sim/%s)", what, file)
		verdict := strings.TrimSpace(notBuilt[n] + " " + f.Verdict)
		if len(f.Others) > 0 {
			verdict += "; else " + strings.Join(f.Others, ", ")
		}
		k, ok := kept[name]
		if !ok {
			t.Errorf("%s was never given to the real home: eyebolt bench attacks %s --keep sim/%s", name, file, realResult)
		}
		fmt.Fprintf(&page, "| %s | %s | %s | %s | %d of %d | %s | %s | %s | %s | %s |\n", row, link, phaseText(f.Phase), verdict, f.Of, f.Seeds,
			Seconds(f.Worst.Noticed), Seconds(f.Worst.Told), Seconds(f.Worst.Unlocked), Seconds(f.Worst.Bolted), realCells(k, f))
	}
	page.WriteString("\nOf the rules, S17 (only the household sees inside) and S16's escalation have no judge in the town: what of them is not built stands in SAFETY.md.\n")
	samePage(t, attacksPage, page.String(), "make attacks")
}

// samePage holds a page of docs to what a test has made of it now, or with -rewrite writes it.
func samePage(t *testing.T, path, page, writer string) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(b) == page {
		return
	}
	old := strings.Split(string(b), "\n")
	for _, l := range strings.Split(page, "\n") {
		if !slices.Contains(old, l) && strings.HasPrefix(l, "|") {
			t.Errorf("now: %s", l)
		}
	}
	t.Errorf("%s is not what its files come to: %s writes it; look at what has changed first", path, writer)
}

// often plays a file and holds it to its number.
func often(t *testing.T, file string, n int) Frequent {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sc, err := Decode(b)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	f := Often(sc, attackSeeds)
	if f.Violations > 0 {
		t.Errorf("%s: rules are broken %d times: eyebolt sim --story --file sim/%s", file, f.Violations, file)
	}
	if f.Attack != n || f.Tried < attackSeeds {
		t.Errorf("%s plays T%d, in %d of %d seeds; want T%d in each", file, f.Attack, f.Tried, attackSeeds, n)
	}
	return f
}

func phaseText(phase string) string {
	if phase == "" {
		return "–"
	}
	return phase
}

// realCells are the cells of what the real home said.
func realCells(k Compared, f Frequent) string {
	switch {
	case k.Refused != "":
		return "*not played there*: " + k.Refused + " | – | – | – | –"
	case k.Failed != "":
		return "**failed**: " + k.Failed + " | – | – | – | " + k.Day
	}
	say := "the same"
	if v := k.Real.Verdict(); v != f.Verdict {
		say = "**differs**: " + v
		if late := k.Late.String(); late != "" {
			say += " (" + late + ")"
		}
	}
	if k.Note != "" {
		say += ". " + k.Note
	}
	return fmt.Sprintf("%s | %s | %s | %s | %s", say, Seconds(k.Real.Noticed), Seconds(k.Real.Told), Seconds(k.Real.Bolted), k.Day)
}

// A scenario's verdict names what is on record and nothing that depends on how long things took; results of runs are put together by
// file, the newest counts.
func TestComparedRuns(t *testing.T) {
	for want, e := range map[string]Ending{
		"no end":                             {},
		"done; refused: a, b":                {Outcome: "done", Refused: []string{"b", "a"}},
		"incident, gap on record; lost":      {Outcome: "incident", Gap: 0.3, Alarm: "lost", Told: 3},
		"done; disowned by a stranger":       {Outcome: "done", Disowned: true},
		"not-delivered; ledger-failed":       {Outcome: "not-delivered", Alarm: "ledger-failed"},
		"incident; maybe-inside; refused: x": {Outcome: "incident", Alarm: "maybe-inside", Refused: []string{"x"}},
	} {
		if got := e.Verdict(); got != want {
			t.Errorf("%+v is %q, want %q", e, got, want)
		}
	}
	all := Merge([]Compared{{File: "b", Day: "old"}, {File: "a", Day: "old"}}, []Compared{{File: "b", Day: "new"}})
	days := map[string]string{}
	for _, k := range all {
		days[k.File] = k.Day
	}
	if want := map[string]string{"a": "old", "b": "new"}; !maps.Equal(days, want) || all[0].File != "a" {
		t.Errorf("put together: %v, want %v", all, want)
	}
}
