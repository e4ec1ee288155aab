package signed

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

const (
	// chainMost is how many certificates a chain may have; a camera's has two or three.
	chainMost = 8
	// rsaMost is how many bits an RSA key may have: a larger one costs more to check than it is worth.
	rsaMost = 8192
)

var (
	errNoKey     = errors.New("no certificate has come yet")
	errSignature = errors.New("the signature is not good")
)

// signer is a key that a camera signs with, and why it is believed.
type signer struct {
	key     crypto.PublicKey
	id      [32]byte // SHA-256 of its SubjectPublicKeyInfo
	subject string
	trust   Trust
}

// keyring is the keys that this camera's signatures are checked with. The first one that is believed is kept for good.
type keyring struct {
	roots  *x509.CertPool
	pinned [32]byte
	pin    bool

	known []signer // at most two: the manufacturer's and the owner's
	last  [32]byte // of the newest chains, so that the same ones are not read again and again …
	when  time.Time
	err   error // … and what was wrong with them at when
}

// rereadAfter is how long chains are taken to be what they were: one may expire, and a hub's clock may have been wrong.
const rereadAfter = time.Minute

// learn takes the certificates or the key of a message, and returns the keys that may sign for this camera. at is when they must be
// valid. They are believed only as far as Trust says; that a message is signed with one is checked by verify.
func (k *keyring) learn(m *message, at time.Time) ([]signer, error) {
	if len(m.chains) == 0 && m.key == nil {
		if len(k.known) == 0 {
			return nil, errNoKey
		}
		return k.known, nil
	}
	h := sha256.New()
	for _, c := range m.chains {
		h.Write([]byte{byte(len(c.pem)), byte(len(c.pem) >> 8)})
		h.Write(c.pem)
	}
	h.Write(m.key)
	h.Write(m.attest)
	now := [32]byte(h.Sum(nil))
	if now == k.last && at.Sub(k.when).Abs() < rereadAfter && (k.err != nil || len(k.known) > 0) {
		return k.known, k.err
	}
	found, err := k.read(m, at)
	if err == nil {
		found, err = k.admit(found)
	}
	k.last, k.when, k.err = now, at, err
	if err != nil {
		return nil, err
	}
	return found, nil
}

// own are the keys of a certificate's message, one of which must have signed it. Nothing is said of whether they are this camera's.
func (m *message) own() (all []signer) {
	var open keyring
	for _, c := range m.chains {
		if s, _, err := open.chain(c.pem, time.Time{}); err == nil {
			all = append(all, s)
		}
	}
	if m.key != nil {
		if s, err := publicKey(m.key); err == nil {
			all = append(all, s)
		}
	}
	return all
}

// keep remembers the keys for good: one of them has made a good signature.
func (k *keyring) keep(s []signer) {
	if len(k.known) == 0 {
		k.known = append(k.known, s...)
	}
}

