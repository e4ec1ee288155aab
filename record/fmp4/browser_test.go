package fmp4

import (
	"io"
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
		mux.HandleFunc(path, func(w http.ResponseWriter, req *http.Request) {
			c, file, err := r.Clip("v")
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			defer file.Close()
			w.Header().Set("Content-Type", c.MIME)
			http.ServeContent(w, req, "", time.Time{}, file.(io.ReadSeeker))
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!doctype html><link rel=icon href="data:,"><video muted controls src="`+req.URL.Query().Get("clip")+`"></video>
			<script>v = document.querySelector('video')</script>`)
	})
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
