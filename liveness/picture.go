package liveness

import (
	"time"

	"eyebolt/camera"
)

// Picture takes a picture. Only one that is strictly newer by its media time is evidence; any other changes nothing. A
// picture without an Opened before it is ignored.
func (j *Judge) Picture(p camera.Picture) {
	j.advance(p.Arrival)
	at := max(p.Arrival, j.arrived)
	if j.open && j.follows(p.Media, at) {
		j.take(&p, at)
	}
	j.decide()
	j.plan()
}

func (j *Judge) take(p *camera.Picture, at time.Duration) {
	first := j.pictures == 0
	step, before := p.Media-j.newest, j.own
	j.delay.picture(p.Media, at, j.arrived, first, j.cfg.Skew)
	j.pictures++
	j.newest, j.arrived = p.Media, at
	j.own, j.watched = p.Media+j.delay.base, true
	age := at - j.own
	settled := j.delay.settled(at)
	j.runLate(age, at)

	hole := !first && j.cadence.picture(step, p.Missing > 0, &j.cfg)
	repeats := j.replay.picture(p, settled)
	switch {
	case repeats:
		j.gap.mark(before)
		f := j.replay.fact(at)
		f.state = Replayed
		j.remark(byReplay, f)
		j.fall(Replayed, j.now, replayHold)
	case hole:
		j.gap.mark(before)
		f := fact{state: Lagging, at: at, score: step.Seconds(), limit: j.cfg.MaxHole.Seconds()}
		if step > j.cfg.MaxHole && !j.hubLate {
			f.state = Lost
			j.fall(Lost, j.now, 0)
		}
		j.remark(byHole, f)
	}
	if !repeats {
		j.finders[byReplay].newest = j.replay.fact(at)
	}
	if !hole {
		j.finders[byHole].newest = fact{state: Live, at: at, score: step.Seconds(), limit: j.cfg.MaxHole.Seconds()}
	}
	j.changes.picture(p, j.replay.codec)
	if p.Key && !repeats {
		j.judgeCover(p, at)
	}
	j.judgeAsk(p.Key, hole || p.Missing > 0, j.own, age)
	if first {
		j.began = at
	}
	// A delay that does not settle in this time falls for a reason.
	if settled || j.clock.running || at-j.began > clockSpan {
		j.judgeClock(p.Media, at)
	}

	inTime := age <= j.cfg.A1 && !repeats && !j.hubLate
	if hole || !inTime {
		j.spoil()
	}
	if inTime && !j.goodSet {
		j.goodFrom, j.goodSet = j.own, true
	}
	if inTime && !hole && j.good < enough {
		j.good++
	}
}

// follows says whether media is strictly newer on this timeline. A timeline that jumps, ahead of what arrival allows or
// back for good, starts anew and is not trusted: base follows the smallest delay, so that a jump ahead would make every
// picture young.
func (j *Judge) follows(media, at time.Duration) bool {
	switch {
	case media > maxMedia || media < -maxMedia:
		return false
	case j.pictures == 0:
		return true
	case media-j.newest > at-j.arrived+maxJump:
		j.jumped(media - j.newest)
		return true
	case media < j.newest-maxJump:
		// One old picture is a straggler; several in a row are a camera whose clock was set back.
		if j.backs++; j.backs < enough {
			return false
		}
		j.jumped(media - j.newest)
		return true
	default:
		j.backs = 0
		return media > j.newest
	}
}

func (j *Judge) jumped(by time.Duration) {
	j.remark(byClock, fact{state: Untrusted, at: j.now, score: by.Seconds(), limit: maxJump.Seconds(), n: jumpedOff})
	j.fall(Untrusted, j.now, trustHold)
	j.restart()
}

// runLate finds pictures that keep coming, and keep coming too late (T6).
func (j *Judge) runLate(age, at time.Duration) {
	if age <= j.cfg.A1 {
		j.lateN = 0
		j.finders[byLate].newest = fact{state: Live, at: at, score: age.Seconds(), limit: j.cfg.A1.Seconds()}
		return
	}
	if j.lateN == 0 {
		j.lateFrom = at
	}
	j.lateN++
	if at-j.lateFrom > lateRun && j.lateN >= latePictures && !j.hubLate {
		j.remark(byLate, fact{state: Late, at: at, score: age.Seconds(), limit: j.cfg.A1.Seconds(), n: j.lateN})
		j.fall(Late, j.now, 0)
	}
}
