// Package granttest makes whole, valid permissions with software passkeys, for tests and simulations. Everything follows
// from a seed: no clock, no randomness. It panics where a value that it made itself is refused.
package granttest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"time"

	"eyebolt/grant"
)

// Home is one household, its hub, one carrier and one courier, and everything that each of them signs with.
type Home struct {
	RP       grant.RP
	Hub      string
	Name     string // of the household
	Door     string
	Epoch    uint32
	Resident *Passkey
	Courier  *Passkey
	Carrier  ed25519.PrivateKey
	// What Chain signs; change before calling it.
	Consent    grant.Consent
	Credential grant.Courier
	Delivery   grant.Delivery
	Issued     time.Time
}

// New makes a home whose consent, credential and delivery all hold at now: the consent for a year, every day, all day, in
// UTC; the delivery from an hour before now to an hour after.
func New(seed string, now time.Time) *Home {
	sum := sha256.Sum256([]byte("granttest carrier\n" + seed))
	rp := grant.RP{ID: "localhost", Origins: []string{"http://localhost:8420"}}
	h := &Home{
		RP: rp, Hub: "hub-" + seed, Name: "household-" + seed, Door: "front", Epoch: 1,
		Resident: NewPasskey(seed, "resident", rp),
		Courier:  NewPasskey(seed, "courier", rp),
		Carrier:  ed25519.NewKeyFromSeed(sum[:]),
		Issued:   now.Add(-2 * time.Hour),
	}
	h.Consent = grant.Consent{
		ID: "consent-" + seed, Household: h.Name, Hub: h.Hub, Door: h.Door, Carrier: "carrier",
		CarrierKey: h.Carrier.Public().(ed25519.PublicKey),
		From:       now.AddDate(0, -1, 0), Until: now.AddDate(1, 0, 0), Days: 127, StartMin: 0, EndMin: 1440, Zone: "UTC", Epoch: h.Epoch,
	}
	h.Credential = grant.Courier{
		ID: "courier-" + seed, Name: "Maria", Carrier: "carrier",
		Passkeys: []grant.Passkey{h.Courier.Public}, Screened: now.AddDate(0, 6, 0),
	}
	h.Delivery = grant.Delivery{
		ID: "delivery-" + seed, Household: h.Name, Hub: h.Hub, Door: h.Door, Carrier: "carrier", Courier: h.Credential.ID,
		From: now.Add(-time.Hour), Until: now.Add(time.Hour), Parcels: []string{"PARCEL-1", "PARCEL-2"}, Epoch: h.Epoch,
	}
	return h
}

// Anchor is what the hub trusts after it was paired with the resident's passkey.
func (h *Home) Anchor() grant.Anchor {
	return grant.Anchor{Hub: h.Hub, Household: h.Name, Residents: []grant.Passkey{h.Resident.Public}, RP: h.RP, Epoch: h.Epoch}
}

// Chain signs everything as it stands now.
func (h *Home) Chain() grant.Chain {
	doc := must(grant.MarshalConsent(h.Consent))
	return grant.Chain{
		Consent:  grant.SignedConsent{Document: doc, Assertion: h.Resident.Sign(grant.ConsentChallenge(doc))},
		Courier:  must(grant.IssueCourier(h.Carrier, h.Credential, h.Issued, h.Issued.AddDate(0, 3, 0))),
		Delivery: must(grant.IssueDelivery(h.Carrier, h.Delivery, h.Issued)),
	}
}

// Bytes is the encoded chain.
func (h *Home) Bytes() []byte { return must(h.Chain().Encode()) }

// Grant is the verified chain.
func (h *Home) Grant() grant.Grant {
	g, _, err := grant.Verify(h.Chain(), h.Anchor())
	return must(g, err)
}

// Attempt is one that holds at now.
func (h *Home) Attempt(now time.Time) grant.Attempt {
	return grant.Attempt{Door: h.Door, Now: now, ClockSure: true, Parcel: h.Delivery.Parcels[0]}
}
