package liveness

import (
	"fmt"
	"time"

	"eyebolt/camera"
)

const (
	// sceneLike bounds by how much the scene's contrast may have changed, either way, before it is another scene.
	sceneLike = 2.5
	// sceneScale is by how much the residual of the picture at large may exceed its noise before it is another scene.
	sceneScale = 3
	// sceneMasked is the share of blocks that may show something else before it is another scene.
	sceneMasked = 0.6
	// scenePoor is the share of a scene's textured blocks under which what has come in its place is no scene. A clock that is
	// drawn over the picture is a few blocks, though by its energy it may be half of all.
	scenePoor = 0.25
	// sceneStills is for how many stills in a row it must be another scene before that one is learned: a person who
	// stands before the lens goes again.
	sceneStills = 3
	// textured is from how much texture on a block shows the scene's contrast, in units of its noise.
	textured = 4
	// thinner is how many steps of the quantiser halve what is left of the noise, and with it what two live stills differ by: in
	// rooms coded by x264 and OpenH264 it fell to 0.8, 0.7, 0.5, 0.4 and 0.2 with 1, 2, 4, 7 and 11 steps.
	thinner = 4
	// codersFrom is from which share on, of the noise that its quantiser leaves, what a still differs by from its scene may hold the
	// coder's error of the scene too: a still with less holds none.
	codersFrom = 0.9
	// changedCounts is what it counts, against the limit, by how much less two stills differ than live ones do: with half the
	// noise that is usual, as when a lamp is lit, a picture is not frozen yet.
	changedCounts = 0.7
	// liveDiffers is from which share of what is usual on two stills of one quantiser differ as live ones do, whatever lies between.
	liveDiffers = 0.92
	// calmAdds is how much more the likeness of two prints counts where the pictures between them were still as well.
	calmAdds = 1.75
	// sceneFades is the share of its contrast under which a scene may be on its way out of view: noise reduction lets go of it
	// over some pictures, and the first key picture of a cover may be one of these.
	sceneFades = 0.75
	// learnDiffers is the least by which stills must differ to be learned from, as a share of the noise known so far.
	learnDiffers = 0.25
	// certifiedLess is how many times weaker a scene's noise may be than the least that was certified.
	certifiedLess = 16
	// leastTiles is how many tiles must vote.
	leastTiles = 6
	// minimum is how many stills make a verdict: two scores.
	minimum = 3
)

// Still takes a still and gives what is found in it: one Finding of "freeze", one of "loop", and, once the scene is learned, one of
// "scene" (covered or not); or none if the still is too near to the one before. A still that cannot be used gives Unknown, and says what to do.
func (p *Prints) Still(s camera.Still) []Finding {
	at := s.Arrival
	if s.Width <= 0 || s.Height <= 0 || len(s.Luma) != s.Width*s.Height || (p.w != s.Width || p.h != s.Height) && !p.size(s.Width, s.Height) {
		p.apart()
		return p.both(Finding{State: Unknown, At: at, Say: fmt.Sprintf("a still of %dx%d with %d bytes cannot be judged: choose one of 128x96 to %dx%d", s.Width, s.Height, len(s.Luma), maxStill, maxStill)})
	}
	if p.seen && at-p.at < p.cfg.Apart {
		return nil
	}
	first := !p.seen
	p.seen, p.at = true, at
	p.qpOld, p.qp, p.changes = p.qp, s.Quantiser, s.Changes
	p.tab.lay(s.Luma, p.w, p.half)
	p.tr = trace{}
	if p.sc.learned < learnStills {
		return p.learn(at, first)
	}
	if away := p.elsewhere(); (away || p.sc.poor > 0) && !p.otherScene() && away {
		p.paired, p.freezes, p.peaks = 0, run{}, peaks{}
		if p.tr.like < 1/sceneLike && p.tr.masked*float64(len(p.tab.mean)) < scenePoor*float64(p.sc.textured()) {
			p.changed = 0 // what is behind a veil is not learned
			return p.veil(at)
		}
		p.veils, p.fading = 0, p.tr.like < sceneFades
		p.changed++
		if p.changed < sceneStills {
			all := p.both(Finding{State: Unknown, At: at, Score: p.tr.scale, Limit: sceneScale, Say: "the picture shows another scene than before, so its noise cannot be judged"})
			if p.tr.like < 1/sceneLike {
				all = append(all, Finding{By: "scene", State: Unknown, At: at, Score: p.tr.like, Limit: 1 / sceneLike, Say: "the scene is out of view; what has come in its place is looked at"})
			}
			return all
		}
		p.replaceScene()
		return p.learn(at, true)
	}
	p.changed, p.veils, p.fading = 0, 0, p.tr.like < sceneFades
	scene := Finding{By: "scene", State: Live, At: at, Score: p.tr.like, Limit: 1 / sceneLike, Say: fmt.Sprintf("the scene is in view, at %.2f of its contrast", p.tr.like)}
	if p.sc.poor > 0 {
		scene = Finding{By: "scene", State: Covered, At: at, Score: p.sc.poor, Limit: scenePoor, Say: fmt.Sprintf("what has come into view holds %.0f %% of the detail that the scene before held; under %.0f %% the lens is covered, dark or out of focus", 100*p.sc.poor, 100*scenePoor)}
	}
	return append(p.judge(at), scene)
}

