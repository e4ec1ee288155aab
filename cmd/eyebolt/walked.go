package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"

	"eyebolt/hub"
	door "eyebolt/hub/walk"
	"eyebolt/interlock"
)

// walkFile is where a door's certificate lies.
func walkFile(state, door string) string { return filepath.Join(state, "doors", door+".walk.json") }

// walkedCamera is what of a camera's settings a walk test depends on. A camera's password may change, and where its pictures come from
// may not.
type walkedCamera struct {
	Name, URL, Transport, CertHash, Link string
}

// walkedFor names the lock and the cameras that a door's walk test is made with: SHA-256 over all that says which they are. Keys that
// are left empty do not count, so that a new version of Eyebolt with more of them asks nobody to walk again.
func (d DoorConfig) walkedFor() (string, error) {
	raw, err := yaml.Marshal(d.Lock)
	if err != nil {
		return "", fmt.Errorf("door %s: %w", d.Name, err)
	}
	var lock map[string]any
	if err := yaml.Unmarshal(raw, &lock); err != nil {
		return "", fmt.Errorf("door %s: %w", d.Name, err)
	}
	cameras := []walkedCamera{}
	for _, c := range d.Cameras {
		at := c.URL
		if u, err := url.Parse(c.URL); err == nil {
			u.User = nil
			at = u.String()
		}
		cameras = append(cameras, walkedCamera{c.Name, at, or(c.Transport, "tcp"), c.CertHash, or(c.Link, "wifi")})
	}
	all, err := json.Marshal(map[string]any{"door": d.Name, "lock": full(lock), "cameras": cameras}) // names in order
	if err != nil {
		return "", fmt.Errorf("door %s: %w", d.Name, err)
	}
	sum := sha256.Sum256(all)
	return hex.EncodeToString(sum[:]), nil
}

// full leaves out what is empty.
func full(m map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		if sub, ok := v.(map[string]any); ok {
			if sub = full(sub); len(sub) > 0 {
				out[k] = sub
			}
			continue
		}
		if v != nil && v != "" && v != false && fmt.Sprint(v) != "0" && fmt.Sprint(v) != "0s" {
			out[k] = v
		}
	}
	return out
}

// walked reads what a door's walk test is worth now. A file that cannot be read is worth nothing, and says why.
func walked(state string, d DoorConfig, key ed25519.PublicKey) (hub.Walk, door.Certificate, error) {
	made, err := d.walkedFor()
	if err != nil {
		return hub.Walk{}, door.Certificate{}, err
	}
	raw, err := os.ReadFile(walkFile(state, d.Name))
	if errors.Is(err, fs.ErrNotExist) {
		_, say := (door.Certificate{}).Worth(d.Name, made)
		return hub.Walk{Say: say}, door.Certificate{}, nil
	}
	if err != nil {
		return hub.Walk{Say: "Its certificate cannot be read: " + err.Error()}, door.Certificate{}, nil
	}
	c, err := door.Parse(raw, key)
	if err != nil {
		return hub.Walk{Say: "Its certificate is not taken: " + err.Error()}, door.Certificate{}, nil
	}
	standing, say := c.Worth(d.Name, made)
	return hub.Walk{Passed: standing == door.Holds, Made: c.Made, Say: say, Sum: door.Sum(sha256.Sum256(raw))}, c, nil
}

// keepWalk writes a door's certificate: after a power cut the file is the old one or the new one.
func keepWalk(state string, key ed25519.PrivateKey, c door.Certificate) error {
	raw, err := c.Encode(key)
	if err == nil {
		err = folders(syncFolder).replace(walkFile(state, c.Door), raw)
	}
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	return nil
}

// certified lays what a walk test has proven over a door's limits: a contact that was heard to speak by itself is believed for no longer
// than its silence allows (S12, S13).
func certified(l interlock.Limits, c door.Certificate) interlock.Limits {
	if stale := c.DoorStale(); stale > 0 {
		l.DoorStale = min(l.DoorStale, interlock.Millis(stale.Milliseconds()))
	}
	return l
}
