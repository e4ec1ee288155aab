package nl80211

import (
	"encoding/binary"
	"testing"

	"eyebolt/radio"
)

func attr(kind uint16, v ...byte) []byte {
	b := make([]byte, 4, 8+len(v))
	binary.NativeEndian.PutUint16(b, uint16(4+len(v)))
	binary.NativeEndian.PutUint16(b[2:], kind)
	b = append(b, v...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func u32(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }
func u16(v uint16) []byte { return binary.NativeEndian.AppendUint16(nil, v) }

func message(command byte, attrs ...[]byte) []byte {
	b := []byte{command, 1, 0, 0}
	for _, a := range attrs {
		b = append(b, a...)
	}
	return b
}

// mgmt is a deauthentication from the camera to its access point.
func mgmt(fc1 byte, fromCam bool) []byte {
	ap, cam := []byte{2, 0, 0, 0, 0, 0}, []byte{2, 0, 0, 0, 1, 0}
	to, from := cam, ap
	if fromCam {
		to, from = ap, cam
	}
	f := append([]byte{0xc0, fc1, 0, 0}, to...)
	f = append(append(f, from...), ap...)
	return append(f, 0, 0, 7, 0)
}

func TestEventsAreSigns(t *testing.T) {
	dev := attr(attrIfindex, u32(5)...)
	for _, k := range []struct {
		name string
		in   []byte
		want radio.Sign
		ok   bool
	}{
		{"a forged frame was dropped", message(cmdUnprotDeauth, dev, attr(attrFrame, mgmt(0, true)...)), radio.Sign{Kind: radio.Unprotected, Count: 1, Reason: 7, Station: radio.Addr{2, 0, 0, 0, 1, 0}}, true},
		{"a forged disassociation", message(cmdUnprotDisassoc, dev, attr(attrFrame, mgmt(0, false)...)), radio.Sign{Kind: radio.Unprotected, Count: 1, Reason: 7, Station: radio.Addr{2, 0, 0, 0, 1, 0}}, true},
		{"thrown off", message(cmdDeauthenticate, dev, attr(attrFrame, mgmt(0, false)...)), radio.Sign{Kind: radio.Deauthentication, Count: 1, Reason: 7, Station: radio.Addr{2, 0, 0, 0, 1, 0}}, true},
		{"left by itself", message(cmdDeauthenticate, dev, attr(attrFrame, mgmt(0, true)...)), radio.Sign{Kind: radio.Deauthentication, Count: 1, Reason: 7, Station: radio.Addr{2, 0, 0, 0, 1, 0}, Leaving: true}, true},
		{"thrown off, protected", message(cmdDisassociate, dev, attr(attrFrame, mgmt(0x40, false)...)), radio.Sign{Kind: radio.Disassociation, Count: 1, Station: radio.Addr{2, 0, 0, 0, 1, 0}, Protected: true}, true},
		{"disconnected", message(cmdDisconnect, dev, attr(attrReasonCode, u16(4)...)), radio.Sign{Kind: radio.Disconnected, Count: 1, Reason: 4}, true},
		{"beacons lost", message(cmdNotifyCQM, dev, attr(attrCQM|0x8000, attr(cqmBeaconLoss)...)), radio.Sign{Kind: radio.BeaconLoss, Count: 1}, true},
		{"signal changed", message(cmdNotifyCQM, dev, attr(attrCQM|0x8000, attr(3, u32(1)...)...)), radio.Sign{}, false},
		{"something else", message(33, dev), radio.Sign{}, false},
	} {
		e, err := parse(k.in)
		if err != nil || e.ifindex != 5 {
			t.Errorf("%s: %v, interface %d", k.name, err, e.ifindex)
		}
		if s, ok := e.sign(); ok != k.ok || ok && s != k.want {
			t.Errorf("%s: %+v %v, want %+v %v", k.name, s, ok, k.want, k.ok)
		}
	}
}

func TestMalformedMessages(t *testing.T) {
	for name, in := range map[string][]byte{
		"empty": nil, "cut": {1, 2, 3}, "short attribute": {70, 1, 0, 0, 3, 0, 1, 0}, "long attribute": {70, 1, 0, 0, 200, 0, 1, 0},
		"half an interface": message(70, attr(attrIfindex, 1, 2)), "half a reason": message(70, attr(attrReasonCode, 1)), "trailing": append(message(70), 1, 2),
	} {
		if _, err := parse(in); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(message(cmdUnprotDeauth, attr(attrIfindex, u32(5)...), attr(attrFrame, mgmt(0, true)...)))
	f.Add(message(cmdNotifyCQM, attr(attrCQM|0x8000, attr(cqmBeaconLoss)...)))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if e, err := parse(b); err == nil {
			e.sign()
		}
	})
}

func FuzzMessages(f *testing.F) {
	f.Add(append(append(u32(20), u16(16)...), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		_ = messages(b, func(_ uint16, p []byte) error { n += 16 + len(p); return nil })
		if n > len(b) {
			t.Errorf("%d bytes out of %d", n, len(b))
		}
	})
}
