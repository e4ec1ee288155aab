package signed

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/virtual/sign"
)

// TestEveryByteOfASignature: whatever byte of a signed message is changed, its GOP is authentic no longer. The space that follows a
// signature shorter than the longest is nobody's.
func TestEveryByteOfASignature(t *testing.T) {
	c := signClip(t, bare(t, camera.H265), readPen(t, "camera"), sign.Config{}, 0)
	c.units = c.units[:13] // two GOPs and the second one's signature
	u, i := c.at(1, nalSEI)
	whole := bytes.Clone(c.units[u][i])
	m, err := parse(camera.H265, whole, anyOrder)
	if err != nil {
		t.Fatal(err)
	}
	signed := camera.EscapedLen(whole, len(m.doc)+6+len(m.signature)) // plus the tag, its length, its version and the signature's length
	step := 1
	if testing.Short() {
		step = 17
	}
	for at := 0; at < signed; at += step {
		d := c.clone()
		d.units[u][i][at] ^= 0x04
		v := verifier(t, Config{Roots: roots(t, "root.pem")})
		for _, r := range play(v, d, epoch) {
			if r.Counter == 2 && r.OK() {
				t.Fatalf("byte %d of %d changed: %s", at, len(whole), r.Say)
			}
		}
	}
	for n := 0; n < len(whole); n += 7 * step {
		d := c.clone()
		d.units[u][i] = d.units[u][i][:n]
		v := verifier(t, Config{Roots: roots(t, "root.pem")})
		for _, r := range play(v, d, epoch) {
			if r.Counter == 2 && r.OK() {
				t.Fatalf("cut to %d of %d bytes: %s", n, len(whole), r.Say)
			}
		}
	}
}

// TestEveryByteOfAPicture: each byte of a GOP's slices is signed.
func TestEveryByteOfAPicture(t *testing.T) {
	c := signClip(t, bare(t, camera.H265), readPen(t, "camera"), sign.Config{LowBitrate: true}, 0)
	for k := 6; k < 9; k++ {
		u, i := c.at(k, slices...)
		for at := range c.units[u][i] {
			d := c.clone()
			d.units[u][i][at] ^= 0x40
			for _, r := range judge(t, d) {
				if r.Counter == 2 && r.OK() {
					t.Fatalf("byte %d of slice %d changed: %s", at, k, r.Say)
				}
			}
		}
	}
}

// seal makes a SEI of tags, without emulation prevention.
func seal(uuid []byte, flags byte, tags ...byte) []byte {
	body := append(append(bytes.Clone(uuid), flags), tags...)
	n := []byte{6, 5}
	left := len(body)
	for ; left >= 255; left -= 255 {
		n = append(n, 255)
	}
	return append(append(append(n, byte(left)), body...), 0x80)
}

func tag(t byte, v ...byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{t}, uint16(len(v))), v...)
}

