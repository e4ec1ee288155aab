package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"eyebolt/interlock"
)

// Scenario is a whole run as data: what is in the world, and what people plan. It can be kept in a file, changed by a searcher and
// played again.
type Scenario struct {
	Seed  uint64 `json:"seed"`
	Homes []Plan `json:"homes"` // one home each
}

// Plan is one home's link, noise and visits.
type Plan struct {
	Wired bool    `json:"wired,omitempty"` // the camera hangs on a cable, not on good Wi-Fi
	Rough bool    `json:"rough,omitempty"` // the bus drops, doubles and delays what is said (T23), and reports of the lock get lost
	Dumb  bool    `json:"dumb,omitempty"`  // the lock does not say that it is jammed
	Visit []Visit `json:"visits"`
}

// Visit is what people plan for one delivery. The zero Visit is an honest day.
type Visit struct {
	Courier  Temper `json:"courier,omitempty"`
	Resident Temper `json:"resident,omitempty"`
	Moves    []Move `json:"moves,omitempty"`
}

// Temper is how somebody behaves.
type Temper string

const (
	Honest    Temper = ""
	Slow      Temper = "slow"      // couriers: takes his time everywhere
	Forgetful Temper = "forgetful" // couriers: leaves the door ajar, or forgets to say that he is out
	Thief     Temper = "thief"     // couriers: comes back in whenever the door can be opened
	Stays     Temper = "stays"     // couriers: goes in and does not come out for a long time (T21)
	Blocks    Temper = "blocks"    // residents: blocks the door at some moment, lifts it later
	Comes     Temper = "comes"     // residents: comes home in the middle of it, with a key
	Ignores   Temper = "ignores"   // residents: looks at the phone much later (T22)
	Orders    Temper = "orders"    // residents: presses lock now, leave now, away, home, pets, whatever there is
)

// Move is one thing that an attacker, a fault or the weather does, once the visit has come to a phase.
type Move struct {
	Attack int           `json:"attack"`          // 1 to 30, as docs/SAFETY.md numbers them
	At     string        `json:"at"`              // word of an interlock.Phase
	After  time.Duration `json:"after,omitempty"` // from the moment that the hub came to that phase
	For    time.Duration `json:"for,omitempty"`   // how long it lasts
	How    uint32        `json:"how,omitempty"`   // which of several ways
}

// Phases are the phases of a visit, in order.
func Phases() (all []string) {
	for p := interlock.Arming; p <= interlock.Unproven; p++ {
		all = append(all, p.String())
	}
	return all
}

// Attacks are the numbers of the attacks that have a move here; the others are said in [NotSimulated].
func Attacks() (all []int) {
	for n, move := range moves() {
		if move != nil && n != household {
			all = append(all, n)
		}
	}
	return all
}

// Profile says what Generate makes.
type Profile struct {
	Homes, Visits int     // visits a home
	Calm          float64 // the share of visits in which nobody attacks and nothing fails
}

// Generate makes the scenario of a seed. Attacks and phases come in turn, so that with many seeds each pair is tried equally often.
func Generate(seed uint64, p Profile) Scenario {
	r := rand.New(rand.NewPCG(seed, 1))
	sc := Scenario{Seed: seed}
	attacks, phases := Attacks(), Phases()
	turn := seed * uint64(max(1, p.Homes*p.Visits))
	for range max(1, p.Homes) {
		plan := Plan{Wired: r.IntN(3) == 0, Rough: r.IntN(8) == 0, Dumb: r.IntN(3) == 0}
		for range p.Visits {
			turn++
			if r.Float64() < p.Calm {
				plan.Visit = append(plan.Visit, Visit{})
				continue
			}
			cell := int(turn % uint64(len(attacks)*len(phases)))
			v := Visit{Courier: courierOf(r), Resident: residentOf(r)}
			v.Moves = append(v.Moves, randomMove(r, attacks[cell%len(attacks)], phases[cell/len(attacks)]))
			for r.IntN(3) == 0 && len(v.Moves) < 4 {
				v.Moves = append(v.Moves, randomMove(r, attacks[r.IntN(len(attacks))], phases[r.IntN(len(phases))]))
			}
			v.reach()
			plan.Visit = append(plan.Visit, v)
		}
		sc.Homes = append(sc.Homes, plan)
	}
	return sc
}

