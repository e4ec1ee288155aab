package signed

import (
	"bytes"
	"fmt"
	"time"
)

// readONVIF reads the tags of ONVIF Media Signing (26.06, section "SEI format"): a tag byte, a length of two, a value. It
// returns where the signature's tag begins. The signature is the last tag; unknown tags are skipped: they are signed too.
func (m *message) readONVIF(body []byte) (sigAt int, err error) {
	f := field{b: body}
	tags := 0
	for len(f.b) > 0 {
		at := len(body) - len(f.b)
		tag := f.byte()
		v := field{b: f.take(int(f.uint(2)))}
		if f.short {
			return 0, errShort
		}
		tags++
		switch tag {
		case 1:
			err = m.readGeneral(&v)
		case 2:
			err = m.readList(&v)
		case 3:
			if len(f.b) > 0 {
				return 0, fmt.Errorf("%d bytes follow the signature", len(f.b))
			}
			m.said, sigAt = true, at
			err = readVersion(&v, "signature", 1, 1)
			if err == nil {
				m.signature = v.take(int(v.uint(2)))
				v.b = nil // the space that was kept for a longer one
				err = v.done("signature")
			}
		case 4:
			err = m.readCrypto(&v, true)
		case 6:
			if err = readVersion(&v, "certificates", 1, 1); err == nil {
				if len(m.chains) == 2 {
					return 0, fmt.Errorf("certificates: more than two chains")
				}
				m.chains = append(m.chains, chain{user: v.byte() != 0, pem: v.b})
				v.b = nil
				err = v.done("certificates")
			}
		case 7:
			m.arbitrary = true
		}
		if err != nil {
			return 0, err
		}
	}
	switch {
	case m.arbitrary && (tags > 1 || m.said):
		return 0, fmt.Errorf("a vendor's data lie beside other tags")
	case m.certificate && (!m.said || len(m.chains) == 0 || m.general):
		return 0, fmt.Errorf("a certificate's SEI has no certificate or no signature, or vouches for pictures")
	case !m.certificate && !m.arbitrary && !m.general:
		return 0, fmt.Errorf("it vouches for nothing")
	}
	return sigAt, nil
}

// An order is how a camera writes its times and its counter: little-endian by the specification's text, big-endian in its
// reference implementation and in every stream that is known.
type order uint8

const (
	anyOrder order = iota // not known yet: what makes the start a date of ours, else big-endian
	bigEndian
	littleEndian
)

// uptimeMost is the largest count of 100 ns that is taken for a camera's uptime: 325 days.
const uptimeMost = 1 << 48

// readGeneral reads the GOP's tag.
func (m *message) readGeneral(v *field) error {
	if m.general {
		return fmt.Errorf("the GOP is described twice")
	}
	version := v.byte()
	if version < 1 || version > 2 {
		return fmt.Errorf("the GOP's description is of version %d: this hub knows 1 and 2", version)
	}
	v.take(3)
	m.partial = v.byte() != 0
	start, end := v.uint(8), uint64(0)
	if version >= 2 {
		end = v.uint(8)
	}
	counter := v.uint(4)
	m.count = int(v.uint(2))
	if m.order == anyOrder && !date(fileTime(start)) && date(fileTime(swap(start, 8))) && start >= uptimeMost {
		m.order = littleEndian
	}
	if m.order == littleEndian {
		start, end, counter = swap(start, 8), swap(end, 8), swap(counter, 4)
	}
	m.counter = uint32(counter)
	m.start, m.end = claimed(fileTime(start)), claimed(fileTime(end))
	m.gop = v.take(len(v.b) / 2)
	m.link = v.take(len(v.b))
	m.general = true
	if len(m.gop) != len(m.link) || !sumSize(len(m.gop)) {
		return fmt.Errorf("the GOP's hashes have %d and %d bytes", len(m.gop), len(m.link))
	}
	return v.done("GOP")
}

func (m *message) readList(v *field) error {
	if m.list != nil {
		return fmt.Errorf("there are two lists of hashes")
	}
	if err := readVersion(v, "list of hashes", 1, 1); err != nil {
		return err
	}
	m.list = v.b
	v.b = nil
	return v.done("list of hashes")
}

// readCrypto reads the algorithms. A signing algorithm that is not said is the certificate's own.
func (m *message) readCrypto(v *field, signing bool) error {
	if err := readVersion(v, "algorithms", 1, 1); err != nil {
		return err
	}
	oid := v.take(int(v.byte()))
	if v.short {
		return v.done("algorithms")
	}
	d, ok := digestOf(oid)
	if !ok {
		return fmt.Errorf("it is hashed by %x, which this hub does not know", oid)
	}
	m.digest, m.knows = d, true
	if signing {
		oid = v.take(int(v.byte()))
		v.take(2)
		// RFC 8017, appendix C: id-RSASSA-PSS is 1.10, the PKCS #1 v1.5 signatures are 1.11 to 1.13.
		if n := len(oid); bytes.Contains(oid, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1}) {
			m.pss, m.pkcs = oid[n-1] == 10, oid[n-1] >= 11 && oid[n-1] <= 13
		}
	}
	return v.done("algorithms")
}

func readVersion(v *field, what string, least, most byte) error {
	if b := v.byte(); v.short || b < least || b > most {
		return fmt.Errorf("%s: version %d is not known to this hub", what, b)
	}
	return nil
}

func sumSize(n int) bool {
	return n == sha2_256.size() || n == sha2_384.size() || n == sha2_512.size()
}

// fileTime is 100 ns since 1601 in UTC, as the specification counts.
func fileTime(v uint64) time.Time {
	return time.Unix(int64(v/1e7)-11_644_473_600, int64(v%1e7)*100).UTC()
}

// date says whether t may be a date at which a camera filmed, rather than a count since it was switched on.
func date(t time.Time) bool { return t.Year() >= 2000 && t.Year() < 2200 }

func claimed(t time.Time) time.Time {
	if date(t) {
		return t
	}
	return time.Time{}
}
