package cameratest

import (
	"errors"
	"fmt"
	"net"
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
	t.Run("loss", func(t *testing.T) { loss(t, open) })
	t.Run("jam/tcp", func(t *testing.T) { jam(t, open, true) })
	t.Run("jam/udp", func(t *testing.T) { jam(t, open, false) })
	t.Run("reconnects", func(t *testing.T) { reconnects(t, open) })
	t.Run("says what to do next", func(t *testing.T) { refusals(t, open) })
	t.Run("a Config that can never work", func(t *testing.T) { never(t, open) })
	t.Run("close", func(t *testing.T) { closes(t, open) })
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

// refusals: each failure is one of camera's words, with what was seen.
func refusals(t *testing.T, open camera.Open) {
	plain := Serve(t, Setup{User: "eye", Pass: "sesame-open"})
	pinned := Serve(t, Setup{TLS: true})
	tcpOnly := Serve(t, Setup{NoUDP: true})
	free := Answer(t, func(net.Conn) {})
	host := func(u string) string {
		p, err := url.Parse(u)
		if err != nil {
			t.Fatal(err)
		}
		return p.Host
	}
	sdp := func(body string) func(net.Conn) {
		return Replies(func(method string) string {
			if method == "OPTIONS" {
				return "RTSP/1.0 200 OK\r\nCSeq: %s\r\nPublic: DESCRIBE\r\n\r\n"
			}
			return fmt.Sprintf("RTSP/1.0 200 OK\r\nCSeq: %%s\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		})
	}
	const head = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
	cases := []struct {
		name string
		cfg  camera.Config
		want error
		say  string // is in the error
	}{
		{"nobody there", camera.Config{URL: "rtsp://" + closedPort(t) + "/door"}, camera.ErrUnreachable, "refused"},
		{"no such name", camera.Config{URL: "rtsp://no-such-camera.invalid/door"}, camera.ErrUnreachable, ""},
		{"hangs up", camera.Config{URL: "rtsp://" + free + "/door"}, camera.ErrUnreachable, ""},
		{"says nothing", camera.Config{URL: "rtsp://" + Answer(t, stay) + "/door"}, camera.ErrUnreachable, ""},
		{"wrong password", camera.Config{URL: "rtsp://eye:wrong-one@" + host(plain.URL()) + "/door"}, camera.ErrCredentials, "401"},
		{"no password", camera.Config{URL: "rtsp://" + host(plain.URL()) + "/door"}, camera.ErrCredentials, ""},
		{"wrong path", camera.Config{URL: strings.Replace(tcpOnly.URL(), "/door", "/roof", 1)}, camera.ErrNoVideo, "404"},
		{"no video", camera.Config{URL: "rtsp://" + Answer(t, sdp(head+"m=audio 0 RTP/AVP 0\r\n")) + "/door"}, camera.ErrNoVideo, ""},
		{"other video", camera.Config{URL: "rtsp://" + Answer(t, sdp(head+"m=video 0 RTP/AVP 26\r\n")) + "/door"}, camera.ErrNoVideo, "JPEG"},
		{"broken description", camera.Config{URL: "rtsp://" + Answer(t, sdp("\x00\x01\x02")) + "/door"}, camera.ErrGarbage, ""},
		{"SSH", camera.Config{URL: "rtsp://" + Answer(t, Says("SSH-2.0-OpenSSH_9.2p1\r\n")) + "/door"}, camera.ErrGarbage, "SSH-2.0"},
		{"HTTP", camera.Config{URL: "rtsp://" + Answer(t, Says("HTTP/1.1 400 Bad Request\r\n\r\n")) + "/door"}, camera.ErrGarbage, "HTTP/1.1"},
		{"noise", camera.Config{URL: "rtsp://" + Answer(t, Says(strings.Repeat("\x17\x99\x00\xfe", 50_000))) + "/door"}, camera.ErrGarbage, ""},
		{"endless header", camera.Config{URL: "rtsp://" + Answer(t, Says("RTSP/1.0 200 OK\r\nA: "+strings.Repeat("a", 1<<20))) + "/door"}, camera.ErrGarbage, ""},
		{"redirect", camera.Config{URL: "rtsp://" + Answer(t, Replies(func(string) string {
			return "RTSP/1.0 302 Moved\r\nCSeq: %s\r\nLocation: rtsp://" + host(plain.URL()) + "/door\r\n\r\n"
		})) + "/door"}, nil, ""},
		{"busy", camera.Config{URL: "rtsp://" + Answer(t, Replies(func(string) string { return "RTSP/1.0 453 Not Enough Bandwidth\r\nCSeq: %s\r\n\r\n" })) + "/door"}, camera.ErrStreamEnded, "453"},
		{"UDP refused", camera.Config{URL: tcpOnly.URL(), Transport: "udp"}, camera.ErrUnsupported, "461"},
		{"another certificate", camera.Config{URL: pinned.URL(), CertHash: strings.Repeat("ab", 32)}, camera.ErrCertificate, ""},
		{"certificate of nobody", camera.Config{URL: pinned.URL()}, camera.ErrCertificate, ""},
		{"TLS asked, RTSP there", camera.Config{URL: strings.Replace(tcpOnly.URL(), "rtsp:", "rtsps:", 1)}, camera.ErrUnreachable, ""},
		{"RTSP asked, TLS there", camera.Config{URL: strings.Replace(pinned.URL(), "rtsps:", "rtsp:", 1)}, nil, ""},
		{"silent in the TLS handshake", camera.Config{URL: "rtsps://" + Answer(t, stay) + "/door"}, camera.ErrUnreachable, ""},
	}
	words := []error{camera.ErrUnreachable, camera.ErrCredentials, camera.ErrNoVideo, camera.ErrGarbage, camera.ErrCertificate, camera.ErrStreamEnded, camera.ErrUnsupported}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := NewEye(t)
			e.Watch(open, c.cfg)
			err := e.Closings(1)[0]
			known := 0
			for _, w := range words {
				if errors.Is(err, w) {
					known++
				}
			}
			if c.want != nil && !errors.Is(err, c.want) || known != 1 {
				t.Errorf("got %v; want %v", err, c.want)
			}
			if !strings.Contains(err.Error(), c.say) {
				t.Errorf("got %v; want it to say %q", err, c.say)
			}
			if strings.Contains(err.Error()+e.Log(), "wrong-one") {
				t.Errorf("the password is in the error or the log: %v\n%s", err, e.Log())
			}
			if len(err.Error()) > 500 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			if e.Count() > 0 {
				t.Errorf("%d pictures", e.Count())
			}
		})
	}
	t.Run("password changed", func(t *testing.T) {
		s, e, _ := start(t, open, Setup{User: "eye", Pass: "first-one"}, camera.Config{})
		s.Send(3)
		e.Pictures(2)
		s.SetPassword("second-one")
		s.Break()
		if err := e.Closings(2)[1]; !errors.Is(err, camera.ErrCredentials) {
			t.Errorf("got %v, want %v", err, camera.ErrCredentials)
		}
		secret(t, e, Setup{Pass: "first-one"})
	})
}

// never: Open itself refuses.
func never(t *testing.T, open camera.Open) {
	now := func() time.Duration { return 0 }
	for name, cfg := range map[string]camera.Config{
		"no clock":               {URL: "rtsp://127.0.0.1/door"},
		"no address":             {Now: now},
		"another scheme":         {URL: "http://eye:sesame-open@127.0.0.1/door", Now: now},
		"no host":                {URL: "rtsp:///door", Now: now},
		"unreadable":             {URL: "rtsp://eye:sesame-open@127.0.0.1:99999999/%zz", Now: now},
		"unknown transport":      {URL: "rtsp://127.0.0.1/door", Transport: "carrier pigeon", Now: now},
		"pin that is no hash":    {URL: "rtsps://127.0.0.1/door", CertHash: "abc", Now: now},
		"pin without TLS":        {URL: "rtsp://127.0.0.1/door", CertHash: strings.Repeat("ab", 32), Now: now},
		"TLS over plain packets": {URL: "rtsps://127.0.0.1/door", Transport: "udp", Now: now},
	} {
		cam, err := open(t.Context(), cfg, NewEye(t))
		switch {
		case err == nil:
			t.Errorf("%s: taken", name)
			_ = cam.Close()
		case strings.Contains(err.Error(), "sesame-open"):
			t.Errorf("%s: the password is in the error: %v", name, err)
		}
	}
}

// closes: Close returns soon, whatever the peer does, and no call of the sink comes after it (the Eye checks that).
func closes(t *testing.T, open camera.Open) {
	s, e, cam := start(t, open, Setup{}, camera.Config{})
	s.Run()
	e.Pictures(3)
	e.Over(cam)
	s.Stop()
	for name, peer := range map[string]func(net.Conn){
		"silent":      stay,
		"deaf":        func(net.Conn) { select {} },
		"half-spoken": Says("RTSP/1.0 200 OK\r\nCSeq"),
	} {
		for _, scheme := range []string{"rtsp", "rtsps"} {
			taken := make(chan struct{}, 1)
			addr := Answer(t, func(c net.Conn) {
				select {
				case taken <- struct{}{}:
				default:
				}
				peer(c)
			})
			e := NewEye(t)
			cam := e.Watch(open, camera.Config{URL: scheme + "://" + addr + "/door"})
			<-taken
			began := time.Now()
			e.Over(cam)
			if d := time.Since(began); d > 3*time.Second {
				t.Errorf("%s over %s: Close took %v", name, scheme, d)
			}
		}
	}
}

func closedPort(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
