package sim

import (
	"context"
	"slices"
	"time"

	"eyebolt/bus"
	"eyebolt/hub"
	"eyebolt/ledger"
)

// post is the hub's end of the bus, with the times of hub/run: beats at 2 Hz in a visit, alarms until they are answered, the record
// from the service's cursor on.
type post struct {
	visits   []string
	seq      uint64
	answered uint64
	told     time.Time
	last     time.Duration // of the newest beat
	planned  time.Duration // of the next one
	begun    bool
	refs     map[uint64]func(bus.AskReply)
	ref      uint64
	alarms   []*pending
	cursor   uint64
	known    bool
	shipping bool
	down     bool // the uplink is cut (T10)
}

type pending struct {
	a       bus.Alarm
	sending int           // tries under way
	left    time.Duration // when the newest began
}

const (
	beatInVisit = 500 * time.Millisecond
	beatIdle    = 5 * time.Second
	beatLost    = time.Second
	beatGap     = 100 * time.Millisecond
	beatTimeout = 2 * time.Second
	beatStale   = 12 * time.Second
	beatFresh   = 15 * time.Second // control's
	maxBeats    = 4
	alarmRetry  = time.Second
	alarmAgain  = beatTimeout + alarmRetry // from an alarm that was lost to the next try, if no beat is answered before
	shipWait    = 2 * time.Second
	shipEvery   = 30 * time.Second       // hub/run ships several times a second; each time costs two signatures
	shipMost    = 256                    // entries in one message
	shipMore    = 100 * time.Millisecond // until the next, while each is full
)

func (p *post) restart() { *p = post{refs: map[uint64]func(bus.AskReply){}, down: p.down} }

// send carries something between hub and service, either way; a rough bus drops, doubles, delays and so reorders (T23).
func (h *home) send(f func()) {
	p := &h.post
	if p.down {
		return
	}
	arrive := func() {
		if !p.down {
			f()
		}
	}
	if !h.plan.Rough {
		h.t.after(h.t.span(4*time.Millisecond, 30*time.Millisecond), arrive)
		return
	}
	n := 1
	switch r := h.t.rng.IntN(100); {
	case r < 4:
		n = 0
	case r < 8:
		n = 2
	}
	for range n {
		wait := h.t.span(4*time.Millisecond, 300*time.Millisecond)
		if h.t.rng.IntN(200) == 0 {
			wait = h.t.span(time.Second, 3*time.Minute)
		}
		h.t.after(wait, arrive)
	}
}

// request asks the service. Exactly one of done and lost is called, lost after the timeout.
func (h *home) request(timeout time.Duration, serve func() (any, bool), done func(any), lost func()) {
	boot, over := h.boot, false
	h.send(func() {
		if !h.t.service.up {
			return
		}
		r, ok := serve()
		if !ok {
			return
		}
		h.send(func() {
			if !over && h.boot == boot {
				over = true
				done(r)
			}
		})
	})
	h.t.after(timeout, func() {
		if !over && h.boot == boot {
			over = true
			lost()
		}
	})
}

// beat sends a beat now, or as soon as beatGap allows.
func (h *home) beat(boot int) {
	if h.boot != boot || !h.up {
		return
	}
	at := h.t.now
	if h.post.begun {
		at = max(at, h.post.last+beatGap)
	}
	h.planBeat(at)
}

func (h *home) planBeat(at time.Duration) {
	p := &h.post
	if p.planned != 0 && p.planned <= at && p.planned > h.t.now {
		return
	}
	p.planned = at
	boot := h.boot
	h.t.q.push(at, func() {
		if h.boot != boot || p.planned != at || !h.up {
			return
		}
		if h.stalled {
			h.t.after(20*time.Millisecond, func() {
				if h.boot == boot && p.planned == at {
					p.planned = 0
					h.planBeat(h.t.now)
				}
			})
			return
		}
		h.sendBeat()
	})
}

var beatNonce = []byte("0123456789abcdef") // the runner compares it, and a runner is not simulated

