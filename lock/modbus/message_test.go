package modbus

import (
	"bytes"
	"errors"
	"testing"
)

// The examples of the specification (V1.1b3, sections 6.2 and 6.5), and what is no answer to them.
func TestAnswers(t *testing.T) {
	inputs := question{readInputs, 0xC4, 22}
	if got := inputs.frame(0x1501, 0xFF); !bytes.Equal(got, []byte{0x15, 1, 0, 0, 0, 6, 0xFF, 2, 0, 0xC4, 0, 0x16}) {
		t.Errorf("frame: got % x", got)
	}
	bits, err := inputs.answer([]byte{2, 3, 0xAC, 0xDB, 0x35})
	if err != nil || len(bits) != 22 || bits[0] || bits[1] || !bits[2] || !bits[21] || bits[19] {
		t.Errorf("inputs: got %v %v", bits, err)
	}
	write := question{writeCoil, 0xAC, coilOn}
	if _, err := write.answer([]byte{5, 0, 0xAC, 0xFF, 0}); err != nil {
		t.Errorf("echo: got %v", err)
	}
	var e exception
	if _, err := write.answer([]byte{0x85, 6}); !errors.As(err, &e) || e != 6 {
		t.Errorf("exception: got %v", err)
	}
	for _, c := range []struct {
		q   question
		pdu []byte
	}{
		{inputs, nil},
		{inputs, []byte{2}},
		{inputs, []byte{1, 3, 0xAC, 0xDB, 0x35}},    // another function
		{inputs, []byte{2, 2, 0xAC, 0xDB}},          // too few
		{inputs, []byte{2, 3, 0xAC, 0xDB}},          // fewer than it says
		{inputs, []byte{2, 3, 0xAC, 0xDB, 0x35, 0}}, // more than it says
		{inputs, []byte{0x85, 6}},                   // a refusal of something else
		{inputs, []byte{0x82, 6, 0}},
		{write, []byte{5, 0, 0xAC, 0, 0}},    // the other value
		{write, []byte{5, 0, 0xAD, 0xFF, 0}}, // another output
		{write, []byte{5, 0, 0xAC, 0xFF}},
	} {
		if bits, err := c.q.answer(c.pdu); !errors.Is(err, errMalformed) || bits != nil {
			t.Errorf("% x: got %v %v, want it refused", c.pdu, bits, err)
		}
	}
}

// FuzzReply reads what a board sends, of any bytes, as answers to any question (T20).
func FuzzReply(f *testing.F) {
	for _, seed := range [][]byte{
		{0, 1, 0, 0, 0, 4, 1, 2, 1, 3},
		{0, 1, 0, 0, 0, 6, 1, 5, 0, 0xAC, 0xFF, 0},
		{0, 1, 0, 0, 0, 3, 1, 0x82, 11, 0, 2, 0, 0, 0, 4, 1, 2, 1, 3},
		{0, 1, 0, 1, 0, 4, 1, 2, 1, 3},
		{0, 1, 0, 0, 0xFF, 0xFF, 1, 2, 1, 3},
		{0, 1, 0, 0, 0, 2, 1, 2},
	} {
		f.Add(seed, byte(2), uint16(0), uint16(5))
		f.Add(seed, byte(5), uint16(0xAC), uint16(0xFF00))
	}
	f.Fuzz(func(t *testing.T, stream []byte, function byte, address, value uint16) {
		q := question{[]byte{readCoils, readInputs, writeCoil}[function%3], address, value}
		if q.function != writeCoil {
			q.value = 1 + value%bitsMost
		}
		from, used := bytes.NewReader(stream), 0
		for {
			r, err := readReply(from)
			if err != nil {
				break
			}
			if len(r.pdu) < 2 || len(r.pdu) > replyMost-1 {
				t.Fatalf("a PDU of %d bytes", len(r.pdu))
			}
			used += headLength + len(r.pdu)
			bits, err := q.answer(r.pdu)
			var refusal exception
			switch {
			case errors.As(err, &refusal):
				if r.pdu[0] != q.function|0x80 || refusal.Error() == "" {
					t.Fatalf("% x: a refusal of %+v: %v", r.pdu, q, err)
				}
			case err == nil && q.function == writeCoil:
				if want := q.frame(r.transaction, r.unit)[headLength:]; !bytes.Equal(r.pdu, want) {
					t.Fatalf("% x: taken as the echo % x", r.pdu, want)
				}
			case err == nil && len(bits) != int(q.value), err != nil && bits != nil:
				t.Fatalf("% x: %d bits and %v of %d", r.pdu, len(bits), err, q.value)
			}
		}
		if used > len(stream) {
			t.Fatalf("read %d of %d bytes", used, len(stream))
		}
	})
}
