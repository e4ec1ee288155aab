package proof_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"eyebolt/ledger"
	"eyebolt/proof"
)

func TestWhole(t *testing.T) {
	s, all := honest(t)
	r := s.check(t)
	if !r.OK || r.First != nil {
		t.Fatalf("honest ledger refused: %+v", r.First)
	}
	if r.Entries != uint64(len(all)) || r.Clips.Whole != 2 || r.Held != 1 || len(r.Notes) != 0 {
		t.Errorf("entries %d, clips %+v, held %d, notes %q", r.Entries, r.Clips, r.Held, r.Notes)
	}
	want := []proof.State{proof.Complete, proof.Gap, proof.Unfinished}
	for i, v := range r.Visits {
		if v.State != want[i] || v.Courier != "Maria" {
			t.Errorf("visit %d: %s by %q, want %s", i, v.State, v.Courier, want[i])
		}
	}
	if len(r.Visits) != 3 || r.Visits[1].Gap != 1.7 || r.Visits[1].Unwatched != 1.7 {
		t.Errorf("visits: %+v", r.Visits)
	}
}

// A gap while the home was secured is told, and is no gap of the visit; one that was never closed counts as far as it was
// told.
func TestGaps(t *testing.T) {
	s, _ := honest(t)
	gap := func(seconds float64, open bool) ledger.Entry {
		b, err := ledger.Data(ledger.GapData{Seconds: seconds, Why: "lost", Open: open})
		if err != nil {
			t.Fatal(err)
		}
		return ledger.Entry{Visit: "v", Door: "front", Kind: ledger.KindGap, Word: "gap", Data: b}
	}
	ended := func(outcome string, seconds float64) ledger.Entry {
		b, err := ledger.Data(ledger.VisitData{Outcome: outcome, GapSeconds: seconds})
		if err != nil {
			t.Fatal(err)
		}
		return ledger.Entry{Visit: "v", Door: "front", Kind: ledger.KindVisit, Word: ledger.WordEnded, Data: b}
	}
	for name, c := range map[string]struct {
		entries        []ledger.Entry
		gap, unwatched float64
		state          proof.State
	}{
		"none":            {[]ledger.Entry{ended("done", 0)}, 0, 0, proof.Complete},
		"secured":         {[]ledger.Entry{gap(2.5, false), ended("done", 0)}, 0, 2.5, proof.Complete},
		"partly":          {[]ledger.Entry{gap(0.1, false), gap(0.2, false), ended("incident", 0.2)}, 0.2, 0.3, proof.Gap},
		"told twice":      {[]ledger.Entry{gap(1, true), gap(1.7, false), ended("incident", 1.7)}, 1.7, 1.7, proof.Gap},
		"not closed":      {[]ledger.Entry{gap(1, false), gap(3, true)}, 0, 4, proof.Unfinished},
		"another breach":  {[]ledger.Entry{ended("incident", 0)}, 0, 0, proof.Incident},
		"never delivered": {[]ledger.Entry{ended("not-delivered", 0)}, 0, 0, proof.Complete},
	} {
		sign(t, s, c.entries)
		r := s.check(t)
		if len(r.Visits) != 1 || r.Visits[0].Gap != c.gap || r.Visits[0].Unwatched != c.unwatched || r.Visits[0].State != c.state {
			t.Errorf("%s: %+v, want gap %v, unwatched %v, %s", name, r.Visits, c.gap, c.unwatched, c.state)
		}
	}
}

// first runs the check and asks for the first wrong entry.
func first(t *testing.T, s *store, entry uint64, whats ...proof.What) {
	t.Helper()
	r := s.check(t)
	if r.OK {
		t.Fatalf("entry %d: not found", entry)
	}
	if r.First.Entry != entry {
		t.Fatalf("first wrong entry is %d (%s: %s), want %d", r.First.Entry, r.First.What, r.First.Text, entry)
	}
	for _, w := range whats {
		if r.First.What == w {
			return
		}
	}
	t.Fatalf("entry %d is called %s (%s), want one of %v", entry, r.First.What, r.First.Text, whats)
}

