package hub

import (
	"fmt"
	"math"
	"strings"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
	"eyebolt/ledger"
	"eyebolt/liveness"
)

const (
	// maxEvidence bounds what one camera's detectors say in one entry; there are ten of them.
	maxEvidence = 16
	maxSay      = 300
	// cameraWord begins the word of an entry that is about one camera, not about the door's watch.
	cameraWord = "camera-"
)

// evidence is what goes into the record with a lapse of the door: what every camera's detectors found.
func (d *door) evidence(now interlock.Watch) any {
	if !now.Lapse() {
		return nil
	}
	k := ledger.WatchData{}
	for i := range d.sights {
		k.Evidence = append(k.Evidence, d.sights[i].evidence(d.heard(), d.brief())...)
	}
	return k
}

// brief says whether only what speaks against a camera goes on record: a visit in which the watch has flapped many times must not fill
// the disk with what was fine.
func (d *door) brief() bool { return d.visit != nil && d.visit.budget < visitEntries-wholeEntries }

// wholeEntries is how many entries a visit may write before its evidence becomes brief: ten times what an honest one writes.
const wholeEntries = 512

// heard is the newest moment that any verdict is of.
func (d *door) heard() time.Duration {
	at := time.Duration(0)
	for i := range d.sights {
		at = max(at, d.sights[i].at)
	}
	return at
}

// evidence is what this camera's detectors found. A lapse that the age of the newest picture alone tells has its number here.
func (s *sight) evidence(now time.Duration, brief bool) (out []ledger.Evidence) {
	told := false
	for _, f := range s.why {
		if f.State == liveness.Unknown || brief && f.State == liveness.Live || len(out) >= maxEvidence {
			continue
		}
		told = told || f.State == s.verdict.State
		out = append(out, ledger.Evidence{
			Camera: s.name, By: clip(plain(f.By), 32), State: word(f.State).String(), Score: finite(f.Score), Limit: finite(f.Limit),
			Say: asSentence(f.Say), AgoMs: max(0, now-f.At).Milliseconds(),
		})
	}
	if w := word(s.verdict.State); w.Lapse() && !told {
		out = append(out, ledger.Evidence{Camera: s.name, By: "age", State: w.String(), Score: finite(s.verdict.Age.Seconds()), Say: s.say()})
	}
	return out
}

// finite makes a number fit for JSON.
func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}

// say is why this camera does not watch, in one sentence.
func (s *sight) say() string {
	w := word(s.verdict.State)
	for _, f := range s.why {
		if f.State == s.verdict.State && f.State != liveness.Live && f.Say != "" {
			return asSentence(f.Say)
		}
	}
	if w.Lapse() && s.verdict.Age > 0 {
		return fmt.Sprintf("%s Its newest picture was %.1f s old.", lapseReason(w).What(), s.verdict.Age.Seconds())
	}
	return lapseReason(w).What()
}

// asSentence makes what a detector says fit for a page: valid, bounded, with a capital and a full stop.
func asSentence(s string) string {
	s = strings.TrimSpace(clip(plain(s), maxSay))
	if s == "" {
		return ""
	}
	if c := s[0]; c >= 'a' && c <= 'z' {
		s = string(c-'a'+'A') + s[1:]
	}
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// noteCameras writes down when one of several cameras lapses while another watches, and when it is back: its own lapse stays on
// record (S7), and nobody is alarmed or locked for it (S18).
func (c *Core) noteCameras(d *door) {
	if len(d.sights) < 2 {
		return
	}
	for i := range d.sights {
		s := &d.sights[i]
		w := word(s.verdict.State)
		lapses, back := w.Lapse() && w != s.noted, w == interlock.WatchLive && s.noted.Lapse()
		if !lapses && !back {
			continue
		}
		s.noted = w
		if d.watch.Lapse() && !back || !d.worth(c.at.Mono) {
			continue // the door's own entry tells it
		}
		k := ledger.WatchData{Camera: s.name}
		if lapses {
			k.Evidence = s.evidence(d.heard(), d.brief())
		}
		c.write(d, ledger.KindWatch, cameraWord+w.String(), lapseReason(w), k)
	}
}

// linked takes a certificate. The door is held while no camera of it has a link that may be relied on: one good one is enough (S18).
func (c *Core) linked(in Linked) {
	d := c.index[in.Door]
	if d == nil {
		return
	}
	unfit := true
	for i := range d.sights {
		if s := &d.sights[i]; s.name == in.Camera {
			s.link = in.Certificate
			s.link.Say = clip(plain(s.link.Say), maxSay)
		}
		unfit = unfit && d.sights[i].link.Refused
	}
	// Certificates come again and again: what the ration keeps off the record now is written with a later one.
	if unfit != d.linkNoted && d.linkRation.allow(c.at.Mono) {
		d.linkNoted = unfit
		c.write(d, ledger.KindReport, pick(unfit, "link-unfit", "link-fit"), interlock.NoReason, textData{Text: d.unfit()})
	}
	if unfit != d.held[linkCondition] {
		d.held[linkCondition] = unfit
		c.tellHolds(d)
	}
}

// relearned puts on record that a camera's usual pictures are others from here on: whoever covers a lens and has that learned leaves
// a trace (S7).
func (c *Core) relearned(in Relearned) {
	if d := c.index[in.Door]; d != nil {
		c.write(d, ledger.KindReport, "camera-learned-anew", interlock.NoReason, textData{Text: clip(plain(in.Camera+": "+in.What), maxText)})
	}
}

// unfit says what the certificates of the door's cameras say.
func (d *door) unfit() string {
	var says []string
	for i := range d.sights {
		if s := &d.sights[i]; s.link.Say != "" {
			says = append(says, s.name+": "+s.link.Say)
		}
	}
	return clip(strings.Join(says, " "), 1000)
}

// cameras is what a view tells of each.
func (d *door) cameras(now time.Duration) (out []bus.Camera) {
	for i := range d.sights {
		s := &d.sights[i]
		k := bus.Camera{Name: s.name, Watch: word(s.verdict.State).String(), AgeMs: -1}
		if s.verdict.Pictures > 0 || s.verdict.GapFrom > 0 {
			k.AgeMs = max(0, now-s.at+s.verdict.Age).Milliseconds()
		}
		if s.verdict.State != liveness.Live {
			k.Say = s.say()
		}
		if s.link.Say != "" {
			l := &bus.Link{Grade: string(s.link.Grade), Hours: math.Round(s.link.Watched.Hours()*100) / 100, Refused: s.link.Refused, Say: s.link.Say}
			for g, over := range liveness.Gaps {
				l.Gaps = append(l.Gaps, bus.Gaps{OverMs: over.Milliseconds(), N: s.link.Gaps[g]})
			}
			k.Link = l
		}
		out = append(out, k)
	}
	return out
}
