package still

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
)

// kept is a sink that keeps stills.
type kept struct {
	mu  sync.Mutex
	all []camera.Still
	c   chan struct{}
}

func newKept() *kept { return &kept{c: make(chan struct{}, 1000)} }

func (k *kept) take(s camera.Still) {
	s.Luma = bytes.Clone(s.Luma)
	k.mu.Lock()
	k.all = append(k.all, s)
	k.mu.Unlock()
	k.c <- struct{}{}
}

func (k *kept) wait(t *testing.T) camera.Still {
	t.Helper()
	select {
	case <-k.c:
	case <-time.After(20 * time.Second):
		t.Fatal("no still in 20 s")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.all[len(k.all)-1]
}

// truth is what ffmpeg's own full decode of a whole stream gives for picture n: luma, shrunk as a still is.
func truth(t *testing.T, p camera.Params, pictures [][][]byte) [][]byte {
	t.Helper()
	var in bytes.Buffer
	for _, au := range pictures {
		for _, n := range au {
			in.Write([]byte{0, 0, 0, 1})
			in.Write(n)
		}
	}
	form := "h264"
	if p.Codec == camera.H265 {
		form = "hevc"
	}
	cmd := exec.Command("ffmpeg", "-v", "error", "-f", form, "-i", "pipe:0", "-pix_fmt", "yuv420p", "-fps_mode", "passthrough", "-f", "rawvideo", "-")
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	size := p.Width * p.Height * 3 / 2
	if len(out) != size*len(pictures) {
		t.Fatalf("ffmpeg gave %d bytes, want %d pictures of %d", len(out), len(pictures), size)
	}
	var all [][]byte
	for i := range pictures {
		s, _, _ := shrink(nil, out[i*size:], p.Width, p.Width, p.Height, Factor(p.Width, p.Height))
		all = append(all, s)
	}
	return all
}

func isKey(c camera.Codec, au [][]byte) bool {
	for _, n := range au {
		if k, _ := kindOf(c, n); k == isSlice {
			return true
		}
	}
	return false
}

// small is a noisy picture that is halved, and costs a busy machine little to encode.
const small = "testsrc2=s=704x400:r=15,noise=alls=12:allf=t"

// Each key picture gives exactly one still, that one, at once: its luma is what ffmpeg decodes of it within the whole stream,
// and its times are the key picture's, also where the stream reorders pictures.
func TestKeyframesGiveTheStreamsOwnPictures(t *testing.T) {
	for name, e := range map[string]cameratest.Encoding{
		"h264":          {Filter: small},
		"h264 slices":   {Filter: small, Args: []string{"-x264-params", "keyint=30:min-keyint=30:scenecut=0:repeat-headers=1:slices=4"}},
		"h264 high":     {Filter: small, Args: []string{"-profile:v", "high", "-x264-params", "keyint=30:min-keyint=30:scenecut=0:repeat-headers=1:cqm=jvt"}},
		"h264 b-frames": {Filter: small, Args: []string{"-tune", "film", "-bf", "3", "-x264-params", "keyint=30:min-keyint=30:scenecut=0:repeat-headers=1:b-pyramid=normal:open-gop=0"}},
		"h265":          {Filter: small, Codec: camera.H265},
		"h265 b-frames": {Filter: small, Codec: camera.H265, Args: []string{"-tune", "grain", "-x265-params", "log-level=none:keyint=30:min-keyint=30:scenecut=0:bframes=3:b-pyramid=1:repeat-headers=1:open-gop=0"}},
		"h264 1080p":    {Filter: "testsrc2=s=1920x1080:r=15,noise=alls=12:allf=t", Seconds: 3},
	} {
		t.Run(name, func(t *testing.T) {
			p, pictures := cameratest.Encode(t, e)
			p.Width, p.Height = 704, 400
			if strings.Contains(name, "1080p") {
				p.Width, p.Height = 1920, 1080
			}
			want := truth(t, p, pictures)
			k := newKept()
			kf, err := NewKeyframes(KeyframesConfig{Within: 20 * time.Second}, k.take)
			if err != nil {
				t.Fatal(err)
			}
			defer kf.Close()
			kf.Opened(p)
			kf.Begin()
			keys := 0
			for i, au := range pictures {
				if !isKey(p.Codec, au) {
					kf.Picture(camera.Picture{NALs: au})
					continue
				}
				keys++
				media := time.Duration(i) * time.Second / 15
				kf.Picture(camera.Picture{Key: true, Media: media, Arrival: media + time.Hour, NALs: au})
				s := k.wait(t)
				if s.Media != media || s.Arrival != media+time.Hour {
					t.Errorf("key picture %d: the still's times are %v and %v", i, s.Media, s.Arrival)
				}
				if s.Width != p.Width/2 || s.Height != p.Height/2 || len(s.Luma) != s.Width*s.Height {
					t.Fatalf("the still is %d × %d with %d bytes", s.Width, s.Height, len(s.Luma))
				}
				// It stands alone: shown again, as by a camera that counts its pictures in few bits, it is decoded again.
				kf.Picture(camera.Picture{Key: true, Media: media + 1, NALs: au})
				if again := k.wait(t); again.Media != media+1 || !bytes.Equal(again.Luma, s.Luma) {
					t.Errorf("key picture %d, a second time: it is another still", i)
				}
				// In display order the key picture of a closed group is where it is in decoding order.
				if !bytes.Equal(s.Luma, want[i]) {
					t.Errorf("key picture %d is not what ffmpeg decodes: PSNR %.1f dB", i, psnr(s.Luma, want[i]))
				}
			}
			if keys < 2 {
				t.Fatalf("only %d key pictures in the clip", keys)
			}
			if st := kf.Stats(); st.Stills != uint64(2*keys) || st.Failed != 0 || st.Dropped != 0 || st.Started != 1 {
				t.Errorf("stats %+v, want %d stills from one decoder", st, 2*keys)
			}
			t.Logf("latency of the last still: %v", kf.Stats().Latency)
		})
	}
}

func psnr(a, b []byte) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(a))/sum)
}

