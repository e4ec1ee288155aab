package webrtc

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eyebolt/live"
	"eyebolt/web/webtest"
)

// viewerPage is what the resident's page does, bare: offer, answer, video, age, clip.
const viewerPage = `<!doctype html><link rel=icon href="data:,"><video muted autoplay playsinline></video><script>
const v = document.querySelector('video'); const seen = {ages: [], frames: 0}
async function look(who) {
	const pc = new RTCPeerConnection()
	window.pc = pc
	pc.addTransceiver('video', {direction: 'recvonly'})
	pc.ontrack = e => { v.srcObject = new MediaStream([e.track]) }
	const age = pc.createDataChannel('age', {ordered: false, maxRetransmits: 0})
	age.onmessage = e => { seen.ages.push(JSON.parse(e.data)); seen.heard = performance.now() }
	const clip = window.clip = pc.createDataChannel('clip')
	clip.binaryType = 'arraybuffer'
	await pc.setLocalDescription(await pc.createOffer())
	await new Promise(r => { if (pc.iceGatheringState === 'complete') r(); pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && r() })
	seen.asked = performance.now()
	const r = await fetch('/answer', {method: 'POST', body: JSON.stringify({door: 'front', viewer: who, sdp: pc.localDescription.sdp})})
	const a = await r.json()
	if (!r.ok) throw new Error(a.error)
	v.requestVideoFrameCallback(function each(now, m) {
		if (!seen.frames++) seen.first = performance.now() - seen.asked
		seen.rtp = m.rtpTimestamp
		const a = seen.ages[seen.ages.length-1]
		// The age of the very picture that is on screen.
		if (a && a.ms >= 0) seen.shown = a.ms + ((a.rtp - m.rtpTimestamp) | 0) / 90 + (performance.now() - seen.heard)
		v.requestVideoFrameCallback(each)
	})
	await pc.setRemoteDescription({type: 'answer', sdp: a.sdp})
}
async function fetchClip(visit, sha256, from = 0) {
	return new Promise((ok, no) => {
		let head, got = [], n = 0
		clip.onmessage = async e => {
			if (typeof e.data === 'string') { head = JSON.parse(e.data); if (head.error) no(new Error(head.error)); return }
			got.push(e.data); n += e.data.byteLength
			if (n < head.bytes - head.from) return
			const sum = await crypto.subtle.digest('SHA-256', await new Blob(got).arrayBuffer())
			ok({n, max: Math.max(...got.map(b => b.byteLength)), head, sum: [...new Uint8Array(sum)].map(b => b.toString(16).padStart(2, '0')).join('')})
		}
		clip.send(JSON.stringify({get: visit, sha256, from}))
	})
}
</script>`

// serve gives the viewer's page and passes offers to the server, as the service does.
func serve(tb testing.TB, s *stage) string {
	tb.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, viewerPage)
	})
	mux.HandleFunc("/answer", func(w http.ResponseWriter, r *http.Request) {
		var o live.Offer
		err := json.NewDecoder(r.Body).Decode(&o)
		var a live.Answer
		if err == nil {
			a, err = s.Answer(r.Context(), o)
		}
		if err != nil {
			w.WriteHeader(http.StatusConflict)
			_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
			return
		}
		if !ed25519.Verify(s.key, live.Signed(sha256.Sum256([]byte(o.SDP)), sha256.Sum256([]byte(a.SDP))), a.Signature) {
			tb.Error("the answer is not signed")
		}
		_ = json.NewEncoder(w).Encode(a)
	})
	srv := httptest.NewServer(mux)
	tb.Cleanup(srv.Close)
	return strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
}

