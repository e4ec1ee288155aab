package sqlite

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"eyebolt/ledger"
)

func testConfig(dir string) Config {
	return Config{Dir: dir, Origin: "example.org/hub/1", Key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)), Wall: func() time.Time { return time.Unix(1, 0) }}
}

func testLog(t *testing.T) *Log {
	t.Helper()
	l, err := Open(t.Context(), testConfig(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var boot = ledger.Entry{Kind: ledger.KindBoot, Word: "boot"}

// T18: the disk refuses a commit: everybody who waits for it is told, in order; nothing of it stays; and the next is tried
// on a database that was opened and read anew.
func TestFailedCommit(t *testing.T) {
	for name, pragma := range map[string]string{
		"read-only": `PRAGMA query_only = ON`,
		"full":      `PRAGMA max_page_count = 1`, // SQLite takes its present size: the next page does not fit
	} {
		t.Run(name, func(t *testing.T) {
			l := testLog(t)
			defer l.Close()
			l.Append(nil, boot, boot)
			before, err := l.Checkpoint(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.writes.Exec(pragma); err != nil { // the writer is idle: Checkpoint has returned
				t.Fatal(err)
			}
			var told []error
			big := boot
			big.Data = bytes.Repeat([]byte("full "), 12_000)
			for range 3 {
				l.Append(func(err error) { told = append(told, err) }, big)
			}
			if err := l.Sync(t.Context()); !errors.Is(err, ledger.ErrFailed) && len(told) == 3 && told[2] != nil {
				t.Errorf("Sync after a failed commit: %v", err)
			}
			failed := 0
			for _, err := range told {
				if errors.Is(err, ledger.ErrFailed) {
					failed++
				}
			}
			if failed == 0 || len(told) != 3 {
				t.Fatalf("told %v", told)
			}
			l.Append(nil, boot)
			after, err := l.Checkpoint(t.Context())
			if err != nil {
				t.Fatalf("the next commit: %v", err)
			}
			if want := before.Size + uint64(3-failed) + 1; after.Size != want || l.Size() != want {
				t.Errorf("size %d after %d failures, want %d", after.Size, failed, want)
			}
			proof, err := l.Consistency(t.Context(), before.Size, after.Size)
			if err != nil {
				t.Fatal(err)
			}
			if err := ledger.CheckConsistency(before, after, proof); err != nil {
				t.Error(err)
			}
		})
	}
}

// The database goes away under the writer: it says so each time, and goes on where it was when it is back.
func TestDatabaseLost(t *testing.T) {
	l := testLog(t)
	defer l.Close()
	l.Append(nil, boot)
	if err := l.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := l.cfg.Dir
	l.cfg.Dir = filepath.Join(dir, "nowhere") // the writer is idle
	if err := l.writes.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		l.Append(nil, boot)
		if err := l.Sync(t.Context()); !errors.Is(err, ledger.ErrFailed) {
			t.Fatalf("without a database: %v", err)
		}
	}
	if l.Size() != 1 {
		t.Errorf("size %d, want 1", l.Size())
	}
	l.cfg.Dir = dir
	l.Append(nil, boot)
	if err := l.Sync(t.Context()); err != nil || l.Size() != 2 {
		t.Errorf("with it again: %v, size %d", err, l.Size())
	}
}

// What waits is bounded, and whoever is over the bound is told in his turn.
func TestQueueIsBounded(t *testing.T) {
	l := testLog(t)
	defer l.Close()
	hold, held := make(chan struct{}), make(chan struct{})
	l.Append(func(error) { close(held); <-hold }, boot)
	<-held // the writer is busy from here on
	var order []int
	var full, bad int
	tell := func(i int) func(error) {
		return func(err error) {
			order = append(order, i)
			switch {
			case errors.Is(err, ledger.ErrFull):
				full++
			case errors.Is(err, ledger.ErrEntry):
				bad++
			case err != nil:
				t.Error(err)
			}
		}
	}
	n := 0
	appendOne := func(e ...ledger.Entry) { l.Append(tell(n), e...); n++ }
	many := make([]ledger.Entry, maxQueued/2)
	for i := range many {
		many[i] = boot
	}
	appendOne(many...)
	appendOne(ledger.Entry{Kind: "Not A Word"})
	appendOne(many...)
	appendOne(boot) // one too many
	appendOne(boot, ledger.Entry{Kind: ledger.KindFact, Data: make([]byte, ledger.MaxData+1)})
	close(hold)
	if err := l.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	appendOne(boot) // there is room again
	if err := l.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, got := range order {
		if got != i {
			t.Fatalf("told in the order %v", order)
		}
	}
	if len(order) != n || full != 1 || bad != 2 {
		t.Errorf("%d of %d told, %d full, %d refused; want all, 1, 2", len(order), n, full, bad)
	}
	if want := uint64(maxQueued + 2); l.Size() != want {
		t.Errorf("size %d, want %d: refused entries leave no trace", l.Size(), want)
	}
}

func TestClosed(t *testing.T) {
	l := testLog(t)
	told := make(chan error, 1)
	l.Append(func(err error) { told <- err }, boot)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-told; err != nil {
		t.Errorf("what was queued when the log was closed: %v", err)
	}
	l.Append(func(err error) { told <- err }, boot)
	if err := <-told; !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("Append: %v", err)
	}
	if err := l.Sync(t.Context()); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("Sync: %v", err)
	}
	if err := l.Close(); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("Close: %v", err)
	}
	l.Append(nil, boot) // and nobody to tell
}

func TestReadRange(t *testing.T) {
	l := testLog(t)
	defer l.Close()
	l.Append(nil, boot, boot)
	if err := l.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, r := range [][2]uint64{{0, 3}, {2, 1}, {5, 9}} {
		if _, err := l.Read(t.Context(), r[0], r[1]); !errors.Is(err, ledger.ErrRange) {
			t.Errorf("Read%v: %v, want ErrRange", r, err)
		}
		if _, err := l.Consistency(t.Context(), r[0], r[1]); !errors.Is(err, ledger.ErrRange) {
			t.Errorf("Consistency%v: %v, want ErrRange", r, err)
		}
	}
	if _, err := l.Inclusion(t.Context(), 2, 2); !errors.Is(err, ledger.ErrRange) {
		t.Errorf("Inclusion: %v, want ErrRange", err)
	}
	if got, err := l.Read(t.Context(), 2, 2); err != nil || len(got) != 0 {
		t.Errorf("an empty range: %v, %v", got, err)
	}
}

// checkpoints.log stays bounded, and keeps its first and last checkpoint when it is thinned.
func TestKeeperThins(t *testing.T) {
	l := testLog(t)
	defer l.Close()
	k := l.keeper
	for i := range 9 {
		cp := ledger.Checkpoint{Size: uint64(i + 1), Note: []byte("o\n" + string(rune('1'+i)) + "\nr\n\n— k s\n")}
		if err := k.keep(cp); err != nil {
			t.Fatal(err)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.thin(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, k.bytes+1)
	n, _ := k.file.ReadAt(b, 0)
	notes, rest := ledger.SplitNotes(b[:n])
	if len(notes) != 6 || len(rest) > 0 || int64(n) != k.bytes { // of ten: every second, and the last
		t.Fatalf("%d left, %d bytes more:\n%s", len(notes), len(rest), b[:n])
	}
}
