package liveness

import (
	"bytes"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"eyebolt/camera"
	"eyebolt/camera/cameratest"
)

// keyQPs reads the quantiser of each key slice.
func keyQPs(tb testing.TB, codec camera.Codec, pictures [][][]byte) (all []int, c *cover) {
	tb.Helper()
	c = &cover{}
	qp := 0
	for _, au := range pictures {
		if !isKey(codec)(au) {
			continue
		}
		for _, n := range au {
			if !isSlice(n, codec) {
				c.params(n, codec)
				continue
			}
			var ok bool
			if codec == camera.H265 {
				qp, ok = c.h265.keyQP(n, qp)
			} else {
				qp, ok = c.h264.keyQP(n)
			}
			if !ok {
				tb.Errorf("slice %x cannot be read", n[:min(len(n), 24)])
				return all, c
			}
			all = append(all, qp)
		}
	}
	return all, c
}

// The quantiser that is read is the one that the encoder was told to use: x264 and x265, in each way that changes the headers.
func TestQuantiserIsTheEncoders(t *testing.T) {
	for _, c := range []struct {
		codec camera.Codec
		qp    int
		args  []string
	}{
		{camera.H264, 30, []string{"-qp", "30", "-x264-params", "keyint=30:scenecut=0:ipratio=1:repeat-headers=1"}},
		{camera.H264, 12, []string{"-qp", "12", "-x264-params", "keyint=30:scenecut=0:ipratio=1:repeat-headers=1:cabac=0"}},
		{camera.H264, 51, []string{"-qp", "51", "-x264-params", "keyint=10:scenecut=0:ipratio=1:repeat-headers=1:slices=4"}},
		{camera.H264, 27, []string{"-qp", "27", "-profile:v", "high", "-x264-params", "keyint=30:scenecut=0:ipratio=1:repeat-headers=1:cqm=jvt:8x8dct=1"}},
		{camera.H264, 33, []string{"-qp", "33", "-x264-params", "keyint=30:scenecut=0:ipratio=1:repeat-headers=1:interlaced=1"}},
		{camera.H264, 40 - 12, []string{"-qp", "40", "-profile:v", "high10", "-pix_fmt", "yuv420p10", "-x264-params", "keyint=30:scenecut=0:ipratio=1:repeat-headers=1"}},
		{camera.H264, 22, []string{"-qp", "22", "-profile:v", "high444", "-pix_fmt", "yuv444p", "-x264-params", "keyint=30:scenecut=0:ipratio=1:repeat-headers=1"}},
		{camera.H265, 30, []string{"-x265-params", "qp=30:ipratio=1:keyint=15:min-keyint=15:scenecut=0:bframes=0:repeat-headers=1:log-level=none"}},
		{camera.H265, 21, []string{"-x265-params", "qp=21:ipratio=1:keyint=15:scenecut=0:slices=3:sao=0:scaling-list=default:repeat-headers=1:log-level=none"}},
		{camera.H265, 45, []string{"-pix_fmt", "yuv420p10", "-x265-params", "qp=45:ipratio=1:keyint=15:scenecut=0:wpp=1:temporal-layers=1:repeat-headers=1:log-level=none"}},
	} {
		t.Run(fmt.Sprint(c.codec, c.args), func(t *testing.T) {
			_, all := cameratest.Encode(t, cameratest.Encoding{Codec: c.codec, Args: c.args, Seconds: 3, Filter: "testsrc2=s=352x288:r=15,noise=alls=9:allf=t"})
			got, _ := keyQPs(t, c.codec, all)
			if len(got) < 2 {
				t.Fatalf("only %d key slices", len(got))
			}
			// x264 counts its quantiser from the finest of the depth, which is 12 below 0 at 10 bits.
			for _, qp := range got {
				if qp != c.qp {
					t.Fatalf("quantisers %v, want %d", got, c.qp)
				}
			}
			t.Logf("%d key slices", len(got))
		})
	}
}

// traced is what ffmpeg's own reader of headers says of the quantisers of key slices.
func traced(t *testing.T, codec camera.Codec, stream []byte) (all []int) {
	t.Helper()
	format := "h264"
	if codec == camera.H265 {
		format = "hevc"
	}
	cmd := exec.Command("ffmpeg", "-v", "trace", "-nostdin", "-f", format, "-i", "pipe:0", "-c", "copy", "-bsf:v", "trace_headers", "-f", "null", "-")
	cmd.Stdin = bytes.NewReader(stream)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("ffmpeg: %v", err)
	}
	kind, initial := 0, 0
	for line := range strings.Lines(said.String()) {
		f := strings.Fields(line)
		if !strings.HasPrefix(line, "[trace_headers") || len(f) < 6 || f[len(f)-2] != "=" {
			continue
		}
		v, _ := strconv.Atoi(f[len(f)-1])
		switch f[4] {
		case "nal_unit_type":
			kind = v
		case "pic_init_qp_minus26", "init_qp_minus26":
			initial = v
		case "slice_qp_delta":
			if codec == camera.H264 && kind == 5 || codec == camera.H265 && kind >= 16 && kind <= 21 {
				all = append(all, 26+initial+v)
			}
		}
	}
	return all
}

