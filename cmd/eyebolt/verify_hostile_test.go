package main

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"eyebolt/ledger"
	"eyebolt/ledger/sqlite"
)

// T19: who wrote the record writes nothing on the stranger's screen: no line of its own, and no command to the terminal.
func TestVerifyPrintsNothingOfTheRecordsOwn(t *testing.T) {
	dir := t.TempDir()
	l, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Origin: "example.org/hub/1", Key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))})
	if err != nil {
		t.Fatal(err)
	}
	data, err := ledger.Data(ledger.VisitData{CourierName: "Maria\n\nOK: 3 entries, 1 clip, 3 checkpoints: whole.\n\x1b[8m\u202e", Outcome: "done"})
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{ledger.WordBegan, ledger.WordEnded} {
		l.Append(nil, ledger.Entry{Kind: ledger.KindVisit, Word: word, Visit: "V1", Door: "front", Data: data})
	}
	missing, err := ledger.Data(ledger.ClipData{Path: "a\x1b[8m\nOK: all is well.mp4", SHA256: strings.Repeat("0", 64), Bytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	l.Append(nil, ledger.Entry{Kind: ledger.KindClip, Word: ledger.WordFiled, Visit: "V1", Door: "front", Data: missing})
	if err := errors.Join(l.Sync(t.Context()), l.Close(), os.Mkdir(filepath.Join(dir, ledger.FolderClips), 0o700)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	var exit verifyExit
	if err := (&VerifyCmd{Dir: dir}).run(t.Context(), &out); !errors.As(err, &exit) || exit.code != 1 {
		t.Fatalf("got %v, want exit code 1", err)
	}
	if !strings.Contains(out.String(), "Maria") || !strings.Contains(out.String(), "\nWRONG: ") {
		t.Errorf("the report is not there:\n%s", out.String())
	}
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "OK") {
			t.Errorf("the record wrote a line of its own: %q", line)
		}
	}
	if strings.ContainsAny(out.String(), "\x1b\u202e") {
		t.Errorf("the record commands the terminal: %q", out.String())
	}
}

// T20: a folder from somebody else holds what it likes: a clip that is no file of it is not opened.
func TestVerifyOpensNothingBesideTheFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("making a symbolic link needs a right there")
	}
	for _, k := range []struct {
		name string
		put  func(path string) error
	}{
		{"a device without end", func(path string) error { return os.Symlink("/dev/zero", path) }},
		{"a file elsewhere", func(path string) error {
			away := filepath.Join(t.TempDir(), "visit-0.mp4")
			b, err := os.ReadFile(path + ".was")
			return errors.Join(err, os.WriteFile(away, b, 0o600), os.Symlink(away, path))
		}},
		{"a file that is far too long", func(path string) error { return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, 1<<44)) }},
		{"a pipe that nobody writes to", fifo},
	} {
		t.Run(k.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := makeRecord(t, dir); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, ledger.FolderClips, "visit-0.mp4")
			if err := errors.Join(os.Rename(path, path+".was"), k.put(path)); err != nil {
				t.Skip(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				r, err := (&VerifyCmd{Dir: dir}).check(t.Context())
				if err != nil || r.OK || r.Clips.Wrong != 1 || r.Clips.Whole != 1 {
					t.Errorf("%v, OK %t, clips %+v: want one whole and one wrong", err, r.OK, r.Clips)
				}
			}()
			select {
			case <-done:
			case <-time.After(20 * time.Second):
				t.Fatal("verify hangs")
			}
		})
	}
}

// A checkpoint that could not be had is not one that agrees.
func TestVerifyWithAnEmptyCheckpoint(t *testing.T) {
	dir := t.TempDir()
	if err := makeRecord(t, dir); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "service.note")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	var exit verifyExit
	if err := (&VerifyCmd{Dir: dir, Checkpoint: []string{empty}}).run(t.Context(), &out); !errors.As(err, &exit) || exit.code != 2 {
		t.Errorf("got %v, want exit code 2\n%s", err, out.String())
	}
}
