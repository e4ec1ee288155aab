package sqlite_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"testing"
	"time"

	"eyebolt/ledger"
	"eyebolt/ledger/sqlite"
)

var key = ed25519.NewKeyFromSeed([]byte("eyebolt test ledger key 01234567"))

const origin = "example.org/hub/1"

func config(dir string) sqlite.Config {
	start := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	return sqlite.Config{Dir: dir, Origin: origin, Key: key, Wall: func() time.Time { return start }}
}

func open(tb testing.TB, dir string) *sqlite.Log {
	tb.Helper()
	l, err := sqlite.Open(context.Background(), config(dir))
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func fact(i int) ledger.Entry {
	return ledger.Entry{Mono: int64(i), Door: "front", Visit: "visit-1", Kind: ledger.KindFact, Word: fmt.Sprintf("fact-%d", i), Reason: "arrived"}
}

func TestAppendReadProve(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	var order []int
	for i := range 100 {
		l.Append(func(err error) {
			if err != nil {
				t.Errorf("entry %d: %v", i, err)
			}
			order = append(order, i)
		}, fact(i))
	}
	if err := l.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, got := range order {
		if got != i {
			t.Fatalf("done out of order: %v", order)
		}
	}
	if len(order) != 100 || l.Size() != 100 {
		t.Fatalf("%d done, size %d, want 100", len(order), l.Size())
	}
	half, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.Append(nil, fact(100), fact(101))
	whole, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	entries, err := l.Read(t.Context(), 0, 102)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range entries {
		if e.Index != uint64(i) || e.Word != fact(i).Word {
			t.Fatalf("entry %d is %+v", i, e)
		}
		proof, err := l.Inclusion(t.Context(), uint64(i), 102)
		if err != nil {
			t.Fatal(err)
		}
		if err := ledger.CheckInclusion(whole, uint64(i), e.Encode(), proof); err != nil {
			t.Fatal(err)
		}
		e.Mono++
		if err := ledger.CheckInclusion(whole, uint64(i), e.Encode(), proof); err == nil {
			t.Fatalf("entry %d proven although it was changed", i)
		}
	}
	proof, err := l.Consistency(t.Context(), half.Size, whole.Size)
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.CheckConsistency(half, whole, proof); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir)
	if l.Size() != 102 {
		t.Fatalf("size %d after reopening, want 102", l.Size())
	}
	again, err := l.Checkpoint(t.Context())
	if err != nil || again.Root != whole.Root {
		t.Fatalf("root changed by reopening: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}
