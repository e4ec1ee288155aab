package proof

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"eyebolt/ledger"
)

// Source is a ledger as it lies in its store. Nothing that it gives is believed.
type Source interface {
	Rows(ctx context.Context, yield func(ledger.Row) error) error
	Head(ctx context.Context) ([]byte, error)
	Damage() string
}

// Input is what there is to check.
type Input struct {
	Source Source
	Key    note.Verifier // the hub's public key, from whom the stranger trusts for it
	Kept   []byte        // checkpoints.log; nil: there is none
	Held   [][]byte      // signed checkpoints that others hold: the service, a witness
	Clips  fs.FS         // the folder of clips; nil: they are not checked
}

// maxFindings bounds what a report lists: a ruined ledger must not fill the memory with its ruins.
const maxFindings = 100

// Check verifies everything. Its error means that it could not be done, never that something is wrong: that is in the
// report.
func Check(ctx context.Context, in Input) (Report, error) {
	c := checker{in: in, visits: map[string]int{}, removed: map[string]uint64{}, roots: map[uint64]ledger.Hash{}}
	if err := c.openCheckpoints(ctx); err != nil {
		return Report{}, err
	}
	if err := c.readRows(ctx); err != nil {
		return Report{}, err
	}
	c.judgeCheckpoints()
	if err := c.checkClips(ctx); err != nil {
		return Report{}, err
	}
	return c.report(), nil
}

// signed is a checkpoint whose signature holds, and where it comes from.
type signed struct {
	ledger.Checkpoint
	from    string
	outside bool // somebody else held it
}

type checker struct {
	in    Input
	notes []string

	checkpoints []signed // by size
	held        int
	bad         []Finding // checkpoints whose signature does not hold
	headSize    uint64    // of the newest checkpoint in the store
	headOK      bool

	tree    ledger.Tree
	roots   map[uint64]ledger.Hash // of the entries read, at each checkpoint's size
	broken  bool                   // the order of indexes broke: the tree ends before
	rows    []Finding              // what the rows themselves show, the first of each kind
	visited []Visit
	visits  map[string]int
	clips   []clip
	removed map[string]uint64 // path → entry that says so

	findings []Finding
	count    Clips
}

func (c *checker) openCheckpoints(ctx context.Context) error {
	add := func(raw []byte, from string, head, outside bool) {
		cp, err := ledger.Open(raw, c.in.Key)
		if err != nil {
			c.bad = append(c.bad, Finding{What: Checkpoint, Text: fmt.Sprintf("%s is not signed by this ledger's key %s: it was changed, or re-written under another key", from, c.in.Key.Name())})
			return
		}
		c.checkpoints = append(c.checkpoints, signed{cp, from, outside})
		if head {
			c.headSize, c.headOK = cp.Size, true
		}
	}
	head, err := c.in.Source.Head(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		c.bad = append(c.bad, Finding{What: Unreadable, Text: "the newest checkpoint cannot be read: " + err.Error()})
	case head == nil:
		c.bad = append(c.bad, Finding{What: Checkpoint, Text: "the ledger's newest checkpoint is missing"})
	default:
		add(head, "the ledger's newest checkpoint", true, false)
	}
	if c.in.Kept == nil {
		c.notes = append(c.notes, ledger.FileCheckpoints+" is missing: a cut tail is found only by a checkpoint from outside")
	}
	kept, rest := ledger.SplitNotes(c.in.Kept)
	for i, raw := range kept {
		add(raw, fmt.Sprintf("checkpoint %d in %s", i+1, ledger.FileCheckpoints), false, false)
	}
	if len(rest) > 0 {
		c.notes = append(c.notes, ledger.FileCheckpoints+" ends in half a checkpoint, as after a power cut")
	}
	for i, raw := range c.in.Held {
		add(raw, fmt.Sprintf("checkpoint %d from outside", i+1), false, true)
	}
	c.held = len(c.in.Held)
	slices.SortStableFunc(c.checkpoints, func(a, b signed) int { return cmp.Compare(a.Size, b.Size) })
	if d := c.in.Source.Damage(); d != "" {
		c.bad = append(c.bad, Finding{What: Unreadable, Text: d})
	}
	return nil
}

// errEnough ends the reading of rows.
var errEnough = errors.New("enough")

