package liveness

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
)

// T5: a clip of this camera that is played in again convicts with its first picture if that is a key picture, as a clip's
// first must be to decode, and with its third otherwise; the gap begins with the last picture before.
func TestReplayIsCaught(t *testing.T) {
	for _, c := range []struct {
		name  string
		begin int // which picture the repeated stretch begins with
		after int // with how many pictures more it is named
	}{{"from a key picture", 30, 0}, {"from another picture", 41, 2}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, Config{})
			w.j.Opened(0)
			all := film(0, 300, 0, none)
			for i := 150; i < 300; i++ {
				from := c.begin + (i-150)%60
				all[i].nals, all[i].key = all[from].nals, all[from].key
			}
			w.run(all, 25*sec)
			w.want(Live, Replayed)
			v := w.seen[1]
			if want := all[150+c.after].arrives; v.Since != want {
				t.Errorf("named at %v, want %v", v.Since, want)
			}
			if want := all[149+c.after].arrives; v.GapFrom != want {
				t.Errorf("gap from %v, want %v", v.GapFrom, want)
			}
		})
	}
}

// T4: a man in the middle repeats the last coded picture at full rate, in time and with fresh media times. It is named
// with the third repeat at the latest.
func TestRepeatedPictureIsCaught(t *testing.T) {
	for name, last := range map[string]int{"a key picture": 150, "another picture": 157} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{})
			w.j.Opened(0)
			all := film(0, 300, 0, none)
			for i := last + 1; i < len(all); i++ {
				all[i].nals, all[i].key = all[last].nals, all[last].key
			}
			w.run(all, 19*sec)
			w.want(Live, Replayed)
			if most := all[last+3].arrives; w.seen[1].Since > most {
				t.Errorf("named at %v, want at the third repeat, %v", w.seen[1].Since, most)
			}
		})
	}
}

// A replay that ends is over when its hold is: ten seconds after the last repeat.
func TestReplayHeals(t *testing.T) {
	w := newWorld(t, Config{})
	w.j.Opened(0)
	all := film(0, 450, 0, none)
	for i := 150; i < 165; i++ {
		all[i].nals, all[i].key = all[i-120].nals, all[i-120].key
	}
	w.run(all, 29*sec)
	w.want(Live, Replayed, Live)
	if d := w.seen[2].Since - all[164].arrives; d < replayHold || d > replayHold+100*ms {
		t.Errorf("live again %v after the last repeat, want 10 s", d)
	}
}

// What is no replay: still pictures coded in a few bytes, the same ones each time; a dark key picture; one corner of several
// that never changes; two pictures that happen to repeat; and a stream seen again because a server begins from its cache.
func TestWhatIsNoReplay(t *testing.T) {
	short := func(b byte, n int) [][]byte {
		p := make([]byte, n)
		for i := range p {
			p[i] = b + byte(i*7)
		}
		p[0] = b
		return [][]byte{p}
	}
	for name, change := range map[string]func(i int, s *shot){
		"all skipped": func(_ int, s *shot) {
			if !s.key {
				s.nals = short(0x41, 120)
			}
		},
		"dark key pictures": func(_ int, s *shot) {
			if s.key {
				s.nals = short(0x65, 900)
			}
		},
		"one slice of three never changes": func(i int, s *shot) {
			head := []byte{s.nals[0][0]}
			s.nals = [][]byte{append(head, short(1, 600)[0]...), s.nals[0], picture(uint64(5000+i), s.key)[0]}
		},
		"two in a row": func(i int, s *shot) {
			if i%20 == 7 || i%20 == 8 {
				s.nals = short(0x41, 700+i%20)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{})
			w.j.Opened(0)
			all := film(0, 300, 0, none)
			for i := range all {
				change(i, &all[i])
			}
			w.run(all, 19*sec)
			w.want(Live)
		})
	}
}

