// Package sim is a town in one goroutine: homes with the shipped hub core, a service with the shipped rules, couriers, residents and
// attackers, and the truth about every bolt, door, lens and person, in virtual time.
//
// What is simulated is what ships: hub.Core, interlock, grant, ledger and control's rules run as they are, and with Options.Pictures the
// shipped liveness.Judge too. What is the simulator's own are the hands (a radio, a lock, a contact, a disk, a network), the people, and
// the judges, which hold the rules S1 to S19 of docs/SAFETY.md against the truth and never ask the product what it thinks of itself.
//
// Everything follows from a [Scenario], which is plain data: the same scenario gives the same run, event by event, and a run's [Result]
// carries a hash of them. There is no clock, no goroutine and no randomness but the scenario's seed.
package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Options say how a scenario is run, not what happens in it.
type Options struct {
	// Story writes down what happens, one event a line; without it a run only counts and judges.
	Story bool
	// Pictures runs the shipped liveness.Judge picture by picture, at 15 a second, instead of the model of its verdicts.
	Pictures bool
}

// Result is what came of a run.
type Result struct {
	Seed       uint64
	Violations []Violation
	Tally      Tally
	Endings    []Ending // of every visit, home by home
	Hash       uint64   // of every event, in order: two runs of one scenario have the same
	Story      string   // with Options.Story
}

// Violation is a rule that did not hold, seen from outside.
type Violation struct {
	Rule string // S1 to S19
	At   time.Duration
	Home string
	Say  string
}

func (v Violation) String() string {
	return fmt.Sprintf("%s at %s in %s: %s", v.Rule, clockText(v.At), v.Home, v.Say)
}

// maxViolations bounds what one run lists: the first is what matters.
const maxViolations = 20

// clockText is virtual time as the story shows it: minutes and seconds with three digits behind.
func clockText(d time.Duration) string {
	return fmt.Sprintf("%02d:%06.3f", int(d.Minutes()), (d % time.Minute).Seconds())
}

// Cell is an attack in a phase of a visit.
type Cell struct {
	Attack int    // 1 to 30
	Phase  string // word of an interlock.Phase
}

// Tally is what was counted; it adds up over runs.
type Tally struct {
	Visits     int // that a hub began
	Opened     int // of these, the bolt was drawn by an order
	Done       int
	Incidents  int
	NotGiven   int                      // ended without an opening, or without the parcel
	Honest     [2]int                   // visits in which nobody attacked and nothing failed, by link: good Wi-Fi, cable
	False      [2]int                   // of these, the ones with a lapse or an alarm
	Watched    time.Duration            // virtual time of all homes
	Moves      map[Cell]int             `json:"-"`
	Worst      map[string]time.Duration // by the kind of blindness: the longest that somebody was inside unwatched and untold
	Undetected map[string][2]int        // by kind: how often the model's detector missed it, of how often it was tried
}

// Add adds o to t.
func (t *Tally) Add(o Tally) {
	t.Visits, t.Opened, t.Done, t.Incidents, t.NotGiven = t.Visits+o.Visits, t.Opened+o.Opened, t.Done+o.Done, t.Incidents+o.Incidents, t.NotGiven+o.NotGiven
	t.Watched += o.Watched
	for i := range t.Honest {
		t.Honest[i] += o.Honest[i]
		t.False[i] += o.False[i]
	}
	if t.Moves == nil {
		t.Moves, t.Worst, t.Undetected = map[Cell]int{}, map[string]time.Duration{}, map[string][2]int{}
	}
	for k, n := range o.Moves {
		t.Moves[k] += n
	}
	for k, d := range o.Worst {
		t.Worst[k] = max(t.Worst[k], d)
	}
	for k, n := range o.Undetected {
		was := t.Undetected[k]
		t.Undetected[k] = [2]int{was[0] + n[0], was[1] + n[1]}
	}
}

// Run plays a scenario to its end and judges it.
func Run(sc Scenario, o Options) Result {
	t := newTown(sc, o)
	t.play()
	var ends []Ending
	for _, h := range t.homes {
		ends = append(ends, h.chronicle.all...)
	}
	slices.SortStableFunc(t.found, func(a, b Violation) int { return int(a.At - b.At) })
	return Result{Seed: sc.Seed, Violations: t.found, Tally: t.tally, Endings: ends, Hash: t.story.hash, Story: strings.Join(t.story.lines, "\n")}
}
