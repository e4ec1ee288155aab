// Package mem is control's store in memory, for tests and the simulator.
package mem

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"eyebolt/control"
)

// Store keeps everything in maps. A write that fails leaves nothing behind.
type Store struct {
	mu     sync.RWMutex
	tables map[control.Table]map[string]control.Row
	logs   map[string][]control.EntryRow
	closed bool
}

// New gives an empty store.
func New() *Store {
	s := &Store{tables: map[control.Table]map[string]control.Row{}, logs: map[string][]control.EntryRow{}}
	for _, t := range control.AllTables() {
		s.tables[t] = map[string]control.Row{}
	}
	return s
}

// Close ends the store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// Read runs f.
func (s *Store) Read(ctx context.Context, f func(control.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return errClosed
	}
	return f(&tx{s: s})
}

// Write runs f and, if it fails, takes back what it did.
func (s *Store) Write(ctx context.Context, f func(control.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	t := &tx{s: s, write: true}
	if err := f(t); err != nil {
		for i := len(t.undo) - 1; i >= 0; i-- {
			t.undo[i]()
		}
		return err
	}
	return nil
}

var (
	errClosed   = fmt.Errorf("mem: store is closed")
	errReadOnly = fmt.Errorf("mem: this transaction only reads")
)

type tx struct {
	s     *Store
	write bool
	undo  []func()
}

func (t *tx) table(name control.Table) (map[string]control.Row, error) {
	m := t.s.tables[name]
	if m == nil {
		return nil, fmt.Errorf("mem: no table %q", name)
	}
	return m, nil
}

func (t *tx) Get(name control.Table, id string) ([]byte, error) {
	m, err := t.table(name)
	if err != nil {
		return nil, err
	}
	r, ok := m[id]
	if !ok {
		return nil, control.ErrNotFound
	}
	return r.Doc, nil
}

func (t *tx) Put(name control.Table, r control.Row) error {
	m, err := t.table(name)
	if err != nil {
		return err
	}
	if !t.write {
		return errReadOnly
	}
	t.keep(m, r.ID)
	r.At = r.At.UTC().Truncate(time.Microsecond)
	r.Doc = slices.Clone(r.Doc)
	m[r.ID] = r
	return nil
}

func (t *tx) Delete(name control.Table, id string) error {
	m, err := t.table(name)
	if err != nil {
		return err
	}
	if !t.write {
		return errReadOnly
	}
	t.keep(m, id)
	delete(m, id)
	return nil
}

// keep remembers a document as it was.
func (t *tx) keep(m map[string]control.Row, id string) {
	old, was := m[id]
	t.undo = append(t.undo, func() {
		if was {
			m[id] = old
		} else {
			delete(m, id)
		}
	})
}

func order(a, b control.Row) int {
	if c := a.At.Compare(b.At); c != 0 {
		return c
	}
	return cmp.Compare(a.ID, b.ID)
}

func (t *tx) rows(name control.Table, q control.Query) ([]control.Row, error) {
	m, err := t.table(name)
	if err != nil {
		return nil, err
	}
	var rows []control.Row
	for r := range maps.Values(m) {
		if fits(q, r) {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, order)
	if q.Desc {
		slices.Reverse(rows)
	}
	limit := q.Limit
	if limit <= 0 {
		limit = control.DefaultLimit
	}
	return rows[:min(limit, len(rows))], nil
}

func fits(q control.Query, r control.Row) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	k, g := q.Keys, r.Keys
	return is(k.Household, g.Household) && is(k.Hub, g.Hub) && is(k.Door, g.Door) && is(k.Carrier, g.Carrier) && is(k.Courier, g.Courier) &&
		is(k.Account, g.Account) && is(k.State, g.State) && (q.From.IsZero() || !r.At.Before(q.From)) && (q.Until.IsZero() || r.At.Before(q.Until))
}

func (t *tx) Find(name control.Table, q control.Query) ([][]byte, error) {
	rows, err := t.rows(name, q)
	if err != nil {
		return nil, err
	}
	docs := make([][]byte, len(rows))
	for i, r := range rows {
		docs[i] = r.Doc
	}
	return docs, nil
}

func (t *tx) Prune(name control.Table, before time.Time, limit int) (int, error) {
	rows, err := t.rows(name, control.Query{Until: before, Limit: limit})
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		if err := t.Delete(name, r.ID); err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}

func (t *tx) PutEntries(hub string, rows []control.EntryRow) error {
	if !t.write {
		return errReadOnly
	}
	old := t.s.logs[hub]
	log, own := old, false
	for _, r := range rows {
		r.Leaf = slices.Clone(r.Leaf)
		if n := len(log); n == 0 || log[n-1].Index < r.Index { // the usual case: what old names is not touched
			log = append(log, r)
			continue
		}
		if !own {
			log, own = slices.Clone(log), true
		}
		i, taken := slices.BinarySearchFunc(log, r.Index, func(e control.EntryRow, n uint64) int { return cmp.Compare(e.Index, n) })
		if taken {
			return fmt.Errorf("mem: hub %s has an entry %d already", hub, r.Index)
		}
		log = slices.Insert(log, i, r)
	}
	t.undo = append(t.undo, func() { t.s.logs[hub] = old })
	t.s.logs[hub] = log
	return nil
}

func (t *tx) Entries(hub, visit string, from uint64, limit int) ([]control.EntryRow, error) {
	var rows []control.EntryRow
	for _, r := range t.s.logs[hub] {
		if len(rows) >= limit {
			break
		}
		if r.Index >= from && (visit == "" || r.Visit == visit) {
			rows = append(rows, r)
		}
	}
	return rows, nil
}
