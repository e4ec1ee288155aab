package still

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/auth"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/pion/rtp"

	"eyebolt/camera"
)

var began = time.Now()

func clock() time.Duration { return time.Since(began) }

// serve is a camera's MJPEG over HTTP; each request asks whether it may.
func serve(t *testing.T, tls bool, may func(*http.Request) (challenge string)) *httptest.Server {
	t.Helper()
	pic := noisy(640, 360)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := may(r); c != "" {
			w.Header().Set("WWW-Authenticate", c)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=eye")
		for r.Context().Err() == nil {
			fmt.Fprintf(w, "--eye\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", len(pic), pic)
			w.(http.Flusher).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	})
	s := httptest.NewUnstartedServer(h)
	if tls {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s
}

func motion(t *testing.T, cfg MotionConfig) (*kept, chan error) {
	t.Helper()
	k, ended := newKept(), make(chan error, 100)
	cfg.Now = clock
	m, err := NewMotion(cfg, k.take, func(err error) { ended <- err })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return k, ended
}

func TestMotionOverHTTP(t *testing.T) {
	digestOf := func(alg, qop string) func(*http.Request) string {
		return func(r *http.Request) string {
			h := r.Header.Get("Authorization")
			if h == "" {
				return fmt.Sprintf(`Digest realm="cam", nonce="n1", algorithm=%s%s`, alg, qop)
			}
			v := auth.Verify(&base.Request{Method: base.Method(r.Method), URL: &base.URL{Path: r.URL.Path}, Header: base.Header{"Authorization": {h}}}, "eye", "p@ss",
				[]auth.VerifyMethod{auth.VerifyMethodDigestMD5, auth.VerifyMethodDigestSHA256}, "cam", "n1")
			if qop != "" { // the library knows none: the answer is checked by its parts
				if strings.Contains(h, `qop=auth, nc=00000001, cnonce="`) {
					return ""
				}
				return "Digest wrong"
			}
			if v != nil {
				t.Log(h, v)
				return "Digest wrong"
			}
			return ""
		}
	}
	for name, may := range map[string]func(*http.Request) string{
		"open": func(*http.Request) string { return "" },
		"basic": func(r *http.Request) string {
			if u, p, _ := r.BasicAuth(); u == "eye" && p == "p@ss" {
				return ""
			}
			return `Basic realm="cam"`
		},
		"md5":     digestOf("MD5", ""),
		"md5 qop": digestOf("MD5", `, qop="auth"`),
		"sha256":  digestOf("SHA-256", ""),
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, false, may)
			k, _ := motion(t, MotionConfig{URL: strings.Replace(s.URL, "//", "//eye:p%40ss@", 1) + "/mjpeg", Every: 100 * time.Millisecond})
			a, b := k.wait(t), k.wait(t)
			if a.Width != 640 || a.Height != 360 || b.Arrival-a.Arrival < 100*time.Millisecond {
				t.Errorf("%d × %d, %v apart", a.Width, a.Height, b.Arrival-a.Arrival)
			}
		})
	}
}

