package proof_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/mod/sumdb/note"

	"eyebolt/ledger"
	"eyebolt/proof"
)

// store is a ledger in memory that whoever holds the disk can do with as he likes.
type store struct {
	rows   []ledger.Row
	head   []byte
	kept   []byte
	held   [][]byte
	clips  fstest.MapFS
	key    note.Verifier
	signer note.Signer
}

func (s *store) Head(context.Context) ([]byte, error) { return s.head, nil }
func (s *store) Damage() string                       { return "" }
func (s *store) Rows(_ context.Context, yield func(ledger.Row) error) error {
	for _, r := range s.rows {
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}

func (s *store) check(tb testing.TB) proof.Report {
	tb.Helper()
	r, err := proof.Check(tb.Context(), proof.Input{Source: s, Key: s.key, Kept: s.kept, Held: s.held, Clips: s.clips})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func keys(tb testing.TB, seed string) (note.Signer, note.Verifier) {
	tb.Helper()
	sum := sha256.Sum256([]byte(seed))
	signer, err := ledger.NewSigner("example.org/hub/1", ed25519.NewKeyFromSeed(sum[:]))
	if err != nil {
		tb.Fatal(err)
	}
	text, err := ledger.KeyText(signer.Name(), ed25519.NewKeyFromSeed(sum[:]).Public().(ed25519.PublicKey))
	if err != nil {
		tb.Fatal(err)
	}
	key, err := ledger.ParseKey(text)
	if err != nil {
		tb.Fatal(err)
	}
	return signer, key
}

// entries of three visits: one honest, one with a gap, one that never ended; with a clip each for the first two.
func entries(tb testing.TB, clips fstest.MapFS) []ledger.Entry {
	tb.Helper()
	start := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	data := func(v any) []byte {
		b, err := ledger.Data(v)
		if err != nil {
			tb.Fatal(err)
		}
		return b
	}
	out := []ledger.Entry{{Kind: ledger.KindBoot, Word: "boot"}}
	for visit := range 3 {
		id := fmt.Sprintf("visit-%d", visit)
		add := func(k ledger.Kind, word string, d any) {
			e := ledger.Entry{Door: "front", Visit: id, Kind: k, Word: word}
			if d != nil {
				e.Data = data(d)
			}
			out = append(out, e)
		}
		add(ledger.KindVisit, ledger.WordBegan, ledger.VisitData{CourierName: "Maria"})
		for i := range 9 {
			add(ledger.KindFact, fmt.Sprintf("fact-%d", i), nil)
		}
		if visit == 1 {
			add(ledger.KindGap, "lost", ledger.GapData{Seconds: 1.7, Why: "lost"})
		}
		if visit == 2 {
			break
		}
		film := bytes.Repeat([]byte(id), 1000)
		sum := sha256.Sum256(film)
		clips[id+".mp4"] = &fstest.MapFile{Data: film}
		add(ledger.KindClip, ledger.WordFiled, ledger.ClipData{Path: id + ".mp4", SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(film))})
		outcome := ledger.VisitData{Outcome: "done"}
		if visit == 1 {
			outcome = ledger.VisitData{Outcome: "incident", GapSeconds: 1.7}
		}
		add(ledger.KindVisit, ledger.WordEnded, outcome)
	}
	for i := range out {
		out[i].Time = start.Add(time.Duration(i) * time.Second)
	}
	return out
}

// keptAt are the sizes of the checkpoints in checkpoints.log; heldAt is the one that the service holds.
var keptAt = map[uint64]bool{1: true, 10: true, 20: true, 30: true}

const heldAt = 25

// sign writes a store as the hub would.
func sign(tb testing.TB, s *store, all []ledger.Entry) {
	tb.Helper()
	s.rows, s.kept, s.held = nil, []byte{}, nil
	var tree ledger.Tree
	checkpoint := func() []byte {
		cp, err := ledger.Sign(s.signer, &tree)
		if err != nil {
			tb.Fatal(err)
		}
		return cp.Note
	}
	for i, e := range all {
		e.Index = uint64(i)
		s.rows = append(s.rows, row(&tree, e))
		if keptAt[tree.Size()] || i == len(all)-1 {
			s.kept = ledger.AppendNote(s.kept, checkpoint())
		}
		if tree.Size() == heldAt {
			s.held = append(s.held, checkpoint())
		}
	}
	s.head = checkpoint()
}

func row(tree *ledger.Tree, e ledger.Entry) ledger.Row {
	leaf := e.Encode()
	r := ledger.Row{Index: e.Index, Leaf: leaf}
	for _, h := range tree.Add(nil, ledger.LeafHash(leaf)) {
		r.Stored = append(r.Stored, h[:]...)
	}
	return r
}

// honest is a store as the hub left it, each time a new copy.
func honest(tb testing.TB) (*store, []ledger.Entry) {
	tb.Helper()
	once.Do(func() {
		once.s.clips = fstest.MapFS{}
		once.s.signer, once.s.key = keys(tb, "hub")
		once.all = entries(tb, once.s.clips)
		sign(tb, &once.s, once.all)
	})
	s := once.s
	s.rows = slices.Clone(s.rows)
	s.clips = fstest.MapFS{}
	for name, f := range once.s.clips {
		s.clips[name] = &fstest.MapFile{Data: bytes.Clone(f.Data)}
	}
	return &s, slices.Clone(once.all)
}

var once struct {
	sync.Once
	s   store
	all []ledger.Entry
}
