package still

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func read(t *testing.T, kind, body string) (all []string, err error) {
	t.Helper()
	p, err := newParts(strings.NewReader(body), kind)
	if err != nil {
		return nil, err
	}
	for {
		b, err := p.next()
		if err != nil {
			return all, err
		}
		all = append(all, string(b))
	}
}

// Cameras write multipart in many ways; each gives its pictures.
func TestMultipartInEveryDialect(t *testing.T) {
	for name, c := range map[string][2]string{
		"by the book":           {"multipart/x-mixed-replace; boundary=eye", "--eye\r\nContent-Type: image/jpeg\r\nContent-Length: 5\r\n\r\none\r\n\r\n--eye\r\nContent-Length: 3\r\n\r\ntwo\r\n--eye--\r\n"},
		"hyphens in the header": {"multipart/x-mixed-replace;boundary=--eye", "--eye\r\nContent-Length: 5\r\n\r\none\r\n\r\n--eye\r\nContent-length:3\r\n\r\ntwo\r\n--eye--"},
		"without lengths":       {`multipart/x-mixed-replace; boundary="eye"`, "\r\n--eye\r\nContent-Type: image/jpeg\r\n\r\none\r\n\r\n\r\n--eye\r\n\r\ntwo\r\n--eye--\r\n"},
		"no header at all":      {"multipart/mixed; boundary=eye", "--eye\n\none\n--eye\n\ntwo\n--eye--\n"},
	} {
		all, err := read(t, c[0], c[1])
		if !errors.Is(err, io.EOF) || len(all) != 2 || strings.TrimSpace(all[0]) != "one" || all[1] != "two" {
			t.Errorf("%s: %q, %v", name, all, err)
		}
	}
}

func TestMultipartRefuses(t *testing.T) {
	const kind = "multipart/x-mixed-replace; boundary=eye"
	for name, c := range map[string][2]string{
		"a page":       {"text/html", "<html>"},
		"no boundary":  {"multipart/x-mixed-replace", "--\r\n\r\n"},
		"a gigabyte":   {kind, "--eye\r\nContent-Length: 1073741824\r\n\r\nx"},
		"no end":       {kind, "--eye\r\n\r\n" + strings.Repeat("x", 2*JPEGMost)},
		"no beginning": {kind, strings.Repeat("x\n", JPEGMost)},
		"header":       {kind, "--eye\r\n" + strings.Repeat("a: b\r\n", 40)},
	} {
		if all, err := read(t, c[0], c[1]); err == nil || errors.Is(err, io.EOF) || len(all) != 0 {
			t.Errorf("%s: %d pictures, %v", name, len(all), err)
		}
	}
}

func FuzzMultipart(f *testing.F) {
	f.Add("multipart/x-mixed-replace; boundary=eye", []byte("--eye\r\nContent-Length: 3\r\n\r\ntwo\r\n--eye\r\n\r\nthree\r\n--eye--"))
	f.Add("multipart/x-mixed-replace; boundary=--eye", []byte("--eye\n\none\n--eye--\n"))
	f.Fuzz(func(t *testing.T, kind string, b []byte) {
		p, err := newParts(bytes.NewReader(b), kind)
		if err != nil {
			return
		}
		total := 0
		for range len(b) + 2 {
			part, err := p.next()
			if err != nil {
				return
			}
			if total += len(part); total > len(b) {
				panic(fmt.Sprintf("%d bytes of %d", total, len(b)))
			}
		}
		t.Fatal("it does not end")
	})
}
