package hub

import (
	"slices"
	"time"

	"eyebolt/bus"
	"eyebolt/grant"
	"eyebolt/interlock"
	"eyebolt/liveness"
)

// face is what of a door a person can see, beside its cameras. Two equal faces need no new view.
type face struct {
	phase              interlock.Phase
	why                interlock.Reason
	watch              interlock.Watch
	bolt               interlock.Bolt
	door               interlock.Door
	secured, blocked   bool
	released, leave    bool
	home               bool
	alarm, incident    interlock.Reason
	checks             [interlock.NChecks]interlock.Check
	visit              string
	n                  uint32
	out                bool
	held               [len(conditions)]bool
	blocks             uint64
	battery, incidents int
	gaps               int
	cause              string
	set                bool
}

// camFace is what of a camera a person can see.
type camFace struct {
	watch   interlock.Watch
	grade   liveness.Grade
	refused bool
}

// look is the door's face now.
func (f *face) look(d *door) {
	s := &d.state
	f.phase, f.why, f.watch, f.bolt, f.door, f.secured, f.blocked = s.Phase(), s.Why(), d.watch, d.shownBolt(), s.Door(), s.Secured(), s.Blocked()
	f.released, f.leave, f.home, f.alarm, f.incident, f.held, f.blocks = d.freed(), s.Leave(), d.home, s.Alarm(), s.Incident(), d.held, d.blocks
	f.battery, f.incidents, f.cause, f.set = d.battery, len(d.incidents), d.cause.Text, true
	if v := d.visit; v != nil {
		f.visit, f.n, f.out, f.gaps, f.checks = v.id, v.n, v.out != nil && !v.outDone, len(v.gaps), s.Checks()
	} else {
		f.visit, f.n, f.out, f.gaps, f.checks = "", 0, false, 0, [interlock.NChecks]interlock.Check{}
	}
}

// shownBolt is the interlock's in a visit, where the lock is polled. Outside, a lock that answers tells changes by itself,
// and what it last said is shown; it never counts as secured for that (S9).
func (d *door) shownBolt() interlock.Bolt {
	if d.state.Visit() || !d.healthy {
		return d.state.Bolt()
	}
	return d.bolt
}

// show gives a new view if anything that a person sees has changed.
func (c *Core) show(d *door) {
	if !c.booted {
		return
	}
	d.looks.look(d)
	same := d.looks == d.shown
	for i := range d.sights {
		s := &d.sights[i]
		if f := (camFace{word(s.verdict.State), s.link.Grade, s.link.Refused}); f != s.shown {
			s.shown, same = f, false
		}
	}
	if same {
		return
	}
	d.shown = d.looks
	c.rest = append(c.rest, Show{View: c.view(d)})
}

// View is a door's view now; a runner asks for it at least every 5 s. The zero View is of a door that there is not.
func (c *Core) View(at At, name string) bus.View {
	d := c.index[name]
	if d == nil {
		return bus.View{}
	}
	at.Mono = max(at.Mono, c.at.Mono)
	c.at = at
	return c.view(d)
}

