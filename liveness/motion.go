package liveness

import (
	"math"

	"eyebolt/camera"
)

// motion reads what a picture that is coded as a change weighs: its slices' bytes, at quantiser 26. Bytes double for each six steps
// that the quantiser is finer, so that a rate control which swings between fine and coarse is no change of the scene. The quantiser
// is read from the slice header, with no entropy decoding (ITU-T H.264 section 7.3.3); where it cannot be (H.265, or what is not
// understood), bytes count as they are.
type motion struct {
	h    h264
	more [256]motionPPS
}

// motionPPS is what a P slice's header needs of its picture parameter set, beyond what a key picture's does.
type motionPPS struct {
	entropy  bool  // entropy_coding_mode_flag
	weighted bool  // weighted_pred_flag
	refs     uint8 // num_ref_idx_l0_default_active_minus1
}

// params takes a parameter set, if n is one of H.264.
func (m *motion) params(n []byte) {
	if len(n) < 2 {
		return
	}
	switch n[0] & 0x1f {
	case 7:
		m.h.takeSPS(n)
	case 8:
		if !m.h.takePPS(n) {
			return
		}
		r := bitReader{b: n[1:]}
		id := r.ue(255)
		r.ue(31)
		k := motionPPS{entropy: r.flag()}
		r.bit()
		r.ue(7) // slice groups: takePPS refuses them
		k.refs = uint8(r.ue(31))
		r.ue(31)
		k.weighted = r.flag()
		m.more[id] = k
	}
}

// weigh gives a picture's weight; 0 if it has no slice that is coded as a change. read says that the quantiser was.
func (m *motion) weigh(p *camera.Picture, codec camera.Codec) (weight float64, read bool) {
	bytes, sum, slices := 0, 0, 0
	for _, n := range p.NALs {
		if len(n) == 0 {
			continue
		}
		if codec == camera.H264 {
			m.params(n)
		}
		if !isMotion(codec, n[0]) {
			continue
		}
		bytes += len(n)
		if codec == camera.H264 {
			if qp, ok := m.sliceQP(n); ok {
				sum += qp
				slices++
			}
		}
	}
	if slices == 0 {
		return float64(bytes), false
	}
	return float64(bytes) * math.Exp2((float64(sum)/float64(slices)-qp0)/6), true
}

// sliceQP reads the quantiser of a P or I slice of a picture that is not an IDR one.
func (m *motion) sliceQP(n []byte) (qp int, ok bool) {
	if len(n) < 2 || n[0]&0x1f != 1 {
		return 0, false
	}
	r := bitReader{b: n[1:]}
	r.ue(1 << 24) // first_mb_in_slice
	kind := r.ue(9) % 5
	id := r.ue(255)
	if r.bad || kind != 0 && kind != 2 || !m.h.pps[id].ok { // P and I alone: a watching camera has no B pictures
		return 0, false
	}
	p, more := &m.h.pps[id], &m.more[id]
	s := &m.h.sps[p.sps]
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
	r.order(s, p, field)
	if kind == 0 {
		refs := uint32(more.refs)
		if r.flag() { // num_ref_idx_active_override_flag
			refs = r.ue(31)
		}
		if r.flag() { // ref_pic_list_modification_flag_l0
			for range 67 { // as many as there can be, and the end
				idc := r.ue(5)
				if idc == 3 || r.bad {
					break
				}
				r.ue(1 << 30)
			}
		}
		if more.weighted {
			r.weights(refs, !s.separate)
		}
	}
	if n[0]&0x60 != 0 && r.flag() { // adaptive_ref_pic_marking_mode_flag
		for range 67 {
			op := r.ue(6)
			if op == 0 || r.bad {
				break
			}
			if op != 5 {
				r.ue(1 << 30)
			}
			if op == 3 {
				r.ue(1 << 30)
			}
		}
	}
	if more.entropy && kind == 0 {
		r.ue(2) // cabac_init_idc
	}
	qp = int(p.qp) + int(r.se(51+36+26))
	if r.bad || qp > 51 || qp < -6*int(s.depth) {
		return 0, false
	}
	return qp, true
}

// weights leaves out a table of prediction weights (section 7.3.3.2).
func (r *bitReader) weights(refs uint32, chroma bool) {
	r.ue(7)
	if chroma {
		r.ue(7)
	}
	for range refs + 1 {
		if r.flag() {
			r.se(128)
			r.se(128)
		}
		if chroma && r.flag() {
			for range 4 {
				r.se(128)
			}
		}
		if r.bad {
			return
		}
	}
}
