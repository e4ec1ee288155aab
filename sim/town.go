package sim

import (
	"crypto/ed25519"
	"math/rand/v2"
	"time"

	"eyebolt/control/mem"
	"eyebolt/ledger"
)

// Town is one run: the clock, what will happen, and everybody in it. One goroutine owns it.
type Town struct {
	sc      Scenario
	opt     Options
	now     time.Duration
	q       queue
	rng     *rand.Rand
	service *service
	homes   []*home
	story   story
	found   []Violation
	tally   Tally
	rogue   ed25519.PrivateKey // of a carrier that nobody let in (T16)
}

func newTown(sc Scenario, o Options) *Town {
	t := &Town{sc: sc, opt: o, rng: rand.New(rand.NewPCG(sc.Seed, 2)), story: story{on: o.Story, hash: fnvOffset}}
	t.tally.Add(Tally{}) // its maps
	t.service = &service{t: t, store: mem.New()}
	for i := range sc.Homes {
		h := &home{t: t, plan: sc.Homes[i], epoch: 1}
		e := &eye{name: "hall", a1: a1Wifi}
		if h.plan.Wired {
			e.a1 = a1Wired
		}
		h.eyes = []*eye{e}
		h.door.thrown = true
		h.post.restart()
		h.visits = &visits{h: h}
		t.homes = append(t.homes, h)
	}
	return t
}

// after plans something d from now.
func (t *Town) after(d time.Duration, do func()) { t.q.push(t.now+d, do) }

// span is a random span, evenly between the two.
func (t *Town) span(least, most time.Duration) time.Duration {
	return least + time.Duration(t.rng.Int64N(int64(most-least)+1))
}

func (t *Town) home(hub string) *home {
	for _, h := range t.homes {
		if h.side.hub == hub {
			return h
		}
	}
	panic("sim: no hub " + hub)
}

// longest bounds a run in virtual time, for each visit of the home that has most.
const longest = time.Hour

// play runs until every home has had its visits, and judges the end.
func (t *Town) play() {
	t.now = time.Minute // so that nothing begins at 0, which means "never" in many places
	t.service.start()
	t.service.setUp()
	end := t.now + longest
	for _, h := range t.homes {
		var err error
		if h.disk.signer, err = ledger.NewSigner("eyebolt/"+h.side.hub, h.side.key); err != nil {
			panic(err)
		}
		end += time.Duration(len(h.plan.Visit)) * longest
		h.start()
		h.contact.beat(h)
		h.visits.open()
	}
	for len(t.q.all) > 0 && t.now < end {
		e := t.q.pop()
		if e.at > t.now {
			for _, h := range t.homes {
				h.outside.pass(h, e.at-t.now)
			}
			t.now = e.at
		}
		e.do()
		if len(t.found) >= maxViolations || t.over() {
			break
		}
	}
	for _, h := range t.homes {
		if !h.visits.over && len(t.found) < maxViolations {
			t.broke(h, "S8", "visit %d of %d did not come to an end", h.visits.n, len(h.plan.Visit))
		}
		h.outside.end(h)
		t.tally.Watched += t.now
		for _, r := range h.disk.rows {
			t.story.mark(uint64(r.Stored[0])<<8 | uint64(r.Stored[1]))
		}
	}
}

func (t *Town) over() bool {
	for _, h := range t.homes {
		if !h.visits.over {
			return false
		}
	}
	return true
}
