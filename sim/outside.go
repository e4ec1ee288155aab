package sim

import (
	"crypto/ed25519"
	"slices"
	"strings"
	"time"

	"eyebolt/bus"
	"eyebolt/control"
	"eyebolt/hub"
	"eyebolt/interlock"
	"eyebolt/ledger"
	"eyebolt/liveness"
	"eyebolt/lock"
)

// outside is what an observer beside the hub has seen: what was told to it, what left it, what lies on its disk, and the truth. The
// judges compare these, and never ask the product for its opinion.
type outside struct {
	view     bus.View // the newest that the hub showed
	phaseAt  time.Duration
	limit    time.Duration // of its phase; 0: it has none
	recorded map[string]bool

	// What was told to the hub since its boot.
	bootAt    time.Duration
	doorSays  said[lock.Door]
	boltSays  said[lock.Bolt]
	lockOK    bool
	smoke     bool
	liveFrom  time.Duration // since when the verdict told is live without a break; 0: it is not
	beatAt    time.Duration // when the service gave the newest answer that came
	beatOK    bool          // its block counter was the hub's
	beatOf    []string
	blocked   bool // a block was taken, and no newer unblock
	blocks    uint64
	blockAsk  map[string]bus.Ask
	lockAt    time.Duration // the newest Lock
	unlockAt  time.Duration // the newest Unlock
	disturbed time.Duration // the hub was stalled or started then: its bounds count from there

	shownNonce map[string]time.Duration // when the hub first showed a challenge
	slid       map[string]bool          // signed by the right courier's passkey
	decisions  map[string]int           // durable ones, by visit, that no Unlock has followed
	uses       map[string]*use          // by grant
	spent      map[string]bool
	ordered    string // the visit that the newest Unlock was for
	exposed    bool   // an Unlock left, and the door was not proven secured since
	outAt      time.Duration
	released   bool
	retracts   int
	securedIn  bool // this visit was secured once

	alarmAt   time.Duration // the newest alarm that left the hub
	toldIDs   map[string]bool
	acked     map[string]bool // alarms that somebody can have known of when he acknowledged
	closeAt   time.Duration   // when an incident was last closed
	toldAt    time.Duration   // the newest alarm that the service stored
	closed    map[string]bool
	leaves    map[string]bool // asks to leave that came: what is asked twice is answered twice, whatever began meanwhile (T23)
	heardAt   time.Duration   // the newest beat that the service heard
	heardOf   int             // visits in the newest that was sent
	heardSeq  uint64          // its number, and the hub's start
	heardBoot int             // the instance that heard it
	missedAt  time.Duration   // the beat after which the service found the hub silent
	back      bool            // the disk was put back (T29)
	cut, most uint64          // to this many entries; the service held that many
	second    map[string]bool // grants of a second delivery at this door (T30)

	before_  stand           // what the view said before the step that is being judged
	was      said[lock.Bolt] // the bolt's word before it
	ackAt    time.Duration   // when a resident last pressed that he has seen an alarm
	overAt   time.Duration   // the phase that was found too long began then
	lateFrom time.Duration
	downAt   time.Duration // when the uplink last was down
	stood    string        // the alarm that stood when its power went
	stoodAt  time.Duration
	radioAt  time.Duration   // when the radio last was down
	revoked  map[string]bool // grants whose revocation the hub has taken
	counted  map[string]bool // visits' beginnings and ends that stand on the disk

	// Of the call going on.
	dark    time.Duration // while exposed: nobody could see, as one stretch
	blind   time.Duration // longest such stretch
	total   time.Duration
	stretch time.Duration // as dark, the door secured or not
	reaches string        // the visit that such a stretch, longer than A2, began in before the door was secured
	diskBad bool
	wentOff bool
	noise   bool          // the weather darkened a camera, or a lapse or alarm was told
	bad     bool          // a lapse, an alarm
	unseen  time.Duration // the watch was not called live, or there was no hub
	lapses  int           // how often that began
	blindly bool          // it is so now
	lapsed  time.Duration // since when it is a lapse, without a break; 0: it is none
	known   bool          // the household was told that somebody may be inside, and nobody has come out since
	fooled  bool          // a magnet has held the contact in this visit (T27)
	alarmed bool          // an alarm, or the opening is not this hub's to judge
	inside  time.Duration // unwatched by kind, and untold
	kind    string
	by      int           // what lengthened that
	all     time.Duration // likewise, by whatever kinds in a row
	byAll   int
}

// tickCalm is how far a view may lag behind the clock: the core ticks at least so often.
const tickCalm = 250 * time.Millisecond

// said is the newest word of a device as it reached the hub.
type said[T any] struct {
	is T
	at time.Duration
	ok bool
}

// stand is how a view says that a door stands.
type stand struct{ Phase, Alarm, Visit string }

// use is one grant's.
type use struct {
	unlocks int
	opened  bool
	nonce   string
}

