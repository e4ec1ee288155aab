package hostapd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"eyebolt/radio"
)

const (
	// maxBehind bounds what is read of a log at one look. Older lines than that tell of what is over; they are passed over.
	maxBehind = 1 << 20
	// goneFor is how long a log may be missing while it is rotated.
	goneFor = 10 * time.Second
)

// FollowLog hears what an access point writes into the log cfg.Device: hostapd's own (hostapd -f), or one into which a syslog
// server of this machine writes what the access point sends. It tells of what is written after it began, as of the moment that it is
// read, at most a look late; a log that is renamed, made anew or cut short is followed on. It is a [radio.Follow].
func FollowLog(ctx context.Context, cfg radio.Config, tell func(radio.Sign)) error {
	l := &log{path: cfg.Device}
	defer l.close()
	if err := l.open(io.SeekEnd); err != nil {
		return fmt.Errorf("log of an access point: %w: is hostapd run with -f %s, or does a syslog server write there, and may this user read it?", err, cfg.Device)
	}
	coming := radio.NewComing("log " + filepath.Base(cfg.Device))
	line := func(s string) {
		if station, left := Event(s); left {
			tell(coming.Left(cfg.Now(), station))
		}
	}
	gone := time.Duration(0) // looks in which there was no log
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(look):
		}
		switch err := l.read(line); {
		case errors.Is(err, fs.ErrNotExist):
			if gone += look; gone > goneFor {
				return fmt.Errorf("log of an access point: %w", err)
			}
		case err != nil:
			return fmt.Errorf("log of an access point: %w", err)
		default:
			gone = 0
		}
	}
}

// log is a file that somebody else writes and rotates. One goroutine owns it.
type log struct {
	path string
	file *os.File
	at   int64 // read until here
	rest lines
}

// open begins to read the file that is there now. A pipe or a device would hold the reader up: it is refused.
func (l *log) open(whence int) error {
	info, err := os.Stat(l.path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no plain file", l.path)
	}
	f, err := os.Open(l.path)
	if err != nil {
		return err
	}
	at, err := f.Seek(0, whence)
	if err != nil {
		_ = f.Close()
		return err
	}
	l.close()
	l.file, l.at, l.rest = f, at, lines{}
	return nil
}

func (l *log) close() {
	if l.file != nil {
		_ = l.file.Close()
	}
}

// read gives what was written since the last look. The file of before is read to its end before the one that took its place.
func (l *log) read(line func(string)) error {
	now, missing := os.Stat(l.path)
	if err := l.drain(line); err != nil {
		return err
	}
	if missing != nil {
		return missing
	}
	if was, err := l.file.Stat(); err != nil || os.SameFile(was, now) {
		return err
	}
	if err := l.open(io.SeekStart); err != nil {
		return err
	}
	return l.drain(line)
}

// drain reads to the end of the file.
func (l *log) drain(line func(string)) error {
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	switch size := info.Size(); {
	case size < l.at: // cut short, and written anew
		l.at, l.rest = 0, lines{}
	case size-l.at > maxBehind:
		l.at, l.rest = size-maxBehind, lines{skip: true}
	}
	buf := make([]byte, 32<<10)
	for n := 0; n < 2*maxBehind; { // whoever writes faster than this is read does not hold the reader up
		k, err := l.file.ReadAt(buf, l.at)
		l.at += int64(k)
		n += k
		l.rest.put(buf[:k], line)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lines makes lines of pieces, whatever their borders. A line longer than maxEvent is none of hostapd's: it is left out.
type lines struct {
	part []byte // of a line whose end has not come
	skip bool   // until the next end of a line
}

func (s *lines) put(piece []byte, line func(string)) {
	for _, b := range piece {
		switch {
		case b == '\n':
			if !s.skip {
				line(string(s.part))
			}
			s.part, s.skip = s.part[:0], false
		case s.skip:
		case len(s.part) == maxEvent:
			s.part, s.skip = s.part[:0], true
		default:
			s.part = append(s.part, b)
		}
	}
}