// T19: whichever entry is edited, removed, doubled or swapped, that entry is named.
func TestEachEntryNamed(t *testing.T) {
	_, all := honest(t)
	n := len(all)
	rng := rand.New(rand.NewPCG(1, 2))
	for k := range n {
		t.Run(fmt.Sprint(k), func(t *testing.T) {
			at := uint64(k)
			for range 20 { // one flipped bit anywhere in the leaf
				s, _ := honest(t)
				leaf := bytes.Clone(s.rows[k].Leaf)
				leaf[rng.IntN(len(leaf))] ^= 1 << rng.IntN(8)
				s.rows[k].Leaf = leaf
				first(t, s, at, proof.Altered, proof.Missing, proof.Inserted) // a flipped digit of the index reads as another entry
			}

			s, _ := honest(t) // a flipped bit in a stored hash: the entries are as signed
			s.rows[k].Stored = bytes.Clone(s.rows[k].Stored)
			s.rows[k].Stored[0] ^= 1
			first(t, s, at, proof.Tree)

			s, _ = honest(t) // edited, and its own stored hash made to fit
			e := all[k]
			e.Index, e.Word = at, e.Word+"x"
			s.rows[k].Leaf = e.Encode()
			h := ledger.LeafHash(s.rows[k].Leaf)
			s.rows[k].Stored = append(h[:], s.rows[k].Stored[32:]...)
			if r := s.check(t); r.OK || r.First.Entry > at || r.First.Until < at {
				t.Fatalf("edited entry %d and its hash: %+v", k, r.First)
			}

			s, _ = honest(t) // removed
			s.rows = append(s.rows[:k:k], s.rows[k+1:]...)
			first(t, s, at, proof.Missing, proof.Cut)

			s, _ = honest(t) // removed, and the rows behind it moved up
			s.rows = append(s.rows[:k:k], s.rows[k+1:]...)
			for i := k; i < len(s.rows); i++ {
				s.rows[i].Index = uint64(i)
			}
			first(t, s, at, proof.Missing, proof.Cut)

			s, _ = honest(t) // doubled: the copy stands behind it
			s.rows = append(s.rows[:k+1:k+1], append([]ledger.Row{s.rows[k]}, s.rows[k+1:]...)...)
			for i := range s.rows {
				s.rows[i].Index = uint64(i)
			}
			first(t, s, at+1, proof.Inserted)

			if k+1 < n { // swapped with the next
				s, _ = honest(t)
				s.rows[k].Leaf, s.rows[k+1].Leaf = s.rows[k+1].Leaf, s.rows[k].Leaf
				first(t, s, at, proof.Missing)
			}

			s, _ = honest(t) // the tail cut here, in the database alone
			s.rows = s.rows[:k]
			first(t, s, at, proof.Cut)
			if r := s.check(t); !strings.Contains(r.First.Text, fmt.Sprintf("%d entries, the ledger holds %d", n, k)) {
				t.Fatalf("cut at %d is told as %q", k, r.First.Text)
			}
		})
	}
}

// T19: everything from an entry on is written anew, tree and all. Without the hub's key every checkpoint tells; with it,
// only one that somebody else holds, and only about entries before it.
func TestRewritten(t *testing.T) {
	_, all := honest(t)
	for k := range all {
		edited := append([]ledger.Entry(nil), all...)
		edited[k].Word += "x"

		s, _ := honest(t)
		head, kept, held := s.head, s.kept, s.held
		sign(t, s, edited)
		s.head, s.kept, s.held = head, kept, held // the checkpoints cannot be made
		r := s.check(t)
		if r.OK || r.First.What != proof.Rewritten || r.First.Entry > uint64(k) || r.First.Until < uint64(k) {
			t.Fatalf("re-written from %d without the key: %+v", k, r.First)
		}

		s, _ = honest(t)
		held = s.held
		sign(t, s, edited) // with the key
		s.held = held
		r = s.check(t)
		switch {
		case k >= heldAt && !r.OK:
			t.Fatalf("nothing from outside covers entry %d, and yet: %+v", k, r.First)
		case k < heldAt && (r.OK || r.First.Entry > uint64(k) || r.First.Until < uint64(k)):
			t.Fatalf("re-written from %d with the key, against the service's checkpoint: %+v", k, r.First)
		}
	}
}

// T19: whoever has the disk cuts the tail everywhere, back to a checkpoint that was real: the one from outside tells.
func TestCutEverywhere(t *testing.T) {
	s, all := honest(t)
	held := s.held
	sign(t, s, all[:20])
	s.held = held
	first(t, s, 20, proof.Cut)
	s.held = nil
	if r := s.check(t); !r.OK {
		t.Fatalf("an older state of an honest ledger is whole in itself: %+v", r.First)
	}
}

func TestOtherKey(t *testing.T) {
	s, all := honest(t)
	held, key := s.held, s.key
	s.signer, s.key = keys(t, "somebody else")
	sign(t, s, all)
	s.held = held
	if r := s.check(t); r.OK || r.First.What != proof.Checkpoint {
		t.Fatalf("re-written under another key, the service's checkpoint: %+v", r.First)
	}
	s.held, s.key = nil, key
	if r := s.check(t); r.OK || r.First.What != proof.Checkpoint {
		t.Fatalf("re-written under another key, the hub's key known: %+v", r.First)
	}
}

func TestUnsignedTail(t *testing.T) {
	s, all := honest(t)
	var tree ledger.Tree
	for _, r := range s.rows {
		tree.Add(nil, ledger.LeafHash(r.Leaf))
	}
	more := ledger.Entry{Index: uint64(len(all)), Kind: ledger.KindFact, Word: "never-happened"}
	s.rows = append(s.rows, row(&tree, more))
	first(t, s, uint64(len(all)), proof.Unsigned)
}

