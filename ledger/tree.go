package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// Hash is a node of the Merkle tree (RFC 6962 section 2.1, SHA-256).
type Hash = [32]byte

// LeafHash is SHA-256 over 0x00 and the leaf.
func LeafHash(leaf []byte) Hash {
	h, out := sha256.New(), make([]byte, 0, sha256.Size)
	h.Write([]byte{0})
	h.Write(leaf)
	return Hash(h.Sum(out))
}

// NodeHash is SHA-256 over 0x01 and both children.
func NodeHash(left, right Hash) Hash {
	var b [65]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[33:], right[:])
	return sha256.Sum256(b[:])
}

// Tree is the right edge of a Merkle tree: all that is needed to add leaves and to name the root. The zero Tree is empty.
// It is a value of at most 64 hashes; whoever follows a log (the service) keeps one beside the leaves.
type Tree struct {
	size uint64
	edge []Hash // roots of the full subtrees, largest first: one for each 1 in size's binary digits
}

// Size is the number of leaves.
func (t *Tree) Size() uint64 { return t.size }

// Add adds a leaf by its hash and appends to dst what is stored with it: the leaf's hash, and the hash of each subtree that
// it completes, from the bottom up. That order is tlog's (golang.org/x/mod/sumdb/tlog, StoredHashIndex).
func (t *Tree) Add(dst []Hash, leaf Hash) []Hash {
	dst = append(dst, leaf)
	h := leaf
	for n := t.size; n&1 == 1; n >>= 1 {
		last := len(t.edge) - 1
		h = NodeHash(t.edge[last], h)
		t.edge = t.edge[:last]
		dst = append(dst, h)
	}
	t.edge = append(t.edge, h)
	t.size++
	return dst
}

// Stored is how many hashes are stored with the leaf of this index.
func Stored(index uint64) int { return 1 + bits.TrailingZeros64(index+1) }

// Root is the hash of the whole tree; of an empty one, SHA-256 of nothing.
func (t *Tree) Root() Hash {
	if len(t.edge) == 0 {
		return sha256.Sum256(nil)
	}
	h := t.edge[len(t.edge)-1]
	for i := len(t.edge) - 2; i >= 0; i-- {
		h = NodeHash(t.edge[i], h)
	}
	return h
}

// Clone gives a tree that changes apart from t.
func (t *Tree) Clone() Tree {
	return Tree{size: t.size, edge: append(make([]Hash, 0, len(t.edge)+1), t.edge...)}
}

// MarshalBinary gives the size in 8 bytes, big-endian, and the edge.
func (t *Tree) MarshalBinary() ([]byte, error) {
	b := binary.BigEndian.AppendUint64(nil, t.size)
	for _, h := range t.edge {
		b = append(b, h[:]...)
	}
	return b, nil
}

// ErrTree means that bytes are not a tree's edge.
var ErrTree = errors.New("not the edge of a Merkle tree")

// UnmarshalBinary reads what MarshalBinary wrote.
func (t *Tree) UnmarshalBinary(b []byte) error {
	if len(b) < 8 {
		return fmt.Errorf("%w: %d bytes", ErrTree, len(b))
	}
	size := binary.BigEndian.Uint64(b)
	b = b[8:]
	if len(b) != 32*bits.OnesCount64(size) {
		return fmt.Errorf("%w: %d bytes for size %d", ErrTree, len(b), size)
	}
	edge := make([]Hash, 0, len(b)/32)
	for ; len(b) > 0; b = b[32:] {
		edge = append(edge, Hash(b[:32]))
	}
	t.size, t.edge = size, edge
	return nil
}
