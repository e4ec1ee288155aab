package rtsp

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"

	"eyebolt/camera"
)

// address is what a Config says, checked.
type address struct {
	url      *base.URL
	host     string // with port
	protocol gortsplib.Protocol
	tls      bool
	pin      []byte // SHA-256 of the certificate; nil: system roots
	secrets  []string
}

// parse checks a Config. Its errors never hold the URL: it may hold a password.
func parse(cfg camera.Config) (address, error) {
	var a address
	if cfg.Now == nil {
		return a, errors.New("rtsp: Config.Now is not set")
	}
	u, err := base.ParseURL(cfg.URL)
	if err != nil || u.Hostname() == "" {
		return a, errors.New("rtsp: the camera's URL is not of the form rtsp://user:password@host:port/path")
	}
	a.url, a.tls = u, u.Scheme == "rtsps"
	port := u.Port()
	switch {
	case port != "":
	case a.tls:
		port = "322"
	default:
		port = "554"
	}
	a.host = net.JoinHostPort(u.Hostname(), port)
	u.Host = a.host
	if u.User != nil {
		p, _ := u.User.Password()
		a.secrets = append(a.secrets, p, u.User.String())
	}
	switch cfg.Transport {
	case "", "tcp":
		a.protocol = gortsplib.ProtocolTCP
	case "udp":
		a.protocol = gortsplib.ProtocolUDP
		if a.tls {
			return a, errors.New("rtsp: rtsps is read over tcp only: set the transport to tcp")
		}
	default:
		return a, fmt.Errorf("rtsp: transport %q: choose tcp or udp", cfg.Transport)
	}
	if cfg.CertHash != "" {
		if !a.tls {
			return a, errors.New("rtsp: a certificate is pinned, but the URL is not rtsps: use rtsps, or remove the pin")
		}
		a.pin, err = hex.DecodeString(strings.ReplaceAll(cfg.CertHash, ":", ""))
		if err != nil || len(a.pin) != 32 {
			return a, errors.New("rtsp: the pinned certificate is not 64 hexadecimal digits (its SHA-256)")
		}
	}
	return a, nil
}
