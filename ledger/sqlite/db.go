package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/ncruces/go-sqlite3/driver"
	"golang.org/x/mod/sumdb/tlog"

	"eyebolt/ledger"
)

// The schema, version 1. An entry and the hashes that are stored with it are one row; the newest checkpoint is the one row
// of head, and is written in the transaction that writes the entries: whatever is durable is signed. application_id is
// "EBLT".
const schema = `
PRAGMA application_id = 1161972820;
PRAGMA user_version = 1;
CREATE TABLE entries (
	i    INTEGER PRIMARY KEY,
	leaf BLOB NOT NULL,
	tree BLOB NOT NULL
) STRICT;
CREATE TABLE head (
	one  INTEGER PRIMARY KEY CHECK (one = 1),
	note BLOB NOT NULL
) STRICT;
`

const schemaVersion = 1

// openDB opens the database of a folder; nothing is touched before the first statement. A writer waits at most 5 s for
// another process that holds the file; longer would only hide that there are two.
func openDB(dir string, reader bool) (*sql.DB, error) {
	q := url.Values{}
	q.Set("_txlock", "immediate")
	q.Add("_pragma", "busy_timeout(5000)")
	q.Add("_pragma", "journal_mode(WAL)")
	q.Add("_pragma", "synchronous(FULL)")
	q.Add("_pragma", "trusted_schema(OFF)")
	if reader {
		q.Add("_pragma", "query_only(ON)")
	}
	path, err := filepath.Abs(filepath.Join(dir, ledger.FileDB))
	if err != nil {
		return nil, err
	}
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: q.Encode()}
	db, err := driver.Open(dsn.String())
	if err != nil {
		return nil, err
	}
	if reader {
		db.SetMaxOpenConns(4) // proofs and pages of the record: few at a time on a small hub
	} else {
		db.SetMaxOpenConns(1)
	}
	return db, nil
}

// querier is a database or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// node reads one hash of the stored tree: the root of the full subtree of 2^level leaves that begins at leaf n·2^level. It
// lies in the row of the leaf that completed it.
func node(ctx context.Context, db querier, level int, n int64) (ledger.Hash, error) {
	row := (n+1)<<level - 1
	var stored []byte
	if err := db.QueryRowContext(ctx, `SELECT tree FROM entries WHERE i = ?1`, row).Scan(&stored); err != nil {
		return ledger.Hash{}, fmt.Errorf("hash of entry %d: %w", row, err)
	}
	if len(stored) != 32*ledger.Stored(uint64(row)) {
		return ledger.Hash{}, fmt.Errorf("%w: entry %d has %d bytes of hashes", ledger.ErrAltered, row, len(stored))
	}
	return ledger.Hash(stored[32*level:][:32]), nil
}

// hashReader reads stored hashes as tlog asks for them.
type hashReader struct {
	ctx context.Context
	db  querier
}

func (r hashReader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		h, err := node(r.ctx, r.db, level, n)
		if err != nil {
			return nil, err
		}
		out[i] = tlog.Hash(h)
	}
	return out, nil
}

// loadTree reads the right edge of the tree of the first size entries.
func loadTree(ctx context.Context, db querier, size uint64) (ledger.Tree, error) {
	var t ledger.Tree
	b := make([]byte, 8, 8+64*32)
	for i := range 8 {
		b[i] = byte(size >> (56 - 8*i))
	}
	for level, done := 62, uint64(0); level >= 0; level-- {
		if size&(1<<level) == 0 {
			continue
		}
		h, err := node(ctx, db, level, int64(done>>level))
		if err != nil {
			return t, err
		}
		b = append(b, h[:]...)
		done += 1 << level
	}
	return t, t.UnmarshalBinary(b)
}

// count is the number of entries, or an error if their indexes are not 0, 1, 2, ….
func count(ctx context.Context, db querier) (uint64, error) {
	var n, low, high int64
	// i is the rowid: both ends are found at once; only the count walks the tree, and it reads no leaf.
	err := db.QueryRowContext(ctx, `SELECT count(*), coalesce(min(i), 0), coalesce(max(i), -1) FROM entries`).Scan(&n, &low, &high)
	if err != nil {
		return 0, err
	}
	if low != 0 || high != n-1 {
		return 0, fmt.Errorf("%w: %d entries from %d to %d", ledger.ErrAltered, n, low, high)
	}
	return uint64(n), nil
}

// create makes the tables and the checkpoint of no entries in an empty database, together or not at all, and refuses a
// database that is not ours.
func (l *Log) create(ctx context.Context) error {
	var version, tables int
	if err := l.writes.QueryRowContext(ctx, `SELECT user_version FROM pragma_user_version`).Scan(&version); err != nil {
		return err
	}
	if err := l.writes.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&tables); err != nil {
		return err
	}
	switch {
	case version == schemaVersion:
		return nil
	case version != 0 || tables != 0:
		return fmt.Errorf("%s is not a ledger that this program knows (version %d): choose another folder, or a newer program", ledger.FileDB, version)
	}
	tx, err := l.writes.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if _, err := l.putHead(ctx, tx, &ledger.Tree{}); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