// film runs a stream in real time, over and over, until the test ends; each picture is judged as old as it is.
func film(tb testing.TB, s *stage, f footage) {
	s.mu.Lock()
	s.real = time.Now().Add(-time.Minute)
	s.mu.Unlock()
	s.Opened("front", f.params)
	stop, done := make(chan struct{}), make(chan struct{})
	tb.Cleanup(func() { close(stop); <-done })
	go func() {
		defer close(done)
		began := s.clock()
		for i := 0; ; i++ {
			// A busy machine makes a picture late, never the camera's clock slow.
			due := time.NewTimer(began + time.Duration(i+1)*frame - s.clock())
			select {
			case <-stop:
				due.Stop()
				return
			case <-due.C:
			}
			p := f.pics[i%len(f.pics)]
			p.Media += time.Duration(i/len(f.pics)*len(f.pics)) * frame
			p.Arrival = s.clock()
			s.Picture("front", p)
			s.SetAge("front", max((p.Arrival-began-p.Media-frame).Milliseconds(), 0), "live")
		}
	}()
}

// hd makes 720p footage with a key picture every two seconds, as cameras give it.
func hd(tb testing.TB, profile string) footage {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "hd.h264")
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=15:d=6", "-vf", "noise=alls=4:allf=t,format=yuv420p",
		"-c:v", "libx264", "-preset", "ultrafast", "-profile:v", profile, "-bf", "0", "-g", "30", "-sc_threshold", "0", "-b:v", "2M", "-maxrate", "2M",
		"-bufsize", "2M", "-x264-params", "aud=1", "-f", "h264", path).CombinedOutput()
	if err != nil {
		tb.Fatalf("ffmpeg (Debian: apt-get install ffmpeg): %v\n%s", err, out)
	}
	return load(tb, path)
}

// S15 and S17 in a real browser: the first picture comes within a second of asking, the picture on screen is as young as the
// page can tell, and when the camera stops the page knows within a second. Clips come whole.
func TestChromium(t *testing.T) {
	film2, err := os.ReadFile(hall)
	if err != nil {
		t.Fatal(err)
	}
	big := bytes.Repeat(film2, 24) // 3.6 MB: more than the window
	sum := sha256.Sum256(big)
	for _, prof := range []string{"baseline", "main", "high"} {
		t.Run(prof, func(t *testing.T) {
			s := set(t, func(c *Config) {
				c.Clip = func(door, visit string, file [32]byte) (Clip, error) {
					if door != "front" || visit != "v1" || file != sum {
						return Clip{}, os.ErrNotExist
					}
					return Clip{inMemory{bytes.NewReader(big)}, int64(len(big)), sum, `video/mp4; codecs="avc1.64000c"`}, nil
				}
			})
			f := hd(t, prof)
			film(t, s, f)
			until(t, "the camera to run in a group of pictures", func() bool {
				d := s.door("front")
				d.mu.Lock()
				defer d.mu.Unlock()
				return len(d.gop) == 20
			})
			p := webtest.Start(t).Page()
			p.Go(serve(t, s))
			p.Eval(`look('a')`, nil)
			p.Wait("seen.frames > 30 && seen.ages.length > 10")
			var seen struct {
				First, Shown float64
				Frames       int
				Width        int
				Ages         []live.Age
			}
			p.Eval(`({first: seen.first, shown: seen.shown, frames: seen.frames, width: v.videoWidth, ages: seen.ages})`, &seen)
			last := seen.Ages[len(seen.Ages)-1]
			t.Logf("%s: first picture %.0f ms after asking; the picture on screen is %.0f ms old; the hub says %d ms", prof, seen.First, seen.Shown, last.Ms)
			if seen.First > 1000 || seen.Width != 1280 {
				t.Errorf("first picture after %.0f ms, %d wide", seen.First, seen.Width)
			}
			// A picture is late by what this machine is late; the page shows what the hub sent within a few more frames.
			if seen.Shown < -150 || seen.Shown > float64(last.Ms)+300 || last.Ms > live.NotLiveAfter || last.Watch != "live" {
				t.Errorf("on screen: %.0f ms old; told %+v", seen.Shown, last)
			}

			var got struct {
				N, Max int
				Sum    string
				Head   struct {
					Bytes, From  int
					SHA256, MIME string
				}
			}
			began := time.Now()
			name := hex.EncodeToString(sum[:])
			p.Eval(`fetchClip('v1', '`+name+`')`, &got)
			t.Logf("clip: %d bytes in %v", got.N, time.Since(began).Round(time.Millisecond))
			if got.N != len(big) || got.Sum != name || got.Head.SHA256 != name || got.Head.From != 0 || got.Max > message || !strings.HasPrefix(got.Head.MIME, "video/mp4") {
				t.Errorf("clip: %+v", got)
			}
			// What a broken connection left is gone on with.
			rest := sha256.Sum256(big[1_000_001:])
			p.Eval(`fetchClip('v1', '`+name+`', 1000001)`, &got)
			if got.N != len(big)-1_000_001 || got.Sum != hex.EncodeToString(rest[:]) || got.Head.From != 1_000_001 || got.Head.Bytes != len(big) {
				t.Errorf("the rest of the clip: %+v", got)
			}
			var refused string
			p.Eval(`fetchClip('v1', '`+name+`', 1e9).catch(e => e.message)`, &refused)
			if refused != "this clip cannot be had from here" {
				t.Errorf("from behind its end: %q", refused)
			}
			p.Eval(`fetchClip('v1', '`+strings.Repeat("00", 32)+`').catch(e => e.message)`, &refused)
			if refused != "this clip cannot be had from here" {
				t.Errorf("an unknown file: %q", refused)
			}
			p.Eval(`fetchClip('v2', '`+name+`').catch(e => e.message)`, &refused)
			if refused != "this clip cannot be had from here" {
				t.Errorf("an unknown clip: %q", refused)
			}
			p.Eval(`new Promise(r => { clip.onmessage = e => r(JSON.parse(e.data).error); clip.send('nonsense') })`, &refused)
			if refused != `ask with {"get":"<visit>","sha256":"<hex>"}` {
				t.Errorf("nonsense: %q", refused)
			}

			// The camera goes: the age grows past NotLiveAfter, and the last verdict does not stand for ever.
			s.Closed("front")
			s.Server.mu.Lock()
			delete(s.doors, "front") // nothing reaches the door any more, as when the camera's goroutine hangs
			s.Server.mu.Unlock()
			p.Wait(fmt.Sprintf("seen.ages.at(-1).ms > %d && seen.ages.at(-1).watch === 'unknown'", live.NotLiveAfter))
			if errs := p.Errors(); len(errs) > 0 {
				t.Errorf("the page's errors: %q", errs)
			}
		})
	}
}

