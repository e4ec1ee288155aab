//go:build unix

package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// With sudo on somebody's folder nothing is made that his hub could not read: it is refused with the command to run. The owner himself, and
// root in root's own folder, go on.
func TestRootLeavesNothingInAnothersFolder(t *testing.T) {
	dir := t.TempDir()
	config, state := filepath.Join(dir, "hub.yaml"), filepath.Join(dir, "hub-state")
	if os.Geteuid() != 0 {
		// Here every folder is somebody's, and root is only said.
		if err := asOwner(0, []string{"eyebolt", "hub"}, config, state); err == nil {
			t.Error("root would write into another's folder")
		}
		if err := asOwner(os.Geteuid(), nil, config, state); err != nil {
			t.Errorf("the owner: %v", err)
		}
		return
	}
	if err := asOwner(0, nil, config, state); err != nil {
		t.Errorf("root at home: %v", err)
	}
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if err := asOwner(65534, nil, config, state); err != nil {
		t.Errorf("the owner: %v", err)
	}
	err := asOwner(0, []string{"bin/eyebolt", "hub", "setup", "--config", "my hub.yaml"}, config, state)
	if err == nil || !strings.Contains(err.Error(), "sudo -u ") || !strings.Contains(err.Error(), "bin/eyebolt hub setup --config 'my hub.yaml'") {
		t.Errorf("root in another's folder: %v", err)
	}
	if err := (&HubSetupCmd{Config: config, Listen: "127.0.0.1:0", out: io.Discard}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "sudo -u ") {
		t.Errorf("the set-up: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("it made %v", left)
	}
	// A folder of root's with a state of the service's user.
	if err := os.Chown(dir, 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(state, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	file := []byte("id: oak\nstate: " + state + "\ndoors:\n  - name: front\n")
	if err := os.WriteFile(config, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&HubWalkCmd{Config: config, Listen: "127.0.0.1:0", Log: "warn", out: io.Discard}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "sudo -u ") {
		t.Errorf("the walk test: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(state, "*")); len(left) > 0 {
		t.Errorf("it made %v", left)
	}
}
