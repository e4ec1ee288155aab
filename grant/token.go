package grant

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"aidanwoods.dev/go-paseto"
)

// A token's kind is bound twice: in the footer, which anybody may read, and in the implicit assertion, which never
// travels. So a courier's credential can never be read as a delivery, nor one carrier's token as another's.
const (
	kindCourier  = "courier"
	kindDelivery = "delivery"
)

// maxToken is the longest token that is looked at: 64 parcels and 16 passkeys fit.
const maxToken = 24 << 10

// Key is what a carrier signs with, looked at once: that its two halves belong together costs as much as a signature. The zero Key signs
// nothing.
type Key struct{ secret *paseto.V4AsymmetricSecretKey }

// NewKey looks at a carrier's private key.
func NewKey(key ed25519.PrivateKey) (Key, error) {
	if len(key) != ed25519.PrivateKeySize {
		return Key{}, fmt.Errorf("%w: the carrier's private key has %d bytes, want %d", ErrMalformed, len(key), ed25519.PrivateKeySize)
	}
	secret, err := paseto.NewV4AsymmetricSecretKeyFromEd25519(slices.Clone(key)) // nobody changes what was looked at
	if err != nil {
		return Key{}, fmt.Errorf("%w: the carrier's private key: %w", ErrMalformed, err)
	}
	return Key{&secret}, nil
}

// Courier signs a courier's credential. It holds from issued until until, which should be days, not years: it is how a carrier that is
// cut off forgets its couriers.
func (k Key) Courier(c Courier, issued, until time.Time) (string, error) {
	normalCourier(&c)
	if err := c.check(); err != nil {
		return "", err
	}
	return issue(k, kindCourier, c.Carrier, c, issued, until)
}

// Delivery signs one visit's permission. It holds from issued until the end of its window.
func (k Key) Delivery(d Delivery, issued time.Time) (string, error) {
	normalDelivery(&d)
	if err := d.check(); err != nil {
		return "", err
	}
	return issue(k, kindDelivery, d.Carrier, d, issued, d.Until)
}

// IssueCourier is [Key.Courier] with the carrier's private key.
func IssueCourier(key ed25519.PrivateKey, c Courier, issued, until time.Time) (string, error) {
	k, err := NewKey(key)
	if err != nil {
		return "", err
	}
	return k.Courier(c, issued, until)
}

// IssueDelivery is [Key.Delivery] with the carrier's private key.
func IssueDelivery(key ed25519.PrivateKey, d Delivery, issued time.Time) (string, error) {
	k, err := NewKey(key)
	if err != nil {
		return "", err
	}
	return k.Delivery(d, issued)
}

// envelope is a token's payload, its members in the order of the alphabet, as PASETO's registered claims and one of ours.
type envelope[T any] struct {
	Doc T         `json:"doc"`
	Exp time.Time `json:"exp"`
	Iat time.Time `json:"iat"`
}

func issue[T any](key Key, kind, carrier string, doc T, issued, until time.Time) (string, error) {
	if key.secret == nil {
		return "", fmt.Errorf("%w: there is no key to sign with", ErrMalformed)
	}
	issued, until = canonTime(issued), canonTime(until)
	if !issued.Before(until) {
		return "", fmt.Errorf("%w: the %s would end before it is issued", ErrMalformed, kind)
	}
	claims, err := marshal(envelope[T]{Doc: doc, Exp: until, Iat: issued})
	if err != nil {
		return "", err
	}
	token, err := paseto.NewTokenFromClaimsJSON(claims, footer(kind, carrier))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	signed := token.V4Sign(*key.secret, implicit(kind, carrier))
	if len(signed) > maxToken {
		return "", fmt.Errorf("%w: a %s token of %d bytes, at most %d: name fewer parcels or passkeys", ErrMalformed, kind, len(signed), maxToken)
	}
	return signed, nil
}

