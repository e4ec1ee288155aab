package sim

import (
	"crypto/ed25519"
	"encoding/json"
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
	"eyebolt/proof"
)

// outside is what an observer beside the hub has seen: what was told to it, what left it, what lies on its disk, and the truth. The
// judges compare these, and never ask the product for its opinion.
type outside struct {
	view     bus.View // the newest that the hub showed
	phaseAt  time.Duration
	recorded map[string]bool

	// What was told to the hub since its boot.
	bootAt    time.Duration
	doorSays  said[lock.Door]
	boltSays  said[lock.Bolt]
	lockOK    bool
	smoke     bool
	liveFrom  time.Duration // since when the verdict told is live without a break; 0: it is not
	beatAt    time.Duration // the newest answer
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
	toldAt    time.Duration // the newest alarm that the service stored
	closed    map[string]bool
	heardAt   time.Duration   // the newest beat that the service heard
	heardOf   int             // visits in the newest that was sent
	heardSeq  uint64          // its number, and the hub's start
	late      bool            // the newest that came was not the newest that was sent
	heardBoot int             // the instance that heard it
	missedAt  time.Duration   // the beat after which the service found the hub silent
	back      bool            // the disk was put back (T29)
	cut, most uint64          // to this many entries; the service held that many
	second    map[string]bool // grants of a second delivery at this door (T30)

	before_  bus.View        // the view before the step that is being judged
	was      said[lock.Bolt] // the bolt's word before it
	ackAt    time.Duration   // when a resident last pressed that he has seen an alarm
	overAt   time.Duration   // the phase that was found too long began then
	lateFrom time.Duration
	downAt   time.Duration   // when the uplink last was down
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
	noise   bool // the weather darkened a camera, or a lapse or alarm was told
	bad     bool // a lapse, an alarm
	alarmed bool // an alarm, or the opening is not this hub's to judge
	inside  time.Duration
	kind    string
}

// tickCalm is how far a view may lag behind the clock: the core ticks at least so often.
const tickCalm = 250 * time.Millisecond

// said is the newest word of a device as it reached the hub.
type said[T any] struct {
	is T
	at time.Duration
	ok bool
}

// use is one grant's.
type use struct {
	unlocks int
	opened  bool
	nonce   string
}

func (o *outside) booted(h *home) {
	keep := *o
	*o = outside{
		bootAt: h.t.now, disturbed: h.t.now, recorded: map[string]bool{}, blockAsk: map[string]bus.Ask{}, shownNonce: map[string]time.Duration{},
		slid: keep.slid, decisions: map[string]int{}, uses: keep.uses, spent: keep.spent, toldIDs: keep.toldIDs, closed: keep.closed,
		heardAt: keep.heardAt, heardOf: keep.heardOf, heardBoot: keep.heardBoot, heardSeq: keep.heardSeq, late: keep.late, missedAt: keep.missedAt, toldAt: keep.toldAt, back: keep.back, cut: keep.cut, most: keep.most, second: keep.second, revoked: keep.revoked, counted: keep.counted,
		blocks: keep.blocks, blocked: keep.blocked, exposed: keep.exposed, ordered: keep.ordered,
		dark: keep.dark, blind: keep.blind, total: keep.total, diskBad: keep.diskBad, wentOff: keep.wentOff, bad: keep.bad, alarmed: keep.alarmed, unlockAt: keep.unlockAt, noise: keep.noise,
		inside: keep.inside, kind: keep.kind, phaseAt: h.t.now, view: bus.View{},
	}
	if o.uses == nil {
		o.slid, o.uses, o.spent, o.toldIDs, o.closed, o.second, o.revoked, o.counted = map[string]bool{}, map[string]*use{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	}
}

func (o *outside) crashed(h *home) { o.wentOff, o.bad, o.disturbed = true, true, h.t.now }

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
	o.dark, o.blind, o.total, o.diskBad, o.wentOff, o.noise, o.bad, o.alarmed = 0, 0, 0, false, !h.up, false, false, false
}

