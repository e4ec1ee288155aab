package onviftest

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// skewMost is how far a token's time may be from the camera's: what Axis and Hikvision allow is of this order.
const skewMost = 10 * time.Second

// credit judges one showing of credentials. asked says that there were any.
func (d *Device) credit(right, asked bool) (ok bool, locked bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.set.Locks > 0 && d.wrong >= d.set.Locks {
		return false, true
	}
	if asked && !right {
		d.wrong++
	}
	return right, false
}

// token verifies the WS-UsernameToken of a request (UsernameToken Profile 1.0 section 3.1).
func (d *Device) token(e *envelope) (right, asked, late bool) {
	t := e.Header.Security.Token
	if t.Username == "" {
		return false, false, false
	}
	nonce, err := base64.StdEncoding.DecodeString(t.Nonce)
	if err != nil {
		return false, true, false
	}
	at, err := time.Parse(time.RFC3339Nano, t.Created)
	if err != nil || at.Sub(d.now()).Abs() > skewMost {
		return false, true, true
	}
	h := sha1.New()
	h.Write(nonce)
	h.Write([]byte(t.Created + d.set.Pass))
	return t.Username == d.set.User && t.Password == base64.StdEncoding.EncodeToString(h.Sum(nil)), true, false
}

var (
	param  = regexp.MustCompile(`(\w+)=(?:"([^"]*)"|([^",\s]+))`)
	hashes = map[string]func(string) string{
		"MD5":     func(s string) string { h := md5.Sum([]byte(s)); return hex.EncodeToString(h[:]) },
		"SHA-256": func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) },
	}
)

// httpAllowed verifies HTTP Digest, and asks for it.
func (d *Device) httpAllowed(w http.ResponseWriter, r *http.Request) bool {
	if d.set.Way != DigestMD5 && d.set.Way != DigestSHA256 {
		return true
	}
	head := r.Header.Get("Authorization")
	p := map[string]string{}
	for _, m := range param.FindAllStringSubmatch(strings.TrimPrefix(head, "Digest "), -1) {
		p[m[1]] = m[2] + m[3]
	}
	d.mu.Lock()
	nonce := fmt.Sprintf("n%d", d.nonce)
	d.mu.Unlock()
	stale := head != "" && p["nonce"] != nonce
	right := false
	if h, ok := hashes[p["algorithm"]]; ok && !stale {
		a1 := h(d.set.User + ":eye:" + d.set.Pass)
		a2 := h(r.Method + ":" + r.URL.RequestURI())
		right = p["username"] == d.set.User && p["uri"] == r.URL.RequestURI() && p["response"] == h(strings.Join([]string{a1, nonce, p["nc"], p["cnonce"], "auth", a2}, ":"))
	}
	right, locked := d.credit(right, head != "" && !stale)
	if right {
		return true
	}
	if locked {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, "account locked")
		return false
	}
	more := ""
	if stale {
		more = ", stale=true"
	}
	if d.set.Way == DigestSHA256 {
		w.Header().Add("WWW-Authenticate", fmt.Sprintf(`Digest realm="eye", nonce="%s", algorithm=SHA-256, qop="auth"%s`, nonce, more))
	}
	w.Header().Add("WWW-Authenticate", fmt.Sprintf(`Digest realm="eye", nonce="%s", algorithm=MD5, qop="auth"%s`, nonce, more))
	w.WriteHeader(http.StatusUnauthorized)
	return false
}

// Renonce makes the nonce that is in use a stale one.
func (d *Device) Renonce() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.nonce++
}
