package signed

import "time"

// heldMost is how many GOPs may wait for the signature that vouches for their messages.
const heldMost = 64

// held is the judgement by a message that is not signed itself: its own hash is in a later list (specification, "Signing multiple
// GOPs"). It becomes good when that list is.
type held struct {
	r   Result
	sei uint64 // the ordinal of the message's NAL unit
}

// unsaid judges by a message without a signature, for the time being.
func (v *Verifier) unsaid(a *arrived, wall time.Time) {
	r := v.about(0, &a.m)
	if reason := v.stale(&a.m, wall); reason != "" {
		r.reason = reason
		v.tell(&r, Stale)
		return
	}
	if !v.match(a, &r) {
		return
	}
	if len(v.held) == heldMost {
		v.unsigned(&v.held[0].r, "the signature that should vouch for it did not come")
		v.held = v.held[:copy(v.held, v.held[1:])]
	}
	v.held = append(v.held, held{r: r, sei: a.before})
}

// release tells the judgements that the one of a signed message vouches for, and those that it should and does not.
func (v *Verifier) release(by *Result) {
	if len(v.held) == 0 {
		return
	}
	good, covered := make([]bool, len(v.held)), make([]bool, len(v.held))
	later := []*Result{by}
	keep := len(v.held)
	for i := len(v.held) - 1; i >= 0; i-- {
		h := &v.held[i]
		if h.sei >= by.last && i == keep-1 {
			keep = i // it lies among pictures that are not signed yet
			continue
		}
		for _, r := range later {
			good[i] = good[i] || r.vouches(h.sei)
			covered[i] = covered[i] || h.sei >= r.first && h.sei < r.last
		}
		if good[i] {
			later = append(later, &h.r)
		}
	}
	for i := range v.held[:keep] {
		h := &v.held[i]
		switch {
		case good[i]:
		case covered[i]:
			h.r.reason, h.r.Verdict = "the message that it was judged by is not the one that was signed", Altered
		default:
			h.r.reason, h.r.Verdict = "the signature that should vouch for it did not come", Unsigned
		}
		h.r.Key, h.r.Subject, h.r.Trust = by.Key, by.Subject, by.Trust
		v.tell(&h.r, h.r.Verdict)
	}
	v.held = v.held[:copy(v.held, v.held[keep:])]
}

// vouches says whether the NAL unit of that ordinal is as it was signed.
func (r *Result) vouches(ordinal uint64) bool {
	if ordinal < r.first || ordinal >= r.last || r.whole {
		return false
	}
	for _, o := range r.bad {
		if o == ordinal {
			return false
		}
	}
	return true
}
