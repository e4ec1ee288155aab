package rtsp_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
	"eyebolt/camera/rtsp"
)

const peerNeeds = "sudo apt-get install -y python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"

// peer starts gst-rtsp-server, which shares no code with ours nor with the library we read with. It gives its address.
func peer(t *testing.T, user, pass string) string {
	t.Helper()
	cmd := exec.Command("/usr/bin/python3", "testdata/peer.py", user, pass)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatalf("gst-rtsp-server does not start: %v: %s", err, peerNeeds)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil && errors.Is(err, io.EOF) {
		_ = cmd.Wait()
		t.Fatalf("gst-rtsp-server does not run: %s\n%s", peerNeeds, errs.String())
	}
	return "127.0.0.1:" + strings.TrimSpace(port)
}

// A camera of another make: digest password, both codecs, both transports, several slices a picture.
func TestGStreamerCamera(t *testing.T) {
	addr := peer(t, "door", "sesame")
	for _, c := range []struct {
		path   string
		codec  camera.Codec
		slices int
	}{{"h264", camera.H264, 1}, {"h265", camera.H265, 1}, {"slices", camera.H264, 4}} {
		for _, transport := range []string{"tcp", "udp"} {
			t.Run(c.path+"/"+transport, func(t *testing.T) {
				e := cameratest.NewEye(t)
				e.Keep = true
				cam := e.Watch(rtsp.Open, camera.Config{URL: fmt.Sprintf("rtsp://door:sesame@%s/%s", addr, c.path), Transport: transport})
				const n = 40
				seen := e.Pictures(n)[:n]
				e.Over(cam)
				p := e.Openings(1)[0]
				if p.Codec != c.codec || p.Width != 640 || p.Height != 360 {
					t.Errorf("opened with codec %d, %d×%d; want %d, 640×360", p.Codec, p.Width, p.Height, c.codec)
				}
				keys := 0
				for i, s := range seen {
					if s.Key {
						keys++
					}
					if s.Missing != 0 {
						t.Errorf("picture %d: %d packets missing", i, s.Missing)
					}
					if got := slices(c.codec, s.NALs); got != c.slices {
						t.Errorf("picture %d: %d slices, want %d", i, got, c.slices)
					}
					if i == 0 {
						continue
					}
					if step := s.Media - seen[i-1].Media; step < 60*time.Millisecond || step > 74*time.Millisecond {
						t.Errorf("picture %d: a step of %v, want a 15th of a second", i, step)
					}
				}
				if keys < 2 || keys > 4 {
					t.Errorf("%d key pictures of %d, want one a second", keys, n)
				}
			})
		}
	}
	t.Run("wrong password", func(t *testing.T) {
		e := cameratest.NewEye(t)
		e.Watch(rtsp.Open, camera.Config{URL: fmt.Sprintf("rtsp://door:wrong@%s/h264", addr)})
		if err := e.Closings(1)[0]; !errors.Is(err, camera.ErrCredentials) {
			t.Errorf("got %v, want %v", err, camera.ErrCredentials)
		}
	})
	t.Run("wrong path", func(t *testing.T) {
		e := cameratest.NewEye(t)
		e.Watch(rtsp.Open, camera.Config{URL: fmt.Sprintf("rtsp://door:sesame@%s/attic", addr)})
		if err := e.Closings(1)[0]; !errors.Is(err, camera.ErrNoVideo) {
			t.Errorf("got %v, want %v", err, camera.ErrNoVideo)
		}
	})
}

func slices(c camera.Codec, nals [][]byte) int {
	n := 0
	for _, b := range nals {
		if t := b[0] & 0x1f; c == camera.H264 && (t == 1 || t == 5) {
			n++
		}
		if t := b[0] >> 1; c == camera.H265 && (t <= 9 || t >= 16 && t <= 21) {
			n++
		}
	}
	return n
}

// What ffmpeg codes comes through as it was coded, and the NAL units decode: nothing is lost, cut or moved.
func TestRealVideoIsUntouched(t *testing.T) {
	for _, c := range []camera.Codec{camera.H264, camera.H265} {
		for _, transport := range []string{"tcp", "udp"} {
			t.Run(fmt.Sprint(c, transport), func(t *testing.T) {
				p, all := cameratest.Encode(t, cameratest.Encoding{
					Codec: c, Seconds: 3, Filter: "testsrc2=s=640x360:r=15,noise=alls=20:allf=t", Args: []string{"-b:v", "3M"},
				})
				s := cameratest.Serve(t, cameratest.Setup{Codec: c, Source: cameratest.Clip(p, all)})
				e := cameratest.NewEye(t)
				e.Keep = true
				e.Watch(rtsp.Open, camera.Config{URL: s.URL(), Transport: transport})
				cameratest.Until(t, "playing", func() bool { return s.Plays() > 0 })
				for i := range len(all) + 1 {
					s.Send(1)
					if i > 0 {
						e.Pictures(i)
					}
				}
				for i, got := range e.Pictures(len(all))[:len(all)] {
					if fmt.Sprintf("%x", got.NALs) != fmt.Sprintf("%x", all[i]) {
						t.Fatalf("picture %d differs", i)
					}
				}
			})
		}
	}
}

// A camera of another make gives a key picture when it is asked (RFC 4585), and its own come once a minute.
func TestGStreamerCameraAnswers(t *testing.T) {
	addr := peer(t, "door", "sesame")
	for _, transport := range []string{"tcp", "udp"} {
		t.Run(transport, func(t *testing.T) {
			e := cameratest.NewEye(t)
			cam := e.Watch(rtsp.Open, camera.Config{URL: fmt.Sprintf("rtsp://door:sesame@%s/rare", addr), Transport: transport})
			at := len(e.Pictures(20))
			for i := range 5 {
				if err := cam.(camera.Asker).Ask(t.Context()); err != nil {
					t.Fatal(err)
				}
				asked := e.Now()
				for answered := false; !answered; {
					seen := e.Pictures(at + 1)
					for ; at < len(seen) && !answered; at++ {
						answered = seen[at].Key
					}
					if at > 20+(i+1)*60 {
						t.Fatalf("question %d: no key picture in %v", i, e.Now()-asked)
					}
				}
				t.Logf("question %d: a key picture after %v", i, (e.Now() - asked).Round(time.Millisecond))
				at = len(e.Pictures(at + 15))
			}
			e.Over(cam)
			if err := cam.(camera.Asker).Ask(t.Context()); !errors.Is(err, camera.ErrNotAsked) {
				t.Errorf("a camera that is closed was asked: %v", err)
			}
		})
	}
}
