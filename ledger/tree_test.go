package ledger_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"eyebolt/ledger"
)

// The tree is RFC 6962's: the roots of its appendix's test data, as Certificate Transparency's reference implementation
// publishes them.
func TestTreeRFC6962(t *testing.T) {
	leaves := []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}
	roots := []string{
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	}
	var tree ledger.Tree
	for i, want := range roots {
		if got := tree.Root(); hex.EncodeToString(got[:]) != want {
			t.Errorf("root of %d leaves is %x, want %s", i, got, want)
		}
		if i < len(leaves) {
			leaf, err := hex.DecodeString(leaves[i])
			if err != nil {
				t.Fatal(err)
			}
			tree.Add(nil, ledger.LeafHash(leaf))
		}
	}
}

// Against tlog: what is stored with each leaf, the root at each size, and the edge through its bytes and back.
func TestTreeAgainstTlog(t *testing.T) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, n := range indexes {
			out[i] = stored[n]
		}
		return out, nil
	})
	var tree ledger.Tree
	for n := range int64(300) {
		leaf := []byte(strings.Repeat(fmt.Sprint(n), int(n)+1)) // some longer than the small buffer of LeafHash
		want, err := tlog.StoredHashes(n, leaf, reader)
		if err != nil {
			t.Fatal(err)
		}
		got := tree.Add(nil, ledger.LeafHash(leaf))
		if len(got) != len(want) || len(got) != ledger.Stored(uint64(n)) {
			t.Fatalf("leaf %d stores %d hashes, tlog %d, Stored says %d", n, len(got), len(want), ledger.Stored(uint64(n)))
		}
		for i := range got {
			if tlog.Hash(got[i]) != want[i] {
				t.Fatalf("leaf %d: hash %d differs from tlog's", n, i)
			}
		}
		stored = append(stored, want...)
		root, err := tlog.TreeHash(n+1, reader)
		if err != nil || tlog.Hash(tree.Root()) != root {
			t.Fatalf("root of %d leaves differs from tlog's: %v", n+1, err)
		}
		b, err := tree.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var again ledger.Tree
		if err := again.UnmarshalBinary(b); err != nil || again.Root() != tree.Root() || again.Size() != tree.Size() {
			t.Fatalf("the edge of %d leaves does not come back: %v", n+1, err)
		}
		if err := again.UnmarshalBinary(b[:len(b)-1]); !errors.Is(err, ledger.ErrTree) {
			t.Fatalf("a cut edge: %v", err)
		}
		if n%3 == 0 {
			tree = again // go on from what came back
		}
	}
}

