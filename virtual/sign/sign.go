// Package sign signs the pretend camera's pictures as ONVIF Media Signing (specification 26.06) says, so that every kind of signature
// that a camera may send exists: with certificates in each or in a SEI of their own, of whole and of partial GOPs, ECDSA and RSA,
// with and without the list of hashes, late, or only every few GOPs.
package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha512" // crypto.SHA384 and crypto.SHA512
	"errors"
	"fmt"
	"time"

	"eyebolt/camera"
)

// Config is how a camera signs.
type Config struct {
	Codec camera.Codec
	Key   crypto.Signer // ECDSA or RSA
	Chain []byte        // certificates of Key in PEM, leaf first, without the root

	Version        int         // of the GOP's tag: 1 without, 2 (default) with the end's time
	LowBitrate     bool        // no list of hashes
	Escaped        bool        // the signature is over the SEI with its emulation prevention (flag 0x40)
	Raw            bool        // no emulation prevention at all, as the reference implementation writes; no decoder may get to see it
	CertificateSEI bool        // certificates come once, in a SEI of their own; see Ask
	Pictures       int         // a GOP is signed in parts of so many pictures; 0: whole
	Every          int         // only every so manieth GOP's message is signed. Default 1
	Delay          int         // how many pictures later a signature comes
	LittleEndian   bool        // times and counter by the letter of the specification
	PKCS1          bool        // RSA is padded by PKCS #1 v1.5, not by PSS
	Hash           crypto.Hash // default SHA-256
	Counter        uint32      // of the first GOP. Default 1
	StaleEnd       bool        // End states the count and the hash of the GOP before, as the reference implementation does
	Untimed        bool        // times count from the first picture, not from a date
}

// Signer signs one stream. It belongs to one goroutine.
type Signer struct {
	cfg     Config
	ask     bool
	picture int // of those given
	began   time.Time

	open     bool // a GOP is under way
	parts    int  // pictures of the part under way
	gops     int  // since the last that was signed
	counter  uint32
	anchor   []byte
	hashes   [][]byte
	previous []byte // the hash of the first NAL unit of the part before
	start    time.Time
	stated   []byte // count and hash of the newest message
	ending   bool

	queue []waiting
}

// waiting is a SEI that is not in the stream yet.
type waiting struct {
	nal    []byte
	signed bool
	due    int // the picture that may carry it
}

// New starts a signer.
func New(cfg Config) (*Signer, error) {
	if cfg.Codec != camera.H264 && cfg.Codec != camera.H265 {
		return nil, errors.New("sign: the codec must be H.264 or H.265")
	}
	if cfg.Key == nil || len(cfg.Chain) == 0 {
		return nil, errors.New("sign: a key and its certificates are needed")
	}
	switch cfg.Key.Public().(type) {
	case *ecdsa.PublicKey, *rsa.PublicKey:
	default:
		return nil, fmt.Errorf("sign: a %T cannot sign: use ECDSA or RSA", cfg.Key)
	}
	if cfg.Version == 0 {
		cfg.Version = 2
	}
	if cfg.Hash == 0 {
		cfg.Hash = crypto.SHA256
	}
	cfg.Every = max(cfg.Every, 1)
	cfg.Counter = max(cfg.Counter, 1)
	return &Signer{cfg: cfg, ask: cfg.CertificateSEI, counter: cfg.Counter}, nil
}

// Ask has the certificates sent again with the next picture: what a camera does when it is asked for a synchronisation point.
func (s *Signer) Ask() { s.ask = s.cfg.CertificateSEI }

