package signed

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

var errAttest = errors.New("the secure element's attestation of the camera's key is not good")

// What the secure element signs of every camera alike: the key's object, its policy and the constants of the request, as Axis's
// framework states them (sv_axis_communications.c). They are values of the format.
var (
	attestAttributes = mustHex("7b00020129010000" + "7b0000030000087b" + "0000031f3c000008" + "0000000000200000" + "0200000000")
	attestRequest    = mustHex("80220000000021" + "4104" + "7b000201" + "4504" + "f0000012" + "4601" + "21" + "4710" + "92bbedfb9882ac16c7f01ae459059604")
)

// attestChip stands before the chip's identity in the certificate's common name.
const attestChip = "Axis Edge Vault Attestation "

// attested checks the report (header 2 bytes, version 2, object 4, number of attestations 1, time 12, signature 2 and its bytes) by which a camera's secure element vouches that key was made in it and does not leave it. leaf is the
// element's own certificate.
func attested(key crypto.PublicKey, report []byte, leaf *x509.Certificate) error {
	f := field{b: report}
	f.take(2 + 2)
	f.take(4)
	if n := f.byte(); n != 1 {
		return fmt.Errorf("%w: it has %d parts", errAttest, n)
	}
	when := f.take(12)
	signature := f.take(int(f.uint(2)))
	if err := f.done("attestation"); err != nil {
		return err
	}
	own, ok := key.(*ecdsa.PublicKey)
	if !ok || own.Curve != elliptic.P256() {
		return fmt.Errorf("%w: the key is not of P-256", errAttest)
	}
	point, err := own.ECDH()
	if err != nil {
		return fmt.Errorf("%w: %w", errAttest, err)
	}
	by, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return fmt.Errorf("%w: the element's key is no ECDSA key", errAttest)
	}
	_, name, ok := strings.Cut(leaf.Subject.CommonName, attestChip)
	chip, err := hex.DecodeString(name)
	if !ok || err != nil || len(chip) != 18 {
		return fmt.Errorf("%w: %q names no chip", errAttest, leaf.Subject.CommonName)
	}
	request := sha256.Sum256(attestRequest)
	b := append([]byte(nil), request[:]...)
	for _, part := range []struct {
		tag   byte
		value []byte
	}{{0x41, point.Bytes()}, {0x42, chip}, {0x43, attestAttributes}, {0x44, []byte{0x00, 0x20}}, {0x4f, when}} {
		b = append(b, part.tag, 0x82, byte(len(part.value)>>8), byte(len(part.value)))
		b = append(b, part.value...)
	}
	h := sha256.Sum256(b)
	if !ecdsa.VerifyASN1(by, h[:], signature) {
		return errAttest
	}
	return nil
}

func mustHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}
