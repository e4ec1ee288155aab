// Package ws is the pipe of the lock drivers whose peer is a server of JSON over a WebSocket (RFC 6455): one connection, written
// to under a lock after a last look at a command's deadline, read with a bound, and proven alive by pings. It knows no lock.
package ws

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
)

// Target is where a server is, checked.
type Target struct {
	URL string
	TLS *tls.Config // nil without TLS
}

// maxPEM is how much of a file of certificates is read: a wrong path may be a disk image.
const maxPEM = 1 << 20

// Aim checks an address and the file of its certificate authority (empty: the system's). example is what the error tells to write.
func Aim(address, caFile, example string) (Target, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || (u.Scheme != "ws" && u.Scheme != "wss"):
		return Target{}, fmt.Errorf("url: write %s, or wss:// with TLS", example)
	case u.User != nil:
		return Target{}, fmt.Errorf("url: must hold no name and no password: write %s", example)
	case u.Scheme == "ws" && caFile != "":
		return Target{}, errors.New("ca_file needs a url with wss://")
	case u.Scheme == "ws":
		return Target{URL: u.String()}, nil
	}
	t := Target{URL: u.String(), TLS: &tls.Config{MinVersion: tls.VersionTLS12, ServerName: u.Hostname()}}
	if caFile == "" {
		return t, nil
	}
	info, err := os.Stat(caFile)
	if err != nil {
		return Target{}, fmt.Errorf("ca_file: %w", err)
	}
	if info.Size() > maxPEM {
		return Target{}, fmt.Errorf("ca_file %s: %d bytes are no certificates", caFile, info.Size())
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return Target{}, fmt.Errorf("ca_file: %w", err)
	}
	t.TLS.RootCAs = x509.NewCertPool()
	if !t.TLS.RootCAs.AppendCertsFromPEM(pem) {
		return Target{}, fmt.Errorf("ca_file %s: no certificate in it", caFile)
	}
	return t, nil
}