func courierOf(r *rand.Rand) Temper {
	return []Temper{Honest, Honest, Slow, Forgetful, Thief, Thief, Stays}[r.IntN(7)]
}

func residentOf(r *rand.Rand) Temper {
	return []Temper{Honest, Honest, Honest, Blocks, Comes, Ignores, Orders}[r.IntN(7)]
}

// spans are how long things last: below every bound of docs/SAFETY.md, around each of them, and far above.
var spans = [...]time.Duration{
	100 * time.Millisecond, 300 * time.Millisecond, 480 * time.Millisecond, 530 * time.Millisecond, 900 * time.Millisecond, 1400 * time.Millisecond,
	1600 * time.Millisecond, 2100 * time.Millisecond, 3 * time.Second, 5 * time.Second, 8 * time.Second, 13 * time.Second, 20 * time.Second, 35 * time.Second,
	65 * time.Second, 125 * time.Second,
}

func randomSpan(r *rand.Rand) time.Duration {
	d := spans[r.IntN(len(spans))]
	return d + time.Duration(r.Int64N(int64(d/4)+1)).Truncate(time.Millisecond)
}

func randomMove(r *rand.Rand, attack int, at string) Move {
	m := Move{Attack: attack, At: at, For: randomSpan(r), How: r.Uint32()}
	if r.IntN(2) == 0 {
		m.After = time.Duration(r.Int64N(int64(lasts(at)))).Truncate(time.Millisecond)
	}
	return m
}

// lasts is how long a phase goes on for sure in most visits, or 4 s: what is to begin in it must not wait for longer.
func lasts(at string) time.Duration {
	switch at {
	case interlock.Deciding.String():
		return 3 * time.Millisecond // until it is written down
	case interlock.Arming.String(), interlock.Closing.String():
		return 300 * time.Millisecond
	case interlock.Unlocking.String():
		return 500 * time.Millisecond
	}
	return 4 * time.Second
}

// reach adds what brings a visit to a phase that an honest one does not come to.
func (v *Visit) reach() {
	for _, m := range slices.Clone(v.Moves) {
		switch m.At {
		case interlock.Held.String():
			v.Moves = append(v.Moves, Move{Attack: household, At: interlock.Arming.String(), For: 20 * time.Second})
		case interlock.Unproven.String():
			v.Moves = append(v.Moves, Move{Attack: 17, At: interlock.Unlocking.String(), How: lockMute, For: 8 * time.Second})
		}
	}
}

// Encode is the scenario's text; [Decode] reads it.
func (sc Scenario) Encode() []byte {
	b, err := json.MarshalIndent(sc, "", " ")
	if err != nil {
		panic(err) // plain data
	}
	return append(b, '\n')
}

// Decode reads a scenario, refusing what it does not know.
func Decode(b []byte) (Scenario, error) {
	var sc Scenario
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&sc); err != nil {
		return sc, fmt.Errorf("this is not a scenario: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return sc, errors.New("there is more in it than one scenario")
	}
	if n := len(sc.Homes); n == 0 || n > 64 {
		return sc, fmt.Errorf("a scenario has 1 to 64 homes, this one %d", n)
	}
	for _, p := range sc.Homes {
		for _, v := range p.Visit {
			for _, m := range v.Moves {
				if m.Attack < 0 || m.Attack > 30 || moves()[m.Attack] == nil {
					return sc, fmt.Errorf("there is no attack %d here; there are %v", m.Attack, Attacks())
				}
				if !slices.Contains(Phases(), m.At) {
					return sc, fmt.Errorf("there is no phase %q; there are %v", m.At, Phases())
				}
			}
		}
	}
	return sc, nil
}
