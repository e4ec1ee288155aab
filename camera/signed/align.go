package signed

import "bytes"

// align compares pending NAL units with a list of hashes, one by one, and tells which are as signed. Without a list nothing can be
// located: all of them are altered. False says that the message is about pictures that this connection has not seen.
func (v *Verifier) align(a *arrived, r *Result, list [][]byte, was *state, lost int, follows bool) bool {
	m, n, continues := &a.m, v.digest.size(), follows && was.partial
	anchor := v.anchor
	switch {
	case continues:
		anchor = was.anchor
	case len(list) > 0:
		anchor = sum{}
		copy(anchor[:], list[0])
	}
	at := 0
	if !continues {
		at = v.begin(list)
	}
	end := v.segment(a, at, continues)
	bounded := end < len(v.pending) && v.pending[end].start
	if len(list) == 0 {
		if !v.synced || m.gop != nil && bytes.Equal(m.gop, was.gop[:n]) {
			return false // at a stream's end the reference implementation states the GOP before once more, and nothing of the last one
		}
		if !bounded || m.partial {
			end = min(end, m.count)
		}
		v.take(end, r)
		r.whole, r.Verdict, r.Faulty = true, Altered, end
		r.reason = "its GOP hash is another, and it has no list that would tell which"
		return true
	}
	hashes := make([]sum, 0, end-at+1)
	for i := at; i < end; i++ {
		hashes = append(hashes, v.pending[i].with(&anchor, v.digest))
	}
	if m.legacy && bounded {
		hashes = append(hashes, v.digest.linked(&anchor, &v.pending[end].plain)) // the key picture that comes next
	}
	steps, matched := compare(hashes, list, n, bounded && !m.partial)
	if matched == 0 && !v.synced {
		return false
	}
	v.skip(at, lost, follows)
	end -= at
	used := 0
	for _, s := range steps {
		if s.item >= 0 {
			used = max(used, s.item+1)
		}
	}
	if bounded && !m.partial {
		used = end
	}
	used = min(used, end)
	altered := false
	for _, s := range steps {
		if s.kind == 0 {
			continue
		}
		f := Fault{Kind: s.kind, Place: s.place, NAL: -1}
		if s.kind != Missing {
			altered = true
			v.odd(r, s.item, f)
			continue
		}
		if next := s.item; next >= 0 {
			f.Media = v.pending[next].media
		} else if end > 0 {
			f.Media = v.pending[end-1].media
		}
		r.fault(f)
	}
	v.take(used, r)
	v.st.anchor = anchor
	switch {
	case altered:
		r.Verdict = Altered
	case r.Faulty > 0:
		r.Verdict = Incomplete
	default:
		r.Verdict = Authentic
	}
	return true
}

// begin is where the GOP whose list it is begins: at the key picture that the list names first, or at the front.
func (v *Verifier) begin(list [][]byte) int {
	if len(list) == 0 {
		return 0
	}
	for i := range v.pending {
		if it := &v.pending[i]; it.start && bytes.Equal(it.plain[:len(list[0])], list[0]) {
			return i
		}
	}
	return 0
}

// with is a NAL unit's hash in the GOP that anchor begins.
func (it *item) with(anchor *sum, d digest) sum {
	if it.start || it.sei {
		return it.plain
	}
	return d.linked(anchor, &it.plain)
}

// step is one finding of a comparison: the item of the segment it is about (for Missing: the one that follows, -1: none), its place in
// the list (-1: none), and what is wrong, 0 if nothing.
type step struct {
	item, place int
	kind        FaultKind
}

// compare finds the list's hashes among hashes, in order. bounded says that nothing of what follows hashes was signed in this list, so
// that what is left over at the end was added.
func compare(hashes []sum, list [][]byte, n int, bounded bool) (steps []step, matched int) {
	last, odd := -1, []int(nil) // the newest match, and what matched nothing since
	settle := func(upto, next int) {
		place := last + 1
		for _, i := range odd {
			s := step{item: i, place: -1, kind: Added}
			switch where := index(list, hashes[i][:n]); {
			case where >= 0:
				s.kind, s.place = Moved, where
			case place < upto:
				s.kind, s.place = Changed, place
				place++
			}
			steps = append(steps, s)
		}
		for ; place < upto; place++ {
			steps = append(steps, step{item: next, place: place, kind: Missing})
		}
		odd = odd[:0]
	}
	for i := range hashes {
		if last == len(list)-1 && !bounded {
			break
		}
		j := last + 1
		for j < len(list) && !bytes.Equal(list[j], hashes[i][:n]) {
			j++
		}
		if j == len(list) {
			odd = append(odd, i)
			continue
		}
		settle(j, i)
		steps = append(steps, step{item: i, place: j})
		last = j
		matched++
	}
	if most := len(list) - 1 - last; !bounded && len(odd) > most {
		odd = odd[:most] // the rest may belong to what is signed next
	}
	settle(len(list), -1)
	return steps, matched
}

func index(list [][]byte, h []byte) int {
	for i, l := range list {
		if bytes.Equal(l, h) {
			return i
		}
	}
	return -1
}