// Picture takes a coded picture and returns it with the SEI that are due, in front of its first slice. at is when it was taken.
func (s *Signer) Picture(nals [][]byte, at time.Time) ([][]byte, error) {
	if s.picture == 0 {
		s.began = at
	}
	if s.ask {
		b, err := s.certificate()
		if err != nil {
			return nil, err
		}
		s.ask = false
		s.queue = append([]waiting{{nal: b, signed: true, due: s.picture}}, s.queue...)
	}
	var out [][]byte
	first := true
	for _, n := range nals {
		slice, key := s.look(n)
		if slice && first {
			first = false
			if err := s.trigger(key, at); err != nil {
				return nil, err
			}
			out = append(out, s.due()...)
			s.parts++
		}
		if slice {
			s.hash(n, key && s.open && s.anchor == nil)
		}
		out = append(out, n)
	}
	s.picture++
	return out, nil
}

// End signs what is left, for a recording's end: a SEI that stands in a picture of its own.
func (s *Signer) End(at time.Time) ([][]byte, error) {
	if s.open && len(s.hashes) > 0 {
		s.ending = true
		b, err := s.message(false, true, at)
		if err != nil {
			return nil, err
		}
		s.queue = append(s.queue, waiting{nal: b, signed: true})
	}
	var out [][]byte
	for _, w := range s.queue {
		out = append(out, w.nal)
	}
	s.queue, s.open, s.ending = nil, false, false
	return out, nil
}

// trigger ends the GOP, or its part, that the picture about to come is not of.
func (s *Signer) trigger(key bool, at time.Time) error {
	partial := !key && s.cfg.Pictures > 0 && s.parts >= s.cfg.Pictures
	if !key && !partial || !s.open && !key {
		return nil
	}
	if s.open {
		s.gops++
		signed := partial || s.gops >= s.cfg.Every
		if signed {
			s.gops = 0
		}
		b, err := s.message(partial, signed, at)
		if err != nil {
			return err
		}
		due := s.picture + s.cfg.Delay
		if !signed {
			due = s.picture + 1 // its hash is one of the GOP's that begins
		}
		s.queue = append(s.queue, waiting{nal: b, signed: signed, due: due})
	}
	s.open, s.parts, s.hashes, s.start = true, 0, nil, at
	if key {
		s.anchor = nil
	}
	return nil
}

// due takes what may stand in front of this picture's slices, in the order in which it was made.
func (s *Signer) due() (out [][]byte) {
	for len(s.queue) > 0 && s.queue[0].due <= s.picture {
		w := s.queue[0]
		s.queue = s.queue[1:]
		out = append(out, w.nal)
		if !w.signed && s.open {
			doc := w.nal
			if !s.cfg.Escaped && !s.cfg.Raw {
				doc = strip(doc)
			}
			s.hashes = append(s.hashes, s.sum(doc))
		}
	}
	return out
}

func (s *Signer) sum(parts ...[]byte) []byte {
	h := s.cfg.Hash.New()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// hash takes a slice. Trailing zeros are not the camera's.
func (s *Signer) hash(n []byte, anchor bool) {
	if !s.open {
		return
	}
	for len(n) > 0 && n[len(n)-1] == 0 {
		n = n[:len(n)-1]
	}
	h := s.sum(n)
	if anchor {
		s.anchor = h
	} else {
		h = s.sum(s.anchor, h)
	}
	s.hashes = append(s.hashes, h)
}

// look tells a slice, and whether it begins a GOP.
func (s *Signer) look(n []byte) (slice, key bool) {
	if s.cfg.Codec == camera.H265 {
		if len(n) < 3 {
			return false, false
		}
		t := n[0] >> 1 & 63
		return t < 32, t >= 16 && t <= 23 && n[2]>>7 == 1
	}
	if len(n) < 2 {
		return false, false
	}
	t := n[0] & 31
	return t >= 1 && t <= 5, t == 5 && n[1]>>7 == 1
}

// sign makes the signature of a document.
func (s *Signer) sign(doc []byte) ([]byte, error) {
	var opts crypto.SignerOpts = s.cfg.Hash
	if _, ok := s.cfg.Key.Public().(*rsa.PublicKey); ok && !s.cfg.PKCS1 {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: s.cfg.Hash}
	}
	b, err := s.cfg.Key.Sign(rand.Reader, s.sum(doc), opts)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return b, nil
}
