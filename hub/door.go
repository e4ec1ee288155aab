package hub

import (
	"slices"
	"time"

	"eyebolt/bus"
	"eyebolt/grant"
	"eyebolt/interlock"
	"eyebolt/ledger"
	"eyebolt/radio"
)

// door is one door and everything that is known of it.
type door struct {
	cfg   Door
	state interlock.State
	mono  time.Duration // of the newest fact, in whole milliseconds

	// The watch.
	sights   []sight
	watch    interlock.Watch
	late     bool // the hub's own clockwork came late; until its next tick in time
	recorded bool // what the interlock was told
	gap      gap
	left     time.Duration    // the newest picture's own time when the watch was last live
	lag      interlock.Reason // why it is not live since: the camera's lag, if it ever was that
	air      air              // what was noticed on the air here
	told     string           // the alarm whose cause was told by a notice
	cause    radio.Cause      // of the visit's lapses, or of the newest one outside

	// The lock and the household, as last told.
	bolt      interlock.Bolt
	by        interlock.By
	contact   interlock.Door
	healthy   bool
	smoke     bool      // smoke or CO alarm
	smokeAt   time.Time // replayed: when it began
	battery   int       // percent, -1 unknown
	fresh     bool      // an order went out since the newest bolt report on record
	lockWhy   interlock.Reason
	home      bool
	held      [len(conditions)]bool
	blocks    uint64 // the newest block or unblock order's number (S1, T23)
	unblocked uint64 // the newest unblock order's number
	blocked   bool   // replayed; afterwards the interlock's

	visit     *visit
	incidents []bus.Incident // not closed by a resident, oldest first
	closed    []string       // the newest that were; their ends may stand on record once more behind that
	last      lastIncident
	alarm     bus.Alarm // the standing one
	said      []interlock.Reason
	decided   bool // this step wrote a decision

	shown face // in the newest view
	looks face // at the end of the newest step
	seq   uint64

	ration     ration // of entries about this door
	airRation  ration // of signs on the air outside a visit, and in one that has written its own
	linkRation ration // of certificates
	nearRation ration // of blocks that were pressed on a blocked door
	linkNoted  bool   // what the record says of them: unfit
	walkNoted  walkData
	lacks      [nLackings]lack
}

// visit is one use of one grant.
type visit struct {
	id      string
	grantID string
	grant   grant.Grant // empty after a restart if the grant is no longer held
	chain   []byte      // of a grant that came with the arrival
	began   time.Time
	parcel  string
	place   *bus.Place
	results []grant.Result // at the newest check

	n        uint32 // number of nonce
	nonce    []byte
	previous []byte // the nonce before, so that an answer to it is named stale and not forged
	out      []byte // what "I am out" is signed over; made anew after each close (S19)
	outDone  bool
	freed    bool          // his release is on disk, and shown
	freeing  time.Duration // when that is asked for again
	passkey  []byte        // credential ID of the newest slide
	count    uint32        // and its counter

	ordered   bool // an Unlock was commanded, or may have been before a restart
	exposure  exposure
	gaps      []bus.Gap
	unwatched time.Duration
	incident  interlock.Reason
	last      time.Time // while replaying: the newest entry
	budget    int       // entries that reports, phases, gaps and the watch may still write freely
	signs     int       // signs on the air that were written
}

// lastIncident is the newest incident at a door, closed or not; its zero value is none.
type lastIncident struct {
	at    time.Time // when it was found
	visit string
	why   string  // word of a reason
	total float64 // unwatched seconds, once its visit is over
}

// conditions of the household that hold a door, in the order in which a courier is told.
var conditions = [...]struct {
	name   string
	reason interlock.Reason
}{
	{"pets", interlock.PetsLoose},
	{"alarm", interlock.AlarmArmed},
	{"home", interlock.SomebodyHome},
	{"battery", interlock.BatteryLow},
	{"link", interlock.LinkUnfit},
	{"walk", interlock.NotWalked},
	{"other", interlock.HouseholdHolds},
}

// The conditions that the hub finds by itself; nobody sets or lifts them.
const batteryCondition, linkCondition, walkCondition = 3, 4, 5

// lowBattery is when a lock may no longer promise that it locks again: common locks warn at 20 and stop at 5 percent.
const lowBattery = 15

// maxIncidents bounds the list of open incidents at a door. A door with one opens to nobody, so further ones come only from
// restarts inside a visit.
const maxIncidents = 32

func newDoor(cfg Door) *door {
	if cfg.Limits == (interlock.Limits{}) {
		cfg.Limits = interlock.DefaultLimits()
	}
	d := &door{cfg: cfg, state: interlock.New(cfg.Limits), battery: -1, home: true}
	if d.cfg.Walk.Say = clip(plain(d.cfg.Walk.Say), 1000); d.cfg.Walk.Say == "" {
		d.cfg.Walk.Say = "Nobody has walked this door yet."
	}
	d.held[walkCondition] = !cfg.Walk.Passed
	for _, name := range cfg.Cameras {
		d.sights = append(d.sights, sight{name: name})
	}
	d.ration, d.airRation, d.linkRation = newRation(rationMax, rationEvery), newRation(slowMax, slowEvery), newRation(slowMax, slowEvery)
	d.nearRation = newRation(slowMax, slowEvery)
	return d
}

