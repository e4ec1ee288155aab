package sim

import (
	"crypto/sha256"
	"math/rand/v2"
	"time"

	"eyebolt/bus"
	"eyebolt/hub"
	"eyebolt/lock"
	"eyebolt/record"
)

const doorName = "front"

// home is a house with a hub: the shipped core, and the hands that the simulator lends it.
type home struct {
	t    *Town
	plan Plan
	side side

	core    *hub.Core
	up      bool
	stalled bool // its process does not run (S6, S14)
	boot    int  // how often it was started
	bootAt  time.Duration
	inbox   []hub.Input   // what came while it was stalled
	ticks   time.Duration // when its next tick is planned; 0: not
	tick    func()        // of this boot
	gen     uint64        // of Locks: an order that a Lock has overtaken is not sent
	epoch   uint32
	skew    time.Duration // of the machine's own clock (T15)
	code    string        // that its screen shows
	cutNext bool          // the power goes right after the next write (T18)

	disk                  disk
	door                  door
	lock                  lockdev
	contact               contact
	radio                 radio
	eyes                  []*eye
	looks                 []func()
	post                  post
	outside               outside
	visits                *visits
	chronicle             chronicle
	askN                  int // of asks by rogues
	downUntil, roughUntil time.Duration
}

func (h *home) mono() time.Duration { return h.t.now - h.bootAt }

func (h *home) at() hub.At {
	return hub.At{Mono: h.mono(), Wall: base.Add(h.t.now + h.skew)}
}

// start boots the hub over the disk as it is.
func (h *home) start() {
	h.boot++
	seed := sha256.Sum256([]byte{byte(h.t.sc.Seed), byte(h.t.sc.Seed >> 8), byte(h.t.sc.Seed >> 16), byte(h.t.sc.Seed >> 24), byte(h.side.n), byte(h.boot), 'h'})
	var cameras []string
	for _, e := range h.eyes {
		cameras = append(cameras, e.name)
	}
	core, err := hub.New(hub.Config{
		ID: h.side.hub, RP: rp, Epoch: h.epoch, Random: rand.NewChaCha8(seed),
		Doors: []hub.Door{{Name: doorName, Cameras: cameras, Walk: hub.Walk{Passed: true, Made: base, Say: "walked"}}},
	})
	if err != nil {
		panic(err)
	}
	for _, e := range h.disk.entries {
		core.Replay(e)
	}
	h.core, h.up, h.stalled, h.bootAt, h.inbox, h.ticks, h.looks, h.cutNext = core, true, false, h.t.now, nil, 0, nil, false
	boot := h.boot
	h.tick = func() { h.ticked(boot) }
	h.disk.waits, h.disk.busy, h.disk.owed = nil, false, hub.Owed{}
	h.post.restart()
	h.outside.booted(h)
	h.t.tell(h, "hub", "starts")
	h.take(hub.Boot{})
	h.t.after(h.t.span(100*time.Millisecond, 2*time.Second), func() { h.connect(h.boot) })
	for _, e := range h.eyes {
		h.watch(e)
	}
	h.beat(h.boot)
	h.refresh(h.boot)
}

// connect is the driver's first word: the lock answers, and what is the case now.
func (h *home) connect(boot int) {
	if h.boot != boot || !h.up {
		return
	}
	if h.radio.down {
		h.t.after(time.Second, func() { h.connect(boot) })
		return
	}
	h.report(lock.Report{What: lock.OfHealth, OK: true})
	h.lock.poll(h)
	h.contact.changed(h)
}

// refresh shows the view at least every five seconds.
func (h *home) refresh(boot int) {
	if h.boot != boot || !h.up {
		return
	}
	if !h.stalled {
		h.post.show(h, h.core.View(h.at(), doorName))
	}
	h.t.after(5*time.Second, func() { h.refresh(boot) })
}

// crash takes the power away.
func (h *home) crash(how string) {
	if !h.up {
		return
	}
	h.t.tell(h, "hub", "loses its power %s", how)
	h.up, h.stalled, h.core, h.inbox, h.looks = false, false, nil, nil, nil
	h.boot++ // whatever was on its way to it is nobody's
	h.disk.waits, h.disk.busy, h.disk.owed = nil, false, hub.Owed{}
	h.outside.crashed(h)
}

// stall stops the hub's process; wake lets it go on with all that waits.
func (h *home) stall() {
	if h.up {
		h.t.tell(h, "hub", "stands still")
		h.stalled, h.outside.disturbed = true, h.t.now
	}
}

func (h *home) wake() {
	if !h.up || !h.stalled {
		return
	}
	h.t.tell(h, "hub", "goes on")
	h.stalled, h.outside.disturbed = false, h.t.now
	inbox := h.inbox
	h.inbox = nil
	for _, in := range inbox {
		h.take(in)
	}
	if h.up {
		h.take(hub.Tick{})
		h.relook()
	}
}

