package hub

import (
	"encoding/hex"
	"time"

	"eyebolt/interlock"
	"eyebolt/ledger"
	"eyebolt/liveness"
	"eyebolt/lock"
	"eyebolt/record"
)

const liveState = liveness.Live

const (
	// lateAfter is how long after it was due the core's own tick counts as late (S6).
	lateAfter = 100 * time.Millisecond
	// verdictLife is how long a verdict counts that is not told again. Runners tell it four times in that span.
	verdictLife = time.Second
	// verdictLost is when a camera of which nothing was told counts as lost: as long as a camera may be unjudged because the
	// hub is late (package liveness).
	verdictLost = 3 * time.Second
)

// tick lets time pass at every door. A hub whose own clockwork came late has judged nobody for that time (S6).
func (c *Core) tick(in Tick) {
	late := in.Late || c.at.Mono-c.due > lateAfter
	for _, d := range c.doors {
		d.late = late
		d.age(c.at.Mono)
		c.look(d)
		c.step(d, interlock.Fact{Kind: interlock.Tick})
		if v := d.visit; v != nil && d.state.Released() && !v.freed && d.state.Secured() && c.at.Mono >= v.freeing {
			c.free(d)
		}
	}
}

// late says of every door that its watch is not judged, until a tick comes in time.
func (c *Core) late() {
	for _, d := range c.doors {
		if !d.late {
			d.late = true
			c.look(d)
		}
	}
}

// age takes away what verdicts are worth that were not told again: a judge that fell silent judges nobody, and after a while
// its camera is lost.
func (d *door) age(now time.Duration) {
	for i := range d.sights {
		s := &d.sights[i]
		old, v := now-s.at, &s.verdict
		switch {
		case old > verdictLost && (v.State == liveState || v.State == liveness.Lagging || v.State == liveness.HubLate):
			v.State, v.GapFrom, v.GapTo = liveness.Lost, s.at-v.Age, now
		case old > verdictLife && v.State == liveState:
			s.took(liveness.HubLate, now)
			v.State = liveness.HubLate
		}
	}
}

// seen takes a camera's verdict.
func (c *Core) seen(in Seen) {
	d := c.index[in.Door]
	if d == nil {
		return
	}
	for i := range d.sights {
		if d.sights[i].name == in.Camera {
			s := &d.sights[i]
			s.took(in.Verdict.State, c.at.Mono)
			s.verdict, s.at = in.Verdict, min(in.At, c.at.Mono)
			if in.Why != nil {
				s.why = in.Why
			}
			c.look(d)
			return
		}
	}
}

// look weighs what all cameras of a door say now.
func (c *Core) look(d *door) {
	was, now := d.watch, d.weigh(c.at.Mono)
	if d.late && now == interlock.WatchLive {
		now = interlock.WatchHubLate
	}
	if now != was {
		c.follow(d, was, now)
		d.watch = now
		c.blame(d)
		worth := d.visit != nil || now == interlock.WatchLive || now.Lapse()
		c.step(d, interlock.Fact{Kind: interlock.WatchSays, Watch: now, OK: now.Lapse() && c.reaches(d)})
		if worth && d.worth(c.at.Mono) {
			c.write(d, ledger.KindWatch, now.String(), lapseReason(now), d.evidence(now))
		}
	}
	c.noteCameras(d)
	c.tellRecorded(d)
}

// recorded takes a recorder's confirmation. One of a visit that is over, on its way for a while, confirms nothing of this one
// (S1).
func (c *Core) recorded(in Recorded) {
	d := c.index[in.Door]
	if d == nil || d.visit == nil || d.visit.id != in.Visit {
		return
	}
	for i := range d.sights {
		if d.sights[i].name == in.Camera {
			d.sights[i].recorded = in.OK
		}
	}
	c.tellRecorded(d)
}