// clip is a short real stream of key pictures.
func clip(t testing.TB) (camera.Params, []camera.Picture) {
	p, pictures := cameratest.Encode(t, cameratest.Encoding{Filter: "testsrc2=s=640x360:r=5,noise=alls=12:allf=t", Args: []string{"-g", "1", "-x264-params", "keyint=1:repeat-headers=1"}})
	p.Width, p.Height = 640, 360
	var all []camera.Picture
	for i, au := range pictures {
		all = append(all, camera.Picture{Key: true, Media: time.Duration(i), NALs: au})
	}
	return p, all
}

// A decoder that is killed, or fed with garbage, is started anew after a pause, and the next key picture gives its own still.
func TestKeyframesSurviveTheirDecoder(t *testing.T) {
	p, pics := clip(t)
	k := newKept()
	kf, err := NewKeyframes(KeyframesConfig{Within: time.Second}, k.take)
	if err != nil {
		t.Fatal(err)
	}
	defer kf.Close()
	kf.Opened(p)
	kf.Begin()
	kf.Picture(pics[0])
	k.wait(t)

	kill(t, decoders(t))
	again := func(n int) {
		t.Helper()
		cameratest.Until(t, "a still after the decoder's end", func() bool {
			kf.Picture(pics[n])
			time.Sleep(20 * time.Millisecond)
			return kf.Stats().LastFail == nil && kf.Stats().Started >= uint64(n+1)
		})
		if s := k.wait(t); s.Media != pics[n].Media {
			t.Errorf("still of %v, want %v", s.Media, pics[n].Media)
		}
	}
	kf.Picture(pics[1]) // finds it dead
	again(1)

	garbage := bytes.Repeat([]byte{0x65, 0x88, 0x84, 0x21, 0xa0}, 2000)
	failed := kf.Stats().Failed
	kf.Picture(camera.Picture{Key: true, Media: 99, NALs: [][]byte{garbage}})
	cameratest.Until(t, "the garbage's failure", func() bool { return kf.Stats().Failed > failed })
	again(2)
	for _, s := range k.all {
		if s.Media == 99 {
			t.Error("garbage gave a still")
		}
	}
	before := kf.Stats()
	if before.LastFail != nil {
		t.Errorf("the last failure is still %v", before.LastFail)
	}
}

