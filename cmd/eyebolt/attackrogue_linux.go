package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/descope/virtualwebauthn"

	"eyebolt/bus"
	"eyebolt/grant"
	"eyebolt/sim"
	"eyebolt/virtual"
	"eyebolt/virtual/person"
)

// hears keeps the newest grant that the service sends the hub, as one who holds the service's key to the bus does. Who listens there is
// heard of by nobody, but for one thing: that the hub is away is then known to the service by its silence, not at once.
func (h *faultHome) hears() (stop func(), err error) {
	return h.town.service.Bus.Subscribe(bus.Subject(hubID, "ask"), func(m bus.Message) {
		var a bus.Ask
		if json.Unmarshal(m.Body, &a) != nil || len(a.Grant) == 0 || a.What != bus.AskGrant && a.What != bus.AskArrive {
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.grant, h.grantID = a.Grant, a.GrantID
	})
}

// chain is the grant that was heard last. It waits for one.
func (h *faultHome) chain(ctx context.Context) (c grant.Chain, raw []byte, id string, err error) {
	err = waitFor(ctx, 20*time.Second, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		raw, id = slices.Clone(h.grant), h.grantID
		return len(raw) > 0
	})
	if err != nil {
		return c, nil, "", fmt.Errorf("no grant is sent to the hub: %w", err)
	}
	c, err = grant.Decode(raw)
	return c, raw, id, err
}

// refusedWith notes why somebody was told no, each reason once.
func (r *attackRun) refusedWith(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.result.Refused, reason) {
		r.result.Refused = append(r.result.Refused, reason)
	}
}

// says puts an ask on the bus as whoever holds the service's key to it can. The hub answers it.
func (r *attackRun) says(ctx context.Context, a bus.Ask) (reply bus.AskReply, err error) {
	a.ID, a.Door = "rogue-"+rand.Text(), or(a.Door, doorName(0))
	body, err := json.Marshal(a)
	if err != nil {
		return reply, err
	}
	ctx, cancel := context.WithTimeout(ctx, 7*time.Second)
	defer cancel()
	b, err := r.home.town.service.Bus.Request(ctx, bus.Subject(hubID, "ask"), body)
	if err != nil {
		return reply, fmt.Errorf("the hub does not answer a %s: %w", a.What, err)
	}
	return reply, json.Unmarshal(b, &reply)
}

// rogue says it and wants a no, which it notes.
func (r *attackRun) rogue(ctx context.Context, rule string, a bus.Ask) error {
	reply, err := r.says(ctx, a)
	if err != nil {
		return err
	}
	if reply.OK {
		return fmt.Errorf("the hub says yes to a %s that it must refuse (%s)", a.What, rule)
	}
	r.refusedWith(reply.Reason)
	return nil
}

// forges slides with another passkey of the house on the courier's own phone, and sends a grant of which one bit is changed (T13). The slide
// goes through the service, which passes it on unread; no grant does, so that one is put on the bus.
func (r *attackRun) forges(ctx context.Context, how uint32) error {
	h := r.home
	v := virtual.View{}
	err := waitFor(ctx, 10*time.Second, func() bool {
		v = h.mine.Now()
		return v.Nonce != "" && v.Visit == r.visitID()
	})
	if err != nil {
		return fmt.Errorf("no challenge for the slide: %w", err)
	}
	credential, err := h.town.cast.Resident.SignText(v.Nonce)
	if err != nil {
		return err
	}
	var a virtual.Answer
	if err := h.town.cast.Courier.Call(ctx, http.MethodPost, "/api/stops/"+r.delivery+"/slide", map[string]any{"credential": credential}, &a); err != nil {
		return err
	}
	if a.OK {
		return errors.New("the hub says yes to a slide with another's passkey (S2)")
	}
	r.refusedWith(a.Reason)
	c, _, id, err := h.chain(ctx)
	if err != nil {
		return err
	}
	bad, err := sim.Flipped(c, how).Encode()
	if err != nil {
		return err
	}
	return r.rogue(ctx, "S2", bus.Ask{What: bus.AskGrant, GrantID: id, Grant: bad})
}