// A camera with B-frames is shown without them: every picture that is sent is decoded, and the picture is live.
func TestPicturesOutOfOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.h264")
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=15:d=6", "-vf", "format=yuv420p",
		"-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-bf", "2", "-b_strategy", "0", "-g", "30", "-sc_threshold", "0", "-b:v", "1M",
		"-x264-params", "aud=1:b-pyramid=none", "-f", "h264", path).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg (Debian: apt-get install ffmpeg): %v\n%s", err, out)
	}
	f := load(t, path)
	for i := 0; i < len(f.pics); { // a picture that others need, and the B-frames that follow it and are shown before it
		b := i + 1
		for b < len(f.pics) && dispensable(f.pics[b].NALs) {
			b++
		}
		f.pics[i].Media = time.Duration(b-1) * frame
		for k := i + 1; k < b; k++ {
			f.pics[k].Media = time.Duration(k-1) * frame
		}
		i = b
	}
	s := set(t, nil)
	film(t, s, f)
	p := webtest.Start(t).Page()
	p.Go(serve(t, s))
	p.Eval(`look('a')`, nil)
	p.Wait("seen.frames > 30")
	var got struct{ Received, Decoded, Dropped int }
	p.Eval(`(async () => { const s = [...(await pc.getStats()).values()].find(s => s.type === 'inbound-rtp')
		return {received: s.framesReceived, decoded: s.framesDecoded, dropped: s.framesDropped} })()`, &got)
	t.Logf("%+v", got)
	if got.Dropped > 0 || got.Decoded < got.Received-2 {
		t.Errorf("%+v: want all that came to be decoded", got)
	}
}

type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }
