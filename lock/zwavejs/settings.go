// Package zwavejs drives a Z-Wave lock and its sensors through the WebSocket server of Z-Wave JS: zwave-js-server, the Z-Wave JS
// add-on of Home Assistant, or Z-Wave JS UI.
//
// # What is believed
//
// The bolt is where the lock's own answer to a question says (a Door Lock Operation Report to our Get), and nowhere else. The
// server's currentMode is no report: it is set when the radio says that a command was heard, and it survives restarts. Whatever
// the server tells of the bolt is a reason to ask. Two things are believed without a question, since both make the home less safe:
// a notification of the lock that somebody drew the bolt, and one that it is jammed. targetMode is never looked at.
//
// The door is where the contact said that it is, on this connection: a contact sleeps and cannot be asked, so after each
// connection the door is unknown until it moves. A lock with a door sense (door_sense) answers for it with the bolt.
//
// Smoke is what the sensor says, and after each connection, or when words were lost, what the server last heard of it: a sensor speaks
// only when something changes, and a fire that began meanwhile would be told nowhere else. A server that was off itself heard nothing.
//
// # What is sent, and what may happen to it
//
// An order is written once and only while the connection, the server and the stick prove that they live: the server asks its
// stick (is the node failed?), and the answer must come before the order leaves. The lock itself must have answered within
// answerLife. From there on the order is the server's: it queues commands (one at a time is on the air), sends each up to three
// times to a lock that does not acknowledge, and has no word for "not after". So this driver does not claim Expiry, and what draws
// late is seen and told (S12). Nothing is repeated after a restart of the server or the stick.
package zwavejs

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"eyebolt/lock/ws"
)

// Settings are one door's. Exactly the fields with "required" must be set.
type Settings struct {
	// URL (required) is the server's address: ws://127.0.0.1:3000, or wss://host with TLS. The server asks nobody for a password:
	// let it listen on the hub itself, or behind a TLS proxy that does ask for who comes from where.
	URL string `yaml:"url"`
	// CAFile is the path of a PEM file with the certificate authority of a wss server; empty: the system's own.
	CAFile string `yaml:"ca_file"`
	// Lock (required) is the lock's node number (2 to 4000), or its name in Z-Wave JS.
	Lock string `yaml:"lock"`
	// Contact is the door contact's node number or name. Without one, the lock needs a door sense of its own (door_sense), else no
	// visit can ever be secured.
	Contact string `yaml:"contact"`
	// Smoke is the number or name of a smoke or CO sensor: its alarm keeps the hub from locking anybody in.
	Smoke string `yaml:"smoke"`
	// DoorSense says that the lock knows by itself whether the door is closed. Many locks report a door that they cannot sense, so
	// it is off by default. With a contact as well, the door is closed only when both say so.
	DoorSense bool `yaml:"door_sense"`
	// Prove is how often the lock is asked, outside of visits, whether it still answers: the server goes on answering when its stick
	// is gone or the lock's batteries are empty. Each question wakes a battery lock for about a second. 10s to 24h, default 10m:
	// 144 questions a day. A lock that is lost is told within Prove and answerLimit.
	Prove time.Duration `yaml:"prove"`
}

const (
	proveDefault = 10 * time.Minute
	proveLeast   = 10 * time.Second
	proveMost    = 24 * time.Hour
	// maxNode is the largest node number: Z-Wave Long Range ends at 4000.
	maxNode = 4000
	// maxName bounds a name in the settings; Z-Wave JS keeps names of its own choice.
	maxName = 256
)

// plan is what Settings come to when they are checked.
type plan struct {
	Settings
	target ws.Target
}

func (s Settings) plan() (plan, error) {
	p := plan{Settings: s}
	var err error
	if p.target, err = ws.Aim(s.URL, s.CAFile, "ws://127.0.0.1:3000"); err != nil {
		return p, fmt.Errorf("lock/zwavejs: %w", err)
	}
	if s.Lock == "" {
		return p, errors.New("lock/zwavejs: lock: write the lock's node number or its name in Z-Wave JS")
	}
	for _, n := range []struct{ field, node string }{{"lock", s.Lock}, {"contact", s.Contact}, {"smoke", s.Smoke}} {
		if id, err := strconv.Atoi(n.node); err == nil && (id < 2 || id > maxNode) {
			return p, fmt.Errorf("lock/zwavejs: %s %d: a node's number is 2 to %d (1 is the stick)", n.field, id, maxNode)
		}
		if len(n.node) > maxName {
			return p, fmt.Errorf("lock/zwavejs: %s: the name is too long", n.field)
		}
	}
	if s.Lock == s.Contact || s.Lock == s.Smoke || (s.Contact != "" && s.Contact == s.Smoke) {
		return p, errors.New("lock/zwavejs: lock, contact and smoke must be different nodes; a lock that senses its door itself has door_sense: true")
	}
	switch {
	case s.Prove == 0:
		p.Prove = proveDefault
	case s.Prove < proveLeast || s.Prove > proveMost:
		return p, fmt.Errorf("lock/zwavejs: prove %v: give a span from %v to %v", s.Prove, proveLeast, proveMost)
	}
	return p, nil
}
