package cameratest

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/auth"
	"github.com/pion/rtp"

	"eyebolt/camera"
)

// Run holds an RTSP driver to the contract of package camera. A driver passes it with eight lines of test.
func Run(t *testing.T, open camera.Open) {
	for _, c := range []camera.Codec{camera.H264, camera.H265} {
		for _, transport := range []string{"tcp", "udp"} {
			t.Run(fmt.Sprintf("%s/%s", name(c), transport), func(t *testing.T) {
				streams(t, open, Setup{Codec: c}, camera.Config{Transport: transport})
			})
		}
	}
	for word, m := range map[string]auth.VerifyMethod{
		"basic": auth.VerifyMethodBasic, "md5": auth.VerifyMethodDigestMD5, "sha256": auth.VerifyMethodDigestSHA256,
	} {
		t.Run("password/"+word, func(t *testing.T) {
			pass := "p@ss:/wörd"
			if m == auth.VerifyMethodBasic {
				pass = "p@ss/wörd" // the test's server takes no colon in a basic password
			}
			streams(t, open, Setup{User: "eye bolt", Pass: pass, Auth: m}, camera.Config{})
		})
	}
	t.Run("tls", func(t *testing.T) { streams(t, open, Setup{TLS: true}, camera.Config{}) })
	for _, transport := range []string{"tcp", "udp"} {
		t.Run("wraps/"+transport, func(t *testing.T) {
			var w wrap
			streams(t, open, Setup{Alter: w.alter}, camera.Config{Transport: transport})
			if w.behind < gop {
				t.Errorf("the test has sent %d pictures behind the wrap", w.behind)
			}
		})
	}
	t.Run("loss", func(t *testing.T) { loss(t, open) })
	t.Run("jam/tcp", func(t *testing.T) { jam(t, open, true) })
	t.Run("jam/udp", func(t *testing.T) { jam(t, open, false) })
	t.Run("reconnects", func(t *testing.T) { reconnects(t, open) })
	t.Run("says what to do next", func(t *testing.T) { refusals(t, open) })
	t.Run("a Config that can never work", func(t *testing.T) { never(t, open) })
	t.Run("close", func(t *testing.T) { closes(t, open) })
}

// wrap moves a stream's timestamps and sequence numbers so that both begin anew within its second group of pictures (RFC 3550
// section 5.1: both may begin anywhere).
type wrap struct {
	known  bool
	ts     uint32
	seq    uint16
	behind int // pictures sent behind the wrap of timestamps
}

func (w *wrap) alter(all []*rtp.Packet) []*rtp.Packet {
	if !w.known {
		w.known, w.ts, w.seq = true, all[0].Timestamp+(gop+5)*90_000/15, all[0].SequenceNumber+40
	}
	for _, p := range all {
		p.Timestamp -= w.ts
		p.SequenceNumber -= w.seq
	}
	if all[0].Timestamp < 1<<31 {
		w.behind++
	}
	return all
}

func name(c camera.Codec) string {
	if c == camera.H265 {
		return "h265"
	}
	return "h264"
}

// playing waits until a camera has n sessions that play.
func (s *Server) playing(n int) {
	s.tb.Helper()
	Until(s.tb, fmt.Sprintf("%d playing", n), func() bool { return s.Plays() >= n })
}

// Until polls a condition that no call announces.
func Until(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	t := time.NewTicker(2 * time.Millisecond)
	defer t.Stop()
	for end := time.Now().Add(patience); !ok(); <-t.C {
		if time.Now().After(end) {
			tb.Fatalf("not in %v: %s", patience, what)
		}
	}
}

// start serves a camera and watches it until it plays.
func start(t *testing.T, open camera.Open, set Setup, cfg camera.Config) (*Server, *Eye, camera.Camera) {
	t.Helper()
	s, e := Serve(t, set), NewEye(t)
	cfg.URL, cfg.CertHash = s.URL(), s.Hash
	cam := e.Watch(open, cfg)
	s.playing(1)
	return s, e, cam
}

// streams: every picture that is sent comes, once, whole and in order, with the media time it was sent with.
func streams(t *testing.T, open camera.Open, set Setup, cfg camera.Config) {
	src := Noise(orH264(set.Codec), 7)
	sent := Pictures(t, src, 2*gop)
	set.Source = Clip(src.Params(), sent)
	s, e := Serve(t, set), NewEye(t)
	e.Keep = true
	cfg.URL, cfg.CertHash = s.URL(), s.Hash
	e.Watch(open, cfg)
	s.playing(1)
	// The last one is a whole GOP past those looked at: a driver may hand a picture over only when the next one begins.
	for i := range 3 * gop {
		s.Send(1)
		if i > 0 {
			e.Pictures(i)
		}
	}
	p := e.Openings(1)[0]
	if p.Codec != orH264(set.Codec) || p.Width != 1280 || p.Height != 720 {
		t.Errorf("opened with codec %d, %d×%d; want %d, 1280×720", p.Codec, p.Width, p.Height, orH264(set.Codec))
	}
	if want := src.Params(); string(p.SPS) != string(want.SPS) || string(p.PPS) != string(want.PPS) || string(p.VPS) != string(want.VPS) {
		t.Errorf("parameter sets are not the camera's")
	}
	for i, got := range e.Pictures(2 * gop)[:2*gop] {
		want := sent[i%len(sent)]
		if d := got.Media - time.Duration(i)*time.Second/15; d < -time.Microsecond || d > time.Microsecond {
			t.Errorf("picture %d: media time %v, want %v", i, got.Media, time.Duration(i)*time.Second/15)
		}
		if got.Key != (i%gop == 0) || got.Missing != 0 {
			t.Errorf("picture %d: key %v, missing %d; want %v, 0", i, got.Key, got.Missing, i%gop == 0)
		}
		if len(got.NALs) != len(want) {
			t.Fatalf("picture %d: %d NAL units, want %d", i, len(got.NALs), len(want))
		}
		for k := range want {
			if string(got.NALs[k]) != string(want[k]) {
				t.Errorf("picture %d: NAL unit %d differs", i, k)
			}
		}
	}
	secret(t, e, set)
}

func orH264(c camera.Codec) camera.Codec {
	if c == camera.NoCodec {
		return camera.H264
	}
	return c
}

// secret: no password, raw or escaped, in the log.
func secret(t *testing.T, e *Eye, set Setup) {
	t.Helper()
	if set.Pass == "" {
		return
	}
	for _, w := range []string{set.Pass, url.QueryEscape(set.Pass), url.PathEscape(set.Pass), url.UserPassword("", set.Pass).String()} {
		if strings.Contains(e.Log(), w) {
			t.Errorf("the log holds the password:\n%s", e.Log())
		}
	}
}

// loss: a picture that lost a packet is no picture, and the next one says how many are missing.
func loss(t *testing.T, open camera.Open) {
	n := 0
	set := Setup{Alter: func(p []*rtp.Packet) []*rtp.Packet {
		n++
		switch {
		case n == 5:
			return p[1:] // a fragment's beginning
		case n == 8:
			return p[:len(p)-1] // its end
		case n == 11:
			return nil // all of it
		default:
			return p
		}
	}}
	for _, transport := range []string{"tcp", "udp"} {
		t.Run(transport, func(t *testing.T) {
			n = 0
			s, e, _ := start(t, open, set, camera.Config{Transport: transport})
			s.Send(15)
			var at []int
			missing := uint32(0)
			for _, p := range e.Pictures(12)[:12] {
				at = append(at, int((p.Media+time.Millisecond)*15/time.Second)+1)
				missing += p.Missing
			}
			if got, want := fmt.Sprint(at), "[1 2 3 4 6 7 9 10 12 13 14 15]"; got != want {
				t.Errorf("whole pictures %s, want %s", got, want)
			}
			if want := uint32(6); missing != want { // three pictures of two packets
				t.Errorf("%d packets missing, want %d", missing, want)
			}
		})
	}
}

// jam: what a jam holds back comes late, with its own media time and its late arrival; what it loses does not come.
func jam(t *testing.T, open camera.Open, keep bool) {
	cfg := camera.Config{Transport: "tcp"}
	if !keep {
		cfg.Transport = "udp"
	}
	s, e, _ := start(t, open, Setup{}, cfg)
	s.Send(5)
	before := e.Pictures(4)
	s.Jam(keep)
	s.Send(6)
	from := e.Now()
	s.Resume()
	s.Send(5)
	want := 15
	if !keep {
		want = 9
	}
	all := e.Pictures(want)
	step := all[5].Media - all[4].Media
	switch {
	case keep && (step > 67*time.Millisecond || all[5].Arrival < from):
		t.Errorf("after the jam: a step of %v of media time, arrival %v; want one period, and not before %v", step, all[5].Arrival, from)
	case !keep && step < 460*time.Millisecond:
		t.Errorf("after the jam: a step of %v of media time; want seven periods", step)
	}
	if n := len(before); all[n-1].Arrival > from {
		t.Errorf("a picture from before the jam arrived in it")
	}
}

// reconnects: each connection is a timeline of its own, and the driver comes back by itself.
func reconnects(t *testing.T, open camera.Open) {
	s, e, _ := start(t, open, Setup{}, camera.Config{})
	s.Send(5)
	e.Pictures(4)
	s.Break()
	if err := e.Closings(1)[0]; !errors.Is(err, camera.ErrStreamEnded) {
		t.Errorf("connection broken: %v, want %v", err, camera.ErrStreamEnded)
	}
	s.playing(1)
	s.Run()
	n := len(e.Pictures(8))
	e.Openings(2)

	s.Unplug()
	e.Closings(2)
	if err := e.Closings(3)[2]; !errors.Is(err, camera.ErrUnreachable) {
		t.Errorf("unplugged: %v, want %v", err, camera.ErrUnreachable)
	}
	s.Plug()
	e.Pictures(n + 5)
	e.Openings(3)
}
