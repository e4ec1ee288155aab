// Package mqtt drives a Zigbee lock and a contact sensor through Zigbee2MQTT and an MQTT 5 broker.
//
// # What the bridge must be told
//
// By default Zigbee2MQTT repeats the newest value it remembers in every message of a device, under a fresh last_seen:
// after a LOCK command the first "locked" can be hours old. So that each value is the device's own word, name them in
// Zigbee2MQTT's configuration.yaml:
//
//	advanced:
//	  last_seen: ISO_8601
//	devices:
//	  '0x000b57fffe100001':
//	    friendly_name: front_lock
//	    filtered_cache: [state, lock_state, door_state]
//	    optimistic: false
//	  '0x00124b0023000002':
//	    friendly_name: front_door
//	    filtered_cache: [contact]
//
// The driver reads the bridge's own description of itself and sees whether that is so. Where it is not, it believes a
// value only when it changes or when it answers a Poll, says so in the log, and a door that has not moved since the hub
// started stays unknown.
//
// # What is believed
//
// Retained messages are never believed: nobody knows how old they are. On a lost connection, a bridge that goes offline
// or starts, a message that cannot be read, or more messages than can be read in time, everything is unknown until
// the device speaks again. A report's age is the hub's clock minus the message's last_seen (0 without one): run NTP on both machines.
package mqtt

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// Settings are one door's. Exactly the fields with "required" must be set.
type Settings struct {
	// Broker (required) is the broker's address: mqtt://host:1883, or mqtts://host:8883 with TLS. The port may be
	// left out. Best is a broker on the hub itself, or one that the hub reaches by wire.
	Broker string `yaml:"broker"`
	// Username is the broker's user for this hub; empty for a broker that asks for none.
	Username string `yaml:"username"`
	// PasswordFile is the path of a file that holds the user's password, and nothing else, on its first line.
	PasswordFile string `yaml:"password_file"`
	// CAFile is the path of a PEM file with the certificate authority of an mqtts broker; empty: the system's own.
	CAFile string `yaml:"ca_file"`
	// Base is Zigbee2MQTT's base_topic. Default "zigbee2mqtt".
	Base string `yaml:"base_topic"`
	// Lock (required) is the lock's friendly name, as Zigbee2MQTT's device list shows it.
	Lock string `yaml:"lock"`
	// Contact is the door contact's friendly name. Without one, the lock needs a door sense of its own (door_state),
	// else no visit can ever be secured. With both, the door is closed only when both say so.
	Contact string `yaml:"contact"`
	// Smoke is the friendly name of a smoke or CO sensor: its alarm keeps the hub from locking anybody in.
	Smoke string `yaml:"smoke"`
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
		return p, fmt.Errorf("lock/mqtt: broker %q: write mqtt://host:1883 or mqtts://host:8883", redact(s.Broker))
	case u.User != nil:
		return p, errors.New("lock/mqtt: broker: write the name as username and the password into password_file, not into the address")
	}
	if u.Port() == "" {
		u.Host += map[string]string{"mqtt": ":1883", "mqtts": ":8883"}[u.Scheme]
	}
	p.url = u
	if p.Base == "" {
		p.Base = "zigbee2mqtt"
	}
	if s.Lock == "" {
		return p, errors.New("lock/mqtt: lock: write the lock's friendly name in Zigbee2MQTT")
	}
	for _, n := range []struct{ field, name string }{{"base_topic", p.Base}, {"lock", s.Lock}, {"contact", s.Contact}, {"smoke", s.Smoke}} {
		if err := checkName(n.name); err != nil {
			return p, fmt.Errorf("lock/mqtt: %s %q: %w", n.field, n.name, err)
		}
	}
	if s.Lock == s.Contact || s.Lock == s.Smoke || (s.Contact != "" && s.Contact == s.Smoke) {
		return p, errors.New("lock/mqtt: lock, contact and smoke must be different devices")
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
		return p, errors.New("lock/mqtt: ca_file needs a broker with mqtts://")
	}
	return p, nil
}

// checkName refuses what cannot be one device's topic.
func checkName(name string) error {
	switch {
	case strings.ContainsAny(name, "+#\x00"):
		return errors.New("must not contain +, # or a zero byte")
	case strings.HasPrefix(name, "/") || strings.HasSuffix(name, "/"):
		return errors.New("must not begin or end with /")
	case name == "bridge" || strings.HasPrefix(name, "bridge/"):
		return errors.New("is the bridge's own name")
	case len(name) > 1024: // a topic has at most 65,535 bytes; nobody's name comes near
		return errors.New("is too long")
	}
	return nil
}

func readSecret(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("lock/mqtt: password_file: %w", err)
	}
	line, _, _ := strings.Cut(string(b[:min(len(b), maxSecret)]), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" {
		return nil, fmt.Errorf("lock/mqtt: password_file %s: its first line is empty", path)
	}
	return []byte(line), nil
}

func readCA(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil // the system's
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("lock/mqtt: ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("lock/mqtt: ca_file %s: no certificate in it", path)
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
