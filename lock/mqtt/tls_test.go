package mqtt_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/virtual/broker"
	"eyebolt/virtual/home"
)

// certificate makes a key and a certificate of its own for 127.0.0.1, and the latter as PEM.
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
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// A broker behind TLS: with its authority the whole visit's commands pass; with another one nothing does.
func TestTLS(t *testing.T) {
	w := newWorld(t, startBroker(t, broker.Config{}), "z2m", quick(home.Config{}))
	mine, ca := certificate(t)
	_, other := certificate(t)
	front, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{mine}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = front.Close() })
	go func() {
		for {
			c, err := front.Accept()
			if err != nil {
				return
			}
			w.pipe.Carry(c)
		}
	}()
	s := w.settings()
	s.Broker, s.CAFile = "mqtts://"+front.Addr().String(), writeFile(t, "ca.pem", ca)
	l, e := open(t, w.now, s)
	e.wait(t, 0, "health", well)
	_, from := e.wait(t, 0, "bolt", bolt(lock.BoltThrown))
	if err := l.Unlock(t.Context(), w.order()); err != nil {
		t.Fatal(err)
	}
	e.wait(t, from, "drawn", bolt(lock.BoltDrawn))
	s.CAFile = writeFile(t, "ca.pem", other)
	_, e = open(t, w.now, s)
	e.wait(t, 0, "untrusted", ill("certificate"))
}