// The memory is bounded, and forgets the oldest first: what is as old as half of it is still known.
func TestReplayMemory(t *testing.T) {
	for _, n := range []int{1, 64, 1000, 65536} {
		var r replay
		r.init(n)
		room := len(r.sets) * ways
		if room < n || room > max(2*ways, 2*n) {
			t.Errorf("room for %d slices, asked for %d", room, n)
		}
		rng := rand.New(rand.NewPCG(1, uint64(n)))
		all := make([]uint64, 2*room)
		for i := range all {
			all[i] = rng.Uint64() | 1
			if r.seen(all[i]) {
				t.Fatalf("of %d: %d is new and was known", n, i)
			}
		}
		known := 0
		back := all[len(all)-room/4:]
		for _, h := range back {
			set := r.sets[h>>r.shift]
			for _, k := range set {
				if k == h {
					known++
				}
			}
		}
		if known*100 < 97*len(back) {
			t.Errorf("of %d: %d of the newest %d are known", n, known, len(back))
		}
	}
}

// The end of a slice is what counts: not its header, not what may be added behind it.
func TestReplayLooksPastWhatAForgerMayChange(t *testing.T) {
	base := picture(5, true)[0]
	change := func(f func(b []byte) []byte) []byte { return f(append([]byte(nil), base...)) }
	for name, c := range map[string]struct {
		b    []byte
		same bool
	}{
		"header":               {change(func(b []byte) []byte { b[2] ^= 0x55; return b }), true},
		"zeros behind":         {change(func(b []byte) []byte { return append(b, 0, 0, 0) }), true},
		"cabac_zero_words":     {change(func(b []byte) []byte { return append(b, 0, 0, 3, 0, 0, 3) }), true},
		"a bit near its end":   {change(func(b []byte) []byte { b[len(b)-100] ^= 1; return b }), false},
		"its last byte":        {change(func(b []byte) []byte { b[len(b)-1] ^= 0x10; return b }), false},
		"the first byte of it": {change(func(b []byte) []byte { b[len(b)-256] ^= 1; return b }), false},
	} {
		var r replay
		r.init(64)
		r.picture(&camera.Picture{Key: true, NALs: [][]byte{base}}, true)
		if got := r.picture(&camera.Picture{Key: true, NALs: [][]byte{c.b}}, true); got != c.same {
			t.Errorf("%s changed: repeat %v, want %v", name, got, c.same)
		}
	}
}

// play gives real access units to a Judge, one a period.
func play(j *Judge, pictures [][][]byte, key func([][]byte) bool, from int, each func(i int, v Verdict) bool) {
	for i, au := range pictures {
		at := time.Duration(from+i) * period
		j.Picture(camera.Picture{Media: at, Arrival: at, Key: key(au), NALs: au})
		if !each(from+i, j.Tick(at)) {
			return
		}
	}
}

func isKey(c camera.Codec) func([][]byte) bool {
	return func(au [][]byte) bool {
		for _, n := range au {
			if c == camera.H264 && n[0]&0x1f == 5 || c == camera.H265 && n[0]>>1 >= 16 && n[0]>>1 <= 21 {
				return true
			}
		}
		return false
	}
}

// T5 on real video: a stream-copied loop is caught with its first repeated picture, in each way of coding.
func TestRealLoopIsCaught(t *testing.T) {
	for _, c := range []struct {
		codec camera.Codec
		noise int
		args  []string
	}{
		{camera.H264, 4, []string{"-b:v", "1M", "-maxrate", "1M", "-bufsize", "1M"}},
		{camera.H264, 12, []string{"-crf", "26"}},
		{camera.H264, 12, []string{"-crf", "26", "-coder", "0"}},
		{camera.H265, 12, []string{"-crf", "26"}},
	} {
		t.Run(fmt.Sprint(c.codec, c.noise, c.args), func(t *testing.T) {
			seconds := 6
			_, all := cameratest.Encode(t, cameratest.Encoding{
				Codec: c.codec, Seconds: seconds, Args: c.args,
				Filter: fmt.Sprintf("testsrc2=s=640x360:r=15,noise=alls=%d:allf=t", c.noise),
			})
			j := New(Config{})
			j.Opened(0)
			caught := -1
			look := func(i int, v Verdict) bool {
				if v.State == Replayed {
					caught = i
					return false
				}
				return true
			}
			play(j, all, isKey(c.codec), 0, look)
			if caught >= 0 {
				t.Fatalf("picture %d of the first showing called a replay", caught)
			}
			play(j, all[30:], isKey(c.codec), len(all), look)
			if caught != len(all) {
				t.Errorf("loop caught with picture %d, want %d", caught, len(all))
			}
		})
	}
}

