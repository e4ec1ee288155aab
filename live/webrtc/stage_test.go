package webrtc

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	pion "github.com/pion/webrtc/v4"

	"eyebolt/camera"
	"eyebolt/live"
)

// frame is how long a picture lasts in the test stream.
const frame = time.Second / 15

// footage is a coded stream, picture by picture.
type footage struct {
	params camera.Params
	pics   []camera.Picture
}

// load reads the stream that the recorder's tests use: 12 s of 320×180, a key picture each second.
func load(tb testing.TB, path string) footage {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	f := footage{params: camera.Params{Codec: camera.H264}}
	for _, part := range bytes.Split(data, []byte{0, 0, 1})[1:] {
		nal := bytes.TrimRight(part, "\x00")
		switch nal[0] & 0x1f {
		case 7:
			f.params.SPS = nal
		case 8:
			f.params.PPS = nal
		case 9:
			f.pics = append(f.pics, camera.Picture{Media: time.Duration(len(f.pics)) * frame})
		}
		p := &f.pics[len(f.pics)-1]
		p.NALs = append(p.NALs, nal)
		p.Key = p.Key || nal[0]&0x1f == 5
	}
	return f
}

const hall = "../../record/fmp4/testdata/hall.h264"

// stage is a server with one camera, on a clock that the test moves or that runs.
type stage struct {
	*Server
	tb    testing.TB
	key   ed25519.PublicKey
	mu    sync.Mutex
	now   time.Duration
	real  time.Time // if set, the clock runs from here
	relay *live.Relay
}

func (s *stage) clock() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.real.IsZero() {
		return time.Since(s.real)
	}
	return s.now
}

func (s *stage) pass(d time.Duration) {
	s.mu.Lock()
	s.now += d
	s.mu.Unlock()
}

func set(tb testing.TB, change func(*Config)) *stage {
	tb.Helper()
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	s := &stage{tb: tb, key: pub, now: time.Hour}
	cfg := Config{
		Key: key, Now: s.clock, Loopback: true, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Admit: func(context.Context, live.Offer) error { return nil },
	}
	if change != nil {
		change(&cfg)
	}
	if s.Server, err = New(cfg); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// show gives pictures a frame apart, each judged 40 ms old.
func (s *stage) show(pics []camera.Picture) {
	for _, p := range pics {
		s.pass(frame)
		p.Arrival = s.clock()
		s.Picture("front", p)
		s.SetAge("front", 40, "live")
	}
}

// peer is a viewer made of pion, and what it got.
type peer struct {
	tb    testing.TB
	pc    *pion.PeerConnection
	offer live.Offer
	clip  *pion.DataChannel
	told  *pion.DataChannel

	mu      sync.Mutex
	packets []*rtp.Packet
	ages    []live.Age
	clips   []pion.DataChannelMessage
	closed  bool
}

func look(tb testing.TB, s *stage, who string) *peer {
	tb.Helper()
	p, err := tryLook(tb, s, who)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func tryLook(tb testing.TB, s *stage, who string) (*peer, error) {
	tb.Helper()
	var set pion.SettingEngine
	set.SetIncludeLoopbackCandidate(true)
	media := &pion.MediaEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		tb.Fatal(err)
	}
	pc, err := pion.NewAPI(pion.WithSettingEngine(set), pion.WithMediaEngine(media)).NewPeerConnection(pion.Configuration{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = pc.Close() })
	p := &peer{tb: tb, pc: pc}
	if _, err := pc.AddTransceiverFromKind(pion.RTPCodecTypeVideo, pion.RTPTransceiverInit{Direction: pion.RTPTransceiverDirectionRecvonly}); err != nil {
		tb.Fatal(err)
	}
	pc.OnTrack(func(t *pion.TrackRemote, _ *pion.RTPReceiver) {
		for {
			pkt, _, err := t.ReadRTP()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.packets = append(p.packets, pkt)
			p.mu.Unlock()
		}
	})
	age, err := pc.CreateDataChannel("age", nil)
	if err != nil {
		tb.Fatal(err)
	}
	p.told = age
	age.OnMessage(func(m pion.DataChannelMessage) {
		var a live.Age
		if json.Unmarshal(m.Data, &a) == nil {
			p.mu.Lock()
			p.ages = append(p.ages, a)
			p.mu.Unlock()
		}
	})
	if p.clip, err = pc.CreateDataChannel("clip", nil); err != nil {
		tb.Fatal(err)
	}
	p.clip.OnMessage(func(m pion.DataChannelMessage) {
		p.mu.Lock()
		p.clips = append(p.clips, m)
		p.mu.Unlock()
	})
	pc.OnConnectionStateChange(func(st pion.PeerConnectionState) {
		if st == pion.PeerConnectionStateClosed || st == pion.PeerConnectionStateFailed || st == pion.PeerConnectionStateDisconnected {
			p.mu.Lock()
			p.closed = true
			p.mu.Unlock()
		}
	})
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		tb.Fatal(err)
	}
	gathered := pion.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		tb.Fatal(err)
	}
	<-gathered
	p.offer = live.Offer{Door: "front", Viewer: who, SDP: pc.LocalDescription().SDP, Relay: s.relay}
	// A browser hides its own address so; the hub must live with a name that it cannot resolve.
	p.offer.SDP = strings.Replace(p.offer.SDP, "a=end-of-candidates",
		"a=candidate:1 1 udp 2113937151 0b2c3d4e-0000-4000-8000-000000000000.local 50000 typ host\r\na=end-of-candidates", 1)
	answer, err := s.Answer(context.Background(), p.offer)
	if err != nil {
		return nil, err
	}
	sum := live.Signed(sha256.Sum256([]byte(p.offer.SDP)), sha256.Sum256([]byte(answer.SDP)))
	if !bytes.Equal(answer.HubKey, s.key) || !ed25519.Verify(s.key, sum, answer.Signature) {
		tb.Error("the answer is not signed with the hub's key (S17)")
	}
	if err := pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: answer.SDP}); err != nil {
		tb.Fatal(err)
	}
	return p, nil
}

// age is the newest one told; the zero Age before any.
func (p *peer) age() live.Age {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ages) == 0 {
		return live.Age{}
	}
	return p.ages[len(p.ages)-1]
}

// until polls; the limit is for a machine that is busy with other things.
func until(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("waited for %s", what)
		}
	}
}

// shown puts the packets together again with pion's own H.264 reader: timestamps, and each picture's Annex B bytes.
func (p *peer) shown() (stamps []uint32, pics [][]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.SortStableFunc(p.packets, func(a, b *rtp.Packet) int { return int(int16(a.SequenceNumber - b.SequenceNumber)) })
	var h codecs.H264Packet
	var pic []byte
	for _, pkt := range p.packets {
		b, err := h.Unmarshal(pkt.Payload)
		if err != nil {
			p.tb.Fatal(err)
		}
		pic = append(pic, b...)
		if pkt.Marker {
			stamps, pics = append(stamps, pkt.Timestamp), append(pics, pic)
			pic = nil
		}
	}
	return stamps, pics
}

// annexB is a picture as shown puts it together.
func annexB(p camera.Picture, params camera.Params) (b []byte) {
	nals := p.NALs
	if p.Key {
		nals = append([][]byte{params.SPS, params.PPS}, nals...)
	}
	for i, n := range nals {
		kind := n[0] & 0x1f
		if kind == 9 || (kind == 7 || kind == 8) && (i >= 2 || !p.Key) {
			continue
		}
		b = append(append(b, 0, 0, 0, 1), n...)
	}
	return b
}