// read reads a message's keys: those of its chains that lead to a root, and the one that stands alone.
func (k *keyring) read(m *message, at time.Time) (found []signer, err error) {
	for _, c := range m.chains {
		s, leaf, e := k.chain(c.pem, at)
		if e == nil && len(m.attest) > 0 {
			var key signer
			if key, e = publicKey(m.key); e == nil {
				e = attested(key.key, m.attest, leaf)
			}
			key.subject, key.trust = s.subject, s.trust
			s = key
		}
		if e != nil {
			err = e
			continue
		}
		found = append(found, s)
	}
	if len(m.chains) == 0 {
		var s signer
		if s, err = publicKey(m.key); err == nil {
			found = append(found, s)
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	return nil, err
}

// admit leaves the keys that may sign for this camera.
func (k *keyring) admit(found []signer) (good []signer, err error) {
	for _, s := range found {
		switch {
		case k.pin && s.id != k.pinned:
			err = fmt.Errorf("the key of %s is %x…, the configured one is %x…: if the camera was exchanged, configure the new one; if not, somebody is between", s.subject, s.id[:6], k.pinned[:6])
		case k.roots != nil && s.trust != ByRoot:
			err = fmt.Errorf("the key %x… has no certificate of the configured authority", s.id[:6])
		case len(k.known) > 0 && !k.has(s.id):
			err = fmt.Errorf("the key changed from %x… (%s) to %x… (%s): if the camera was exchanged, configure it anew; if not, somebody is between", k.known[0].id[:6], k.known[0].subject, s.id[:6], s.subject)
		default:
			if k.pin {
				s.trust = ByKey
			}
			good = append(good, s)
		}
	}
	if len(good) > 0 {
		return good, nil
	}
	return nil, err
}

func (k *keyring) has(id [32]byte) bool {
	for i := range k.known {
		if k.known[i].id == id {
			return true
		}
	}
	return false
}

// chain reads a certificate chain, leaf first, and checks it against the roots, if there are any.
func (k *keyring) chain(b []byte, at time.Time) (signer, *x509.Certificate, error) {
	var leaf *x509.Certificate
	between := x509.NewCertPool()
	for n := 0; ; n++ {
		var block *pem.Block
		block, b = pem.Decode(b)
		if block == nil {
			break
		}
		if n == chainMost {
			return signer{}, nil, fmt.Errorf("its chain has more than %d certificates", chainMost)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return signer{}, nil, fmt.Errorf("its certificate cannot be read: %w", err)
		}
		if leaf == nil {
			leaf = c
		} else {
			between.AddCert(c)
		}
	}
	if leaf == nil {
		return signer{}, nil, errors.New("its chain has no certificate")
	}
	s, err := newSigner(leaf.PublicKey, leaf.RawSubjectPublicKeyInfo)
	if err != nil {
		return signer{}, nil, err
	}
	s.subject = leaf.Subject.String()
	if k.roots != nil {
		if at.IsZero() {
			at = leaf.NotBefore
		}
		_, err := leaf.Verify(x509.VerifyOptions{Roots: k.roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		if err != nil {
			return signer{}, nil, fmt.Errorf("its certificate (%s) is not of the configured authority: %w", s.subject, err)
		}
		s.trust = ByRoot
	}
	return s, leaf, nil
}

// publicKey reads a key that stands alone, in PEM.
func publicKey(b []byte) (signer, error) {
	block, _ := pem.Decode(b)
	if block == nil {
		return signer{}, errors.New("its key cannot be read: no PEM")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return signer{}, fmt.Errorf("its key cannot be read: %w", err)
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return signer{}, fmt.Errorf("its key cannot be read: %w", err)
	}
	return newSigner(key, der)
}

func newSigner(key crypto.PublicKey, der []byte) (signer, error) {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
	case *rsa.PublicKey:
		if key.N.BitLen() > rsaMost {
			return signer{}, fmt.Errorf("its RSA key has %d bits, more than %d", key.N.BitLen(), rsaMost)
		}
	case ed25519.PublicKey:
	default:
		return signer{}, fmt.Errorf("its key is a %T, which this hub does not know", key)
	}
	id := sha256.Sum256(der)
	return signer{key: key, id: id, subject: fmt.Sprintf("key %x", id[:6]), trust: OnFirstUse}, nil
}

// verify checks the signature over the document's hash and returns whose it is.
func (m *message) verify(with []signer, d digest) (signer, error) {
	if len(m.signature) == 0 {
		return signer{}, errSignature
	}
	h := d.of(m.doc)
	for _, s := range with {
		if m.good(s.key, d, h[:d.size()]) {
			return s, nil
		}
	}
	return signer{}, errSignature
}

func (m *message) good(key crypto.PublicKey, d digest, h []byte) bool {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, h, m.signature)
	case *rsa.PublicKey:
		// The ONVIF implementation pads with PSS, Axis's with PKCS #1 v1.5; a stream may say which.
		return !m.pkcs && rsa.VerifyPSS(key, d.hash(), h, m.signature, nil) == nil ||
			!m.pss && rsa.VerifyPKCS1v15(key, d.hash(), h, m.signature) == nil
	case ed25519.PublicKey:
		return ed25519.Verify(key, h, m.signature)
	default:
		return false
	}
}

// same says whether two documents are one, sent twice.
func same(a, b *sum, d digest) bool { return bytes.Equal(a[:d.size()], b[:d.size()]) }
