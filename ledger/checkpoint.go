package ledger

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// ErrCheckpoint means that bytes are not a checkpoint signed by the key asked for.
var ErrCheckpoint = errors.New("not a checkpoint signed by this ledger's key")

// maxNote is the longest signed checkpoint that is looked at: a body under 400 bytes, and room for a hundred witnesses.
const maxNote = 16 << 10

// Body is a checkpoint's text (C2SP tlog-checkpoint): origin, size and root in base64, one to a line.
func Body(origin string, size uint64, root Hash) string {
	return origin + "\n" + strconv.FormatUint(size, 10) + "\n" + base64.StdEncoding.EncodeToString(root[:]) + "\n"
}

// ParseBody reads what Body writes and nothing else; extension lines are not ours and are refused.
func ParseBody(body string) (origin string, size uint64, root Hash, err error) {
	fail := func(what string) (string, uint64, Hash, error) {
		return "", 0, Hash{}, fmt.Errorf("%w: %s", ErrCheckpoint, what)
	}
	lines := strings.Split(body, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] == "" {
		return fail("body is not three lines")
	}
	// Tree sizes fit in 63 bits: tlog counts in int64.
	n, err := strconv.ParseUint(lines[1], 10, 63)
	if err != nil || strconv.FormatUint(n, 10) != lines[1] {
		return fail("second line is not a size")
	}
	h, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(h) != len(root) || len(lines[2]) != 44 {
		return fail("third line is not a root hash")
	}
	return lines[0], n, Hash(h), nil
}

// Sign makes a checkpoint of a tree. The signer's name is the origin.
func Sign(signer note.Signer, t *Tree) (Checkpoint, error) {
	cp := Checkpoint{Origin: signer.Name(), Size: t.Size(), Root: t.Root()}
	var err error
	cp.Note, err = note.Sign(&note.Note{Text: Body(cp.Origin, cp.Size, cp.Root)}, signer)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("sign checkpoint of size %d: %w", cp.Size, err)
	}
	return cp, nil
}

// Open verifies a signed checkpoint: its signature by verifier's key, and that its origin is the key's name. Signatures by
// others (witnesses) may stand beside it.
func Open(signed []byte, verifier note.Verifier) (Checkpoint, error) {
	if len(signed) > maxNote {
		return Checkpoint{}, fmt.Errorf("%w: %d bytes, at most %d", ErrCheckpoint, len(signed), maxNote)
	}
	n, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	origin, size, root, err := ParseBody(n.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	if origin != verifier.Name() {
		return Checkpoint{}, fmt.Errorf("%w: it is of %q, the key is of %q", ErrCheckpoint, origin, verifier.Name())
	}
	return Checkpoint{Origin: origin, Size: size, Root: root, Note: bytes.Clone(signed)}, nil
}

// NewSigner makes the signer of a ledger (C2SP signed-note, Ed25519). origin is its name: a host name and path without
// scheme, such as "example.org/hub/7"; no blanks, no plus.
func NewSigner(origin string, key ed25519.PrivateKey) (note.Signer, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("ledger key has %d bytes, want %d", len(key), ed25519.PrivateKeySize)
	}
	text, err := KeyText(origin, key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, err
	}
	v, err := note.NewVerifier(text)
	if err != nil {
		return nil, fmt.Errorf("ledger origin %q cannot be a key's name: use a host name and path, without blanks and plus: %w", origin, err)
	}
	return signer{v, key}, nil
}

// KeyText is the public key as it stands in hub.pub: name+hash+base64 (C2SP signed-note, verifier key).
func KeyText(origin string, key ed25519.PublicKey) (string, error) {
	text, err := note.NewEd25519VerifierKey(origin, key)
	if err != nil {
		return "", fmt.Errorf("ledger origin %q cannot be a key's name: use a host name and path, without blanks and plus: %w", origin, err)
	}
	return text, nil
}

// ParseKey reads what KeyText wrote, with or without a line end.
func ParseKey(text string) (note.Verifier, error) {
	v, err := note.NewVerifier(strings.TrimSuffix(text, "\n"))
	if err != nil {
		return nil, fmt.Errorf("not a public key of a ledger (name+hash+key): %w", err)
	}
	return v, nil
}

// signer signs notes with an Ed25519 key that is at hand as a key, not as text.
type signer struct {
	note.Verifier
	key ed25519.PrivateKey
}

func (s signer) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.key, msg), nil }

// AppendNote adds a signed note to a file of notes: each is followed by an empty line.
func AppendNote(file, signed []byte) []byte { return append(append(file, signed...), '\n') }

// SplitNotes splits a file of notes. rest is what follows the last whole one: nothing, or a note whose writing a power cut
// ended. It verifies nothing.
func SplitNotes(file []byte) (notes [][]byte, rest []byte) {
	for rest = file; ; {
		body := bytes.Index(rest, []byte("\n\n"))
		if body < 0 {
			return notes, rest
		}
		sigs := bytes.Index(rest[body+2:], []byte("\n\n"))
		if sigs < 0 {
			return notes, rest
		}
		end := body + 2 + sigs + 1
		notes = append(notes, rest[:end:end])
		rest = rest[end+1:]
	}
}
