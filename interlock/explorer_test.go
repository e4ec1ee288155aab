package interlock

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"strings"
)

// scene is one exploration: every order of the alphabet's facts from where the opening facts lead.
type scene struct {
	name     string
	lim      Limits
	opening  []Fact // not explored: leads to the first state
	alphabet []Fact
	until    func(p Phase) bool // states that are not followed further; nil for none
}

// The numbers of nonces in an alphabet. A state's newest nonce is always shown as current: Step knows numbers only by
// comparing them, so a state and its copy with shifted numbers behave alike.
const (
	older   uint32 = 6
	current uint32 = 7
	newer   uint32 = 8
)

// pair is what is visited: a State, and the outsider's books about it.
type pair struct {
	s State
	j judge
}

// canon is the pair that stands for all that behave alike: words that Step shows but never reads are blanked, numbers
// of nonces are shifted.
func canon(p pair) pair {
	p.s = canonState(p.s)
	if p.j.made != 0 {
		shift := current - p.j.made
		p.j.made = current
		if p.j.pending != 0 {
			p.j.pending += shift
		}
	}
	return p
}

func canonState(s State) State {
	s.why = NoReason
	if s.alarm != NoReason {
		s.alarm = NotSecured
	}
	if s.incident != NoReason {
		s.incident = Restarted
	}
	if s.over != NoReason && s.over != CannotDeliver {
		s.over = Expired
	}
	if s.n != 0 {
		s.n = current
	}
	return s
}

// found is what an exploration found.
type found struct {
	states, moves int
	applied       []int // per rule
	most          int   // commands in one step
	phases        [phases]bool
	broken        string // the rule that does not hold, or ""
	story         string // how to come there
}

// explore visits every reachable pair. It stops at the first rule that does not hold, or past limit states.
func explore(sc scene, limit int, deep bool) found {
	r := found{applied: make([]int, len(rules))}
	seed := maphash.MakeSeed()
	// 64-bit hashes stand for pairs: among a million the chance that two meet is 1 in 30 million.
	seen := make(map[uint64]struct{}, 1<<12)
	first := pair{New(sc.lim), newJudge(sc.lim)}
	var m move
	for _, f := range sc.opening {
		m.step(first, f)
		first = pair{m.next, m.then}
	}
	first = canon(first)
	seen[maphash.Comparable(seed, first)] = struct{}{}
	type way struct {
		from int32
		fact uint8
	}
	ways := []way{{-1, 0}}
	type node struct {
		pair
		id int32
	}
	tell := func(id int32, last *Fact) string {
		var facts []Fact
		if last != nil {
			facts = append(facts, *last)
		}
		for ; ways[id].from >= 0; id = ways[id].from {
			facts = append(facts, sc.alphabet[ways[id].fact])
		}
		p := first
		var b strings.Builder
		for i := len(facts) - 1; i >= 0; i-- {
			m.step(p, facts[i])
			fmt.Fprintf(&b, "  %s → %s %s\n", factString(facts[i]), commandsString(m.out), m.next.Phase())
			p = canon(pair{m.next, m.then})
		}
		return b.String()
	}
	bounded := false
	for _, rule := range rules {
		bounded = bounded || rule.id == "S8"
	}
	now, then := []node{{first, 0}}, []node(nil)
	for len(now) > 0 {
		then = then[:0]
		for _, at := range now {
			r.phases[at.s.phase] = true
			if r.states++; r.states > limit {
				return r
			}
			if bounded && !ends(at.pair) {
				r.broken, r.story = "S8 from every state time alone leads to an end or a standing alarm", tell(at.id, nil)
				return r
			}
			if sc.until != nil && sc.until(at.s.phase) {
				continue
			}
			for i := range sc.alphabet {
				f := sc.alphabet[i]
				m.step(at.pair, f)
				r.moves++
				r.most = max(r.most, len(m.out))
				for k := range rules {
					applies, holds := rules[k].check(&m)
					if applies {
						r.applied[k]++
						if !holds {
							r.broken = rules[k].id + " " + rules[k].what
							r.story = tell(at.id, &f)
							return r
						}
					}
				}
				raw := pair{m.next, m.then}
				to := canon(raw)
				h := maphash.Comparable(seed, to)
				if _, ok := seen[h]; ok {
					continue
				}
				seen[h] = struct{}{}
				if deep && to.s != raw.s && !alike(raw.s, sc.alphabet) {
					r.broken, r.story = "the exploration's own: states shown alike do not behave alike", tell(at.id, &f)
					return r
				}
				ways = append(ways, way{at.id, uint8(i)})
				then = append(then, node{to, int32(len(ways) - 1)})
			}
		}
		now, then = then, now
	}
	return r
}

// step makes m the move from p by f.
func (m *move) step(p pair, f Fact) {
	m.s, m.was, m.f = p.s, p.j, f
	m.now = p.j
	m.now.hear(f)
	m.next, m.out = Step(p.s, f)
	m.then = m.now
	m.then.see(f, m.out, m.next.Phase())
}

// walk goes random ways through a scene, far beyond what is near its beginning: for faults that only late facts show.
func walk(sc scene, ways, length int, seed uint64) (broken string) {
	random := rand.New(rand.NewPCG(seed, 1))
	first := pair{New(sc.lim), newJudge(sc.lim)}
	var m move
	for _, f := range sc.opening {
		m.step(first, f)
		first = pair{m.next, m.then}
	}
	for range ways {
		at := canon(first)
		for range length {
			if sc.until != nil && sc.until(at.s.phase) {
				break
			}
			m.step(at, sc.alphabet[random.IntN(len(sc.alphabet))])
			if broken := m.broken(); broken != "" {
				return broken
			}
			at = canon(pair{m.next, m.then})
		}
	}
	return ""
}

// broken is the first rule that the move breaks, or "".
func (m *move) broken() string {
	for i := range rules {
		if applies, holds := rules[i].check(m); applies && !holds {
			return rules[i].id + " " + rules[i].what
		}
	}
	return ""
}

// ends is S8's second half: by time alone, the visit ends or stands in alarm.
func ends(p pair) bool {
	s, alarm := p.s, p.j.alarm
	for range 120 {
		if alarm || s.Phase() == Idle {
			return true
		}
		next, out := Step(s, Fact{Kind: Tick, Dt: 1})
		for _, c := range out {
			alarm = alarm || c.Do == DoAlarm
		}
		s = next
	}
	return false
}

// alike checks that a state and the one that stands for it answer every fact alike.
func alike(s State, alphabet []Fact) bool {
	c := canonState(s)
	for _, f := range alphabet {
		g := f
		if s.n != 0 {
			g.N = f.N - current + s.n
		}
		a, as := Step(s, g)
		b, bs := Step(c, f)
		if canonState(a) != canonState(b) || len(as) != len(bs) {
			return false
		}
		for i := range as {
			if as[i].Do != bs[i].Do || as[i].Outcome != bs[i].Outcome {
				return false
			}
		}
	}
	return true
}

func factString(f Fact) string {
	return fmt.Sprintf("+%d %v ok=%v watch=%v bolt=%v door=%v by=%v age=%d n=%d %v", f.Dt, f.Kind, f.OK, f.Watch, f.Bolt, f.Door, f.By, f.Age, f.N, f.Reason)
}

func commandsString(out []Command) string {
	var b strings.Builder
	for _, c := range out {
		fmt.Fprintf(&b, "%v(%v) ", c.Do, c.Reason)
	}
	return b.String()
}
