// Package nl80211 hears what Linux tells of its own Wi-Fi interfaces (nl80211 over generic netlink): forged frames that were
// dropped because the network protects its management frames, connections that ended, and beacons that stopped. It needs no
// privileges and sends nothing into the air.
package nl80211

import (
	"encoding/binary"
	"errors"

	"eyebolt/radio"
)

// Commands and attributes of nl80211 (Linux, include/uapi/linux/nl80211.h). They are numbers of a kernel interface: never renumbered.
const (
	cmdDeauthenticate = 39
	cmdDisassociate   = 40
	cmdDisconnect     = 48
	cmdNotifyCQM      = 64
	cmdUnprotDeauth   = 70
	cmdUnprotDisassoc = 71

	attrIfindex    = 3
	attrFrame      = 51
	attrReasonCode = 54
	attrCQM        = 94

	cqmBeaconLoss = 8
)

// ErrMessage tells that bytes are no message of nl80211.
var ErrMessage = errors.New("nl80211: a malformed message")

// event is one message that is of interest.
type event struct {
	command byte
	ifindex uint32
	frame   []byte // an IEEE 802.11 frame
	reason  uint16
	beacons bool // lost
}

// attributes calls each with every attribute of b (netlink's TLVs, in the machine's own byte order).
func attributes(b []byte, each func(kind uint16, value []byte) error) error {
	for len(b) > 0 {
		if len(b) < 4 {
			return ErrMessage
		}
		n := int(binary.NativeEndian.Uint16(b))
		kind := binary.NativeEndian.Uint16(b[2:]) &^ 0xc000 // nested and byte-order marks
		if n < 4 || n > len(b) {
			return ErrMessage
		}
		if err := each(kind, b[4:n]); err != nil {
			return err
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return nil
}

// parse reads a generic netlink message's payload: command, version, two bytes that say nothing, attributes.
func parse(b []byte) (e event, err error) {
	if len(b) < 4 {
		return e, ErrMessage
	}
	e.command = b[0]
	err = attributes(b[4:], func(kind uint16, v []byte) error {
		switch kind {
		case attrIfindex:
			if len(v) != 4 {
				return ErrMessage
			}
			e.ifindex = binary.NativeEndian.Uint32(v)
		case attrReasonCode:
			if len(v) != 2 {
				return ErrMessage
			}
			e.reason = binary.NativeEndian.Uint16(v)
		case attrFrame:
			e.frame = v
		case attrCQM:
			return attributes(v, func(kind uint16, _ []byte) error {
				e.beacons = e.beacons || kind == cqmBeaconLoss
				return nil
			})
		}
		return nil
	})
	return e, err
}

// sign is what an event says; false: nothing. Times and source are the caller's.
func (e event) sign() (s radio.Sign, ok bool) {
	s = radio.Sign{Count: 1, Reason: e.reason}
	switch e.command {
	case cmdUnprotDeauth, cmdUnprotDisassoc:
		s.Kind = radio.Unprotected
	case cmdDeauthenticate:
		s.Kind = radio.Deauthentication
	case cmdDisassociate:
		s.Kind = radio.Disassociation
	case cmdDisconnect:
		s.Kind = radio.Disconnected
	case cmdNotifyCQM:
		s.Kind = radio.BeaconLoss
		return s, e.beacons
	default:
		return s, false
	}
	if f := e.frame; len(f) >= 26 { // to, from, network, sequence, reason (IEEE 802.11-2020, 9.3.3.1)
		s.Protected = f[1]&0x40 != 0
		var to, from, network radio.Addr
		copy(to[:], f[4:])
		copy(from[:], f[10:])
		copy(network[:], f[16:])
		if !s.Protected {
			s.Reason = binary.LittleEndian.Uint16(f[24:])
		}
		if s.Station = to; from != network {
			s.Station = from
		}
		if s.Station[0]&1 == 1 {
			s.Station = radio.Addr{}
		}
		// The machine's own interface says itself that it leaves; the kernel tells that with the same command.
		s.Leaving = s.Kind != radio.Unprotected && from != network
	}
	return s, true
}