// before notes what is told to the hub, as it is told.
func (o *outside) before(h *home, in hub.Input) {
	o.before_, o.was = o.view, o.boltSays
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

func (o *outside) answered(h *home, b bus.Beat, r bus.BeatReply) {
	o.beatAt, o.beatOf = h.t.now, b.Visits
	o.beatOK = r.Blocks[doorName] == o.blocks
}

func (o *outside) heard(h *home, b bus.Beat, boot int) {
	o.heardAt, o.heardBoot = h.t.now, h.t.service.boots
	n := uint64(boot)<<32 | b.Seq
	o.late = n < o.heardSeq // a service cannot tell one that was minutes on its way from one of a hub that has started anew
	if !o.late {
		o.heardOf, o.heardSeq = len(b.Visits), n
	}
}

func (o *outside) slides(h *home, nonce []byte) { o.slid[string(nonce)] = true }
func (o *outside) outs(h *home, nonce []byte)   { o.outAt = h.t.now }
func (o *outside) wished(h *home, w control.Wish) {
	if w.What == bus.AskAck {
		o.ackAt = h.t.now
	}
}
func (o *outside) closes(visit string) { o.closed[visit] = true }
func (o *outside) told(h *home, a bus.Alarm) {
	o.toldIDs[a.ID] = true
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

// judge holds what the hub does to the rules, in the step that does it.
func (o *outside) judge(h *home, in hub.Input, effects []hub.Effect) {
	held := false // an effect that is no bolt's came before
	for _, e := range effects {
		switch e := e.(type) {
		case hub.Unlock:
			if held {
				h.t.broke(h, "S5", "an Unlock stands behind other effects")
			}
			o.judgeUnlock(h, in, e)
		case hub.Lock:
			if held {
				h.t.broke(h, "S5", "a Lock waits behind other effects")
			}
			o.lockAt = h.t.now
			if d := o.doorSays; d.ok && (d.is == lock.DoorOpen || d.is == lock.DoorAjar) && h.t.now-d.at < 2*time.Hour {
				h.t.broke(h, "S11", "Lock while the door is known to be open")
			}
			if o.smoke {
				h.t.broke(h, "S11", "Lock while smoke is reported")
			}
		case hub.Retract:
			o.retracts++
			if d := o.doorSays; !d.ok || d.is == lock.DoorClosed {
				h.t.broke(h, "S11", "Retract while the door is not known to be open")
			}
			if left := e.Order.NotAfter - h.mono(); left <= 0 || left > time.Second {
				h.t.broke(h, "S12", "a Retract that holds for %v", left)
			}
			if o.retracts > 1 {
				h.t.broke(h, "S11", "a second Retract in one visit")
			}
		case hub.Alarm:
			held = true
			if !e.Alarm.Notice {
				o.alarmAt, o.bad, o.alarmed = h.t.now, true, true
			}
		case hub.Show:
			held = true
		default:
			held = true
		}
	}
	if r, ok := in.(hub.Reported); ok && r.Report.Age >= 0 {
		o.judgeReport(h, r.Report, effects)
		o.lateEffect(h, r.Report, o.was, effects)
	}
}

func has[E hub.Effect](effects []hub.Effect) bool {
	return slices.ContainsFunc(effects, func(e hub.Effect) bool { _, ok := e.(E); return ok })
}

// judgeUnlock is S1 to S5 and S12 at the instant at which an Unlock leaves.
func (o *outside) judgeUnlock(h *home, in hub.Input, e hub.Unlock) {
	t, now, v := h.t, h.t.now, o.view
	t.tally.Opened++
	w, ok := in.(hub.Written)
	if !ok || w.Err != nil {
		t.broke(h, "S5", "an Unlock from %T, not from the disk's word", in)
	}
	visit := string(e.Order.Visit)
	if o.decisions[visit]--; o.decisions[visit] < 0 {
		t.broke(h, "S5", "an Unlock whose decision is not on the disk")
	}
	if left := e.Order.NotAfter - h.mono(); left <= 0 || left > time.Second {
		t.broke(h, "S12", "an Unlock that holds for %v", left)
	}
	// S1, by what was told.
	if o.liveFrom == 0 || now-o.liveFrom < 3*time.Second-time.Millisecond {
		t.broke(h, "S1", "an Unlock %v after the watch became live", now-o.liveFrom)
	}
	// S1, by the truth.
	for _, k := range h.eyes {
		if k.dark && now-k.last > k.a1+30*time.Millisecond {
			t.broke(h, "S1", "an Unlock while the newest picture is %v old", now-k.last)
		}
	}
	seen := false
	for _, k := range h.eyes {
		seen = seen || o.recorded[k.name]
	}
	if !seen {
		t.broke(h, "S1", "an Unlock while no picture is confirmed on disk")
	}
	if d := o.doorSays; !d.ok || d.is != lock.DoorClosed || now-d.at > 2*time.Hour+time.Second {
		t.broke(h, "S1", "an Unlock while the door is not reported closed")
	}
	if b := o.boltSays; !b.ok || b.is != lock.BoltThrown || now-b.at > 12*time.Second+10*time.Millisecond {
		t.broke(h, "S1", "an Unlock while the bolt's newest report is %v, %v old", b.is, now-b.at)
	}
	if !o.lockOK {
		t.broke(h, "S1", "an Unlock while the lock does not answer")
	}
	switch {
	case o.beatAt == 0 || now-o.beatAt > 5*time.Second+10*time.Millisecond:
		t.broke(h, "S1", "an Unlock %v after the service's newest answer", now-o.beatAt)
	case !o.beatOK:
		t.broke(h, "S1", "an Unlock while the service counts another block")
	case !slices.Contains(o.beatOf, visit):
		t.broke(h, "S1", "an Unlock in a visit that the service does not watch")
	}
	// S2
	c := h.visits.c
	if c == nil || v.GrantID == "" || !h.mayOpen(c, v.GrantID) {
		t.broke(h, "S2", "an Unlock for a grant that nobody at this door has now")
	}
	if o.revoked[v.GrantID] {
		t.broke(h, "S2", "an Unlock for a grant that was taken back")
	}
	nonce := o.freshNonce(h)
	if nonce == "" {
		t.broke(h, "S2", "an Unlock without the courier's fresh slide")
	}
	// S3
	u := o.uses[v.GrantID]
	if u == nil {
		u = &use{}
		o.uses[v.GrantID] = u
	}
	u.unlocks++
	switch {
	case u.unlocks > 2:
		t.broke(h, "S3", "a grant opens a third time")
	case u.unlocks == 2 && u.opened:
		t.broke(h, "S3", "a grant opens again although the door had opened")
	case u.unlocks == 2 && u.nonce == nonce:
		t.broke(h, "S3", "one slide opens twice")
	}
	u.nonce = nonce
	if nonce != "" {
		delete(o.slid, nonce)
	}
	// S4
	if o.blocked {
		t.broke(h, "S4", "an Unlock at a blocked door")
	}
	o.spent[v.GrantID], o.ordered, o.exposed, o.unlockAt, o.dark = true, visit, true, now, 0
}

// mayOpen says whether the service gave this grant for this door, and its window is now.
func (h *home) mayOpen(c *call, grant string) bool {
	return grant == c.delivery.Grant || h.outside.second[grant]
}

// freshNonce is a challenge of this hub, at most 30 s old (and a second for the disk), that the right courier signed.
func (o *outside) freshNonce(h *home) string {
	best, at := "", time.Duration(0)
	for n := range o.slid {
		if shown, ok := o.shownNonce[n]; ok && h.t.now-shown <= 31*time.Second+50*time.Millisecond && (shown > at || shown == at && n > best) {
			best, at = n, shown
		}
	}
	return best
}

// stale is the newest challenge of this hub that is too old to be answered, or "".
func (o *outside) stale(h *home) string {
	best, at := "", time.Duration(0)
	for n, shown := range o.shownNonce {
		if shown < h.t.now-31*time.Second && (shown > at || shown == at && n > best) {
			best, at = n, shown
		}
	}
	return best
}

// judgeReport is what must follow at once from a device's word.
func (o *outside) judgeReport(h *home, r lock.Report, effects []hub.Effect) {
	if r.What == lock.OfDoor && r.Door == lock.DoorClosed && o.view.Phase == interlock.Opened.String() && o.ordered == o.view.Visit && o.view.Visit != "" {
		if !has[hub.Lock](effects) && !o.smoke && !(o.boltSays.is == lock.BoltThrown) {
			h.t.broke(h, "S6", "the door closes, and no Lock follows at once")
		}
	}
	if p := o.before_.Phase; r.What == lock.OfDoor && (r.Door == lock.DoorOpen || r.Door == lock.DoorAjar) &&
		(p == interlock.Secured.String() || p == interlock.Tail.String()) && o.alarmAt != h.t.now && o.before_.Alarm == "" {
		h.t.broke(h, "S10", "a door that was secured is reported open, and nobody is alarmed")
	}
}

// judgeSecured is S9: by what was told, never by an acknowledgement; and the truth, where no device lies.
func (o *outside) judgeSecured(h *home) {
	now := h.t.now
	b, d := o.boltSays, o.doorSays
	switch {
	case !b.ok || b.is != lock.BoltThrown:
		h.t.broke(h, "S9", "secured, but the bolt's newest report is %v", b.is)
	case b.at < o.lockAt:
		h.t.broke(h, "S9", "secured by a report older than the newest Lock")
	case b.at < o.unlockAt:
		h.t.broke(h, "S9", "secured by a report older than the newest Unlock")
	case now-b.at > 12*time.Second+tickCalm:
		h.t.broke(h, "S12", "secured by a bolt report of %v ago", now-b.at)
	case !d.ok || d.is != lock.DoorClosed:
		h.t.broke(h, "S9", "secured, but the door's newest report is %v", d.is)
	case b.at < d.at-10*time.Millisecond && false:
		h.t.broke(h, "S9", "secured by a bolt report older than the door's")
	}
}

// judgeReleased is S19.
func (o *outside) judgeReleased(h *home, v bus.View) {
	if !v.Secured {
		h.t.broke(h, "S19", "released while not secured")
	}
	if o.outAt == 0 {
		h.t.broke(h, "S19", "released without a signed \"I am out\"")
	}
}

// judgeAge is S15: a view that says live does not make the picture younger than it is.
func (o *outside) judgeAge(h *home, v bus.View) {
	for _, e := range h.eyes {
		if e.dark && h.t.now-e.last > time.Second && time.Duration(v.AgeMs)*time.Millisecond < h.t.now-e.last-500*time.Millisecond {
			h.t.broke(h, "S15", "shown as live, %d ms old, with a newest picture of %v ago", v.AgeMs, h.t.now-e.last)
		}
	}
}

// bolt is called when the bolt has moved in truth.
func (o *outside) bolt(h *home) {}

// pass lets time go by: the truth about who is inside, unwatched and untold.
func (o *outside) pass(h *home, d time.Duration) {
	now := h.t.now
	kind := ""
	switch e := h.eyes[0]; {
	case !h.up:
		kind = "hub-off"
	case h.stalled:
		kind = "hub-stalled"
	case !e.sees(now):
		kind = e.blind.kind
		if kind == "" {
			kind = "late"
		}
	}
	switch {
	case kind != "dark":
		o.dark, o.stretch = 0, 0
	default:
		o.stretch += d
		if o.exposed {
			o.dark += d
			o.total += d
			o.blind = max(o.blind, o.dark)
		}
		if o.dark > slack && o.stretch > a2+2*slack && o.ordered == o.view.Visit && o.view.Visit != "" {
			o.reaches = o.ordered
		}
	}
	if kind == "" || !h.door.within && !h.door.thief {
		o.inside, o.kind = 0, ""
		return
	}
	if kind != o.kind {
		o.inside, o.kind = 0, kind
	}
	from := h.eyes[0].blind.from
	if kind == "hub-off" || kind == "hub-stalled" {
		from = o.heardAt // who was told that the hub is silent need not be told why
	}
	if o.toldAt > 0 && (o.toldAt >= from || o.toldAt > o.heardAt || h.visits.view.Alarm != "") {
		return
	}
	o.inside += d
	h.t.tally.Worst[kind] = max(h.t.tally.Worst[kind], o.inside)
}

// serviceTick is S14: the service's dead man's switch, from the service's side.
func (o *outside) serviceTick(h *home) {
	s := h.t.service
	if o.late || o.heardOf == 0 || o.heardBoot != s.boots || o.missedAt == o.heardAt || h.t.now-o.heardAt <= control.VisitSilence+2*serviceTick {
		return
	}
	if s.turned > 0 && h.t.now-s.turned < 10*time.Second || s.skew != 0 {
		return
	}
	for _, a := range must(s.s.Standing(bg)) {
		if a.Hub == h.side.hub && a.Reason == "hub-silent" {
			o.missedAt, o.toldAt, o.bad = o.heardAt, h.t.now, true
			return
		}
	}
	if o.ackAt > o.heardAt+control.VisitSilence {
		o.missedAt, o.toldAt, o.bad = o.heardAt, o.ackAt, true // it was told, and somebody has seen it already
		return
	}
	h.t.broke(h, "S14", "the hub was last heard %v ago in a visit, and nobody is alarmed", h.t.now-o.heardAt)
}

// quiet says whether nothing of the visit is on its way any more.
func (o *outside) quiet(h *home) bool {
	return o.view.Phase == interlock.Idle.String() && len(h.post.alarms) == 0 && h.post.cursor >= uint64(len(h.disk.entries))
}

// judgeEnd holds the end of a visit, as written, to what was seen of it (S7).
func (o *outside) judgeEnd(h *home, e ledger.Entry) {
	var k ledger.VisitData
	_ = decodeJSON(e.Data, &k)
	switch k.Outcome {
	case "done":
		h.t.tally.Done++
	case "incident":
		h.t.tally.Incidents++
	default:
		h.t.tally.NotGiven++
	}
	if e.Visit != o.ordered {
		return
	}
	o.exposed = false
	if o.blind > a2+200*time.Millisecond && k.Outcome != "incident" {
		h.t.broke(h, "S7", "nobody could see for %v while the door was not secured, and the visit ends as %q", o.blind, k.Outcome)
	}
	if o.reaches == e.Visit && k.Outcome != "incident" {
		h.t.broke(h, "S7", "pictures stopped before the door was secured, for longer than A2, and the visit ends as %q", k.Outcome)
	}
	if o.blind > a2+200*time.Millisecond && !o.wentOff && !o.diskBad && k.GapSeconds < o.blind.Seconds()-0.25 {
		h.t.broke(h, "S7", "nobody could see for %v while the door was not secured, and %.1f s are on record", o.blind, k.GapSeconds)
	}
}

// ends is the end of a call: S8, S16, S18.
func (o *outside) ends(h *home, c *call) {
	calm := len(c.plan.Moves) == 0 && c.plan.Courier == Honest && c.plan.Resident == Honest && !h.plan.Rough
	if calm && !o.wentOff && (h.t.service.turned == 0 || h.t.service.turned < c.began) && h.t.service.skew == 0 {
		i := 0
		if h.plan.Wired {
			i = 1
		}
		h.t.tally.Honest[i]++
		if o.bad {
			h.t.tally.False[i]++
			h.t.tell(h, "town", "counts a false alarm in an honest visit")
		}
	}
	if o.unlockAt >= c.began && h.up && o.view.Alarm == "" && o.view.Phase == interlock.Idle.String() && h.door.canOpen() && !o.alarmed && !o.back && c.plan.Resident == Honest {
		h.t.broke(h, "S8", "the visit is over, the door can be opened, and nobody was ever alarmed")
	}
}

// end judges the record as a stranger does (T19), and that no alarm on it was lost (S16).
func (o *outside) end(h *home) {
	key := must(ledger.ParseKey(must(ledger.KeyText("eyebolt/"+h.side.hub, h.side.key.Public().(ed25519.PublicKey)))))
	r, err := proof.Check(bg, proof.Input{Source: &h.disk, Key: key, Held: h.disk.newest()})
	switch {
	case err != nil:
		h.t.broke(h, "T19", "the record could not be checked: %v", err)
	case !r.OK && !o.back:
		h.t.broke(h, "T19", "the record of an honest disk does not hold: %v", r.First)
	case r.OK && o.back && o.lostHeld(h):
		h.t.broke(h, "T29", "a record that was put back is called whole")
	}
	if o.back {
		return
	}
	for _, e := range h.disk.entries {
		var k struct {
			Alarm bus.Alarm `json:"alarm"`
		}
		if e.Kind == ledger.KindCommand && e.Word == interlock.DoAlarm.String() && decodeJSON(e.Data, &k) == nil && k.Alarm.ID != "" && !o.toldIDs[k.Alarm.ID] {
			h.t.broke(h, "S16", "an alarm on record never reached the service: %s", k.Alarm.Reason)
		}
	}
}

// lostHeld says whether the service holds more of the record than the disk.
func (o *outside) lostHeld(h *home) bool { return o.cut < o.most }

// logRefused is what the service says of a record that does not go on from what it holds: right after a disk was put back, wrong ever
// else (T23, T29).
func (o *outside) logRefused(h *home, err error) {
	if !o.back {
		h.t.broke(h, "T19", "the service refuses an honest hub's record: %v", err)
	}
}

func decodeJSON(b []byte, v any) error { return json.Unmarshal(b, v) }
