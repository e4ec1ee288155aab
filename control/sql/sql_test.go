package sql_test

import (
	"path/filepath"
	"testing"

	"eyebolt/control"
	"eyebolt/control/sql"
	"eyebolt/control/storetest"
)

func open(t testing.TB, file string) *sql.Store {
	t.Helper()
	s, err := sql.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) control.Store { return open(t, filepath.Join(t.TempDir(), "control.db")) })
}

// What was written is there after a restart, and the tables are brought up to date only once.
func TestReopen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a folder with ? and #", "control.db")
	if _, err := sql.Open(t.Context(), file); err == nil {
		t.Fatal("opened in a folder that does not exist")
	}
	file = filepath.Join(t.TempDir(), "control ?#%.db")
	s := open(t, file)
	err := s.Write(t.Context(), func(tx control.Tx) error {
		return tx.Put(control.TableDoors, control.Row{ID: "a", Doc: []byte("{}")})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, file)
	defer s.Close()
	err = s.Read(t.Context(), func(tx control.Tx) error {
		_, err := tx.Get(control.TableDoors, "a")
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func BenchmarkWrite(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "control.db"))
	defer s.Close()
	doc := make([]byte, 500)
	for i := range doc {
		doc[i] = 'x'
	}
	for b.Loop() {
		err := s.Write(b.Context(), func(tx control.Tx) error {
			return tx.Put(control.TableAlarms, control.Row{ID: "a", Doc: doc})
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
