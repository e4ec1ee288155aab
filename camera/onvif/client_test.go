package onvif

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/onviftest"
)

// quick are the client's spans for tests.
func quick() limits {
	l := defaults
	l.request, l.pull, l.lease = 2*time.Second, time.Second, 4*time.Second
	l.first, l.most, l.refused, l.silence = 20*time.Millisecond, 200*time.Millisecond, time.Second, 700*time.Millisecond
	return l
}

func connect(t *testing.T, cfg Config) *Client {
	t.Helper()
	c, err := dial(t.Context(), cfg, quick())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Every way of asking for the password is answered, with the camera's own time, however wrong that is.
func TestPasswords(t *testing.T) {
	for name, set := range map[string]onviftest.Setup{
		"open":           {},
		"token":          {Way: onviftest.Token, User: "eye", Pass: `p&<"s`},
		"token, ahead":   {Way: onviftest.Token, User: "eye", Pass: "pass", Clock: 3 * time.Hour},
		"token, behind":  {Way: onviftest.Token, User: "eye", Pass: "pass", Clock: -20 * 365 * 24 * time.Hour},
		"token, strict":  {Way: onviftest.Token, User: "eye", Pass: "pass", Strict: true},
		"digest":         {Way: onviftest.DigestMD5, User: "eye", Pass: "pass"},
		"digest, strict": {Way: onviftest.DigestMD5, User: "eye", Pass: "pass", Strict: true},
		"digest SHA-256": {Way: onviftest.DigestSHA256, User: "eye", Pass: "pass", Clock: -time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			set.JPEG = []byte{0xff, 0xd8, 0xff, 0xd9}
			d := onviftest.Serve(t, set)
			c := connect(t, Config{URL: d.URL()})
			for range 3 {
				if info, err := c.Information(t.Context()); err != nil || info.Model != "Test camera" {
					t.Fatalf("%+v, %v", info, err)
				}
				d.Renonce()
			}
			all, err := c.Profiles(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			still, err := c.Still(t.Context(), all[0])
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if b, err := still.Snapshot(t.Context()); err != nil || !bytes.Equal(b, set.JPEG) {
					t.Errorf("still picture %x, %v", b, err)
				}
				d.Renonce()
			}
			if err := c.SyncPoint(t.Context(), all[0]); err != nil || d.Asked("SetSynchronizationPoint") != 1 {
				t.Errorf("key picture: %v", err)
			}
			if d.Wrong() != 0 {
				t.Errorf("the camera was shown %d wrong passwords", d.Wrong())
			}
			if off := c.Clock().Offset - set.Clock; off.Abs() > c.Clock().Error+50*time.Millisecond {
				t.Errorf("clock %+v, want an offset of %v", c.Clock(), set.Clock)
			}
		})
	}
}

// A wrong password is shown at most once a way, and what is to be done is said; the password is not.
func TestWrongPassword(t *testing.T) {
	for _, way := range []onviftest.Way{onviftest.Token, onviftest.DigestMD5, onviftest.DigestSHA256} {
		d := onviftest.Serve(t, onviftest.Setup{Way: way, User: "eye", Pass: "right", Locks: 3})
		at := strings.Replace(d.URL(), "right", "hush-hush", 1)
		c := connect(t, Config{URL: at})
		_, err := c.Information(t.Context())
		if !errors.Is(err, camera.ErrCredentials) || strings.Contains(fmt.Sprint(err), "hush") {
			t.Errorf("way %d: %v", way, err)
		}
		if d.Wrong() != 1 {
			t.Errorf("way %d: shown %d times", way, d.Wrong())
		}
		for range 3 {
			_, err = c.Information(t.Context())
		}
		if !errors.Is(err, ErrLocked) {
			t.Errorf("way %d: a locked account: %v", way, err)
		}
		if _, err := connect(t, Config{URL: strings.Replace(at, "eye:hush-hush@", "", 1)}).Information(t.Context()); !errors.Is(err, camera.ErrCredentials) || !strings.Contains(err.Error(), "holds none") {
			t.Errorf("way %d: none at all: %v", way, err)
		}
	}
}

// A camera that tells its time to nobody, and whose clock is off, is named as such.
func TestClockOff(t *testing.T) {
	d := onviftest.Serve(t, onviftest.Setup{Way: onviftest.Token, User: "eye", Pass: "pass", Strict: true, Clock: time.Hour})
	_, err := dial(t.Context(), Config{URL: d.URL()}, quick())
	if !errors.Is(err, ErrClock) {
		t.Errorf("got %v", err)
	}
}

