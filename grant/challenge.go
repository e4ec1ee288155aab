package grant

import (
	"crypto/sha256"
	"encoding/binary"
)

// SlideChallenge is what the courier's passkey signs to open: it names the door, the visit and the nonce that the hub made
// after every check held (S2). The 32 bytes go to the browser as WebAuthn challenge.
func SlideChallenge(door, visit string, nonce []byte) []byte {
	return challenge("eyebolt slide v1\n", door, visit, nonce)
}

// OutChallenge is what the courier's passkey signs to say "I am out" (S19). It can never be taken for a slide.
func OutChallenge(door, visit string, nonce []byte) []byte {
	return challenge("eyebolt out v1\n", door, visit, nonce)
}

// challenge hashes a purpose and its parts, each with its length before it, so that no two lists of parts give the same
// bytes.
func challenge(purpose, door, visit string, nonce []byte) []byte {
	h := sha256.New()
	h.Write([]byte(purpose))
	for _, part := range [][]byte{[]byte(door), []byte(visit), nonce} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write(part)
	}
	return h.Sum(nil)
}
