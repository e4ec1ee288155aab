package onvif

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// challenge is a Digest challenge (RFC 7616 section 3.3) that we can answer, and how often its nonce was used.
type challenge struct {
	realm, nonce, opaque string
	algorithm            string // MD5, MD5-sess, SHA-256 or SHA-256-sess; "" is MD5
	qop                  bool   // auth is offered; without it the answer is that of RFC 2069
	userhash             bool
	stale                bool
	count                uint32
}

// challengesMost bounds the challenges that one reply may hold.
const challengesMost = 16

// scheme is one challenge of any kind, as it was sent (RFC 7235 section 4.1). Names are in lower case.
type scheme struct {
	name   string
	params map[string]string
}

// readSchemes reads WWW-Authenticate headers, several challenges to a header allowed. What cannot be read ends its header.
func readSchemes(headers []string) []scheme {
	var all []scheme
	for _, h := range headers {
		for h = trimList(h); h != ""; h = trimList(h) {
			word, rest := token(h)
			if word == "" {
				break
			}
			after := strings.TrimLeft(rest, " \t")
			if value, left, ok := assigned(after); ok && len(all) > 0 {
				s := all[len(all)-1]
				if _, twice := s.params[strings.ToLower(word)]; !twice && len(s.params) < 32 {
					s.params[strings.ToLower(word)] = value
				}
				h = left
				continue
			}
			if strings.HasPrefix(after, "=") || len(all) == challengesMost {
				break
			}
			all = append(all, scheme{strings.ToLower(word), map[string]string{}})
			h = after
			// A scheme may be followed by one bare value instead of names (token68): it says nothing to us.
			if bare, left := token68(h); bare != "" && (left == "" || left[0] == ',') {
				h = left
			}
		}
	}
	return all
}

func trimList(s string) string { return strings.TrimLeft(s, " \t,") }

func isToken(c byte) bool {
	return c > ' ' && c < 0x7f && !strings.ContainsRune(`()<>@,;:\"/[]?={}`, rune(c))
}

func token(s string) (word, rest string) {
	i := 0
	for i < len(s) && isToken(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

// token68 reads a bare value that cannot be a name with a value behind it.
func token68(s string) (word, rest string) {
	i := 0
	for i < len(s) && (isToken(s[i]) || s[i] == '/') {
		i++
	}
	j := i
	for j < len(s) && s[j] == '=' {
		j++
	}
	rest = strings.TrimLeft(s[j:], " \t")
	if j == i && !strings.ContainsAny(s[:i], "/") || rest != "" && rest[0] != ',' {
		return "", s
	}
	return s[:j], rest
}

// assigned reads "= value" or "= quoted value".
func assigned(s string) (value, rest string, ok bool) {
	s, ok = strings.CutPrefix(s, "=")
	if !ok {
		return "", "", false
	}
	s = strings.TrimLeft(s, " \t")
	if !strings.HasPrefix(s, `"`) {
		value, rest = token(s)
		return value, rest, value != ""
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
			fallthrough
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

// bestDigest picks the strongest challenge that we can answer. basic says that a password in clear was asked for.
func bestDigest(headers []string) (best *challenge, basic bool) {
	for _, s := range readSchemes(headers) {
		if s.name == "basic" {
			basic = true
		}
		p := s.params
		if s.name != "digest" || p["nonce"] == "" {
			continue
		}
		c := &challenge{
			realm: p["realm"], nonce: p["nonce"], opaque: p["opaque"], algorithm: strings.ToUpper(p["algorithm"]),
			userhash: strings.EqualFold(p["userhash"], "true"), stale: strings.EqualFold(p["stale"], "true"),
		}
		if _, ok := c.hash(); !ok {
			continue
		}
		if q, given := p["qop"]; given {
			for _, w := range strings.Split(q, ",") {
				c.qop = c.qop || strings.EqualFold(strings.TrimSpace(w), "auth")
			}
			if !c.qop {
				continue // auth-int alone
			}
		}
		if best == nil || strings.HasPrefix(c.algorithm, "SHA-256") && !strings.HasPrefix(best.algorithm, "SHA-256") {
			best = c
		}
	}
	return best, basic
}

// hash gives the hash that the challenge names.
func (c *challenge) hash() (func() hash.Hash, bool) {
	switch strings.TrimSuffix(c.algorithm, "-SESS") {
	case "", "MD5":
		return md5.New, true
	case "SHA-256":
		return sha256.New, true
	}
	return nil, false
}

// answer gives the Authorization header's value (RFC 7616 section 3.4) and counts the nonce's use.
func (c *challenge) answer(method, uri, user, pass string) string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	c.count++
	return c.respond(method, uri, user, pass, hex.EncodeToString(random[:]), c.count)
}

func (c *challenge) respond(method, uri, user, pass, cnonce string, count uint32) string {
	make, _ := c.hash()
	h := func(parts ...string) string {
		d := make()
		_, _ = d.Write([]byte(strings.Join(parts, ":"))) // never fails
		return hex.EncodeToString(d.Sum(nil))
	}
	a1 := h(user, c.realm, pass)
	if strings.HasSuffix(c.algorithm, "-SESS") {
		a1 = h(a1, c.nonce, cnonce)
	}
	a2 := h(method, uri)
	nc := fmt.Sprintf("%08x", count)
	name := user
	if c.userhash {
		name = h(user, c.realm)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Digest username=%s, realm=%s, nonce=%s, uri=%s", quoted(name), quoted(c.realm), quoted(c.nonce), quoted(uri))
	if c.algorithm != "" {
		alg := c.algorithm
		if a, ok := strings.CutSuffix(alg, "-SESS"); ok {
			alg = a + "-sess"
		}
		fmt.Fprintf(&b, ", algorithm=%s", alg)
	}
	if c.qop {
		fmt.Fprintf(&b, `, response="%s", qop=auth, nc=%s, cnonce="%s"`, h(a1, c.nonce, nc, cnonce, "auth", a2), nc, cnonce)
	} else {
		fmt.Fprintf(&b, `, response="%s"`, h(a1, c.nonce, a2))
		if strings.HasSuffix(c.algorithm, "-SESS") {
			fmt.Fprintf(&b, `, cnonce="%s"`, cnonce)
		}
	}
	if c.opaque != "" {
		fmt.Fprintf(&b, ", opaque=%s", quoted(c.opaque))
	}
	if c.userhash {
		b.WriteString(", userhash=true")
	}
	return b.String()
}

// quoted is a quoted-string (RFC 7230 section 3.2.6); control characters, which would end the header, are left out.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' && c != '\t' || c == 0x7f:
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			fallthrough
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
