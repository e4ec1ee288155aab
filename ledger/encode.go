package ledger

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// Bounds of an entry. With them a leaf stays under [MaxLeaf], and a message on the bus holds at least eleven.
const (
	MaxWord = 128      // bytes of Door, Visit, Kind, Word and Reason each
	MaxData = 64 << 10 // bytes of Data
	// MaxLeaf is the longest leaf: Data in base64, five words of which every byte is escaped to six, and the rest.
	MaxLeaf = MaxData/3*4 + 4 + 5*6*MaxWord + 256
)

// ErrEntry means that an entry or a leaf is not what this package writes.
var ErrEntry = errors.New("not a ledger entry in canonical form")

// Check says whether the entry can be written: bounded, its text valid UTF-8, its kind a word of small letters.
func (e Entry) Check() error {
	for _, f := range [...]struct{ name, s string }{
		{"door", e.Door}, {"visit", e.Visit}, {"kind", string(e.Kind)}, {"word", e.Word}, {"reason", e.Reason},
	} {
		if len(f.s) > MaxWord || !utf8.ValidString(f.s) {
			return fmt.Errorf("%w: %s must be UTF-8 of at most %d bytes", ErrEntry, f.name, MaxWord)
		}
	}
	if !e.Kind.valid() {
		return fmt.Errorf("%w: kind %q is not a word of small letters", ErrEntry, e.Kind)
	}
	if len(e.Data) > MaxData {
		return fmt.Errorf("%w: data of %d bytes, at most %d: keep it in a file and write its hash", ErrEntry, len(e.Data), MaxData)
	}
	if y := e.Time.UTC().Year(); y < 0 || y > 9999 {
		return fmt.Errorf("%w: year %d", ErrEntry, y)
	}
	return nil
}

func (k Kind) valid() bool {
	for i := 0; i < len(k); i++ {
		if (k[i] < 'a' || k[i] > 'z') && k[i] != '-' {
			return false
		}
	}
	return k != ""
}

// Encode gives the entry's leaf: JSON whose members stand in the order of the struct, without blanks; empty Door, Visit,
// Reason and Data left out; Time in UTC with exactly six decimals; strings escaped as little as RFC 8785 section 3.2.2.2
// allows; Data in standard base64. An entry that passes [Entry.Check] has exactly one leaf, and [Decode] gives it back
// with its time cut to the microsecond.
func (e Entry) Encode() []byte {
	return e.appendLeaf(make([]byte, 0, 128+len(e.Door)+len(e.Visit)+len(e.Word)+len(e.Reason)+len(e.Data)*4/3))
}

func (e Entry) appendLeaf(b []byte) []byte {
	b = append(b, `{"i":`...)
	b = strconv.AppendUint(b, e.Index, 10)
	b = append(b, `,"t":"`...)
	b = appendTime(b, e.Time)
	b = append(b, `","m":`...)
	b = strconv.AppendInt(b, e.Mono, 10)
	if e.Door != "" {
		b = appendString(append(b, `,"d":`...), e.Door)
	}
	if e.Visit != "" {
		b = appendString(append(b, `,"v":`...), e.Visit)
	}
	b = appendString(append(b, `,"k":`...), string(e.Kind))
	b = appendString(append(b, `,"w":`...), e.Word)
	if e.Reason != "" {
		b = appendString(append(b, `,"r":`...), e.Reason)
	}
	if len(e.Data) > 0 {
		b = append(b, `,"x":"`...)
		b = base64.StdEncoding.AppendEncode(b, e.Data)
		b = append(b, '"')
	}
	return append(b, '}')
}

const timeLayout = "2006-01-02T15:04:05.000000Z"

func appendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	if y := t.Year(); y < 0 || y > 9999 { // Check refuses it; a leaf must still have one form
		t = time.Time{}
	}
	return t.AppendFormat(b, timeLayout)
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string with the fewest escapes; bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r) // RuneError for bytes that are not UTF-8
			i += n
			continue
		}
		i++
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= ' ':
			b = append(b, c)
		case c == '\b':
			b = append(b, '\\', 'b')
		case c == '\f':
			b = append(b, '\\', 'f')
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(b, '"')
}
