package matter_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"eyebolt/lock"
	"eyebolt/lock/matter"
)

// The real server behind a TLS proxy: with its authority the commands pass; with another one nothing does.
func TestTLS(t *testing.T) {
	w := newWorld(t)
	proxy := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: w.p.addr}))
	t.Cleanup(func() { proxy.CloseClientConnections(); proxy.Close() })
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: proxy.Certificate().Raw}))
	s := w.settings()
	s.URL, s.CAFile = "wss"+strings.TrimPrefix(proxy.URL, "https")+"/ws", writeFile(t, "ca.pem", ca)
	l, e := open(t, w.now, s)
	_, from := e.Wait(t, 0, "bolt", bolt(lock.BoltThrown))
	e.Wait(t, 0, "health", well)
	w.unlock(l)
	e.Wait(t, from, "drawn", bolt(lock.BoltDrawn))
	s.CAFile = "" // the system's authorities know nothing of it
	_, e = open(t, w.now, s)
	e.Wait(t, 0, "untrusted", ill("certificate"))
}

// A server that sends us elsewhere is not followed.
func TestNoRedirect(t *testing.T) {
	followed := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	t.Cleanup(other.Close)
	h := newHostile(t, nil, nil)
	elsewhere := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	t.Cleanup(elsewhere.Close)
	s := matter.Settings{URL: "ws" + strings.TrimPrefix(elsewhere.URL, "http"), Lock: "2"}
	_, e := open(t, h.now, s)
	e.Wait(t, 0, "refused", ill("elsewhere"))
	if followed {
		t.Error("the driver went where it was sent")
	}
}