// veil gives the verdict on a scene that is not in view while nothing else is: a hand, a bag, paint, a lens out of focus, or a
// dark that the sensor's noise fills, which a key picture's bytes do not show (T7). It takes two stills in a row; in the first of
// them the scene may be on its way out.
func (p *Prints) veil(at time.Duration) []Finding {
	p.veils++
	f := Finding{By: "scene", State: Unknown, At: at, Score: p.tr.like, Limit: 1 / sceneLike, Say: "the scene is out of view in one keyframe, and nothing else is in view; one more and the lens is covered"}
	if p.veils >= coverKeys || p.fading {
		f.State = Covered
		f.Say = fmt.Sprintf("the scene is out of view, at %.2f of its contrast, and nothing else is in view; under %.2f the lens is covered, dark or out of focus", p.tr.like, 1/sceneLike)
	}
	return append(p.both(Finding{State: Unknown, At: at, Say: "the scene is out of view, so its noise cannot be judged"}), f)
}

// both gives the same finding for both detectors.
func (p *Prints) both(f Finding) []Finding {
	g := f
	f.By, g.By = "freeze", "loop"
	return []Finding{f, g}
}

// elsewhere holds the still against the scene, makes its prints, and says whether it is another scene.
func (p *Prints) elsewhere() bool {
	sc := p.sc
	p.tr = trace{}
	p.now, p.old = p.old, p.now
	var r [area]float32
	likes := p.likes[:0]
	for b := range p.tab.mean {
		for i := range 2 {
			e, like, texture := sc.residual(i, b, p.tab.still, &r)
			p.ratio[i][b] = e / sc.noise[b]
			p.now[i].setBlock(b, &r, deadZone*sqrt32(max(e, leastNoise)))
			if i == 0 {
				p.texture[b] = texture / sc.noise[b]
				if p.texture[b] > textured {
					likes = append(likes, like)
				}
			}
		}
	}
	p.tr.like = 1
	if len(likes) >= len(p.tab.mean)/20 {
		p.tr.like = float64(median(likes))
	}
	p.scratch = append(p.scratch[:0], p.ratio[0]...)
	p.tr.scale = float64(median(p.scratch))
	flat := p.flat()
	masked := 0
	for b := range p.tab.mean {
		if p.strange(b) {
			masked++
		}
		if p.strange(b) || !sc.votes(b) || p.texture[b] > flat {
			p.now[0].clearBlock(b)
			p.now[1].clearBlock(b)
		}
	}
	p.tr.masked = float64(masked) / float64(len(p.tab.mean))
	return p.tr.scale > sceneScale || p.tr.like > sceneLike || p.tr.like < 1/sceneLike || p.tr.masked > sceneMasked
}

