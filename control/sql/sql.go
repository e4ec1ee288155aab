// Package sql is control's store in SQLite: one file, one process. Writes go through one connection, one after another, and
// are on disk when they return (WAL, synchronous=FULL); reads have connections of their own and never wait for a writer.
package sql

import (
	"context"
	dbsql "database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver" // registers "sqlite3"
	"github.com/pressly/goose/v3"

	"eyebolt/control"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is an open database.
type Store struct {
	w, r *dbsql.DB
}

// readers is how many may read at once: pages of people, on two cores.
const readers = 4

// Open opens or creates the database file and brings its tables up to date.
func Open(ctx context.Context, file string) (*Store, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("control/sql: %s: %w", file, err)
	}
	dsn := func(more string) string {
		u := url.URL{Scheme: "file", Path: filepath.ToSlash(abs)}
		return u.String() + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=foreign_keys(on)" + more
	}
	w, err := dbsql.Open("sqlite3", dsn("&_txlock=immediate"))
	if err != nil {
		return nil, fmt.Errorf("control/sql: %s: %w", file, err)
	}
	w.SetMaxOpenConns(1)
	w.SetConnMaxIdleTime(0)
	if err := migrate(ctx, w); err != nil {
		return nil, errors.Join(fmt.Errorf("control/sql: %s: %w", file, err), w.Close())
	}
	r, err := dbsql.Open("sqlite3", dsn("&_pragma=query_only(on)"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("control/sql: %s: %w", file, err), w.Close())
	}
	r.SetMaxOpenConns(readers)
	r.SetMaxIdleConns(readers)
	return &Store{w: w, r: r}, nil
}

func migrate(ctx context.Context, db *dbsql.DB) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// Close ends the connections.
func (s *Store) Close() error { return errors.Join(s.r.Close(), s.w.Close()) }

// Read runs f over one snapshot.
func (s *Store) Read(ctx context.Context, f func(control.Tx) error) error { return run(ctx, s.r, f) }

// Write runs f and commits.
func (s *Store) Write(ctx context.Context, f func(control.Tx) error) error { return run(ctx, s.w, f) }

func run(ctx context.Context, db *dbsql.DB, f func(control.Tx) error) (err error) {
	t, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("control/sql: begin: %w", err)
	}
	defer func() {
		if err != nil {
			_ = t.Rollback() // the cause is err
		}
	}()
	if err := f(&tx{ctx: ctx, t: t}); err != nil {
		return err
	}
	if err := t.Commit(); err != nil {
		return fmt.Errorf("control/sql: commit: %w", err)
	}
	return nil
}

type tx struct {
	ctx context.Context
	t   *dbsql.Tx
}

// name is a table's name in SQL; only those that exist get there.
func name(t control.Table) (string, error) {
	for _, k := range control.AllTables() {
		if t == k {
			return string(t), nil
		}
	}
	return "", fmt.Errorf("control/sql: no table %q", t)
}

// micros is a time as it is stored; the zero time is the oldest.
func micros(t time.Time) int64 { return t.UnixMicro() }

func (x *tx) Get(t control.Table, id string) ([]byte, error) {
	n, err := name(t)
	if err != nil {
		return nil, err
	}
	var doc string
	err = x.t.QueryRowContext(x.ctx, "SELECT doc FROM "+n+" WHERE id = ?1", id).Scan(&doc)
	if errors.Is(err, dbsql.ErrNoRows) {
		return nil, control.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("control/sql: get %s: %w", n, err)
	}
	return []byte(doc), nil
}

func (x *tx) Put(t control.Table, r control.Row) error {
	n, err := name(t)
	if err != nil {
		return err
	}
	k := r.Keys
	_, err = x.t.ExecContext(x.ctx, "INSERT INTO "+n+` (id, household, hub, door, carrier, courier, account, state, at, doc)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
		ON CONFLICT (id) DO UPDATE SET household = excluded.household, hub = excluded.hub, door = excluded.door, carrier = excluded.carrier,
		courier = excluded.courier, account = excluded.account, state = excluded.state, at = excluded.at, doc = excluded.doc`,
		r.ID, k.Household, k.Hub, k.Door, k.Carrier, k.Courier, k.Account, k.State, micros(r.At), string(r.Doc))
	if err != nil {
		return fmt.Errorf("control/sql: put %s: %w", n, err)
	}
	return nil
}

