package liveness

// bitReader reads a NAL unit's payload bit by bit, leaving out emulation prevention bytes (H.264 section 7.4.1, H.265 section
// 7.4.2). It never reads past the end: what is not there is 0, and bad is set. It allocates nothing.
type bitReader struct {
	b     []byte
	i     int  // the next byte
	zeros int  // zero bytes in a row before it
	cur   byte // the byte that is read
	left  int  // its bits that are not read yet
	bad   bool
}

func (r *bitReader) bit() uint32 {
	if r.left == 0 {
		if r.i < len(r.b) && r.b[r.i] == 3 && r.zeros >= 2 {
			r.i++
			r.zeros = 0
		}
		if r.i >= len(r.b) {
			r.bad = true
			return 0
		}
		r.cur, r.left = r.b[r.i], 8
		r.i++
		if r.cur == 0 {
			r.zeros++
		} else {
			r.zeros = 0
		}
	}
	r.left--
	return uint32(r.cur>>r.left) & 1
}

func (r *bitReader) flag() bool { return r.bit() == 1 }

// u reads n bits, 32 at the most.
func (r *bitReader) u(n int) uint32 {
	v := uint32(0)
	for range n {
		v = v<<1 | r.bit()
	}
	return v
}

// skip leaves n bits out.
func (r *bitReader) skip(n int) {
	for range n {
		r.bit()
	}
}

// ue reads an unsigned Exp-Golomb code (H.264 section 9.1) of at most most.
func (r *bitReader) ue(most uint32) uint32 {
	n := 0
	for r.bit() == 0 {
		if n++; n > 31 || r.bad {
			r.bad = true
			return 0
		}
	}
	v := uint32(1)<<n - 1 + r.u(n)
	if v > most {
		r.bad = true
		return 0
	}
	return v
}

// se reads a signed one, from -most to most.
func (r *bitReader) se(most int32) int32 {
	v := r.ue(uint32(2*most) + 1)
	s := int32(v / 2)
	if v%2 == 1 {
		s = int32(v/2) + 1
	} else {
		s = -s
	}
	if s > most || s < -most {
		r.bad = true
		return 0
	}
	return s
}
