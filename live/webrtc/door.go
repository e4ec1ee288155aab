package webrtc

import (
	"sync"
	"time"

	"eyebolt/camera"
	"eyebolt/live"
)

const (
	// maxViewers is per door: a household's phones and tablets, and every one costs the home's uplink a stream.
	maxViewers = 8
	// What a new viewer is sent at once, from the newest key picture on: at most 300 pictures (20 s at 15 a second) and
	// 4 MiB. A camera with rarer or larger key pictures shows nothing before its next one.
	cachePictures = 300
	cacheBytes    = 4 << 20
	// verdictGood is how long the hub's verdict is passed on; past it the watch's word is "unknown".
	verdictGood = time.Second
)

// door is one camera and who looks.
type door struct {
	mu      sync.Mutex
	params  *camera.Params
	conn    uint64
	shift   time.Duration // picture.at = Media + shift, on this connection
	keyed   bool          // a key picture has come on this connection
	seq     uint64
	at      time.Duration // of the newest picture
	arrival time.Duration
	gop     []*picture // from the newest key picture on, complete; empty if it grew too large
	gopSize int
	back    int  // pictures since the newest key picture that others need and that are shown before one that came earlier
	tangled bool // such pictures are how this camera codes: no browser can show it live
	viewers map[*viewer]struct{}
	verdict verdict
}

// verdict is what the hub said last. evidence is the moment, on the hub's clock, that the picture at place at of connection
// conn showed.
type verdict struct {
	known    bool
	told     time.Duration
	watch    string
	conn     uint64
	at       time.Duration
	evidence time.Duration
}

func (d *door) opened(p *camera.Params) (drop []*viewer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.params != nil && !sameParams(d.params, p) {
		d.gop, d.gopSize = nil, 0 // the old pictures need parameters that are gone
	}
	d.params, d.keyed, d.back, d.tangled = p, false, 0, false
	d.conn++
	if p.Codec != camera.H264 {
		for v := range d.viewers { // order does not matter: all go
			drop = append(drop, v)
		}
	}
	return drop
}

// tangledFrom is how many pictures that step back, and that others need, in one group of pictures tell B-frames that cannot be
// left out: a camera whose clock stumbles steps back once.
const tangledFrom = 3

// take keeps a picture for viewers to come and gives it to those who look. Those in drop cannot be shown what comes.
func (d *door) take(p camera.Picture) (drop []*viewer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.params == nil || d.params.Codec != camera.H264 || !d.keyed && !p.Key {
		return nil
	}
	if !d.keyed {
		// A new connection counts from zero: its pictures follow by their arrival.
		d.shift = d.at + max(p.Arrival-d.arrival, time.Millisecond) - p.Media
		d.keyed = true
	}
	// Browsers decode live pictures in the order in which they are shown: of a camera with B-frames they get the others.
	if p.Key {
		d.back = 0
	}
	if p.Media+d.shift < d.at {
		if dispensable(p.NALs) {
			return nil
		}
		if d.back++; d.back >= tangledFrom && !d.tangled {
			d.tangled, d.gop, d.gopSize = true, nil, 0
			for v := range d.viewers { // order does not matter: all go
				drop = append(drop, v)
			}
		}
	}
	if d.tangled {
		return drop
	}
	pic := newPicture(p, d.params)
	d.seq++
	d.at, d.arrival = p.Media+d.shift, p.Arrival
	pic.seq, pic.conn, pic.at = d.seq, d.conn, d.at
	switch {
	case pic.key:
		d.gop, d.gopSize = append(make([]*picture, 0, 64), pic), pic.bytes()
	case len(d.gop) > 0:
		d.gop, d.gopSize = append(d.gop, pic), d.gopSize+pic.bytes()
		if len(d.gop) > cachePictures || d.gopSize > cacheBytes {
			d.gop, d.gopSize = nil, 0
		}
	}
	for v := range d.viewers { // order does not matter: nobody waits
		v.give(pic)
	}
	return nil
}

func (d *door) judge(now time.Duration, ms int64, watch string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.verdict = verdict{
		known: ms >= 0, told: now, watch: watch, conn: d.conn, at: d.at,
		evidence: now - time.Duration(ms)*time.Millisecond,
	}
}

// age fills in how old a picture is. evidence is what was known of it before, for when the verdict is no longer about its
// connection.
func (d *door) age(now time.Duration, pic *picture, rtp uint32, evidence *time.Duration) live.Age {
	d.mu.Lock()
	v := d.verdict
	d.mu.Unlock()
	a := live.Age{Ms: -1, Watch: v.watch}
	if v.watch == "" || now-v.told > verdictGood {
		a.Watch = "unknown"
	}
	if pic == nil {
		return a
	}
	a.Seq, a.RTP = pic.seq, rtp
	if v.known && v.conn == pic.conn {
		*evidence = v.evidence - (v.at - pic.at)
	}
	if *evidence != 0 {
		a.Ms = max(now-*evidence, 0).Milliseconds()
	}
	return a
}
