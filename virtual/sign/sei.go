package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/binary"
	"time"

	"eyebolt/camera"
)

var uuid = []byte{0x00, 0x5b, 0xc9, 0x3f, 0x2d, 0x71, 0x5e, 0x95, 0xad, 0xa4, 0x79, 0x6f, 0x90, 0x87, 0x7a, 0x6f}

// The tags of a message.
const (
	tagGOP = iota + 1
	tagList
	tagSignature
	tagCrypto
	tagVendor
	tagChain
)

// The reserved byte's flags.
const (
	flagCertificate = 0x80
	flagEscaped     = 0x40
)

// message is the SEI of the GOP, or part, that ends with the picture taken at at.
func (s *Signer) message(partial, signed bool, at time.Time) ([]byte, error) {
	var body []byte
	if !s.cfg.CertificateSEI {
		body = append(body, s.about()...)
	}
	gop := []byte{byte(s.cfg.Version), 26, 6, 0, 0}
	if partial {
		gop[4] = 1
	}
	gop = s.put64(gop, s.ticks(s.start))
	if s.cfg.Version >= 2 {
		gop = s.put64(gop, s.ticks(at))
	}
	if s.cfg.LittleEndian {
		gop = binary.LittleEndian.AppendUint32(gop, s.counter)
	} else {
		gop = binary.BigEndian.AppendUint32(gop, s.counter)
	}
	if !s.ending || !s.cfg.StaleEnd || s.stated == nil {
		s.stated = append(binary.BigEndian.AppendUint16(nil, uint16(len(s.hashes))), s.sum(s.hashes...)...)
	}
	gop = append(gop, s.stated...)
	if s.previous == nil {
		s.previous = make([]byte, s.cfg.Hash.Size())
	}
	gop = append(gop, s.previous...)
	body = append(body, tag(tagGOP, gop)...)
	if !s.cfg.LowBitrate {
		list := []byte{1}
		for _, h := range s.hashes {
			list = append(list, h...)
		}
		if len(list) <= 0xffff {
			body = append(body, tag(tagList, list)...)
		}
	}
	s.counter++
	s.previous = s.hashes[0]
	return s.seal(0, body, signed)
}

// certificate is the SEI that carries the certificates alone.
func (s *Signer) certificate() ([]byte, error) { return s.seal(flagCertificate, s.about(), true) }

// about are the tags that are the same in every message.
func (s *Signer) about() []byte {
	oid := map[crypto.Hash]byte{crypto.SHA256: 1, crypto.SHA384: 2, crypto.SHA512: 3}[s.cfg.Hash]
	algorithms := []byte{1, 11, 6, 9, 0x60, 0x86, 0x48, 1, 101, 3, 4, 2, oid}
	if key, ok := s.cfg.Key.Public().(*rsa.PublicKey); ok {
		kind := byte(10) // id-RSASSA-PSS
		if s.cfg.PKCS1 {
			kind = 10 + oid // sha256WithRSAEncryption and its sisters
		}
		algorithms = append(algorithms, 11, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, kind)
		algorithms = binary.BigEndian.AppendUint16(algorithms, uint16(key.N.BitLen()))
	} else {
		algorithms = append(algorithms, 0, 0, 0)
	}
	vendor := []byte{1}
	for _, v := range []string{"1.0", "0", "Eyebolt's pretend camera"} {
		vendor = append(append(vendor, byte(len(v))), v...)
	}
	out := append(tag(tagCrypto, algorithms), tag(tagVendor, vendor)...)
	return append(out, tag(tagChain, append([]byte{1, 0}, s.cfg.Chain...))...)
}

// seal makes the NAL unit of a body, and signs it.
func (s *Signer) seal(flags byte, body []byte, signed bool) ([]byte, error) {
	if s.cfg.Escaped {
		flags |= flagEscaped
	}
	room := 0
	if signed {
		room = s.room()
	}
	size := len(uuid) + 1 + len(body)
	if signed {
		size += 3 + 3 + room
	}
	n := []byte{0x06, 0x05}
	if s.cfg.Codec == camera.H265 {
		n = []byte{0x4e, 0x01, 0x05}
	}
	for left := size; ; left -= 0xff {
		if left < 0xff {
			n = append(n, byte(left))
			break
		}
		n = append(n, 0xff)
	}
	n = append(append(append(n, uuid...), flags), body...)
	if signed {
		doc := n
		if s.cfg.Escaped {
			doc = escape(n)
		}
		b, err := s.sign(doc)
		if err != nil {
			return nil, err
		}
		value := binary.BigEndian.AppendUint16([]byte{1}, uint16(len(b)))
		value = append(value, b...)
		for len(value) < 3+room {
			value = append(value, 1) // never escaped
		}
		n = append(n, tag(tagSignature, value)...)
	}
	n = append(n, 0x80)
	if s.cfg.Raw {
		return n, nil
	}
	return escape(n), nil
}

// room is the longest signature of the key.
func (s *Signer) room() int {
	switch key := s.cfg.Key.Public().(type) {
	case *rsa.PublicKey:
		return key.Size()
	case *ecdsa.PublicKey:
		return 2*((key.Curve.Params().BitSize+7)/8) + 8 // two integers with a sign byte each, and their DER headers
	default:
		return 0
	}
}

func tag(t byte, value []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{t}, uint16(len(value))), value...)
}

// ticks counts 100 ns since 1601.
func (s *Signer) ticks(t time.Time) uint64 {
	if s.cfg.Untimed {
		return uint64(t.Sub(s.began) / 100)
	}
	return uint64(t.Unix()+11_644_473_600)*1e7 + uint64(t.Nanosecond()/100)
}

func (s *Signer) put64(b []byte, v uint64) []byte {
	if s.cfg.LittleEndian {
		return binary.LittleEndian.AppendUint64(b, v)
	}
	return binary.BigEndian.AppendUint64(b, v)
}

// escape puts emulation prevention in (H.264 section 7.4.1).
func escape(n []byte) []byte {
	out := make([]byte, 0, len(n)+len(n)/64+1)
	zeros := 0
	for _, c := range n {
		if zeros == 2 && c <= 3 {
			out = append(out, 3)
			zeros = 0
		}
		out = append(out, c)
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	return out
}

// strip takes it out again.
func strip(n []byte) []byte {
	out := make([]byte, 0, len(n))
	zeros := 0
	for _, c := range n {
		if zeros == 2 && c == 3 {
			zeros = 0
			continue
		}
		out = append(out, c)
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	return out
}
