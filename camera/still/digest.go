package still

import (
	"crypto/md5" //nolint:gosec // RFC 7616 asks for it where a camera knows nothing better
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"regexp"
	"strings"
)

var (
	errWay    = errors.New("its way of asking for a password is not known")
	parameter = regexp.MustCompile(`([a-z]+)\s*=\s*(?:"([^"]*)"|([^\s,]+))`)
)

// authorize answers a 401 (RFC 7616, RFC 7617): with a digest where one is asked for, else in clear, which is what the camera
// asks for then.
func authorize(req *http.Request, challenges []string, user, pass string) error {
	clear := false
	for _, challenge := range challenges {
		scheme, rest, _ := strings.Cut(challenge, " ")
		switch strings.ToLower(scheme) {
		case "basic":
			clear = true
		case "digest":
			if h := digest(req.Method, req.URL.RequestURI(), rest, user, pass); h != "" {
				req.Header.Set("Authorization", h)
				return nil
			}
		}
	}
	if !clear {
		return errWay
	}
	req.SetBasicAuth(user, pass)
	return nil
}

func digest(method, uri, challenge, user, pass string) string {
	p := map[string]string{}
	for _, m := range parameter.FindAllStringSubmatch(challenge, 32) {
		p[m[1]] = m[2] + m[3]
	}
	var sum func() hash.Hash
	switch strings.ToUpper(p["algorithm"]) {
	case "", "MD5":
		sum = md5.New
	case "SHA-256":
		sum = sha256.New
	default:
		return ""
	}
	of := func(s string) string {
		h := sum()
		h.Write([]byte(s))
		return hex.EncodeToString(h.Sum(nil))
	}
	// What goes into a quoted string must not end it.
	for _, s := range []string{user, p["realm"], p["nonce"], p["opaque"]} {
		if strings.ContainsAny(s, "\"\\\r\n") {
			return ""
		}
	}
	a1, a2 := of(user+":"+p["realm"]+":"+pass), of(method+":"+uri)
	out := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s"`, user, p["realm"], p["nonce"], uri)
	if strings.Contains(","+strings.ReplaceAll(p["qop"], " ", "")+",", ",auth,") {
		cnonce := rand.Text()
		out += fmt.Sprintf(`, qop=auth, nc=00000001, cnonce="%s", response="%s"`, cnonce, of(a1+":"+p["nonce"]+":00000001:"+cnonce+":auth:"+a2))
	} else {
		out += fmt.Sprintf(`, response="%s"`, of(a1+":"+p["nonce"]+":"+a2))
	}
	if p["algorithm"] != "" {
		out += ", algorithm=" + p["algorithm"]
	}
	if p["opaque"] != "" {
		out += fmt.Sprintf(`, opaque="%s"`, p["opaque"])
	}
	return out
}
