package api_test

import (
	"net/http"
	"testing"
)

// T13: a passkey whose counter goes back may have been copied; it signs nobody in (WebAuthn section 6.1.1).
func TestCopiedPasskeySignsNobodyIn(t *testing.T) {
	w := newTown(t)
	p := w.person()
	p.key.Counter = 5
	p.register(w.invite, "Olga")
	in := func(count uint32) (int, []byte) {
		t.Helper()
		p.key.Counter = count
		return p.call("POST", "/api/login/finish", p.assert(p.begin("/api/login/begin", struct{}{})))
	}
	for _, k := range []struct {
		count uint32
		want  int
	}{{6, http.StatusOK}, {6, http.StatusForbidden}, {4, http.StatusForbidden}, {9, http.StatusOK}, {7, http.StatusForbidden}} {
		if status, b := in(k.count); status != k.want {
			t.Errorf("counter %d: %d %s, want %d", k.count, status, b, k.want)
		}
	}
}
