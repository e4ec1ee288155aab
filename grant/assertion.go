package grant

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol/webauthncose"

	"eyebolt/interlock"
)

// MaxAssertion is the longest assertion that is looked at, in bytes. Browsers send under 2 KiB.
const MaxAssertion = 16 << 10

// Why an assertion is refused.
var (
	ErrAssertionMalformed = errors.New("assertion is not a WebAuthn response: sign in again")
	ErrUnknownPasskey     = errors.New("passkey is not one that is allowed here: use the registered phone")
	ErrOldChallenge       = errors.New("assertion answers another challenge: ask for the newest one and sign that")
	ErrWrongRP            = errors.New("assertion was made for another site: open the right address")
	ErrNotVerified        = errors.New("passkey was used without user verification: unlock it with PIN, finger or face")
	ErrBadSignature       = errors.New("assertion's signature does not verify")
)

// Assertion is a verified one.
type Assertion struct {
	Passkey Passkey
	// Count is the authenticator's signature counter; 0 if it keeps none. One that does not grow may mean a cloned passkey
	// (WebAuthn section 6.1.1): the hub refuses the slide and writes down why.
	Count uint32
	// DeviceBound says that the passkey cannot be copied to other devices (its backup-eligible flag is clear).
	DeviceBound bool
}

// VerifyAssertion says which of keys signed challenge, for this relying party, with the user present and verified.
// assertion is WebAuthn's AuthenticationResponseJSON as the browser gives it. See [Assert].
func VerifyAssertion(rp RP, keys []Passkey, challenge []byte, assertion []byte) (Passkey, error) {
	a, err := Assert(rp, keys, challenge, assertion)
	return a.Passkey, err
}

// Assert is the verification of WebAuthn Level 3 section 7.2, without the steps that need a session: type, challenge,
// origin (exactly one of rp.Origins, never in a foreign frame), RP ID hash, user present and verified, backup flags that
// make sense, signature. Algorithms: ES256, EdDSA (Ed25519), RS256. It keeps nothing: whoever made the challenge must take
// it only once.
func Assert(rp RP, keys []Passkey, challenge []byte, assertion []byte) (Assertion, error) {
	if len(challenge) < 16 { // WebAuthn section 13.4.3: at least 16 bytes
		return Assertion{}, fmt.Errorf("%w: no challenge is open", ErrOldChallenge)
	}
	p, err := parseAssertion(assertion)
	if err != nil {
		return Assertion{}, err
	}
	i := slices.IndexFunc(keys, func(k Passkey) bool { return len(k.ID) > 0 && bytes.Equal(k.ID, p.id) })
	if i < 0 {
		return Assertion{}, ErrUnknownPasskey
	}
	if err := p.checkClient(rp, challenge); err != nil {
		return Assertion{}, err
	}
	if err := p.checkAuthenticator(rp); err != nil {
		return Assertion{}, err
	}
	if err := p.checkSignature(keys[i].Key); err != nil {
		return Assertion{}, err
	}
	return Assertion{
		Passkey:     keys[i],
		Count:       binary.BigEndian.Uint32(p.auth[33:37]),
		DeviceBound: p.auth[32]&flagEligible == 0,
	}, nil
}

// AssertionReason is the interlock's word for an error of Assert: another person's passkey, an old challenge, or a forgery.
func AssertionReason(err error) interlock.Reason {
	switch {
	case err == nil:
		return interlock.NoReason
	case errors.Is(err, ErrUnknownPasskey):
		return interlock.WrongCourier
	case errors.Is(err, ErrOldChallenge):
		return interlock.SlideStale
	default:
		return interlock.SlideForged
	}
}

// Flags of the authenticator data (WebAuthn Level 3 section 6.1).
const (
	flagPresent  = 1 << 0
	flagVerified = 1 << 2
	flagEligible = 1 << 3 // may be backed up
	flagBackedUp = 1 << 4
	flagAttested = 1 << 6
	flagExtended = 1 << 7
)

// parsed is an assertion's outer form; nothing in it is trusted yet.
type parsed struct {
	id, client, auth, sig []byte
}

func parseAssertion(b []byte) (parsed, error) {
	if len(b) > MaxAssertion {
		return parsed{}, fmt.Errorf("%w: %d bytes, at most %d", ErrAssertionMalformed, len(b), MaxAssertion)
	}
	outer, err := members(b)
	if err != nil {
		return parsed{}, err
	}
	inner, err := members(outer["response"])
	if err != nil {
		return parsed{}, err
	}
	if kind, err := text(outer, "type"); err != nil || kind != "public-key" {
		return parsed{}, fmt.Errorf("%w: type is not public-key", ErrAssertionMalformed)
	}
	var p parsed
	for _, f := range []struct {
		from map[string]json.RawMessage
		name string
		to   *[]byte
	}{
		{outer, "rawId", &p.id},
		{inner, "clientDataJSON", &p.client},
		{inner, "authenticatorData", &p.auth},
		{inner, "signature", &p.sig},
	} {
		s, err := text(f.from, f.name)
		if err != nil {
			return parsed{}, err
		}
		if *f.to, err = base64.RawURLEncoding.Strict().DecodeString(s); err != nil || len(*f.to) == 0 {
			return parsed{}, fmt.Errorf("%w: %s is not base64url", ErrAssertionMalformed, f.name)
		}
	}
	return p, nil
}

