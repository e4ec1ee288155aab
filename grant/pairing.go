package grant

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Pairing is how a hub learns a resident's passkey from somebody who can read the hub's own screen or log, and from nobody
// else. The hub shows a code of 130 random bits; whoever knows it can make a proof (HMAC-SHA-256) over one passkey, one
// household and this hub. The hub takes one right proof per code.
//
// It protects against everybody who carries the message: the bus, a service that never saw the code, a replay at another
// hub, a changed passkey or household.
//
// It does not protect against whoever is told the code. A resident who types it into a page served by the service tells the
// service; one that is dishonest at that very moment can pair its own passkey instead. The hub therefore shows
// [Fingerprint] of what it paired, and a resident who does not trust the service pairs on the hub's own page.
type Pairing struct {
	hub  string
	code string // normal form; empty once used
}

// Why a pairing is refused.
var (
	ErrPairingUsed  = errors.New("this pairing code was used or never made: show a new one on the hub")
	ErrPairingWrong = errors.New("pairing proof does not match: type the code again as the hub shows it")
)

// PairingEntropy is how many random bytes NewPairing needs.
const PairingEntropy = 17

var codeText = base32.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567").WithPadding(base32.NoPadding)

// NewPairing makes a pairing from PairingEntropy random bytes, and the code to show: 26 letters and digits in groups.
func NewPairing(hub string, entropy []byte) (*Pairing, string, error) {
	if len(entropy) < PairingEntropy {
		return nil, "", fmt.Errorf("pairing needs %d random bytes, got %d", PairingEntropy, len(entropy))
	}
	if err := named("hub", hub); err != nil {
		return nil, "", err
	}
	code := codeText.EncodeToString(entropy[:PairingEntropy])[:26]
	var shown strings.Builder
	for i := 0; i < len(code); i += 5 {
		if i > 0 {
			shown.WriteByte('-')
		}
		shown.WriteString(code[i:min(i+5, len(code))])
	}
	return &Pairing{hub: hub, code: code}, shown.String(), nil
}

// PairingRequest is what travels to the hub as bus.Ask.Pairing.
type PairingRequest struct {
	Household string  `json:"household"`
	Passkey   Passkey `json:"passkey"`
	Proof     []byte  `json:"proof"` // PairingProof
}

// Encode gives the request's bytes.
func (r PairingRequest) Encode() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return marshal(r)
}

// DecodePairing reads what Encode wrote, and nothing else.
func DecodePairing(b []byte) (PairingRequest, error) {
	if len(b) > 8<<10 { // a passkey at its limits takes 4.5 KiB
		return PairingRequest{}, fmt.Errorf("%w: pairing of %d bytes, at most 8192", ErrMalformed, len(b))
	}
	var r PairingRequest
	if err := unmarshal(b, &r, nil); err != nil {
		return PairingRequest{}, err
	}
	return r, r.check()
}

func (r PairingRequest) check() error {
	if err := named("household", r.Household); err != nil {
		return err
	}
	if len(r.Proof) != sha256.Size {
		return fmt.Errorf("%w: a pairing proof has 32 bytes, not %d", ErrMalformed, len(r.Proof))
	}
	return r.Passkey.check()
}

// Check takes a request once: the first right proof ends the code, a wrong one does not (130 bits are not guessed, and
// ending it would let anybody on the bus keep a hub from being paired). The comparison takes the same time for every wrong proof. A nil Pairing
// refuses everything.
func (p *Pairing) Check(r PairingRequest) error {
	if p == nil || p.code == "" {
		return ErrPairingUsed
	}
	if err := r.check(); err != nil {
		return err
	}
	want := PairingProof(p.code, r.Passkey, r.Household, p.hub)
	if subtle.ConstantTimeCompare(want, r.Proof) != 1 {
		return ErrPairingWrong
	}
	p.code = ""
	return nil
}

// PairingProof is HMAC-SHA-256 by the code over the passkey, the household and the hub. The code may be typed in small
// letters, with or without dashes and blanks.
func PairingProof(code string, pk Passkey, household, hub string) []byte {
	m := hmac.New(sha256.New, []byte(normalCode(code)))
	m.Write([]byte("eyebolt pairing v1\n"))
	for _, part := range [][]byte{pk.ID, pk.Key, []byte(pk.Who), []byte(household), []byte(hub)} {
		m.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		m.Write(part)
	}
	return m.Sum(nil)
}

// Fingerprint is a passkey's short name for comparing by eye: 16 hex digits in groups. 64 bits: enough against a chance
// likeness and, within one pairing's minutes, against a searched one.
func Fingerprint(pk Passkey) string {
	sum := sha256.Sum256(append([]byte("eyebolt passkey v1\n"), pk.Key...))
	s := hex.EncodeToString(sum[:8])
	return s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]
}

func normalCode(code string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r == '-' || r == ' ':
			return -1
		case r == '0': // not in the alphabet; people read O as 0 and I as 1
			return 'O'
		case r == '1':
			return 'I'
		}
		return r
	}, code)
}
