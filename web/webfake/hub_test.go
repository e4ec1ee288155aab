package webfake

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"eyebolt/live"
)

// hub is the far end of a live view: real WebRTC, a real H.264 picture, the ages and the clips of package live, signed
// with its key.
type hub struct {
	tb      testing.TB
	public  ed25519.PublicKey
	private ed25519.PrivateKey
	frames  [][]byte
	clip    []byte

	mu     sync.Mutex
	forge  bool // sign something else
	still  bool // send no more pictures, and let their age grow
	mute   bool // send neither pictures nor ages
	rotten bool // send another clip than the one on record
	breaks int  // how often a transfer breaks in the middle, and the connection with it
	froms  []int64
	slow   time.Duration // how long an age is on its way
	watch  string
	peers  []*webrtc.PeerConnection
}

func newHub(tb testing.TB) *hub {
	tb.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	film, err := os.ReadFile("testdata/hall.h264")
	if err != nil {
		tb.Fatal(err)
	}
	clip, err := os.ReadFile("testdata/visit.mp4")
	if err != nil {
		tb.Fatal(err)
	}
	h := &hub{tb: tb, public: public, private: private, frames: pictures(film), clip: clip, watch: "live"}
	tb.Cleanup(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, p := range h.peers {
			_ = p.Close() // the test is over
		}
	})
	return h
}

func (h *hub) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// pictures splits an Annex B stream (ITU-T H.264) into pictures; parameter sets stay with the picture that follows.
func pictures(film []byte) [][]byte {
	mark := []byte{0, 0, 0, 1}
	var all [][]byte
	var now []byte
	for _, nal := range bytes.Split(film, mark) {
		if len(nal) == 0 {
			continue
		}
		now = append(append(now, mark...), nal...)
		if kind := nal[0] & 0x1f; kind == 1 || kind == 5 {
			all = append(all, now)
			now = nil
		}
	}
	return all
}

func (h *hub) answer(offer string) (live.Answer, error) {
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	api := webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(h264()))
	peer, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return live.Answer{}, err
	}
	h.set(func() { h.peers = append(h.peers, peer) })
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264}, "door", "door")
	if err != nil {
		return live.Answer{}, err
	}
	if _, err := peer.AddTrack(track); err != nil {
		return live.Answer{}, err
	}
	gone := make(chan struct{})
	var once sync.Once
	peer.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			go h.send(track, gone)
		case webrtc.PeerConnectionStateClosed, webrtc.PeerConnectionStateFailed:
			once.Do(func() { close(gone) })
		}
	})
	peer.OnDataChannel(func(c *webrtc.DataChannel) {
		switch c.Label() {
		case "age":
			var heard pings
			c.OnMessage(heard.take)
			c.OnOpen(func() { go h.ages(c, &heard, gone) })
		case "clip":
			c.OnMessage(func(m webrtc.DataChannelMessage) { go h.sendClip(c, m.Data) })
		}
	})
	if err := peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return live.Answer{}, err
	}
	described, err := peer.CreateAnswer(nil)
	if err != nil {
		return live.Answer{}, err
	}
	gathered := webrtc.GatheringCompletePromise(peer)
	if err := peer.SetLocalDescription(described); err != nil {
		return live.Answer{}, err
	}
	<-gathered
	sdp := peer.LocalDescription().SDP
	ours, theirs := sha256.Sum256([]byte(offer)), sha256.Sum256([]byte(sdp))
	message := append(append([]byte("eyebolt live v1\n"), ours[:]...), theirs[:]...)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.forge {
		message[len(message)-1] ^= 1
	}
	return live.Answer{SDP: sdp, HubKey: h.public, Signature: ed25519.Sign(h.private, message)}, nil
}

func h264() *webrtc.MediaEngine {
	m := &webrtc.MediaEngine{}
	if err := m.RegisterDefaultCodecs(); err != nil {
		panic(err) // the defaults are constant
	}
	return m
}

const beat = time.Second / 15