func (p parsed) checkClient(rp RP, challenge []byte) error {
	client, err := members(p.client)
	if err != nil {
		return err
	}
	if kind, err := text(client, "type"); err != nil || kind != "webauthn.get" {
		return fmt.Errorf("%w: type is not webauthn.get", ErrAssertionMalformed)
	}
	given, err := text(client, "challenge")
	if err != nil {
		return err
	}
	answered, err := base64.RawURLEncoding.Strict().DecodeString(given)
	if err != nil || subtle.ConstantTimeCompare(answered, challenge) != 1 {
		return ErrOldChallenge
	}
	origin, err := text(client, "origin")
	if err != nil {
		return err
	}
	if !slices.Contains(rp.Origins, origin) {
		return fmt.Errorf("%w: origin %.100q", ErrWrongRP, origin)
	}
	if cross, ok := client["crossOrigin"]; ok && string(cross) != "false" {
		return fmt.Errorf("%w: signed inside another site's frame", ErrWrongRP)
	}
	if _, ok := client["topOrigin"]; ok {
		return fmt.Errorf("%w: signed inside another site's frame", ErrWrongRP)
	}
	return nil
}

func (p parsed) checkAuthenticator(rp RP) error {
	if len(p.auth) < 37 {
		return fmt.Errorf("%w: authenticator data of %d bytes", ErrAssertionMalformed, len(p.auth))
	}
	flags := p.auth[32]
	if flags&flagAttested != 0 || (flags&flagExtended != 0) != (len(p.auth) > 37) {
		return fmt.Errorf("%w: authenticator data does not fit its flags", ErrAssertionMalformed)
	}
	if flags&flagBackedUp != 0 && flags&flagEligible == 0 {
		return fmt.Errorf("%w: backed up but not eligible for it", ErrAssertionMalformed)
	}
	want := sha256.Sum256([]byte(rp.ID))
	if rp.ID == "" || subtle.ConstantTimeCompare(p.auth[:32], want[:]) != 1 {
		return fmt.Errorf("%w: RP ID hash", ErrWrongRP)
	}
	if flags&flagPresent == 0 || flags&flagVerified == 0 {
		return ErrNotVerified
	}
	return nil
}

func (p parsed) checkSignature(cose []byte) error {
	if len(cose) > maxCOSE {
		return fmt.Errorf("%w: COSE key of %d bytes", ErrBadSignature, len(cose))
	}
	key, err := webauthncose.ParsePublicKey(cose)
	if err != nil {
		return fmt.Errorf("%w: key: %w", ErrBadSignature, err)
	}
	var alg int64
	switch k := key.(type) {
	case webauthncose.EC2PublicKeyData:
		alg = k.Algorithm
	case webauthncose.OKPPublicKeyData:
		alg = k.Algorithm
	case webauthncose.RSAPublicKeyData:
		alg = k.Algorithm
	}
	switch webauthncose.COSEAlgorithmIdentifier(alg) {
	case webauthncose.AlgES256, webauthncose.AlgEdDSA, webauthncose.AlgRS256:
	default:
		return fmt.Errorf("%w: algorithm %d is not allowed; ES256, EdDSA and RS256 are", ErrBadSignature, alg)
	}
	hash := sha256.Sum256(p.client)
	ok, err := webauthncose.VerifySignature(key, slices.Concat(p.auth, hash[:]), p.sig)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadSignature, err)
	}
	if !ok {
		return ErrBadSignature
	}
	return nil
}

// members reads a JSON object by its exact names; Go's own struct decoding would take names in any case.
func members(b []byte) (map[string]json.RawMessage, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil || m == nil {
		return nil, fmt.Errorf("%w: not a JSON object", ErrAssertionMalformed)
	}
	return m, nil
}

func text(m map[string]json.RawMessage, name string) (string, error) {
	if b := m[name]; plain(b) {
		return string(b[1 : len(b)-1]), nil
	}
	var s *string
	if err := json.Unmarshal(m[name], &s); err != nil || s == nil {
		return "", fmt.Errorf("%w: %s is missing", ErrAssertionMalformed, name)
	}
	return *s, nil
}

// plain says whether b, which is a JSON value, is a string of ASCII in which nothing is escaped: what it says is what stands there.
func plain(b []byte) bool {
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
		return false
	}
	for _, c := range b[1 : len(b)-1] {
		if c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
