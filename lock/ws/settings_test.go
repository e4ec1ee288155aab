package ws_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eyebolt/lock/ws"
)

// certificate makes a key and a certificate of its own for 127.0.0.1, and a file with the latter.
func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}

func file(t *testing.T, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// A server behind TLS is spoken to if its certificate is of the authority that was named, and not otherwise; nor is one in the clear.
func TestTLS(t *testing.T) {
	mine, ca := certificate(t)
	_, other := certificate(t)
	at := listen(t, func(c net.Conn) {
		secure := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{mine}})
		shake(secure, func(p *peer) {
			p.frame(fin|text, []byte("hello"))
			p.drain()
		})
	})
	try := func(address, caFile string) (*ws.Conn, error) {
		target, err := ws.Aim(address, caFile, "ws://127.0.0.1:1")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		return ws.Dial(ctx, target, most)
	}
	c, err := try("wss://"+at, ca)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := read(t, c); err != nil || got != "hello" {
		t.Errorf("over TLS: %q %v", got, err)
	}
	for name, caFile := range map[string]string{"another authority": other, "the system's": ""} {
		if c, err := try("wss://"+at, caFile); err == nil || !strings.Contains(err.Error(), "certificate") {
			if err == nil {
				c.Close()
			}
			t.Errorf("%s: got %v, want a certificate that is not trusted", name, err)
		}
	}
	if c, err := try("ws://"+at, ""); err == nil {
		c.Close()
		t.Error("in the clear: connected")
	}
}

// Each wrong address is refused with what to write, and without the password in it.
func TestAim(t *testing.T) {
	for _, c := range []struct{ name, address, ca, want string }{
		{"none", "", "", "write ws://x:1"},
		{"another protocol", "http://x:1", "", "write ws://x:1"},
		{"no host", "ws:///ws", "", "write ws://x:1"},
		{"no address", "::", "", "write ws://x:1"},
		{"a password", "ws://me:secret@x:1", "", "no password"},
		{"an authority without TLS", "ws://x:1", "ca.pem", "wss://"},
		{"no file", "wss://x:1", "/nowhere/ca.pem", "ca_file"},
		{"no certificate", "wss://x:1", file(t, "hello"), "no certificate in it"},
		{"a disk image", "wss://x:1", file(t, strings.Repeat("x", 1<<20+1)), "are no certificates"},
	} {
		if _, err := ws.Aim(c.address, c.ca, "ws://x:1"); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want it to say %q", c.name, err, c.want)
		}
	}
	target, err := ws.Aim("wss://x:1/ws", "", "ws://x:1")
	if err != nil || target.URL != "wss://x:1/ws" || target.TLS == nil || target.TLS.MinVersion != tls.VersionTLS12 || target.TLS.ServerName != "x" {
		t.Errorf("a good one: %+v %v", target, err)
	}
}
