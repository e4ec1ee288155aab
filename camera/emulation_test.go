package camera

import (
	"bytes"
	"testing"
)

func TestUnescape(t *testing.T) {
	for _, x := range []struct{ escaped, plain string }{
		{"", ""},
		{"\x00\x00\x03", "\x00\x00"},
		{"\x00\x00\x03\x00\x00\x03\x01", "\x00\x00\x00\x00\x01"},
		{"\x00\x00\x03\x03", "\x00\x00\x03"},
		{"\x00\x00\x00\x03\x01", "\x00\x00\x00\x01"},
		{"\x00\x03\x00\x00\x04", "\x00\x03\x00\x00\x04"},
		{"\x65\x88\x00\x00\x03\x02\x00\x00\x03", "\x65\x88\x00\x00\x02\x00\x00"},
		{"\x00\x00", "\x00\x00"},
	} {
		if got := Unescape([]byte("to"), []byte(x.escaped)); string(got) != "to"+x.plain {
			t.Errorf("%x: got %x, want %x", x.escaped, got[2:], x.plain)
		}
	}
	// The three before what follows is not the front's.
	n := []byte{7, 0, 0, 3, 3, 9}
	for plain, want := range []int{0, 1, 2, 3, 5, 6, 6} {
		if got := EscapedLen(n, plain); got != want {
			t.Errorf("%d bytes of %x take %d, want %d", plain, n, got, want)
		}
	}
}

// slowly undoes emulation prevention byte by byte, as section 7.3.1 writes it.
func slowly(n []byte) (out []byte) {
	for i := 0; i < len(n); i++ {
		if i+2 < len(n) && n[i] == 0 && n[i+1] == 0 && n[i+2] == 3 {
			out = append(out, 0, 0)
			i += 2
			continue
		}
		out = append(out, n[i])
	}
	return out
}

// FuzzEmulation: what is escaped holds no start code and comes back; anything at all is unescaped as the standard writes it, and
// EscapedLen finds each of its bytes.
func FuzzEmulation(f *testing.F) {
	for _, s := range []string{"", "\x00\x00\x00\x00", "\x00\x00\x01", "\x00\x00\x03\x00\x00\x03", "\x01\x00\x00\x02\x00\x00", "\x00\x00\x00\x03\x00\x00\x03\x03"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n := Escape(nil, b)
		for _, code := range []string{"\x00\x00\x00", "\x00\x00\x01", "\x00\x00\x02"} {
			if bytes.Contains(n, []byte(code)) {
				t.Fatalf("%x escaped is %x, with %x in it", b, n, code)
			}
		}
		if got := Unescape(nil, n); !bytes.Equal(got, b) {
			t.Fatalf("%x escaped and back is %x", b, got)
		}
		plain := Unescape(nil, b)
		if want := slowly(b); !bytes.Equal(plain, want) {
			t.Fatalf("%x: %x, want %x", b, plain, want)
		}
		for want := range len(plain) + 2 {
			at := EscapedLen(b, want)
			if got := Unescape(nil, b[:at]); at > len(b) || want <= len(plain) && len(got) != want {
				t.Fatalf("%x: the first %d are at %d, which are %d", b, want, at, len(got))
			}
		}
	})
}