// Picture never waits, whatever the decoder does; of the key pictures that come meanwhile the newest is decoded, and the others
// are counted.
func TestKeyframesNeverHoldUpThePicture(t *testing.T) {
	p, pics := clip(t)
	k := newKept()
	kf, err := NewKeyframes(KeyframesConfig{Within: 30 * time.Second}, k.take)
	if err != nil {
		t.Fatal(err)
	}
	defer kf.Close()
	kf.Opened(p)
	kf.Begin()
	kf.Picture(pics[0])
	k.wait(t)
	pid := decoders(t)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	kf.Picture(pics[1])
	cameratest.Until(t, "the second picture to be taken", func() bool { kf.mu.Lock(); defer kf.mu.Unlock(); return kf.wait == nil })
	began := time.Now()
	for i := range 1000 {
		q := pics[2+i%8]
		q.Media = time.Duration(1000 + i)
		kf.Picture(q)
	}
	took := time.Since(began)
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if s := k.wait(t); s.Media != pics[1].Media {
		t.Errorf("the first still is of %v", s.Media)
	}
	if s := k.wait(t); s.Media != 1999 {
		t.Errorf("the second still is of %v, want the newest", s.Media)
	}
	if st := kf.Stats(); st.Dropped != 999 {
		t.Errorf("%d dropped, want 999", st.Dropped)
	}
	if took > 5*time.Second {
		t.Errorf("1000 key pictures took %v", took)
	}
}

// The decoder lives as long as a visit, and its process is gone when Close returns. It has a network of its own where the
// kernel grants one, no environment, and bounds.
func TestKeyframesDecoderIsConfined(t *testing.T) {
	p, pics := clip(t)
	k := newKept()
	kf, err := NewKeyframes(KeyframesConfig{}, k.take)
	if err != nil {
		t.Fatal(err)
	}
	defer kf.Close()
	kf.Opened(p)
	kf.Picture(pics[0])
	if kf.Stats().Started != 0 || kf.wait != nil {
		t.Error("a decoder was started, or a picture kept, outside a visit")
	}
	kf.Begin()
	kf.Picture(pics[0])
	k.wait(t)
	pid := decoders(t)
	at := "/proc/" + strconv.Itoa(pid)
	ours, err1 := os.Readlink("/proc/self/ns/net")
	its, err2 := os.Readlink(at + "/ns/net")
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if exec.Command("unshare", "-Urn", "true").Run() == nil && ours == its {
		t.Error("the decoder shares our network, though the kernel grants another")
	}
	env, err := os.ReadFile(at + "/environ")
	if err != nil || string(env) != "LC_ALL=C\x00" {
		t.Errorf("its environment is %q, %v", env, err)
	}
	lim, err := os.ReadFile(at + "/limits")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Max address space         1073741824", "Max file size             0", "Max cpu time              600"} {
		if !strings.Contains(string(lim), want) {
			t.Errorf("its limits lack %q", want)
		}
	}
	kf.End()
	cameratest.Until(t, "the decoder's end", func() bool { return syscall.Kill(pid, 0) != nil })
	kf.Begin()
	kf.Picture(pics[1])
	k.wait(t)
	pid = decoders(t)
	if err := kf.Close(); err != nil {
		t.Fatal(err)
	}
	if syscall.Kill(pid, 0) == nil {
		t.Error("the decoder outlives Close")
	}
}

// decoders finds this process's one child.
func decoders(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, task := range tasks {
		b, err := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		if err == nil {
			all = append(all, strings.Fields(string(b))...)
		}
	}
	if len(all) != 1 {
		t.Fatalf("%d children, want 1", len(all))
	}
	pid, _ := strconv.Atoi(all[0])
	return pid
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	cameratest.Until(t, "its end", func() bool { return syscall.Kill(pid, 0) != nil })
}

func TestRoutesCheapestFirst(t *testing.T) {
	ms := time.Millisecond
	all := Routes(Offer{Snapshot: true, Motion: true, FFmpeg: true}, Cost{JPEG: 12 * ms, Key: 20 * ms})
	if len(all) != 3 || all[0].Way != Keyframe || all[1].Way != MJPEG || all[2].Way != Snapshot {
		t.Errorf("got %v", all)
	}
	all = Routes(Offer{Snapshot: true, FFmpeg: true, Every: 2 * time.Second}, Cost{JPEG: 6 * ms, Key: 20 * ms})
	if all[0].Way != Snapshot || all[0].CPU != 0.003 || !strings.Contains(all[0].Say, "0.3 % of a processor core") {
		t.Errorf("got %v", all)
	}
	if all = Routes(Offer{}, Cost{}); len(all) != 0 {
		t.Errorf("got %v", all)
	}
}
