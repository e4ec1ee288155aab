package hub

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/grant"
	"eyebolt/grant/granttest"
	"eyebolt/hub/walk"
	"eyebolt/hub/walk/walktest"
	"eyebolt/ledger"
	"eyebolt/liveness"
	"eyebolt/lock"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// home is a core with a house around it, in logical time: a door with a physical truth, cameras, a disk and a service.
type home struct {
	*testing.T
	who  *granttest.Home
	c    *Core
	mono time.Duration

	// The truth.
	thrown, open bool
	deaf         bool // the lock does nothing
	mute         bool // no verdicts are told
	lying        bool // the sensor tells anything
	sleepy       bool // its clock goes when Core.Due says, and not every 20 ms
	ticks        int
	away         time.Duration
	wrong        time.Duration // the machine's own clock
	cams         map[string]*cam
	disk         []ledger.Entry
	stuck        bool // the disk takes its time
	broken       bool // the disk fails
	waits        []Append
	owed         Owed // what the disk refused
	owedAt       time.Duration
	silent       bool // the service does not answer
	blocks       map[string]uint64
	skew         time.Duration // of the service's clock
	cursor       uint64        // entries that the service holds
	plug         bool          // the lock answers
	unwalked     bool          // nobody has walked the door

	wire    []string // what reached the lock, and "durable"
	log     []string // every effect's kind, in order
	alarms  []bus.Alarm
	view    bus.View
	answers map[uint64]bus.AskReply
	code    string
	records []string
	ref     uint64
	later   []event
	beat    time.Duration
	seq     uint64          // of beats
	named   []string        // the visits that beats name
	ordered map[uint64]bool // Done numbers that an Unlock followed, since boot
}

// walk is what the walk test proved of this home's door, walked by a person who exists no more than the home does.
func (h *home) walk(cams []string) Walk {
	if h.unwalked {
		return Walk{}
	}
	c := walktest.Certificate(h.who.Door, "this home", cams...)
	standing, say := c.Worth(h.who.Door, "this home")
	return Walk{Passed: standing == walk.Holds, Made: c.Made, Say: say, Sum: "00"}
}

type cam struct {
	verdict liveness.Verdict
	blind   bool
	mute    bool          // a detector that is needed has no word: its pictures come, and it lags
	last    time.Duration // own time of the newest picture
	gapFrom time.Duration
	gapTo   time.Duration
}

type event struct {
	at time.Duration
	do func()
}

func newHome(t *testing.T, cams ...string) *home {
	t.Helper()
	if len(cams) == 0 {
		cams = []string{"hall"}
	}
	h := &home{T: t, who: granttest.New("a", noon), thrown: true, plug: true, blocks: map[string]uint64{}, answers: map[uint64]bus.AskReply{}, cams: map[string]*cam{}}
	h.blocks[h.who.Door] = 0
	for _, c := range cams {
		h.cams[c] = &cam{}
	}
	h.boot(cams, 1)
	return h
}

// boot starts a new core on the disk as it is, as after a power cut.
func (h *home) boot(cams []string, seed uint64) {
	h.Helper()
	cfg := Config{ID: h.who.Hub, RP: h.who.RP, Epoch: h.who.Epoch, Random: rand.NewChaCha8([32]byte{byte(seed)}), Doors: []Door{{Name: h.who.Door, Cameras: cams, Walk: h.walk(cams)}}}
	c, err := New(cfg)
	if err != nil {
		h.Fatal(err)
	}
	for _, e := range h.disk {
		c.Replay(e)
	}
	h.c, h.later, h.waits, h.stuck, h.broken, h.ordered, h.named, h.owed = c, nil, nil, false, false, map[uint64]bool{}, nil, Owed{}
	h.away += h.mono
	h.mono = 0
	h.beat = 0
	for _, k := range h.cams {
		*k = cam{blind: k.blind}
	}
	h.in(Boot{})
	if h.plug {
		h.in(Reported{Door: h.who.Door, Report: lock.Report{What: lock.OfHealth, OK: true, At: h.mono}})
	}
	h.reportDoor()
	h.reportBolt(lock.ByUnknown)
}

func (h *home) at() At { return At{Mono: h.mono, Wall: noon.Add(h.away + h.mono + h.wrong)} }

func (h *home) in(in Input) {
	h.Helper()
	touched := false // an effect that is not a bolt's has been seen
	for _, e := range h.c.Take(h.at(), in) {
		h.log = append(h.log, strings.TrimPrefix(fmt.Sprintf("%T", e), "hub."))
		if _, ok := e.(Unlock); ok {
			if w, ok := in.(Written); !ok || w.Err != nil || h.ordered[w.Done] {
				h.Errorf("S5: an Unlock from %#v", in)
			} else {
				h.ordered[w.Done] = true
			}
		}
		switch e.(type) {
		case Lock, Unlock, Retract:
			if touched {
				h.Errorf("S5: %T behind another effect: a bolt waits for nothing", e)
			}
		default:
			touched = true
		}
		h.carry(e)
	}
}