func (x *tx) Delete(t control.Table, id string) error {
	n, err := name(t)
	if err != nil {
		return err
	}
	if _, err := x.t.ExecContext(x.ctx, "DELETE FROM "+n+" WHERE id = ?1", id); err != nil {
		return fmt.Errorf("control/sql: delete %s: %w", n, err)
	}
	return nil
}

func (x *tx) Find(t control.Table, q control.Query) ([][]byte, error) {
	n, err := name(t)
	if err != nil {
		return nil, err
	}
	var where []string
	var args []any
	cond := func(column, op string, v any) {
		args = append(args, v)
		where = append(where, column+" "+op+" ?"+strconv.Itoa(len(args)))
	}
	k := q.Keys
	for _, c := range []struct{ column, v string }{
		{"household", k.Household}, {"hub", k.Hub}, {"door", k.Door}, {"carrier", k.Carrier}, {"courier", k.Courier}, {"account", k.Account}, {"state", k.State},
	} {
		if c.v != "" {
			cond(c.column, "=", c.v)
		}
	}
	if !q.From.IsZero() {
		cond("at", ">=", micros(q.From))
	}
	if !q.Until.IsZero() {
		cond("at", "<", micros(q.Until))
	}
	stmt := "SELECT doc FROM " + n
	if len(where) > 0 {
		stmt += " WHERE " + strings.Join(where, " AND ")
	}
	if q.Desc {
		stmt += " ORDER BY at DESC, id DESC"
	} else {
		stmt += " ORDER BY at, id"
	}
	limit := q.Limit
	if limit <= 0 {
		limit = control.DefaultLimit
	}
	args = append(args, limit)
	stmt += " LIMIT ?" + strconv.Itoa(len(args))
	rows, err := x.t.QueryContext(x.ctx, stmt, args...)
	if err != nil {
		return nil, fmt.Errorf("control/sql: find %s: %w", n, err)
	}
	defer rows.Close()
	var docs [][]byte
	for rows.Next() {
		var doc string
		if err := rows.Scan(&doc); err != nil {
			return nil, fmt.Errorf("control/sql: find %s: %w", n, err)
		}
		docs = append(docs, []byte(doc))
	}
	return docs, rows.Err()
}

func (x *tx) Prune(t control.Table, before time.Time, limit int) (int, error) {
	n, err := name(t)
	if err != nil {
		return 0, err
	}
	r, err := x.t.ExecContext(x.ctx, "DELETE FROM "+n+" WHERE id IN (SELECT id FROM "+n+" WHERE at < ?1 ORDER BY at, id LIMIT ?2)", micros(before), limit)
	if err != nil {
		return 0, fmt.Errorf("control/sql: prune %s: %w", n, err)
	}
	count, err := r.RowsAffected()
	return int(count), err
}

func (x *tx) PutEntries(hub string, rows []control.EntryRow) error {
	if len(rows) == 0 {
		return nil
	}
	stmt, err := x.t.PrepareContext(x.ctx, "INSERT INTO entries (hub, idx, visit, leaf) VALUES (?1, ?2, ?3, ?4)")
	if err != nil {
		return fmt.Errorf("control/sql: put entries: %w", err)
	}
	defer stmt.Close()
	for _, r := range rows {
		if _, err := stmt.ExecContext(x.ctx, hub, int64(r.Index), r.Visit, r.Leaf); err != nil {
			return fmt.Errorf("control/sql: put entry %d of hub %s: %w", r.Index, hub, err)
		}
	}
	return nil
}

func (x *tx) Entries(hub, visit string, from uint64, limit int) ([]control.EntryRow, error) {
	stmt := "SELECT idx, visit, leaf FROM entries WHERE hub = ?1 AND idx >= ?2 ORDER BY idx LIMIT ?3"
	args := []any{hub, int64(from), limit}
	if visit != "" {
		stmt = "SELECT idx, visit, leaf FROM entries WHERE hub = ?1 AND idx >= ?2 AND visit = ?4 ORDER BY idx LIMIT ?3"
		args = append(args, visit)
	}
	rows, err := x.t.QueryContext(x.ctx, stmt, args...)
	if err != nil {
		return nil, fmt.Errorf("control/sql: entries of hub %s: %w", hub, err)
	}
	defer rows.Close()
	var out []control.EntryRow
	for rows.Next() {
		var r control.EntryRow
		var i int64
		if err := rows.Scan(&i, &r.Visit, &r.Leaf); err != nil {
			return nil, fmt.Errorf("control/sql: entries of hub %s: %w", hub, err)
		}
		r.Index = uint64(i)
		out = append(out, r)
	}
	return out, rows.Err()
}
