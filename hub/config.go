// Package hub is the home: one deterministic core that takes what happened and says what to do. It owns no clock, no
// goroutine, no device and no randomness; time and random bytes are handed in, so that the same inputs give the same
// effects, in a simulator as in a house. Package hub/run gives it hands.
//
// The flow has one direction: an [Input] becomes a fact, interlock.Step decides, its commands become [Effect]s. The
// effects that touch a bolt come first in the list and wait for nothing (S5).
//
// Everything that the hub must know after a restart lies in its ledger: at boot the whole log is replayed
// ([Core.Replay]), so what the hub believes can be checked by a stranger from the same file.
package hub

import (
	"errors"
	"fmt"
	"io"
	"time"

	"eyebolt/grant"
	"eyebolt/interlock"
)

// Config is one home.
type Config struct {
	ID     string    // the hub's name on the bus and in every grant: [a-z0-9-], at most 64 bytes
	RP     grant.RP  // the relying party that residents' and couriers' passkeys were made for
	Epoch  uint32    // raised when a hub was restored or cloned: grants of another epoch are refused (T29)
	Doors  []Door    // at least one
	Random io.Reader // 16 bytes a visit, 32 a nonce, 17 a pairing code

	// AddResident shows one more pairing code at boot although a resident is paired already.
	AddResident bool
}

// Door is one door of the home.
type Door struct {
	Name    string           // [a-z0-9-], at most 64 bytes; unique in the hub
	Cameras []string         // names; the watch is live while any one of them is (S18)
	Limits  interlock.Limits // incomplete limits never unlock (S13)
	Walk    Walk             // what was proven of its devices; nothing is: then nobody is let in (S9, S11)
}

// Walk is what a door's walk test (package hub/walk) is worth for the devices that the door has now. The zero Walk proves nothing.
type Walk struct {
	Passed bool
	Made   time.Time
	Say    string // in one or two sentences, for whoever set the hub up; at most 1000 bytes of it are kept
	Sum    string // SHA-256 of the certificate's file in hex, for the record; empty if there is none
}

// MaxDoors bounds a hub. One hub is for one home; tens of doors are an apartment house's hallway cabinet.
const MaxDoors = 64

// maxCameras bounds the cameras of one door: the combined verdict is computed at every change of any of them.
const maxCameras = 8

// At is the moment of an input.
type At struct {
	Mono time.Duration // monotonic, since the hub's boot; never goes back
	Wall time.Time     // the machine's own wall clock, trusted only as a stamp until the service has vouched for it (T15)
}

// Check says what is missing in c, naming the field.
func (c Config) Check() error {
	if !nameOK(c.ID) {
		return fmt.Errorf("hub id %q: use 1 to 64 of a-z, 0-9 and -", c.ID)
	}
	if c.Random == nil {
		return errors.New("hub: no source of randomness was given")
	}
	if len(c.Doors) == 0 || len(c.Doors) > MaxDoors {
		return fmt.Errorf("hub: %d doors: configure 1 to %d", len(c.Doors), MaxDoors)
	}
	seen := map[string]bool{}
	for _, d := range c.Doors {
		if !nameOK(d.Name) {
			return fmt.Errorf("door %q: use 1 to 64 of a-z, 0-9 and -", d.Name)
		}
		if seen[d.Name] {
			return fmt.Errorf("door %q is configured twice", d.Name)
		}
		seen[d.Name] = true
		if len(d.Cameras) == 0 || len(d.Cameras) > maxCameras {
			return fmt.Errorf("door %q: %d cameras: configure 1 to %d (no eye, no bolt)", d.Name, len(d.Cameras), maxCameras)
		}
	}
	return nil
}

func nameOK(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		b := s[i]
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '-' {
			return false
		}
	}
	return true
}

// RP and Limits are grant's and interlock's, for those who wire a hub.
type (
	RP     = grant.RP
	Limits = interlock.Limits
)
