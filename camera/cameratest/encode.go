package cameratest

import (
	"bytes"
	"os/exec"
	"strconv"
	"testing"

	"eyebolt/camera"
)

// Encoding is a stretch of video for ffmpeg to code as a camera does: no B-frames, a key picture every two seconds, parameter
// sets in each.
type Encoding struct {
	Codec   camera.Codec // H264 if not set
	Filter  string       // lavfi; a noisy test picture of 720p at 15 a second if not set
	Seconds int          // 4 if not set
	Args    []string     // added to the encoder's
}

// Encode gives its access units. Without ffmpeg the test fails, and says what to install.
func Encode(tb testing.TB, e Encoding) (camera.Params, [][][]byte) {
	tb.Helper()
	if e.Filter == "" {
		e.Filter = "testsrc2=s=1280x720:r=15,noise=alls=12:allf=t"
	}
	if e.Seconds == 0 {
		e.Seconds = 4
	}
	args := []string{"-v", "error", "-nostdin", "-f", "lavfi", "-i", e.Filter, "-t", strconv.Itoa(e.Seconds), "-threads", "2"}
	p := camera.Params{Codec: camera.H264}
	if e.Codec == camera.H265 {
		p.Codec = camera.H265
		args = append(args, "-c:v", "libx265", "-preset", "ultrafast", "-tune", "zerolatency",
			"-x265-params", "log-level=none:keyint=30:min-keyint=30:scenecut=0:bframes=0:repeat-headers=1")
		args = append(args, e.Args...)
		args = append(args, "-bsf:v", "hevc_metadata=aud=insert", "-f", "hevc", "-")
	} else {
		args = append(args, "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-tune", "zerolatency", "-bf", "0",
			"-x264-params", "keyint=30:min-keyint=30:scenecut=0:repeat-headers=1:sliced-threads=0")
		args = append(args, e.Args...)
		args = append(args, "-bsf:v", "h264_metadata=aud=insert", "-f", "h264", "-")
	}
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		tb.Fatal("ffmpeg is not installed: sudo apt-get install -y ffmpeg")
	}
	cmd := exec.Command(path, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("ffmpeg: %v\n%s", err, errs.String())
	}
	return p, split(&p, out)
}

// split cuts an Annex B stream with access unit delimiters, and takes its first parameter sets.
func split(p *camera.Params, b []byte) [][][]byte {
	var all [][][]byte
	for _, part := range bytes.Split(b, []byte{0, 0, 1}) {
		n := bytes.TrimRight(part, "\x00")
		if len(n) == 0 {
			continue
		}
		t, aud, vps, sps, pps := n[0]&0x1f, byte(9), byte(0), byte(7), byte(8)
		if p.Codec == camera.H265 {
			t, aud, vps, sps, pps = n[0]>>1&0x3f, 35, 32, 33, 34
		}
		switch {
		case t == aud:
			all = append(all, nil)
			continue
		case t == vps && p.Codec == camera.H265 && p.VPS == nil:
			p.VPS = n
		case t == sps && p.SPS == nil:
			p.SPS = n
		case t == pps && p.PPS == nil:
			p.PPS = n
		}
		if len(all) > 0 {
			all[len(all)-1] = append(all[len(all)-1], n)
		}
	}
	return all
}
