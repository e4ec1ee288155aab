package sim

import "time"

// event is something that will happen. Of two at one time, the one that was planned first comes first.
type event struct {
	at  time.Duration
	seq uint64
	do  func()
}

func (e event) before(o event) bool { return e.at < o.at || e.at == o.at && e.seq < o.seq }

// queue is a binary heap of events.
type queue struct {
	all []event
	seq uint64
}

func (q *queue) push(at time.Duration, do func()) {
	q.seq++
	q.all = append(q.all, event{at, q.seq, do})
	i := len(q.all) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !q.all[i].before(q.all[up]) {
			return
		}
		q.all[i], q.all[up] = q.all[up], q.all[i]
		i = up
	}
}

// pop takes the next event; there must be one.
func (q *queue) pop() event {
	e := q.all[0]
	last := len(q.all) - 1
	q.all[0] = q.all[last]
	q.all[last] = event{}
	q.all = q.all[:last]
	for i := 0; ; {
		k := 2*i + 1
		if k >= last {
			return e
		}
		if k+1 < last && q.all[k+1].before(q.all[k]) {
			k++
		}
		if !q.all[k].before(q.all[i]) {
			return e
		}
		q.all[i], q.all[k] = q.all[k], q.all[i]
		i = k
	}
}
