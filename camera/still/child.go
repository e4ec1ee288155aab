package still

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"eyebolt/camera"
)

// ErrNoFFmpeg tells how to get the decoder.
var ErrNoFFmpeg = errors.New("ffmpeg is not installed, and this camera has no JPEG to look at instead: apt-get install ffmpeg")

// child is one decoder process: access units in, grey pictures of one size out. One goroutine owns it.
//
// It is given no argument that a camera chose, no environment, no shell, two pipes, and on Linux, where the kernel grants it, a
// network of its own with nothing in it. Its memory, its processor time and the files that it can open are bounded.
type child struct {
	cmd           *exec.Cmd
	in, out       *os.File
	width, height int
	said          tail
	done          chan struct{} // closed when the process is gone
}

var (
	errSlow  = errors.New("the decoder gave no picture in time")
	errExtra = errors.New("the decoder gave a picture that nobody asked for")
)

// arguments of the process. The scale filter does nothing unless a picture's size is not the announced one; then it keeps the
// output's.
func arguments(p camera.Params) []string {
	form := "h264"
	if p.Codec == camera.H265 {
		form = "hevc"
	}
	return []string{
		"-hide_banner", "-nostdin", "-loglevel", "error",
		"-protocol_whitelist", "pipe", "-nofind_stream_info", "-threads", "1", "-flags", "low_delay", "-err_detect", "explode",
		"-max_pixels", strconv.Itoa(2 * PixelsMost), "-f", form, "-i", "pipe:0",
		"-map", "0:0", "-vf", fmt.Sprintf("extractplanes=y,scale=%d:%d,format=gray", p.Width, p.Height), "-filter_threads", "1",
		"-threads", "1", "-fps_mode", "passthrough", "-flush_packets", "1", "-f", "rawvideo", "pipe:1",
	}
}

// spawn starts a decoder. The process dies with the goroutine's thread on Linux, so that goroutine stays until it is gone.
func spawn(program string, p camera.Params) (*child, error) {
	if err := fits(p.Width, p.Height); err != nil {
		return nil, err
	}
	inR, inW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, inR.Close(), inW.Close())
	}
	c := &child{in: inW, out: outR, width: p.Width, height: p.Height, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(c.done)
		var err error
		for _, alone := range []bool{true, false} {
			c.cmd = exec.Command(program, arguments(p)...)
			c.cmd.Env = []string{"LC_ALL=C"}
			c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = inR, outW, &c.said
			c.cmd.WaitDelay = time.Second
			confine(c.cmd, alone)
			if err = c.cmd.Start(); err == nil || !forbidden(err) {
				break
			}
		}
		_, _ = inR.Close(), outW.Close() // the process has its own
		if err != nil {
			started <- err
			return
		}
		started <- limit(c.cmd.Process.Pid)
		_ = c.cmd.Wait() // how it ended is in what it said
	}()
	if err := <-started; err != nil {
		c.kill()
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
			err = ErrNoFFmpeg
		}
		return nil, err
	}
	return c, nil
}

// decode writes one access unit and reads its picture into to, which holds width × height bytes.
func (c *child) decode(unit, to []byte, within time.Duration) error {
	if err := c.idle(); err != nil {
		return err
	}
	end := time.Now().Add(within)
	_, _ = c.in.SetWriteDeadline(end), c.out.SetReadDeadline(end) // pipes take them
	if _, err := c.in.Write(unit); err != nil {
		return c.explain(err)
	}
	if _, err := io.ReadFull(c.out, to); err != nil {
		return c.explain(err)
	}
	return nil
}

// idle checks that nothing has come since the last picture: one access unit gives one picture, or which is which is lost.
func (c *child) idle() error {
	_ = c.out.SetReadDeadline(time.Now().Add(time.Millisecond))
	var b [1]byte
	switch n, err := c.out.Read(b[:]); {
	case n > 0:
		return errExtra
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil
	default:
		return c.explain(err)
	}
}

func (c *child) explain(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errSlow
	} else {
		err = errors.New("the decoder ended")
	}
	if s := c.said.String(); s != "" {
		return fmt.Errorf("%w: %s", err, s)
	}
	return err
}

// kill ends the process and whatever it started, and waits until it is gone.
func (c *child) kill() {
	_, _ = c.in.Close(), c.out.Close()
	c.end()
	<-c.done
}

// end kills the process, if it was started and is not known to be gone. Any goroutine may call it once spawn has returned.
func (c *child) end() {
	select {
	case <-c.done:
	default:
		if c.cmd.Process != nil {
			killGroup(c.cmd.Process)
		}
	}
}

// spent is the processor time of a process that is gone.
func (c *child) spent() time.Duration {
	if s := c.cmd.ProcessState; s != nil {
		return s.UserTime() + s.SystemTime()
	}
	return 0
}

// tail keeps the newest 512 bytes that were written, for an error message.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p[max(0, len(p)-512):]...)
	if over := len(t.buf) - 512; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(strings.ToValidUTF8(string(t.buf), "?"))
}
