package signed

import (
	"fmt"
	"strings"
	"time"
)

// Verdict is what a signature says of the pictures that it is over.
type Verdict uint8

const (
	Unverified Verdict = iota // nothing can be said: no key yet, or the pictures before the first or after the last signature
	Authentic                 // as the camera made them, all of them
	Incomplete                // as the camera made them; some are missing
	Altered                   // not as the camera made them: altered, added, moved
	Unsigned                  // no signature came
	Foreign                   // the signature is good, or may be, and not this camera's
	Stale                     // the signature is this camera's, and not of now: replayed, or its clock is wrong
)

func (v Verdict) String() string {
	return [...]string{"unverified", "authentic", "incomplete", "altered", "unsigned", "foreign", "stale"}[v]
}

// FaultKind is what is wrong with a NAL unit.
type FaultKind uint8

const (
	Missing   FaultKind = iota + 1 // it was signed and is not there
	Changed                        // it stands where another was signed
	Added                          // it was never signed
	Moved                          // it was signed at another place of its GOP, or stands there twice
	Signature                      // it is the signature itself
)

func (k FaultKind) String() string {
	return [...]string{"", "missing", "changed", "added", "moved", "signature"}[k]
}

// Fault is one NAL unit that is not as it was signed.
type Fault struct {
	Kind  FaultKind
	Place int           // in the signed list, from 0; -1: in none
	Media time.Duration // of its picture; of the one after it, or of the GOP's last, if Missing
	NAL   int           // its index in that picture's NALs; -1 if Missing
	Key   bool          // it begins a key picture
}

// faultsMost is how many faults a Result lists; Faulty counts them all.
const faultsMost = 64

// Result is what became of a GOP, or a part of one.
type Result struct {
	Verdict Verdict
	// Lapse says that the pictures cannot be trusted: the caller makes it a liveness.Finding By "signature", Untrusted. A
	// Result that OK makes one that is Live; any other, Unknown.
	Lapse bool

	Scheme  Scheme
	Counter uint32    // of the signature
	Partial bool      // the GOP goes on
	Start   time.Time // as the signature claims; zero: it does not say
	End     time.Time // … of the picture that follows; zero: it does not say
	Key     [32]byte  // SHA-256 of the signer's SubjectPublicKeyInfo; zero: none
	Subject string    // of its certificate
	Trust   Trust

	At       time.Duration // when the judgement was possible, on the hub's clock: the arrival of the picture that brought it
	From, To time.Duration // media times of the first and last picture that it is about
	Oldest   time.Duration // when the first of them arrived, on the hub's clock
	NALs     int           // how many of their NAL units are here
	Faulty   int           // how many are not as signed
	Faults   []Fault       // the first of those, in the GOP's order
	Say      string        // one sentence for a person

	first, last uint64   // NAL units that it is about, counted since New; last is exclusive
	bad         []uint64 // those of them that are not as signed
	adrift      bool     // they are coded from pictures that are missing or altered
	whole       bool     // none of them is known to be as signed
	reason      string
}

// OK says that there are pictures here, that the camera vouches for all of them, and that none before them in their GOP was altered, nor
// its key picture missing: what a decoder shows of them is made of those.
func (r *Result) OK() bool {
	return r.NALs > 0 && !r.adrift && (r.Verdict == Authentic || r.Verdict == Incomplete)
}

func (r *Result) fault(f Fault) {
	r.Faulty++
	if len(r.Faults) < faultsMost {
		r.Faults = append(r.Faults, f)
	}
}

const adrift = "what they show is made of pictures of their GOP that are not"

// say fills in the sentence.
func (r *Result) say() {
	what := fmt.Sprintf("%s, GOP %d", r.Scheme, r.Counter)
	if r.Partial {
		what += " (a part)"
	}
	switch r.Verdict {
	case Authentic:
		r.Say = fmt.Sprintf("%s: %d NAL units are as the camera signed them", what, r.NALs)
		if r.adrift {
			r.Say += "; " + adrift
		}
	case Incomplete:
		r.Say = fmt.Sprintf("%s: %d NAL units are as the camera signed them, %d that it signed did not arrive (%s)", what, r.NALs, r.Faulty, r.where())
		if r.adrift {
			r.Say += "; " + adrift
		}
	case Altered:
		r.Say = fmt.Sprintf("%s: the pictures are not as the camera signed them", what)
		if w := r.where(); w != "" {
			r.Say += ": " + w
		}
	case Unsigned:
		r.Say = "the pictures are not signed"
	case Foreign:
		r.Say = fmt.Sprintf("%s: signed by a key that is not this camera's", what)
	case Stale:
		r.Say = fmt.Sprintf("%s: the signature is good and not of now", what)
	default:
		r.Say = "no signature tells of these pictures"
	}
	if r.reason != "" {
		r.Say += ": " + r.reason
	}
}

// where names the first faults.
func (r *Result) where() string {
	var s []string
	for _, f := range r.Faults {
		if len(s) == 3 {
			s = append(s, fmt.Sprintf("and %d more", r.Faulty-3))
			break
		}
		switch {
		case f.Kind == Missing:
			s = append(s, fmt.Sprintf("number %d is missing", f.Place+1))
		case f.Kind == Signature:
			s = append(s, "its signature")
		case f.Key:
			s = append(s, fmt.Sprintf("the key picture at %.3f s was %s", f.Media.Seconds(), f.Kind))
		default:
			s = append(s, fmt.Sprintf("the picture at %.3f s (NAL unit %d) was %s", f.Media.Seconds(), f.NAL, f.Kind))
		}
	}
	return strings.Join(s, ", ")
}