func (h *home) sendBeat() {
	p := &h.post
	p.seq++
	p.last, p.begun, p.planned = h.t.now, true, 0
	every := beatIdle
	if p.answered+1 < p.seq {
		every = beatLost
	}
	if len(p.visits) > 0 {
		every = beatInVisit
	}
	h.planBeat(h.t.now + every)
	b := bus.Beat{Hub: h.side.hub, Nonce: beatNonce, Seq: p.seq, Visits: p.visits, Told: p.told}
	sent, at, boot := h.mono(), h.t.now, h.boot
	type answer struct {
		reply any
		given time.Duration
	}
	h.request(beatTimeout, func() (any, bool) {
		r, ok := h.t.service.beat(h, b, boot, at)
		return answer{r, h.t.now}, ok
	}, func(r any) {
		reply, given := r.(answer).reply.(bus.BeatReply), r.(answer).given
		trip := h.mono() - sent
		if b.Seq <= p.answered {
			return
		}
		p.answered, p.told = b.Seq, reply.Time
		p.hurry(h, at)
		if reply.Time.Sub(b.Told) > beatStale {
			h.beat(boot)
		}
		h.outside.answered(h, b, reply, given)
		h.take(hub.Answered{Seq: b.Seq, Visits: b.Visits, Sent: sent, Trip: trip, Size: uint64(len(h.disk.entries)), Reply: reply})
		p.known = true
		if !p.shipping {
			p.cursor = reply.Cursor
		}
		h.ship()
	}, func() { h.take(hub.Silence{}) })
}

// show publishes a view.
func (p *post) show(h *home, v bus.View) {
	h.outside.shown(h, v)
	h.send(func() { h.t.service.view(h, v) })
}

// alarm tells the service until it answers.
func (p *post) alarm(h *home, a bus.Alarm) {
	i := slices.IndexFunc(p.alarms, func(k *pending) bool { return k.a.ID == a.ID })
	if i < 0 {
		p.alarms = append(p.alarms, &pending{a: a})
		i = len(p.alarms) - 1
	}
	if p.alarms[i].sending == 0 {
		p.tell(h, p.alarms[i])
	}
}

func (p *post) tell(h *home, k *pending) {
	k.sending++
	k.left = h.t.now
	boot := h.boot
	h.request(beatTimeout, func() (any, bool) { return nil, h.t.service.alarm(h, k.a) }, func(any) {
		k.sending--
		if i := slices.Index(p.alarms, k); i >= 0 {
			p.alarms = slices.Delete(p.alarms, i, i+1)
			h.take(hub.Told{ID: k.a.ID})
		}
	}, func() {
		k.sending--
		h.t.after(alarmRetry, func() {
			if h.boot == boot && k.sending == 0 && slices.Contains(p.alarms, k) {
				p.tell(h, k)
			}
		})
	})
}

// hurry tells again what was told before a beat that was answered: the way is open.
func (p *post) hurry(h *home, sent time.Duration) {
	for _, k := range slices.Clone(p.alarms) {
		if k.left < sent && k.sending < maxBeats {
			p.tell(h, k)
		}
	}
}

// ship sends the record from the service's cursor on.
func (h *home) ship() {
	p := &h.post
	n := uint64(len(h.disk.entries))
	if p.shipping || !p.known || p.cursor >= n || h.stalled {
		return
	}
	p.shipping = true
	m := bus.Log{From: p.cursor}
	to := min(n, p.cursor+shipMost)
	for _, r := range h.disk.rows[p.cursor:to] {
		m.Entries = append(m.Entries, r.Leaf)
	}
	if to == n {
		cp, err := ledger.Sign(h.disk.signer, &h.disk.tree)
		if err != nil {
			panic(err)
		}
		m.Note = cp.Note
	}
	boot := h.boot
	h.request(shipWait, func() (any, bool) { return h.t.service.log(h, m) }, func(r any) {
		p.cursor = r.(bus.LogReply).Cursor
		h.take(hub.Shipped{Cursor: p.cursor})
		wait := shipEvery
		if p.cursor < uint64(len(h.disk.entries)) && p.cursor-m.From == shipMost {
			wait = shipMore // much is owed: it goes on at once
		}
		h.t.after(wait, func() {
			p.shipping = false
			if h.boot == boot {
				h.ship()
			}
		})
	}, func() {
		p.shipping = false
	})
}

// ask brings an ask from the service to the hub, and the answer back. It may never come.
func (h *home) ask(a bus.Ask, done func(bus.AskReply)) {
	h.send(func() {
		if !h.up {
			return
		}
		p := &h.post
		p.ref++
		p.refs[p.ref] = done
		h.take(hub.Asked{Ref: p.ref, Ask: a})
	})
}

func (p *post) answer(h *home, ref uint64, r bus.AskReply) {
	done := p.refs[ref]
	delete(p.refs, ref)
	if done != nil {
		h.send(func() { done(r) })
	}
}

var bg = context.Background()
