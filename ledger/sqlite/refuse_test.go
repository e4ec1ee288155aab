package sqlite_test

import (
	"crypto/ed25519"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"eyebolt/ledger"
	"eyebolt/ledger/sqlite"
)

// made is a closed ledger of n entries.
func made(tb testing.TB, n int) string {
	tb.Helper()
	dir := tb.TempDir()
	l := open(tb, dir)
	for i := range n {
		l.Append(nil, fact(i))
	}
	if err := l.Close(); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func spoil(tb testing.TB, dir, statement string) {
	tb.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.ToSlash(filepath.Join(dir, ledger.FileDB)))
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		tb.Fatal(err)
	}
}

// T19, T29: a hub does not go on writing a ledger that is not the one it left.
func TestOpenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		how  func(dir string)
		want error
	}{
		"tail cut":             {func(dir string) { spoil(t, dir, `DELETE FROM entries WHERE i >= 17`) }, ledger.ErrAltered},
		"entry removed":        {func(dir string) { spoil(t, dir, `DELETE FROM entries WHERE i = 7`) }, ledger.ErrAltered},
		"emptied":              {func(dir string) { spoil(t, dir, `DELETE FROM entries`) }, ledger.ErrAltered},
		"entry edited":         {func(dir string) { spoil(t, dir, `UPDATE entries SET leaf = CAST('{}' AS BLOB) WHERE i = 12`) }, ledger.ErrAltered},
		"hash edited":          {func(dir string) { spoil(t, dir, `UPDATE entries SET tree = zeroblob(length(tree)) WHERE i = 19`) }, ledger.ErrAltered},
		"hash cut":             {func(dir string) { spoil(t, dir, `UPDATE entries SET tree = x'00' WHERE i = 19`) }, ledger.ErrAltered},
		"no checkpoint":        {func(dir string) { spoil(t, dir, `DELETE FROM head`) }, ledger.ErrAltered},
		"checkpoint forged":    {func(dir string) { spoil(t, dir, `UPDATE head SET note = x'41'`) }, ledger.ErrOtherKey},
		"entry added unsigned": {func(dir string) { spoil(t, dir, `INSERT INTO entries SELECT 20, leaf, tree FROM entries WHERE i = 18`) }, ledger.ErrAltered},
		"database from a backup": {func(dir string) {
			older := made(t, 10)
			copyFile(t, filepath.Join(older, ledger.FileDB), filepath.Join(dir, ledger.FileDB))
		}, ledger.ErrAltered},
		"database gone": {func(dir string) {
			if err := os.Remove(filepath.Join(dir, ledger.FileDB)); err != nil {
				t.Fatal(err)
			}
		}, ledger.ErrAltered},
		"another key's folder": {func(dir string) {
			text, err := ledger.KeyText(origin, ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, ledger.FileKey), []byte(text+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, ledger.ErrOtherKey},
	} {
		t.Run(name, func(t *testing.T) {
			dir := made(t, 20)
			c.how(dir)
			l, err := sqlite.Open(t.Context(), config(dir))
			if !errors.Is(err, c.want) {
				t.Errorf("Open: %v, want %v", err, c.want)
			}
			if err == nil {
				l.Close()
			}
		})
	}
}

func TestOpenRefusesOthers(t *testing.T) {
	dir := t.TempDir()
	spoil(t, dir, `CREATE TABLE somebody (elses TEXT)`)
	if _, err := sqlite.Open(t.Context(), config(dir)); err == nil {
		t.Error("another program's database is taken for a ledger")
	}
	cfg := config(t.TempDir())
	cfg.Origin = "not a name"
	if _, err := sqlite.Open(t.Context(), cfg); err == nil {
		t.Error("an origin with blanks is taken")
	}
	cfg = config(t.TempDir())
	cfg.Key = nil
	if _, err := sqlite.Open(t.Context(), cfg); err == nil {
		t.Error("no key is taken")
	}
}

// A power cut while a checkpoint is appended to checkpoints.log leaves half of it: it is dropped, the others stay.
func TestTornCheckpoint(t *testing.T) {
	dir := made(t, 20)
	path := filepath.Join(dir, ledger.FileCheckpoints)
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := ledger.SplitNotes(kept)
	for cut := 1; cut < len(want[len(want)-1]); cut += 7 {
		if err := os.WriteFile(path, append(append([]byte(nil), kept...), want[len(want)-1][:cut]...), 0o600); err != nil {
			t.Fatal(err)
		}
		l := open(t, dir)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, rest := ledger.SplitNotes(b); len(got) != len(want) || len(rest) > 0 {
			t.Fatalf("%d bytes of a torn checkpoint: %d whole ones and %d bytes left, want %d and none", cut, len(got), len(rest), len(want))
		}
	}
}

func copyFile(tb testing.TB, from, to string) {
	tb.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		tb.Fatal(err)
	}
}
