package grant_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"

	"github.com/descope/virtualwebauthn"

	"eyebolt/grant"
	"eyebolt/grant/granttest"
	"eyebolt/interlock"
	"eyebolt/virtual/person"
)

var (
	site = grant.RP{ID: "example.org", Origins: []string{"https://example.org", "https://app.example.org"}}
	ask  = bytes.Repeat([]byte{9}, 32)
)

// phone is an authenticator that is not ours.
func phone(tb testing.TB, kind virtualwebauthn.KeyType) (virtualwebauthn.Credential, grant.Passkey) {
	tb.Helper()
	c := person.NewKey(kind)
	return c, grant.Passkey{ID: c.ID, Key: c.Key.AttestationData(), Who: "somebody"}
}

func sign(c virtualwebauthn.Credential, origin, id string, o virtualwebauthn.AuthenticatorOptions, challenge []byte) []byte {
	return []byte(virtualwebauthn.CreateAssertionResponse(virtualwebauthn.RelyingParty{ID: id, Origin: origin},
		virtualwebauthn.NewAuthenticatorWithOptions(o), c, virtualwebauthn.AssertionOptions{Challenge: challenge}))
}

// T13: an independent authenticator's assertion holds for what it was made for, and for nothing else.
func TestAssertion(t *testing.T) {
	for _, kind := range []virtualwebauthn.KeyType{virtualwebauthn.KeyTypeEC2, virtualwebauthn.KeyTypeRSA} {
		t.Run(string(kind), func(t *testing.T) {
			c, pk := phone(t, kind)
			_, other := phone(t, virtualwebauthn.KeyTypeEC2)
			keys := []grant.Passkey{other, pk}
			honest := virtualwebauthn.AuthenticatorOptions{UserHandle: []byte("somebody")}
			good := sign(c, site.Origins[1], site.ID, honest, ask)
			got, err := grant.VerifyAssertion(site, keys, ask, good)
			if err != nil || !bytes.Equal(got.ID, pk.ID) {
				t.Fatalf("honest assertion: %v", err)
			}
			for _, f := range []struct {
				name      string
				rp        grant.RP
				keys      []grant.Passkey
				challenge []byte
				assertion []byte
				want      error
				reason    interlock.Reason
			}{
				{"another passkey", site, []grant.Passkey{other}, ask, good, grant.ErrUnknownPasskey, interlock.WrongCourier},
				{"no passkey", site, nil, ask, good, grant.ErrUnknownPasskey, interlock.WrongCourier},
				{"its ID with another key", site, []grant.Passkey{{ID: pk.ID, Key: other.Key}}, ask, good, grant.ErrBadSignature, interlock.SlideForged},
				{"its ID with no key", site, []grant.Passkey{{ID: pk.ID}}, ask, good, grant.ErrBadSignature, interlock.SlideForged},
				{"an older challenge", site, keys, bytes.Repeat([]byte{8}, 32), good, grant.ErrOldChallenge, interlock.SlideStale},
				{"a longer challenge", site, keys, append(bytes.Clone(ask), 0), good, grant.ErrOldChallenge, interlock.SlideStale},
				{"no challenge open", site, keys, nil, sign(c, site.Origins[0], site.ID, honest, nil), grant.ErrOldChallenge, interlock.SlideStale},
				{"another origin", site, keys, ask, sign(c, "https://evil.example", site.ID, honest, ask), grant.ErrWrongRP, interlock.SlideForged},
				{"origin without TLS", site, keys, ask, sign(c, "http://example.org", site.ID, honest, ask), grant.ErrWrongRP, interlock.SlideForged},
				{"origin with more behind", site, keys, ask, sign(c, "https://example.org.evil.example", site.ID, honest, ask), grant.ErrWrongRP, interlock.SlideForged},
				{"another RP ID", site, keys, ask, sign(c, site.Origins[0], "evil.example", honest, ask), grant.ErrWrongRP, interlock.SlideForged},
				{"hub without RP", grant.RP{Origins: site.Origins}, keys, ask, sign(c, site.Origins[0], "", honest, ask), grant.ErrWrongRP, interlock.SlideForged},
				{"hub without origins", grant.RP{ID: site.ID}, keys, ask, good, grant.ErrWrongRP, interlock.SlideForged},
				{"user not verified", site, keys, ask, sign(c, site.Origins[0], site.ID, virtualwebauthn.AuthenticatorOptions{UserNotVerified: true}, ask), grant.ErrNotVerified, interlock.SlideForged},
				{"user not present", site, keys, ask, sign(c, site.Origins[0], site.ID, virtualwebauthn.AuthenticatorOptions{UserNotPresent: true}, ask), grant.ErrNotVerified, interlock.SlideForged},
				{"backed up, not eligible", site, keys, ask, sign(c, site.Origins[0], site.ID, virtualwebauthn.AuthenticatorOptions{BackupState: true}, ask), grant.ErrAssertionMalformed, interlock.SlideForged},
				{"too long", site, keys, ask, append(bytes.Clone(good), bytes.Repeat([]byte(" "), grant.MaxAssertion)...), grant.ErrAssertionMalformed, interlock.SlideForged},
				{"nothing", site, keys, ask, nil, grant.ErrAssertionMalformed, interlock.SlideForged},
				{"null", site, keys, ask, []byte("null"), grant.ErrAssertionMalformed, interlock.SlideForged},
			} {
				if pk, err := grant.VerifyAssertion(f.rp, f.keys, f.challenge, f.assertion); !errors.Is(err, f.want) || len(pk.ID) > 0 {
					t.Errorf("%s: %v, want %v", f.name, err, f.want)
				} else if got := grant.AssertionReason(err); got != f.reason {
					t.Errorf("%s: reason %v, want %v", f.name, got, f.reason)
				}
			}
		})
	}
}

