package signed

import (
	"errors"
	"fmt"
	"time"

	"eyebolt/camera"
)

const (
	// pendingMost is how many NAL units may wait for their signature: more than a minute of pictures of four slices.
	pendingMost = 4096
	// messagesMost is how many signatures one picture may bring; a slow signer brings two or three at once.
	messagesMost = 8
)

// Verifier judges one camera's signatures. See New.
type Verifier struct {
	cfg    Config
	codec  camera.Codec
	keys   keyring
	digest digest
	order  order

	now      time.Duration // the newest arrival
	began    bool          // a picture came since Opened
	since    time.Duration // when it came
	warned   time.Duration // when it was last told that a signature is missing; 0: not yet
	idle     bool          // nothing is signed and nothing need be: pictures are not hashed
	pictures uint64

	next     uint64 // the ordinal of the next NAL unit
	pending  []item // not vouched for, in order; pending[i] has the ordinal next - len(pending) + i
	anchor   sum    // of the GOP under way, as received
	anchored bool

	signature bool  // one came since Opened
	synced    bool  // one matched pictures since Opened
	fresh     bool  // the next one is the first since Opened
	st        state // of the newest message that was judged
	sure      state // of the newest that was signed
	held      []held

	queue  []arrived
	sliced bool   // the picture under way has a slice
	again  string // what to do about a counter that went back on this connection
	buf    []byte
	out    []Result
}

// state is what ties a signature to the one before it.
type state struct {
	counted bool
	counter uint32
	start   time.Time
	partial bool // the next one's pictures are of the same GOP
	anchor  sum  // of that GOP, as signed
	adrift  bool // that GOP's key picture did not come, or one of its pictures was altered
	linked  bool
	first   sum // hash of the first NAL unit of the newest part
	gop     sum // the GOP hash of the newest message
	doc     sum // hash of the newest signed document
}

// item is a NAL unit that waits to be vouched for.
type item struct {
	plain, linked sum // its hash, and that with its GOP's anchor; the same for an anchor and for a SEI
	start, sei    bool
	at, media     time.Duration
	nal           int
}

// arrived is a signer's message in the picture under way.
type arrived struct {
	m      message
	err    error
	before uint64 // ordinals below this came before it
	alone  bool   // it is the last one in a picture without a slice: a recording ends with it
	nal    int
}

// Picture takes the next picture. wall is the hub's clock at its arrival; zero leaves claimed times unjudged, as for a recording
// that is examined later. It returns what became known with it, oldest first; the slice is good until the next call. Opened must
// come first: without it pictures are ignored.
func (v *Verifier) Picture(p camera.Picture, wall time.Time) []Result {
	if v.codec == camera.NoCodec {
		return nil
	}
	v.out, v.queue = v.out[:0], v.queue[:0]
	v.now = max(v.now, p.Arrival)
	v.pictures++
	if !v.began {
		v.began, v.since = true, v.now
	}
	v.sliced = false
	for i, n := range p.NALs {
		switch kind := look(v.codec, n); kind {
		case nalSlice, nalStart:
			v.sliced = true
			if !v.idle {
				v.slice(n, kind == nalStart, i, &p)
			}
		case nalSEI:
			v.sei(n, i, &p)
		}
	}
	for i := range v.queue {
		v.queue[i].alone = !v.sliced && i == len(v.queue)-1
		v.judge(&v.queue[i], wall, &p)
	}
	v.overdue(&p)
	return v.out
}

func (v *Verifier) slice(n []byte, start bool, nal int, p *camera.Picture) {
	it := item{plain: v.digest.of(trim(n)), start: start, at: v.now, media: p.Media, nal: nal}
	switch {
	case start:
		v.anchor, v.anchored = it.plain, true
		it.linked = it.plain
	case v.anchored:
		it.linked = v.digest.linked(&v.anchor, &it.plain)
	}
	v.push(it)
}

func (v *Verifier) push(it item) {
	if len(v.pending) == pendingMost {
		r := v.about(pendingMost/2, nil)
		v.unsigned(&r, "more pictures wait for a signature than a camera signs at once")
	}
	v.pending = append(v.pending, it)
	v.next++
}

// sei takes a SEI NAL unit, if it is a signer's.
func (v *Verifier) sei(n []byte, nal int, p *camera.Picture) {
	m, err := parse(v.codec, n, v.order)
	if errors.Is(err, errNotOurs) {
		return
	}
	if v.idle {
		v.idle, v.since, v.warned = false, v.now, 0
	}
	v.signature = true
	if len(v.queue) < messagesMost {
		v.queue = append(v.queue, arrived{m: m, err: err, before: v.next, nal: nal})
	}
	if err == nil && !m.said {
		h := v.digest.of(m.doc)
		v.push(item{plain: h, linked: h, sei: true, at: v.now, media: p.Media, nal: nal})
	}
}

