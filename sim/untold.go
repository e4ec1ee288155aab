package sim

import (
	"strings"
	"time"

	"eyebolt/control"
	"eyebolt/interlock"
	"eyebolt/liveness"
)

// untold are the bounds of docs/SAFETY.md for somebody who is inside, unwatched and untold, by why nobody can see: how long it takes to be
// found, and a second for telling.
var untold = map[string]time.Duration{
	"dark":        a2 + time.Second,
	"late":        time.Second + time.Second, // pictures over A1 for a second are late
	"replayed":    time.Second + time.Second, // the first repeated pictures
	"frozen":      8*time.Second + time.Second,
	"covered":     4*time.Second + time.Second,
	"loop":        18*time.Second + time.Second,
	"hub-off":     control.VisitSilence + time.Second,
	"hub-stalled": control.VisitSilence + time.Second,
}

// Untold is the bound for a kind of blindness, as [Tally].Worst and [Found] name it. Where the uplink is cut before the hub can tell
// ("+T10"), its silence tells the service two seconds later, or what was lost is told again after three. There is none where the detector missed it
// ("+missed"), where a magnet fools the contact so that nobody can know of him ("+T27"), where the town's service waits by a clock that was
// turned ("+T15"), or where the bus loses what is said ("+T23").
func Untold(kind string) (bound time.Duration, ok bool) {
	kind, away := strings.CutSuffix(kind, lengthens[cut])
	if bound, ok = untold[kind]; ok && away {
		bound += max(control.VisitSilence, alarmAgain) + 2*serviceTick - time.Second
	}
	return bound, ok
}

// lengthens is what may lengthen the time that somebody is inside, unwatched and untold, the strongest last.
var lengthens = [...]string{notMore: "", cut: "+T10", lostWords: "+T23", turned: "+T15", fooled: "+T27", missed: "+missed"}

const (
	notMore = iota
	cut
	lostWords
	turned
	fooled
	missed
)

// lengthened says what lengthens it now.
func (o *outside) lengthened(h *home, kind string) int {
	s, now := h.t.service, h.t.now
	switch b := h.eyes[0].blind; {
	case b.amiss && kind == b.kind:
		return missed
	case o.fooled:
		return fooled // the hub cannot know that he is in
	case s.skew != 0 || s.turned > 0 && now-s.turned < 10*time.Second:
		return turned // the town's service waits by the clock that was turned; a real one by its monotonic one
	case h.plan.Rough:
		return lostWords // an alarm that is lost is sent again after three seconds
	case h.up && !h.stalled && (h.post.down || o.downAt > 0 && now-o.downAt < alarmAgain):
		return cut // the hub cannot tell, and its silence does; or it tells again what was lost
	}
	return notMore
}

// pass lets time go by: the truth about who is inside, unwatched and untold.
func (o *outside) pass(h *home, d time.Duration) {
	now := h.t.now
	kind := ""
	switch e := h.eyes[0]; {
	case !h.up:
		kind = "hub-off"
	case h.stalled:
		kind = "hub-stalled"
	case !e.sees(now, h.t.opt.Pictures):
		kind = e.blind.kind
		if kind == "" {
			kind = "late"
		}
	}
	blindly := !h.up || h.stalled || h.eyes[0].said != liveness.Live
	if blindly {
		o.unseen += d
		if !o.blindly {
			o.lapses++
		}
	}
	o.blindly = blindly
	if !lapse(h.eyes[0].said) {
		o.lapsed = 0
	} else if o.lapsed == 0 {
		o.lapsed = now
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
	if !h.door.within && !h.door.thief {
		o.known = false
	}
	visit := o.view.Phase != interlock.Idle.String() // a house without one is nobody's to watch
	if kind == "" || o.known || !visit || !h.door.within && !h.door.thief {
		o.inside, o.kind, o.all, o.byAll = 0, "", 0, 0
		return
	}
	if o.kind != kind {
		o.inside, o.kind, o.by = 0, kind, 0
	}
	by := o.lengthened(h, kind)
	o.by, o.byAll = max(o.by, by), max(o.byAll, by) // what once lengthened a stretch is named with the whole of it
	kind += lengthens[o.by]
	from := h.eyes[0].blind.from
	if !h.up || h.stalled {
		from = o.heardAt // who was told that the hub is silent need not be told why
	}
	// Who was told of a lapse need not be told that it goes on by other means; an acknowledgement says that he has seen it.
	if o.toldAt > 0 && (o.toldAt >= from || o.lapsed > 0 && o.toldAt >= o.lapsed || o.toldAt > o.heardAt || h.visits.view.Alarm != "") {
		o.all, o.byAll = 0, 0
		return
	}
	o.inside += d
	o.all += d
	if o.byAll <= lostWords {
		h.t.tally.Worst["in all"] = max(h.t.tally.Worst["in all"], o.all)
	}
	h.t.tally.Worst[kind] = max(h.t.tally.Worst[kind], o.inside)
	if most, ok := Untold(kind); ok && o.inside > most && o.inside-d <= most {
		h.t.broke(h, "S6", "somebody is inside for %v, unwatched by %q, and nobody was told", o.inside, kind)
	}
}
