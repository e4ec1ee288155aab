// Package sqlite keeps a ledger in a folder: entries, tree hashes and the newest signed checkpoint in one SQLite database,
// older checkpoints in a file beside it, and the public key.
//
// One goroutine writes. Whatever was appended while the disk was busy with one commit goes into the next (group commit).
// After a commit that failed nothing in memory is believed: the database is opened and read again.
package sqlite

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"eyebolt/ledger"
)

// Config says where a ledger lies and who signs it.
type Config struct {
	Dir    string             // folder; made if it is missing. No other process may write to it
	Origin string             // the ledger's name: host name and path, such as "example.org/hub/7"
	Key    ed25519.PrivateKey // signs checkpoints; its public half is written to hub.pub
	Wall   func() time.Time   // stamps entries that bear no time; nil: time.Now
	Keep   time.Duration      // a checkpoint goes to checkpoints.log at most this often; 0: 1 s
	Log    *slog.Logger       // nil: silence
}

// Bounds of what waits for the disk. A hub in a visit writes some twenty entries a second: this is an hour of a disk that
// does not answer, or 64 MiB.
const (
	maxQueued      = 65_536
	maxQueuedBytes = 64 << 20
	// A commit takes at most so many entries, so that the first of them does not wait for the last for long (about 50 ms).
	maxBatch = 4096
)

// Log is a ledger that is open for writing. It implements ledger.Log and ledger.Prover.
type Log struct {
	cfg      Config
	signer   note.Signer
	verifier note.Verifier
	keeper   *keeper
	reads    *sql.DB
	size     atomic.Uint64
	done     chan struct{} // closed when the writer has ended

	mu     sync.Mutex // guards what follows
	queue  []item
	queued int // entries in queue
	bytes  int // of their data
	closed bool
	wake   chan struct{} // 1 if the queue may hold something

	// The writer's own, from Open on.
	writes  *sql.DB
	tree    ledger.Tree
	head    ledger.Checkpoint
	lost    bool  // a commit failed: read everything again before the next
	lastErr error // of the newest commit
}

// item is one call of Append, Sync or Checkpoint.
type item struct {
	entries []ledger.Entry
	err     error // refused before it was queued
	done    func(error)
}

var (
	_ ledger.Log    = (*Log)(nil)
	_ ledger.Prover = (*Log)(nil)
)

// Open opens or makes a ledger and proves its end: the newest checkpoint's signature, its root against the stored tree, the
// hashes of the last entries, and the newest checkpoint of checkpoints.log. A ledger that was cut or changed gives an error
// that wraps ledger.ErrAltered; one that was signed by another key, ledger.ErrOtherKey.
func Open(ctx context.Context, cfg Config) (*Log, error) {
	if cfg.Wall == nil {
		cfg.Wall = time.Now
	}
	if cfg.Keep <= 0 {
		cfg.Keep = time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	signer, err := ledger.NewSigner(cfg.Origin, cfg.Key)
	if err != nil {
		return nil, err
	}
	keyText, err := ledger.KeyText(cfg.Origin, cfg.Key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, err
	}
	verifier, err := ledger.ParseKey(keyText)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("ledger folder: %w", err)
	}
	if err := writeKey(cfg.Dir, keyText); err != nil {
		return nil, err
	}
	l := &Log{cfg: cfg, signer: signer, verifier: verifier, wake: make(chan struct{}, 1), done: make(chan struct{})}
	if err := l.load(ctx, true); err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger in %s: %w", cfg.Dir, err), l.closeDBs())
	}
	if l.keeper, err = openKeeper(cfg, verifier, l.head, l.rootAt(ctx)); err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger in %s: %w", cfg.Dir, err), l.closeDBs())
	}
	if l.reads, err = openDB(cfg.Dir, true); err != nil {
		return nil, errors.Join(err, l.keeper.close(), l.closeDBs())
	}
	go l.write()
	return l, nil
}

// Append takes the entries in the order of the calls and returns at once. done is called by the log's own goroutine, once,
// in the order of the calls, and must not block nor wait for the log. The entries' Data must not be changed any more. All
// entries of a call become durable together or not at all; an entry that fails Check makes the whole call fail. An error
// that wraps ledger.ErrFailed does not prove that nothing was written.
func (l *Log) Append(done func(error), entries ...ledger.Entry) {
	it := item{entries: slices.Clone(entries), done: done}
	size := 0
	for i := range it.entries {
		if it.entries[i].Time.IsZero() {
			it.entries[i].Time = l.cfg.Wall()
		}
		if err := it.entries[i].Check(); err != nil {
			it = item{err: err, done: done}
			break
		}
		size += len(it.entries[i].Data)
	}
	l.enqueue(it, size)
}