// Refusals say what to do next, name no password, and lead nowhere else (T25).
func TestMotionRefusals(t *testing.T) {
	open := func(*http.Request) string { return "" }
	elsewhere := serve(t, false, open)
	redirect := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	t.Cleanup(redirect.Close)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }))
	t.Cleanup(page.Close)
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=eye")
		fmt.Fprint(w, "--eye\r\nContent-Length: 4\r\n\r\nnope\r\n")
	}))
	t.Cleanup(broken.Close)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	locked := serve(t, false, func(*http.Request) string { return `Digest realm="x", nonce="y"` })
	secure := serve(t, true, open)
	for name, c := range map[string]struct {
		cfg  MotionConfig
		want error
	}{
		"redirect":          {MotionConfig{URL: redirect.URL}, camera.ErrNoVideo},
		"a page":            {MotionConfig{URL: page.URL}, ErrNotJPEG},
		"no jpeg":           {MotionConfig{URL: broken.URL}, ErrNotJPEG},
		"nobody":            {MotionConfig{URL: "http://" + gone.Addr().String()}, camera.ErrUnreachable},
		"password":          {MotionConfig{URL: strings.Replace(locked.URL, "//", "//eye:secret7@", 1)}, camera.ErrCredentials},
		"other certificate": {MotionConfig{URL: secure.URL, CertHash: strings.Repeat("ab", 32)}, camera.ErrCertificate},
	} {
		t.Run(name, func(t *testing.T) {
			k, ended := motion(t, c.cfg)
			select {
			case err := <-ended:
				if !errors.Is(err, c.want) || strings.Contains(err.Error(), "secret7") {
					t.Errorf("got %v, want %v", err, c.want)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("no refusal in 20 s")
			}
			if len(k.all) != 0 {
				t.Error("it gave a still")
			}
		})
	}
	hash := sha256.Sum256(secure.Certificate().Raw)
	k, _ := motion(t, MotionConfig{URL: secure.URL, CertHash: hex.EncodeToString(hash[:])})
	k.wait(t)
	for _, bad := range []string{"", "ftp://x/y", "http://", "http://%zz"} {
		if _, err := NewMotion(MotionConfig{URL: bad, Now: clock}, nil, nil); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// jpegServer is an RTSP camera that sends motion JPEG.
type jpegServer struct {
	stream *gortsplib.ServerStream
	plays  chan struct{}
}

func (s *jpegServer) OnDescribe(c *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if !c.Conn.VerifyCredentials(c.Request, "eye", "p@ss") {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	return &base.Response{StatusCode: base.StatusOK}, s.stream, nil
}

func (s *jpegServer) OnSetup(*gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, s.stream, nil
}

func (s *jpegServer) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	s.plays <- struct{}{}
	return &base.Response{StatusCode: base.StatusOK}, nil
}

func TestMotionOverRTSP(t *testing.T) {
	h := &jpegServer{plays: make(chan struct{}, 10)}
	addr := ""
	srv := &gortsplib.Server{Handler: h, RTSPAddress: "127.0.0.1:0", AuthMethods: []auth.VerifyMethod{auth.VerifyMethodDigestMD5}, Listen: func(n, a string) (net.Listener, error) {
		l, err := net.Listen(n, a)
		if err == nil {
			addr = l.Addr().String()
		}
		return l, err
	}}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	form := &format.MJPEG{}
	media := &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{form}}
	h.stream = &gortsplib.ServerStream{Server: srv, Desc: &description.Session{Medias: []*description.Media{media}}}
	if err := h.stream.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer h.stream.Close()
	enc, err := form.CreateEncoder()
	if err != nil {
		t.Fatal(err)
	}
	k, _ := motion(t, MotionConfig{URL: "rtsp://eye:p%40ss@" + addr + "/sub", Every: 10 * time.Millisecond})
	<-h.plays
	pic := noisy(640, 360)
	for i := range 5 {
		pkts, err := enc.Encode(pic)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pkts {
			p.Timestamp = uint32(i * 6000)
			if err := h.stream.WritePacketRTP(media, p); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(30 * time.Millisecond)
	}
	s := k.wait(t)
	var j JPEG
	want, err := j.Decode(pic)
	if err != nil || s.Width != want.Width || psnr(s.Luma, want.Luma) < 60 {
		t.Errorf("%d × %d, PSNR %.1f dB, %v", s.Width, s.Height, psnr(s.Luma, want.Luma), err)
	}
	// A password that is wrong says so.
	_, ended := motion(t, MotionConfig{URL: "rtsp://eye:wrong9@" + addr + "/sub"})
	if err := <-ended; !errors.Is(err, camera.ErrCredentials) || strings.Contains(err.Error(), "wrong9") {
		t.Errorf("got %v", err)
	}
}

// Whatever packets say, what is kept of an unfinished picture is bounded, and nothing panics (T20).
func FuzzMotionPackets(f *testing.F) {
	enc := &format.MJPEG{}
	e, err := enc.CreateEncoder()
	if err != nil {
		f.Fatal(err)
	}
	pkts, err := e.Encode(noisy(64, 48))
	if err != nil {
		f.Fatal(err)
	}
	var all []byte
	for _, p := range pkts {
		all = append(all, byte(len(p.Payload)>>8), byte(len(p.Payload)), 0)
		if p.Marker {
			all[len(all)-1] = 1
		}
		all = append(all, p.Payload...)
	}
	f.Add(all)
	f.Fuzz(func(t *testing.T, b []byte) {
		dec, err := enc.CreateDecoder()
		if err != nil {
			t.Fatal(err)
		}
		fr := frames{dec: dec}
		var j JPEG
		for len(b) >= 3 {
			n, marker := int(b[0])<<8|int(b[1]), b[2]&1 == 1
			b = b[3:]
			n = min(n, len(b))
			pic, err := fr.take(&rtp.Packet{Header: rtp.Header{Marker: marker}, Payload: b[:n]})
			b = b[n:]
			if err != nil {
				return
			}
			if h, err := head(pic); err == nil && h.width*h.height < 1<<16 { // larger ones are allowed, and slow
				_, _ = j.Decode(pic)
			}
		}
	})
}

func TestMotionBoundsAnUnfinishedPicture(t *testing.T) {
	dec, err := (&format.MJPEG{}).CreateDecoder()
	if err != nil {
		t.Fatal(err)
	}
	fr := frames{dec: dec}
	first := append([]byte{0, 0, 0, 0, 1, 50, 80, 45}, make([]byte, 100)...)
	if _, err := fr.take(&rtp.Packet{Payload: first}); err != nil {
		t.Fatal(err)
	}
	empty := []byte{0, 0, 0, 100, 1, 50, 80, 45}
	for range packetsMost {
		if _, err = fr.take(&rtp.Packet{Payload: empty}); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("%d empty packets of one picture: %v", packetsMost, err)
	}
}
