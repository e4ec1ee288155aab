package ledger

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Prover is a log that can prove what it says of itself. Sizes are of durable trees.
type Prover interface {
	// Inclusion proves that the tree of size holds the leaf of this index.
	Inclusion(ctx context.Context, index, size uint64) ([]Hash, error)
	// Consistency proves that the tree of newSize begins with the whole tree of oldSize: nothing was edited or removed.
	Consistency(ctx context.Context, oldSize, newSize uint64) ([]Hash, error)
}

// ErrProof means that a proof does not hold: the log is not the one that the checkpoint was signed for.
var ErrProof = errors.New("the proof does not hold: the ledger was changed since the checkpoint")

// CheckInclusion verifies a proof of Inclusion against a checkpoint that was opened before.
func CheckInclusion(cp Checkpoint, index uint64, leaf []byte, proof []Hash) error {
	if index >= cp.Size {
		return fmt.Errorf("%w: entry %d of %d", ErrProof, index, cp.Size)
	}
	err := tlog.CheckRecord(hashes(proof), int64(cp.Size), tlog.Hash(cp.Root), int64(index), tlog.Hash(LeafHash(leaf)))
	if err != nil {
		return fmt.Errorf("%w: entry %d: %w", ErrProof, index, err)
	}
	return nil
}

// CheckConsistency verifies a proof of Consistency between two checkpoints that were opened before.
func CheckConsistency(older, newer Checkpoint, proof []Hash) error {
	switch {
	case older.Size > newer.Size:
		return fmt.Errorf("%w: from %d entries to %d", ErrProof, older.Size, newer.Size)
	case older.Size == newer.Size:
		if older.Root != newer.Root || len(proof) > 0 {
			return fmt.Errorf("%w: two roots for %d entries", ErrProof, older.Size)
		}
		return nil
	case older.Size == 0: // every tree begins with the empty one
		if (older.Root != (&Tree{}).Root()) || len(proof) > 0 {
			return fmt.Errorf("%w: an empty tree with another root", ErrProof)
		}
		return nil
	}
	err := tlog.CheckTree(hashes(proof), int64(newer.Size), tlog.Hash(newer.Root), int64(older.Size), tlog.Hash(older.Root))
	if err != nil {
		return fmt.Errorf("%w: from %d entries to %d: %w", ErrProof, older.Size, newer.Size, err)
	}
	return nil
}

func hashes(proof []Hash) []tlog.Hash {
	out := make([]tlog.Hash, len(proof))
	for i, h := range proof {
		out[i] = tlog.Hash(h)
	}
	return out
}
