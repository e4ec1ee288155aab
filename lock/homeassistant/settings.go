// Package homeassistant drives a lock and a contact through Home Assistant's WebSocket API.
//
// # What Home Assistant knows, and what it does not
//
// A state in Home Assistant is the newest value that an integration wrote, however it came to it: a report, a wish, or what it
// remembers of before a restart. A service that was called has succeeded when the integration passed the command on. Whether a device
// has spoken since, a state does not say. So a state by itself is never believed that says thrown or closed (S9, S13). What is believed
// is the device's own word beside it: the attribute that repeats its word (Bolt, Door), written together with a newer time at
// which it was heard (Seen). Zigbee2MQTT gives both to Home Assistant, if its configuration says
//
//	advanced: {last_seen: ISO_8601}
//	devices:
//	  '0x000b57fffe100001': {friendly_name: front_lock, filtered_cache: [state, lock_state, door_state], optimistic: false}
//	  '0x00124b0023000002': {friendly_name: front_door, filtered_cache: [contact]}
//
// An integration that has no such attribute cannot prove where a bolt is; its lock is refused, with a sentence that says so. What makes
// the home less safe, a bolt that is drawn or jams, a door that opens, is believed at once.
//
// # What may come late
//
// An order leaves only if Home Assistant answered just before and the lock spoke itself within the last 12 s. Then it is the
// integration's: Home Assistant has no word for "not after", so Expiry is not claimed, and the hub sees a late draw, bolts again
// and raises the alarm (S12). Home Assistant repeats nothing after a restart.
package homeassistant

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"eyebolt/lock/ws"
)

// Settings are one door's.
type Settings struct {
	// URL (required) is the WebSocket API: ws://host:8123/api/websocket, or wss:// with TLS.
	URL string `yaml:"url"`
	// CAFile is the path of a PEM file with the certificate authority of a wss server; empty: the system's own.
	CAFile string `yaml:"ca_file"`
	// TokenFile (required) is the path of a file with a long-lived access token on its first line: in Home Assistant, your profile,
	// Security. Its user needs to see and command the lock, and nothing else.
	TokenFile string `yaml:"token_file"`
	// Lock (required) is the lock's entity, such as lock.front, or the name that Home Assistant shows.
	Lock string `yaml:"lock"`
	// Contact is the door contact's entity, or its name. Without one no visit can ever be secured.
	Contact string `yaml:"contact"`
	// Smoke is the entity or name of a smoke or CO sensor: its alarm keeps the hub from locking anybody in.
	Smoke string `yaml:"smoke"`
	// Battery is the entity or name of the sensor with the lock's charge in percent.
	Battery string `yaml:"battery"`
	// Ask (required) is the service that has the lock asked where its bolt is. For Zigbee2MQTT:
	// {service: mqtt.publish, data: {topic: zigbee2mqtt/front_lock/get, payload: '{"state": ""}'}}
	Ask Ask `yaml:"ask"`
	// Seen is the attribute of lock and contact with the time at which the device was heard. Default last_seen.
	Seen string `yaml:"seen"`
	// Bolt is the attribute of the lock with its own word: locked, unlocked, or not_fully_locked. Default lock_state.
	Bolt string `yaml:"bolt"`
	// Door is the attribute of the contact with its own word: true or closed, false or open. Default contact.
	Door string `yaml:"door"`
	// Prove is how often the lock is asked, outside of visits, whether it still answers. 10s to 24h, default 10m.
	Prove time.Duration `yaml:"prove"`
}

// Ask is a service and what it is called with.
type Ask struct {
	Service string         `yaml:"service"`
	Data    map[string]any `yaml:"data"`
}

const (
	proveDefault = 10 * time.Minute
	proveLeast   = 10 * time.Second
	proveMost    = 24 * time.Hour
	maxName      = 255 // of an entity, in Home Assistant's own database
	maxAsk       = 4 << 10
	maxToken     = 4 << 10
)

// plan is what Settings come to when they are checked.
type plan struct {
	Settings
	target  ws.Target
	token   string
	domain  string // of Ask's service
	service string
	data    json.RawMessage
}

var serviceName = regexp.MustCompile(`^([a-z0-9_]+)\.([a-z0-9_]+)$`)

func (s Settings) plan() (plan, error) {
	p, err := s.reach()
	if err != nil {
		return p, err
	}
	if s.Lock == "" {
		return p, errors.New("lock/homeassistant: lock: write the lock's entity, such as lock.front, or its name")
	}
	names := []struct{ field, name string }{{"lock", s.Lock}, {"contact", s.Contact}, {"smoke", s.Smoke}, {"battery", s.Battery}}
	for i, n := range names {
		if len(n.name) > maxName {
			return p, fmt.Errorf("lock/homeassistant: %s: the name is too long", n.field)
		}
		for _, o := range names[:i] {
			if n.name != "" && n.name == o.name {
				return p, fmt.Errorf("lock/homeassistant: %s and %s must be different entities", o.field, n.field)
			}
		}
	}
	m := serviceName.FindStringSubmatch(s.Ask.Service)
	if m == nil {
		return p, errors.New(`lock/homeassistant: ask: write the service that has the lock asked where its bolt is, such as {service: mqtt.publish, data: {topic: zigbee2mqtt/front_lock/get, payload: '{"state": ""}'}}`)
	}
	p.domain, p.service = m[1], m[2]
	if p.domain == "lock" {
		return p, errors.New("lock/homeassistant: ask: a service of locks moves the bolt; write one that asks")
	}
	if p.data, err = json.Marshal(s.Ask.Data); err != nil || len(p.data) > maxAsk {
		return p, errors.New("lock/homeassistant: ask: data must be words, numbers and lists, of at most 4 KiB")
	}
	for _, d := range []struct {
		to   *string
		word string
	}{{&p.Seen, "last_seen"}, {&p.Bolt, "lock_state"}, {&p.Door, "contact"}} {
		if *d.to == "" {
			*d.to = d.word
		}
	}
	switch {
	case s.Prove == 0:
		p.Prove = proveDefault
	case s.Prove < proveLeast || s.Prove > proveMost:
		return p, fmt.Errorf("lock/homeassistant: prove %v: give a span from %v to %v", s.Prove, proveLeast, proveMost)
	}
	return p, nil
}

// reach is the part of a plan that is needed to speak to Home Assistant at all.
func (s Settings) reach() (plan, error) {
	p := plan{Settings: s}
	var err error
	if p.target, err = ws.Aim(s.URL, s.CAFile, "ws://127.0.0.1:8123/api/websocket"); err != nil {
		return p, fmt.Errorf("lock/homeassistant: %w", err)
	}
	p.token, err = readToken(s.TokenFile)
	return p, err
}

func readToken(path string) (string, error) {
	if path == "" {
		return "", errors.New("lock/homeassistant: token_file: write the path of a file with a long-lived access token (in Home Assistant: your profile, Security)")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("lock/homeassistant: token_file: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxToken))
	if err != nil {
		return "", fmt.Errorf("lock/homeassistant: token_file: %w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if line = strings.TrimSpace(line); line == "" {
		return "", fmt.Errorf("lock/homeassistant: token_file %s: its first line is empty", path)
	}
	return line, nil
}