func (l *Log) enqueue(it item, size int) {
	l.mu.Lock()
	switch {
	case l.closed:
		l.mu.Unlock()
		if it.done != nil {
			go it.done(ledger.ErrClosed) // no writer is left to call it
		}
		return
	case l.queued+len(it.entries) > maxQueued || l.bytes+size > maxQueuedBytes:
		// Refused in order: only its callback waits, a few words of memory, and a caller that goes on is told each time.
		it = item{err: ledger.ErrFull, done: it.done}
		size = 0
	}
	l.queue = append(l.queue, it)
	l.queued += len(it.entries)
	l.bytes += size
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Sync waits until everything appended so far is durable. It gives the error of the newest commit if that failed.
func (l *Log) Sync(ctx context.Context) error {
	_, err := l.settled(ctx)
	return err
}

// Checkpoint gives the signed checkpoint of everything appended so far. When it returns, the checkpoint is durable in the
// database and in checkpoints.log.
func (l *Log) Checkpoint(ctx context.Context) (ledger.Checkpoint, error) {
	cp, err := l.settled(ctx)
	if err != nil {
		return ledger.Checkpoint{}, err
	}
	return cp, l.keeper.keep(cp)
}

// settled waits until the queue up to here was committed, and gives the checkpoint that covers it.
func (l *Log) settled(ctx context.Context) (ledger.Checkpoint, error) {
	type answer struct {
		cp  ledger.Checkpoint
		err error
	}
	reply := make(chan answer, 1)
	l.enqueue(item{done: func(err error) {
		if errors.Is(err, ledger.ErrClosed) { // not called by the writer: its fields are not ours to read
			reply <- answer{err: err}
			return
		}
		reply <- answer{l.head, err}
	}}, 0)
	select {
	case a := <-reply:
		return a.cp, a.err
	case <-ctx.Done():
		return ledger.Checkpoint{}, ctx.Err()
	}
}

// Size is the number of durable entries.
func (l *Log) Size() uint64 { return l.size.Load() }

// Read gives the durable entries [from, to). At most 65,536 at a time: about 20 MiB of usual ones.
func (l *Log) Read(ctx context.Context, from, to uint64) ([]ledger.Entry, error) {
	if size := l.Size(); from > to || to > size || to-from > 65_536 {
		return nil, fmt.Errorf("%w: [%d, %d) of %d; at most 65536 at a time", ledger.ErrRange, from, to, size)
	}
	rows, err := l.reads.QueryContext(ctx, `SELECT leaf FROM entries WHERE i >= ?1 AND i < ?2 ORDER BY i`, int64(from), int64(to))
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	defer rows.Close()
	out := make([]ledger.Entry, 0, to-from)
	for rows.Next() {
		var leaf sql.RawBytes
		if err := rows.Scan(&leaf); err != nil {
			return nil, fmt.Errorf("read ledger: %w", err)
		}
		e, err := ledger.Decode(leaf)
		if err != nil || e.Index != from+uint64(len(out)) {
			return nil, fmt.Errorf("%w: entry %d", ledger.ErrAltered, from+uint64(len(out)))
		}
		out = append(out, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	if uint64(len(out)) != to-from {
		return nil, fmt.Errorf("%w: entry %d is missing", ledger.ErrAltered, from+uint64(len(out)))
	}
	return out, nil
}

// Inclusion proves that the tree of size holds entry index.
func (l *Log) Inclusion(ctx context.Context, index, size uint64) ([]ledger.Hash, error) {
	if n := l.Size(); index >= size || size > n {
		return nil, fmt.Errorf("%w: entry %d in a tree of %d, of %d", ledger.ErrRange, index, size, n)
	}
	proof, err := tlog.ProveRecord(int64(size), int64(index), hashReader{ctx, l.reads})
	return plain(proof), err
}

// Consistency proves that the tree of newSize begins with the tree of oldSize.
func (l *Log) Consistency(ctx context.Context, oldSize, newSize uint64) ([]ledger.Hash, error) {
	if n := l.Size(); oldSize > newSize || newSize > n {
		return nil, fmt.Errorf("%w: trees of %d and %d, of %d", ledger.ErrRange, oldSize, newSize, n)
	}
	if oldSize == 0 || oldSize == newSize { // nothing to prove
		return nil, nil
	}
	proof, err := tlog.ProveTree(int64(newSize), int64(oldSize), hashReader{ctx, l.reads})
	return plain(proof), err
}

func plain(hashes []tlog.Hash) []ledger.Hash {
	out := make([]ledger.Hash, len(hashes))
	for i, h := range hashes {
		out[i] = ledger.Hash(h)
	}
	return out
}

// Close writes what is queued, keeps the last checkpoint and closes the files. Later calls give ledger.ErrClosed.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		<-l.done
		return ledger.ErrClosed
	}
	l.closed = true
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
	<-l.done
	err := l.lastErr
	if !l.lost {
		err = errors.Join(err, l.keeper.keep(l.head))
	}
	return errors.Join(err, l.keeper.close(), l.reads.Close(), l.closeDBs())
}

func (l *Log) closeDBs() error {
	if l.writes == nil {
		return nil
	}
	err := l.writes.Close()
	l.writes = nil
	return err
}
