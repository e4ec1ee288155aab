package grant

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"

	"eyebolt/interlock"
)

// MaxChain is the longest encoded chain, in bytes.
const MaxChain = 32 << 10

// ErrForged means that a signature in the chain does not verify: refuse, and write it down.
var ErrForged = errors.New("signature does not verify: refuse the grant")

// Encode gives the chain's bytes as they travel.
func (c Chain) Encode() ([]byte, error) {
	b, err := marshal(c)
	if err != nil {
		return nil, err
	}
	if len(b) > MaxChain {
		return nil, fmt.Errorf("%w: a chain of %d bytes, at most %d", ErrMalformed, len(b), MaxChain)
	}
	return b, nil
}

// Decode reads what Encode wrote, and nothing else. It verifies no signature: see [Verify].
func Decode(b []byte) (Chain, error) {
	if len(b) > MaxChain {
		return Chain{}, fmt.Errorf("%w: a chain of %d bytes, at most %d", ErrMalformed, len(b), MaxChain)
	}
	c, ok := plainChain(b)
	if ok {
		return c, nil
	}
	c = Chain{}
	if err := unmarshal(b, &c, nil); err != nil {
		return Chain{}, err
	}
	return c, nil
}

// plainChain reads a chain in whose texts nothing needs an escape: every one that Encode has written of tokens, base64 and all. It takes
// nothing that unmarshal would refuse or read in another way.
func plainChain(b []byte) (c Chain, ok bool) {
	rest := b
	text := func(before string) []byte {
		var found bool
		if rest, found = bytes.CutPrefix(rest, []byte(before)); !found {
			rest = nil
			return nil
		}
		n := 0
		for n < len(rest) && unescaped[rest[n]] {
			n++
		}
		t := rest[:n]
		rest = rest[n:]
		return t
	}
	data := func(before string) []byte {
		t := text(before)
		d := make([]byte, base64.StdEncoding.DecodedLen(len(t)))
		n, err := base64.StdEncoding.Strict().Decode(d, t)
		if err != nil || n == 0 {
			rest = nil
			return nil
		}
		return d[:n:n]
	}
	c.Consent.Document = data(`{"consent":{"document":"`)
	c.Consent.Assertion = data(`","assertion":"`)
	c.Courier = string(text(`"},"courier":"`))
	c.Delivery = string(text(`","delivery":"`))
	return c, string(rest) == `"}`
}

// unescaped are the bytes of ASCII that marshal writes into a string as they are.
var unescaped = func() (ok [256]bool) {
	for c := ' '; c <= '~'; c++ {
		ok[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return ok
}()

// Verify checks every signature of a chain against what the hub itself trusts, and that all its names agree: the consent
// is this household's, for this hub and epoch, signed by a paired resident's passkey with user verification; the courier's
// credential and the delivery are signed by the carrier key that the consent names; delivery, courier and consent speak of
// the same household, hub, door, carrier and courier. It does not look at any clock: [Grant.Check] does, at the door.
//
// A Reason other than NoReason comes with an error that says more, for the record; the Grant is then empty.
func Verify(c Chain, a Anchor) (Grant, interlock.Reason, error) {
	no := func(r interlock.Reason, format string, args ...any) (Grant, interlock.Reason, error) {
		return Grant{}, r, fmt.Errorf("grant refused (%v): %w", r, fmt.Errorf(format, args...))
	}
	if a.Hub == "" || a.Household == "" || a.RP.ID == "" || len(a.Residents) == 0 {
		return no(interlock.NoConsent, "this hub is not paired: pair it with a resident's passkey first")
	}

	consent, err := ParseConsent(c.Consent.Document)
	if err != nil {
		return no(interlock.GrantForged, "consent: %w", err)
	}
	if _, err := VerifyAssertion(a.RP, a.Residents, ConsentChallenge(c.Consent.Document), c.Consent.Assertion); err != nil {
		if errors.Is(err, ErrUnknownPasskey) {
			return no(interlock.NoConsent, "consent: %w", err)
		}
		return no(interlock.GrantForged, "consent: %w", err)
	}
	switch {
	case consent.Household != a.Household:
		return no(interlock.NoConsent, "consent is of household %q, this hub belongs to %q", consent.Household, a.Household)
	case consent.Hub != a.Hub:
		return no(interlock.NoConsent, "consent is for hub %q, this is %q", consent.Hub, a.Hub)
	case consent.Epoch != a.Epoch:
		return no(interlock.NoConsent, "consent is of epoch %d, this hub is in %d: the household must consent anew", consent.Epoch, a.Epoch)
	}

	courier, courierFrom, courierUntil, err := read(consent.CarrierKey, kindCourier, consent.Carrier, c.Courier, normalCourier)
	if err == nil {
		err = courier.check()
	}
	if err != nil {
		return no(interlock.GrantForged, "%w", err)
	}
	delivery, issued, _, err := read(consent.CarrierKey, kindDelivery, consent.Carrier, c.Delivery, normalDelivery)
	if err == nil {
		err = delivery.check()
	}
	if err != nil {
		return no(interlock.GrantForged, "%w", err)
	}
	switch {
	case courier.Carrier != consent.Carrier:
		return no(interlock.NoConsent, "courier is of carrier %q, consent is for %q", courier.Carrier, consent.Carrier)
	case delivery.Carrier != consent.Carrier:
		return no(interlock.NoConsent, "delivery is of carrier %q, consent is for %q", delivery.Carrier, consent.Carrier)
	case delivery.Household != consent.Household:
		return no(interlock.NoConsent, "delivery is for household %q, consent is of %q", delivery.Household, consent.Household)
	case delivery.Hub != consent.Hub:
		return no(interlock.WrongDoor, "delivery is for hub %q, this is %q", delivery.Hub, consent.Hub)
	case delivery.Door != consent.Door:
		return no(interlock.NoConsent, "delivery is for door %q, consent covers %q", delivery.Door, consent.Door)
	case delivery.Courier != courier.ID:
		return no(interlock.WrongCourier, "delivery is for courier %q, the credential is of %q", delivery.Courier, courier.ID)
	case delivery.Epoch != a.Epoch:
		return no(interlock.GrantRevoked, "delivery is of epoch %d, this hub is in %d: issue it anew", delivery.Epoch, a.Epoch)
	}
	return Grant{
		Consent: consent, Courier: courier, Delivery: delivery,
		Issued: issued, CourierFrom: courierFrom, CourierUntil: courierUntil,
	}, interlock.NoReason, nil
}
