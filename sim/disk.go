package sim

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"

	"eyebolt/hub"
	"eyebolt/ledger"
)

// How a disk fails (T18): Move.How modulo diskWays.
const (
	diskFull  = iota // nothing is written, and that is said
	diskAfter        // it is written, and the answer is an error all the same
	diskSlow         // it takes its time
	diskStuck        // nothing comes back at all, for a while
	diskFilm         // the record is written, pictures are not
	diskWays
)

var errDisk = errors.New("no space left on device")

// owedAgain is hub/run's.
const owedAgain = time.Second

// disk is the hub's: what is in entries outlives a power cut, what waits does not.
type disk struct {
	entries []ledger.Entry
	rows    []ledger.Row
	tree    ledger.Tree
	waits   []hub.Append
	owed    hub.Owed // what it did not take
	planned int      // the start in which that is to be tried again
	busy    bool
	way     int
	until   time.Duration
	head    []byte   // the checkpoint that lies beside the entries; nil: it is made when it is asked for
	held    [][]byte // checkpoints that went to the service
	signer  note.Signer
}

func (k *disk) failing(h *home, way int) bool { return k.way == way && h.t.now < k.until }

// append takes a batch; they are written in their order, several at once where they wait.
func (k *disk) append(h *home, a hub.Append) {
	k.waits = append(k.waits, a)
	k.work(h)
}

func (k *disk) work(h *home) {
	if k.busy || len(k.waits) == 0 {
		return
	}
	k.busy = true
	wait := h.t.span(500*time.Microsecond, 8*time.Millisecond)
	switch {
	case k.failing(h, diskSlow):
		wait += h.t.span(50*time.Millisecond, 3*time.Second)
	case k.failing(h, diskStuck):
		wait = k.until - h.t.now + time.Millisecond
	}
	boot := h.boot
	h.t.after(wait, func() {
		if h.boot != boot {
			return // the power went: whatever waited is gone
		}
		batch := k.waits
		k.waits, k.busy = nil, false
		again := k.owed.Take()
		var fresh []ledger.Entry
		for _, a := range batch {
			fresh = append(fresh, a.Entries...)
		}
		var err error
		if k.failing(h, diskFull) || k.failing(h, diskAfter) {
			err = errDisk
		}
		if !k.failing(h, diskFull) {
			for _, e := range slices.Concat(again, fresh) {
				k.write(h, e)
			}
		}
		if err != nil {
			if owes, _ := k.owed.Put(err, again, fresh); owes > 0 && k.planned != boot {
				k.planned = boot
				h.t.after(owedAgain, func() {
					if h.boot == boot {
						k.planned = 0
					}
					if h.boot == boot && k.owed.Owes() {
						k.append(h, hub.Append{})
					}
				})
			}
		}
		if h.cutNext {
			h.cutNext = false
			h.crash("between the write and its answer") // written, and nobody hears of it
			return
		}
		for _, a := range batch {
			if a.Done != 0 {
				h.take(hub.Written{Done: a.Done, Err: err})
			}
		}
		k.work(h)
	})
}

func (k *disk) write(h *home, e ledger.Entry) {
	e.Index = uint64(len(k.entries))
	if err := e.Check(); err != nil {
		h.t.broke(h, "S7", "the hub wrote an entry that cannot be kept, %s %s: %v", e.Kind, e.Word, err)
		return
	}
	k.put(e, e.Index)
	h.outside.durable(h, e)
	h.chronicle.durable(e)
}

// put adds an entry.
func (k *disk) put(e ledger.Entry, index uint64) {
	e.Index = index
	leaf := e.Encode()
	k.entries = append(k.entries, e)
	var few [16]ledger.Hash // so that hashing them allocates nothing
	stored := make([]byte, 0, 32*ledger.Stored(index))
	for _, hash := range k.tree.Add(few[:0], ledger.LeafHash(leaf)) {
		stored = append(stored, hash[:]...)
	}
	k.rows = append(k.rows, ledger.Row{Index: e.Index, Leaf: leaf, Stored: stored})
}

// cutBack is a disk that was put back to an earlier day: everything behind the first n entries is gone (T29).
func (k *disk) cutBack(n int) {
	k.entries, k.rows = k.entries[:n:n], k.rows[:n:n]
	k.tree = ledger.Tree{}
	for _, r := range k.rows {
		k.tree.Add(nil, ledger.LeafHash(r.Leaf))
	}
}

// Rows, Head and Damage make the disk a proof.Source.
func (k *disk) Rows(_ context.Context, yield func(ledger.Row) error) error {
	for _, r := range k.rows {
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}

func (k *disk) Head(context.Context) ([]byte, error) {
	if k.head != nil {
		return k.head, nil
	}
	cp, err := ledger.Sign(k.signer, &k.tree)
	return cp.Note, err
}

func (k *disk) Damage() string { return "" }

// newest are the checkpoints of a stranger who keeps a few, not all.
func (k *disk) newest() [][]byte { return k.held[max(0, len(k.held)-2):] }
