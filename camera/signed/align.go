package signed

import (
	"bytes"
	"time"
)

// align compares pending NAL units with a list of hashes, one by one, and tells which are as signed. Without a list nothing can be
// located: all of them are altered. False says that the message is about pictures that this connection has not seen.
func (v *Verifier) align(a *arrived, r *Result, list [][]byte, was *state, lost int, follows bool) bool {
	m, n, continues := &a.m, v.digest.size(), follows && was.partial
	at := 0
	if !continues {
		at = v.begin(list)
	}
	end := v.segment(a, at, continues)
	bounded := end < len(v.pending) && v.pending[end].start || end == len(v.pending) && a.alone && !m.partial
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
	// The anchor as signed: of the GOP that goes on, or the first in the list. One that was altered or lost leaves the rest of its
	// GOP what it is.
	var anchor sum
	copy(anchor[:], list[0])
	if continues {
		anchor = was.anchor
	}
	found := make([]candidate, 0, end-at+1)
	for i := at; i < end; i++ {
		found = append(found, v.pending[i].candidate(v.digest, &anchor, &was.anchor))
	}
	if m.legacy && bounded && !a.alone {
		next := v.digest.linked(&anchor, &v.pending[end].plain) // the key picture that comes next
		found = append(found, candidate{sums: [3]sum{next, next, next}})
	}
	steps, lead, matched := compare(found, list, n, bounded && !m.partial, !follows)
	if matched == 0 && !v.synced {
		return false
	}
	lead = min(lead, end-at)
	v.skip(at+lead, lost, follows)
	for i := range steps {
		steps[i].item -= min(lead, steps[i].item+1) // those before are gone; -1 stays
	}
	at += lead
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
		v.st.adrift = v.st.adrift || s.place == 0 && !continues
	}
	v.take(used, r)
	r.adrift = v.st.adrift
	v.st.anchor = anchor // of a later part whose GOP's first is lost it is none; the anchor as received then serves
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
		it := &v.pending[i]
		if it.start && bytes.Equal(it.plain[:len(list[0])], list[0]) {
			return i
		}
	}
	return 0
}

// candidate is a NAL unit with what its hash may be in a list: with the anchor as received, as signed, and as signed before. A match with
// any of them is a match: the list is signed, and nobody finds other bytes with that hash.
type candidate struct {
	sums  [3]sum
	start bool
	media time.Duration
}

func (it *item) candidate(d digest, signed, before *sum) candidate {
	c := candidate{sums: [3]sum{it.linked, it.plain, it.plain}, start: it.start, media: it.media}
	if !it.start && !it.sei {
		c.sums[1], c.sums[2] = d.linked(signed, &it.plain), d.linked(before, &it.plain)
	}
	return c
}

func (c *candidate) is(h []byte, n int) bool {
	return bytes.Equal(c.sums[0][:n], h) || bytes.Equal(c.sums[1][:n], h) || bytes.Equal(c.sums[2][:n], h)
}

// step is one finding of a comparison: the item of the segment it is about (for Missing: the one that follows, -1: none), its place in
// the list (-1: none), and what is wrong, 0 if nothing.
type step struct {
	item, place int
	kind        FaultKind
}

// compare finds the list's hashes among what came, in order. bounded says that nothing of what follows was signed in this list, so that
// what is left over at the end was added; otherwise it is left for the next list. leading says that signatures may be missing, so that what
// comes before the first match need not be of this list's GOP: there are lead of those. A key picture right before the first match is.
func compare(found []candidate, list [][]byte, n int, bounded, leading bool) (steps []step, lead, matched int) {
	last, odd := -1, []int(nil) // the newest match, and what matched nothing since
	settle := func(upto, next int) {
		place := last + 1
		for _, i := range odd {
			s := step{item: i, place: -1, kind: Added}
			switch where := index(list, &found[i], n); {
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
	for i := range found {
		if last == len(list)-1 && !bounded {
			break
		}
		j := last + 1
		for j < len(list) && !found[i].is(list[j], n) {
			j++
		}
		if j == len(list) {
			odd = append(odd, i)
			continue
		}
		if leading && matched == 0 {
			lead = i
			if odd = odd[keyPicture(found, odd):]; bytes.Equal(found[i].sums[0][:n], list[j]) {
				odd = nil // what is signed is signed with the key picture as it came
			}
			if len(odd) > 0 {
				lead = odd[0]
			}
		}
		settle(j, i)
		steps = append(steps, step{item: i, place: j})
		last = j
		matched++
	}
	switch {
	case leading && matched == 0:
		lead, odd = len(found), nil
	case !bounded:
		odd = nil // it may be of what is signed next, whose list then tells
	}
	settle(len(list), -1)
	return steps, lead, matched
}

// keyPicture is where in odd the NAL units of a key picture begin that nothing follows in odd; len(odd) if there is none.
func keyPicture(found []candidate, odd []int) int {
	at := len(odd)
	for at > 0 && found[odd[at-1]].media == found[odd[len(odd)-1]].media {
		at--
	}
	if at < len(odd) && found[odd[at]].start {
		return at
	}
	return len(odd)
}

func index(list [][]byte, c *candidate, n int) int {
	for i, l := range list {
		if c.is(l, n) {
			return i
		}
	}
	return -1
}
