package sqlite

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"

	"eyebolt/ledger"
)

// write is the log's one goroutine that writes; it ends when the log is closed and the queue is empty.
func (l *Log) write() {
	defer close(l.done)
	for range l.wake {
		for {
			batch, closed := l.take()
			if len(batch) == 0 {
				if closed {
					return
				}
				break
			}
			l.commitAndTell(batch)
		}
	}
}

// take removes from the queue the items of one commit.
func (l *Log) take() (batch []item, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, entries := 0, 0
	for n < len(l.queue) && (n == 0 || entries+len(l.queue[n].entries) <= maxBatch) {
		entries += len(l.queue[n].entries)
		for _, e := range l.queue[n].entries {
			l.bytes -= len(e.Data)
		}
		n++
	}
	batch = l.queue[:n:n]
	l.queue = l.queue[n:]
	if len(l.queue) == 0 {
		l.queue = nil // let go of what was taken
	}
	l.queued -= entries
	return batch, l.closed
}

// commitAndTell writes a batch and tells each of its items, in order. Items without entries wait for the others only.
func (l *Log) commitAndTell(batch []item) {
	entries := 0
	for _, it := range batch {
		entries += len(it.entries)
	}
	if entries > 0 {
		l.lastErr = l.commit(context.Background(), batch)
		if l.lastErr != nil {
			l.lost = true
			l.lastErr = fmt.Errorf("%w: %w", ledger.ErrFailed, l.lastErr)
			l.cfg.Log.Error("ledger not written", "entries", entries, "err", l.lastErr)
		} else {
			l.size.Store(l.tree.Size())
			l.keeper.offer(l.head)
		}
	}
	for _, it := range batch {
		if it.done == nil {
			continue
		}
		if it.err != nil {
			it.done(it.err)
		} else {
			it.done(l.lastErr)
		}
	}
}

// commit writes entries, their hashes and the checkpoint that covers them in one transaction. The tree in memory changes
// only when it is on disk.
func (l *Log) commit(ctx context.Context, batch []item) error {
	if l.lost {
		if err := l.load(ctx, false); err != nil {
			return fmt.Errorf("read it again after a failure: %w", err)
		}
		l.lost = false
		l.size.Store(l.tree.Size())
	}
	tx, err := l.writes.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	tree := l.tree.Clone()
	head, err := l.insert(ctx, tx, &tree, batch)
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	l.tree, l.head = tree, head
	return nil
}

func (l *Log) insert(ctx context.Context, tx *sql.Tx, tree *ledger.Tree, batch []item) (ledger.Checkpoint, error) {
	add, err := tx.PrepareContext(ctx, `INSERT INTO entries (i, leaf, tree) VALUES (?1, ?2, ?3)`)
	if err != nil {
		return ledger.Checkpoint{}, err
	}
	defer add.Close()
	var (
		leaf   []byte
		hashes []ledger.Hash
		stored []byte
	)
	for _, it := range batch {
		for _, e := range it.entries {
			e.Index = tree.Size()
			leaf = e.Encode()
			hashes = tree.Add(hashes[:0], ledger.LeafHash(leaf))
			stored = stored[:0]
			for _, h := range hashes {
				stored = append(stored, h[:]...)
			}
			if _, err := add.ExecContext(ctx, int64(e.Index), leaf, stored); err != nil {
				return ledger.Checkpoint{}, fmt.Errorf("entry %d: %w", e.Index, err)
			}
		}
	}
	return l.putHead(ctx, tx, tree)
}

// putHead signs a tree and makes it the newest checkpoint.
func (l *Log) putHead(ctx context.Context, tx *sql.Tx, tree *ledger.Tree) (ledger.Checkpoint, error) {
	head, err := ledger.Sign(l.signer, tree)
	if err != nil {
		return ledger.Checkpoint{}, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO head (one, note) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET note = excluded.note`, head.Note)
	return head, err
}

// tailChecked is how many of the last entries are hashed again when a ledger is opened: a torn write would be there. It
// takes under 10 ms. eyebolt verify checks all.
const tailChecked = 1024

// load opens the database and proves its end. The first time it may make the tables.
func (l *Log) load(ctx context.Context, first bool) error {
	if err := l.closeDBs(); err != nil {
		l.cfg.Log.Warn("ledger database closed with an error", "err", err)
	}
	db, err := openDB(l.cfg.Dir, false)
	if err != nil {
		return err
	}
	l.writes = db
	if first {
		if err := l.create(ctx); err != nil {
			return err
		}
	}
	size, err := count(ctx, db)
	if err != nil {
		return err
	}
	if l.tree, err = loadTree(ctx, db, size); err != nil {
		return err
	}
	if err := l.loadHead(ctx); err != nil {
		return err
	}
	if err := l.checkTail(ctx, size); err != nil {
		return err
	}
	l.size.Store(size)
	return nil
}

// loadHead reads and verifies the newest checkpoint.
func (l *Log) loadHead(ctx context.Context) error {
	var signed []byte
	err := l.writes.QueryRowContext(ctx, `SELECT note FROM head WHERE one = 1`).Scan(&signed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%w: its newest checkpoint is missing", ledger.ErrAltered)
	case err != nil:
		return err
	}
	if l.head, err = ledger.Open(signed, l.verifier); err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrOtherKey, err)
	}
	root := l.tree.Root()
	if l.head.Size != l.tree.Size() || subtle.ConstantTimeCompare(l.head.Root[:], root[:]) != 1 {
		return fmt.Errorf("%w: its checkpoint is of %d entries, it holds %d", ledger.ErrAltered, l.head.Size, l.tree.Size())
	}
	return nil
}

func (l *Log) checkTail(ctx context.Context, size uint64) error {
	from := size - min(size, tailChecked)
	rows, err := l.writes.QueryContext(ctx, `SELECT i, leaf, tree FROM entries WHERE i >= ?1 ORDER BY i`, int64(from))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var i int64
		var leaf, stored sql.RawBytes
		if err := rows.Scan(&i, &leaf, &stored); err != nil {
			return err
		}
		h := ledger.LeafHash(leaf)
		if len(stored) < 32 || subtle.ConstantTimeCompare(h[:], stored[:32]) != 1 {
			return fmt.Errorf("%w: entry %d", ledger.ErrAltered, i)
		}
	}
	return rows.Err()
}

// rootAt gives the stored tree's root at an earlier size.
func (l *Log) rootAt(ctx context.Context) func(size uint64) (ledger.Hash, error) {
	return func(size uint64) (ledger.Hash, error) {
		t, err := loadTree(ctx, l.writes, size)
		return t.Root(), err
	}
}

// ignoreDone drops the error of rolling back what is over already.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}
