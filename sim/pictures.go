package sim

import (
	"math/rand/v2"
	"time"

	"eyebolt/camera"
	"eyebolt/liveness"
)

// pictures is the shipped Judge, fed with a camera's pictures one by one over a modelled link.
type pictures struct {
	h    *home
	e    *eye
	boot int
	j    *liveness.Judge
	from *Arrivals
	at   time.Duration // the town's time of the link's zero
	rng  *rand.Rand
	kept [][]byte // newest slices, for whoever shows them again
	show int      // which of them he shows next
	open bool
	away time.Duration // pictures lost since then; 0: none
	by   string        // the detector that holds something against the camera
	held bool          // a detector that must see decoded pictures has said its word
}

// keptSlices is how many pictures somebody who replays has recorded.
const keptSlices = 90

func newPictures(h *home, e *eye) *pictures {
	link := Links[1]
	if h.plan.Wired {
		link = Links[0]
	}
	seed := h.t.sc.Seed*1024 + uint64(h.side.n)*64 + uint64(h.boot)
	p := &pictures{
		h: h, e: e, boot: h.boot, at: h.t.now, from: NewArrivals(link, seed), rng: rand.New(rand.NewPCG(seed, 3)),
		j: liveness.New(liveness.Config{A1: e.a1, Replay: 2048, Keys: 256}),
	}
	p.j.Opened(h.mono())
	p.open = true
	p.next()
	return p
}

// next plans the next picture's arrival.
func (p *pictures) next() {
	m, a := p.from.Next()
	media := time.Duration(m * float64(time.Second))
	key := p.from.Key()
	arrives := max(p.h.t.now, p.at+time.Duration(a*float64(time.Second))+p.e.lag(p.h.t.now))
	p.h.t.q.push(arrives, func() {
		if p.h.boot != p.boot || !p.h.up {
			return
		}
		p.arrive(media, key)
		p.next()
	})
}

func (p *pictures) arrive(media time.Duration, key bool) {
	h, e := p.h, p.e
	now := h.mono()
	if h.stalled {
		return // it waits in a socket, and the judge is told nothing: a burst that is lost
	}
	sent := p.at + media
	if e.dark || sent < e.lit {
		if p.away == 0 {
			p.away = h.t.now
		}
		if p.open && h.t.now-p.away > 10*time.Second { // the driver's read gives up
			p.open = false
			p.j.Closed(now)
			h.relook()
		}
		return
	}
	if !p.open {
		p.open = true
		p.j.Opened(now)
	}
	p.away, e.sent = 0, sent
	nal := p.slice(key)
	p.j.Picture(camera.Picture{Media: media, Arrival: now, Key: key, NALs: [][]byte{nal}})
	p.decoded(now)
	if p.j.Verdict().State != e.said {
		h.relook()
	}
}

// slice is a coded slice: a live sensor's, or one that was shown before.
func (p *pictures) slice(key bool) []byte {
	if k := p.e.blind.kind; (k == "replayed" || k == "frozen") && len(p.kept) > 0 {
		if k == "frozen" {
			return p.kept[len(p.kept)-1]
		}
		p.show++
		return p.kept[p.show%len(p.kept)]
	}
	b := make([]byte, 400)
	if key {
		b = make([]byte, 5000)
	}
	for i := 0; i+8 <= len(b); i += 8 {
		r := p.rng.Uint64()
		for k := range 8 {
			b[i+k] = byte(r >> (8 * k))
		}
	}
	b[0] = 0x41
	if key {
		b[0] = 0x65
	}
	b[len(b)-1] |= 0x80
	if p.kept = append(p.kept, b); len(p.kept) > keptSlices {
		p.kept = p.kept[1:]
	}
	return b
}

// decoded is the word of detectors that must see decoded pictures, which this level does not make: it comes by their measured bounds.
func (p *pictures) decoded(now time.Duration) {
	b := p.e.blind
	bad := (b.kind == "loop" || b.kind == "covered") && b.found > 0 && p.h.t.now >= b.found
	switch {
	case bad:
		p.held = true
		p.by = map[string]string{"loop": "loop", "covered": "cover"}[b.kind]
		p.j.Found(liveness.Finding{By: p.by, State: b.state, At: now, Score: 1, Say: "as " + b.kind})
	case p.held:
		p.held = false
		p.j.Found(liveness.Finding{By: p.by, State: liveness.Live, At: now})
	}
}

func (p *pictures) verdict(now time.Duration) liveness.Verdict { return p.j.Tick(p.h.mono()) }

func (p *pictures) due(now time.Duration) time.Duration {
	if d := p.j.Due(); d != liveness.NoDeadline {
		return p.h.bootAt + d
	}
	return now + liveness.TickEvery
}