// takenOver is a service that issues what the household never signed (T16).
func (r *attackRun) takenOver(ctx context.Context, how uint32) error {
	h, cast := r.home, r.home.town.cast
	c, _, _, err := h.chain(ctx)
	if err != nil {
		return err
	}
	consent, err := grant.ParseConsent(c.Consent.Document)
	if err != nil {
		return err
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	phone, now := person.NewKey(virtualwebauthn.KeyTypeEC2), time.Now()
	d := grant.Delivery{
		ID: "gr-rogue", Household: cast.Household, Hub: hubID, Door: doorName(0), Carrier: h.town.service.Carrier.ID, Courier: cast.CourierID,
		From: now.Add(-time.Hour), Until: now.Add(time.Hour), Parcels: []string{r.parcel}, Epoch: consent.Epoch,
	}
	taken := sim.Taken{Key: key, Delivery: d, Passkey: grant.Passkey{ID: phone.ID, Key: phone.Key.AttestationData(), Who: d.Courier}, Sign: func(c []byte) []byte { return cast.Courier.Sign(c) }}
	if c, err = taken.Issues(c, how, now); err != nil {
		return err
	}
	b, err := c.Encode()
	if err != nil {
		return err
	}
	if err := r.rogue(ctx, "S2", bus.Ask{What: bus.AskGrant, GrantID: d.ID, Grant: b}); err != nil {
		return err
	}
	if h.door.Now().Visit != "" {
		return nil
	}
	return r.rogue(ctx, "S2", bus.Ask{What: bus.AskArrive, GrantID: d.ID, Grant: b, Parcel: r.parcel})
}

// strangers ask by the apps' own calls for what is not theirs (T24): a carrier to whom the household has not consented books, its courier
// arrives, and a resident of another household lifts a block. Each is told that there is no such thing.
func (r *attackRun) strangers(ctx context.Context) error {
	t := r.home.town
	type joined struct{ Carrier, Household, Courier, Invite string }
	join := func(by *person.Person, path string, in any, at int, name string) (*person.Person, joined, error) {
		var j joined
		if err := by.Call(ctx, http.MethodPost, path, in, &j); err != nil {
			return nil, j, err
		}
		p, err := person.New(t.service.URLs[at], "localhost")
		if err != nil {
			return nil, j, err
		}
		return p, j, p.Register(ctx, j.Invite, name)
	}
	operator, _, err := join(t.cast.Operator, "/api/ops/carriers", map[string]string{"name": "Magpie Parcels"}, 0, "Otto (another carrier's operator)")
	if err != nil {
		return err
	}
	courier, _, err := join(operator, "/api/ops/couriers", map[string]string{"name": "Kim (another carrier's courier)"}, 1, "Kim (another carrier's courier)")
	if err != nil {
		return err
	}
	resident, _, err := join(t.cast.Operator, "/api/ops/households", map[string]string{"name": "Elm Street 3", "address": "3 Elm Street"}, 0, "Nora (another household)")
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	for _, k := range []struct {
		who  *person.Person
		path string
		in   any
	}{
		{operator, "/api/ops/deliveries", map[string]any{"household": t.cast.Household, "hub": hubID, "door": doorName(0), "from": now, "until": now.Add(time.Hour), "parcels": []string{"P9"}}},
		{courier, "/api/stops/" + r.delivery + "/arrive", map[string]any{"parcel": r.parcel}},
		{resident, "/api/doors/" + hubID + "/" + doorName(0) + "/unblock", map[string]any{}},
	} {
		var p *person.Problem
		switch err := k.who.Call(ctx, http.MethodPost, k.path, k.in, nil); {
		case err == nil:
			return fmt.Errorf("T24: %s is done for a stranger", k.path)
		case !errors.As(err, &p):
			return err
		case p.Status != http.StatusNotFound && p.Status != http.StatusForbidden:
			return fmt.Errorf("T24: %s: a stranger is told %w", k.path, p)
		}
		r.refusedWith(p.Reason)
	}
	return nil
}

func (r *attackRun) visitID() string { r.mu.Lock(); defer r.mu.Unlock(); return r.id }

// babbles says junk wherever this home listens: asks on the bus, reports on the broker, pictures from the camera (T20). Nothing of it may be
// taken for an order.
func (r *attackRun) babbles(ctx context.Context, d time.Duration) error {
	h := r.home
	blob := func() []byte {
		r.mu.Lock()
		defer r.mu.Unlock()
		b := make([]byte, r.rng.IntN(64))
		for i := range b {
			b[i] = byte(r.rng.IntN(256))
		}
		return b
	}
	pick := func(of ...string) string { r.mu.Lock(); defer r.mu.Unlock(); return of[r.rng.IntN(len(of))] }
	text := func() string { return pick("", "\xff\xfe", "x", string(make([]byte, 300)), doorName(0), "P1") }
	subject := bus.Subject(hubID, "ask")
	for range 12 {
		what := pick(bus.AskGrant, bus.AskArrive, bus.AskSlide, bus.AskOut, bus.AskPair, bus.AskConsent, "", "open", text())
		a := bus.Ask{What: what, Door: text(), Visit: text(), Grant: blob(), GrantID: text(), Parcel: text(), Assertion: blob(), Pairing: blob(), Revoked: []string{text()}, Text: text()}
		reply, err := r.says(ctx, a)
		if err != nil {
			return err
		}
		if reply.OK {
			return fmt.Errorf("S13: the hub says yes to junk: %q", what)
		}
		if err := h.town.service.Bus.Publish(ctx, subject, blob()); err != nil { // no JSON at all
			return err
		}
	}
	if err := h.town.service.Bus.Publish(ctx, subject, make([]byte, bus.MaxBody)); err != nil {
		return err
	}
	huge := slices.Repeat([]byte("[{\"state\":"), 50_000)
	h.town.house.cameras[0].Babble(true)
	defer h.town.house.cameras[0].Babble(false)
	for end := h.now() + d; h.now() < end; {
		for _, topic := range []string{"zigbee2mqtt/front_lock", "zigbee2mqtt/front_door", "zigbee2mqtt/front_lock/availability", "zigbee2mqtt/bridge/state", "zigbee2mqtt/bridge/logging", "zigbee2mqtt/nobody"} {
			for _, b := range [][]byte{nil, blob(), huge, []byte(`{"state":7,"lock_state":{},"contact":"perhaps","battery":-1e99}`), []byte(`[[[[`)} {
				if err := h.wire.Say(ctx, topic, b); err != nil {
					return err
				}
			}
		}
		huge = nil // once is enough
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
