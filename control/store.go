package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Store keeps what must last. Read and Write run f in one transaction: all of it happens or, if f or the commit fails, none.
// Writes are one after another, and durable when Write returns without error. f may be run more than once and must not use
// the Tx afterwards.
type Store interface {
	Read(ctx context.Context, f func(Tx) error) error
	Write(ctx context.Context, f func(Tx) error) error
	Close() error
}

// Tx is a transaction on tables of documents and on the hubs' logs.
type Tx interface {
	// Get gives one document, or ErrNotFound. The bytes are the store's, and not to be changed; likewise Find's.
	Get(t Table, id string) ([]byte, error)
	// Put writes a document, over an older one of the same ID.
	Put(t Table, r Row) error
	// Delete removes a document; one that is not there is no error.
	Delete(t Table, id string) error
	// Find gives documents that match, ordered by Row.At, then ID.
	Find(t Table, q Query) ([][]byte, error)
	// Prune removes at most limit documents whose At is before t's, oldest first, and says how many.
	Prune(t Table, before time.Time, limit int) (int, error)

	// PutEntries adds to a hub's log. An index that is there already is an error.
	PutEntries(hub string, rows []EntryRow) error
	// Entries gives a hub's entries from an index on, at most limit, in order; visit "" is every visit.
	Entries(hub, visit string, from uint64, limit int) ([]EntryRow, error)
}

// ErrNotFound means that there is no such document.
var ErrNotFound = errors.New("store: not found")

// Table names one kind of document.
type Table string

// The tables.
const (
	TableHouseholds Table = "households"
	TableCarriers   Table = "carriers"
	TableHubs       Table = "hubs"
	TableDoors      Table = "doors"
	TableAccounts   Table = "accounts"
	TablePasskeys   Table = "passkeys"
	TableInvites    Table = "invites"
	TableCouriers   Table = "couriers"
	TableConsents   Table = "consents"
	TableDeliveries Table = "deliveries"
	TableGrants     Table = "grants"
	TableOrders     Table = "orders"
	TableVisits     Table = "visits"
	TableIncidents  Table = "incidents"
	TableAlarms     Table = "alarms"
	TableSessions   Table = "sessions"
)

// AllTables are all of them.
func AllTables() []Table {
	return []Table{
		TableHouseholds, TableCarriers, TableHubs, TableDoors, TableAccounts,
		TablePasskeys, TableInvites, TableCouriers, TableConsents, TableDeliveries,
		TableGrants, TableOrders, TableVisits, TableIncidents, TableAlarms,
		TableSessions,
	}
}

// Keys are what documents are found by. In a Row, what the document is about; in a Query, "" matches all.
type Keys struct {
	Household, Hub, Door, Carrier, Courier, Account, State string
}

// Row is a document as a store keeps it.
type Row struct {
	ID   string
	Keys Keys
	At   time.Time // what documents are ordered by; kept to the microsecond
	Doc  []byte    // JSON
}

// Query selects documents.
type Query struct {
	Keys        Keys
	From, Until time.Time // At in [From, Until); zero: no bound
	Desc        bool      // newest first
	Limit       int       // 0: DefaultLimit
}

// DefaultLimit bounds a query that names no limit: what one page or one hub can need, and 16 MiB of documents at most.
const DefaultLimit = 10_000

// EntryRow is one entry of a hub's log.
type EntryRow struct {
	Index uint64
	Visit string
	Leaf  []byte
}

// record is a document with its place in the store.
type record interface {
	row() (Table, Row)
}

func get[T record](tx Tx, id string) (T, error) {
	var v T
	t, _ := v.row()
	doc, err := tx.Get(t, id)
	if err != nil {
		return v, err
	}
	if v, err = decode[T](tx, doc); err != nil {
		return v, fmt.Errorf("%s %s: %w", t, id, err)
	}
	return v, nil
}

func put[T record](tx Tx, v T) error {
	t, r := v.row()
	doc, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s %s: %w", t, r.ID, err)
	}
	r.Doc = doc
	return tx.Put(t, r)
}

func find[T record](tx Tx, q Query) ([]T, error) {
	var zero T
	t, _ := zero.row()
	docs, err := tx.Find(t, q)
	if err != nil {
		return nil, err
	}
	out := make([]T, len(docs))
	for i, d := range docs {
		if out[i], err = decode[T](tx, d); err != nil {
			return nil, fmt.Errorf("%s: %w", t, err)
		}
	}
	return out, nil
}

// one reads a single document in its own transaction.
func one[T record](ctx context.Context, s *Service, id string) (T, error) {
	var v T
	err := s.store.Read(ctx, func(tx Tx) (err error) {
		v, err = get[T](tx, id)
		return err
	})
	return v, err
}
