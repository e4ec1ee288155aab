package granttest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	"eyebolt/grant"
)

// Passkey is a WebAuthn authenticator in software with one Ed25519 credential made from a seed: the same seed always gives
// the same credential and, as Ed25519 signs deterministically, the same assertions. Its fields may be set to make it
// dishonest. One goroutine at a time.
type Passkey struct {
	Public grant.Passkey
	RPID   string // what its authenticator data is bound to
	Origin string // what its browser says
	Type   string // "webauthn.get"
	Flags  byte   // user present, user verified
	Count  uint32 // grows with each assertion, unless Frozen
	Frozen bool
	key    ed25519.PrivateKey
}

// NewPasskey makes who's passkey for rp's first origin.
func NewPasskey(seed, who string, rp grant.RP) *Passkey {
	sum := sha256.Sum256([]byte("granttest passkey\n" + seed + "\n" + who))
	key := ed25519.NewKeyFromSeed(sum[:])
	id := sha256.Sum256(key)
	// A COSE_Key (RFC 9053 section 7.2): kty OKP, alg EdDSA, crv Ed25519, x.
	cose := append([]byte{0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20}, key[32:]...)
	p := &Passkey{
		Public: grant.Passkey{ID: id[:16], Key: cose, Who: who},
		RPID:   rp.ID, Type: "webauthn.get", Flags: 0x05, key: key,
	}
	if len(rp.Origins) > 0 {
		p.Origin = rp.Origins[0]
	}
	return p
}

// Sign answers a challenge as a browser would: AuthenticationResponseJSON.
func (p *Passkey) Sign(challenge []byte) []byte {
	return p.SignClient(must(json.Marshal(struct {
		Type        string `json:"type"`
		Challenge   string `json:"challenge"`
		Origin      string `json:"origin"`
		CrossOrigin bool   `json:"crossOrigin"`
	}{p.Type, base64.RawURLEncoding.EncodeToString(challenge), p.Origin, false})))
}

// SignClient answers with the client data given, whatever it is.
func (p *Passkey) SignClient(client []byte) []byte {
	if !p.Frozen {
		p.Count++
	}
	b64 := base64.RawURLEncoding.EncodeToString
	rp := sha256.Sum256([]byte(p.RPID))
	auth := append(rp[:], p.Flags)
	auth = binary.BigEndian.AppendUint32(auth, p.Count)
	hash := sha256.Sum256(client)
	sig := ed25519.Sign(p.key, slices.Concat(auth, hash[:]))
	type response struct {
		ClientDataJSON    string `json:"clientDataJSON"`
		AuthenticatorData string `json:"authenticatorData"`
		Signature         string `json:"signature"`
		UserHandle        string `json:"userHandle"`
	}
	return must(json.Marshal(struct {
		ID         string   `json:"id"`
		RawID      string   `json:"rawId"`
		Response   response `json:"response"`
		Attachment string   `json:"authenticatorAttachment"`
		Extensions struct{} `json:"clientExtensionResults"`
		Type       string   `json:"type"`
	}{
		ID: b64(p.Public.ID), RawID: b64(p.Public.ID), Attachment: "platform", Type: "public-key",
		Response: response{b64(client), b64(auth), b64(sig), b64([]byte(p.Public.Who))},
	}))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("granttest: %v", err))
	}
	return v
}