// Under rate control the quantiser of each key picture is what ffmpeg reads: x264, x265 with open groups (CRA pictures, whose
// headers name references), and OpenH264 through GStreamer.
func TestQuantiserUnderRateControl(t *testing.T) {
	snow := "testsrc2=s=320x240:r=15,noise=alls=30:allf=t"
	for name, c := range map[string]struct {
		codec camera.Codec
		args  []string
	}{
		"x264": {camera.H264, []string{"ffmpeg", "-v", "error", "-f", "lavfi", "-i", snow, "-t", "6", "-c:v", "libx264", "-b:v", "400k", "-maxrate", "400k", "-bufsize", "200k", "-g", "15", "-f", "h264", "-"}},
		"x265": {camera.H265, []string{"ffmpeg", "-v", "error", "-f", "lavfi", "-i", snow, "-t", "4", "-c:v", "libx265", "-preset", "ultrafast", "-b:v", "400k", "-x265-params", "keyint=15:min-keyint=15:open-gop=1:scenecut=0:bframes=3:slices=2:log-level=none", "-f", "hevc", "-"}},
		"openh264": {camera.H264, []string{
			"gst-launch-1.0", "-q", "videotestsrc", "num-buffers=90", "pattern=snow", "!", "video/x-raw,width=320,height=240,framerate=15/1", "!",
			"openh264enc", "rate-control=bitrate", "bitrate=600000", "gop-size=15", "!", "video/x-h264,stream-format=byte-stream", "!", "fdsink", "fd=1",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(c.args[0]); err != nil {
				t.Skipf("%s is not installed", c.args[0])
			}
			out, err := exec.Command(c.args[0], c.args[1:]...).Output()
			if err != nil {
				t.Fatalf("%s: %v", c.args[0], err)
			}
			if i := bytes.Index(out, []byte{0, 0, 0, 1}); i > 0 { // what the encoder itself prints
				out = out[i:]
			}
			var got []int
			var cov cover
			qp := 0
			for _, n := range bytes.Split(out, []byte{0, 0, 1}) {
				n = bytes.TrimRight(n, "\x00")
				if len(n) == 0 {
					continue
				}
				if !isKey(c.codec)([][]byte{n}) {
					cov.params(n, c.codec)
					continue
				}
				var ok bool
				if c.codec == camera.H265 {
					qp, ok = cov.h265.keyQP(n, qp)
				} else {
					qp, ok = cov.h264.keyQP(n)
				}
				if !ok {
					t.Fatalf("slice %x cannot be read", n[:min(len(n), 24)])
				}
				got = append(got, qp)
			}
			want := traced(t, c.codec, out)
			if !slices.Equal(got, want) || len(got) < 4 {
				t.Errorf("quantisers %v, ffmpeg reads %v", got, want)
			}
			t.Logf("%v", got)
		})
	}
}

// FuzzParams: no parameter set and no slice makes the parsers panic, read on for ever, allocate, or give a quantiser that
// there is none of.
func FuzzParams(f *testing.F) {
	f.Add([]byte{0x67, 0x42, 0xc0, 0x1e, 0x8c, 0x8d, 0x40}, []byte{0x68, 0xce, 0x3c, 0x80}, []byte{0x65, 0x88, 0x84, 0x40, 0x21}, true)
	for _, codec := range []camera.Codec{camera.H264, camera.H265} {
		p, all := cameratest.Encode(f, cameratest.Encoding{Codec: codec, Seconds: 1, Filter: "testsrc2=s=176x144:r=5"})
		for _, au := range all {
			for _, n := range au {
				if isKey(codec)([][]byte{n}) {
					f.Add(p.SPS, p.PPS, n[:min(len(n), 40)], codec == camera.H264)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, sps, pps, slice []byte, avc bool) {
		var c cover
		if avc {
			c.h264.takeSPS(sps)
			c.h264.takePPS(pps)
			if qp, ok := c.h264.keyQP(slice); ok && (qp < -36 || qp > 51) {
				t.Errorf("quantiser %d", qp)
			}
			return
		}
		c.h265.takeSPS(sps)
		c.h265.takePPS(pps)
		if qp, ok := c.h265.keyQP(slice, 26); ok && (qp < -48 || qp > 51) {
			t.Errorf("quantiser %d", qp)
		}
	})
}
