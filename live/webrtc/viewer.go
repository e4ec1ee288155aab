package webrtc

import (
	"encoding/json"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/rtp"
	pion "github.com/pion/webrtc/v4"

	"eyebolt/live"
)

const (
	// queue is how many pictures may wait for a viewer: two seconds at 15 a second. A slower one is taken to the
	// next key picture.
	queue = 32
	// ageEvery is how often a viewer is told the age.
	ageEvery = 100 * time.Millisecond
	// A burst is paced, so that neither this socket's buffer nor the viewer's overflows: 32 packets in 2 ms is 150 Mbit/s.
	burstPackets = 32
	burstPause   = 2 * time.Millisecond
	// catchUp is the distance of cached pictures in the viewer's time, in ticks of 90 kHz: 1 ms, so that it decodes
	// them at once and shows the newest (S15), instead of running behind by a group of pictures.
	catchUp = 90
)

// viewer is one peer connection.
type viewer struct {
	s     *Server
	door  *door
	name  string // of the door
	who   string
	pc    *pion.PeerConnection
	track *pion.TrackLocalStaticRTP
	delay uint8 // the playout-delay extension's number; 0: the viewer does not know it

	pics chan *picture
	up   chan struct{} // closed when the connection stands
	end  chan struct{} // closed when the viewer goes
	gone chan struct{} // closed when all of it has ended
	conn sync.Once
	once sync.Once

	// The door's mutex guards these.
	behind bool // pictures are left out until the next key picture

	mu   sync.Mutex // guards these
	sent *picture
	rtp  uint32
	dc   *pion.DataChannel // "age"
	ping uint64            // the newest that came
	came time.Duration     // when

	channels int  // data channels that it opened
	clips    bool // one of them is "clip"
}

// give hands a picture over without waiting. The door's mutex is held.
func (v *viewer) give(p *picture) {
	if v.behind && !p.key {
		return
	}
	select {
	case v.pics <- p:
		v.behind = false
	default:
		v.behind = true
	}
}

// run sends the newest group of pictures at once, then each as it comes. It starts when the connection stands.
func (v *viewer) run() {
	v.door.mu.Lock()
	select {
	case <-v.end:
		v.door.mu.Unlock()
		return
	default:
	}
	cached := v.door.gop[:len(v.door.gop):len(v.door.gop)]
	v.behind = len(cached) == 0
	v.door.viewers[v] = struct{}{}
	v.door.mu.Unlock()

	base, seq := rand.Uint32(), uint16(rand.Uint32())
	stamp := func(at time.Duration) uint32 { return base + uint32(int64(at)*9/100_000) }
	packets := 0
	send := func(p *picture, ts uint32) bool {
		all := p.packets()
		for i, payload := range all {
			pkt := &rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: ts, Marker: i == len(all)-1},
				Payload: payload,
			}
			seq++
			if v.delay != 0 {
				// Show each picture as soon as it is decoded: no delay at least, 100 ms at most.
				_ = pkt.SetExtension(v.delay, []byte{0, 0, 10})
			}
			if err := v.track.WriteRTP(pkt); err != nil {
				v.s.cfg.Log.Debug("live: send", "door", v.name, "err", err)
				v.close()
				return false
			}
			if packets++; packets%burstPackets == 0 && !v.pause(burstPause) {
				return false
			}
		}
		v.mu.Lock()
		v.sent, v.rtp = p, ts
		v.mu.Unlock()
		return true
	}
	for i, p := range cached {
		if !send(p, stamp(cached[len(cached)-1].at)-uint32(len(cached)-1-i)*catchUp) {
			return
		}
	}
	for {
		select {
		case <-v.end:
			return
		case p := <-v.pics:
			if !send(p, stamp(p.at)) {
				return
			}
		}
	}
}

// pause waits, or says that the viewer has gone.
func (v *viewer) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-v.end:
		return false
	case <-t.C:
		return true
	}
}

// tellAge sends the age until the viewer goes. A message that cannot leave at once is left out: the next is newer.
func (v *viewer) tellAge() {
	tick := time.NewTicker(ageEvery)
	defer tick.Stop()
	var evidence time.Duration
	for {
		v.mu.Lock()
		sent, stamp, dc, ping, came := v.sent, v.rtp, v.dc, v.ping, v.came
		v.mu.Unlock()
		now := v.s.cfg.Now()
		a := v.door.age(now, sent, stamp, &evidence)
		if second := v.s.cfg.Second; second != nil && second(v.name) {
			a.Shows = "second"
		}
		if ping != 0 {
			a.Ping, a.Held = ping, max(now-came, 0).Milliseconds()
		}
		if dc != nil && dc.ReadyState() == pion.DataChannelStateOpen && dc.BufferedAmount() < 4096 {
			if data, err := json.Marshal(a); err == nil {
				_ = dc.SendText(string(data)) // the connection's state tells that it is gone
			}
		}
		select {
		case <-v.end:
			return
		case <-tick.C:
		}
	}
}

// maxPing is the longest message that a Ping can be.
const maxPing = 64

// hear takes a viewer's Ping.
func (v *viewer) hear(m pion.DataChannelMessage) {
	var p live.Ping
	if len(m.Data) > maxPing || json.Unmarshal(m.Data, &p) != nil {
		return
	}
	now := v.s.cfg.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	if p.Ping > v.ping {
		v.ping, v.came = p.Ping, now
	}
}

// close ends the viewer; it may be called again and from anywhere.
func (v *viewer) close() {
	v.once.Do(func() {
		close(v.end)
		v.door.mu.Lock()
		delete(v.door.viewers, v)
		v.door.mu.Unlock()
		v.s.forget(v)
		go func() { // it waits for pion's own goroutines, of which one may be the caller
			_ = v.pc.Close()
			close(v.gone)
		}()
	})
}
