package hub

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"eyebolt/bus"
	"eyebolt/grant"
	"eyebolt/interlock"
	"eyebolt/ledger"
	"eyebolt/lock"
)

// Core is one home's decisions. It is owned by one goroutine.
type Core struct {
	cfg   Config
	clock clock
	mem   memory
	asks  asks
	doors []*door
	index map[string]*door

	pairing   *grant.Pairing
	booted    bool
	dones     uint64             // the newest Done number
	waits     map[uint64]waiting // by Done number
	visits    []string           // what Beats said last
	ration    ration             // of entries that belong to no door
	airRation ration             // of signs on the air that do
	air       air                // what was noticed on the air in the whole home
	noted     uint64             // ledger entries that the newest "checkpoint" entry told of
	beat      uint64             // number of the newest beat that was answered
	found     uint64             // entries of the record that this start has found
	heard     bool               // the service has answered since
	since     time.Duration      // boot
	due       time.Duration      // when the next tick is

	// Of the input that is being taken:
	at      At
	first   []Effect // what touches a bolt
	rest    []Effect
	entries []ledger.Entry
	wait    waiting // what waits for entries
}

// waiting is what is done once a batch of entries is durable.
type waiting struct {
	decisions []decision
	answers   []answerLater
	releases  []release // of which a courier may be told once they are durable
}

type decision struct {
	door  *door
	visit string
	n     uint32
}

type release struct {
	door  *door
	visit *visit
}

type answerLater struct {
	ask   *asked
	reply bus.AskReply
	out   *visit // whose courier's "I am out" this answers; nil: it answers something else
}

func (w waiting) empty() bool { return len(w.decisions)+len(w.answers)+len(w.releases) == 0 }

// maxWaits bounds the batches that wait for a disk. A disk that is this far behind has failed: then asks that need it are
// refused until it has caught up. Decisions are not counted: a door has one at a time.
const maxWaits = 4096

// New gives a core that knows nothing. Feed it the whole ledger with Replay, then take Boot.
func New(cfg Config) (*Core, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	c := &Core{cfg: cfg, index: map[string]*door{}, waits: map[uint64]waiting{}, ration: newRation(rationMax, rationEvery), airRation: newRation(slowMax, slowEvery)}
	c.mem.init()
	for _, dc := range cfg.Doors {
		d := newDoor(dc)
		c.doors = append(c.doors, d)
		c.index[dc.Name] = d
	}
	return c, nil
}

// Take is the whole of the core: what happened, and what to do. Mono never goes back; an earlier one counts as the newest
// heard of. Before Boot only Boot is taken.
func (c *Core) Take(at At, in Input) []Effect {
	at.Mono = max(at.Mono, c.at.Mono)
	c.at = at
	c.first, c.rest, c.entries, c.wait = nil, nil, nil, waiting{}
	if _, boot := in.(Boot); boot == c.booted {
		starting := bus.AskReply{Reason: interlock.NotConfigured.String(), Sentence: "The hub is starting. Try again in a moment."}
		switch a := in.(type) {
		case Asked:
			c.answer(a.Ref, starting)
		case Pressed:
			c.answer(a.Ref, starting)
		}
		return c.rest
	}
	_, tick := in.(Tick)
	_, report := in.(Reported)
	late := c.booted && !tick && at.Mono-c.due > lateAfter
	if late && !report {
		c.late() // whatever waited while the clockwork stood still is not judged by what was seen before (S6)
	}
	switch in := in.(type) {
	case Boot:
		c.boot()
	case Tick:
		c.tick(in)
	case Seen:
		c.seen(in)
	case Sign:
		c.noticed(in)
	case Linked:
		c.linked(in)
	case Relearned:
		c.relearned(in)
	case Recorded:
		c.recorded(in)
	case Filed:
		c.filed(in)
	case Removed:
		c.removed(in)
	case Reported:
		c.reported(in)
	case Carried:
		c.carried(in)
	case Written:
		c.written(in)
	case Answered:
		c.answered(in)
	case Silence:
		c.silence()
	case Asked:
		c.asked(in)
	case Pressed:
		c.pressed(in)
	case Told:
		c.told(in)
	case Shipped:
		c.shipped(in)
	}
	if late && report {
		c.late() // what it tells comes first: no bolt is thrown at a door that is just being told to be open (S11)
	}
	c.settle()
	out := c.effects()
	c.plan(tick, len(out) > 0)
	return out
}

// effects is the list to carry out: bolts, then the record, then everything else.
func (c *Core) effects() []Effect {
	if len(c.first)+len(c.entries)+len(c.rest) == 0 && c.wait.empty() {
		return nil
	}
	out := make([]Effect, 0, len(c.first)+1+len(c.rest))
	out = append(out, c.first...)
	if len(c.entries) > 0 || !c.wait.empty() {
		a := Append{Entries: c.entries}
		c.mem.size += uint64(len(c.entries))
		if !c.wait.empty() {
			c.dones++
			a.Done = c.dones
			c.waits[a.Done] = c.wait
		}
		out = append(out, a)
	}
	return append(out, c.rest...)
}

// settle shows what changed and tells how often the service is to be asked.
func (c *Core) settle() {
	n, same := 0, true
	for _, d := range c.doors {
		c.show(d)
		if d.going() {
			same = same && n < len(c.visits) && c.visits[n] == d.visit.id
			n++
		}
	}
	if same && n == len(c.visits) {
		return
	}
	visits := make([]string, 0, n)
	for _, d := range c.doors {
		if d.going() {
			visits = append(visits, d.visit.id)
		}
	}
	begins := len(visits) > len(c.visits)
	c.visits = visits
	c.rest = append(c.rest, Beats{Visits: slices.Clone(visits)})
	if begins {
		c.rest = append(c.rest, BeatNow{})
	}
}

