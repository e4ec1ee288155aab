package sim

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// Found is the worst scenario that a search has come upon, for one kind of blindness.
type Found struct {
	Kind     string        // why nobody could see
	Untold   time.Duration // how long somebody was inside, unwatched and untold
	Scenario Scenario
	Violated bool // a judge found a broken rule
}

// Search changes scenarios by chance, towards the longest time that somebody is inside, unwatched and untold, for each kind of blindness by
// itself, until ctx ends or it has played so many. It keeps for each kind the best few and changes those (greedy mutation, with a fresh
// scenario now and then). seed decides everything.
func Search(ctx context.Context, seed uint64, runs int, o Options, progress func(n int, best []Found)) []Found {
	r := rand.New(rand.NewPCG(seed, 4))
	best := map[string][]Found{}
	for n := range runs {
		if ctx.Err() != nil {
			break
		}
		sc := Generate(r.Uint64()>>1, Profile{Homes: 1, Visits: 1, Calm: 0})
		if kinds := slices.Sorted(maps.Keys(best)); len(kinds) > 0 && r.IntN(4) > 0 {
			of := best[kinds[r.IntN(len(kinds))]]
			sc = change(r, of[r.IntN(len(of))].Scenario)
		}
		res := Run(sc, o)
		for _, k := range slices.Sorted(maps.Keys(res.Tally.Worst)) {
			best[k] = keepBest(best[k], Found{k, res.Tally.Worst[k], sc, len(res.Violations) > 0})
		}
		if len(res.Violations) > 0 {
			best["broken rule"] = keepBest(best["broken rule"], Found{"broken rule", 0, sc, true})
		}
		if progress != nil && n%1000 == 999 {
			progress(n+1, bests(best))
		}
	}
	return bests(best)
}

const keptBest = 5

func keepBest(all []Found, f Found) []Found {
	all = append(all, f)
	slices.SortStableFunc(all, func(a, b Found) int { return int(b.Untold - a.Untold) })
	return all[:min(len(all), keptBest)]
}

func bests(best map[string][]Found) (out []Found) {
	for _, k := range slices.Sorted(maps.Keys(best)) {
		out = append(out, best[k][0])
	}
	return out
}

// change gives a scenario that differs from sc in one thing.
func change(r *rand.Rand, sc Scenario) Scenario {
	sc.Homes = slices.Clone(sc.Homes)
	p := sc.Homes[0]
	p.Visit = slices.Clone(p.Visit)
	v := p.Visit[0]
	v.Moves = slices.Clone(v.Moves)
	attacks, phases := Attacks(), Phases()
	one := func() *Move { return &v.Moves[r.IntN(len(v.Moves))] }
	switch what := r.IntN(10); {
	case what == 0 || len(v.Moves) == 0:
		v.Moves = append(v.Moves, randomMove(r, attacks[r.IntN(len(attacks))], phases[r.IntN(len(phases))]))
	case what == 1 && len(v.Moves) > 1:
		i := r.IntN(len(v.Moves))
		v.Moves = slices.Delete(v.Moves, i, i+1)
	case what == 2:
		one().For = randomSpan(r)
	case what == 3:
		m := one()
		m.For = max(time.Millisecond, time.Duration(float64(m.For)*(0.7+0.6*r.Float64())).Truncate(time.Millisecond))
	case what == 4:
		one().After = time.Duration(r.Int64N(int64(6 * time.Second))).Truncate(time.Millisecond)
	case what == 5:
		one().At = phases[r.IntN(len(phases))]
	case what == 6:
		one().How = r.Uint32()
	case what == 7:
		v.Courier = courierOf(r)
	case what == 8:
		v.Resident = residentOf(r)
	default:
		sc.Seed = r.Uint64() >> 1
	}
	if len(v.Moves) > 8 {
		v.Moves = v.Moves[:8]
	}
	p.Visit[0] = v
	sc.Homes[0] = p
	return sc
}
