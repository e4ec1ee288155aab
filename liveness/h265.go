package liveness

import "math/bits"

// h265 keeps of H.265's parameter sets what is needed to read the quantiser from a key picture's slice header (ITU-T H.265
// sections 7.3.2.2, 7.3.2.3, 7.3.6). It is strict: what it does not understand it refuses.
type h265 struct {
	sps [16]h265SPS
	pps [64]h265PPS
}

type h265SPS struct {
	ok            bool
	separate      bool // separate_colour_plane_flag
	chroma        bool // ChromaArrayType is not 0
	sao           bool
	longTerm      bool
	temporalMVP   bool
	depth         uint8 // bits of luma beyond 8
	pocBits       uint8
	addressBits   uint8
	sets          uint8 // num_short_term_ref_pic_sets
	longTermSPS   uint8
	width, height uint32
	deltas        [65]uint8 // NumDeltaPocs of each set; the last place is a slice header's own
}

type h265PPS struct {
	ok         bool
	sps        uint8
	dependent  bool
	outputFlag bool
	extra      uint8
	qp         int8
}

// takeSPS reads a sequence parameter set of the base layer.
func (h *h265) takeSPS(n []byte) bool {
	if len(n) < 4 {
		return false
	}
	r := bitReader{b: n[2:]}
	r.u(4)
	layers := int(r.u(3)) + 1
	r.bit()
	r.profile(layers)
	id := r.ue(15)
	if r.bad || layers > 7 {
		return false
	}
	var s h265SPS
	chroma := r.ue(3)
	if chroma == 3 {
		s.separate = r.flag()
	}
	s.chroma = chroma != 0 && !s.separate
	s.width, s.height = r.ue(1<<16), r.ue(1<<16)
	if r.flag() {
		for range 4 {
			r.ue(1 << 16)
		}
	}
	s.depth = uint8(r.ue(8))
	r.ue(8)
	s.pocBits = uint8(r.ue(12) + 4)
	from := layers - 1
	if r.flag() {
		from = 0
	}
	for range layers - from {
		r.ue(16)
		r.ue(16)
		r.ue(1<<31 - 1)
	}
	minCB := r.ue(3) + 3
	ctb := minCB + r.ue(3)
	r.ue(3)
	r.ue(3)
	r.ue(4)
	r.ue(4)
	if lists := r.flag(); lists {
		if present := r.flag(); present {
			r.scalingLists()
		}
	}
	r.bit() // amp
	s.sao = r.flag()
	if r.flag() { // pcm
		r.u(8)
		r.ue(3)
		r.ue(3)
		r.bit()
	}
	s.sets = uint8(r.ue(64))
	for i := range int(s.sets) {
		if s.refSet(&r, i); r.bad {
			break
		}
	}
	if s.longTerm = r.flag(); s.longTerm {
		s.longTermSPS = uint8(r.ue(32))
		for range s.longTermSPS {
			r.u(int(s.pocBits) + 1)
		}
	}
	s.temporalMVP = r.flag()
	if s.width == 0 || s.height == 0 || ctb > 6 {
		r.bad = true
	}
	if !r.bad {
		round := uint32(1)<<ctb - 1
		blocks := (uint64(s.width+round) >> ctb) * (uint64(s.height+round) >> ctb)
		s.addressBits = uint8(bits.Len64(blocks - 1))
	}
	s.ok = !r.bad
	h.sps[id] = s
	return s.ok
}

// profile leaves out profile_tier_level (section 7.3.3).
func (r *bitReader) profile(layers int) {
	r.skip(96)
	var has [8][2]bool
	for i := range layers - 1 {
		has[i] = [2]bool{r.flag(), r.flag()}
	}
	if layers > 1 {
		r.skip(2 * (8 - (layers - 1)))
	}
	for i := range layers - 1 {
		if has[i][0] {
			r.skip(88)
		}
		if has[i][1] {
			r.skip(8)
		}
	}
}

// scalingLists leaves out scaling_list_data (section 7.3.4).
func (r *bitReader) scalingLists() {
	for size := range 4 {
		step := 1
		if size == 3 {
			step = 3
		}
		for matrix := 0; matrix < 6; matrix += step {
			if !r.flag() {
				r.ue(5)
				continue
			}
			if size > 1 {
				r.se(255)
			}
			for range min(64, 1<<(4+size<<1)) {
				if r.se(128); r.bad {
					return
				}
			}
		}
	}
}

