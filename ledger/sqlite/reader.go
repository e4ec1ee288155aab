package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs/readervfs"

	"eyebolt/ledger"
)

// Reader reads a ledger as a stranger: it writes nothing, takes no lock and believes nothing. One goroutine at a time.
type Reader struct {
	image *image
	name  string
	conn  *sqlite3.Conn
}

// readers numbers the names under which SQLite knows images.
var readers atomic.Uint64

// Read opens the ledger of a folder for reading, read-only media and folders that a crash left included. An error means
// that there is no such file, or that it is no database at all.
func Read(dir string) (*Reader, error) {
	m, err := openImage(dir)
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	r := &Reader{image: m, name: "eyebolt-ledger-" + strconv.FormatUint(readers.Add(1), 10)}
	readervfs.Create(r.name, m)
	if r.conn, err = sqlite3.OpenFlags("file:"+r.name+"?vfs=reader", sqlite3.OPEN_READONLY|sqlite3.OPEN_URI); err != nil {
		return nil, errors.Join(fmt.Errorf("read ledger: %w", err), r.Close())
	}
	// A row is at most a leaf and 64 hashes; whatever claims more is not ours, and must not take the memory for it.
	r.conn.Limit(sqlite3.LIMIT_LENGTH, ledger.MaxLeaf+64*32+1024)
	if err := r.conn.Exec(`PRAGMA trusted_schema = OFF; PRAGMA query_only = ON; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;`); err != nil {
		return nil, errors.Join(fmt.Errorf("read ledger: %w", err), r.Close())
	}
	return r, nil
}

// Head is the newest checkpoint as it lies in the database, unverified; nil if there is none.
func (r *Reader) Head(ctx context.Context) ([]byte, error) {
	var signed []byte
	err := r.each(ctx, `SELECT note FROM head WHERE one = 1`, func(s *sqlite3.Stmt) error {
		signed = s.ColumnBlob(0, nil)
		return nil
	})
	return signed, err
}

// Rows gives every entry in the order of its index, unverified, until yield gives an error.
func (r *Reader) Rows(ctx context.Context, yield func(ledger.Row) error) error {
	return r.each(ctx, `SELECT i, leaf, tree FROM entries ORDER BY i`, func(s *sqlite3.Stmt) error {
		return yield(ledger.Row{Index: uint64(s.ColumnInt64(0)), Leaf: s.ColumnRawBlob(1), Stored: s.ColumnRawBlob(2)})
	})
}

// Damage says in one sentence what is wrong with the files themselves, beyond what a power cut leaves; empty if nothing is.
func (r *Reader) Damage() string { return r.image.damage }

func (r *Reader) each(ctx context.Context, query string, row func(*sqlite3.Stmt) error) error {
	old := r.conn.SetInterrupt(ctx)
	defer r.conn.SetInterrupt(old)
	s, _, err := r.conn.Prepare(query)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	for s.Step() {
		if err := row(s); err != nil {
			return err
		}
	}
	return s.Err()
}

// Close lets go of the files.
func (r *Reader) Close() error {
	var err error
	if r.conn != nil {
		err = r.conn.Close()
	}
	readervfs.Delete(r.name)
	return errors.Join(err, r.image.Close())
}

// Changed says whether the files were written to since Read: a hub is at work, and what was read may be of two moments.
// Then Read again.
func (r *Reader) Changed() bool { return r.image.changed() }
