package clip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"strconv"
	"strings"
)

// Encoder is how a camera codes: which program stands for its encoder, and with which settings. There are no B-pictures,
// as in a camera.
type Encoder struct {
	Name    string  `json:"name"`
	Program string  `json:"program"` // "x264" or "openh264"
	Rate    string  `json:"rate"`    // "cbr", or "vbr": a constant quality, the bit rate free
	Kbit    int     `json:"kbit"`    // cbr: at 1280×720; other sizes in proportion to the power 3/4 of their area
	Quality float64 `json:"quality"` // vbr: x264's CRF; openh264's mean quantizer
	GOP     int     `json:"gop"`     // pictures from key to key
	Clock   bool    `json:"clock"`   // it writes a running clock into the picture
}

// Encoders are those of the corpus.
var Encoders = []Encoder{
	{Name: "x264-crf26-g30", Program: "x264", Rate: "vbr", Quality: 26, GOP: 30, Clock: true},
	{Name: "x264-cbr-g30", Program: "x264", Rate: "cbr", Kbit: 1000, GOP: 30},
	{Name: "openh264-cbr-g30", Program: "openh264", Rate: "cbr", Kbit: 1200, GOP: 30, Clock: true},
	{Name: "openh264-q28-g30", Program: "openh264", Rate: "vbr", Quality: 28, GOP: 30},
	{Name: "x264-cbr-g15", Program: "x264", Rate: "cbr", Kbit: 1500, GOP: 15, Clock: true},
	{Name: "x264-crf23-g60", Program: "x264", Rate: "vbr", Quality: 23, GOP: 60},
}

// EncoderNamed finds one of Encoders.
func EncoderNamed(name string) (Encoder, error) {
	for _, e := range Encoders {
		if e.Name == name {
			return e, nil
		}
	}
	return Encoder{}, fmt.Errorf("clip: no encoder is called %q", name)
}

// What to install when a program is missing.
var (
	ErrNoFFmpeg    = errors.New("ffmpeg is not installed: apt-get install ffmpeg")
	ErrNoGStreamer = errors.New("GStreamer's OpenH264 encoder is not installed: apt-get install gstreamer1.0-tools gstreamer1.0-plugins-bad")
)

// Stream is an encoder at work.
type Stream struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	said bytes.Buffer
	feed chan []byte
	free chan []byte
	done chan error
}

// Encode starts an encoder that reads w×h pictures at fps a second. What it codes, as Annex B, goes to out (a file's name)
// or, if that is empty, to to. Every picture is a key if gop is 1.
func (e Encoder) Encode(ctx context.Context, w, h, fps, gop int, out string, to io.Writer) (*Stream, error) {
	kbit := int(float64(e.Kbit) * math.Pow(float64(w*h)/(1280*720), 0.75))
	name, args, err := e.command(w, h, fps, gop, kbit, out)
	if err != nil {
		return nil, err
	}
	s := &Stream{cmd: exec.CommandContext(ctx, name, args...), feed: make(chan []byte, 3), free: make(chan []byte, 4), done: make(chan error, 1)}
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("%s: %w", e.Name, err)
	}
	s.cmd.Stdout, s.cmd.Stderr = to, &s.said
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", e.Name, err)
	}
	for range cap(s.free) {
		s.free <- make([]byte, w*h*3/2)
	}
	go s.run(e.Name)
	return s, nil
}

func (e Encoder) command(w, h, fps, gop, kbit int, out string) (string, []string, error) {
	switch e.Program {
	case "x264":
		path, err := exec.LookPath("ffmpeg")
		if err != nil {
			return "", nil, ErrNoFFmpeg
		}
		if out == "" {
			out = "pipe:1"
		}
		args := []string{
			"-y", "-hide_banner", "-loglevel", "error", "-nostdin", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", fmt.Sprintf("%dx%d", w, h),
			"-r", strconv.Itoa(fps), "-i", "pipe:0", "-c:v", "libx264", "-preset", "superfast", "-tune", "zerolatency", "-profile:v", "main", "-threads", "1",
			"-g", strconv.Itoa(gop), "-keyint_min", strconv.Itoa(gop), "-sc_threshold", "0", "-bf", "0", "-refs", "1",
		}
		if e.Rate == "cbr" {
			args = append(args, "-b:v", fmt.Sprintf("%dk", kbit), "-maxrate", fmt.Sprintf("%dk", kbit), "-bufsize", fmt.Sprintf("%dk", kbit))
		} else {
			args = append(args, "-crf", fmt.Sprint(e.Quality), "-maxrate", "8000k", "-bufsize", "8000k")
		}
		return path, append(args, "-f", "h264", out), nil
	case "openh264":
		path, err := exec.LookPath("gst-launch-1.0")
		if err != nil {
			return "", nil, ErrNoGStreamer
		}
		args := []string{
			"-q", "fdsrc", "fd=0", "!", "rawvideoparse", "format=i420", fmt.Sprintf("width=%d", w), fmt.Sprintf("height=%d", h), fmt.Sprintf("framerate=%d/1", fps),
			"!", "openh264enc", "multi-thread=1", "complexity=low", "scene-change-detection=false", "enable-frame-skip=false", fmt.Sprintf("gop-size=%d", gop),
		}
		if e.Rate == "cbr" {
			args = append(args, "rate-control=bitrate", fmt.Sprintf("bitrate=%d000", kbit), fmt.Sprintf("max-bitrate=%d000", kbit))
		} else {
			q := int(e.Quality)
			args = append(args, "rate-control=quality", "bitrate=4000000", "max-bitrate=8000000", fmt.Sprintf("qp-min=%d", q-2), fmt.Sprintf("qp-max=%d", q+2))
		}
		args = append(args, "!", "video/x-h264,stream-format=byte-stream", "!")
		if out == "" {
			return path, append(args, "fdsink", "fd=1"), nil
		}
		return path, append(args, "filesink", "location="+out), nil
	}
	return "", nil, fmt.Errorf("clip: no encoder program is called %q", e.Program)
}

func (s *Stream) run(name string) {
	var err error
	for p := range s.feed {
		if err == nil {
			_, err = s.in.Write(p)
		}
		s.free <- p
	}
	_ = s.in.Close()
	if werr := s.cmd.Wait(); werr != nil {
		err = werr // it says more than the broken pipe
	}
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(s.said.String()))
	}
	s.done <- err
}

// Write gives the encoder a picture, which it copies; with second 0 or above, a clock is stamped into the copy.
func (s *Stream) Write(pix []byte, w, h, second int) {
	p := <-s.free
	copy(p, pix)
	if second >= 0 {
		stamp(p, w, h, second)
	}
	s.feed <- p
}

// Close ends the stream and says whether it was coded whole.
func (s *Stream) Close() error {
	close(s.feed)
	return <-s.done
}