func (h *home) carry(e Effect) {
	switch e := e.(type) {
	case Lock:
		h.wire = append(h.wire, "lock")
		if h.open && !h.lying {
			h.Error("S11: Lock while the door is open")
		}
		h.after(300*time.Millisecond, func() {
			if !h.deaf && !h.open {
				h.thrown = true
			}
			h.reportBolt(lock.ByRemote)
		})
	case Unlock:
		h.wire = append(h.wire, "unlock")
		if got := e.Order.NotAfter - h.mono; got <= 0 || got > time.Second {
			h.Errorf("S12: an order for %v, want at most 1 s", got)
		}
		h.after(300*time.Millisecond, func() {
			if !h.deaf {
				h.thrown = false
				h.reportBolt(lock.ByRemote)
			}
		})
	case Retract:
		h.wire = append(h.wire, "retract")
	case Poll:
		h.after(50*time.Millisecond, func() { h.reportBolt(lock.ByRemote) })
	case Append:
		again := h.owed.Take()
		if h.broken {
			h.owed.Put(errors.New("disk full"), again, e.Entries)
			h.owedAt = h.mono + time.Second
			h.after(time.Millisecond, func() { h.in(Written{Done: e.Done, Err: errors.New("disk full")}) })
			return
		}
		e.Entries = slices.Concat(again, e.Entries)
		h.waits = append(h.waits, e)
		if !h.stuck {
			h.after(2*time.Millisecond, func() {
				if !h.stuck {
					h.flush()
				}
			})
		}
	case Record:
		h.records = append(h.records, "record "+e.Camera)
		h.after(500*time.Millisecond, func() {
			h.in(Recorded{Door: e.Door, Camera: e.Camera, Visit: e.Visit, OK: !h.cams[e.Camera].blind})
		})
	case Keep:
		h.records = append(h.records, "keep "+e.Camera)
	case Beats:
		h.named = e.Visits
	case BeatNow:
		h.beat = h.mono
	case Show:
		h.view = e.View
	case Alarm:
		h.alarms = append(h.alarms, e.Alarm)
	case Answer:
		h.answers[e.Ref] = e.Reply
	case Pairing:
		h.code = e.Code
	}
}

// flush makes everything durable that waits, in order.
func (h *home) flush() {
	waits := h.waits
	h.waits = nil
	for _, a := range waits {
		for _, e := range a.Entries {
			e.Index = uint64(len(h.disk))
			if err := e.Check(); err != nil {
				h.Errorf("entry %q: %v", e.Word, err)
			}
			h.disk = append(h.disk, e)
			if e.Kind == ledger.KindDecision {
				h.wire = append(h.wire, "durable")
			}
		}
	}
	for _, a := range waits {
		if a.Done != 0 {
			h.in(Written{Done: a.Done})
		}
	}
}

func (h *home) after(d time.Duration, do func()) { h.later = append(h.later, event{h.mono + d, do}) }

func (h *home) reportBolt(by lock.By) {
	b := lock.BoltDrawn
	if h.thrown {
		b = lock.BoltThrown
	}
	if h.plug {
		h.in(Reported{Door: h.who.Door, Report: lock.Report{What: lock.OfBolt, Bolt: b, By: by, At: h.mono}})
	}
}

func (h *home) reportDoor() {
	d := lock.DoorClosed
	if h.open {
		d = lock.DoorOpen
	}
	h.in(Reported{Door: h.who.Door, Report: lock.Report{What: lock.OfDoor, Door: d, At: h.mono}})
}

// run lets d pass in ticks of 20 ms: cameras see, the service answers, the disk writes.
func (h *home) run(d time.Duration) {
	h.Helper()
	for end := h.mono + d; h.mono < end; {
		h.mono += 20 * time.Millisecond
		for {
			i := slices.IndexFunc(h.later, func(e event) bool { return e.at <= h.mono })
			if i < 0 {
				break
			}
			do := h.later[i].do
			h.later = slices.Delete(h.later, i, i+1)
			do()
		}
		if !h.mute {
			h.see()
		}
		if h.mono >= h.beat && !h.silent {
			h.beat = h.mono + 500*time.Millisecond
			reply := bus.BeatReply{Blocks: h.blocks, Time: noon.Add(h.away + h.mono + h.skew), Cursor: h.cursor}
			h.seq++
			h.in(Answered{Seq: h.seq, Visits: h.named, Sent: h.mono - 10*time.Millisecond, Trip: 10 * time.Millisecond, Size: uint64(len(h.disk)), Reply: reply})
		}
		if h.owed.Owes() && h.mono >= h.owedAt {
			h.carry(Append{})
		}
		if !h.sleepy || h.mono >= h.c.Due() {
			h.ticks++
			h.in(Tick{})
		}
	}
}

