// Package hass shows a home's doors in Home Assistant, through MQTT discovery, and takes one order from there: to let nobody in.
//
// # What it shows
//
// Each door is a device with: secured, bolt, door, watch, visit, last incident, alarm, and the switch that blocks visits. What is shown
// is the hub's own view, at each change and at least every 5 s, and is never evidence: whoever may write to the broker can
// show anything in its place. Retained are only what stays true without the hub: the description of the entities, the last
// incident, and whether the hub is there. All else is repeated, runs out after [Expire], and is unavailable once the hub
// is gone: a door is never shown secured by a hub that does not look any more (S13, S15).
//
// # What it takes
//
// The switch blocks a door as a resident does (S4), at any time. It does not lift a block: a broker does not prove who writes, and
// whoever could write there could undo what a resident has just pressed. Lifting is for the app, where a resident is signed in. A
// retained or late press is not taken: an order out of the past is nobody's wish.
package hass

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// Settings are the way to Home Assistant's broker.
type Settings struct {
	// Broker (required) is the broker's address: mqtt://host:1883, or mqtts://host:8883 with TLS. The port may be left out. It is the one
	// that Home Assistant's MQTT integration uses, and speaks MQTT 5.
	Broker string `yaml:"broker"`
	// Username is the broker's user for this hub; empty for a broker that asks for none.
	Username string `yaml:"username"`
	// PasswordFile is the path of a file that holds the user's password, and nothing else, on its first line.
	PasswordFile string `yaml:"password_file"`
	// CAFile is the path of a PEM file with the certificate authority of an mqtts broker; empty: the system's own.
	CAFile string `yaml:"ca_file"`
	// Prefix is Home Assistant's discovery prefix. Default "homeassistant".
	Prefix string `yaml:"prefix"`
}

// maxSecret is how much of a password file is read: passwords are short, and a wrong path may be a disk image.
const maxSecret = 4 << 10

// plan is what Settings come to when they are checked.
type plan struct {
	Settings
	url      *url.URL
	tls      *tls.Config // nil without TLS
	password []byte
}

func (s Settings) plan() (plan, error) {
	p := plan{Settings: s}
	u, err := url.Parse(s.Broker)
	switch {
	case err != nil || u.Hostname() == "" || (u.Scheme != "mqtt" && u.Scheme != "mqtts"):
		return p, fmt.Errorf("home_assistant: broker %q: write mqtt://host:1883 or mqtts://host:8883", redact(s.Broker))
	case u.User != nil:
		return p, errors.New("home_assistant: broker: write the name as username and the password into password_file, not into the address")
	}
	if u.Port() == "" {
		u.Host += map[string]string{"mqtt": ":1883", "mqtts": ":8883"}[u.Scheme]
	}
	p.url = u
	if p.Prefix == "" {
		p.Prefix = "homeassistant"
	}
	if strings.ContainsAny(p.Prefix, "+#\x00") || strings.Trim(p.Prefix, "/") != p.Prefix || len(p.Prefix) > 256 {
		return p, fmt.Errorf("home_assistant: prefix %q: write the discovery prefix of Home Assistant's MQTT integration, such as homeassistant", p.Prefix)
	}
	if p.password, err = readSecret(s.PasswordFile); err != nil {
		return p, err
	}
	if u.Scheme == "mqtts" {
		p.tls = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: u.Hostname()}
		if p.tls.RootCAs, err = readCA(s.CAFile); err != nil {
			return p, err
		}
	} else if s.CAFile != "" {
		return p, errors.New("home_assistant: ca_file needs a broker with mqtts://")
	}
	return p, nil
}

func readSecret(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("home_assistant: password_file: %w", err)
	}
	line, _, _ := strings.Cut(string(b[:min(len(b), maxSecret)]), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" {
		return nil, fmt.Errorf("home_assistant: password_file %s: its first line is empty", path)
	}
	return []byte(line), nil
}

func readCA(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil // the system's
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("home_assistant: ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("home_assistant: ca_file %s: no certificate in it", path)
	}
	return pool, nil
}

// redact hides what stands between // and @ of an address that may hold a password.
func redact(s string) string {
	if i, j := strings.Index(s, "//"), strings.LastIndexByte(s, '@'); i >= 0 && j > i {
		return s[:i+2] + "…" + s[j:]
	}
	return s
}
