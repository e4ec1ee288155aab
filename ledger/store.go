package ledger

import "errors"

// The files of a ledger's folder. A stranger needs nothing else.
const (
	FileDB          = "ledger.db"       // entries and tree hashes (SQLite)
	FileCheckpoints = "checkpoints.log" // signed checkpoints, oldest first, append-only (SplitNotes)
	FileKey         = "hub.pub"         // the public key (ParseKey)
	FolderClips     = "clips"           // what ClipData.Path is relative to
)

// What to do when a ledger cannot be opened or written.
var (
	ErrClosed   = errors.New("ledger is closed")
	ErrFull     = errors.New("ledger has too much waiting for the disk: the entry was not taken")
	ErrFailed   = errors.New("ledger could not be written: the entries of this commit count as not written; new ones are tried again")
	ErrRange    = errors.New("ledger holds no such entries")
	ErrAltered  = errors.New("ledger is not the one that its checkpoints were signed for: keep it as evidence, run eyebolt verify, and start a new one in an empty folder")
	ErrOtherKey = errors.New("ledger was signed by another key or for another origin: use the key it was made with, or an empty folder")
)

// Row is an entry as it lies in a store, not checked at all.
type Row struct {
	Index  uint64
	Leaf   []byte // valid until the next row
	Stored []byte // the hashes stored with the leaf (Tree.Add), 32 bytes each; valid until the next row
}
