package sim

import (
	"crypto/ed25519"
	"slices"
	"time"

	"eyebolt/grant"
	"eyebolt/ledger"
)

// What is forged here serves the town and a home of real protocols alike: how is a Move's way, so that one scenario is one forgery in both.

// Edited is what whoever holds the disk for an hour (T19) makes of a record's entries: he changes the one at n, takes it out, cuts the end
// off there, or moves its time. Given entries stay as they are; n is less than their number.
func Edited(entries []ledger.Entry, how uint32, n int) []ledger.Entry {
	entries = slices.Clone(entries)
	switch how % 4 {
	case 0:
		entries[n].Word += "x"
	case 1:
		entries = slices.Delete(entries, n, n+1)
	case 2:
		entries = entries[:n]
	case 3:
		entries[n].Mono++
	}
	return entries
}

// EditedAt says which of size entries it is, and whether the forger has the hub's key too, to sign the new head.
func EditedAt(how uint32, size uint64) (n int, signs bool) {
	return int(uint64(how/8) % size), how%8 >= 4
}

// Flipped is chain with one bit changed in one of its three documents (T13).
func Flipped(chain grant.Chain, how uint32) grant.Chain {
	flip := func(b []byte, from, to int) []byte {
		b = slices.Clone(b)
		b[from+int(how/16)%(to-from)] ^= 1 << (how % 7)
		return b
	}
	switch how / 4 % 3 {
	case 0:
		chain.Consent.Document = flip(chain.Consent.Document, 0, len(chain.Consent.Document))
	case 1:
		chain.Courier = string(flip([]byte(chain.Courier), 12, len(chain.Courier)-40))
	case 2:
		chain.Delivery = string(flip([]byte(chain.Delivery), 12, len(chain.Delivery)-40))
	}
	return chain
}

// Taken is a service that was taken over (T16): what it has, to issue what the household never signed.
type Taken struct {
	Key      ed25519.PrivateKey            // a carrier's key that no household consented to
	Delivery grant.Delivery                // what it issues
	Passkey  grant.Passkey                 // of the courier whom it makes up
	Sign     func(challenge []byte) []byte // somebody's passkey, not the household's
}

// Issues is chain as that service issues it: of a courier and a delivery by its own key, of a delivery by it alone, or under a consent that
// somebody else signed.
func (t Taken) Issues(chain grant.Chain, how uint32, now time.Time) (_ grant.Chain, err error) {
	d := t.Delivery
	switch how % 3 {
	case 0:
		chain.Courier, err = grant.IssueCourier(t.Key, grant.Courier{ID: d.Courier, Name: "x", Carrier: d.Carrier, Screened: now.AddDate(0, 1, 0), Passkeys: []grant.Passkey{t.Passkey}}, now, d.Until)
		if err != nil {
			return chain, err
		}
		fallthrough
	case 1:
		chain.Delivery, err = grant.IssueDelivery(t.Key, d, now)
	case 2:
		chain.Consent.Assertion = t.Sign(grant.ConsentChallenge(chain.Consent.Document))
	}
	return chain, err
}
