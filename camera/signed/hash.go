package signed

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
)

// digest is how a stream's NAL units are hashed.
type digest uint8

const (
	sha2_256 digest = iota
	sha2_384
	sha2_512
)

// sumMost is the longest hash in bytes.
const sumMost = sha512.Size

// sum is a hash; its first digest.size bytes count.
type sum [sumMost]byte

func (d digest) size() int {
	switch d {
	case sha2_384:
		return sha512.Size384
	case sha2_512:
		return sha512.Size
	default:
		return sha256.Size
	}
}

func (d digest) hash() crypto.Hash {
	switch d {
	case sha2_384:
		return crypto.SHA384
	case sha2_512:
		return crypto.SHA512
	default:
		return crypto.SHA256
	}
}

func (d digest) of(b []byte) (s sum) {
	switch d {
	case sha2_384:
		h := sha512.Sum384(b)
		copy(s[:], h[:])
	case sha2_512:
		s = sha512.Sum512(b)
	default:
		h := sha256.Sum256(b)
		copy(s[:], h[:])
	}
	return s
}

// linked is the hash of a NAL unit whose plain hash is s, in the GOP that anchor begins: H(anchor, s).
func (d digest) linked(anchor, s *sum) sum {
	var both [2 * sumMost]byte
	n := d.size()
	copy(both[:n], anchor[:n])
	copy(both[n:], s[:n])
	return d.of(both[:2*n])
}

// digestOf knows a hash algorithm by its serialised OID (NIST CSOR: 2.16.840.1.101.3.4.2), with or without the DER header
// that the specification's text leaves out and its reference implementation writes.
func digestOf(oid []byte) (digest, bool) {
	if len(oid) >= 2 && oid[0] == 6 && int(oid[1]) == len(oid)-2 {
		oid = oid[2:]
	}
	rest, ok := bytes.CutPrefix(oid, []byte{0x60, 0x86, 0x48, 1, 101, 3, 4, 2})
	if !ok || len(rest) != 1 {
		return 0, false
	}
	switch rest[0] {
	case 1:
		return sha2_256, true
	case 2:
		return sha2_384, true
	case 3:
		return sha2_512, true
	default:
		return 0, false
	}
}