// going says whether there is a visit.
func (d *door) going() bool { return d.state.Visit() && d.visit != nil }

// boot begins. Nothing that was going on before is resumed (S12): an unfinished visit makes the door unproven.
func (c *Core) boot() {
	c.booted, c.since, c.due = true, c.at.Mono, c.at.Mono+tickSoon
	c.found = c.mem.size
	c.write(nil, ledger.KindBoot, "boot", interlock.NoReason, bootData{Hub: c.cfg.ID, Epoch: c.cfg.Epoch})
	for _, d := range c.doors {
		d.mono = c.at.Mono
		c.noteWalk(d)
		c.resume(d)
	}
	for _, a := range c.mem.untold {
		c.rest = append(c.rest, Alarm{Alarm: a})
	}
	if len(c.mem.residents) == 0 || c.cfg.AddResident {
		c.newPairing()
	}
	c.rest = append(c.rest, BeatNow{})
}

// step gives one fact to a door and carries out what follows.
func (c *Core) step(d *door, f interlock.Fact) {
	f.Dt = d.passed(c.at.Mono)
	d.said = nil
	state, commands := interlock.Step(d.state, f)
	was := d.state.Phase()
	d.state = state
	for _, k := range commands {
		c.do(d, k)
	}
	c.account(d, was)
}

// passed is the time since the door's last fact in whole milliseconds; what is left over is kept for the next.
func (d *door) passed(now time.Duration) interlock.Millis {
	ms := (now - d.mono) / time.Millisecond
	if ms <= 0 {
		return 0
	}
	d.mono += ms * time.Millisecond
	return interlock.Millis(min(int64(ms), 1<<32-1))
}

// written is the only way to an Unlock: the decision is durable, and everything is checked again (S5).
func (c *Core) written(in Written) {
	w, ok := c.waits[in.Done]
	if !ok {
		return
	}
	delete(c.waits, in.Done)
	for _, k := range w.decisions {
		if v := k.door.visit; v == nil || v.id != k.visit {
			continue // its visit is over
		}
		f := interlock.Fact{Kind: interlock.Durable, N: k.n}
		if in.Err != nil {
			f = interlock.Fact{Kind: interlock.WriteFailed, N: k.n}
		} else if why := c.stillGranted(k); why != interlock.NoReason {
			f = interlock.Fact{Kind: interlock.Cannot, Reason: why} // ends a visit that has not unlocked, with its reason
		}
		c.step(k.door, f)
	}
	for _, r := range w.releases {
		// A slow disk says it when the door may be proven no longer: then it is asked again, once it is (S19, S9).
		r.visit.freed = r.visit.freed || in.Err == nil && r.door.visit == r.visit && r.door.state.Secured()
	}
	for _, a := range w.answers {
		if in.Err != nil {
			a.reply = refusal(interlock.LedgerFailed)
			if a.out != nil {
				a.out.outDone = false // his phone shows it again
			}
		}
		c.answerAll(a.ask, a.reply)
	}
}

// stillGranted checks the grant once more for a decision that is on disk now (S2).
func (c *Core) stillGranted(k decision) interlock.Reason {
	return grant.Reason(c.check(k.door, k.door.visit))
}

// carried takes a driver's word on an order that provably did nothing.
func (c *Core) carried(in Carried) {
	d := c.index[in.Door]
	if d == nil {
		return
	}
	if in.Do == "unlock" && (errors.Is(in.Err, lock.ErrNotSent) || errors.Is(in.Err, lock.ErrTooLate)) {
		c.write(d, ledger.KindCommand, "not-sent", interlock.LockOffline, nil)
		c.step(d, interlock.Fact{Kind: interlock.NotSent, N: in.N, Reason: interlock.LockOffline})
		return
	}
	if in.Err != nil && (in.Do == "unlock" || in.Do == "lock" || in.Do == "retract") && d.ration.allow(c.at.Mono) {
		c.write(d, ledger.KindCommand, in.Do+"-error", interlock.NoReason, textData{Text: clip(plain(in.Err.Error()), 300)})
	}
}

// order makes the permission to move a bolt once, for at most one second (S12).
func (c *Core) order(d *door) lock.Order {
	id := ""
	if d.visit != nil {
		id = d.visit.id
	}
	return lock.Order{Visit: lock.VisitID(id), NotAfter: c.at.Mono + time.Second}
}

// write adds an entry to the record: about a door's present visit, or about the whole hub.
func (c *Core) write(d *door, kind ledger.Kind, what string, why interlock.Reason, data any) {
	visit := ""
	if d != nil && d.visit != nil {
		visit = d.visit.id
	}
	c.writeFor(d, visit, kind, what, why, data)
}

// writeFor adds an entry about a visit that may be over.
func (c *Core) writeFor(d *door, visit string, kind ledger.Kind, what string, why interlock.Reason, data any) {
	e := ledger.Entry{Time: c.clock.now(c.at), Mono: c.at.Mono.Microseconds(), Visit: visit, Kind: kind, Word: what}
	if why != interlock.NoReason {
		e.Reason = why.String()
	}
	if d != nil {
		e.Door = d.cfg.Name
	}
	if data != nil {
		e.Data = encode(data)
	}
	c.entries = append(c.entries, e)
}

// random fills a new slice; a source that fails gives an error that says so, and whoever needed it refuses.
func (c *Core) random(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(c.cfg.Random, b); err != nil {
		return nil, fmt.Errorf("no randomness, so nothing opens: %w", err)
	}
	return b, nil
}