// flat is how much texture a block may have, in units of its noise, and vote: half of the picture's blocks. Where there is
// texture, a coder that changes its step leaves another picture of it, the same in every still of that step.
func (p *Prints) flat() float32 {
	return median(append(p.scratch[:0], p.texture...))
}

// strange says whether a block shows something else than its scene.
func (p *Prints) strange(b int) bool {
	return float64(max(p.ratio[0][b], p.ratio[1][b])) > moved*max(p.tr.scale, 0.25)
}

// otherScene tries the other light that is known.
func (p *Prints) otherScene() bool {
	was := p.sc
	other := p.scenes[0]
	if other == was {
		other = p.scenes[1]
	}
	if other.learned < learnStills {
		return false
	}
	p.sc = other
	p.now, p.old = p.old, p.now
	if p.elsewhere() {
		p.sc = was
		p.now, p.old = p.old, p.now
		p.elsewhere()
		return false
	}
	p.paired, p.freezes, p.peaks = 0, run{}, peaks{}
	p.loop.n = 0 // prints of another light say nothing about this one's
	return true
}

// replaceScene begins to learn a new scene in place of the one that was not used last.
func (p *Prints) replaceScene() {
	other := p.scenes[0]
	if other == p.sc {
		other = p.scenes[1]
	}
	other.forget()
	p.sc = other
	p.loop.n, p.changed = 0, 0
}

// learn adds a still to the scene. One that does not differ from the one before it by the noise that is known so far is not
// learned from: a picture that is frozen while it is learned must not become the scene.
func (p *Prints) learn(at time.Duration, first bool) []Finding {
	sc := p.sc
	if !first && sc.learned > sceneStills {
		if d := p.differs(); d >= learnDiffers {
			if sameQuantiser(p.qp, p.qpOld) {
				sc.usually(d, p.qp)
			}
		} else {
			return p.both(Finding{State: Unknown, At: at, Score: float64(sc.learned), Limit: learnStills, Say: fmt.Sprintf("learning: %d of %d keyframes; the newest one does not differ from the one before, and is not learned from", sc.learned, learnStills)})
		}
	}
	sc.learned++
	sc.turn = sc.learned % 2
	same := !first && sameQuantiser(p.qp, p.qpOld)
	if !first {
		sc.calmly(p.changes)
	}
	if same {
		sc.pairs++
	}
	for b := range p.tab.mean {
		sc.learnBlock(b, p.tab.still, p.tab.mean[b])
		if same || !first && sc.pairs == 0 { // two steps differ by more than noise: what they do stands in for want of better
			sc.learnNoise(b, p.tab.difference(b), sc.pairs)
		}
	}
	p.paired, p.freezes, p.peaks = 0, run{}, peaks{}
	if sc.learned == learnStills {
		p.weighScene()
	}
	f := Finding{State: Unknown, At: at, Score: float64(sc.learned), Limit: learnStills, Say: fmt.Sprintf("learning: %d of %d keyframes", sc.learned, learnStills)}
	if sc.learned == learnStills && p.certified > 0 && float64(p.noise()) < p.certified/certifiedLess {
		f.Say = fmt.Sprintf("the noise of what was learned, %.2f, is far under the %.2f that was measured at set-up: this may be no sensor; it is learned anew", p.noise(), p.certified)
		sc.forget()
	}
	return p.both(f)
}

// weighScene finds out whether the scene that was just learned is one: a lens that is covered must not become usual.
func (p *Prints) weighScene() {
	other := p.scenes[0]
	if other == p.sc {
		other = p.scenes[1]
	}
	p.sc.poor = 0
	if other.learned >= learnStills && other.poor == 0 {
		if share := float64(p.sc.textured()) / float64(max(other.textured(), 1)); share < scenePoor {
			p.sc.poor = max(share, 1e-6)
		}
	}
}

