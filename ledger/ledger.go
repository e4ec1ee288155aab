// Package ledger is the record that cannot be edited unseen: an append-only log whose entries are the leaves of a Merkle
// tree (RFC 6962 hashing, C2SP tlog-tiles), with signed checkpoints (C2SP tlog-checkpoint over C2SP signed-note).
// This package holds words and rules; sub-folders store.
package ledger

import (
	"context"
	"time"
)

// Kind is what an entry is about: one word, a wire format, never renamed.
type Kind string

const (
	KindBoot       Kind = "boot"       // the hub started
	KindFact       Kind = "fact"       // something happened: the interlock's word for it
	KindDecision   Kind = "decision"   // decided to unlock; durable before the order (S5)
	KindCommand    Kind = "command"    // something was ordered or told
	KindReport     Kind = "report"     // what a lock or sensor said
	KindWatch      Kind = "watch"      // the watch changed
	KindGap        Kind = "gap"        // unwatched from … to …, in tenths of a second (S7)
	KindClip       Kind = "clip"       // a clip was filed: its segments' SHA-256
	KindVisit      Kind = "visit"      // a visit began or ended
	KindConfig     Kind = "config"     // keys, doors, limits
	KindCheckpoint Kind = "checkpoint" // the service holds a checkpoint of this size
)

// Entry is one line of the record. Its leaf is Encode's bytes.
type Entry struct {
	Index  uint64    `json:"i"`           // 0, 1, 2, …
	Time   time.Time `json:"t"`           // UTC, µs; what the hub's wall clock said
	Mono   int64     `json:"m"`           // µs since the hub's boot
	Door   string    `json:"d,omitempty"` // the door's name
	Visit  string    `json:"v,omitempty"`
	Kind   Kind      `json:"k"`
	Word   string    `json:"w"`           // what, one word: phase, command or fact
	Reason string    `json:"r,omitempty"` // why, one word of interlock.Reason
	Data   []byte    `json:"x,omitempty"` // more, JSON of the kind's own struct; at most 64 KiB
}

// Checkpoint is a signed statement of a tree's size and root.
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   [32]byte
	Note   []byte // the signed note, whole
}

// Log is an append-only log. Methods may be called from several goroutines.
type Log interface {
	// Append gives the entries their index and time order and calls done, in order, once they are durable (fsync), or with
	// the error if they are not. It returns before that. Entries appended meanwhile share one commit.
	Append(done func(error), entries ...Entry)
	// Sync waits until everything appended so far is durable.
	Sync(context.Context) error
	// Checkpoint signs the durable tree.
	Checkpoint(context.Context) (Checkpoint, error)
	// Read gives entries [from, to) that are durable.
	Read(ctx context.Context, from, to uint64) ([]Entry, error)
	// Size is the number of durable entries.
	Size() uint64
	Close() error
}
