package signed

import (
	"bytes"
	"fmt"
)

// findMost is how many beginnings of GOPs are tried for a message's own: a signer is a few GOPs behind at most.
const findMost = 16

// match finds the pictures that a message vouches for, judges them, and takes them and all before them away. False says that
// there is nothing to tell: it is about pictures from before the connection, or about none.
func (v *Verifier) match(a *arrived, r *Result) bool {
	m, n := &a.m, v.digest.size()
	if m.gop != nil && len(m.gop) != n || len(m.list)%n != 0 {
		r.fault(Fault{Kind: Signature, Place: -1, Media: r.To, NAL: a.nal})
		r.reason, r.Verdict, r.whole = "its hashes have the wrong length", Altered, true
		return true
	}
	lost := 0
	if v.st.counted && !v.fresh {
		lost = int(min(m.counter-v.st.counter-1, 1<<16))
	}
	follows := v.st.counted && !v.fresh && lost == 0
	was := v.st
	v.st.counted, v.st.counter, v.fresh = true, m.counter, false
	v.st.partial, v.st.linked, v.st.gop = m.partial, false, sum{}
	copy(v.st.gop[:], m.gop)
	if !m.start.IsZero() {
		v.st.start = m.start
	}
	continues := follows && was.partial
	v.st.adrift = continues && was.adrift
	var first sum // of what it vouches for, as signed
	if at, ok := v.find(m); ok {
		v.skip(at, lost, follows)
		first = v.pending[0].linked
		v.st.anchor = was.anchor
		if it := v.firstStart(m.count); it >= 0 {
			v.st.anchor = v.pending[it].plain
		} else if !continues {
			v.st.anchor = v.anchor
		}
		n := m.count
		r.Verdict = Authentic
		if !m.partial {
			n = v.strays(a, n, r)
		}
		v.take(n, r)
		r.adrift = v.st.adrift
	} else {
		if m.count == 0 && len(m.list) == 0 {
			return false
		}
		list := m.hashes(n)
		if m.legacy && len(list) == 0 {
			r.reason, r.whole = "this hub does not know the GOP signatures of Axis firmware before 2.1 without a list", true
			r.Verdict = Unverified
			v.take(v.segment(a, 0, continues), r)
			return true
		}
		if m.legacy && len(list) == 1 && m.count == 1 {
			return false // the first one of a stream announces its first key picture
		}
		if !v.align(a, r, list, &was, lost, follows) {
			return false
		}
		if len(list) > 0 {
			copy(first[:], list[0])
		}
	}
	v.synced, v.warned = true, 0
	v.st.adrift = v.st.adrift || r.Verdict == Altered
	if r.Verdict == Unverified {
		return true
	}
	if follows && was.linked && m.link != nil && !bytes.Equal(m.link, was.first[:n]) {
		r.reason, r.Verdict = "it does not follow the GOP before it", Altered
	}
	v.st.linked, v.st.first = first != sum{}, first
	return true
}

// find looks for the pictures that have the message's GOP hash: at the front, or from a later key picture on.
func (v *Verifier) find(m *message) (at int, ok bool) {
	if m.gop == nil || m.count == 0 {
		return 0, false
	}
	n, tried := v.digest.size(), 0
	for at := 0; at+m.count <= len(v.pending) && tried < findMost; at++ {
		if at > 0 && !v.pending[at].start {
			continue
		}
		if len(m.list) >= n && !bytes.Equal(m.list[:n], v.pending[at].linked[:n]) {
			continue
		}
		tried++
		v.buf = v.buf[:0]
		for i := range m.count {
			v.buf = append(v.buf, v.pending[at+i].linked[:n]...)
		}
		if h := v.digest.of(v.buf); bytes.Equal(h[:n], m.gop) {
			return at, true
		}
	}
	return 0, false
}

// firstStart is the index of the last key picture's start among the first n pending, or -1.
func (v *Verifier) firstStart(n int) int {
	for i := n - 1; i >= 0; i-- {
		if v.pending[i].start {
			return i
		}
	}
	return -1
}

// strays looks for what was added at the end of a GOP whose first n NAL units are as signed, and returns the GOP's number with those.
func (v *Verifier) strays(a *arrived, n int, r *Result) int {
	end := v.segment(a, n, false)
	if begin := v.pending[n:]; end == n || len(begin) == 0 || begin[0].start || begin[0].sei {
		return n
	}
	next := n
	for next < len(v.pending) && !v.pending[next].start {
		next++
	}
	if next == len(v.pending) {
		return n // the key picture that follows is lost, or late: a later signature tells
	}
	for i := n; i < next; i++ {
		v.odd(r, i, Fault{Kind: Added, Place: -1})
	}
	r.Verdict = Altered
	return next
}

// odd notes that pending[i] is not as signed.
func (v *Verifier) odd(r *Result, i int, f Fault) {
	it := &v.pending[i]
	f.Media, f.Key, f.NAL = it.media, it.start, it.nal
	r.bad = append(r.bad, v.next-uint64(len(v.pending))+uint64(i))
	r.fault(f)
}

// skip tells of the first n pending NAL units that no signature came for them, and of signatures that did not come. follows says that
// none is missing: then the NAL units were put in between.
func (v *Verifier) skip(n, lost int, follows bool) {
	switch {
	case n == 0 && (lost == 0 || !v.synced):
	case n == 0:
		r := Result{At: v.now, Oldest: v.now}
		v.unsigned(&r, fmt.Sprintf("%d signatures are missing, and all the pictures that they were over", lost))
	case v.synced && follows:
		var r Result
		var bad []Fault
		for i := range n {
			v.odd(&r, i, Fault{Kind: Added, Place: -1})
		}
		bad = r.Faults
		r = v.about(n, nil)
		r.Faults, r.Faulty, r.whole = bad, n, true
		r.reason = "they lie between two GOPs that were signed one after the other"
		v.tell(&r, Altered)
	default:
		r := v.about(n, nil)
		reason := "they came before the first GOP with a signature"
		if v.synced {
			reason = fmt.Sprintf("%d signatures are missing", max(lost, 1))
		}
		v.unsigned(&r, reason)
	}
}

// take takes the first n pending NAL units away into r.
func (v *Verifier) take(n int, r *Result) {
	if n > 0 {
		t := v.about(n, nil)
		r.From, r.To, r.Oldest, r.NALs, r.first, r.last = t.From, t.To, t.Oldest, t.NALs, t.first, t.last
		return
	}
	r.NALs, r.last = 0, r.first
}

// segment is where the GOP that begins at pending[at] ends: at the next key picture, or where the message stands, which comes after
// all that it vouches for.
func (v *Verifier) segment(a *arrived, at int, continues bool) (end int) {
	begun := continues
	before := len(v.pending) - int(v.next-a.before)
	for end = at; end < before; end++ {
		if v.pending[end].start {
			if begun && end > at {
				return end
			}
			begun = true
		}
	}
	return end
}

// hashes are the list's.
func (m *message) hashes(n int) (list [][]byte) {
	for b := m.list; len(b) >= n; b = b[n:] {
		list = append(list, b[:n])
	}
	return list
}
