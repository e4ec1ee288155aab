package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"eyebolt/ledger"
	"eyebolt/ledger/sqlite"
)

// words reads a ledger as a stranger and checks that its newest checkpoint covers exactly what is there.
func words(tb testing.TB, dir string) []string {
	tb.Helper()
	r, err := sqlite.Read(dir)
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	text, err := os.ReadFile(filepath.Join(dir, ledger.FileKey))
	if err != nil {
		tb.Fatal(err)
	}
	v, err := ledger.ParseKey(string(text))
	if err != nil {
		tb.Fatal(err)
	}
	signed, err := r.Head(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	head, err := ledger.Open(signed, v)
	if err != nil {
		tb.Fatal(err)
	}
	var tree ledger.Tree
	var out []string
	err = r.Rows(tb.Context(), func(row ledger.Row) error {
		e, err := ledger.Decode(row.Leaf)
		if err != nil {
			return err
		}
		if e.Index != row.Index || row.Index != tree.Size() {
			return errors.New("index out of order")
		}
		tree.Add(nil, ledger.LeafHash(row.Leaf))
		out = append(out, e.Word)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	if head.Size != tree.Size() || head.Root != tree.Root() {
		tb.Fatalf("checkpoint of %d entries does not cover the %d there are", head.Size, tree.Size())
	}
	return out
}

// A stranger reads what is durable while the hub still writes: the newest commits stand in the write-ahead log only.
func TestReadBesideWriter(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	defer l.Close()
	n := 0
	for _, batch := range []int{1, 10, 500, 5000, 1} {
		for range batch {
			l.Append(nil, fact(n))
			n++
		}
		if err := l.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := len(words(t, dir)); got != n {
			t.Fatalf("a stranger reads %d entries, want %d", got, n)
		}
	}
}

// Reading leaves no trace: the folder's files are byte for byte the same, and none is new.
func TestReadWritesNothing(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	for i := range 50 {
		l.Append(nil, fact(i))
	}
	if _, err := l.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	crash := t.TempDir() // as a crash would leave it: with a write-ahead log and no index of it
	for _, name := range []string{ledger.FileDB, ledger.FileDB + "-wal", ledger.FileKey, ledger.FileCheckpoints} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(crash, name), b, 0o400); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	before := files(t, crash)
	if got := len(words(t, crash)); got != 50 {
		t.Fatalf("%d entries after the crash, want 50", got)
	}
	after := files(t, crash)
	if len(before) != len(after) {
		t.Fatalf("%d files before, %d after", len(before), len(after))
	}
	for name, b := range before {
		if after[name] != b {
			t.Errorf("%s was changed by reading", name)
		}
	}
}

func files(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range all {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			tb.Fatal(err)
		}
		out[f.Name()] = string(b)
	}
	return out
}
