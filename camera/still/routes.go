package still

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"slices"
	"time"

	"eyebolt/camera"
)

// Way is how stills are got.
type Way uint8

const (
	NoWay    Way = iota
	Snapshot     // the camera's JPEG snapshot, asked for again and again
	MJPEG        // an MJPEG sub-stream
	Keyframe     // the stream's own key pictures, through ffmpeg
)

func (w Way) String() string {
	return [...]string{"none", "snapshot", "mjpeg", "keyframe"}[min(w, Keyframe)]
}

// Offer is what a camera and this machine have to offer.
type Offer struct {
	Snapshot      bool          // it answers snapshot requests
	Motion        bool          // it has an MJPEG stream
	Width, Height int           // of the snapshot or MJPEG pictures
	Every         time.Duration // between two JPEGs that are decoded; 500 ms if not set
	Key           time.Duration // between two key pictures of the watched stream; 2 s if not set
	FFmpeg        bool          // ffmpeg is installed
}

// Cost is what one still costs this machine.
type Cost struct {
	JPEG time.Duration // processor time of one JPEG of Offer's size
	Key  time.Duration // processor time of one key picture of the watched stream, in this process and in ffmpeg's
}

// Route is one way with its cost, to be shown to the user.
type Route struct {
	Way   Way
	Every time.Duration // between two stills
	CPU   float64       // share of one processor core, measured on this machine
	Say   string        // one sentence: what is looked at, how often, at what cost, and when
}

// Routes gives the ways that are open, the cheapest first; of two that cost alike (within a tenth) the one that looks at the
// recorded stream itself. None is open: the camera's fingerprint cannot be taken, which the user must be told.
func Routes(o Offer, c Cost) []Route {
	if o.Every == 0 {
		o.Every = 500 * time.Millisecond
	}
	if o.Key == 0 {
		o.Key = 2 * time.Second
	}
	share := func(cost, every time.Duration) float64 { return float64(cost) / float64(every) }
	var all []Route
	jpegs := func(w Way, what string) {
		cpu := share(c.JPEG, o.Every)
		all = append(all, Route{w, o.Every, cpu, fmt.Sprintf(
			"Looks at the camera's %s every %s: %s of a processor core. It tells whether the sensor still sees; a stream that somebody else replays is found by other checks.",
			what, seconds(o.Every), percent(cpu))})
	}
	if o.Snapshot {
		jpegs(Snapshot, "snapshots")
	}
	if o.Motion {
		jpegs(MJPEG, "MJPEG stream")
	}
	if o.FFmpeg {
		cpu := share(c.Key, o.Key)
		all = append(all, Route{Keyframe, o.Key, cpu, fmt.Sprintf(
			"Looks at the key pictures of the watched stream itself, one every %s, through ffmpeg, during visits only: %s of a processor core then.",
			seconds(o.Key), percent(cpu))})
	}
	slices.SortStableFunc(all, func(a, b Route) int {
		switch {
		case a.CPU < b.CPU*0.9:
			return -1
		case b.CPU < a.CPU*0.9:
			return 1
		default:
			return int(b.Way) - int(a.Way)
		}
	})
	return all
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3g s", d.Seconds()) }

func percent(share float64) string { return fmt.Sprintf("%.2g %%", 100*share) }

// MeasureJPEG is the time that one JPEG of this size takes to decode on this machine: the shortest of five. The picture is
// noise at quality 75, which is more work than a hallway.
func MeasureJPEG(width, height int) (time.Duration, error) {
	if err := fits(width, height); err != nil {
		return 0, err
	}
	b := noisy(width, height)
	var j JPEG
	best := time.Duration(0)
	for range 5 {
		began := time.Now()
		if _, err := j.Decode(b); err != nil {
			return 0, err
		}
		if d := time.Since(began); best == 0 || d < best {
			best = d
		}
	}
	return best, nil
}

// noisy is a grey slope with a sensor's noise on it, as JPEG.
func noisy(width, height int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	img := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	for y := range height {
		for x := range width {
			img.Y[y*img.YStride+x] = byte(40 + 160*x/width + int(4*rng.NormFloat64()))
		}
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = 128, 128
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, img, &jpeg.Options{Quality: 75}) // a buffer takes everything
	return b.Bytes()
}

// MeasureKey decodes a camera's own key picture n times in one decoder of its own, and gives the processor time and the
// shortest latency of one. It is for set-up: it takes about a second.
func MeasureKey(ffmpeg string, p camera.Params, key camera.Picture, n int) (cpu, latency time.Duration, err error) {
	unit, err := annexB(nil, p, key.NALs)
	if err != nil {
		return 0, 0, err
	}
	// The decoder's start is left out: measured as a run of one picture.
	run := func(n int) (spent, best time.Duration, err error) {
		c, err := spawn(ffmpeg, p)
		if err != nil {
			return 0, 0, err
		}
		full := make([]byte, p.Width*p.Height)
		for range n {
			began := time.Now()
			if err = c.decode(unit, full, 10*time.Second); err != nil {
				break
			}
			if d := time.Since(began); best == 0 || d < best {
				best = d
			}
		}
		c.kill()
		return c.spent(), best, err
	}
	start, _, err := run(1)
	if err != nil {
		return 0, 0, err
	}
	all, best, err := run(1 + n)
	if err != nil {
		return 0, 0, err
	}
	return max(0, all-start) / time.Duration(n), best, nil
}
