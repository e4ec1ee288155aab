// Package proof is what a stranger checks: a ledger, the clips that it names and the checkpoints that others hold. It
// believes none of the folder's owner's words but signatures, and says that all is whole, or which entry is the first that
// is not.
package proof

import "time"

// What is wrong, one word; a wire format.
type What string

const (
	Altered     What = "altered"      // an entry is not the one that was signed
	Missing     What = "missing"      // entries in the middle are gone
	Inserted    What = "inserted"     // an entry stands where another belongs
	Rewritten   What = "rewritten"    // entries and tree agree with each other, and not with a checkpoint
	Cut         What = "cut"          // the last entries are gone
	Unsigned    What = "unsigned"     // entries that no checkpoint covers were added
	Tree        What = "tree"         // the entries are as signed; the hashes stored with them are not
	Checkpoint  What = "checkpoint"   // a checkpoint is not signed by the ledger's key
	Unreadable  What = "unreadable"   // the database is damaged here
	ClipAltered What = "clip-altered" // a clip is not the file that its entry describes
	ClipMissing What = "clip-missing" // a clip is gone, and no entry says that it was removed
)

// Finding is one thing that is wrong. Entry is the first entry that it touches, Until the last, as far as can be told.
type Finding struct {
	What  What   `json:"what"`
	Entry uint64 `json:"entry"`
	Until uint64 `json:"until"`
	File  string `json:"file,omitempty"`
	Text  string `json:"text"` // a sentence without the entry's number
}

// State is what became of a visit's record, one word.
type State string

const (
	Complete   State = "complete"   // ended, watched throughout
	Gap        State = "gap"        // ended, with a span that nobody watched while unsecured (S7)
	Incident   State = "incident"   // ended as an incident without such a span
	Unfinished State = "unfinished" // no entry says that it ended
	Unproven   State = "altered"    // its entries are not proven: the first wrong entry lies in it or before it
)

// Visit is one visit, as its entries tell it.
type Visit struct {
	ID      string     `json:"id"`
	Door    string     `json:"door"`
	Courier string     `json:"courier,omitempty"`
	Began   time.Time  `json:"began"`
	Ended   *time.Time `json:"ended,omitempty"`
	State   State      `json:"state"`
	Outcome string     `json:"outcome,omitempty"`
	// Gap is what the visit's last entry says: seconds that nobody watched while the home was not secured (S7).
	Gap float64 `json:"gap_s"`
	// Unwatched is the sum of the visit's gap entries: as Gap, and what passed while the home was secured.
	Unwatched float64 `json:"unwatched_s"`
	First     uint64  `json:"first"` // its first entry
	Last      uint64  `json:"last"`  // its last entry
	Clips     int     `json:"clips"`
	// Backfilled is film that was fetched from a camera's own storage after the visit: nobody watched it, and neither Gap nor
	// Unwatched is smaller for it (S7).
	Backfilled []Backfilled `json:"backfilled,omitempty"`

	open float64 // seconds of a gap that no entry has closed yet
}

// Backfilled is one file of film that nobody watched, and the time that it is of, by the camera's clock.
type Backfilled struct {
	Entry  uint64    `json:"entry"`
	File   string    `json:"file"`
	Camera string    `json:"camera,omitempty"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
}

// maxBackfilled bounds what is listed of one visit; each file is an entry of the ledger.
const maxBackfilled = 256

// Clips counts the clips that entries name.
type Clips struct {
	Whole   int `json:"whole"`   // byte for byte what was filed
	Removed int `json:"removed"` // gone, and an entry says so
	Wrong   int `json:"wrong"`   // altered or missing
}

// Report is the whole result.
type Report struct {
	OK          bool      `json:"ok"`
	Origin      string    `json:"origin"`
	Entries     uint64    `json:"entries"` // as they lie there, up to the first break in their order
	Root        string    `json:"root"`    // base64, of the tree of those entries
	Checkpoints int       `json:"checkpoints"`
	Held        int       `json:"held"` // of them, from outside the folder
	Clips       Clips     `json:"clips"`
	First       *Finding  `json:"first,omitempty"` // the first entry that is wrong
	More        []Finding `json:"more,omitempty"`  // what else is wrong, at most 100
	Notes       []string  `json:"notes,omitempty"` // worth knowing, and no proof of a change
	Visits      []Visit   `json:"visits,omitempty"`
}
