// Package eye is the pretend home's camera: a drawn hallway, encoded live by ffmpeg and served over RTSP, with everything
// that can go wrong with a camera or be done to one.
package eye

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

// Unit is one coded picture: an H.264 access unit with its own time.
type Unit struct {
	NALs [][]byte // without start codes; parameter sets in front of a key picture
	Key  bool
	Shot time.Duration // when the scene was painted, on the clock of SourceConfig.Now
}

// SourceConfig is how pictures are made.
type SourceConfig struct {
	Scene         *Scene
	Width, Height int // default 640×360
	FPS           int // default 15
	Bitrate       int // kbit/s, default 900
	GOP           int // pictures from key to key, default 2 s
	Now           func() time.Duration
	Log           *slog.Logger
	// Sign, if set, gets each coded picture and when it was painted, and returns what to send in its place: the camera's own
	// signatures go in here. It is called from one goroutine; an error ends the source.
	Sign func(nals [][]byte, shot time.Duration) ([][]byte, error)
}

// Source paints a scene at its frame rate and encodes it.
type Source struct {
	cfg    SourceConfig
	cancel context.CancelFunc
	wg     sync.WaitGroup
	in     io.WriteCloser

	mu     sync.Mutex
	sinks  map[int]func(Unit)
	next   int
	shots  []time.Duration // of pictures in the encoder, oldest first
	err    error
	frozen bool

	first chan struct{} // closed at the first unit
	sps   []byte
	pps   []byte
}

// ErrNoFFmpeg tells how to get the encoder.
var ErrNoFFmpeg = errors.New("ffmpeg is not installed: apt-get install ffmpeg")

// NewSource starts painting and encoding; it returns when the first picture is coded.
func NewSource(ctx context.Context, cfg SourceConfig) (*Source, error) {
	for _, d := range []struct {
		v *int
		d int
	}{{&cfg.Width, 640}, {&cfg.Height, 360}, {&cfg.FPS, 15}, {&cfg.Bitrate, 900}} {
		if *d.v == 0 {
			*d.v = d.d
		}
	}
	if cfg.GOP == 0 {
		cfg.GOP = 2 * cfg.FPS
	}
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, ErrNoFFmpeg
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, path, "-hide_banner", "-loglevel", "error", "-nostdin",
		"-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", fmt.Sprintf("%dx%d", cfg.Width, cfg.Height), "-r", strconv.Itoa(cfg.FPS), "-i", "pipe:0",
		"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline", "-threads", "1",
		"-b:v", fmt.Sprintf("%dk", cfg.Bitrate), "-maxrate", fmt.Sprintf("%dk", cfg.Bitrate*3/2), "-bufsize", fmt.Sprintf("%dk", cfg.Bitrate),
		"-g", strconv.Itoa(cfg.GOP), "-keyint_min", strconv.Itoa(cfg.GOP), "-sc_threshold", "0", "-bf", "0",
		"-flush_packets", "1", "-flvflags", "no_duration_filesize", "-f", "flv", "pipe:1")
	dieWithParent(cmd)
	s := &Source{cfg: cfg, cancel: cancel, sinks: map[int]func(Unit){}, first: make(chan struct{})}
	if s.in, err = cmd.StdinPipe(); err != nil {
		cancel()
		return nil, fmt.Errorf("ffmpeg: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		cancel()
		return nil, fmt.Errorf("ffmpeg: %w", err)
	}
	said := &tail{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, fmt.Errorf("ffmpeg: %w", err)
	}
	s.wg.Add(2)
	go func() { defer s.wg.Done(); s.paint(ctx) }()
	go func() {
		defer s.wg.Done()
		err := s.read(bufio.NewReaderSize(out, 1<<18))
		cancel()
		_ = cmd.Wait()
		s.fail(fmt.Errorf("ffmpeg ended: %w %s", err, said))
	}()
	select {
	case <-s.first:
		return s, nil
	case <-ctx.Done():
		s.wg.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		return nil, s.err
	case <-time.After(15 * time.Second):
		cancel()
		s.wg.Wait()
		return nil, fmt.Errorf("ffmpeg coded nothing in 15 s: try `ffmpeg -encoders | grep libx264`; it said: %s", said)
	}
}