// judge takes a signer's message and tells what it says of the pictures before it.
func (v *Verifier) judge(a *arrived, wall time.Time, p *camera.Picture) {
	m := &a.m
	r := v.about(0, m)
	bad := Fault{Kind: Signature, Place: -1, Media: p.Media, NAL: a.nal}
	if a.err != nil {
		r.fault(bad)
		r.reason = a.err.Error()
		v.tell(&r, Altered)
		return
	}
	if !m.said {
		if m.general {
			v.unsaid(a, wall)
		}
		return
	}
	d := v.digest
	if m.knows {
		d = m.digest
	}
	keys, err := v.keys.learn(m, validAt(m, wall))
	switch {
	case errors.Is(err, errNoKey):
		r.reason = "the camera's certificate has not come yet: it sends one when the stream begins, or when it is asked for a synchronisation point"
		v.tell(&r, Unverified)
		return
	case err != nil:
		r.reason = err.Error()
		v.tell(&r, Foreign)
		return
	}
	by, err := m.verify(keys, d)
	if err != nil && m.certificate {
		by, err = m.verify(m.own(), d) // the manufacturer's key signs a message that names the owner's
	}
	if err != nil {
		r.fault(bad)
		r.reason = err.Error()
		v.tell(&r, Altered)
		return
	}
	v.keys.keep(keys)
	r.Key, r.Subject, r.Trust = by.id, by.subject, by.trust
	if d != v.digest {
		v.redigest(d, p)
	}
	doc := d.of(m.doc)
	if m.certificate || v.st.counted && same(&doc, &v.st.doc, d) {
		return // it vouches for no picture, or repeats: against loss, or out of a server's cache
	}
	if reason := v.stale(m, wall); reason != "" {
		r.reason = reason
		v.tell(&r, Stale)
		return
	}
	v.order = m.order
	if m.order == anyOrder && !m.start.IsZero() {
		v.order = bigEndian
	}
	if v.match(a, &r) {
		v.release(&r)
		v.tell(&r, r.Verdict)
	}
	v.st.doc = doc
	v.sure = v.st
}

// redigest goes over to the hash that the camera uses. No signature tells of what was hashed another way, so that it is given up; the
// picture under way is hashed anew.
func (v *Verifier) redigest(d digest, p *camera.Picture) {
	v.digest = d
	v.pending, v.anchored, v.st.linked = v.pending[:0], false, false
	for i, n := range p.NALs {
		if kind := look(v.codec, n); kind == nalSlice || kind == nalStart {
			v.slice(n, kind == nalStart, i, p)
		}
	}
}

// about begins a Result about the first n pending NAL units, or all of them if n is 0; it takes them away if n is not.
func (v *Verifier) about(n int, m *message) Result {
	r := Result{At: v.now, Oldest: v.now}
	take := n > 0
	if !take {
		n = len(v.pending)
	}
	r.first = v.next - uint64(len(v.pending))
	r.last = r.first + uint64(n)
	if n > 0 {
		r.From, r.To, r.Oldest = v.pending[0].media, v.pending[n-1].media, v.pending[0].at
	}
	r.NALs = n
	if take {
		v.pending = v.pending[:copy(v.pending, v.pending[n:])]
	}
	if m != nil {
		r.Scheme, r.Counter, r.Partial, r.Start, r.End = m.scheme, m.counter, m.partial, m.start, m.end
	}
	return r
}

// tell gives a Result out.
func (v *Verifier) tell(r *Result, verdict Verdict) {
	r.Verdict, r.At = verdict, v.now
	switch verdict {
	case Altered, Foreign, Stale:
		r.Lapse = true
	case Unsigned:
		r.Lapse = v.cfg.Expect
	}
	r.say()
	v.out = append(v.out, *r)
}

func (v *Verifier) unsigned(r *Result, reason string) {
	r.reason = reason
	if v.synced || !v.signature {
		v.tell(r, Unsigned)
		return
	}
	v.tell(r, Unverified)
}

// Waiting is how long the oldest picture that no signature vouches for has waited, as of the newest one; 0 if none waits. Beside
// Config.Within as the limit it is what a finding's score is.
func (v *Verifier) Waiting() time.Duration {
	switch {
	case !v.began, v.idle:
		return 0
	case !v.synced:
		return v.now - v.since
	case len(v.held) > 0:
		return v.now - v.held[0].r.Oldest
	case len(v.pending) > 0:
		return v.now - v.pending[0].at
	default:
		return 0
	}
}

// overdue tells that no signature vouches for what came too long ago.
func (v *Verifier) overdue(p *camera.Picture) {
	wait := v.Waiting()
	if wait <= v.cfg.Within || v.warned != 0 && v.now-v.warned <= v.cfg.Within {
		return
	}
	v.warned = v.now
	r := v.about(0, nil)
	r.From, r.To, r.Oldest = min(r.From, p.Media), p.Media, v.now-wait
	switch {
	case v.synced:
		r.reason = fmt.Sprintf("the last signature that was good came %.1f s ago", wait.Seconds())
	case v.signature:
		r.reason = fmt.Sprintf("none of its signatures was good for %.1f s%s", wait.Seconds(), v.again)
	default:
		r.reason = fmt.Sprintf("no signature came in %.1f s: switch signed video on in the camera", wait.Seconds())
	}
	v.tell(&r, Unsigned)
	if !v.signature && !v.cfg.Expect {
		v.idle, v.pending, v.anchored = true, v.pending[:0], false
	}
}