func (o *outside) booted(h *home) {
	keep := *o
	*o = outside{
		bootAt: h.t.now, disturbed: h.t.now, recorded: map[string]bool{}, blockAsk: map[string]bus.Ask{}, leaves: map[string]bool{}, shownNonce: map[string]time.Duration{},
		slid: keep.slid, decisions: map[string]int{}, uses: keep.uses, spent: keep.spent, toldIDs: keep.toldIDs, acked: keep.acked, ackAt: keep.ackAt, closeAt: keep.closeAt, closed: keep.closed,
		heardAt: keep.heardAt, heardOf: keep.heardOf, heardBoot: keep.heardBoot, heardSeq: keep.heardSeq, missedAt: keep.missedAt, toldAt: keep.toldAt, back: keep.back, cut: keep.cut, most: keep.most, second: keep.second, revoked: keep.revoked, counted: keep.counted,
		blocks: keep.blocks, blocked: keep.blocked, exposed: keep.exposed, ordered: keep.ordered,
		dark: keep.dark, blind: keep.blind, total: keep.total, diskBad: keep.diskBad, wentOff: keep.wentOff, bad: keep.bad, alarmed: keep.alarmed, fooled: keep.fooled, known: keep.known, unlockAt: keep.unlockAt, noise: keep.noise,
		inside: keep.inside, kind: keep.kind, by: keep.by, all: keep.all, byAll: keep.byAll, lapsed: keep.lapsed, unseen: keep.unseen, lapses: keep.lapses, downAt: keep.downAt, phaseAt: h.t.now, view: bus.View{},
	}
	if o.uses == nil {
		o.slid, o.uses, o.spent, o.toldIDs, o.acked, o.closed, o.second, o.revoked, o.counted = map[string]bool{}, map[string]*use{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	}
	o.stands(h, keep.stood, keep.stoodAt)
}

func (o *outside) crashed(h *home) {
	o.wentOff, o.bad, o.disturbed = true, true, h.t.now
	stood, at := o.view.Alarm, h.t.now
	if stood == "" || at-o.alarmAt < 3*time.Second || o.diskBad || o.back || h.t.now-o.bootAt < 5*time.Second {
		return
	}
	h.outside.stood, h.outside.stoodAt = stood, at
}

// stands is S16: an alarm that nobody has acknowledged stands after a restart.
func (o *outside) stands(h *home, stood string, at time.Duration) {
	if stood == "" {
		return
	}
	boot := h.boot
	h.t.after(4*time.Second, func() {
		o := &h.outside
		if h.boot == boot && h.up && !h.stalled && !o.back && o.ackAt < at-time.Minute && o.view.Alarm == "" {
			h.t.broke(h, "S16", "the alarm %q stood when the hub's power went, nobody acknowledged it, and it does not stand now", stood)
		}
	})
}

// restored notes what the service held when the disk was put back.
func (o *outside) restored(h *home) {
	o.back, o.cut = true, uint64(len(h.disk.entries))
	key := must(ledger.ParseKey(must(ledger.KeyText("eyebolt/"+h.side.hub, h.side.key.Public().(ed25519.PublicKey)))))
	for _, n := range h.disk.held {
		o.most = max(o.most, must(ledger.Open(n, key)).Size)
	}
}

// begins and ends are of a call.
func (o *outside) begins(h *home, c *call) {
	o.dark, o.blind, o.total, o.diskBad, o.wentOff, o.noise, o.bad, o.alarmed, o.fooled = 0, 0, 0, false, !h.up, false, false, false, false
	o.unseen, o.lapses, o.blindly = 0, 0, false
}

// before notes what is told to the hub, as it is told.
func (o *outside) before(h *home, in hub.Input) {
	o.before_, o.was = stand{o.view.Phase, o.view.Alarm, o.view.Visit}, o.boltSays
	if h.post.down {
		o.downAt = h.t.now
	}
	if h.radio.down {
		o.radioAt = h.t.now
	}
	switch in := in.(type) {
	case hub.Reported:
		r := in.Report
		if r.Age < 0 || in.Door != doorName {
			return // junk
		}
		switch r.What {
		case lock.OfDoor:
			if r.Door == lock.DoorOpen || r.Door == lock.DoorAjar {
				if u := o.uses[o.view.GrantID]; u != nil {
					u.opened = true
				}
			}
			o.doorSays = said[lock.Door]{r.Door, h.t.now, true}
		case lock.OfBolt:
			o.boltSays = said[lock.Bolt]{r.Bolt, h.t.now, true}
		case lock.OfHealth:
			o.lockOK = r.OK
		case lock.OfSmoke:
			o.smoke = !r.OK
		}
	case hub.Asked:
		if in.Ask.What == bus.AskBlock && (in.Ask.Count == 0 || in.Ask.Count >= o.blocks) {
			o.blocked, o.blocks = true, max(o.blocks, in.Ask.Count)
		}
		if in.Ask.What == bus.AskAck {
			o.phaseAt = h.t.now // what caused the alarm has its limit anew
		}
		if in.Ask.What == bus.AskRevoke {
			for _, id := range in.Ask.Revoked {
				o.revoked[id] = true
			}
		}
		if in.Ask.What == bus.AskUnblock && in.Ask.Count > o.blocks {
			o.blocked, o.blocks = false, in.Ask.Count
		}
	case hub.Written:
		if in.Err != nil {
			o.diskBad = true
		}
	}
}

// saw notes a verdict that is told to the hub.
func (o *outside) saw(h *home, e *eye, v liveness.Verdict) {
	if v.State != liveness.Live {
		o.liveFrom = 0
		if lapse(v.State) {
			o.noise = true
		}
		return
	}
	if o.liveFrom == 0 {
		o.liveFrom = h.t.now
	}
}

func (o *outside) answered(h *home, b bus.Beat, r bus.BeatReply, given time.Duration) {
	o.beatAt, o.beatOf = given, b.Visits
	o.beatOK = r.Blocks[doorName] == o.blocks
}

// heard is a beat that has come to the service. One that was long on its way, and the first of a hub that has had no answer yet, or none for
// long, prove nothing (T23): nothing is expected of the service for them.
func (o *outside) heard(h *home, b bus.Beat, boot int, sent time.Duration) {
	n := uint64(boot)<<32 | b.Seq
	if n < o.heardSeq || b.Told.IsZero() || h.t.now-sent > beatTimeout || h.t.service.now().Sub(b.Told) > beatFresh {
		return
	}
	o.heardAt, o.heardBoot, o.heardOf, o.heardSeq = h.t.now, h.t.service.boots, len(b.Visits), n
}

func (o *outside) slides(h *home, nonce []byte) { o.slid[string(nonce)] = true }
func (o *outside) outs(h *home, nonce []byte)   { o.outAt = h.t.now }
func (o *outside) wished(h *home, w control.Wish) {
	if w.What == bus.AskAck {
		o.ackAt = h.t.now
		o.acked[h.visits.view.AlarmID] = true
		for id := range o.toldIDs {
			o.acked[id] = true
		}
	}
}
func (o *outside) closes(h *home, visit string) { o.closed[visit], o.closeAt = true, h.t.now }
func (o *outside) told(h *home, a bus.Alarm) {
	o.toldIDs[a.ID] = true
	if a.Reason == interlock.MaybeInside.String() {
		o.known = true
	}
	if !a.Notice {
		o.toldAt, o.bad = h.t.now, true
	} else if strings.HasPrefix(a.Reason, "lapse") {
		o.bad = true
	}
}

// durable notes an entry that lies on the disk.
func (o *outside) durable(h *home, e ledger.Entry) {
	switch e.Kind {
	case ledger.KindDecision:
		o.decisions[e.Visit]++
	case ledger.KindVisit:
		once := !o.counted[e.Word+e.Visit] // a disk that says no to what it wrote holds it twice
		o.counted[e.Word+e.Visit] = true
		switch {
		case e.Word == ledger.WordBegan && once:
			h.t.tally.Visits++
		case e.Word == ledger.WordEnded && once:
			o.judgeEnd(h, e)
		case e.Word == "closed":
			if !o.closed[e.Visit] && !o.back {
				h.t.broke(h, "S7", "an incident was closed that no resident closed")
			}
		}
	}
}

// shown notes a view that leaves the hub.
func (o *outside) shown(h *home, v bus.View) {
	was := o.view
	o.view = v
	if v.Phase != was.Phase {
		o.limit = phaseLimits[v.Phase]
	}
	if id := was.AlarmID; id != "" && v.AlarmID == "" && !o.acked[id] && (o.closeAt == 0 || h.t.now-o.closeAt > 5*time.Minute) {
		h.t.broke(h, "S16", "the alarm %q ended, and nobody who could know of it has acknowledged it", was.Alarm)
	}
	for _, n := range [][]byte{v.Nonce, v.OutNonce} {
		if len(n) > 0 {
			if _, ok := o.shownNonce[string(n)]; !ok {
				o.shownNonce[string(n)] = h.t.now
			}
		}
	}
	if v.Visit != was.Visit {
		o.retracts, o.securedIn, o.released = 0, false, false
	}
	if v.Secured && o.exposed {
		o.exposed = false
	}
	if v.Secured {
		o.judgeSecured(h)
	} else if v.Phase == interlock.Secured.String() && was.Phase != v.Phase {
		h.t.broke(h, "S9", "it is called secured without a report that says so")
	}
	if v.Released && !was.Released {
		o.judgeReleased(h, v)
	}
	if v.Watch == "live" {
		o.judgeAge(h, v)
	}
	if v.Phase != was.Phase || v.Visit != was.Visit {
		h.t.tell(h, "hub", "is %s (%s)", v.Phase, v.Reason)
		o.phaseAt = h.t.now
		h.visits.came(v.Phase)
	}
}

func has[E hub.Effect](effects []hub.Effect) bool {
	return slices.ContainsFunc(effects, func(e hub.Effect) bool { _, ok := e.(E); return ok })
}

// bolt is called when the bolt has moved in truth.
func (o *outside) bolt(h *home) {}

// quiet says whether nothing of the visit is on its way any more.
func (o *outside) quiet(h *home) bool {
	return o.view.Phase == interlock.Idle.String() && len(h.post.alarms) == 0 && h.post.cursor >= uint64(len(h.disk.entries))
}
