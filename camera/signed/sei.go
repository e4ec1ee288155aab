package signed

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"eyebolt/camera"
)

// seiMost is how large a signature's NAL unit may be. Each of its parts holds at most 64 KiB, and a stream needs one list of
// hashes and one or two chains of certificates in it.
const seiMost = 256 << 10

// message is what one of a signer's SEI NAL units says. Its slices point into the NAL unit, or into a copy made of it.
type message struct {
	scheme      Scheme
	certificate bool // it carries the signer's certificates and vouches for no picture
	general     bool // count, counter, gop, link and times are set
	legacy      bool // Axis before 2.1: no GOP hash, and the list ends with the next key picture
	partial     bool // the GOP goes on after the pictures that it vouches for
	arbitrary   bool // data of the vendor's
	counter     uint32
	count       int // NAL units that it vouches for
	gop, link   []byte
	list        []byte
	start, end  time.Time // claimed; zero: not said
	order       order

	digest    digest
	knows     bool // digest is said in it
	pss       bool // its RSA signature says that it is RSASSA-PSS
	pkcs      bool // … that it is RSASSA-PKCS1-v1_5
	chains    []chain
	key       []byte // Axis: the public key, in PEM
	attest    []byte // Axis: the attestation of key
	signature []byte

	doc  []byte // what is signed; without a signature, what is hashed
	said bool   // the NAL unit carries a signature
}

// chain is a signer's certificate chain, leaf first, in PEM.
type chain struct {
	user bool // the owner's, not the manufacturer's
	pem  []byte
}

var (
	errNotOurs = errors.New("no signature's SEI")
	errShort   = errors.New("it is cut short")
	errLong    = errors.New("it is too long")
)

var (
	uuidONVIF = []byte{0x00, 0x5b, 0xc9, 0x3f, 0x2d, 0x71, 0x5e, 0x95, 0xad, 0xa4, 0x79, 0x6f, 0x90, 0x87, 0x7a, 0x6f}
	uuidAxis  = []byte("Signed Video...0")
)

// parse reads a SEI NAL unit. errNotOurs says that it is none of a signer's; any other error, that it is one and broken: then
// the message holds its scheme alone.
func parse(c camera.Codec, n []byte, o order) (message, error) {
	m := message{order: o}
	n = trim(n)
	at := headerLen(c)
	// user_data_unregistered, H.264 section D.1.7, H.265 section D.2.7
	if len(n) <= at+1 || n[at] != 5 {
		return m, errNotOurs
	}
	at++
	size := 0
	for n[at] == 0xff {
		size += 255
		if at++; at == len(n) {
			return m, errNotOurs
		}
	}
	size += int(n[at])
	at++
	if len(n) < at+16 {
		return m, errNotOurs
	}
	// Neither identifier holds what would have been escaped.
	switch uuid := n[at : at+16]; {
	case bytes.Equal(uuid, uuidONVIF):
		m.scheme = ONVIF
	case bytes.Equal(uuid, uuidAxis):
		m.scheme = Axis
	default:
		return m, errNotOurs
	}
	if len(n) > seiMost {
		return message{scheme: m.scheme}, errLong
	}
	// The size counts no emulation prevention, so it tells whether there is any: some signers write none, and a 3 after
	// two zeros is theirs.
	plain := n
	switch escapes := len(n) - at - size - 1; {
	case escapes < 0:
		return message{scheme: m.scheme}, errShort
	case escapes > 0:
		plain = camera.Unescape(make([]byte, 0, len(n)), n)
	}
	if len(plain) != at+size+1 || plain[len(plain)-1] != 0x80 || size < 17 {
		return message{scheme: m.scheme}, fmt.Errorf("%d bytes are said and %d are there", size, len(plain)-at-1)
	}
	flags, body := plain[at+16], plain[at+17:at+size]
	var escaped bool // it was hashed with its emulation prevention
	var sigAt int
	var err error
	if m.scheme == ONVIF {
		m.certificate, escaped = flags&0x80 != 0, flags&0x40 != 0
		sigAt, err = m.readONVIF(body)
	} else {
		escaped, m.certificate, m.legacy = flags&0x80 != 0, flags&0x40 != 0, flags&0x70 == 0
		sigAt, err = m.readAxis(body)
	}
	if err != nil {
		return message{scheme: m.scheme}, err
	}
	end := len(plain)
	if m.said {
		end = at + 17 + sigAt
	}
	if escaped {
		m.doc = n[:camera.EscapedLen(n, end)]
	} else {
		m.doc = plain[:end]
	}
	return m, nil
}

// field reads big-endian fields off the front of a value; short says that more was asked for than is there.
type field struct {
	b     []byte
	short bool
}

func (f *field) take(n int) []byte {
	if n < 0 || n > len(f.b) {
		f.short = true
		f.b = nil
		return nil
	}
	v := f.b[:n:n]
	f.b = f.b[n:]
	return v
}

func (f *field) uint(n int) (v uint64) {
	for _, c := range f.take(n) {
		v = v<<8 | uint64(c)
	}
	return v
}

func (f *field) byte() byte { return byte(f.uint(1)) }

// done is nil if the value was read whole.
func (f *field) done(what string) error {
	switch {
	case f.short:
		return fmt.Errorf("%s: %w", what, errShort)
	case len(f.b) > 0:
		return fmt.Errorf("%s: %d bytes too many", what, len(f.b))
	default:
		return nil
	}
}

func swap(v uint64, n int) (w uint64) {
	for range n {
		w = w<<8 | v&0xff
		v >>= 8
	}
	return w
}