func (c *Core) view(d *door) bus.View {
	s := &d.state
	d.seq++
	why, now := s.Why(), c.clock.now(c.at)
	w := bus.View{
		Hub: c.cfg.ID, Door: d.cfg.Name, Seq: d.seq, At: now, Phase: s.Phase().String(), Watch: d.watch.String(),
		AgeMs: c.age(d).Milliseconds(), Bolt: d.shownBolt().String(), DoorIs: s.Door().String(), Secured: s.Secured(), PossiblyOpen: s.PossiblyOpen(),
		Blocked: s.Blocked(), BlockCount: d.blocks, Home: d.home, Holds: d.holds(), Battery: d.battery, Released: d.freed(), Leave: s.Leave(),
		Checks: []bus.Check{}, Incidents: slices.Clone(d.incidents), Cameras: d.cameras(c.at.Mono),
		Unready: d.lacking(c.at.Mono, now), Walk: &bus.Walk{Passed: d.cfg.Walk.Passed, Made: d.cfg.Walk.Made, Say: d.cfg.Walk.Say},
	}
	if why != interlock.NoReason {
		w.Reason, w.Sentence = why.String(), why.Sentence()
	}
	if a := s.Alarm(); a != interlock.NoReason {
		w.Alarm, w.AlarmText, w.AlarmID = a.String(), d.toResident(a), d.alarm.ID
	}
	if left := s.Left(); left > 0 {
		until := w.At.Add(time.Duration(left) * time.Millisecond)
		w.Until = &until
	}
	v := d.visit
	if in := d.last; in.visit != "" {
		open := v != nil && v.id == in.visit || slices.ContainsFunc(d.incidents, func(o bus.Incident) bool { return o.Visit == in.visit })
		w.LastIncident = &bus.LastIncident{Visit: in.visit, At: in.at, Reason: in.why, Text: d.toResident(reasonOf(in.why)), Total: in.total, Open: open}
	}
	if v == nil {
		return w
	}
	w.Visit, w.GrantID, w.Courier = v.id, v.grantID, v.grant.Courier.Name
	if s.Phase() <= interlock.Deciding {
		w.Checks = c.checks(d, v)
	}
	if _, ready := s.Nonce(); ready && v.nonce != nil {
		w.Nonce = grant.SlideChallenge(d.cfg.Name, v.id, v.nonce)
	}
	if v.out != nil && !v.outDone {
		w.OutNonce = grant.OutChallenge(d.cfg.Name, v.id, v.out)
	}
	if v.incident != interlock.NoReason {
		gaps, total := c.unwatched(d)
		w.Incidents = append(w.Incidents, bus.Incident{Visit: v.id, Reason: v.incident.String(), Text: d.toResident(v.incident), Gaps: gaps, Total: total})
	}
	return w
}

// age is the youngest evidence of any camera of the door.
func (c *Core) age(d *door) time.Duration {
	own, ok := newest(d.sights)
	if !ok {
		return -time.Millisecond
	}
	return max(0, c.at.Mono-own)
}

// checks is the courier's list at the door: the grant's checks and the house's, merged by name, in a fixed order.
func (c *Core) checks(d *door, v *visit) []bus.Check {
	house := d.state.Checks()
	list := []bus.Check{}
	add := func(name string, reasons ...interlock.Reason) {
		k := bus.Check{Name: name, OK: true}
		for _, r := range reasons {
			if r != interlock.NoReason {
				k = bus.Check{Name: name, Reason: r.String(), Sentence: r.Sentence()}
				break
			}
		}
		list = append(list, k)
	}
	of := func(n interlock.CheckName) interlock.Reason { return house[n].Reason }
	result := func(name string) interlock.Reason {
		for _, r := range v.results {
			if r.Name == name {
				return r.Reason
			}
		}
		return interlock.NoConsent
	}
	add("grant", result(grant.CheckGrant), of(interlock.CheckGrant))
	add("screening", result(grant.CheckScreening))
	add("place", result(grant.CheckPlace))
	add("parcel", result(grant.CheckParcel))
	add("window", result(grant.CheckWindow))
	add("clock", of(interlock.CheckClock))
	// What holds the door is the household's, unless it is the camera's link, or the lock that nobody has proven.
	household, watch := of(interlock.CheckHousehold), of(interlock.CheckWatch)
	if household == interlock.LinkUnfit {
		household, watch = interlock.NoReason, household
	}
	lock := of(interlock.CheckLock)
	if household == interlock.NotWalked {
		household, lock = interlock.NoReason, household
	}
	add("watch", watch)
	add("recording", of(interlock.CheckRecording))
	add("lock", lock, of(interlock.CheckBolt))
	add("door", of(interlock.CheckDoor))
	add("service", of(interlock.CheckService))
	add("household", household, of(interlock.CheckSmoke), of(interlock.CheckAlarm), of(interlock.CheckConfig))
	add("block", of(interlock.CheckBlock))
	return list
}