// differs is how much the still differs from the one before, as a share of the scene's noise: 1 if their noise is independent.
func (p *Prints) differs() float64 {
	d := p.scratch[:0]
	for b, v := range p.sc.noise {
		if v >= leastNoise {
			d = append(d, p.tab.difference(b)/v)
		}
	}
	return float64(median(d))
}

// noise is the scene's, in squared grey levels a pixel: the median of its blocks.
func (p *Prints) noise() float32 { return median(append(p.scratch[:0], p.sc.noise...)) }

// judge compares the still's print with the one before and with those of the last minutes.
func (p *Prints) judge(at time.Duration) []Finding {
	var same float64
	p.tr.differs, p.tr.still, p.tr.thin = 1, 0, false
	if p.paired++; p.paired > 1 {
		p.tr.adj, p.tr.tiles = votes(p.bw, p.bh, [2][2]*print{{&p.now[0], &p.old[1]}, {&p.now[1], &p.old[0]}}, p.votesRoom)
		p.tr.differs = p.differs()
		share := p.tr.differs / p.sc.usual
		if share < liveDiffers || !sameQuantiser(p.qp, p.qpOld) {
			p.tr.still = p.sc.still(p.changes, share)
		}
		same = max(min(p.tr.adj, changedCounts*(1-share/p.sc.left(p.qp))), min(calmAdds*p.tr.adj, p.tr.still))
		p.tr.thin = p.tr.adj > p.cfg.Freeze && same <= p.cfg.Freeze && 1-share > p.cfg.Freeze
	}
	coders := p.tr.scale > codersFrom*p.sc.usual*p.sc.left(p.qp)
	p.tr.likeness, p.tr.lagged = p.loop.match(&p.now[1], p.qp, p.cfg.Loop, coders)
	// What is unsure is remembered as fresh, or no quantiser that is seldom used would ever be known; the scene does not follow it.
	p.loop.add(&p.now[0], p.qp, !p.looped && !p.frozen && (p.tr.unsure || p.tr.peak < p.cfg.Loop))
	all := []Finding{p.freeze(at, same), p.again(at)}
	if same < p.cfg.Freeze/2 && !p.tr.thin && !p.frozen && !p.looped && p.tr.peak < p.cfg.Loop/2 {
		if p.paired > 1 && sameQuantiser(p.qp, p.qpOld) { // two steps differ by more than noise
			p.sc.usually(p.tr.differs, p.qp)
		}
		p.sc.calmly(p.changes)
		p.follow()
	}
	return all
}

// freeze gives the verdict on a frozen picture.
func (p *Prints) freeze(at time.Duration, score float64) Finding {
	f := Finding{By: "freeze", State: Unknown, At: at, Score: score, Limit: p.cfg.Freeze}
	switch {
	case p.paired > 1 && p.tr.tiles < leastTiles:
		f.Say = fmt.Sprintf("only %d parts of the picture show noise, too few to judge: the picture is too dark, too bright or coded too coarsely", p.tr.tiles)
		p.freezes = run{}
		return f
	case p.tr.thin && !p.frozen:
		f.Say = p.sayThin()
		return f
	case p.paired > 1 && !p.tr.thin:
		p.freezes.add(score > p.cfg.Freeze)
	}
	over := p.freezes.count()
	switch {
	case p.freezes.n < minimum-1 && !p.frozen:
		f.Say = fmt.Sprintf("judged: %d of %d keyframes of this connection", p.paired, minimum)
		return f
	case over >= 2:
		p.frozen = true
	case over == 0 && p.freezes.n >= len(p.freezes.over):
		p.frozen = false
	}
	switch {
	case p.frozen:
		f.State = Frozen
		f.Say = fmt.Sprintf("the noise of this keyframe is that of the one before by %.2f, in %d of the last %d; of a live sensor it is under %.2f", score, over, len(p.freezes.over), p.cfg.Freeze)
	case over > 0:
		f.Say = fmt.Sprintf("one keyframe of the last %d had the noise of the one before; one more and the picture is frozen", len(p.freezes.over))
	default:
		f.State = Live
		f.Say = fmt.Sprintf("the noise of each keyframe is new: it is like that of the one before by %.2f, under %.2f", score, p.cfg.Freeze)
	}
	return f
}