func (s *Source) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

// Freeze makes the sensor repeat its last picture, noise and all, while the encoder runs on.
func (s *Source) Freeze(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen = on
}

// paint owns the frame and the encoder's input.
func (s *Source) paint(ctx context.Context) {
	defer s.in.Close()
	f := newFrame(s.cfg.Width, s.cfg.Height)
	beat := time.NewTicker(time.Second / time.Duration(s.cfg.FPS))
	defer beat.Stop()
	for {
		now := s.cfg.Now()
		s.mu.Lock()
		frozen := s.frozen
		s.shots = append(s.shots, now)
		s.mu.Unlock()
		if !frozen {
			s.cfg.Scene.paint(f, now, time.Now())
		}
		if _, err := s.in.Write(f.pix); err != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
	}
}

// read takes coded pictures out of FLV (Adobe Flash Video File Format 10.1, annex E), which gives each its length, so that none
// waits for the next one's start code.
func (s *Source) read(r *bufio.Reader) error {
	if _, err := r.Discard(9 + 4); err != nil {
		return err
	}
	var head [11]byte
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return err
		}
		size := int(head[1])<<16 | int(head[2])<<8 | int(head[3])
		body := make([]byte, size+4)
		if _, err := io.ReadFull(r, body); err != nil {
			return err
		}
		if head[0] != 9 || size < 5 || body[0]&15 != 7 {
			continue
		}
		switch body[1] {
		case 0:
			if err := s.header(body[5:size]); err != nil {
				return err
			}
		case 1:
			if err := s.unit(body[0]>>4 == 1, body[5:size]); err != nil {
				return err
			}
		}
	}
}

var errHeader = errors.New("ffmpeg's AVC header is cut short")

// header reads the parameter sets (ISO/IEC 14496-15, AVCDecoderConfigurationRecord, one of each).
func (s *Source) header(b []byte) error {
	if len(b) < 8 {
		return errHeader
	}
	n := int(binary.BigEndian.Uint16(b[6:]))
	if len(b) < 8+n+3 {
		return errHeader
	}
	sps := b[8 : 8+n]
	b = b[8+n+1:]
	n = int(binary.BigEndian.Uint16(b))
	if len(b) < 2+n {
		return errHeader
	}
	s.sps, s.pps = sps, b[2:2+n]
	return nil
}

func (s *Source) unit(key bool, b []byte) error {
	u := Unit{Key: key}
	if key {
		u.NALs = append(u.NALs, s.sps, s.pps)
	}
	for len(b) >= 4 {
		n := int(binary.BigEndian.Uint32(b))
		if n > len(b)-4 {
			return nil
		}
		if kind := b[4] & 31; kind == 1 || kind == 5 || kind == 6 {
			u.NALs = append(u.NALs, b[4:4+n])
		}
		b = b[4+n:]
	}
	s.mu.Lock()
	if len(s.shots) > 0 {
		u.Shot, s.shots = s.shots[0], s.shots[1:]
	}
	sinks := make([]func(Unit), 0, len(s.sinks))
	for _, sink := range s.sinks {
		sinks = append(sinks, sink)
	}
	s.mu.Unlock()
	if s.cfg.Sign != nil {
		var err error
		if u.NALs, err = s.cfg.Sign(u.NALs, u.Shot); err != nil {
			return err
		}
	}
	for _, sink := range sinks {
		sink(u)
	}
	select {
	case <-s.first:
	default:
		close(s.first)
	}
	return nil
}

// Subscribe calls sink for each coded picture, from one goroutine, until cancel.
func (s *Source) Subscribe(sink func(Unit)) (cancel func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.next
	s.next++
	s.sinks[id] = sink
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.sinks, id)
	}
}

// Params are the stream's parameter sets.
func (s *Source) Params() (sps, pps []byte) { return s.sps, s.pps }

// Err says why the source ended; nil while it runs.
func (s *Source) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close ends the encoder.
func (s *Source) Close() error {
	s.cancel()
	s.wg.Wait()
	return nil
}

// tail keeps the last 2 KiB of what a child wrote.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - 2048; over > 0 {
		t.buf = t.buf[over:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
