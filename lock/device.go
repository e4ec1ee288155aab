package lock

import (
	"context"
	"log/slog"
)

// Kind says what a device is for a door.
type Kind uint8

const (
	KindOther   Kind = iota
	KindLock         // draws and throws a bolt
	KindContact      // tells whether a door stands open
	KindSmoke        // tells of smoke or carbon monoxide
)

// Device is one thing that a peer knows and a door may be paired to. Its texts come from outside: at most 256 bytes each, and
// not trusted to be printable.
type Device struct {
	ID   string // what a driver's settings call it: what is written into the hub's configuration
	Name string // what its owner called it
	Make string // who made it and what it is, as the peer says; may be empty
	Kind Kind
	Can  Can    // of a lock, as far as the peer can tell before anybody has tried
	PIN  bool   // of a lock: it takes orders from afar with a PIN only
	Why  string // not empty: why no door can be paired to it, and what to do about that
	Note string // not empty: a door can be paired to it, but something should be set up better at its peer, or given besides
}

// List asks a peer once for the devices that it knows, those first that a door can use. Each driver has one. It
// changes nothing at the peer, gives up when ctx ends, and returns at most MostDevices; settings need not name a lock yet.
type List func(ctx context.Context, settings any, log *slog.Logger) ([]Device, error)

// MostDevices bounds a list.
const MostDevices = 1000