// again gives the verdict on a loop.
func (p *Prints) again(at time.Duration) Finding {
	f := Finding{By: "loop", State: Unknown, At: at, Score: p.tr.peak, Limit: p.cfg.Loop}
	if !p.tr.lagged {
		f.Say = fmt.Sprintf("judged once %d keyframes are remembered", loopLags+loopLeast)
		return f
	}
	switch {
	case p.tr.thin && p.looped:
		f.State, f.Say = Replayed, "it looked like a loop, and this keyframe cannot be judged"
		return f
	case p.tr.thin:
		f.Say = p.sayThin()
		return f
	}
	p.peaks.add(p.tr.likeness)
	switch {
	case p.peaks.again(p.cfg.Loop) >= 0:
		p.looped = true
	case p.peaks.n >= minimum && max(p.peaks.at[0].peak, p.peaks.at[1].peak, p.peaks.at[2].peak) <= p.cfg.Loop:
		p.looped = false
	}
	switch {
	case p.looped:
		f.State = Replayed
		f.Say = fmt.Sprintf("the noise of this keyframe is that of the one %d before by %.2f, again and again; of a live sensor that happens now and then, at no one distance", p.tr.lag, p.tr.peak)
	case p.tr.unsure:
		f.Say = fmt.Sprintf("this keyframe is like the one %d before by %.2f, as stills of one quantiser may be, of which too few are known yet; if it goes on at one distance it is a loop; a steadier bit rate would help", p.tr.lag, p.tr.peak)
	case p.peaks.n >= minimum-1:
		f.State = Live
		f.Say = fmt.Sprintf("the keyframes do not come again: of the last %d the likest to this one, %d before, is so by %.2f; about %.2f at one distance, again and again, is a loop", min(p.loop.n, len(p.loop.ring)), p.tr.lag, p.tr.peak, p.cfg.Loop)
	default:
		f.Say = fmt.Sprintf("judged: %d of %d keyframes", p.peaks.n, minimum-1)
	}
	return f
}

// sayThin says why a still whose noise has gone is not judged, and what helps.
func (p *Prints) sayThin() string {
	s := fmt.Sprintf("this keyframe differs from the one before by %.2f of the scene's noise, of %.2f that are usual: too little to tell a live sensor from a frozen one", p.tr.differs, p.sc.usual)
	if p.qp > p.sc.qp && p.sc.qp > 0 {
		s += fmt.Sprintf("; it is coded at quantiser %.0f, and was learned at %.0f: raise the camera's bit rate", p.qp, p.sc.qp)
	}
	return s
}

func near(a, b int) bool { return a-b <= 1 && b-a <= 1 }

// follow lets the scene follow slow light, and lets a block that has shown something else for long begin anew.
func (p *Prints) follow() {
	sc := p.sc
	sc.turn ^= 1
	for b := range p.tab.mean {
		young := sc.n[0][b] < blockStills || sc.n[1][b] < blockStills
		switch {
		case !p.strange(b) || young:
			sc.odd[b] = 0
		case sc.odd[b] < relearnBlock:
			sc.odd[b]++
			continue
		default:
			sc.n[0][b], sc.n[1][b], sc.odd[b] = 0, 0, 0
		}
		sc.learnBlock(b, p.tab.still, p.tab.mean[b])
		if p.paired > 1 && sameQuantiser(p.qp, p.qpOld) {
			sc.learnNoise(b, p.tab.difference(b), slowStills)
		}
	}
}