func TestCheckpointsFile(t *testing.T) {
	s, _ := honest(t)
	s.kept = append(s.kept, s.head[:60]...)
	if r := s.check(t); !r.OK || len(r.Notes) != 1 {
		t.Errorf("half a checkpoint at the end is what a power cut leaves: %+v, notes %q", r.First, r.Notes)
	}
	for i := range s.kept[:len(s.kept)-60] { // any flipped bit in a whole one is found
		s, _ := honest(t)
		s.kept = bytes.Clone(s.kept)
		s.kept[i] ^= 4
		if r := s.check(t); r.OK && len(r.Notes) == 0 {
			t.Fatalf("flipped bit in byte %d of %s not found", i, ledger.FileCheckpoints)
		}
	}
	s, _ = honest(t)
	s.kept = nil
	if r := s.check(t); !r.OK || len(r.Notes) != 1 {
		t.Errorf("without %s: %+v, notes %q", ledger.FileCheckpoints, r.First, r.Notes)
	}
	s, _ = honest(t)
	s.head = nil
	if r := s.check(t); r.OK || r.First.What != proof.Checkpoint {
		t.Errorf("without its newest checkpoint: %+v", r.First)
	}
}

func TestClips(t *testing.T) {
	entryOf := func(all []ledger.Entry, visit string) uint64 {
		for i, e := range all {
			if e.Kind == ledger.KindClip && e.Visit == visit {
				return uint64(i)
			}
		}
		t.Fatal("no such clip")
		return 0
	}
	s, all := honest(t)
	s.clips["visit-1.mp4"].Data[5000] ^= 1
	first(t, s, entryOf(all, "visit-1"), proof.ClipAltered)
	r := s.check(t)
	if r.Visits[0].State != proof.Complete || r.Visits[1].State != proof.Unproven {
		t.Errorf("a clip concerns its own visit: %+v", r.Visits)
	}

	s, all = honest(t)
	s.clips["visit-1.mp4"].Data = s.clips["visit-1.mp4"].Data[:100]
	first(t, s, entryOf(all, "visit-1"), proof.ClipAltered)

	s, all = honest(t)
	delete(s.clips, "visit-0.mp4")
	first(t, s, entryOf(all, "visit-0"), proof.ClipMissing)

	removed, err := ledger.Data(ledger.ClipData{Path: "visit-0.mp4"})
	if err != nil {
		t.Fatal(err)
	}
	sign(t, s, append(all, ledger.Entry{Visit: "visit-0", Kind: ledger.KindClip, Word: ledger.WordRemoved, Reason: "retention", Data: removed}))
	if r := s.check(t); !r.OK || r.Clips.Removed != 1 || r.Clips.Whole != 1 {
		t.Errorf("a removal that is on record: %+v, %+v", r.First, r.Clips)
	}

	s, all = honest(t) // a path that leads out of the folder is never opened
	out, err := ledger.Data(ledger.ClipData{Path: "../../etc/passwd", SHA256: strings.Repeat("0", 64), Bytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	sign(t, s, append(all, ledger.Entry{Visit: "visit-0", Kind: ledger.KindClip, Word: ledger.WordFiled, Data: out}))
	first(t, s, uint64(len(all)), proof.ClipMissing)
}

// S7: film that was fetched afterwards is proven like any other, listed apart, and closes no gap.
func TestBackfilledFilmIsNoWatch(t *testing.T) {
	s, all := honest(t)
	before := s.check(t)
	film := bytes.Repeat([]byte("late"), 1000)
	sum := sha256.Sum256(film)
	from := all[0].Time.Add(30 * time.Second)
	data, err := ledger.Data(ledger.ClipData{Path: "late.mp4", SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(film)), Camera: "hall", From: from, To: from.Add(2 * time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	s.clips["late.mp4"] = &fstest.MapFile{Data: film}
	sign(t, s, append(all, ledger.Entry{Visit: "visit-1", Kind: ledger.KindClip, Word: ledger.WordBackfilled, Data: data}))
	r := s.check(t)
	if !r.OK || r.Clips.Whole != before.Clips.Whole+1 {
		t.Fatalf("%+v, %+v", r.First, r.Clips)
	}
	for i, v := range r.Visits {
		was := before.Visits[i]
		if v.State != was.State || v.Gap != was.Gap || v.Unwatched != was.Unwatched || v.Clips != was.Clips {
			t.Errorf("visit %s was %+v and is %+v", v.ID, was, v)
		}
		want := 0
		if v.ID == "visit-1" {
			want = 1
		}
		if len(v.Backfilled) != want || want == 1 && (v.Backfilled[0].File != "clips/late.mp4" || !v.Backfilled[0].From.Equal(from) || v.Backfilled[0].Entry != uint64(len(all))) {
			t.Errorf("visit %s: backfilled %+v", v.ID, v.Backfilled)
		}
	}
	s.clips["late.mp4"].Data = append(bytes.Clone(film[:len(film)-1]), 'x')
	if r := s.check(t); r.OK || r.First.What != proof.ClipAltered {
		t.Errorf("altered: %+v", r.First)
	}
	delete(s.clips, "late.mp4")
	if r := s.check(t); r.OK || r.First.What != proof.ClipMissing {
		t.Errorf("gone: %+v", r.First)
	}
}
