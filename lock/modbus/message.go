package modbus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Function codes (MODBUS Application Protocol V1.1b3, sections 6.1, 6.2 and 6.5).
const (
	readCoils      = 0x01
	readInputs     = 0x02
	writeCoil      = 0x05
	exceptionFlag  = 0x80 // section 7
	coilOff        = 0x0000
	coilOn         = 0xFF00
	headLength     = 7   // the MBAP header (Messaging on TCP/IP V1.0b, section 3.1.3)
	replyLeast     = 3   // its length field: unit, function and at least one byte
	replyMost      = 254 // unit, and a PDU of at most 253 bytes (V1.1b3, section 4.1)
	bitsMost       = 256 // how many bits are asked at once here; the protocol allows 2000 (section 6.2)
	questionLength = headLength + 5
)

// errMalformed says that what came is no answer to what was asked; the connection is over.
var errMalformed = errors.New("what answers there does not speak Modbus TCP as asked: check address and unit")

// exception is the board's refusal (V1.1b3, section 7).
type exception byte

var exceptions = map[exception]string{
	1: "illegal function", 2: "illegal data address", 3: "illegal data value", 4: "device failure", 5: "acknowledge", 6: "device busy",
	8: "memory parity error", 10: "gateway path unavailable", 11: "gateway target does not respond",
}

func (e exception) Error() string {
	if name, ok := exceptions[e]; ok {
		return fmt.Sprintf("the board refuses: exception %d, %s", byte(e), name)
	}
	return fmt.Sprintf("the board refuses: exception %d", byte(e))
}

// question is one request. value is how many bits are read, or what is written.
type question struct {
	function       byte
	address, value uint16
}

// frame is the whole request, which leaves in one piece.
func (q question) frame(transaction uint16, unit byte) []byte {
	b := make([]byte, 0, questionLength)
	b = binary.BigEndian.AppendUint16(b, transaction)
	b = binary.BigEndian.AppendUint16(b, 0) // the protocol
	b = binary.BigEndian.AppendUint16(b, questionLength-headLength+1)
	b = append(b, unit, q.function)
	b = binary.BigEndian.AppendUint16(b, q.address)
	return binary.BigEndian.AppendUint16(b, q.value)
}

// reply is one frame of the board.
type reply struct {
	transaction uint16
	unit        byte
	pdu         []byte // at least two bytes
}

// readReply reads one frame. It never holds more than the largest that the protocol allows. An error ends the connection: where the
// next frame would begin is not known.
func readReply(r io.Reader) (reply, error) {
	var head [headLength]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return reply{}, err
	}
	length := int(binary.BigEndian.Uint16(head[4:]))
	if binary.BigEndian.Uint16(head[2:]) != 0 || length < replyLeast || length > replyMost {
		return reply{}, errMalformed
	}
	pdu := make([]byte, length-1)
	if _, err := io.ReadFull(r, pdu); err != nil {
		return reply{}, err
	}
	return reply{transaction: binary.BigEndian.Uint16(head[:]), unit: head[6], pdu: pdu}, nil
}

// answer reads what a reply says to this question: the bits of a read, least address first. An exception is what the board refused
// with; errMalformed is everything that the protocol does not allow as an answer, and nothing in it is believed.
func (q question) answer(pdu []byte) ([]bool, error) {
	switch {
	case len(pdu) == 2 && pdu[0] == q.function|exceptionFlag:
		return nil, exception(pdu[1])
	case len(pdu) < 2 || pdu[0] != q.function:
		return nil, errMalformed
	case q.function == writeCoil: // an echo of the request (section 6.5)
		if len(pdu) != 5 || binary.BigEndian.Uint16(pdu[1:]) != q.address || binary.BigEndian.Uint16(pdu[3:]) != q.value {
			return nil, errMalformed
		}
		return nil, nil
	}
	n := int(q.value)
	if bytes := (n + 7) / 8; int(pdu[1]) != bytes || len(pdu) != 2+bytes {
		return nil, errMalformed
	}
	bits := make([]bool, n)
	for i := range bits {
		bits[i] = pdu[2+i/8]>>(i%8)&1 == 1
	}
	return bits, nil
}
