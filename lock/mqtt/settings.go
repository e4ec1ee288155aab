// Package mqtt drives a lock and a contact sensor through an MQTT 5 broker: Zigbee devices behind Zigbee2MQTT, and by the plain
// conventions (homeassistant, template) whatever tells on topics of its own where its bolt is.
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
// the device speaks again. With Zigbee2MQTT a report's age is the hub's clock minus the message's last_seen (0 without one): run NTP on both machines.
//
// A plain convention has no such time: a message is as old as its way to the hub, and what the device says is taken for its own word.
// Whether it is, nobody can see from here: a device that shows an order as if it were done (optimistic) is refused where the
// settings show it, and must be found by the walk test where they do not. Such a lock must be asked (poll), or repeat itself (repeats).
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
	// Convention is how the lock speaks: zigbee2mqtt (the default), homeassistant (the topics that Home Assistant's MQTT locks have) or
	// template (plain topics and words: Nuki, and strikes behind Tasmota, ESPHome or Shelly). The keys from base_topic to smoke
	// belong to the first.
	Convention string `yaml:"convention"`
	// HomeAssistant belongs to convention homeassistant.
	HomeAssistant *HomeAssistant `yaml:"homeassistant"`
	// Template belongs to convention template.
	Template *Template `yaml:"template"`
	// Base is Zigbee2MQTT's base_topic. Default "zigbee2mqtt".
	Base string `yaml:"base_topic"`
	// Lock (required with zigbee2mqtt) is the lock's friendly name, as Zigbee2MQTT's device list shows it.
	Lock string `yaml:"lock"`
	// Contact is the door contact's friendly name. Without one, the lock needs a door sense of its own (door_state),
	// else no visit can ever be secured. With both, the door is closed only when both say so.
	Contact string `yaml:"contact"`
	// Smoke is the friendly name of a smoke or CO sensor: its alarm keeps the hub from locking anybody in.
	Smoke string `yaml:"smoke"`
}

func settings(given any) (Settings, error) {
	switch s := given.(type) {
	case Settings:
		return s, nil
	case *Settings:
		if s != nil {
			return *s, nil
		}
	}
	return Settings{}, fmt.Errorf("lock/mqtt: settings are a %T, want mqtt.Settings", given)
}

// maxSecret is how much of a password file is read: passwords are short, and a wrong path may be a disk image.
const maxSecret = 4 << 10

// plan is what Settings come to when they are checked.
type plan struct {
	Settings
	url      *url.URL
	tls      *tls.Config // nil without TLS
	password []byte
	shape    *shape // nil: Zigbee2MQTT
}

// orders are the messages that the driver sends.
func (p plan) orders() (o struct{ lock, unlock, poll say }) {
	if s := p.shape; s != nil {
		o.lock, o.unlock, o.poll = s.lock, s.unlock, s.poll
		return o
	}
	at := p.Base + "/" + p.Lock
	o.lock, o.unlock, o.poll = say{at + "/set", `{"state":"LOCK"}`}, say{at + "/set", `{"state":"UNLOCK"}`}, say{at + "/get", `{"state":""}`}
	return o
}

func (s Settings) plan() (plan, error) {
	p, err := s.reach()
	if err != nil {
		return p, err
	}
	if err := p.speak(); err != nil {
		return p, fmt.Errorf("lock/mqtt: %w", err)
	}
	return p, nil
}

// reach checks what leads to the broker.
func (s Settings) reach() (plan, error) {
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

// The conventions, as Settings.Convention names them.
const (
	zigbee2mqtt   = "zigbee2mqtt"
	homeAssistant = "homeassistant"
	template      = "template"
)

// speak checks the keys of the convention, and that no other's are set.
func (p *plan) speak() (err error) {
	var name string
	switch p.Convention {
	case "", zigbee2mqtt:
		if p.HomeAssistant != nil || p.Template != nil {
			return errors.New("convention: homeassistant and template belong to the conventions of these names: write convention: homeassistant, or template")
		}
		return p.speakZigbee()
	case homeAssistant:
		if name = homeAssistant; p.HomeAssistant != nil {
			p.shape, err = p.HomeAssistant.shape()
		}
	case template:
		if name = template; p.Template != nil {
			p.shape, err = p.Template.shape()
		}
	default:
		all := []string{zigbee2mqtt, homeAssistant, template}
		if n := nearest(p.Convention, all); n != "" {
			return fmt.Errorf("convention %.40q: did you mean %s?", p.Convention, n)
		}
		return fmt.Errorf("convention %.40q: use %s", p.Convention, strings.Join(all, ", "))
	}
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	case p.shape == nil:
		return fmt.Errorf("convention %s: write its topics under %s", name, name)
	case (name == template && p.HomeAssistant != nil) || (name == homeAssistant && p.Template != nil):
		return errors.New("homeassistant and template: keep the one of your convention")
	case p.Base != "" || p.Lock != "" || p.Contact != "" || p.Smoke != "":
		return fmt.Errorf("base_topic, lock, contact and smoke are Zigbee2MQTT's: with convention %s write all under %s", name, name)
	}
	return nil
}

func (p *plan) speakZigbee() error {
	if p.Base == "" {
		p.Base = zigbee2mqtt
	}
	if p.Lock == "" {
		return errors.New("lock: write the lock's friendly name in Zigbee2MQTT")
	}
	for _, n := range []struct{ field, name string }{{"base_topic", p.Base}, {"lock", p.Lock}, {"contact", p.Contact}, {"smoke", p.Smoke}} {
		if err := checkName(n.name); err != nil {
			return fmt.Errorf("%s %q: %w", n.field, n.name, err)
		}
	}
	if p.Lock == p.Contact || p.Lock == p.Smoke || (p.Contact != "" && p.Contact == p.Smoke) {
		return errors.New("lock, contact and smoke must be different devices")
	}
	return nil
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
