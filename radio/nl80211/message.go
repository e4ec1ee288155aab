package nl80211

import "encoding/binary"

const nlmsgHeader = 16

// messages calls each with every netlink message of one read (RFC 3549, section 2.3.2.1): its kind and what follows its header.
func messages(b []byte, each func(kind uint16, payload []byte) error) error {
	const header = nlmsgHeader
	for len(b) > 0 {
		if len(b) < header {
			return ErrMessage
		}
		n := uint64(binary.NativeEndian.Uint32(b))
		if n < header || n > uint64(len(b)) {
			return ErrMessage
		}
		if err := each(binary.NativeEndian.Uint16(b[4:]), b[header:n]); err != nil {
			return err
		}
		b = b[min((n+3)&^3, uint64(len(b))):]
	}
	return nil
}
