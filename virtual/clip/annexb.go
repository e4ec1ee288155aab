package clip

import "bytes"

// Unit is one coded picture: an H.264 access unit.
type Unit struct {
	NALs [][]byte // without start codes; they share memory with what was split
	Key  bool
}

// Split cuts an H.264 byte stream (ITU-T H.264 annex B) into access units. A new one begins with the first slice of a
// picture, or with the parameter sets, delimiter or SEI in front of it (section 7.4.1.2.3).
func Split(b []byte) (units []Unit) {
	var now Unit
	coded := false
	flush := func() {
		if coded {
			units = append(units, now)
		}
		now, coded = Unit{}, false
	}
	for _, n := range nals(b) {
		kind := n[0] & 31
		slice := kind == 1 || kind == 5
		if coded && (!slice && kind >= 6 && kind <= 9 || slice && len(n) > 1 && n[1]&0x80 != 0) {
			flush()
		}
		now.NALs = append(now.NALs, n)
		if slice {
			coded = true
			now.Key = now.Key || kind == 5
		}
	}
	flush()
	return units
}

// nals are the NAL units of a byte stream, not empty.
func nals(b []byte) (all [][]byte) {
	start := -1
	for i := 0; ; {
		j := bytes.Index(b[i:], []byte{0, 0, 1})
		if j < 0 {
			break
		}
		at := i + j
		if start >= 0 {
			if n := bytes.TrimRight(b[start:at], "\x00"); len(n) > 0 {
				all = append(all, n)
			}
		}
		start, i = at+3, at+3
	}
	if start >= 0 {
		if n := bytes.TrimRight(b[start:], "\x00"); len(n) > 0 {
			all = append(all, n)
		}
	}
	return all
}

// Join writes access units as a byte stream.
func Join(units []Unit) []byte {
	var out []byte
	for _, u := range units {
		for _, n := range u.NALs {
			out = append(append(out, 0, 0, 0, 1), n...)
		}
	}
	return out
}