// tellRecorded says whether what watches is also on disk: a live camera that is not recorded does not count for one that is
// recorded but not live.
func (c *Core) tellRecorded(d *door) {
	ok := false
	for _, s := range d.sights {
		ok = ok || s.recorded && (d.watch != interlock.WatchLive || word(s.verdict.State) == interlock.WatchLive)
	}
	if ok != d.recorded {
		d.recorded = ok
		c.step(d, interlock.Fact{Kind: interlock.RecorderSays, OK: ok})
	}
}

// filed writes down what a visit's clip is: film, and what was fetched afterwards, each by its own word (S7).
func (c *Core) filed(in Filed) {
	d := c.index[in.Door]
	if d == nil {
		return
	}
	if in.Err != nil {
		c.writeFor(d, in.Visit, ledger.KindClip, "lost", interlock.NotRecorded, textData{Text: clip(plain(in.Err.Error()), 300)})
	}
	for _, f := range in.Clip.Files {
		word, data := ledger.WordFiled, fileData(in.Camera, f)
		if f.Backfilled {
			word = ledger.WordBackfilled
		}
		for _, s := range in.Clip.Segments {
			if s.Path == f.Path {
				data.Segments = append(data.Segments, ledger.SegmentData{Path: s.Path, SHA256: hex.EncodeToString(s.SHA256[:]), Bytes: s.Bytes, FromUs: s.From.Microseconds(), ToUs: s.To.Microseconds()})
			}
		}
		if _, err := ledger.Data(data); err != nil {
			data.Segments = nil // a film of hours: the file's own hash covers it
		}
		c.writeFor(d, in.Visit, ledger.KindClip, word, interlock.NoReason, data)
	}
}

// removed writes down that a clip went, so that its absence is no riddle to a stranger.
func (c *Core) removed(in Removed) {
	d := c.index[in.Door]
	if d == nil {
		return
	}
	for _, f := range in.Clip.Files {
		c.writeFor(d, in.Clip.Visit, ledger.KindClip, ledger.WordRemoved, interlock.NoReason, fileData(in.Camera, f))
	}
}

func fileData(camera string, f record.File) ledger.ClipData {
	return ledger.ClipData{Path: f.Path, SHA256: hex.EncodeToString(f.SHA256[:]), Bytes: f.Bytes, Camera: camera, From: f.From.UTC(), To: f.To.UTC()}
}

// Keeps lists the visits whose clips must stay whatever retention says: they go on, or their incident is open.
func (c *Core) Keeps() (visits []string) {
	for _, d := range c.doors {
		if d.visit != nil {
			visits = append(visits, d.visit.id)
		}
		for _, in := range d.incidents {
			visits = append(visits, in.Visit)
		}
	}
	return visits
}

// Clock is the wall clock, and whether it is trusted now (T15): nothing may be deleted by age before.
func (c *Core) Clock(at At) (now time.Time, sure bool) { return c.clock.now(at), c.clock.sure }

// WatchWord is the word that pages show for one camera's verdict.
func WatchWord(s liveness.State) string { return word(s).String() }