// read verifies a token of one kind by one carrier's key and reads it in its one form.
func read[T any](key ed25519.PublicKey, kind, carrier, token string, normal func(*T)) (doc T, issued, until time.Time, err error) {
	fail := func(err error) (T, time.Time, time.Time, error) {
		var none T
		return none, time.Time{}, time.Time{}, fmt.Errorf("%s token: %w", kind, err)
	}
	if len(token) > maxToken || !strings.HasPrefix(token, "v4.public.") {
		return fail(fmt.Errorf("%w: not a v4.public token of at most %d bytes", ErrMalformed, maxToken))
	}
	public, err := paseto.NewV4AsymmetricPublicKeyFromEd25519(key)
	if err != nil {
		return fail(fmt.Errorf("%w: %w", ErrMalformed, err))
	}
	parser := paseto.NewParserWithoutExpiryCheck() // time is judged at the door, by the hub's trusted clock
	t, err := parser.ParseV4Public(public, token, implicit(kind, carrier))
	if err != nil {
		return fail(fmt.Errorf("%w: %w", ErrForged, err))
	}
	if string(t.Footer()) != string(footer(kind, carrier)) {
		return fail(fmt.Errorf("%w: footer is of another kind or carrier", ErrForged))
	}
	var e envelope[T]
	norm := func(e *envelope[T]) {
		normal(&e.Doc)
		e.Exp, e.Iat = canonTime(e.Exp), canonTime(e.Iat)
	}
	if err := unmarshal(t.ClaimsJSON(), &e, norm); err != nil {
		return fail(err)
	}
	if !e.Iat.Before(e.Exp) {
		return fail(fmt.Errorf("%w: ends before it is issued", ErrMalformed))
	}
	return e.Doc, e.Iat, e.Exp, nil
}

func footer(kind, carrier string) []byte {
	b, err := json.Marshal(struct {
		Carrier string `json:"carrier"`
		Kind    string `json:"kind"`
	}{carrier, kind})
	if err != nil { // two strings always marshal
		return nil
	}
	return b
}

func implicit(kind, carrier string) []byte {
	return append([]byte("eyebolt "+kind+" v1\n"), carrier...)
}

func normalCourier(c *Courier) { c.Screened = canonTime(c.Screened) }

func (c Courier) check() error {
	if err := named("courier id", c.ID, "courier name", c.Name, "carrier", c.Carrier); err != nil {
		return err
	}
	if n := len(c.Passkeys); n < 1 || n > maxPasskeys {
		return fmt.Errorf("%w: a courier has 1 to %d passkeys, not %d", ErrMalformed, maxPasskeys, n)
	}
	for _, k := range c.Passkeys {
		if err := k.check(); err != nil {
			return err
		}
	}
	return nil
}

func normalDelivery(d *Delivery) { d.From, d.Until = canonTime(d.From), canonTime(d.Until) }

func (d Delivery) check() error {
	if err := named("delivery id", d.ID, "household", d.Household, "hub", d.Hub, "door", d.Door, "carrier", d.Carrier, "courier", d.Courier); err != nil {
		return err
	}
	if !d.From.Before(d.Until) {
		return fmt.Errorf("%w: the delivery's window ends before it begins", ErrMalformed)
	}
	if n := len(d.Parcels); n < 1 || n > maxParcels {
		return fmt.Errorf("%w: a delivery has 1 to %d parcels, not %d", ErrMalformed, maxParcels, n)
	}
	for _, p := range d.Parcels {
		if err := named("parcel", p); err != nil {
			return err
		}
	}
	if p := d.Place; p != nil {
		// Written so that NaN fails.
		if !(math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180 && p.Metres > 0 && p.Metres <= maxMetres) {
			return fmt.Errorf("%w: place must be on Earth, and its radius at most %d m", ErrMalformed, maxMetres)
		}
	}
	return nil
}

func (k Passkey) check() error {
	if n := len(k.ID); n < 1 || n > maxCredID {
		return fmt.Errorf("%w: a credential ID has 1 to %d bytes, not %d", ErrMalformed, maxCredID, n)
	}
	if n := len(k.Key); n < 1 || n > maxCOSE {
		return fmt.Errorf("%w: a COSE key has 1 to %d bytes, not %d", ErrMalformed, maxCOSE, n)
	}
	return named("who", k.Who)
}