// Whatever of the signed parts is changed afterwards, the signature tells.
func TestAssertionEachByte(t *testing.T) {
	h := granttest.New("a", noon)
	good := h.Courier.Sign(ask)
	keys := h.Credential.Passkeys
	for _, field := range []string{"clientDataJSON", "authenticatorData", "signature"} {
		_, raw := part(t, good, field)
		for i := range raw {
			bad := bytes.Clone(raw)
			bad[i] ^= 1 << (i % 8)
			if _, err := grant.VerifyAssertion(h.RP, keys, ask, replace(t, good, field, bad)); err == nil {
				t.Fatalf("%s, byte %d changed: accepted", field, i)
			}
		}
		if _, err := grant.VerifyAssertion(h.RP, keys, ask, replace(t, good, field, append(raw, 0))); err == nil {
			t.Errorf("%s with a byte more: accepted", field)
		}
		if _, err := grant.VerifyAssertion(h.RP, keys, ask, replace(t, good, field, raw[:len(raw)-1])); err == nil {
			t.Errorf("%s with a byte less: accepted", field)
		}
	}
}

// What the browser says of frames and types counts, even with a right signature.
func TestAssertionClientData(t *testing.T) {
	h := granttest.New("a", noon)
	b64 := base64.RawURLEncoding.EncodeToString(ask)
	for name, c := range map[string]struct {
		client string
		want   error
	}{
		"plain":         {`{"type":"webauthn.get","challenge":"` + b64 + `","origin":"http://localhost:8420"}`, nil},
		"own frame":     {`{"type":"webauthn.get","challenge":"` + b64 + `","origin":"http://localhost:8420","crossOrigin":false,"later":{"a":1}}`, nil},
		"foreign frame": {`{"type":"webauthn.get","challenge":"` + b64 + `","origin":"http://localhost:8420","crossOrigin":true}`, grant.ErrWrongRP},
		"odd frame":     {`{"type":"webauthn.get","challenge":"` + b64 + `","origin":"http://localhost:8420","crossOrigin":"false"}`, grant.ErrWrongRP},
		"top origin":    {`{"type":"webauthn.get","challenge":"` + b64 + `","origin":"http://localhost:8420","topOrigin":"https://evil.example"}`, grant.ErrWrongRP},
		"registration":  {`{"type":"webauthn.create","challenge":"` + b64 + `","origin":"http://localhost:8420"}`, grant.ErrAssertionMalformed},
		"payment":       {`{"type":"payment.get","challenge":"` + b64 + `","origin":"http://localhost:8420"}`, grant.ErrAssertionMalformed},
		"caps":          {`{"Type":"webauthn.get","Challenge":"` + b64 + `","Origin":"http://localhost:8420"}`, grant.ErrAssertionMalformed},
		"padded":        {`{"type":"webauthn.get","challenge":"` + b64 + `=","origin":"http://localhost:8420"}`, grant.ErrOldChallenge},
		"no challenge":  {`{"type":"webauthn.get","origin":"http://localhost:8420"}`, grant.ErrAssertionMalformed},
		"no origin":     {`{"type":"webauthn.get","challenge":"` + b64 + `"}`, grant.ErrAssertionMalformed},
		"not JSON":      {`webauthn.get`, grant.ErrAssertionMalformed},
	} {
		_, err := grant.VerifyAssertion(h.RP, h.Credential.Passkeys, ask, h.Courier.SignClient([]byte(c.client)))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// The counter and the flags go to whoever asks; extension data is allowed where its flag says so.
func TestAssertionTells(t *testing.T) {
	h := granttest.New("a", noon)
	h.Courier.Count = 41
	a, err := grant.Assert(h.RP, h.Credential.Passkeys, ask, h.Courier.Sign(ask))
	if err != nil || a.Count != 42 || !a.DeviceBound {
		t.Errorf("%+v, %v; want count 42, device-bound", a, err)
	}
	h.Courier.Flags |= 0x08 | 0x10
	if a, err = grant.Assert(h.RP, h.Credential.Passkeys, ask, h.Courier.Sign(ask)); err != nil || a.DeviceBound {
		t.Errorf("%+v, %v; want a passkey that may be copied", a, err)
	}
	for _, flags := range []byte{0x05 | 0x40, 0x05 | 0x80} { // attested data, extensions: promised and not there
		h.Courier.Flags = flags
		if _, err = grant.Assert(h.RP, h.Credential.Passkeys, ask, h.Courier.Sign(ask)); !errors.Is(err, grant.ErrAssertionMalformed) {
			t.Errorf("flags %#x: %v", flags, err)
		}
	}
}

// Keys of algorithms that are not allowed, and bytes that are no key, never verify.
func TestAssertionKeys(t *testing.T) {
	h := granttest.New("a", noon)
	good := h.Courier.Sign(ask)
	key := h.Courier.Public.Key
	for name, cose := range map[string][]byte{
		"ES384 by name":  append([]byte{0xa4, 0x01, 0x01, 0x03, 0x38, 0x22}, key[5:]...),
		"a byte more":    append(bytes.Clone(key), 0),
		"cut short":      key[:20],
		"empty map":      {0xa0},
		"deep":           bytes.Repeat([]byte{0x81}, 2000),
		"longer than 2K": append(bytes.Clone(key), make([]byte, 2048)...),
	} {
		if _, err := grant.VerifyAssertion(h.RP, []grant.Passkey{{ID: h.Courier.Public.ID, Key: cose}}, ask, good); !errors.Is(err, grant.ErrBadSignature) {
			t.Errorf("%s: %v, want ErrBadSignature", name, err)
		}
	}
}

// part is a field of the response, with the whole.
func part(tb testing.TB, assertion []byte, field string) (map[string]any, []byte) {
	tb.Helper()
	var whole map[string]any
	if err := json.Unmarshal(assertion, &whole); err != nil {
		tb.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(whole["response"].(map[string]any)[field].(string))
	if err != nil {
		tb.Fatal(err)
	}
	return whole, raw
}

func replace(tb testing.TB, assertion []byte, field string, raw []byte) []byte {
	tb.Helper()
	whole, _ := part(tb, assertion, field)
	whole["response"].(map[string]any)[field] = base64.RawURLEncoding.EncodeToString(raw)
	b, err := json.Marshal(whole)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// Only the one message that was signed can pass, however it is wrapped.
func FuzzAssertion(f *testing.F) {
	h := granttest.New("a", noon)
	good := h.Courier.Sign(ask)
	f.Add(good)
	f.Add([]byte(`{"type":"public-key","rawId":"AA","response":{"clientDataJSON":"e30","authenticatorData":"AA","signature":"AA"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		pk, err := grant.VerifyAssertion(h.RP, h.Credential.Passkeys, ask, b)
		if (err == nil) != (len(pk.ID) > 0) {
			t.Fatalf("passkey %x with error %v", pk.ID, err)
		}
		if err != nil {
			return
		}
		for _, field := range []string{"clientDataJSON", "authenticatorData", "signature"} {
			_, got := part(t, b, field)
			if _, want := part(t, good, field); !bytes.Equal(got, want) {
				t.Fatalf("%s is not what was signed: %q", field, got)
			}
		}
	})
}

// A rightly signed text that is accepted says what it must.
func FuzzClientData(f *testing.F) {
	h := granttest.New("a", noon)
	b64 := base64.RawURLEncoding.EncodeToString(ask)
	f.Add([]byte(`{"type":"webauthn.get","challenge":"` + b64 + `","origin":"http://localhost:8420","crossOrigin":false}`))
	f.Fuzz(func(t *testing.T, client []byte) {
		if len(client) > 8<<10 {
			return
		}
		if _, err := grant.VerifyAssertion(h.RP, h.Credential.Passkeys, ask, h.Courier.SignClient(client)); err != nil {
			return
		}
		var c map[string]any
		if err := json.Unmarshal(client, &c); err != nil {
			t.Fatal(err)
		}
		cross, said := c["crossOrigin"]
		if c["type"] != "webauthn.get" || c["challenge"] != b64 || c["origin"] != "http://localhost:8420" || (said && cross != false) {
			t.Fatalf("accepted: %q", client)
		}
	})
}

func BenchmarkAssertion(b *testing.B) {
	for _, kind := range []virtualwebauthn.KeyType{virtualwebauthn.KeyTypeEC2, virtualwebauthn.KeyTypeRSA} {
		b.Run(string(kind), func(b *testing.B) {
			c, pk := phone(b, kind)
			a := sign(c, site.Origins[0], site.ID, virtualwebauthn.AuthenticatorOptions{}, ask)
			for b.Loop() {
				if _, err := grant.VerifyAssertion(site, []grant.Passkey{pk}, ask, a); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerifyChain(b *testing.B) {
	h := granttest.New("a", noon)
	c, a := h.Chain(), h.Anchor()
	for b.Loop() {
		if _, _, err := grant.Verify(c, a); err != nil {
			b.Fatal(err)
		}
	}
}
