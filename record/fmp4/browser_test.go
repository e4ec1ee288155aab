package fmp4

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"eyebolt/web/webtest"
)

// A clip plays in a real browser as a plain <video src>, with its length shown before it is played, and can be sought;
// also one that a power cut ended.
func TestClipPlaysInChromium(t *testing.T) {
	f := load(t, "hall.h264")
	b := start(t, t.TempDir(), osDisk{}, nil)
	b.Opened(f.params)
	_ = b.Start("v")
	b.show(f.pics)
	b.confirmed(f.pics[170].Media)
	cut := start(t, snapshot(t, b.dir), osDisk{}, nil)
	if _, err := b.finish("v"); err != nil {
		t.Fatal(err)
	}

	mux := http.NewServeMux()
	for path, r := range map[string]*bench{"/whole.mp4": b, "/cut.mp4": cut} {
		mux.HandleFunc(path, r.serve(0))
	}
	mux.HandleFunc("/", player)
	srv := httptest.NewServer(mux)
	defer srv.Close()

	br := webtest.Start(t)
	for _, clip := range []string{"/whole.mp4", "/cut.mp4"} {
		p := br.Page()
		p.Go(srv.URL + "/?clip=" + clip)
		p.Wait("v.readyState >= 1 || v.error")
		var seen struct {
			Duration float64
			Width    int
			Error    string
		}
		p.Eval(`({duration: v.duration, width: v.videoWidth, error: v.error ? v.error.message : ''})`, &seen)
		if seen.Error != "" || seen.Width != 320 || seen.Duration < 11.3 || seen.Duration > 12.1 {
			t.Errorf("%s: %+v, want 320 wide and about 12 s", clip, seen)
		}
		p.Eval("v.play()", nil)
		p.Wait("v.currentTime > 0.5")
		p.Eval(`v.currentTime = 9.5`, nil)
		p.Wait("!v.seeking && v.currentTime > 9.6 && v.currentTime < 12")
		p.Wait("v.ended")
		var frames int
		p.Eval("v.getVideoPlaybackQuality().totalVideoFrames", &frames)
		if frames < 20 {
			t.Errorf("%s: %d frames shown", clip, frames)
		}
		if errs := p.Errors(); len(errs) > 0 {
			t.Errorf("%s: %q", clip, errs)
		}
	}
}

// player is a page with one clip on it.
func player(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, `<!doctype html><link rel=icon href="data:,"><video muted controls src="`+req.URL.Query().Get("clip")+`"></video>
		<script>v = document.querySelector('video')</script>`)
}

// serve gives a file of the visit "v", asked for by its hash.
func (b *bench) serve(file int) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		c, err := b.Clip("v")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		f, read, err := b.Open("v", c.Files[file].SHA256)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer read.Close()
		w.Header().Set("Content-Type", f.MIME)
		http.ServeContent(w, req, "", time.Time{}, read)
	}
}

// A visit whose camera came back with other parameters has two files. Each plays to its end in a real browser, by itself, for as
// long as was recorded; what lies between them is the gap.
func TestEveryFilePlaysInChromium(t *testing.T) {
	f, g := load(t, "hall.h264"), load(t, "reorder.h264")
	if sameParams(&f.params, &g.params) {
		t.Fatal("the test's two streams have the same parameters")
	}
	b := start(t, t.TempDir(), osDisk{}, nil)
	b.Opened(f.params)
	_ = b.Start("v")
	b.show(f.pics[:45])
	b.Closed()
	b.pass(4 * time.Second)
	b.Opened(g.params)
	b.show(g.pics)
	c, err := b.finish("v")
	if err != nil || len(c.Files) != 2 {
		t.Fatalf("%d files, %v", len(c.Files), err)
	}
	if gap := c.Files[1].From.Sub(c.Files[0].To); (gap - 4*time.Second).Abs() > 2*time.Millisecond {
		t.Errorf("%v between the files, want 4 s", gap)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/0.mp4", b.serve(0))
	mux.HandleFunc("/1.mp4", b.serve(1))
	mux.HandleFunc("/", player)
	srv := httptest.NewServer(mux)
	defer srv.Close()
	p := webtest.Start(t).Page()
	for i, file := range c.Files {
		p.Go(fmt.Sprintf("%s/?clip=/%d.mp4", srv.URL, i))
		p.Wait("v.readyState >= 1 || v.error")
		var seen struct {
			Duration float64
			Error    string
		}
		p.Eval(`({duration: v.duration, error: v.error ? v.error.message : ''})`, &seen)
		if want := file.To.Sub(file.From).Seconds(); seen.Error != "" || math.Abs(seen.Duration-want) > 0.15 {
			t.Errorf("file %d: %+v, recorded %.2f s", i, seen, want)
		}
		p.Eval("v.play()", nil)
		p.Wait("v.ended")
	}
	if errs := p.Errors(); len(errs) > 0 {
		t.Errorf("%q", errs)
	}
}

// T1: a camera that came back as it was goes on in the same file, and the hole is in it as long as it was: a browser plays through
// it, and to the end.
func TestHolePlaysInChromium(t *testing.T) {
	f := load(t, "hall.h264")
	b := start(t, t.TempDir(), osDisk{}, nil)
	b.Opened(f.params)
	_ = b.Start("v")
	b.show(f.pics[:30])
	b.Closed()
	b.pass(3 * time.Second)
	b.Opened(f.params)
	for i := range f.pics[30:75] {
		f.pics[30+i].Media -= 30 * frame
	}
	b.show(f.pics[30:75])
	c, err := b.finish("v")
	if err != nil || len(c.Files) != 1 {
		t.Fatalf("%+v, %v", c.Files, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/0.mp4", b.serve(0))
	mux.HandleFunc("/", player)
	srv := httptest.NewServer(mux)
	defer srv.Close()
	p := webtest.Start(t).Page()
	p.Go(srv.URL + "/?clip=/0.mp4")
	p.Wait("v.readyState >= 1 || v.error")
	p.Eval(`v.at = [], v.requestVideoFrameCallback(function each(_, m) { v.at.push(m.mediaTime); v.requestVideoFrameCallback(each) }), v.play()`, nil)
	p.Wait("v.ended || v.error")
	var seen struct {
		Duration float64
		At       []float64
	}
	p.Eval(`({duration: v.duration, at: v.at})`, &seen)
	if want := (75*frame + 3*time.Second).Seconds(); math.Abs(seen.Duration-want) > 0.1 {
		t.Errorf("plays for %.2f s, %.2f s passed", seen.Duration, want)
	}
	hole := 0.0
	for i := 1; i < len(seen.At); i++ {
		hole = max(hole, seen.At[i]-seen.At[i-1])
	}
	if hole < 2.9 || hole > 4 || len(seen.At) < 40 { // a busy browser leaves pictures out
		t.Errorf("%d pictures shown, the longest time between two is %.2f s; want 3 s", len(seen.At), hole)
	}
}
