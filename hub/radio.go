package hub

import (
	"time"

	"eyebolt/interlock"
	"eyebolt/ledger"
	"eyebolt/radio"
)

// Sign is something that was noticed on the air, at one door or, without one, in the whole home. It goes on record and into
// the words that tell of a lapse; it is no fact of the interlock, and opens or bolts nothing (S6: what counts is the age of the
// picture, whatever made it old).
type Sign struct {
	Door string
	Sign radio.Sign
}

func (Sign) input() {}

// air is what was noticed on the air: the newest sign of each kind, and when one of that kind was written down.
type air struct {
	signs [radio.Kinds]radio.Sign
	wrote [radio.Kinds]time.Duration
}

// signEvery is how often signs of one kind are written down while they rain: a flood is told once a second, and its newest
// entry's count is what is read.
const signEvery = 10 * time.Second

// take keeps a sign and says whether it is to be written down.
func (a *air) take(s radio.Sign, now time.Duration) bool {
	first := a.signs[s.Kind].Kind == radio.NoKind
	a.signs[s.Kind] = s
	if !first && now-a.wrote[s.Kind] < signEvery {
		return false
	}
	a.wrote[s.Kind] = now
	return true
}

// signData is the Data of an entry about a sign.
type signData struct {
	Source     string `json:"source"`
	Count      int    `json:"count"`
	AgeMs      int64  `json:"age_ms"`            // of its first frame or event, at the entry
	Station    string `json:"station,omitempty"` // whose connection it is about
	Code       uint16 `json:"code,omitempty"`    // IEEE 802.11 reason code
	Severity   string `json:"severity"`
	Confidence string `json:"confidence"`
}

// noticed takes a sign.
func (c *Core) noticed(in Sign) {
	s := in.Sign
	if s.Kind == radio.NoKind || int(s.Kind) >= radio.Kinds {
		return
	}
	s.At = min(max(s.At, 0), c.at.Mono)
	s.From = min(max(s.From, 0), s.At)
	s.Count = max(s.Count, 1)
	for _, d := range c.doors {
		if in.Door != "" && in.Door != d.cfg.Name {
			continue
		}
		if d.air.take(s, c.at.Mono) && d.visit != nil && d.worthSign(c.at.Mono) {
			c.writeSign(d, s)
		}
		c.blame(d)
	}
	if in.Door == "" && c.air.take(s, c.at.Mono) && !c.inVisit() && c.airRation.allow(c.at.Mono) {
		c.writeSign(nil, s)
	}
}

func (c *Core) inVisit() bool {
	for _, d := range c.doors {
		if d.visit != nil {
			return true
		}
	}
	return false
}

func (c *Core) writeSign(d *door, s radio.Sign) {
	data := signData{
		Source: clip(plain(s.Source), 100), Count: s.Count, AgeMs: (c.at.Mono - s.From).Milliseconds(), Code: s.Reason,
		Severity: s.Severity().String(), Confidence: s.Confidence().String(),
	}
	if s.Station != (radio.Addr{}) {
		data.Station = s.Station.String()
	}
	c.write(d, ledger.KindReport, "radio-"+s.Kind.String(), interlock.NoReason, data)
}

// blame names the cause of what the door's watch suffers, as far as the air tells. In a visit the gravest cause stays, whatever
// is told later (S7); it is forgotten with the next visit, or when the watch is lost the next time without one.
func (c *Core) blame(d *door) {
	if d.watch == interlock.WatchLive || d.watch == interlock.WatchUnknown || d.left == 0 {
		return
	}
	cause := radio.Explain(d.air.signs[:], d.left, c.at.Mono)
	if cause.Kind == radio.NoKind || d.cause.Kind != radio.NoKind && cause.Severity <= d.cause.Severity {
		return
	}
	d.cause = cause
	if d.alarm.ID != "" && !d.alarm.Notice && lapsed(reasonOf(d.alarm.Reason)) && c.standing(d) && cause.Severity == radio.Attack && d.told != d.alarm.ID {
		// The alarm is out already, and what was sent is not sent anew in other words: a notice of its own tells why. One for each
		// alarm: whoever jams again and again must not push alarms that are still untold out of their place (S16).
		d.told = d.alarm.ID
		c.alarm(d, reasonOf(d.alarm.Reason), true)
	}
}

// absolve forgets what was blamed.
func (d *door) absolve() { d.cause = radio.Cause{} }

// standing says whether the door's alarm is not acknowledged yet.
func (c *Core) standing(d *door) bool { return d.state.Alarm() != interlock.NoReason }

// lapsed says whether a reason is a lapse of the watch.
func lapsed(r interlock.Reason) bool {
	switch r {
	case interlock.LapseLost, interlock.LapseLate, interlock.LapseFrozen, interlock.LapseReplayed, interlock.LapseLagging,
		interlock.LapseUnrecorded, interlock.LapseUntrusted, interlock.LapseCovered:
		return true
	default:
		return false
	}
}

// toResident is what the people at home read of a reason: the interlock's sentence and, for a lapse, its cause if the air told one.
func (d *door) toResident(r interlock.Reason) string {
	text := r.ToResident()
	if lapsed(r) && d.cause.Text != "" {
		text += " " + d.cause.Text
	}
	return text
}