// reported takes what a lock or a sensor told. What it tells goes on record when it changes, and when it is the first word
// after an order.
func (c *Core) reported(in Reported) {
	d := c.index[in.Door]
	if d == nil {
		return
	}
	r := in.Report
	age := d.old(c.at.Mono, min(max(r.At, 0), c.at.Mono)-min(max(0, r.Age), maxAway)) // bounded, so that no sum overflows
	data := reportData{Who: clip(plain(r.Who), 100), AgeMs: age.Milliseconds(), Solicited: r.Solicited}
	switch r.What {
	case lock.OfBolt:
		b, by := bolts[min(int(r.Bolt), len(bolts)-1)], whos[min(int(r.By), len(whos)-1)]
		changed, answers := b != d.bolt || by != d.by, d.fresh
		d.bolt, d.by, d.fresh = b, by, false
		if (changed || answers) && d.worth(c.at.Mono) {
			data.By = by.String()
			c.write(d, ledger.KindReport, "bolt-"+b.String(), interlock.NoReason, data)
		}
		c.step(d, interlock.Fact{Kind: interlock.BoltSays, Bolt: b, By: by, Age: ms(age)})
	case lock.OfDoor:
		s := contacts[min(int(r.Door), len(contacts)-1)]
		changed := s != d.contact
		d.contact = s
		if changed && d.worth(c.at.Mono) {
			c.write(d, ledger.KindReport, "door-"+s.String(), interlock.NoReason, data)
		}
		c.step(d, interlock.Fact{Kind: interlock.DoorSays, Door: s, Age: ms(age)})
	case lock.OfHealth:
		c.health(d, r)
	case lock.OfBattery:
		c.battery(d, r.Percent)
	case lock.OfSmoke:
		if d.smoke == r.OK { // it changed
			d.smoke = !r.OK
			c.write(d, ledger.KindReport, pick(r.OK, wordSmokeOver, wordSmoke), interlock.SmokeAlarm, nil)
		}
		c.step(d, interlock.Fact{Kind: interlock.SmokeSays, OK: r.OK})
	case lock.OfFailure:
		if d.ration.allow(c.at.Mono) {
			if r.Err != nil {
				data.Text = clip(plain(r.Err.Error()), 300)
			}
			c.write(d, ledger.KindReport, "failure", interlock.NoReason, data)
		}
		c.step(d, interlock.Fact{Kind: interlock.Nothing})
		c.rest = append(c.rest, Poll{Door: d.cfg.Name})
	}
}

// old is how old what was told at made will be in the door's next fact, in whole milliseconds of the door's own count, rounded
// up. All ages that the interlock compares are counted from the same grid, so that of two reports the later is never the
// older, and two of one moment are of one age.
func (d *door) old(now, made time.Duration) time.Duration {
	count := d.mono + max(0, now-d.mono).Truncate(time.Millisecond)
	return max(0, count-made+time.Millisecond-1).Truncate(time.Millisecond)
}

func (c *Core) health(d *door, r lock.Report) {
	if d.healthy != r.OK {
		d.healthy = r.OK
		if d.ration.allow(c.at.Mono) {
			var data any
			if r.Err != nil {
				data = reportData{Text: clip(plain(r.Err.Error()), 300)}
			}
			c.write(d, ledger.KindReport, pick(r.OK, "lock-online", "lock-offline"), interlock.NoReason, data)
		}
	}
	c.step(d, interlock.Fact{Kind: interlock.LockSays, OK: r.OK, Reason: interlock.LockOffline})
}

func (c *Core) battery(d *door, percent int) {
	percent = min(max(percent, 0), 100)
	d.battery = percent
	low := percent < lowBattery
	if low == d.held[batteryCondition] {
		return
	}
	d.held[batteryCondition] = low
	c.write(d, ledger.KindReport, pick(low, "battery-low", "battery-good"), interlock.NoReason, reportData{Percent: &percent})
	c.tellHolds(d)
}

func pick(ok bool, yes, no string) string {
	if ok {
		return yes
	}
	return no
}

// The driver's words mean what interlock's mean; anything else is unknown (S13).
var (
	bolts    = [...]interlock.Bolt{lock.BoltUnknown: interlock.BoltUnknown, lock.BoltThrown: interlock.BoltThrown, lock.BoltDrawn: interlock.BoltDrawn, lock.BoltJammed: interlock.BoltJammed, lock.BoltJammed + 1: interlock.BoltUnknown}
	contacts = [...]interlock.Door{lock.DoorUnknown: interlock.DoorUnknown, lock.DoorClosed: interlock.DoorClosed, lock.DoorOpen: interlock.DoorOpen, lock.DoorAjar: interlock.DoorAjar, lock.DoorAjar + 1: interlock.DoorUnknown}
	whos     = [...]interlock.By{lock.ByUnknown: interlock.ByUnknown, lock.ByRemote: interlock.ByRemote, lock.ByInside: interlock.ByInside, lock.ByResident: interlock.ByResident, lock.ByItself: interlock.ByItself, lock.ByItself + 1: interlock.ByUnknown}
)
