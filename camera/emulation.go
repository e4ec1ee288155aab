package camera

import "bytes"

// emulated is what emulation prevention leaves behind (H.264 section 7.4.1, H.265 section 7.4.2): two zero bytes and a 3.
var emulated = []byte{0, 0, 3}

// Unescape appends n, a NAL unit or the front of one, to to, without its emulation prevention bytes (H.264 section 7.4.1, H.265
// section 7.4.2). It appends at most len(n) bytes. to and n must not overlap.
func Unescape(to, n []byte) []byte {
	for {
		i := bytes.Index(n, emulated)
		if i < 0 {
			return append(to, n...)
		}
		// After the byte that is left out, zeros count anew.
		to = append(to, n[:i+2]...)
		n = n[i+3:]
	}
}

// EscapedLen is how many bytes at the front of n become the first want bytes of Unescape(nil, n), or len(n) if it has no more. An
// emulation prevention byte that belongs to what follows is not counted: a signer stops writing before it.
func EscapedLen(n []byte, want int) int {
	zeros, got := 0, 0
	for i, c := range n {
		if got == want {
			return i
		}
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		got++
	}
	return len(n)
}

// Escape appends a payload to to, with emulation prevention bytes. What is before it in to is a NAL unit's header, which holds no
// zero.
func Escape(to, b []byte) []byte {
	zeros := 0
	for _, c := range b {
		if zeros >= 2 && c <= 3 {
			to = append(to, 3)
			zeros = 0
		}
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		to = append(to, c)
	}
	return to
}