func (c *checker) readRows(ctx context.Context) error {
	next := 0 // checkpoint whose size comes next
	mark := func() {
		for next < len(c.checkpoints) && c.checkpoints[next].Size <= c.tree.Size() {
			if c.checkpoints[next].Size == c.tree.Size() {
				c.roots[c.tree.Size()] = c.tree.Root()
			}
			next++
		}
	}
	mark()
	var hashes []ledger.Hash
	err := c.in.Source.Rows(ctx, func(r ledger.Row) error {
		at := c.tree.Size()
		if r.Index != at {
			c.broken = true
			if r.Index > at && r.Index>>63 == 0 {
				c.rows = append(c.rows, Finding{What: Missing, Entry: at, Until: r.Index - 1, Text: "no longer in the ledger; those before and after it are"})
			} else {
				c.rows = append(c.rows, Finding{What: Inserted, Entry: at, Until: at, Text: fmt.Sprintf("an entry with index %d stands here", int64(r.Index))})
			}
			return errEnough
		}
		hashes = c.tree.Add(hashes[:0], ledger.LeafHash(r.Leaf))
		c.checkRow(r, hashes)
		mark()
		return nil
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && !errors.Is(err, errEnough):
		c.broken = true
		at := c.tree.Size()
		c.rows = append(c.rows, Finding{What: Unreadable, Entry: at, Until: at, Text: "the database is damaged here: " + err.Error()})
	}
	return nil
}

// checkRow looks at one entry alone: its form, its index, and the hashes stored with it. Only the first sign of each kind
// is kept; all later hashes differ with the first.
func (c *checker) checkRow(r ledger.Row, hashes []ledger.Hash) {
	first := func(f Finding) {
		if !slices.ContainsFunc(c.rows, func(g Finding) bool { return g.What == f.What }) {
			c.rows = append(c.rows, f)
		}
	}
	e, err := ledger.Decode(r.Leaf)
	switch {
	case err != nil:
		first(Finding{What: Altered, Entry: r.Index, Until: r.Index, Text: "not an entry in canonical form"})
		return
	case e.Index > r.Index:
		first(Finding{What: Missing, Entry: r.Index, Until: e.Index - 1, Text: fmt.Sprintf("entry %d stands in its place", e.Index)})
		return
	case e.Index < r.Index:
		first(Finding{What: Inserted, Entry: r.Index, Until: r.Index, Text: fmt.Sprintf("a second entry %d stands here", e.Index)})
		return
	}
	c.tell(e)
	for i, h := range hashes {
		switch {
		case len(r.Stored) == 32*len(hashes) && ledger.Hash(r.Stored[32*i:][:32]) == h:
			continue
		case i == 0:
			first(Finding{What: Altered, Entry: r.Index, Until: r.Index, Text: "not the entry whose hash was stored when it was written"})
		default: // a subtree of 2^i leaves that ends here; its halves agree with themselves
			first(Finding{What: Tree, Entry: r.Index + 1 - 1<<i, Until: r.Index, Text: "the hash of these entries together is not the stored one"})
		}
		return
	}
}

// judgeCheckpoints compares the entries with every signed checkpoint and then says what the signs on the rows mean: under a
// checkpoint that holds, an entry is as signed, and what differs is the stored hash.
func (c *checker) judgeCheckpoints() {
	n := c.tree.Size()
	proven := uint64(0) // entries under a checkpoint that holds
	var wrong, cut *signed
	for i := range c.checkpoints {
		cp := &c.checkpoints[i]
		switch root, read := c.roots[cp.Size]; {
		case !read: // larger than what is there
			if cut == nil || cp.Size > cut.Size {
				cut = cp
			}
		case root == cp.Root:
			proven = max(proven, cp.Size)
		case wrong == nil:
			wrong = cp
		}
	}
	gone := false
	for _, f := range c.rows {
		if f.What == Tree && c.explained(f.Entry, f.Until+1) {
			continue // it follows from an entry in it
		}
		if f.Until < proven && (f.What == Altered || f.What == Tree) {
			f.What, f.Text = Tree, "the entries are as signed; the hash stored with them was changed"
		}
		gone = gone || f.What == Missing
		c.find(f)
	}
	if wrong != nil && wrong.Size > proven && !c.explained(proven, wrong.Size) {
		c.find(Finding{
			What: Rewritten, Entry: proven, Until: wrong.Size - 1,
			Text: fmt.Sprintf("%s says another root for %d entries: from here on they were re-written", wrong.from, wrong.Size),
		})
	}
	if wrong != nil && wrong.Size <= proven { // two signed roots that cannot both be: the signer forked its own ledger
		c.find(Finding{
			What: Rewritten, Entry: c.witnessed(wrong.Size), Until: wrong.Size - 1,
			Text: fmt.Sprintf("%s contradicts another checkpoint of the same key: there are two ledgers", wrong.from),
		})
	}
	if cut != nil && !c.broken && !gone {
		c.find(Finding{
			What: Cut, Entry: n, Until: cut.Size - 1,
			Text: fmt.Sprintf("%s says %d entries, the ledger holds %d", cut.from, cut.Size, n),
		})
	}
	if c.headOK && c.headSize < n {
		c.find(Finding{What: Unsigned, Entry: c.headSize, Until: n - 1, Text: "no checkpoint covers what was added here: not written by the hub"})
	}
	for _, f := range c.bad { // they concern what no other checkpoint proves: nothing, if proven is n
		f.Entry, f.Until = proven, max(proven, n)
		c.find(f)
	}
}

// explained says whether a sign on the rows already says where, in [from, to), entries differ from what was signed.
func (c *checker) explained(from, to uint64) bool {
	return slices.ContainsFunc(c.findings, func(f Finding) bool { return f.Entry >= from && f.Entry < to })
}

// witnessed is how many of the first entries, fewer than size, a checkpoint from outside proves.
func (c *checker) witnessed(size uint64) (n uint64) {
	for _, cp := range c.checkpoints {
		if root, read := c.roots[cp.Size]; cp.outside && cp.Size < size && read && root == cp.Root {
			n = max(n, cp.Size)
		}
	}
	return n
}

func (c *checker) find(f Finding) {
	if len(c.findings) < maxFindings {
		c.findings = append(c.findings, f)
	}
}

func (c *checker) report() Report {
	root := c.tree.Root()
	slices.SortStableFunc(c.findings, func(a, b Finding) int { return cmp.Compare(a.Entry, b.Entry) })
	r := Report{
		OK: len(c.findings) == 0, Origin: c.in.Key.Name(), Entries: c.tree.Size(), Root: base64.StdEncoding.EncodeToString(root[:]),
		Checkpoints: len(c.checkpoints), Held: c.held, Clips: c.count, Notes: c.notes, Visits: c.judgeVisits(),
	}
	if !r.OK {
		r.First, r.More = &c.findings[0], c.findings[1:]
	}
	return r
}
