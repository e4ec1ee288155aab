package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"eyebolt/ledger"
)

// maxKept is when checkpoints.log is thinned: some 20,000 checkpoints. Older ones only help to say where a change lies;
// that there is one, the newest says.
const maxKept = 4 << 20

// keeper appends checkpoints to checkpoints.log: apart from the database, so that entries cannot be cut from the one
// without the other saying so; and in its own goroutine, so that no entry waits for it.
type keeper struct {
	every  time.Duration
	path   string
	log    *slog.Logger
	newest atomic.Pointer[ledger.Checkpoint]
	fresh  chan struct{} // 1 if newest may have changed
	stop   chan struct{}
	ended  chan struct{}

	mu    sync.Mutex // guards what follows
	file  *os.File
	bytes int64  // of whole checkpoints in file
	any   bool   // there is one
	kept  uint64 // size of the last one
}

// openKeeper reads the file, proves that its newest checkpoint is one of this ledger, and removes a last one whose writing a
// power cut ended.
func openKeeper(cfg Config, verifier note.Verifier, head ledger.Checkpoint, rootAt func(uint64) (ledger.Hash, error)) (*keeper, error) {
	k := &keeper{
		every: cfg.Keep, path: filepath.Join(cfg.Dir, ledger.FileCheckpoints), log: cfg.Log,
		fresh: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
	}
	b, err := os.ReadFile(k.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	notes, rest := ledger.SplitNotes(b)
	if len(notes) > 0 {
		last, err := ledger.Open(notes[len(notes)-1], verifier)
		if err != nil {
			return nil, fmt.Errorf("%w: last of %s: %w", ledger.ErrOtherKey, ledger.FileCheckpoints, err)
		}
		if last.Size > head.Size {
			return nil, fmt.Errorf("%w: a checkpoint says %d entries, the ledger holds %d", ledger.ErrAltered, last.Size, head.Size)
		}
		if root, err := rootAt(last.Size); err != nil || root != last.Root {
			return nil, errors.Join(fmt.Errorf("%w: its first %d entries are not those of a checkpoint", ledger.ErrAltered, last.Size), err)
		}
		k.any, k.kept = true, last.Size
	}
	k.bytes = int64(len(b) - len(rest))
	if k.file, err = os.OpenFile(k.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		cfg.Log.Warn("the last checkpoint was cut short, as by a power cut; dropped", "bytes", len(rest))
		err = k.file.Truncate(k.bytes)
	}
	if err = errors.Join(err, syncDir(cfg.Dir), k.keep(head)); err != nil {
		return nil, errors.Join(err, k.file.Close())
	}
	go k.run()
	return k, nil
}

// offer says that there is a newer checkpoint. It never waits.
func (k *keeper) offer(cp ledger.Checkpoint) {
	k.newest.Store(&cp)
	k.signal()
}

func (k *keeper) signal() {
	select {
	case k.fresh <- struct{}{}:
	default:
	}
}

func (k *keeper) run() {
	defer close(k.ended)
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-k.stop:
			return
		case <-k.fresh:
		}
		if err := k.keep(*k.newest.Load()); err != nil {
			k.log.Error("checkpoint not kept; tried again", "file", k.path, "err", err)
			k.signal()
		}
		pause.Reset(k.every)
		select {
		case <-k.stop:
			return
		case <-pause.C:
		}
	}
}

// keep appends a checkpoint, durably, unless one of its size or a greater one is there.
func (k *keeper) keep(cp ledger.Checkpoint) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.any && cp.Size <= k.kept {
		return nil
	}
	line := ledger.AppendNote(nil, cp.Note)
	_, err := k.file.Write(line)
	if err == nil {
		err = k.file.Sync()
	}
	if err != nil { // half a checkpoint must not stand before the next one
		return errors.Join(fmt.Errorf("keep checkpoint: %w", err), k.file.Truncate(k.bytes))
	}
	k.any, k.kept = true, cp.Size
	if k.bytes += int64(len(line)); k.bytes > maxKept {
		if err := k.thin(); err != nil {
			k.log.Warn("old checkpoints not thinned", "err", err)
		}
	}
	return nil
}

// thin drops every second checkpoint but the last: what is left still brackets a change, between neighbours further apart.
func (k *keeper) thin() error {
	b, err := os.ReadFile(k.path)
	if err != nil {
		return err
	}
	notes, _ := ledger.SplitNotes(b)
	out := make([]byte, 0, len(b)/2)
	for i, n := range notes {
		if i%2 == 0 || i == len(notes)-1 {
			out = ledger.AppendNote(out, n)
		}
	}
	if err := replace(k.path, out); err != nil {
		return err
	}
	f, err := os.OpenFile(k.path, os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	err = k.file.Close()
	k.file, k.bytes = f, int64(len(out))
	return err
}

func (k *keeper) close() error {
	close(k.stop)
	<-k.ended
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.file.Close()
}