// holding is the first condition that holds the door, or NoReason.
func (d *door) holding() interlock.Reason {
	for i, h := range d.held {
		if h {
			return conditions[i].reason
		}
	}
	return interlock.NoReason
}

func (d *door) holds() []string {
	var names []string
	for i, h := range d.held {
		if h {
			names = append(names, conditions[i].name)
		}
	}
	return names
}

// ration bounds what one door may write into the ledger when something flaps: a burst, then one entry now and then. A ledger
// that fills the disk would be a way to stop deliveries.
type ration struct {
	left, most int
	every      time.Duration
	at         time.Duration
}

func newRation(most int, every time.Duration) ration {
	return ration{left: most, most: most, every: every}
}

const (
	rationMax   = 240
	rationEvery = time.Minute
	// slowMax and slowEvery are of what strangers can cause from the street for days: signs on the air, and what they do to a
	// link's certificate. They have rations of their own, so that a radio which flaps leaves no less room for what the door's
	// lock and watch tell.
	slowMax   = 60
	slowEvery = 5 * time.Minute
	// visitEntries is what one visit may write of changes before the ration counts for it too. An honest one writes fifty; a
	// visit that stands in alarm for days with a flapping contact must not fill the disk.
	visitEntries = 4096
	// visitSigns is what one visit may write of signs on the air before the slow ration counts: whoever floods for days before a
	// visit has not kept the visit's own flood off the record. Eight kinds every ten seconds last for 80 s.
	visitSigns = 64
)

// worth says whether a change is written: in a visit freely at first, else as far as the ration goes.
func (d *door) worth(now time.Duration) bool {
	if v := d.visit; v != nil && v.budget > 0 {
		v.budget--
		return true
	}
	return d.ration.allow(now)
}

// worthSign says it of a sign on the air.
func (d *door) worthSign(now time.Duration) bool {
	if v := d.visit; v != nil && v.signs < visitSigns {
		v.signs++
		return true
	}
	return d.airRation.allow(now)
}

func (r *ration) allow(now time.Duration) bool {
	if n := int((now - r.at) / r.every); n > 0 {
		r.left = min(r.most, r.left+n)
		r.at += time.Duration(n) * r.every
	}
	if r.left == 0 {
		return false
	}
	r.left--
	return true
}

// replay takes an entry about this door.
func (d *door) replay(c *Core, e ledger.Entry) {
	if v := d.visit; v != nil && e.Visit == v.id {
		v.last = e.Time
	}
	switch e.Kind {
	case ledger.KindVisit:
		d.replayVisit(c, e)
	case ledger.KindDecision:
		if d.visit == nil || e.Visit != d.visit.id { // its beginning was never written: the disk failed for a while
			k, _ := decode[decisionData](e.Data)
			d.visit = &visit{id: e.Visit, grantID: k.Grant, grant: c.mem.grants[k.Grant], began: e.Time, last: e.Time, budget: visitEntries}
		}
		d.visit.ordered = true
	case ledger.KindGap:
		if g, ok := decode[ledger.GapData](e.Data); ok && d.visit != nil && e.Visit == d.visit.id && len(d.visit.gaps) < maxGaps {
			d.visit.gaps = append(d.visit.gaps, bus.Gap{From: g.From, To: g.To, Second: g.Seconds, Why: g.Why, Open: g.Open})
			if d.visit.ordered {
				d.visit.unwatched += time.Duration(g.Seconds * float64(time.Second))
			}
		}
	case ledger.KindCommand:
		if e.Word == interlock.DoIncident.String() && e.Visit != "" && d.last.visit != e.Visit {
			d.last = lastIncident{at: e.Time, visit: e.Visit, why: e.Reason}
		}
		if a, ok := decode[alarmData](e.Data); ok && e.Word == interlock.DoAlarm.String() {
			d.alarm = a.Alarm
		}
	case ledger.KindFact:
		if e.Word == wordAcknowledged {
			d.alarm = bus.Alarm{}
		}
	case ledger.KindReport:
		switch e.Word {
		case wordSmoke:
			d.smoke, d.smokeAt = true, e.Time
		case wordSmokeOver:
			d.smoke = false
		case wordWalked, wordNotWalked:
			d.walkNoted, _ = decode[walkData](e.Data)
		}
	case ledger.KindConfig:
		o, ok := decode[orderData](e.Data)
		if !ok {
			return
		}
		switch e.Word {
		case "block":
			d.blocked = true
			d.blocks = max(d.blocks, o.Count)
		case "unblock":
			if o.Count < d.blocks {
				return // a disk that failed took it behind a newer block (S4, T18)
			}
			d.blocked = false
			d.blocks, d.unblocked = max(d.blocks, o.Count), max(d.unblocked, o.Count)
		case "home", "away":
			d.home = e.Word == "home"
		case "hold", "lift":
			for i, k := range conditions {
				if k.name == o.What {
					d.held[i] = e.Word == "hold"
				}
			}
		}
	}
}

