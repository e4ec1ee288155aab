package rtsp

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pion/rtp"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
)

// hurried is the driver with short spans, so that tests of silence are short too.
func hurried(change func(*limits)) camera.Open {
	lim := defaults
	lim.silence = 300 * time.Millisecond
	change(&lim)
	return func(ctx context.Context, cfg camera.Config, sink camera.Sink) (camera.Camera, error) {
		return open(ctx, cfg, sink, lim)
	}
}

// Only pictures count as life: a connection that gives none is given up, and the error says what there was instead.
func TestSilenceEndsAConnection(t *testing.T) {
	for name, c := range map[string]struct {
		transport string
		alter     func([]*rtp.Packet) []*rtp.Packet
		want      error
	}{
		"nothing over tcp":           {"tcp", func([]*rtp.Packet) []*rtp.Packet { return nil }, camera.ErrStreamEnded},
		"nothing over udp":           {"udp", func([]*rtp.Packet) []*rtp.Packet { return nil }, camera.ErrUnsupported},
		"parts of pictures over tcp": {"tcp", func(p []*rtp.Packet) []*rtp.Packet { return p[1:] }, camera.ErrGarbage},
		"parts of pictures over udp": {"udp", func(p []*rtp.Packet) []*rtp.Packet { return p[1:] }, camera.ErrGarbage},
		"noise in packets": {"tcp", func(p []*rtp.Packet) []*rtp.Packet {
			for _, p := range p {
				for i := range p.Payload {
					p.Payload[i] ^= 0xa5
				}
			}
			return p
		}, camera.ErrGarbage},
	} {
		t.Run(name, func(t *testing.T) {
			set := cameratest.Setup{Alter: c.alter}
			if name == "noise in packets" {
				set.Source = cameratest.Noise(camera.H264, 1)
			}
			s, e := cameratest.Serve(t, set), cameratest.NewEye(t)
			s.Run()
			e.Watch(hurried(func(*limits) {}), camera.Config{URL: s.URL(), Transport: c.transport})
			if err := e.Closings(1)[0]; !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if n := e.Count(); n != 0 {
				t.Errorf("%d pictures", n)
			}
		})
	}
}

// T1, afterwards: a stream that falls silent is given up and asked for anew, and comes back within a moment of the jam's end.
func TestSilentStreamComesBack(t *testing.T) {
	s, e := cameratest.Serve(t, cameratest.Setup{}), cameratest.NewEye(t)
	s.Run()
	e.Watch(hurried(func(*limits) {}), camera.Config{URL: s.URL()})
	e.Pictures(5)
	s.Jam(false)
	if err := e.Closings(1)[0]; !errors.Is(err, camera.ErrStreamEnded) {
		t.Errorf("got %v, want %v", err, camera.ErrStreamEnded)
	}
	n := e.Count()
	s.Resume()
	e.Pictures(n + 20)
	if got := e.Openings(2); len(got) < 2 {
		t.Errorf("opened %d times, want 2", len(got))
	}
}

// A stream without a key picture shows nothing that anybody could look at.
func TestStreamWithoutKeyPictures(t *testing.T) {
	src := cameratest.Noise(camera.H264, 1)
	rest := cameratest.Pictures(t, src, 15)[1:]
	s, e := cameratest.Serve(t, cameratest.Setup{Source: cameratest.Clip(src.Params(), rest)}), cameratest.NewEye(t)
	s.Run()
	e.Watch(hurried(func(l *limits) { l.noKey = 400 * time.Millisecond }), camera.Config{URL: s.URL()})
	if err := e.Closings(1)[0]; !errors.Is(err, camera.ErrNoVideo) {
		t.Errorf("got %v, want %v", err, camera.ErrNoVideo)
	}
	if n := e.Count(); n != 0 {
		t.Errorf("%d pictures, want none", n)
	}
}

// The waits: at first at most a quarter of a second, then longer, 5 s at the most; a minute for a refused password; never the
// same for all cameras, and the same for one in every run.
func TestBackoff(t *testing.T) {
	waits := func(name string, err error, n int) []time.Duration {
		var b backoff
		rng := jitter(name, "10.0.0.7:554")
		var all []time.Duration
		for range n {
			all = append(all, b.next(err, defaults, rng))
		}
		return all
	}
	for _, c := range []struct {
		err  error
		most time.Duration
	}{{camera.ErrUnreachable, 5 * time.Second}, {camera.ErrCredentials, time.Minute}} {
		all := waits("door", c.err, 40)
		if all[0] > 250*time.Millisecond || all[0] < 50*time.Millisecond {
			t.Errorf("%v: first wait %v", c.err, all[0])
		}
		for i, w := range all {
			if w > c.most || i > 12 && w < c.most/2 {
				t.Errorf("%v: wait %d is %v, want %v to %v", c.err, i, w, c.most/2, c.most)
			}
		}
		if again := waits("door", c.err, 40); again[20] != all[20] {
			t.Errorf("%v: another run waits %v, not %v", c.err, again[20], all[20])
		}
		if other := waits("garden", c.err, 40); other[20] == all[20] {
			t.Errorf("%v: two cameras wait the same %v", c.err, other[20])
		}
	}
	var b backoff
	rng := jitter("door")
	for range 10 {
		b.next(camera.ErrUnreachable, defaults, rng)
	}
	if b.reset(); b.next(camera.ErrUnreachable, defaults, rng) > 250*time.Millisecond {
		t.Errorf("the first wait after a good connection is a long one")
	}
}