// T25: a camera that names another host for its services and pictures is asked at its own, and at no other.
func TestOtherHost(t *testing.T) {
	var strayed atomic.Int32
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip(err)
	}
	other := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	other.Listener.Close()
	other.Listener = l
	other.Start()
	defer other.Close()
	d := onviftest.Serve(t, onviftest.Setup{Host: "127.0.0.2", JPEG: []byte{0xff, 0xd8, 0, 0}, User: "eye", Pass: "pass", Way: onviftest.Token})
	// Even the port is another's: the one that was asked counts.
	_, foreign, _ := net.SplitHostPort(l.Addr().String())
	d.Alter(func(_, reply string) string {
		u, _ := url.Parse(d.URL())
		return strings.ReplaceAll(reply, ":"+u.Port(), ":"+foreign)
	})
	c := connect(t, Config{URL: d.URL()})
	all, err := c.Profiles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u, err := c.StreamURL(t.Context(), all[0])
	if err != nil || u.Hostname() != "127.0.0.1" || u.User.Username() != "eye" {
		t.Errorf("stream %v, %v", u.Redacted(), err)
	}
	if u, err := c.SnapshotURL(t.Context(), all[0]); err != nil || u.Hostname() != "127.0.0.1" || u.User != nil {
		t.Errorf("still picture %v, %v", u, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_ = c.Tampers(ctx, func(Tamper) {}, func(error) {})
	if d.Asked("PullMessages") == 0 {
		t.Error("its pull point was not asked")
	}
	if strayed.Load() > 0 {
		t.Error("the host that it named was asked")
	}
}

// T25: a redirect is not followed, and the password does not go where it points.
func TestRedirect(t *testing.T) {
	var strayed atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	defer other.Close()
	s := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer s.Close()
	_, err := dial(t.Context(), Config{URL: s.URL, User: "eye", Password: "pass"}, quick())
	if !errors.Is(err, ErrDisabled) || strayed.Load() > 0 {
		t.Errorf("%v; the other was asked %d times", err, strayed.Load())
	}
}

// T20: whatever a camera answers, memory and time are bounded and the error says what to do next.
func TestHostileAnswers(t *testing.T) {
	deep := strings.Repeat("<a>", 5000) + strings.Repeat("</a>", 5000)
	for name, c := range map[string]struct {
		reply string
		want  error
	}{
		"huge":            {"<?raw?>" + strings.Repeat("x", 1<<20+10), camera.ErrGarbage},
		"deep":            {deep, camera.ErrGarbage},
		"many":            {strings.Repeat("<a/>", 200_000), camera.ErrGarbage},
		"many attributes": {"<a " + strings.Repeat(`b="" `, 50_000) + "/>", camera.ErrGarbage},
		"entities":        {`<?raw?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>`, camera.ErrGarbage},
		"file":            {`<?raw?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>`, camera.ErrGarbage},
		"page":            {"<?raw?><!doctype html><html>Log in</html>", camera.ErrGarbage},
		"nothing":         {"<?raw?>", camera.ErrGarbage},
		"empty body":      {"", camera.ErrGarbage},
		"something else":  {"<tds:GetUsersResponse/>", camera.ErrGarbage},
	} {
		t.Run(name, func(t *testing.T) {
			d := onviftest.Serve(t, onviftest.Setup{})
			client := connect(t, Config{URL: d.URL()})
			d.Alter(func(string, string) string { return c.reply })
			if _, err := client.Information(t.Context()); !errors.Is(err, c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("drip", func(t *testing.T) {
		stop := make(chan struct{})
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for {
				select {
				case <-stop:
					return
				case <-r.Context().Done():
					return
				case <-time.After(10 * time.Millisecond):
				}
				_, _ = io.WriteString(w, " ")
				w.(http.Flusher).Flush()
			}
		}))
		defer s.Close()
		defer close(stop)
		lim := quick()
		lim.request = 300 * time.Millisecond
		began := time.Now()
		_, err := dial(t.Context(), Config{URL: s.URL}, lim)
		if !errors.Is(err, camera.ErrUnreachable) || time.Since(began) > 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// What people get wrong at set-up is told apart.
func TestWhatToDoNext(t *testing.T) {
	page := httptest.NewServer(http.NotFoundHandler())
	defer page.Close()
	login := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>log in</html>") }))
	defer login.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	_ = l.Close()
	for name, c := range map[string]struct {
		url  string
		want error
	}{
		"ONVIF off, 404":         {page.URL, ErrDisabled},
		"ONVIF off, a page":      {login.URL, ErrDisabled},
		"nothing listens":        {closed, ErrDisabled},
		"unknown certificate":    {secure.URL, camera.ErrCertificate},
		"http asked by https":    {strings.Replace(page.URL, "http", "https", 1), ErrDisabled},
		"a name that is nowhere": {"http://camera.invalid", camera.ErrUnreachable},
	} {
		_, err := dial(t.Context(), Config{URL: c.url}, quick())
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{"", "rtsp://camera/live", "http://", "http://camera:99999", "http://user:hush@:80", "ht tp://x"} {
		if _, err := Dial(t.Context(), Config{URL: bad}); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	// A host alone is enough, also one of IPv6.
	for _, good := range []string{"10.0.0.7", "camera.lan:8080", "fe80::1", "[fd00::7]:80", "onvif://u:p@10.0.0.7"} {
		if e, err := parse(Config{URL: good}); err != nil || e.url.Path != devicePath {
			t.Errorf("%q: %v", good, err)
		}
	}
}

// The stream for live view of an H.265 camera is its H.264 one; a camera says which streams it signs.
func TestChoice(t *testing.T) {
	p := func(token, encoding string, w, h int) onviftest.Profile {
		return onviftest.Profile{Token: token, Encoding: encoding, Source: "lens", Width: w, Height: h, FPS: 15, GOP: 30, Signed: encoding == "H265"}
	}
	for name, c := range map[string]struct {
		profiles    []onviftest.Profile
		watch, view string
	}{
		"one":                  {[]onviftest.Profile{p("a", "H264", 1280, 720)}, "a", "a"},
		"H.265 and a small":    {[]onviftest.Profile{p("a", "H265", 2560, 1440), p("b", "H264", 640, 360)}, "a", "b"},
		"H.265 and a good one": {[]onviftest.Profile{p("a", "H265", 3840, 2160), p("b", "H264", 1920, 1080)}, "b", "b"},
		"H.265 alone":          {[]onviftest.Profile{p("a", "H265", 1920, 1080)}, "a", ""},
		"JPEG beside":          {[]onviftest.Profile{p("j", "JPEG", 1920, 1080), p("a", "H264", 640, 480), p("b", "H264", 1280, 720)}, "b", "b"},
		"another lens": {[]onviftest.Profile{p("a", "H265", 1920, 1080), {
			Token: "x", Encoding: "H264", Source: "other", Width: 1920, Height: 1080, FPS: 15,
		}}, "a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := onviftest.Serve(t, onviftest.Setup{Media2: true, Profiles: c.profiles, Way: onviftest.DigestSHA256, User: "eye", Pass: "pass"})
			client := connect(t, Config{URL: d.URL()})
			all, err := client.Profiles(t.Context())
			if err != nil || len(all) != len(c.profiles) {
				t.Fatalf("%+v, %v", all, err)
			}
			got, ok := Choose(all)
			if !ok || got.Watch.Token != c.watch || got.View.Token != c.view || got.Why == "" {
				t.Errorf("watch %q, view %q (%s)", got.Watch.Token, got.View.Token, got.Why)
			}
			if got.Watch.Signed != (got.Watch.Codec == camera.H265) || got.Watch.KeyEvery() != 2 {
				t.Errorf("%+v", got.Watch)
			}
			if u, err := client.StreamURL(t.Context(), got.Watch); err != nil || !strings.HasSuffix(u.Path, c.watch) {
				t.Errorf("%v, %v", u, err)
			}
			if err := client.SyncPoint(t.Context(), got.Watch); err != nil {
				t.Error(err)
			}
		})
	}
	if _, ok := Choose(nil); ok {
		t.Error("chosen from nothing")
	}
}

// Still pictures are bounded, and are pictures.
func TestStillBounds(t *testing.T) {
	for name, c := range map[string]struct {
		jpeg []byte
		ok   bool
	}{
		"a picture": {append([]byte{0xff, 0xd8}, make([]byte, 1000)...), true},
		"too large": {append([]byte{0xff, 0xd8}, make([]byte, 9<<20)...), false},
		"a page":    {[]byte("<html>"), false},
		"nothing":   {[]byte{}, false},
	} {
		d := onviftest.Serve(t, onviftest.Setup{JPEG: c.jpeg})
		client := connect(t, Config{URL: d.URL()})
		all, err := client.Profiles(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		still, err := client.Still(t.Context(), all[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := still.Snapshot(t.Context()); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
