package cameratest

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
)

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
		{"redirect of the description (T25)", camera.Config{URL: "rtsp://" + Answer(t, Replies(func(method string) string {
			if method == "OPTIONS" {
				return "RTSP/1.0 200 OK\r\nCSeq: %s\r\nPublic: DESCRIBE\r\n\r\n"
			}
			return "RTSP/1.0 302 Moved\r\nCSeq: %s\r\nLocation: rtsp://" + host(tcpOnly.URL()) + "/door\r\n\r\n" // a stream that anybody may have, if we went there
		})) + "/door"}, camera.ErrNoVideo, "sends us to another address"},
		{"redirect at once (T25)", camera.Config{URL: "rtsp://" + Answer(t, Replies(func(string) string {
			return "RTSP/1.0 302 Moved\r\nCSeq: %s\r\nLocation: rtsp://" + host(tcpOnly.URL()) + "/door\r\n\r\n"
		})) + "/door"}, camera.ErrNoVideo, "sends us to another address"},
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
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		tb.Fatal(err)
	}
	return addr
}
