package still

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"strconv"
	"strings"
)

var errParts = errors.New("it does not send its pictures as multipart/x-mixed-replace: give the address of its MJPEG stream")

const (
	// lineMost and linesMost bound a part's header.
	lineMost  = 1024
	linesMost = 32
)

// parts reads the pictures of an HTTP motion JPEG stream (RFC 2046 section 5.1; multipart/x-mixed-replace). Cameras write its
// boundary with and without the two hyphens, and leave out Content-Length; a part without one ends at the next boundary.
type parts struct {
	r        *bufio.Reader
	boundary []byte // with its two hyphens
	buf      []byte
}

func newParts(r io.Reader, contentType string) (*parts, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	b := strings.TrimPrefix(params["boundary"], "--")
	if err != nil || !strings.HasPrefix(kind, "multipart/") || b == "" || len(b) > 200 {
		return nil, errParts
	}
	return &parts{r: bufio.NewReaderSize(r, 64<<10), boundary: []byte("--" + b)}, nil
}

// next gives the next picture's bytes, at most JPEGMost; they are used again by the next call.
func (p *parts) next() ([]byte, error) {
	// What comes before a boundary is skipped, up to what a picture may be.
	for skipped := 0; ; {
		line, err := p.line()
		if err != nil {
			return nil, err
		}
		if bytes.HasPrefix(line, p.boundary) {
			if bytes.HasPrefix(line[len(p.boundary):], []byte("--")) {
				return nil, io.EOF
			}
			break
		}
		if skipped += len(line) + 1; skipped > JPEGMost {
			return nil, fmt.Errorf("%w: no boundary in %d bytes", ErrNotJPEG, skipped)
		}
	}
	size := -1
	for n := 0; ; n++ {
		line, err := p.line()
		if err != nil {
			return nil, err
		}
		if len(line) == 0 {
			break
		}
		if n == linesMost {
			return nil, fmt.Errorf("%w: a part's header has more than %d lines", ErrNotJPEG, linesMost)
		}
		if key, value, ok := strings.Cut(string(line), ":"); ok && strings.EqualFold(strings.TrimSpace(key), "Content-Length") {
			if size, err = strconv.Atoi(strings.TrimSpace(value)); err != nil || size < 0 {
				size = -1
			}
		}
	}
	if size > JPEGMost {
		return nil, fmt.Errorf("%w (%d bytes)", ErrTooLarge, size)
	}
	if size >= 0 {
		return p.counted(size)
	}
	return p.uncounted()
}

// counted reads a part whose length is known. It grows with what comes, not with what is promised.
func (p *parts) counted(size int) ([]byte, error) {
	p.buf = p.buf[:0]
	for len(p.buf) < size {
		b, err := p.r.Peek(min(size-len(p.buf), p.r.Size()))
		p.buf = append(p.buf, b...)
		if _, e := p.r.Discard(len(b)); e != nil {
			return nil, e
		}
		if err != nil {
			return nil, err
		}
	}
	return p.buf, nil
}

// uncounted reads a part that ends at the next boundary, which is left to be read.
func (p *parts) uncounted() ([]byte, error) {
	p.buf = p.buf[:0]
	for {
		b, err := p.r.Peek(len(p.boundary))
		if bytes.Equal(b, p.boundary) {
			return bytes.TrimRight(p.buf, "\r\n"), nil
		}
		if err != nil {
			return nil, err
		}
		b, err = p.r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
		if len(p.buf)+len(b) > JPEGMost {
			return nil, ErrTooLarge
		}
		p.buf = append(p.buf, b...)
	}
}

// line reads a line without its end. A longer one than lineMost is given in pieces.
func (p *parts) line() ([]byte, error) {
	var line []byte
	for len(line) < lineMost {
		c, err := p.r.ReadByte()
		if err != nil {
			return nil, err
		}
		if c == '\n' {
			break
		}
		line = append(line, c)
	}
	return bytes.TrimSuffix(line, []byte{'\r'}), nil
}
