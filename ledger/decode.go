package ledger

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// Decode reads a leaf. It takes exactly what [Entry.Encode] writes: an unknown, doubled, missing or misplaced member, a
// second spelling of a number, time or string, and anything out of bounds is refused with an error that wraps ErrEntry.
func Decode(leaf []byte) (Entry, error) {
	if len(leaf) > MaxLeaf {
		return Entry{}, fmt.Errorf("%w: %d bytes, at most %d", ErrEntry, len(leaf), MaxLeaf)
	}
	c := cursor{rest: leaf}
	var e Entry
	c.want(`{"i":`)
	e.Index = c.uint()
	c.want(`,"t":"`)
	e.Time = c.time()
	c.want(`","m":`)
	e.Mono = c.int()
	if c.has(`,"d":`) {
		e.Door = c.filled()
	}
	if c.has(`,"v":`) {
		e.Visit = c.filled()
	}
	c.want(`,"k":`)
	e.Kind = Kind(c.filled())
	c.want(`,"w":`)
	e.Word = c.string()
	if c.has(`,"r":`) {
		e.Reason = c.filled()
	}
	if c.has(`,"x":`) {
		e.Data = c.base64()
	}
	c.want(`}`)
	if c.bad || len(c.rest) > 0 {
		return Entry{}, fmt.Errorf("%w: at byte %d", ErrEntry, len(leaf)-len(c.rest))
	}
	if err := e.Check(); err != nil {
		return Entry{}, err
	}
	return e, nil
}

// cursor reads a leaf from left to right; once bad, it stays where it is.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) has(s string) bool {
	if c.bad || len(c.rest) < len(s) || string(c.rest[:len(s)]) != s {
		return false
	}
	c.rest = c.rest[len(s):]
	return true
}

func (c *cursor) want(s string) {
	if !c.has(s) {
		c.bad = true
	}
}

// digits takes a decimal number without sign or leading zeros.
func (c *cursor) digits() []byte {
	n := 0
	for n < len(c.rest) && c.rest[n] >= '0' && c.rest[n] <= '9' {
		n++
	}
	d := c.rest[:n]
	if c.bad || n == 0 || (d[0] == '0' && n > 1) {
		c.bad = true
		return nil
	}
	c.rest = c.rest[n:]
	return d
}

func (c *cursor) uint() uint64 {
	v, err := strconv.ParseUint(string(c.digits()), 10, 64)
	c.bad = c.bad || err != nil
	return v
}

func (c *cursor) int() int64 {
	minus := c.has("-")
	d := string(c.digits())
	if minus {
		d = "-" + d
	}
	v, err := strconv.ParseInt(d, 10, 64)
	c.bad = c.bad || err != nil || (minus && v == 0)
	return v
}

func (c *cursor) time() time.Time {
	if c.bad || len(c.rest) < len(timeLayout) {
		c.bad = true
		return time.Time{}
	}
	s := c.rest[:len(timeLayout)]
	num := func(from, to int) int {
		v := 0
		for _, d := range s[from:to] {
			if d < '0' || d > '9' {
				c.bad = true
			}
			v = v*10 + int(d-'0')
		}
		return v
	}
	year, month, day := num(0, 4), num(5, 7), num(8, 10)
	hour, minute, second, micro := num(11, 13), num(14, 16), num(17, 19), num(20, 26)
	if s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[19] != '.' || s[26] != 'Z' ||
		hour > 23 || minute > 59 || second > 59 {
		c.bad = true
	}
	if c.bad {
		return time.Time{}
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, micro*1000, time.UTC)
	if t.Day() != day || t.Month() != time.Month(month) { // 31 February became March
		c.bad = true
		return time.Time{}
	}
	c.rest = c.rest[len(s):]
	return t
}

// filled is a string that must not be empty: an empty one would not have been written.
func (c *cursor) filled() string {
	s := c.string()
	c.bad = c.bad || s == ""
	return s
}

func (c *cursor) string() string {
	c.want(`"`)
	plain := 0
	for plain < len(c.rest) && c.rest[plain] >= ' ' && c.rest[plain] != '"' && c.rest[plain] != '\\' {
		plain++
	}
	if c.bad || plain == len(c.rest) {
		c.bad = true
		return ""
	}
	if c.rest[plain] == '"' { // the usual case: nothing is escaped
		s := string(c.rest[:plain])
		c.rest = c.rest[plain+1:]
		c.bad = c.bad || !utf8.ValidString(s)
		return s
	}
	return c.escaped(plain)
}

// escaped reads on where the first escape or control character stands, and takes only the escapes that appendString writes.
func (c *cursor) escaped(plain int) string {
	end := plain
	for end < len(c.rest) && c.rest[end] != '"' {
		if c.rest[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(c.rest) {
		c.bad = true
		return ""
	}
	body := c.rest[:end]
	out := append([]byte(nil), body[:plain]...)
	for i := plain; i < len(body); i++ {
		if body[i] != '\\' {
			out = append(out, body[i])
			continue
		}
		i++
		switch body[i] {
		case '"', '\\':
			out = append(out, body[i])
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			v, err := strconv.ParseUint(string(body[i+1:min(i+5, len(body))]), 16, 8)
			c.bad = c.bad || err != nil || i+5 > len(body)
			out = append(out, byte(v))
			i += 4
		default:
			c.bad = true
		}
	}
	// Writing it again is the shortest proof that nothing was spelled in a second way.
	if s := string(out); !c.bad && utf8.Valid(out) && bytes.Equal(appendString(nil, s)[1:], c.rest[:end+1]) {
		c.rest = c.rest[end+1:]
		return s
	}
	c.bad = true
	return ""
}

func (c *cursor) base64() []byte {
	c.want(`"`)
	n := bytes.IndexByte(c.rest, '"')
	if c.bad || n <= 0 || bytes.ContainsAny(c.rest[:n], "\r\n") { // the standard decoder skips line ends
		c.bad = true
		return nil
	}
	data := make([]byte, base64.StdEncoding.DecodedLen(n))
	m, err := base64.StdEncoding.Strict().Decode(data, c.rest[:n])
	if err != nil {
		c.bad = true
		return nil
	}
	c.rest = c.rest[n+1:]
	return data[:m]
}
