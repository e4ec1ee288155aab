package grant_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"eyebolt/grant"
	"eyebolt/grant/granttest"
)

func TestPairing(t *testing.T) {
	h := granttest.New("a", noon)
	pk := h.Resident.Public
	entropy := []byte("seventeen bytes!!")
	p, code, err := grant.NewPairing(h.Hub, entropy)
	if err != nil {
		t.Fatal(err)
	}
	if letters := strings.ReplaceAll(code, "-", ""); len(letters) != 26 {
		t.Fatalf("code %q has %d letters, want 26 (130 bits)", code, len(letters))
	}
	right := grant.PairingRequest{Household: h.Name, Passkey: pk, Proof: grant.PairingProof(code, pk, h.Name, h.Hub)}

	// Everything that the proof covers, changed.
	for name, change := range map[string]func(*grant.PairingRequest){
		"another household": func(r *grant.PairingRequest) { r.Household = "other" },
		"another key":       func(r *grant.PairingRequest) { r.Passkey.Key = h.Courier.Public.Key },
		"another ID":        func(r *grant.PairingRequest) { r.Passkey.ID = h.Courier.Public.ID },
		"another person":    func(r *grant.PairingRequest) { r.Passkey.Who = "other" },
		"another hub":       func(r *grant.PairingRequest) { r.Proof = grant.PairingProof(code, pk, h.Name, "other") },
		"another code":      func(r *grant.PairingRequest) { r.Proof = grant.PairingProof(code[1:], pk, h.Name, h.Hub) },
		"no code":           func(r *grant.PairingRequest) { r.Proof = grant.PairingProof("", pk, h.Name, h.Hub) },
		"one bit":           func(r *grant.PairingRequest) { r.Proof = bytes.Clone(r.Proof); r.Proof[31] ^= 1 },
	} {
		r := right
		change(&r)
		if err := p.Check(r); !errors.Is(err, grant.ErrPairingWrong) {
			t.Errorf("%s: %v, want ErrPairingWrong", name, err)
		}
	}
	short := right
	short.Proof = right.Proof[:31]
	if err := p.Check(short); !errors.Is(err, grant.ErrMalformed) {
		t.Errorf("a short proof: %v", err)
	}

	b, err := right.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := grant.DecodePairing(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(again); err != nil {
		t.Fatalf("the right proof, after wrong ones: %v", err)
	}
	if err := p.Check(again); !errors.Is(err, grant.ErrPairingUsed) {
		t.Errorf("the same proof again: %v, want ErrPairingUsed", err)
	}
	if err := (*grant.Pairing)(nil).Check(again); !errors.Is(err, grant.ErrPairingUsed) {
		t.Errorf("no pairing open: %v", err)
	}
	if err := (&grant.Pairing{}).Check(grant.PairingRequest{Household: h.Name, Passkey: pk, Proof: grant.PairingProof("", pk, h.Name, "")}); !errors.Is(err, grant.ErrPairingUsed) {
		t.Errorf("a zero pairing takes a proof by the empty code: %v", err)
	}
}

// People type as they like.
func TestPairingCodeSpelling(t *testing.T) {
	pk := granttest.New("a", noon).Resident.Public
	_, code, err := grant.NewPairing("hub", bytes.Repeat([]byte{0x77}, grant.PairingEntropy))
	if err != nil {
		t.Fatal(err)
	}
	want := grant.PairingProof(code, pk, "h", "hub")
	for _, typed := range []string{strings.ToLower(code), strings.ReplaceAll(code, "-", ""), strings.ReplaceAll(code, "-", " "), strings.ReplaceAll(code, "O", "0")} {
		if !bytes.Equal(grant.PairingProof(typed, pk, "h", "hub"), want) {
			t.Errorf("%q is not taken for %q", typed, code)
		}
	}
	if _, _, err := grant.NewPairing("hub", make([]byte, 16)); err == nil {
		t.Error("a code from too little randomness")
	}
	a, b := grant.Fingerprint(pk), grant.Fingerprint(granttest.New("b", noon).Resident.Public)
	if a == b || len(a) != 19 {
		t.Errorf("fingerprints %q and %q", a, b)
	}
}

func FuzzDecodePairing(f *testing.F) {
	pk := granttest.New("a", noon).Resident.Public
	b, err := grant.PairingRequest{Household: "h", Passkey: pk, Proof: make([]byte, 32)}.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := grant.DecodePairing(b)
		if err != nil {
			return
		}
		if again, err := r.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("decoded but not canonical: %q, %v", again, err)
		}
	})
}