// S18 on real video: a still scene with a sensor's noise, filmed live, is never called a replay.
func TestRealNoiseIsNoReplay(t *testing.T) {
	minutes := 10
	if testing.Short() {
		minutes = 1
	}
	for _, args := range [][]string{{"-crf", "28", "-preset", "ultrafast"}, {"-b:v", "300k", "-maxrate", "300k", "-bufsize", "300k", "-preset", "ultrafast"}} {
		_, all := cameratest.Encode(t, cameratest.Encoding{
			Seconds: 60 * minutes, Args: args,
			Filter: "smptebars=s=320x240:r=15,noise=alls=8:allf=t",
		})
		j := New(Config{})
		j.Opened(0)
		slices, big := 0, 0
		play(j, all, isKey(camera.H264), 0, func(i int, v Verdict) bool {
			for _, n := range all[i] {
				if t := n[0] & 0x1f; t == 1 || t == 5 {
					slices++
					if len(n) >= replaySlice {
						big++
					}
				}
			}
			if v.State == Replayed {
				t.Errorf("%v: picture %d called a replay", args, i)
				return false
			}
			return true
		})
		if len(all) < 900*minutes || big < len(all)/4 {
			t.Errorf("%v: %d pictures, %d of %d slices looked at: hardly tried", args, len(all), big, slices)
		}
		t.Logf("%v: %d pictures, %d of %d slices looked at, 0 repeats", args, len(all), big, slices)
	}
}

// BenchmarkPicture is the cost of watching: one picture of real 720p H.264 at 15 a second, with the verdict.
func BenchmarkPicture(b *testing.B) {
	_, all := cameratest.Encode(b, cameratest.Encoding{Seconds: 4, Args: []string{"-b:v", "1500k", "-maxrate", "1500k", "-bufsize", "1500k"}})
	keys := make([]bool, len(all))
	bytes := 0
	for i, au := range all {
		keys[i] = isKey(camera.H264)(au)
		for _, n := range au {
			bytes += len(n)
		}
	}
	j := New(Config{})
	j.Opened(0)
	b.ReportAllocs()
	b.ReportMetric(float64(bytes)/float64(len(all)), "bytes/picture")
	i := 0
	for b.Loop() {
		at := time.Duration(i) * period
		for _, n := range all[i%len(all)] {
			if len(n) > 64 { // each showing is another picture
				n[len(n)-30], n[len(n)-20], n[len(n)-10] = byte(i), byte(i>>8), byte(i>>16)
			}
		}
		j.Picture(camera.Picture{Media: at, Arrival: at, Key: keys[i%len(all)], NALs: all[i%len(all)]})
		i++
	}
	b.StopTimer()
	if f := find(j.Explain(), "cover"); f.State == Unknown && i > 400 || j.Verdict().State != Live && i > 400 {
		b.Errorf("not judged: %+v %+v", f, j.Verdict())
	}
}

// BenchmarkTick is what each of the hub's ticks costs for one camera.
func BenchmarkTick(b *testing.B) {
	j := New(Config{})
	j.Opened(0)
	for _, s := range film(0, 60, 0, none) {
		j.Picture(cameraPicture(s))
		j.Tick(s.arrives)
	}
	b.ReportAllocs()
	for b.Loop() {
		j.Tick(j.now)
	}
}