// see judges every camera as package liveness would: lagging past 500 ms, lost past 1.5 s.
func (h *home) see() {
	for _, name := range h.c.cfg.Doors[0].Cameras {
		k := h.cams[name]
		v := liveness.Verdict{State: k.verdict.State, Pictures: uint64(h.mono / (66 * time.Millisecond))}
		if !k.blind {
			if k.verdict.State == liveness.Lost {
				k.gapTo = h.mono
			}
			k.last = h.mono
		}
		v.Age = h.mono - k.last
		switch {
		case v.Age <= 500*time.Millisecond && (k.last > 0):
			v.State = liveness.Live
		case v.Age > 1500*time.Millisecond && k.last > 0:
			if v.State != liveness.Lost {
				k.gapFrom = k.last
			}
			v.State = liveness.Lost
		case k.last > 0 && v.State == liveness.Live:
			v.State = liveness.Lagging
		}
		if k.mute && v.State == liveness.Live {
			v.State = liveness.Lagging
		}
		v.GapFrom, v.GapTo = k.gapFrom, k.gapTo
		if v.State == liveness.Lost {
			v.GapTo = h.mono
		}
		if v.State != k.verdict.State || h.mono%(240*time.Millisecond) == 0 {
			h.in(Seen{Door: h.who.Door, Camera: name, At: h.mono, Verdict: v})
		}
		k.verdict = v
	}
}

// ask asks and gives the answer, letting time pass until there is one.
func (h *home) ask(a bus.Ask) bus.AskReply {
	h.Helper()
	h.ref++
	ref := h.ref
	if a.ID == "" {
		a.ID = fmt.Sprintf("ask-%d", ref)
	}
	if a.Door == "" && a.What != bus.AskPair && a.What != bus.AskGrant && a.What != bus.AskConsent {
		a.Door = h.who.Door
	}
	if a.What == bus.AskAck && a.Alarms == nil {
		a.Alarms = []string{h.view.AlarmID}
	}
	h.in(Asked{Ref: ref, Ask: a})
	for range 100 {
		if r, ok := h.answers[ref]; ok {
			return r
		}
		h.run(20 * time.Millisecond)
	}
	h.Fatalf("ask %q was never answered", a.What)
	return bus.AskReply{}
}

func (h *home) must(a bus.Ask) bus.AskReply {
	h.Helper()
	r := h.ask(a)
	if !r.OK {
		h.Fatalf("ask %q: %+v", a.What, r)
	}
	return r
}

// pair ties the resident's passkey to the hub by the code that it showed.
func (h *home) pair() {
	h.Helper()
	b, err := h.pairing().Encode()
	if err != nil {
		h.Fatal(err)
	}
	h.must(bus.Ask{What: bus.AskPair, Pairing: b})
}

func (h *home) pairing() grant.PairingRequest {
	k := h.who.Resident.Public
	return grant.PairingRequest{Household: h.who.Name, Passkey: k, Proof: grant.PairingProof(h.code, k, h.who.Name, h.who.Hub)}
}

// ready is a paired home whose courier is at the door and may slide.
func ready(t *testing.T, cams ...string) *home {
	t.Helper()
	h := newHome(t, cams...)
	h.prepare()
	h.must(bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"})
	h.until("ready")
	return h
}

func (h *home) prepare() {
	h.Helper()
	h.run(4 * time.Second)
	h.pair()
	h.must(bus.Ask{What: bus.AskGrant, Grant: h.who.Bytes()})
}

func (h *home) until(phase string) {
	h.Helper()
	for range 20_000 {
		if h.view.Phase == phase {
			return
		}
		h.run(20 * time.Millisecond)
	}
	h.Fatalf("never %s, but %s (%s); wire %v", phase, h.view.Phase, h.view.Reason, h.wire)
}

func (h *home) slide() bus.AskReply {
	h.Helper()
	return h.ask(bus.Ask{What: bus.AskSlide, Visit: h.view.Visit, Assertion: h.who.Courier.Sign(h.view.Nonce)})
}

func (h *home) move(open bool) {
	h.open = open
	h.reportDoor()
}

// through is the courier going in and out; the door is closed again behind him.
func (h *home) through() {
	h.Helper()
	h.until("unlocked")
	h.run(time.Second)
	h.move(true)
	h.until("open")
	h.run(5 * time.Second)
	h.move(false)
}

func (h *home) out() bus.AskReply {
	h.Helper()
	return h.ask(bus.Ask{What: bus.AskOut, Visit: h.view.Visit, Assertion: h.who.Courier.Sign(h.view.OutNonce)})
}

func (h *home) count(what string) (n int) {
	for _, w := range h.wire {
		if w == what {
			n++
		}
	}
	return n
}

// words is the record as "kind word reason", for those who read it.
func (h *home) words(kinds ...ledger.Kind) (out []string) {
	for _, e := range h.disk {
		if len(kinds) == 0 || slices.Contains(kinds, e.Kind) {
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Kind, e.Word, e.Reason)))
		}
	}
	return out
}

func (h *home) wrote(line string) bool { return slices.Contains(h.words(), line) }
