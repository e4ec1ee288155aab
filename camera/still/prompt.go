package still

import (
	"slices"

	"eyebolt/camera"
)

// prompt gives a parameter set; a sequence parameter set so rewritten that its decoder outputs each picture at once. One that
// does not parse is given as it is: the decoder will say what it thinks of it.
func prompt(c camera.Codec, n []byte) []byte {
	var out []byte
	switch {
	case c == camera.H264 && n[0]&0x1f == 7 && len(n) <= setMost:
		out = prompt264(n)
	case c == camera.H265 && n[0]>>1 == 33 && len(n) <= setMost:
		out = prompt265(n)
	}
	if out == nil {
		return n
	}
	return out
}

// setMost bounds a parameter set that is rewritten: they are under 200 bytes.
const setMost = 4096

// prompt264 cuts an SPS (H.264 section 7.3.2.1.1) before its VUI and puts one there that says "no reordering" (section E.1.1).
// What the old one said of colours and timing is nothing to a still.
func prompt264(n []byte) []byte {
	r := reader{b: camera.Unescape(nil, n[1:])}
	profile := r.u(8)
	r.u(16)
	r.ue()
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		chroma := r.ue()
		if chroma == 3 {
			r.u(1)
		}
		r.ue()
		r.ue()
		r.u(1)
		if r.u(1) == 1 {
			lists := 8
			if chroma == 3 {
				lists = 12
			}
			for i := range lists {
				if r.u(1) == 1 {
					r.scaling(i)
				}
			}
		}
	}
	r.ue()
	switch r.ue() {
	case 0:
		r.ue()
	case 1:
		r.u(1)
		r.ue()
		r.ue()
		count := r.ue()
		for i := uint32(0); i < count && i < 256; i++ {
			r.ue()
		}
	}
	refs := r.ue()
	r.u(1)
	r.ue()
	r.ue()
	if r.u(1) == 0 {
		r.u(1)
	}
	r.u(1)
	if r.u(1) == 1 {
		for range 4 {
			r.ue()
		}
	}
	if r.short || refs > 16 {
		return nil
	}
	w := writer{b: make([]byte, 0, len(n)+16)}
	w.copy(r.b, r.at)
	w.u(1, 1)          // vui_parameters_present_flag
	w.u(0, 8)          // no aspect ratio, overscan, signal type, chroma location, timing, NAL HRD, VCL HRD, pic_struct
	w.u(1, 1)          // bitstream_restriction_flag
	w.u(1, 1)          // motion_vectors_over_pic_boundaries_flag
	w.ue(0)            // max_bytes_per_pic_denom
	w.ue(0)            // max_bits_per_mb_denom
	w.ue(16)           // log2_max_mv_length_horizontal
	w.ue(16)           // log2_max_mv_length_vertical
	w.ue(0)            // max_num_reorder_frames
	w.ue(max(refs, 1)) // max_dec_frame_buffering
	w.end()
	return camera.Escape(slices.Clone(n[:1]), w.b)
}

// scaling skips a scaling list (H.264 section 7.3.2.1.1.1).
func (r *reader) scaling(i int) {
	size := 16
	if i >= 6 {
		size = 64
	}
	last, next := int32(8), int32(8)
	for range size {
		if next != 0 {
			next = (last + r.se() + 256) & 255
		}
		if next != 0 {
			last = next
		}
	}
}

// prompt265 sets sps_max_num_reorder_pics of an SPS (H.265 section 7.3.2.2.1) to 0.
func prompt265(n []byte) []byte {
	if len(n) < 3 || n[1]&7 == 0 { // nuh_temporal_id_plus1 is never 0 (section 7.4.2.2): the header would begin a start code
		return nil
	}
	r := reader{b: camera.Unescape(nil, n[2:])}
	r.u(4)
	layers := r.u(3)
	r.u(1)
	if layers > 6 {
		return nil
	}
	// profile_tier_level (section 7.3.3)
	r.u(32)
	r.u(32)
	r.u(32)
	var profile, level [6]bool
	for i := range layers {
		profile[i], level[i] = r.u(1) == 1, r.u(1) == 1
	}
	if layers > 0 {
		for i := layers; i < 8; i++ {
			r.u(2)
		}
	}
	for i := range layers {
		if profile[i] {
			r.u(32)
			r.u(32)
			r.u(24)
		}
		if level[i] {
			r.u(8)
		}
	}
	r.ue()
	if r.ue() == 3 {
		r.u(1)
	}
	r.ue()
	r.ue()
	if r.u(1) == 1 {
		for range 4 {
			r.ue()
		}
	}
	r.ue()
	r.ue()
	r.ue()
	each := r.u(1) == 1
	w := writer{b: make([]byte, 0, len(n)+16)}
	w.copy(r.b, r.at)
	for i := uint32(0); i <= layers; i++ {
		if i < layers && !each {
			continue
		}
		w.ue(r.ue()) // sps_max_dec_pic_buffering_minus1
		r.ue()
		w.ue(0) // sps_max_num_reorder_pics
		w.ue(r.ue())
	}
	if r.short {
		return nil
	}
	for end := r.last(); r.at < end; {
		w.u(r.u(1), 1)
	}
	w.end()
	return camera.Escape(slices.Clone(n[:2]), w.b)
}

// reader reads bits, most significant first. Past the end it gives zeros and is short.
type reader struct {
	b     []byte
	at    int // in bits
	short bool
}

func (r *reader) u(n int) uint32 {
	v := uint32(0)
	for range n {
		v <<= 1
		if r.at>>3 >= len(r.b) {
			r.short = true
			continue
		}
		v |= uint32(r.b[r.at>>3]>>(7-r.at&7)) & 1
		r.at++
	}
	return v
}

// ue reads an Exp-Golomb code (H.264 section 9.1).
func (r *reader) ue() uint32 {
	zeros := 0
	for r.u(1) == 0 {
		if zeros++; zeros > 31 || r.short {
			r.short = true
			return 0
		}
	}
	return uint32((uint64(1)<<zeros | uint64(r.u(zeros))) - 1)
}

func (r *reader) se() int32 {
	v := r.ue()
	if v&1 == 1 {
		return int32(v/2 + 1)
	}
	return -int32(v / 2)
}

// last is where the trailing bits begin: the last bit that is set (H.264 section 7.3.2.11).
func (r *reader) last() int {
	for i := len(r.b) - 1; i >= 0; i-- {
		if c := r.b[i]; c != 0 {
			bit := 7
			for c&1 == 0 {
				c >>= 1
				bit--
			}
			return 8*i + bit
		}
	}
	return 0
}

type writer struct {
	b    []byte
	bits int
}

func (w *writer) u(v uint32, n int) {
	for i := n - 1; i >= 0; i-- {
		if w.bits&7 == 0 {
			w.b = append(w.b, 0)
		}
		w.b[w.bits>>3] |= byte(v>>i&1) << (7 - w.bits&7)
		w.bits++
	}
}

func (w *writer) ue(v uint32) {
	n := 0
	for x := uint64(v) + 1; x > 1; x >>= 1 {
		n++
	}
	w.u(0, n)
	w.u(1, 1)
	w.u(uint32(uint64(v)+1-1<<n), n)
}

// copy takes the first bits of b.
func (w *writer) copy(b []byte, bits int) {
	r := reader{b: b}
	for range bits {
		w.u(r.u(1), 1)
	}
}

func (w *writer) end() { w.u(1, 1) }