// TestMalformed (T20): a broken message is an error that says what is wrong, never a reading beyond its end.
func TestMalformed(t *testing.T) {
	gop := append([]byte{2, 26, 6, 0, 0}, make([]byte, 8+8+4+2+64)...)
	good := tag(1, gop...)
	for _, x := range []struct {
		name string
		n    []byte
		ok   bool
	}{
		{"a GOP", seal(uuidONVIF, 0, good...), true},
		{"a GOP of version 3", seal(uuidONVIF, 0, tag(1, append([]byte{3}, gop[1:]...)...)...), false},
		{"a GOP with an odd hash", seal(uuidONVIF, 0, tag(1, append(gop, 1)...)...), false},
		{"a GOP with short hashes", seal(uuidONVIF, 0, tag(1, gop[:30]...)...), false},
		{"a GOP cut short", seal(uuidONVIF, 0, tag(1, gop[:10]...)...), false},
		{"an empty tag", seal(uuidONVIF, 0, tag(1)...), false},
		{"two GOPs", seal(uuidONVIF, 0, append(good, good...)...), false},
		{"a tag longer than what is left", seal(uuidONVIF, 0, 1, 0xff, 0xff, 2), false},
		{"half a tag", seal(uuidONVIF, 0, append(good, 2, 0)...), false},
		{"an unknown tag", seal(uuidONVIF, 0, append(good, tag(200, 1, 2, 3)...)...), true},
		{"an unknown tag longer than what is left", seal(uuidONVIF, 0, append(good, 200, 0, 9, 1)...), false},
		{"no tag", seal(uuidONVIF, 0), false},
		{"a signature that is not last", seal(uuidONVIF, 0, append(tag(3, 1, 0, 1, 9), good...)...), false},
		{"a signature longer than its tag", seal(uuidONVIF, 0, append(good, tag(3, 1, 0, 9, 9)...)...), false},
		{"a signature with space after it", seal(uuidONVIF, 0, append(good, tag(3, 1, 0, 1, 9, 1, 1)...)...), true},
		{"two lists", seal(uuidONVIF, 0, append(append(good, tag(2, 1, 7)...), tag(2, 1, 7)...)...), false},
		{"a hash that nobody knows", seal(uuidONVIF, 0, append(tag(4, 1, 2, 6, 0, 0, 0, 0), good...)...), false},
		{"an algorithm longer than its tag", seal(uuidONVIF, 0, append(tag(4, 1, 200, 6), good...)...), false},
		{"three chains", seal(uuidONVIF, 0, append(append(append(good, tag(6, 1, 0, 7)...), tag(6, 1, 1, 7)...), tag(6, 1, 1, 7)...)...), false},
		{"a vendor's data alone", seal(uuidONVIF, 0, tag(7, 1, 2, 3)...), true},
		{"a vendor's data beside a GOP", seal(uuidONVIF, 0, append(good, tag(7, 1, 2)...)...), false},
		{"a certificate's SEI without a signature", seal(uuidONVIF, 0x80, tag(6, 1, 0, 7)...), false},
		{"more bytes than were said", append(seal(uuidONVIF, 0, good...), 0x80), false},
		{"Axis, a GOP before 2.1", seal(uuidAxis, 0x80, 1, 10, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0), true},
		{"Axis, a GOP without its hash", seal(uuidAxis, 0x30, 1, 10, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0), false},
		{"Axis, an unknown tag", seal(uuidAxis, 0x80, 99, 0), false},
		{"Axis, trouble in signing", seal(uuidAxis, 0x80, append([]byte{1, 10, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0}, tag(5, 2, 1, 0, 0)...)...), false},
		{"Axis, a chain shorter than its attestation", seal(uuidAxis, 0x80, append([]byte{1, 10, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0}, tag(129, 1, 200, 1)...)...), false},
	} {
		m, err := parse(camera.H264, x.n, anyOrder)
		if (err == nil) != x.ok {
			t.Errorf("%s: %v", x.name, err)
		}
		if err != nil && (m.doc != nil || m.general || m.said) {
			t.Errorf("%s: a broken message was taken: %+v", x.name, m)
		}
	}
	for _, n := range [][]byte{nil, {6}, {6, 5}, {6, 5, 255}, {6, 5, 255, 255}, {6, 5, 3, 1, 2}, {6, 4, 20}, append([]byte{6, 5, 16}, uuidONVIF[:15]...)} {
		if _, err := parse(camera.H264, n, anyOrder); !errors.Is(err, errNotOurs) {
			t.Errorf("%x: %v", n, err)
		}
	}
	if _, err := parse(camera.H264, seal(uuidONVIF, 0, make([]byte, seiMost)...), anyOrder); !errors.Is(err, errLong) {
		t.Error(err)
	}
}

// TestOrderOfBytes: a date decides, once, and a count since the camera was switched on never does.
func TestOrderOfBytes(t *testing.T) {
	gop := func(start uint64, counter uint32) []byte {
		g := []byte{1, 26, 6, 0, 0}
		g = binary.BigEndian.AppendUint64(g, start)
		g = binary.BigEndian.AppendUint32(g, counter)
		return seal(uuidONVIF, 0, tag(1, append(g, make([]byte, 2+64)...)...)...)
	}
	ticks := uint64(epoch.Unix()+11_644_473_600) * 1e7
	for _, x := range []struct {
		name  string
		start uint64
		when  time.Time
		order order
	}{
		{"big-endian", ticks, epoch, anyOrder},
		{"little-endian", swap(ticks, 8), epoch, littleEndian},
		{"uptime", 0x1_55cd_bc00, time.Time{}, anyOrder},
		{"uptime that looks like a date the other way round", swap(ticks, 8) & (1<<48 - 1) &^ 0xff00 & 0xffff, time.Time{}, anyOrder},
	} {
		m, err := parse(camera.H264, gop(x.start, 0x01020304), anyOrder)
		if err != nil || !m.start.Equal(x.when) || m.order != x.order {
			t.Errorf("%s: %v %v %v", x.name, m.start, m.order, err)
		}
		want := uint32(0x01020304)
		if x.order == littleEndian {
			want = 0x04030201
		}
		if m.counter != want {
			t.Errorf("%s: counter %x", x.name, m.counter)
		}
	}
}
