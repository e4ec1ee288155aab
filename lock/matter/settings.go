// Package matter drives a Matter lock and its sensors through the WebSocket server of the Open Home Foundation: python-matter-server,
// the Matter Server add-on of Home Assistant, or their successor in JavaScript, which speaks the same words.
//
// # What is believed
//
// The bolt is where the lock's own answer to a read says (attribute LockState), and nowhere else. What the server remembers of a node,
// and tells a newcomer, is no report: it survives restarts of both. Whatever is told of the bolt without a question is a reason to ask.
// Three things are believed without one, since each makes the home less safe: that the bolt is drawn, that it is jammed, and that it is
// not fully thrown.
//
// The door is where the contact says that it is (cluster Boolean State), asked or not; a lock with a door sense (door_sense) answers for
// it with the bolt. When the connection or a node is gone, all that it said is unknown.
//
// # What is sent, and what may happen to it
//
// The server keeps no order from a lock that does not answer: left to itself it repeats one for a dozen seconds, puts others behind it,
// and carries all of them out when the lock is back, even if whoever asked is gone. So an order is bounded three times. It is written
// only when the lock answered a fresh read on this connection within the order's own second, with nothing of ours left behind it in the
// server. It carries the server's interaction timeout, which ends the repeating (carryLimit). And it is a timed interaction: the lock is
// asked first to expect it, and refuses what comes later than that (timedLimit). Both were measured against the real server: a lock that
// was out of reach for six seconds drew when it came back without the first limit, and never with it.
//
// What remains is the server's own queue: an order that waits there, because somebody else's command has the lock, has no limit. So this
// driver does not claim Expiry. An order of which nothing is heard is a failure, bolt and health are unknown, and no other order leaves
// until the lock has answered again and lingerLimit is over; what draws late is seen and told (S12).
package matter

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"eyebolt/lock/ws"
)

// Settings are one door's. Exactly the fields with "required" must be set. A device is named by its node's number in the server (5), by
// its number and endpoint (5/2) where a node has several of its kind, or by the name (NodeLabel) that its owner gave the node.
type Settings struct {
	// URL (required) is the server's address: ws://127.0.0.1:5580/ws, or wss:// with TLS. The server asks nobody for a password: let it
	// listen on the hub itself, or behind a TLS proxy that does ask for who comes from where.
	URL string `yaml:"url"`
	// CAFile is the path of a PEM file with the certificate authority of a wss server; empty: the system's own.
	CAFile string `yaml:"ca_file"`
	// Lock (required) is the lock.
	Lock string `yaml:"lock"`
	// Contact is the door contact. Without one, the lock needs a door sense of its own (door_sense), else no visit can ever be secured.
	Contact string `yaml:"contact"`
	// Smoke is a smoke or CO alarm: its alarm keeps the hub from locking anybody in.
	Smoke string `yaml:"smoke"`
	// DoorSense says that the lock knows by itself whether the door is closed (feature Door Position Sensor). With a contact as well,
	// the door is closed only when both say so.
	DoorSense bool `yaml:"door_sense"`
	// PINFile is the path of a file that holds, on its first line, a PIN code of the lock: for locks that demand one for commands from
	// afar (attribute RequirePINforRemoteOperation).
	PINFile string `yaml:"pin_file"`
	// Prove is how often lock and sensors are asked, outside of visits, whether they still answer. Each question may wake a battery
	// lock. 10s to 24h, default 10m: 144 questions a day. A lock that is lost is told within Prove and answerLimit.
	Prove time.Duration `yaml:"prove"`
}

const (
	proveDefault = 10 * time.Minute
	proveLeast   = 10 * time.Second
	proveMost    = 24 * time.Hour
	// maxName bounds a name in the settings; a NodeLabel has at most 32 characters (Matter Core Specification, Basic Information).
	maxName = 128
	// pinLeast and pinMost bound a PIN: locks choose their own lengths between them (Door Lock cluster, Min/MaxPINCodeLength).
	pinLeast = 4
	pinMost  = 32
)

// plan is what Settings come to when they are checked.
type plan struct {
	Settings
	target ws.Target
	pin    []byte // nil: none
}

func (s Settings) plan() (plan, error) {
	p := plan{Settings: s}
	var err error
	if p.target, err = ws.Aim(s.URL, s.CAFile, "ws://127.0.0.1:5580/ws"); err != nil {
		return p, fmt.Errorf("lock/matter: %w", err)
	}
	if s.Lock == "" {
		return p, errors.New("lock/matter: lock: write the number of the lock's node, or its name, in the Matter server")
	}
	for _, n := range []struct{ field, name string }{{"lock", s.Lock}, {"contact", s.Contact}, {"smoke", s.Smoke}} {
		if len(n.name) > maxName {
			return p, fmt.Errorf("lock/matter: %s: the name is too long", n.field)
		}
		if id, ok := number(n.name); ok && (id.node == 0 || id.node >= testNodes) {
			return p, fmt.Errorf("lock/matter: %s %d: a node's number is 1 to %d", n.field, id.node, testNodes-1)
		}
	}
	if p.pin, err = readPIN(s.PINFile); err != nil {
		return p, err
	}
	switch {
	case s.Prove == 0:
		p.Prove = proveDefault
	case s.Prove < proveLeast || s.Prove > proveMost:
		return p, fmt.Errorf("lock/matter: prove %v: give a span from %v to %v", s.Prove, proveLeast, proveMost)
	}
	return p, nil
}

// number reads "5" or "5/2"; false for a name.
func number(s string) (place, bool) {
	n, e, both := strings.Cut(s, "/")
	node, err := strconv.ParseUint(n, 10, 64)
	if err != nil {
		return place{}, false
	}
	if !both {
		return place{node: node, endpoint: anyEndpoint}, true
	}
	endpoint, err := strconv.ParseUint(e, 10, 16)
	if err != nil {
		return place{}, false
	}
	return place{node: node, endpoint: int(endpoint)}, true
}

// readPIN reads the file's first line. Its error holds nothing of it.
func readPIN(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("lock/matter: pin_file: %w", err)
	}
	defer func() { _ = f.Close() }()
	b := make([]byte, pinMost+3)
	n, err := f.Read(b)
	if err != nil {
		return nil, fmt.Errorf("lock/matter: pin_file %s cannot be read, or is empty: %w", path, err)
	}
	line, _, _ := strings.Cut(string(b[:n]), "\n")
	line = strings.TrimSuffix(line, "\r")
	if CheckPIN(line) != nil {
		return nil, fmt.Errorf("lock/matter: pin_file %s: its first line must be %d to %d digits and nothing else", path, pinLeast, pinMost)
	}
	return []byte(line), nil
}

// CheckPIN says whether a text can be a PIN code of a lock. Its error holds nothing of it.
func CheckPIN(pin string) error {
	if len(pin) < pinLeast || len(pin) > pinMost || strings.Trim(pin, "0123456789") != "" {
		return fmt.Errorf("a PIN code is %d to %d digits and nothing else", pinLeast, pinMost)
	}
	return nil
}
