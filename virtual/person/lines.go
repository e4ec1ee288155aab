package person

import (
	"bufio"
	"io"
)

// lines reads lines that end in LF or CR LF, each at most maxEvent long.
type lines struct{ scan *bufio.Scanner }

func newLines(r io.Reader) *lines {
	scan := bufio.NewScanner(r)
	scan.Buffer(make([]byte, 0, 64<<10), maxEvent)
	return &lines{scan: scan}
}

func (l *lines) next() (string, error) {
	if l.scan.Scan() {
		return l.scan.Text(), nil
	}
	if err := l.scan.Err(); err != nil {
		return "", err
	}
	return "", io.EOF
}
