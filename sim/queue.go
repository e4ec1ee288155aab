package sim

import "time"

// event is something that will happen. Of two at one time, the one that was planned first comes first.
type event struct {
	at  time.Duration
	seq uint64
	do  func()
}

func (e event) before(o event) bool { return e.at < o.at || e.at == o.at && e.seq < o.seq }

// ways is how many events stand under each one: with four, half as many are moved as with two.
const ways = 4

// queue is a heap of events.
type queue struct {
	all []event
	seq uint64
}

func (q *queue) push(at time.Duration, do func()) {
	q.seq++
	e := event{at, q.seq, do}
	i := len(q.all)
	q.all = append(q.all, e)
	for i > 0 {
		up := (i - 1) / ways
		if !e.before(q.all[up]) {
			break
		}
		q.all[i] = q.all[up]
		i = up
	}
	q.all[i] = e
}

// pop takes the next event; there must be one.
func (q *queue) pop() event {
	all := q.all
	next, last := all[0], len(all)-1
	e := all[last]
	all[last] = event{}
	all = all[:last]
	q.all = all
	if last == 0 {
		return next
	}
	i := 0
	for {
		first := ways*i + 1
		if first >= last {
			break
		}
		k := first
		for j := first + 1; j < min(first+ways, last); j++ {
			if all[j].before(all[k]) {
				k = j
			}
		}
		if !all[k].before(e) {
			break
		}
		all[i] = all[k]
		i = k
	}
	all[i] = e
	return next
}
