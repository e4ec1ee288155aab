package gate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// Listener is where a page of the hub is reached.
type Listener struct {
	net.Listener
	// At is host and port.
	At string
	// Scheme is http on this machine alone, https from the network.
	Scheme string
	// Fingerprint is the SHA-256 of the certificate as browsers show it, of a page that is reached from the network.
	Fingerprint string
}

// Listen opens an address: an IP address of this machine, or localhost, and a port. From this machine alone plain HTTP is enough. What
// is typed from another one holds passwords: it is encrypted with a certificate that is made now and kept nowhere; a browser warns of
// it, and its fingerprint is for comparing.
func Listen(address string) (*Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip, ipErr := netip.ParseAddr(host)
	switch {
	case err == nil && host == "":
		return nil, fmt.Errorf("--listen %s would be open to every network of this machine: name the address of the one that you are on", address)
	case err != nil || ipErr != nil:
		return nil, fmt.Errorf("--listen %s: write an IP address of this machine and a port, such as 127.0.0.1:8423", address)
	case ip.IsUnspecified():
		return nil, fmt.Errorf("--listen %s would be open to every network of this machine: name the address of the one that you are on", address)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("--listen %s: %w", address, err)
	}
	out := &Listener{Listener: l, At: l.Addr().String(), Scheme: "http"}
	if ip.IsLoopback() {
		return out, nil
	}
	cert, sum, err := certificate(ip)
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("--listen %s: a certificate: %w", address, err)
	}
	out.Scheme, out.Fingerprint = "https", sum
	out.Listener = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
	return out, nil
}

// certificate is one that signs itself, for one address and a week.
func certificate(ip netip.Addr) (tls.Certificate, string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return tls.Certificate{}, "", err
	}
	now := time.Now()
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Eyebolt hub"}, IPAddresses: []net.IP{ip.AsSlice()},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(7 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	sum := sha256.Sum256(der)
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, strings.Join(parts, ":"), nil
}

// Server is an HTTP server that a slow or talkative client cannot hold: a request's head within 5 s, all of it within 15.
func Server(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
}
