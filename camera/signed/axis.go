package signed

import (
	"fmt"
	"time"
)

// readAxis reads the tags of Axis Signed Video, as its framework (AxisCommunications/signed-video-framework 2.3) writes and
// reads them. Lengths have one byte or two, by the tag, so that an unknown tag ends the reading. Before 2.1 a GOP's list ends
// with the key picture that follows it, and there is no hash of the GOP.
func (m *message) readAxis(body []byte) (sigAt int, err error) {
	f := field{b: body}
	for len(f.b) > 0 {
		at := len(body) - len(f.b)
		tag := f.byte()
		wide := 2
		if tag == 1 || tag == 7 {
			wide = 1
		}
		v := field{b: f.take(int(f.uint(wide)))}
		if f.short {
			return 0, errShort
		}
		switch tag {
		case 1:
			err = m.readAxisGeneral(&v)
		case 2:
			err = m.readAxisKey(&v)
		case 3, 6: // the product, and data without a meaning for us
		case 4:
			err = m.readList(&v)
		case 5:
			if len(f.b) > 0 {
				return 0, fmt.Errorf("%d bytes follow the signature", len(f.b))
			}
			m.said, sigAt = true, at
			err = m.readAxisSignature(&v)
		case 7:
			err = m.readCrypto(&v, false)
		case 129:
			err = m.readAxisChain(&v)
		default:
			return 0, fmt.Errorf("tag %d is not known to this hub", tag)
		}
		if err != nil {
			return 0, err
		}
	}
	switch {
	case m.certificate && (!m.said || m.general):
		return 0, fmt.Errorf("a key's SEI has no signature, or vouches for pictures")
	case !m.certificate && !m.general:
		return 0, fmt.Errorf("it vouches for nothing")
	case m.general && !m.legacy && m.gop == nil:
		return 0, fmt.Errorf("the GOP's hash is not in it")
	case m.legacy:
		m.gop, m.link = nil, nil
	}
	return sigAt, nil
}

func (m *message) readAxisGeneral(v *field) error {
	if m.general {
		return fmt.Errorf("the GOP is described twice")
	}
	version := v.byte()
	if version < 1 || version > 4 {
		return fmt.Errorf("the GOP's description is of version %d: this hub knows 1 to 4", version)
	}
	m.counter = uint32(v.uint(4))
	m.count = int(v.uint(2))
	v.take(3)
	if version >= 2 {
		flags := v.byte()
		m.partial = flags&2 != 0
		if flags&1 != 0 {
			m.start = claimed(time.UnixMicro(int64(v.uint(8))).UTC())
			if version >= 4 {
				m.end = claimed(time.UnixMicro(int64(v.uint(8))).UTC())
			}
		}
	}
	if version >= 3 {
		m.link = v.take(len(v.b) / 2)
		m.gop = v.take(len(v.b))
		if len(m.gop) != len(m.link) || !sumSize(len(m.gop)) {
			return fmt.Errorf("the GOP's hashes have %d and %d bytes", len(m.gop), len(m.link))
		}
	}
	m.general = true
	return v.done("GOP")
}

func (m *message) readAxisKey(v *field) error {
	version := v.byte()
	if version == 1 {
		v.byte() // an algorithm that the key itself tells
	}
	if version < 1 || version > 2 {
		return fmt.Errorf("key: version %d is not known to this hub", version)
	}
	m.key = v.b
	v.b = nil
	return v.done("key")
}

func (m *message) readAxisSignature(v *field) error {
	version, trouble := v.byte(), v.byte()
	if version == 1 {
		v.byte() // a kind of hash that was never used
	}
	if version < 1 || version > 2 {
		return fmt.Errorf("signature: version %d is not known to this hub", version)
	}
	if trouble != 0 {
		return fmt.Errorf("the camera reports trouble %d in making its signature", trouble)
	}
	m.signature = v.take(int(v.uint(2)))
	v.b = nil // the space that was kept for a longer one
	return v.done("signature")
}

// readAxisChain reads Axis's own tag: the attestation of the key and the chain that proves it, or, where the key was put into
// the camera in the factory, the key's own chain.
func (m *message) readAxisChain(v *field) error {
	if err := readVersion(v, "certificates", 1, 1); err != nil {
		return err
	}
	if m.chains != nil {
		return fmt.Errorf("certificates: more than one chain")
	}
	m.attest = v.take(int(v.byte()))
	m.chains = append(m.chains, chain{pem: v.b})
	v.b = nil
	return v.done("certificates")
}