// refSet reads st_ref_pic_set(i) (section 7.3.7); i is the number of sets for a slice header's own.
func (s *h265SPS) refSet(r *bitReader, i int) {
	if i > 0 && r.flag() { // predicted from another
		back := uint32(1)
		if i == int(s.sets) {
			back = r.ue(uint32(i)-1) + 1
		}
		r.bit()
		r.ue(1 << 15)
		n := 0
		for range int(s.deltas[i-int(back)]) + 1 {
			use := r.flag() // used_by_curr_pic_flag
			if !use {
				use = r.flag() // use_delta_flag
			}
			if use {
				n++
			}
		}
		if n > 16 {
			r.bad = true
		}
		s.deltas[i] = uint8(n)
		return
	}
	negative, positive := r.ue(16), r.ue(16)
	if negative+positive > 16 {
		r.bad = true
		return
	}
	for range negative + positive {
		r.ue(1 << 15)
		r.bit()
	}
	s.deltas[i] = uint8(negative + positive)
}

// takePPS reads a picture parameter set.
func (h *h265) takePPS(n []byte) bool {
	if len(n) < 3 {
		return false
	}
	r := bitReader{b: n[2:]}
	id := r.ue(63)
	if r.bad {
		return false
	}
	p := h265PPS{sps: uint8(r.ue(15))}
	p.dependent = r.flag()
	p.outputFlag = r.flag()
	p.extra = uint8(r.u(3))
	r.bit()
	r.bit()
	r.ue(14)
	r.ue(14)
	p.qp = int8(26 + r.se(26+48))
	p.ok = !r.bad
	h.pps[id] = p
	return p.ok
}

// keyQP reads the quantiser of an IRAP picture's slice segment. A dependent segment has none of its own: it has its slice's,
// which is qp's last value.
func (h *h265) keyQP(n []byte, last int) (qp int, ok bool) {
	if len(n) < 3 {
		return 0, false
	}
	kind := n[0] >> 1 & 0x3f
	if kind < 16 || kind > 21 {
		return 0, false
	}
	r := bitReader{b: n[2:]}
	first := r.flag()
	r.bit() // no_output_of_prior_pics_flag
	id := r.ue(63)
	if r.bad || !h.pps[id].ok {
		return 0, false
	}
	p := &h.pps[id]
	s := &h.sps[p.sps]
	if !s.ok {
		return 0, false
	}
	if !first {
		dependent := p.dependent && r.flag()
		r.u(int(s.addressBits))
		if dependent {
			return last, !r.bad
		}
	}
	r.u(int(p.extra))
	if r.ue(2) != 2 { // I alone
		return 0, false
	}
	if p.outputFlag {
		r.bit()
	}
	if s.separate {
		r.u(2)
	}
	if kind != 19 && kind != 20 { // not IDR
		h.references(&r, s)
	}
	if s.sao {
		r.bit()
		if s.chroma {
			r.bit()
		}
	}
	qp = int(p.qp) + int(r.se(51+48+26))
	if r.bad || qp > 51 || qp < -6*int(s.depth) {
		return 0, false
	}
	return qp, true
}

// references leaves out what a slice header says of reference pictures.
func (h *h265) references(r *bitReader, s *h265SPS) {
	r.u(int(s.pocBits))
	if !r.flag() {
		own := *s // the set is this slice's alone
		own.refSet(r, int(s.sets))
	} else if s.sets > 1 {
		r.u(bits.Len8(s.sets - 1))
	}
	if s.longTerm {
		fromSPS := uint32(0)
		if s.longTermSPS > 0 {
			fromSPS = r.ue(uint32(s.longTermSPS))
		}
		own := r.ue(32)
		for i := range fromSPS + own {
			if i < fromSPS {
				if s.longTermSPS > 1 {
					r.u(bits.Len8(s.longTermSPS - 1))
				}
			} else {
				r.u(int(s.pocBits) + 1)
			}
			if r.flag() {
				r.ue(1 << 24)
			}
			if r.bad {
				return
			}
		}
	}
	if s.temporalMVP {
		r.bit()
	}
}
