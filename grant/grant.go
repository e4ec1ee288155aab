// Package grant is the signed permission to open one door once: household consent → carrier key → courier's credential →
// delivery. It issues, verifies offline and says in one typed reason why not. It is pure: no clock, no I/O, no randomness
// but what a caller hands in.
//
// A consent is signed by a resident's passkey: the assertion's challenge is the document's hash. A courier's credential and a
// delivery are PASETO v4.public tokens signed by the carrier's Ed25519 key that the consent names.
package grant

import (
	"time"

	"eyebolt/interlock"
)

// Passkey is a WebAuthn credential's public half.
type Passkey struct {
	ID  []byte `json:"id"`  // credential ID
	Key []byte `json:"key"` // COSE key (RFC 9052), as registered
	Who string `json:"who"` // account it belongs to
}

// RP is the relying party that passkeys were made for. Assertions for another are refused.
type RP struct {
	ID      string   `json:"id"`      // "localhost" or a domain name
	Origins []string `json:"origins"` // "http://localhost:8420", …
}

// Consent is what a household allows one carrier at one door.
type Consent struct {
	ID         string    `json:"id"`
	Household  string    `json:"household"`
	Hub        string    `json:"hub"`
	Door       string    `json:"door"`
	Carrier    string    `json:"carrier"`
	CarrierKey []byte    `json:"carrier_key"` // Ed25519 public key, 32 bytes
	From       time.Time `json:"from"`
	Until      time.Time `json:"until"`
	Days       uint8     `json:"days"`      // bit 0 Monday … bit 6 Sunday; 127 every day
	StartMin   uint16    `json:"start_min"` // minutes after midnight, in Zone
	EndMin     uint16    `json:"end_min"`   // 1440: midnight
	Zone       string    `json:"zone"`      // IANA name, "UTC"
	Epoch      uint32    `json:"epoch"`     // of the hub; a restored or cloned hub has another (T29)
}

// SignedConsent is a consent and the passkey assertion over [Consent.Challenge].
type SignedConsent struct {
	Document  []byte `json:"document"`  // Consent as JSON: these bytes are what is hashed
	Assertion []byte `json:"assertion"` // WebAuthn AuthenticationResponseJSON
}

// Courier is a screened person's credential.
type Courier struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"` // as the resident sees it
	Carrier  string    `json:"carrier"`
	Passkeys []Passkey `json:"passkeys"`
	Screened time.Time `json:"screened"` // until when the screening holds
}

// Delivery is one visit's permission.
type Delivery struct {
	ID        string    `json:"id"` // the grant's name
	Household string    `json:"household"`
	Hub       string    `json:"hub"`
	Door      string    `json:"door"`
	Carrier   string    `json:"carrier"`
	Courier   string    `json:"courier"`
	From      time.Time `json:"from"`
	Until     time.Time `json:"until"`
	Parcels   []string  `json:"parcels"` // codes; any one of them opens
	Place     *Place    `json:"place,omitempty"`
	Epoch     uint32    `json:"epoch"`
}

// Place is where the door is and how far a claimed position may be from it.
type Place struct {
	Lat    float64 `json:"lat"`
	Lon    float64 `json:"lon"`
	Metres float64 `json:"metres"`
}

// Chain is the whole permission as it travels (Encode, Decode; at most 32 KiB).
type Chain struct {
	Consent  SignedConsent `json:"consent"`
	Courier  string        `json:"courier"`  // v4.public token
	Delivery string        `json:"delivery"` // v4.public token
}

// Anchor is what the hub trusts: it learned the residents' passkeys when it was paired, not from the service.
type Anchor struct {
	Hub       string
	Household string
	Residents []Passkey
	RP        RP
	Epoch     uint32
}

// Grant is a verified chain.
type Grant struct {
	Consent      Consent
	Courier      Courier
	Delivery     Delivery
	Issued       time.Time // when the carrier issued the delivery
	CourierFrom  time.Time // when the carrier issued the courier's credential
	CourierUntil time.Time // and until when it holds
}

// Attempt is one use of a grant at a door, now.
type Attempt struct {
	Door      string
	Now       time.Time // trusted wall clock, UTC
	ClockSure bool
	Parcel    string
	Lat, Lon  float64
	HasPlace  bool
	Revoked   func(id string) bool // asked for delivery, courier and consent IDs; nil: none
	Used      func(id string) bool // asked for the delivery ID; nil: none
}

// Result is one check of an attempt, for the courier's list.
type Result struct {
	Name   string // "grant", "screening", "window", "place", "parcel", "clock"
	Reason interlock.Reason
}
