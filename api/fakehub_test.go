package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/bus/mem"
	"eyebolt/grant"
	"eyebolt/interlock"
)

// fakeHub is a hub with a truth inside: it believes no more than a real one, keeps grants and orders, and counts what it was
// asked and how often it opened. It has no lock and no camera.
type fakeHub struct {
	t    testing.TB
	id   string
	conn *mem.Conn
	rp   grant.RP

	mu      sync.Mutex
	beats   uint64
	random  *rand.ChaCha8
	pairing *grant.Pairing
	code    string
	anchor  grant.Anchor
	grants  map[string]grant.Grant
	used    map[string]bool
	revoked map[string]bool
	answers map[string]bus.AskReply // by ask ID (T23)
	asked   []string                // what was asked, each once
	copies  int                     // asks that had come before
	visit   string
	now     grant.Grant
	nonce   []byte
	opened  int
	blocks  uint64
	blocked bool
	held    []byte // a consent
	seq     uint64
	offers  [][]byte
}

func newFakeHub(t testing.TB, b *mem.Bus, id string, rp grant.RP) *fakeHub {
	t.Helper()
	h := &fakeHub{
		t: t, id: id, conn: b.Hub(id), rp: rp, random: rand.NewChaCha8(sha256.Sum256([]byte(id))), grants: map[string]grant.Grant{}, used: map[string]bool{},
		revoked: map[string]bool{}, answers: map[string]bus.AskReply{}, anchor: grant.Anchor{Hub: id, RP: rp, Epoch: 1},
	}
	var err error
	if h.pairing, h.code, err = grant.NewPairing(id, h.bytes(grant.PairingEntropy)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.conn.Subscribe(bus.Subject(id, "ask"), h.ask); err != nil {
		t.Fatal(err)
	}
	if _, err := h.conn.Subscribe(bus.Subject(id, "live"), func(m bus.Message) {
		h.mu.Lock()
		h.offers = append(h.offers, m.Body)
		h.mu.Unlock()
		_ = m.Reply([]byte(`{"sdp":"answer","hub_key":"AAAA","signature":"AAAA"}`))
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.conn.Close() })
	return h
}

func (h *fakeHub) bytes(n int) []byte {
	b := make([]byte, n)
	_, _ = h.random.Read(b) // never fails
	return b
}

// beat proves that the hub lives: the first answer of the service is echoed at once.
func (h *fakeHub) beat(visits ...string) bus.BeatReply {
	h.t.Helper()
	r := h.pulse(bus.Beat{Visits: visits})
	return h.pulse(bus.Beat{Visits: visits, Told: r.Time})
}

// pulse asks the service for its life, once.
func (h *fakeHub) pulse(m bus.Beat) bus.BeatReply {
	h.t.Helper()
	h.mu.Lock()
	h.beats++
	m.Hub, m.Nonce, m.Seq = h.id, h.bytes(16), h.beats
	body, _ := json.Marshal(m)
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	b, err := h.conn.Request(ctx, bus.Subject(h.id, "beat"), body)
	if err != nil {
		h.t.Fatal(err)
	}
	var r bus.BeatReply
	if err := json.Unmarshal(b, &r); err != nil {
		h.t.Fatal(err)
	}
	return r
}

func (h *fakeHub) ask(m bus.Message) {
	var a bus.Ask
	if json.Unmarshal(m.Body, &a) != nil {
		return
	}
	h.mu.Lock()
	r, known := h.answers[a.ID]
	if known {
		h.copies++
	} else {
		r = h.take(a)
		h.answers[a.ID] = r
		h.asked = append(h.asked, a.What)
	}
	view := h.view()
	h.mu.Unlock()
	b, _ := json.Marshal(r)
	_ = m.Reply(b)
	v, _ := json.Marshal(view)
	_ = h.conn.Publish(context.Background(), bus.Subject(h.id, "view"), v)
}

func no(r interlock.Reason) bus.AskReply {
	return bus.AskReply{Reason: r.String(), Sentence: r.Sentence()}
}

// take carries an ask out; h.mu is held.
func (h *fakeHub) take(a bus.Ask) bus.AskReply {
	switch a.What {
	case bus.AskPair:
		r, err := grant.DecodePairing(a.Pairing)
		if err == nil {
			err = h.pairing.Check(r)
		}
		if err != nil {
			return bus.AskReply{Reason: "no-consent", Sentence: "Pairing was refused."}
		}
		h.anchor.Household = r.Household
		h.anchor.Residents = append(h.anchor.Residents, r.Passkey)
	case bus.AskConsent:
		h.held = a.Grant
	case bus.AskGrant:
		_, why := h.hold(a.Grant)
		if why != interlock.NoReason {
			return no(why)
		}
	case bus.AskRevoke:
		for _, id := range a.Revoked {
			h.revoked[id] = true
		}
	case bus.AskBlock, bus.AskUnblock:
		if a.Count < h.blocks {
			return no(interlock.Blocked)
		}
		h.blocks, h.blocked = a.Count, a.What == bus.AskBlock
	case bus.AskArrive:
		g, why := h.hold(a.Grant)
		if why == interlock.NoReason {
			why = grant.Reason(g.Check(grant.Attempt{
				Door: a.Door, Now: time.Now(), ClockSure: true, Parcel: a.Parcel,
				Revoked: func(id string) bool { return h.revoked[id] }, Used: func(id string) bool { return h.used[id] },
			}))
		}
		if why == interlock.NoReason && h.blocked {
			why = interlock.Blocked
		}
		if why != interlock.NoReason {
			return no(why)
		}
		h.visit, h.now, h.nonce = "V-"+g.Delivery.ID, g, h.bytes(32)
		return bus.AskReply{OK: true, Visit: h.visit}
	case bus.AskSlide:
		if h.visit == "" || a.Visit != h.visit {
			return no(interlock.NoVisit)
		}
		if _, err := grant.Assert(h.rp, h.now.Courier.Passkeys, h.challenge(), a.Assertion); err != nil {
			return no(grant.AssertionReason(err))
		}
		if h.used[h.now.Delivery.ID] {
			return no(interlock.GrantUsed)
		}
		h.used[h.now.Delivery.ID] = true
		h.opened++
		return bus.AskReply{OK: true, Visit: h.visit}
	}
	return bus.AskReply{OK: true}
}

func (h *fakeHub) hold(chain []byte) (grant.Grant, interlock.Reason) {
	c, err := grant.Decode(chain)
	if err != nil {
		return grant.Grant{}, interlock.GrantForged
	}
	g, why, err := grant.Verify(c, h.anchor)
	if err != nil {
		return grant.Grant{}, why
	}
	h.grants[g.Delivery.ID] = g
	return g, interlock.NoReason
}

func (h *fakeHub) challenge() []byte { return grant.SlideChallenge("front", h.visit, h.nonce) }

// view is the front door's; h.mu is held.
func (h *fakeHub) view() bus.View {
	h.seq++
	v := bus.View{Hub: h.id, Door: "front", Seq: h.seq, At: time.Now(), Phase: "idle", Watch: "live", Battery: 77, Home: true, BlockCount: h.blocks, Blocked: h.blocked, Checks: []bus.Check{}}
	if h.visit != "" {
		v.Phase, v.Visit, v.GrantID, v.Courier, v.Nonce = "ready", h.visit, h.now.Delivery.ID, h.now.Courier.Name, h.challenge()
		if h.opened > 0 {
			v.Phase, v.Nonce = "open", nil
		}
	}
	return v
}

func (h *fakeHub) publish(v bus.View) {
	h.t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.conn.Publish(context.Background(), bus.Subject(h.id, "view"), b); err != nil {
		h.t.Fatal(err)
	}
}

// did says how often something was asked.
func (h *fakeHub) did(what string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, w := range h.asked {
		if w == what {
			n++
		}
	}
	return n
}

func (h *fakeHub) truth(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}