func (d *door) replayVisit(c *Core, e ledger.Entry) {
	switch e.Word {
	case ledger.WordBegan:
		k, _ := decode[ledger.VisitData](e.Data)
		d.visit = &visit{id: e.Visit, grantID: k.Grant, grant: c.mem.grants[k.Grant], began: e.Time, last: e.Time, budget: visitEntries}
	case ledger.WordEnded:
		k, _ := decode[ledger.VisitData](e.Data)
		if d.last.visit == e.Visit {
			d.last.total = k.GapSeconds
		}
		if k.Outcome == outcomeWord(interlock.Incident) && len(d.incidents) < maxIncidents && !d.hasIncident(e.Visit) && !slices.Contains(d.closed, e.Visit) {
			in := bus.Incident{Visit: e.Visit, Reason: e.Reason, Text: sentence(e.Reason), Total: k.GapSeconds}
			if d.visit != nil && d.visit.id == e.Visit {
				in.Gaps = d.visit.gaps
			}
			d.incidents = append(d.incidents, in)
		}
		if d.visit != nil && d.visit.id == e.Visit { // one that a full disk has put off may stand behind the next visit's beginning
			d.visit = nil
		}
	case wordClosed:
		d.reads(e.Visit)
		if d.closeIncident(e.Visit) && len(d.incidents) == 0 && d.visit == nil && d.wasRead() {
			d.alarm = bus.Alarm{} // reading the last one acknowledged it
		}
	}
}

// hasIncident says whether a visit's incident is open.
func (d *door) hasIncident(visit string) bool {
	return slices.ContainsFunc(d.incidents, func(in bus.Incident) bool { return in.Visit == visit })
}

// closeIncident takes an incident off the list of open ones.
func (d *door) closeIncident(visit string) bool {
	for i, in := range d.incidents {
		if in.Visit == visit {
			d.incidents = append(d.incidents[:i:i], d.incidents[i+1:]...)
			return true
		}
	}
	return false
}

// wasRead says whether the standing alarm is of a visit whose incident was read.
func (d *door) wasRead() bool { return d.alarm.Visit != "" && slices.Contains(d.closed, d.alarm.Visit) }

// reads notes that a visit's incident was read.
func (d *door) reads(visit string) {
	if d.closed = append(d.closed, visit); len(d.closed) > maxIncidents {
		d.closed = d.closed[1:]
	}
}

// resume tells the interlock what is remembered.
func (c *Core) resume(d *door) {
	boot := interlock.Fact{Kind: interlock.Boot, OK: d.visit == nil}
	if n := len(d.incidents); n > 0 {
		if boot.Reason = reasonOf(d.incidents[0].Reason); boot.Reason == interlock.NoReason {
			boot.Reason = interlock.Restarted // a word of another version: it is an incident all the same
		}
	}
	if v := d.visit; v != nil {
		away := min(max(0, c.clock.now(c.at).Sub(v.last)), maxAway)
		from := c.at.Mono - away
		d.gap = gap{open: true, from: from, fromWall: v.last, why: interlock.Restarted}
		if v.ordered {
			v.exposure.begin(from)
		}
	}
	c.step(d, boot)
	if d.visit == nil && d.alarm.ID != "" { // nobody has acknowledged it (S16); an unfinished visit has an alarm of its own
		c.step(d, interlock.Fact{Kind: interlock.AlarmStands, Reason: reasonOf(d.alarm.Reason)})
	}
	d.smoke = d.smoke && c.clock.now(c.at).Sub(d.smokeAt) < smokeLife
	c.step(d, interlock.Fact{Kind: interlock.SmokeSays, OK: !d.smoke})
	c.step(d, interlock.Fact{Kind: interlock.HomeSays, OK: d.home})
	c.tellHolds(d)
	if d.blocked {
		c.step(d, interlock.Fact{Kind: interlock.Block})
	}
}

// smokeLife is how long an alarm that was going when the hub went down is believed to go on (S11): a sensor that still smells
// it says so again well within a day, and one that was taken away must not keep a door unlocked for good.
const smokeLife = 24 * time.Hour

// maxAway bounds the gap of a hub that was down inside a visit: a clock that is wrong by years must not overflow a sum.
const maxAway = 30 * 24 * time.Hour

func (c *Core) tellHolds(d *door) {
	why := d.holding()
	c.step(d, interlock.Fact{Kind: interlock.HoldSays, OK: why == interlock.NoReason, Reason: why})
}
