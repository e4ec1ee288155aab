package liveness

// h264 keeps of H.264's parameter sets what is needed to read the quantiser from a key picture's slice header, with no entropy
// decoding (ITU-T H.264 sections 7.3.2.1, 7.3.2.2, 7.3.3). It is strict: what it does not understand it refuses.
type h264 struct {
	sps [32]h264SPS
	pps [256]h264PPS
}

type h264SPS struct {
	ok            bool
	separate      bool  // separate_colour_plane_flag
	frameNum      uint8 // bits of frame_num
	pocType       uint8
	pocBits       uint8 // bits of pic_order_cnt_lsb
	deltaZero     bool  // delta_pic_order_always_zero_flag
	framesOnly    bool  // frame_mbs_only_flag
	depth         uint8 // bits of luma beyond 8
	width, height uint32
}

type h264PPS struct {
	ok        bool
	sps       uint8
	bottom    bool // bottom_field_pic_order_in_frame_present_flag
	redundant bool // redundant_pic_cnt_present_flag
	qp        int8 // 26 + pic_init_qp_minus26
}

// takeSPS reads a sequence parameter set. One that is not understood takes its number out of use.
func (h *h264) takeSPS(n []byte) bool {
	if len(n) < 4 {
		return false
	}
	profile := n[1]
	r := bitReader{b: n[4:]}
	id := r.ue(31)
	if r.bad {
		return false
	}
	var s h264SPS
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		chroma := r.ue(3)
		if chroma == 3 {
			s.separate = r.flag()
		}
		s.depth = uint8(r.ue(6))
		r.ue(6)
		r.bit() // qpprime_y_zero_transform_bypass_flag
		if r.flag() {
			lists := 8
			if chroma == 3 {
				lists = 12
			}
			for i := range lists {
				if r.flag() {
					size := 16
					if i >= 6 {
						size = 64
					}
					r.scalingList(size)
				}
			}
		}
	}
	s.frameNum = uint8(r.ue(12) + 4)
	s.pocType = uint8(r.ue(2))
	switch s.pocType {
	case 0:
		s.pocBits = uint8(r.ue(12) + 4)
	case 1:
		s.deltaZero = r.flag()
		r.se(1<<30 - 1)
		r.se(1<<30 - 1)
		for range r.ue(255) {
			if r.se(1<<30 - 1); r.bad {
				break
			}
		}
	}
	r.ue(16) // max_num_ref_frames
	r.bit()
	s.width = (r.ue(1<<12) + 1) * 16
	s.height = (r.ue(1<<12) + 1) * 16
	s.framesOnly = r.flag()
	s.ok = !r.bad
	h.sps[id] = s
	return s.ok
}

// scalingList leaves out a scaling list (section 7.3.2.1.1.1).
func (r *bitReader) scalingList(size int) {
	last, next := int32(8), int32(8)
	for range size {
		if next != 0 {
			next = (last + r.se(128) + 256) % 256
		}
		if next != 0 {
			last = next
		}
		if r.bad {
			return
		}
	}
}

// takePPS reads a picture parameter set.
func (h *h264) takePPS(n []byte) bool {
	if len(n) < 2 {
		return false
	}
	r := bitReader{b: n[1:]}
	id := r.ue(255)
	if r.bad {
		return false
	}
	p := h264PPS{sps: uint8(r.ue(31))}
	r.bit() // entropy_coding_mode_flag
	p.bottom = r.flag()
	if r.ue(7) > 0 { // slice groups, of which no camera makes use
		r.bad = true
	}
	r.ue(31)
	r.ue(31)
	r.bit()
	r.u(2)
	p.qp = int8(26 + r.se(26+36))
	r.se(26)
	r.se(12)
	r.bit()
	r.bit()
	p.redundant = r.flag()
	p.ok = !r.bad
	h.pps[id] = p
	return p.ok
}

// keyQP reads the quantiser of a slice of an IDR picture, from minus what the luma's depth adds to 51.
func (h *h264) keyQP(n []byte) (qp int, ok bool) {
	if len(n) < 2 || n[0]&0x1f != 5 || n[0]&0x60 == 0 {
		return 0, false
	}
	r := bitReader{b: n[1:]}
	r.ue(1 << 24)               // first_mb_in_slice
	if t := r.ue(9); t%5 != 2 { // I alone
		return 0, false
	}
	id := r.ue(255)
	if r.bad || !h.pps[id].ok {
		return 0, false
	}
	p := &h.pps[id]
	s := &h.sps[p.sps]
	if !s.ok {
		return 0, false
	}
	if s.separate {
		r.u(2)
	}
	r.u(int(s.frameNum))
	field := false
	if !s.framesOnly {
		if field = r.flag(); field {
			r.bit()
		}
	}
	r.ue(65535) // idr_pic_id
	r.order(s, p, field)
	r.u(2) // dec_ref_pic_marking of an IDR picture
	qp = int(p.qp) + int(r.se(51+36+26))
	if r.bad || qp > 51 || qp < -6*int(s.depth) {
		return 0, false
	}
	return qp, true
}

// order passes over what tells a slice's place in the order of output, and its redundancy (H.264 section 7.3.3).
func (r *bitReader) order(s *h264SPS, p *h264PPS, field bool) {
	switch {
	case s.pocType == 0:
		r.u(int(s.pocBits))
		if p.bottom && !field {
			r.se(1<<30 - 1)
		}
	case s.pocType == 1 && !s.deltaZero:
		r.se(1<<30 - 1)
		if p.bottom && !field {
			r.se(1<<30 - 1)
		}
	}
	if p.redundant {
		r.ue(127)
	}
}