func (h *hub) send(track *webrtc.TrackLocalStaticSample, gone <-chan struct{}) {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for i := 0; ; {
		select {
		case <-gone:
			return
		case <-tick.C:
		}
		h.mu.Lock()
		quiet := h.still || h.mute
		h.mu.Unlock()
		if quiet {
			continue
		}
		_ = track.WriteSample(media.Sample{Data: h.frames[i%len(h.frames)], Duration: beat}) // a lost viewer is not the test's
		i++
	}
}

// pings is the newest Ping that came, and when.
type pings struct {
	mu   sync.Mutex
	n    uint64
	came time.Time
}

func (p *pings) take(m webrtc.DataChannelMessage) {
	var ping live.Ping
	p.mu.Lock()
	defer p.mu.Unlock()
	if json.Unmarshal(m.Data, &ping) == nil {
		p.n, p.came = ping.Ping, time.Now()
	}
}

func (h *hub) ages(c *webrtc.DataChannel, heard *pings, gone <-chan struct{}) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	newest, seq := time.Now(), uint64(0)
	for {
		select {
		case <-gone:
			return
		case <-tick.C:
		}
		h.mu.Lock()
		still, mute, watch := h.still, h.mute, h.watch
		h.mu.Unlock()
		if mute {
			continue
		}
		if !still {
			newest = time.Now().Add(-120 * time.Millisecond)
			seq++
		}
		a := live.Age{Ms: time.Since(newest).Milliseconds(), Watch: watch, Seq: seq}
		heard.mu.Lock()
		if a.Ping = heard.n; a.Ping > 0 {
			a.Held = time.Since(heard.came).Milliseconds()
		}
		heard.mu.Unlock()
		b, err := json.Marshal(a)
		if err != nil {
			h.tb.Error(err)
			return
		}
		h.mu.Lock()
		slow := h.slow
		h.mu.Unlock()
		if slow > 0 {
			time.AfterFunc(slow, func() { _ = c.SendText(string(b)) }) // a lost viewer is not the test's
		} else if c.SendText(string(b)) != nil {
			return
		}
	}
}

// sendClip sends a file of the film, of which the fake has two: the second is the first with an empty box behind it.
func (h *hub) sendClip(c *webrtc.DataChannel, ask []byte) {
	var req struct {
		Get, SHA256 string
		From        int64
	}
	if err := json.Unmarshal(ask, &req); err != nil {
		h.tb.Error(err)
		return
	}
	film := bytes.Clone(h.clip)
	if req.SHA256 == digest(h.second()) {
		film = h.second()
	} else if req.SHA256 == digest(h.kept()) {
		film = h.kept()
	} else if req.SHA256 != digest(h.clip) {
		h.tb.Errorf("the page asked for %s", ask)
	}
	h.mu.Lock()
	if h.rotten {
		film[len(film)/2] ^= 1
	}
	breaks := h.breaks > 0
	h.breaks--
	h.froms = append(h.froms, req.From)
	peers := h.peers
	h.mu.Unlock()
	head, err := json.Marshal(object{"bytes": len(film), "from": req.From, "sha256": req.SHA256, "mime": `video/mp4; codecs="avc1.42c01e"`})
	if err != nil {
		h.tb.Error(err)
		return
	}
	if c.SendText(string(head)) != nil {
		return
	}
	half := len(film) / 2
	film = film[req.From:]
	for len(film) > 0 {
		if breaks && len(film) < half {
			for c.BufferedAmount() > 0 { // what was sent arrives
				time.Sleep(time.Millisecond)
			}
			time.Sleep(100 * time.Millisecond)
			_ = peers[len(peers)-1].Close() // this is what the test wants
			return
		}
		n := min(16<<10, len(film))
		if c.Send(film[:n]) != nil {
			return
		}
		film = film[n:]
	}
}

func (h *hub) second() []byte { return append(bytes.Clone(h.clip), 0, 0, 0, 8, 'f', 'r', 'e', 'e') }

// kept is what the camera had in its own storage.
func (h *hub) kept() []byte {
	return append(bytes.Clone(h.clip), 0, 0, 0, 9, 'f', 'r', 'e', 'e', 1)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
