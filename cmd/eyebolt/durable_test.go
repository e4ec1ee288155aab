package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// T18: a power cut right after a certificate was kept leaves that certificate: its name, and its folder's, are made durable once they are
// in place, and a disk that cannot do so is told.
func TestReplaceIsDurable(t *testing.T) {
	state := t.TempDir()
	path := filepath.Join(state, "doors", "front.walk.json")
	var synced []string
	record := folders(func(dir string) error {
		if b, err := os.ReadFile(path); err != nil || string(b) != "new" {
			t.Errorf("%s is made durable before the file has its name: %q, %v", dir, b, err)
		}
		synced = append(synced, dir)
		return nil
	})
	if err := record.replace(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if want := []string{state, filepath.Join(state, "doors")}; !slices.Equal(synced, want) {
		t.Errorf("durable names: %v, want %v", synced, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	failing := folders(func(string) error { return errors.New("disk") })
	if err := failing.replace(path, []byte("newer")); err == nil || !strings.Contains(err.Error(), "disk") {
		t.Errorf("a folder that could not be synced was not told: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(state, "doors", ".*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	if err := folders(syncFolder).replace(path, []byte("newest")); err != nil {
		t.Error(err)
	}
}
