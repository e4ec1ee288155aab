package grant

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"time"
)

// MarshalConsent gives the document that a resident's passkey signs: canonical JSON, times in UTC and whole microseconds.
// It refuses a consent that could never allow anything or whose bounds make no sense.
func MarshalConsent(c Consent) ([]byte, error) {
	normalConsent(&c)
	if err := c.check(); err != nil {
		return nil, err
	}
	return marshal(c)
}

// ParseConsent reads a document. Whatever MarshalConsent would not have written is refused, so that two readers cannot
// read two things in one signature.
func ParseConsent(document []byte) (Consent, error) {
	var c Consent
	// 8 KiB is ten times the longest consent whose names are all at their limit.
	if len(document) > 8<<10 {
		return Consent{}, fmt.Errorf("%w: consent of %d bytes, at most 8192", ErrMalformed, len(document))
	}
	if err := unmarshal(document, &c, normalConsent); err != nil {
		return Consent{}, err
	}
	if err := c.check(); err != nil {
		return Consent{}, err
	}
	return c, nil
}

// ConsentChallenge is what the resident's passkey signs for a document: SHA-256 over "eyebolt consent v1\n" and the
// document's bytes.
func ConsentChallenge(document []byte) []byte {
	h := sha256.New()
	h.Write([]byte("eyebolt consent v1\n"))
	h.Write(document)
	return h.Sum(nil)
}

// Challenge is [ConsentChallenge] of the consent's own document.
func (c Consent) Challenge() ([]byte, error) {
	doc, err := MarshalConsent(c)
	if err != nil {
		return nil, err
	}
	return ConsentChallenge(doc), nil
}

func normalConsent(c *Consent) { c.From, c.Until = canonTime(c.From), canonTime(c.Until) }

func (c Consent) check() error {
	if err := named("id", c.ID, "household", c.Household, "hub", c.Hub, "door", c.Door, "carrier", c.Carrier, "zone", c.Zone); err != nil {
		return err
	}
	if len(c.CarrierKey) != ed25519.PublicKeySize {
		return fmt.Errorf("%w: carrier_key has %d bytes, want %d", ErrMalformed, len(c.CarrierKey), ed25519.PublicKeySize)
	}
	if !c.From.Before(c.Until) {
		return fmt.Errorf("%w: consent ends before it begins", ErrMalformed)
	}
	if c.Days == 0 || c.Days > 127 {
		return fmt.Errorf("%w: days must be 1 to 127", ErrMalformed)
	}
	if c.StartMin >= c.EndMin || c.EndMin > 1440 {
		return fmt.Errorf("%w: start_min must be before end_min, and end_min at most 1440; for a window over midnight sign two consents", ErrMalformed)
	}
	return nil
}

// covers says whether the consent allows an opening at now: inside From and Until, on one of Days, between StartMin
// (included) and EndMin (excluded) on the clock of Zone. A zone that this machine does not know covers nothing (S13).
func (c Consent) covers(now time.Time) bool {
	if now.Before(c.From) || !now.Before(c.Until) {
		return false
	}
	// "Local" would mean the machine's own zone, and so whatever its owner sets.
	if c.Zone == "Local" {
		return false
	}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return false
	}
	local := now.In(zone)
	day := (int(local.Weekday()) + 6) % 7 // Monday is 0
	if c.Days&(1<<day) == 0 {
		return false
	}
	minute := uint16(local.Hour()*60 + local.Minute())
	return c.StartMin <= minute && minute < c.EndMin
}
