// Package storetest holds every store to control.Store's contract.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/control"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 123_456_000, time.UTC)

// Run checks a store; open gives a fresh one.
func Run(t *testing.T, open func(t *testing.T) control.Store) {
	for _, c := range []struct {
		name string
		f    func(*testing.T, control.Store)
	}{
		{"what was put is got, in every table", putGet},
		{"a failed write leaves nothing", rollback},
		{"find matches every key", keys},
		{"find orders by time, then name", order},
		{"times are kept to the microsecond", times},
		{"prune takes the oldest first", prune},
		{"logs keep their order and never overwrite", entries},
		{"a reader cannot write", readOnly},
		{"writes at once are one after another", together},
		{"hostile names are only names", hostile},
		{"a cancelled context does nothing", cancelled},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			c.f(t, s)
		})
	}
}

func write(t *testing.T, s control.Store, f func(control.Tx) error) {
	t.Helper()
	if err := s.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, s control.Store, f func(control.Tx) error) {
	t.Helper()
	if err := s.Read(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func row(id string) control.Row {
	return control.Row{ID: id, At: t0, Doc: []byte(`{"id":"` + id + `"}`)}
}

func ids(t *testing.T, s control.Store, table control.Table, q control.Query) string {
	t.Helper()
	var out []string
	read(t, s, func(tx control.Tx) error {
		docs, err := tx.Find(table, q)
		out = nil
		for _, d := range docs {
			out = append(out, strings.TrimSuffix(strings.TrimPrefix(string(d), `{"id":"`), `"}`))
		}
		return err
	})
	return strings.Join(out, " ")
}

func putGet(t *testing.T, s control.Store) {
	for _, table := range control.AllTables() {
		write(t, s, func(tx control.Tx) error { return tx.Put(table, row("a")) })
		read(t, s, func(tx control.Tx) error {
			doc, err := tx.Get(table, "a")
			if string(doc) != `{"id":"a"}` {
				t.Errorf("%s: got %q", table, doc)
			}
			return err
		})
		write(t, s, func(tx control.Tx) error {
			return tx.Put(table, control.Row{ID: "a", At: t0, Doc: []byte(`{"id":"b"}`)})
		})
		if got := ids(t, s, table, control.Query{}); got != "b" {
			t.Errorf("%s: put twice, found %q", table, got)
		}
		write(t, s, func(tx control.Tx) error {
			if err := tx.Delete(table, "nobody"); err != nil {
				t.Errorf("delete what is not there: %v", err)
			}
			return tx.Delete(table, "a")
		})
		read(t, s, func(tx control.Tx) error {
			if _, err := tx.Get(table, "a"); !errors.Is(err, control.ErrNotFound) {
				t.Errorf("%s: got %v, want ErrNotFound", table, err)
			}
			return nil
		})
	}
}

func rollback(t *testing.T, s control.Store) {
	write(t, s, func(tx control.Tx) error { return tx.Put(control.TableDoors, row("a")) })
	boom := errors.New("boom")
	err := s.Write(t.Context(), func(tx control.Tx) error {
		if err := tx.Put(control.TableDoors, row("b")); err != nil {
			return err
		}
		if err := tx.Put(control.TableDoors, control.Row{ID: "a", At: t0, Doc: []byte(`{"id":"x"}`)}); err != nil {
			return err
		}
		if err := tx.Delete(control.TableDoors, "a"); err != nil {
			return err
		}
		if err := tx.PutEntries("h", []control.EntryRow{{Index: 0, Leaf: []byte("0")}}); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Errorf("got %v, want boom", err)
	}
	if got := ids(t, s, control.TableDoors, control.Query{}); got != "a" {
		t.Errorf("found %q", got)
	}
	read(t, s, func(tx control.Tx) error {
		es, err := tx.Entries("h", "", 0, 10)
		if len(es) != 0 {
			t.Errorf("%d entries", len(es))
		}
		return err
	})
}

func keys(t *testing.T, s control.Store) {
	full := control.Keys{Household: "h", Hub: "b", Door: "d", Carrier: "c", Courier: "o", Account: "a", State: "s"}
	one := []control.Keys{{Household: "h"}, {Hub: "b"}, {Door: "d"}, {Carrier: "c"}, {Courier: "o"}, {Account: "a"}, {State: "s"}}
	write(t, s, func(tx control.Tx) error {
		r := row("full")
		r.Keys = full
		if err := tx.Put(control.TableVisits, r); err != nil {
			return err
		}
		for i, k := range one {
			r := row(fmt.Sprint(i))
			r.Keys = k
			if err := tx.Put(control.TableVisits, r); err != nil {
				return err
			}
		}
		return nil
	})
	if got := ids(t, s, control.TableVisits, control.Query{Keys: full}); got != "full" {
		t.Errorf("all keys: found %q", got)
	}
	for i, k := range one {
		want := fmt.Sprint(i) + " full"
		if got := ids(t, s, control.TableVisits, control.Query{Keys: k}); got != want {
			t.Errorf("%+v: found %q, want %q", k, got, want)
		}
	}
	if got := ids(t, s, control.TableVisits, control.Query{Keys: control.Keys{Hub: "b", State: "other"}}); got != "" {
		t.Errorf("no match: found %q", got)
	}
}

func order(t *testing.T, s control.Store) {
	write(t, s, func(tx control.Tx) error {
		for i, id := range []string{"d", "b", "c", "a"} {
			r := row(id)
			r.At = t0.Add(time.Duration(i/2) * time.Second)
			if err := tx.Put(control.TableVisits, r); err != nil {
				return err
			}
		}
		return nil
	})
	for _, c := range []struct {
		q    control.Query
		want string
	}{
		{control.Query{}, "b d a c"},
		{control.Query{Desc: true}, "c a d b"},
		{control.Query{Limit: 3}, "b d a"},
		{control.Query{Desc: true, Limit: 1}, "c"},
		{control.Query{From: t0.Add(time.Second)}, "a c"},
		{control.Query{Until: t0.Add(time.Second)}, "b d"},
		{control.Query{From: t0, Until: t0}, ""},
	} {
		if got := ids(t, s, control.TableVisits, c.q); got != c.want {
			t.Errorf("%+v: found %q, want %q", c.q, got, c.want)
		}
	}
}

func times(t *testing.T, s control.Store) {
	write(t, s, func(tx control.Tx) error {
		r := row("a")
		r.At = t0.Add(999 * time.Nanosecond).In(time.FixedZone("east", 3600))
		zero := row("zero")
		zero.At = time.Time{}
		return errors.Join(tx.Put(control.TableVisits, r), tx.Put(control.TableVisits, zero))
	})
	if got := ids(t, s, control.TableVisits, control.Query{From: t0, Until: t0.Add(time.Microsecond)}); got != "a" {
		t.Errorf("found %q", got)
	}
	if got := ids(t, s, control.TableVisits, control.Query{}); got != "zero a" {
		t.Errorf("found %q", got)
	}
}

func prune(t *testing.T, s control.Store) {
	write(t, s, func(tx control.Tx) error {
		for i := range 5 {
			r := row(fmt.Sprint(i))
			r.At = t0.Add(time.Duration(i) * time.Second)
			if err := tx.Put(control.TableSessions, r); err != nil {
				return err
			}
		}
		n, err := tx.Prune(control.TableSessions, t0.Add(4*time.Second), 3)
		if n != 3 {
			t.Errorf("pruned %d, want 3", n)
		}
		return err
	})
	if got := ids(t, s, control.TableSessions, control.Query{}); got != "3 4" {
		t.Errorf("left %q", got)
	}
}

func entries(t *testing.T, s control.Store) {
	write(t, s, func(tx control.Tx) error {
		var rows []control.EntryRow
		for i := range 10 {
			rows = append(rows, control.EntryRow{Index: uint64(i), Visit: []string{"", "v", "w"}[i%3], Leaf: fmt.Append(nil, i)})
		}
		return errors.Join(tx.PutEntries("h", rows), tx.PutEntries("other", rows[:2]), tx.PutEntries("none", nil))
	})
	for _, c := range []struct {
		hub, visit string
		from       uint64
		limit      int
		want       string
	}{
		{"h", "", 0, 100, "0 1 2 3 4 5 6 7 8 9"},
		{"h", "", 7, 2, "7 8"},
		{"h", "v", 0, 100, "1 4 7"},
		{"h", "v", 2, 1, "4"},
		{"other", "", 0, 100, "0 1"},
		{"none", "", 0, 100, ""},
	} {
		read(t, s, func(tx control.Tx) error {
			rows, err := tx.Entries(c.hub, c.visit, c.from, c.limit)
			var got []string
			for _, r := range rows {
				got = append(got, string(r.Leaf))
				if string(r.Leaf) != fmt.Sprint(r.Index) {
					t.Errorf("entry %d holds %q", r.Index, r.Leaf)
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%+v: got %q", c, got)
			}
			return err
		})
	}
	err := s.Write(t.Context(), func(tx control.Tx) error {
		return tx.PutEntries("h", []control.EntryRow{{Index: 10, Leaf: []byte("10")}, {Index: 3, Leaf: []byte("forged")}})
	})
	if err == nil {
		t.Error("an entry was overwritten")
	}
	read(t, s, func(tx control.Tx) error {
		rows, err := tx.Entries("h", "", 3, 100)
		if len(rows) != 7 || string(rows[0].Leaf) != "3" {
			t.Errorf("after a refused write: %d entries, first %q", len(rows), rows[0].Leaf)
		}
		return err
	})
}

func readOnly(t *testing.T, s control.Store) {
	err := s.Read(t.Context(), func(tx control.Tx) error { return tx.Put(control.TableDoors, row("a")) })
	if err == nil {
		t.Error("a reader wrote")
	}
}

func together(t *testing.T, s control.Store) {
	const n = 16
	write(t, s, func(tx control.Tx) error {
		return tx.Put(control.TableDoors, control.Row{ID: "count", Doc: []byte("")})
	})
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			err := s.Write(context.WithoutCancel(t.Context()), func(tx control.Tx) error {
				doc, err := tx.Get(control.TableDoors, "count")
				if err != nil {
					return err
				}
				return tx.Put(control.TableDoors, control.Row{ID: "count", Doc: append(slices.Clone(doc), 'x')})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	read(t, s, func(tx control.Tx) error {
		doc, err := tx.Get(control.TableDoors, "count")
		if len(doc) != n {
			t.Errorf("%d of %d writes are there", len(doc), n)
		}
		return err
	})
}

func hostile(t *testing.T, s control.Store) {
	names := []string{"'; DROP TABLE doors; --", "%", "a\x00b", "ünïcödé", "?1", `"`}
	write(t, s, func(tx control.Tx) error {
		for _, n := range names {
			if err := tx.Put(control.TableDoors, control.Row{ID: n, Keys: control.Keys{Household: n}, Doc: []byte(n)}); err != nil {
				return err
			}
		}
		return nil
	})
	for _, n := range names {
		read(t, s, func(tx control.Tx) error {
			docs, err := tx.Find(control.TableDoors, control.Query{Keys: control.Keys{Household: n}})
			if len(docs) != 1 || string(docs[0]) != n {
				t.Errorf("%q: found %q", n, docs)
			}
			return err
		})
	}
	err := s.Read(t.Context(), func(tx control.Tx) error {
		_, err := tx.Get("sqlite_master", "x")
		return err
	})
	if err == nil || errors.Is(err, control.ErrNotFound) {
		t.Errorf("a table that does not exist: %v", err)
	}
}

func cancelled(t *testing.T, s control.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Write(ctx, func(tx control.Tx) error { return tx.Put(control.TableDoors, row("a")) }); err == nil {
		t.Error("written with a cancelled context")
	}
	if got := ids(t, s, control.TableDoors, control.Query{}); got != "" {
		t.Errorf("found %q", got)
	}
}
