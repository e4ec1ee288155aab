package locktest

import (
	"container/heap"
	"sync"
	"time"
)

// agenda is what is going to happen, by time and, at one time, in the order in which it was planned. One goroutine
// carries it out. Everything in it belongs to its owner's mutex.
type agenda struct {
	plans  plans
	seq    int
	ended  bool
	wake   chan struct{}
	done   chan struct{}
	owner  *sync.Mutex
	origin time.Time
}

type plan struct {
	at  time.Duration
	seq int
	do  func() func() // runs with the owner's mutex held; what it returns runs without
}

type plans []plan

func (p plans) Len() int      { return len(p) }
func (p plans) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p *plans) Push(x any)   { *p = append(*p, x.(plan)) }
func (p plans) Less(i, j int) bool {
	return p[i].at < p[j].at || (p[i].at == p[j].at && p[i].seq < p[j].seq)
}

func (p *plans) Pop() any {
	old := *p
	last := old[len(old)-1]
	old[len(old)-1] = plan{}
	*p = old[:len(old)-1]
	return last
}

func (a *agenda) start(owner *sync.Mutex) {
	a.owner, a.wake, a.done, a.origin = owner, make(chan struct{}, 1), make(chan struct{}), time.Now()
	go a.run()
}

func (a *agenda) stop(owner *sync.Mutex) {
	owner.Lock()
	a.ended = true
	owner.Unlock()
	a.poke()
	<-a.done
}

func (a *agenda) poke() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *agenda) len() int { return len(a.plans) }

// add is called with the owner's mutex held.
func (a *agenda) add(d time.Duration, do func() func()) {
	a.seq++
	heap.Push(&a.plans, plan{time.Since(a.origin) + d, a.seq, do})
	a.poke()
}

func (a *agenda) run() {
	defer close(a.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		wait, ok := a.due()
		if !ok {
			return
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-a.wake:
		}
	}
}

// due carries out what is due and says how long until the next plan; false at the end.
func (a *agenda) due() (time.Duration, bool) {
	for {
		a.owner.Lock()
		if a.ended {
			a.owner.Unlock()
			return 0, false
		}
		if len(a.plans) == 0 {
			a.owner.Unlock()
			return time.Hour, true
		}
		if wait := a.plans[0].at - time.Since(a.origin); wait > 0 {
			a.owner.Unlock()
			return wait, true
		}
		tell := heap.Pop(&a.plans).(plan).do()
		a.owner.Unlock()
		if tell != nil {
			tell()
		}
	}
}
