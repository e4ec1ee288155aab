package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"

	"eyebolt/virtual/clip"
)

const (
	stillWidth  = 640
	stillHeight = 360
)

// stiller decodes key pictures through ffmpeg, as a hub does that has no cheaper route: each, shrunk and grey.
type stiller struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  io.Reader
	said bytes.Buffer
	feed chan []byte
	wg   sync.WaitGroup
}

func newStiller(ctx context.Context) (*stiller, error) {
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, clip.ErrNoFFmpeg
	}
	s := &stiller{
		cmd: exec.CommandContext(ctx, path, "-hide_banner", "-loglevel", "error", "-nostdin", "-threads", "1", "-skip_frame", "nokey", "-f", "h264", "-i", "pipe:0",
			"-vsync", "0", "-vf", fmt.Sprintf("scale=%d:%d:flags=area", stillWidth, stillHeight), "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"),
		feed: make(chan []byte, 64),
	}
	s.cmd.Stderr = &s.said
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if s.out, err = s.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("ffmpeg: %w", err)
	}
	s.wg.Go(func() {
		defer s.in.Close()
		for b := range s.feed {
			if _, err := s.in.Write(b); err != nil {
				for range s.feed { // what is said of it is read from its stills, which end
				}
				return
			}
		}
	})
	return s, nil
}

// next reads one still into luma.
func (s *stiller) next(luma []byte) error {
	if _, err := io.ReadFull(s.out, luma); err != nil {
		return fmt.Errorf("ffmpeg decoded too few key pictures: %w: %s", err, strings.TrimSpace(s.said.String()))
	}
	return nil
}

// Close ends it; feed has been closed by who fed it.
func (s *stiller) Close() {
	s.wg.Wait()
	_ = s.cmd.Wait()
}

// stillsOf decodes every key picture of a clip.
func stillsOf(ctx context.Context, units []clip.Unit) ([][]byte, error) {
	s, err := newStiller(ctx)
	if err != nil {
		return nil, err
	}
	var keys []clip.Unit
	for _, u := range units {
		if u.Key {
			keys = append(keys, u)
		}
	}
	go func() {
		for _, u := range keys {
			s.feed <- clip.Join([]clip.Unit{u})
		}
		close(s.feed)
	}()
	defer s.Close()
	stills := make([][]byte, 0, len(keys))
	for range keys {
		luma := make([]byte, stillWidth*stillHeight)
		if err := s.next(luma); err != nil {
			return nil, err
		}
		stills = append(stills, luma)
	}
	_, _ = io.Copy(io.Discard, s.out)
	return stills, nil
}