func TestCheckpoint(t *testing.T) {
	key := ed25519.NewKeyFromSeed([]byte("eyebolt test ledger key 01234567"))
	signer, err := ledger.NewSigner("example.org/hub/1", key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := ledger.KeyText("example.org/hub/1", key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := ledger.ParseKey(text + "\n")
	if err != nil {
		t.Fatal(err)
	}
	var tree ledger.Tree
	tree.Add(nil, ledger.LeafHash([]byte("leaf")))
	cp, err := ledger.Sign(signer, &tree)
	if err != nil {
		t.Fatal(err)
	}
	// C2SP tlog-checkpoint: three lines, an empty one, the signature. Ed25519 is deterministic, so these bytes are fixed.
	want := "example.org/hub/1\n1\nDSfif3gnzNdFGZ6Os6avNo4QZK9Crp+DdA6YEh4rwCU=\n\n— example.org/hub/1 "
	if !strings.HasPrefix(string(cp.Note), want) || strings.Count(string(cp.Note), "\n") != 5 {
		t.Errorf("note\n%s\ndoes not begin with\n%s", cp.Note, want)
	}
	got, err := ledger.Open(cp.Note, verifier)
	if err != nil || got.Size != 1 || got.Root != tree.Root() || got.Origin != "example.org/hub/1" {
		t.Fatalf("Open: %+v, %v", got, err)
	}
	for i := range cp.Note {
		bad := []byte(string(cp.Note))
		bad[i] ^= 2
		if _, err := ledger.Open(bad, verifier); !errors.Is(err, ledger.ErrCheckpoint) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}

	witness, _, err := note.GenerateKey(fixed{}, "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	w, err := note.NewSigner(witness)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(cp.Note, note.VerifierList(verifier))
	if err != nil {
		t.Fatal(err)
	}
	both, err := note.Sign(n, w)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Open(both, verifier); err != nil {
		t.Errorf("a witness's signature beside the hub's: %v", err)
	}

	other, err := ledger.NewSigner("example.org/hub/2", key)
	if err != nil {
		t.Fatal(err)
	}
	cp, err = ledger.Sign(other, &tree)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Open(cp.Note, verifier); !errors.Is(err, ledger.ErrCheckpoint) {
		t.Errorf("another hub's checkpoint: %v", err)
	}
	for _, body := range []string{
		"", "a\n1\n", "\n1\nDgIVvuDWrzEOW9+LiCznr9+6TjG/1Bf2c18FbJXmqWM=\n", "a\n01\nDgIVvuDWrzEOW9+LiCznr9+6TjG/1Bf2c18FbJXmqWM=\n",
		"a\n-1\nDgIVvuDWrzEOW9+LiCznr9+6TjG/1Bf2c18FbJXmqWM=\n", "a\n9223372036854775808\nDgIVvuDWrzEOW9+LiCznr9+6TjG/1Bf2c18FbJXmqWM=\n",
		"a\n1\nDgIVvuDWrzEOW9+LiCznr9+6TjG/1Bf2c18FbJXmqWN=\n", "a\n1\nDgIV\n", "a\n1\nDgIVvuDWrzEOW9+LiCznr9+6TjG/1Bf2c18FbJXmqWM=\nmore\n",
		"a\n1\nDgIVvuDWrzEOW9+LiCznr9+6TjG/1Bf2c18FbJXmqWM=",
	} {
		if _, _, _, err := ledger.ParseBody(body); !errors.Is(err, ledger.ErrCheckpoint) {
			t.Errorf("body %q: %v", body, err)
		}
	}
	for _, origin := range []string{"", "two words", "a+b"} {
		if _, err := ledger.NewSigner(origin, key); err == nil {
			t.Errorf("origin %q is taken", origin)
		}
	}
}

type fixed struct{}

func (fixed) Read(p []byte) (int, error) { return len(p), nil }

func TestProofsAtTheEdges(t *testing.T) {
	var tree ledger.Tree
	empty := ledger.Checkpoint{Root: tree.Root()}
	tree.Add(nil, ledger.LeafHash([]byte("a")))
	one := ledger.Checkpoint{Size: 1, Root: tree.Root()}
	other := ledger.Checkpoint{Size: 1, Root: empty.Root}
	if err := ledger.CheckConsistency(empty, one, nil); err != nil {
		t.Errorf("from nothing: %v", err)
	}
	if err := ledger.CheckConsistency(one, one, nil); err != nil {
		t.Errorf("the same: %v", err)
	}
	for name, c := range map[string][2]ledger.Checkpoint{
		"two roots":    {one, other},
		"shrunk":       {one, empty},
		"forged empty": {{Root: one.Root}, one},
	} {
		if err := ledger.CheckConsistency(c[0], c[1], nil); !errors.Is(err, ledger.ErrProof) {
			t.Errorf("%s: %v, want ErrProof", name, err)
		}
	}
	if err := ledger.CheckInclusion(one, 1, []byte("a"), nil); !errors.Is(err, ledger.ErrProof) {
		t.Errorf("an entry behind the end: %v", err)
	}
}

func TestSplitNotes(t *testing.T) {
	a, b := "o\n1\nr\n\n— k s\n", "o\n2\nr\n\n— k s\n— w s\n"
	file := ledger.AppendNote(ledger.AppendNote(nil, []byte(a)), []byte(b))
	for cut := range len(file) + 1 {
		notes, rest := ledger.SplitNotes(file[:cut])
		whole := 0
		if cut >= len(a)+1 {
			whole = 1
		}
		if cut == len(file) {
			whole = 2
		}
		if len(notes) != whole {
			t.Fatalf("the first %d bytes hold %d notes, want %d", cut, len(notes), whole)
		}
		n := len(rest)
		for i, x := range notes {
			if string(x) != []string{a, b}[i] {
				t.Fatalf("note %d is %q", i, x)
			}
			n += len(x) + 1
		}
		if n != cut {
			t.Fatalf("%d of %d bytes accounted for", n, cut)
		}
	}
}

func FuzzOpen(f *testing.F) {
	key := ed25519.NewKeyFromSeed([]byte("eyebolt test ledger key 01234567"))
	signer, err := ledger.NewSigner("example.org/hub/1", key)
	if err != nil {
		f.Fatal(err)
	}
	text, err := ledger.KeyText("example.org/hub/1", key.Public().(ed25519.PublicKey))
	if err != nil {
		f.Fatal(err)
	}
	verifier, err := ledger.ParseKey(text)
	if err != nil {
		f.Fatal(err)
	}
	cp, err := ledger.Sign(signer, &ledger.Tree{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(cp.Note)
	f.Add([]byte(ledger.Body("example.org/hub/1", 7, cp.Root)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := ledger.Open(b, verifier); err == nil && (got.Size != 0 || got.Root != cp.Root) {
			t.Fatalf("a checkpoint that nobody signed: %+v", got)
		}
		if origin, size, root, err := ledger.ParseBody(string(b)); err == nil && ledger.Body(origin, size, root) != string(b) {
			t.Fatalf("two spellings of a body: %q", b)
		}
		notes, rest := ledger.SplitNotes(b)
		n := len(rest)
		for _, x := range notes {
			n += len(x) + 1
		}
		if n != len(b) {
			t.Fatalf("%d of %d bytes accounted for", n, len(b))
		}
	})
}