// report brings what a device told to the hub.
func (h *home) report(r lock.Report) {
	if !h.up {
		return
	}
	r.At = h.mono()
	h.take(hub.Reported{Door: doorName, Report: r})
}

// take gives the core what happened and carries out what it says.
func (h *home) take(in hub.Input) {
	if !h.up {
		return
	}
	if h.stalled {
		h.inbox = append(h.inbox, in)
		return
	}
	h.outside.before(h, in)
	effects := h.core.Take(h.at(), in)
	h.outside.judge(h, in, effects)
	for _, e := range effects {
		h.carry(e)
	}
	h.outside.after(h)
	h.schedule()
}

// schedule plans the core's next tick.
func (h *home) schedule() {
	due := h.bootAt + h.core.Due()
	if h.ticks != 0 && h.ticks <= due {
		return
	}
	h.ticks = max(due, h.t.now)
	h.t.q.push(h.ticks, h.tick)
}

// ticked is what the core's next tick comes to, at the time for which it was planned.
func (h *home) ticked(boot int) {
	if h.boot != boot || h.ticks != h.t.now {
		return // another one was planned since
	}
	h.ticks = 0
	if !h.up || h.stalled {
		return
	}
	if h.bootAt+h.core.Due() > h.t.now {
		h.schedule() // it is due later by now
		return
	}
	h.take(hub.Tick{})
}

func (h *home) carry(e hub.Effect) {
	h.chronicle.does(h, e)
	switch e := e.(type) {
	case hub.Lock:
		h.t.tell(h, "hub", "Lock (%v)", e.Reason)
		h.gen++
		h.lock.order(h, "lock", lock.Order{}, 0)
	case hub.Unlock:
		h.t.tell(h, "hub", "Unlock, not after %s from now", millis(e.Order.NotAfter-h.mono()))
		h.lane("unlock", e.Order, e.N)
	case hub.Retract:
		h.t.tell(h, "hub", "Retract")
		h.lane("retract", e.Order, 0)
	case hub.Poll:
		h.lock.poll(h)
	case hub.Append:
		h.disk.append(h, e)
	case hub.Record:
		h.record(e)
	case hub.Keep:
		boot := h.boot
		h.t.after(300*time.Millisecond, func() {
			if h.boot == boot {
				h.take(hub.Filed{Door: doorName, Camera: e.Camera, Visit: e.Visit, Clip: record.Clip{Visit: e.Visit, Door: doorName, Camera: e.Camera}})
			}
		})
	case hub.Show:
		h.post.show(h, e.View)
	case hub.Alarm:
		h.t.tell(h, "hub", "%s: %s", pick(e.Alarm.Notice, "notice", "ALARM"), e.Alarm.Reason)
		h.post.alarm(h, e.Alarm)
	case hub.Answer:
		h.post.answer(h, e.Ref, e.Reply)
	case hub.BeatNow:
		h.beat(h.boot)
	case hub.Beats:
		h.post.visits = e.Visits
		h.beat(h.boot)
	case hub.Pairing:
		h.code = e.Code
	}
}

// lane carries an order unless a Lock has come before it.
func (h *home) lane(do string, o lock.Order, n uint32) {
	boot, gen := h.boot, h.gen
	h.t.after(h.t.span(0, 3*time.Millisecond), func() {
		switch {
		case h.boot != boot:
		case h.gen != gen || h.stalled || h.mono() > o.NotAfter:
			h.take(hub.Carried{Door: doorName, Do: do, N: n, Err: lock.ErrNotSent})
		default:
			h.lock.order(h, do, o, n)
		}
	})
}

// record is the recorder: pictures that come are confirmed, unless the disk does not take them.
func (h *home) record(e hub.Record) {
	boot, told := h.boot, false
	var look func()
	look = func() {
		if h.boot != boot || !h.up {
			return
		}
		ok := !h.disk.failing(h, diskFull) && !h.disk.failing(h, diskStuck) && !h.disk.failing(h, diskFilm)
		for _, k := range h.eyes {
			if k.name == e.Camera && k.dark && !told {
				ok = false
			}
		}
		if ok != told {
			told = ok
			h.outside.recorded[e.Camera] = ok
			h.take(hub.Recorded{Door: doorName, Camera: e.Camera, Visit: e.Visit, OK: ok})
		}
		if h.up && h.outside.view.Visit == e.Visit || h.outside.view.Visit == "" && h.t.now-h.bootAt < 2*time.Second {
			h.t.after(time.Second, look)
		}
	}
	h.t.after(h.t.span(300*time.Millisecond, 700*time.Millisecond), look)
}

// tellHousehold is what reaches the residents' and the courier's phones: the service's newest view of the door.
func (h *home) tellHousehold(v bus.View) {
	h.visits.shown(h, v)
}
