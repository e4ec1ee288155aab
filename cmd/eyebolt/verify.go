package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"golang.org/x/mod/sumdb/note"

	"eyebolt/ledger"
	"eyebolt/ledger/sqlite"
	"eyebolt/proof"
)

// VerifyCmd checks a record as a stranger would. It writes nothing, and works beside a running hub and on read-only media.
// Exit code 0: everything is whole; 1: it is not; 2: it could not be checked.
type VerifyCmd struct {
	Dir        string   `arg:"" help:"Folder with ledger.db, checkpoints.log, hub.pub and clips/." type:"path"`
	Checkpoint []string `help:"Signed checkpoint that somebody else holds (the service, a witness). Without one, a ledger that was re-written with the hub's own key cannot be told from the first." type:"path" placeholder:"FILE"`
	Key        string   `help:"The hub's public key as you know it: its text, or a file. Without it, the folder's own hub.pub is believed." placeholder:"KEY"`
	JSON       bool     `name:"json" help:"Print the whole report as JSON."`
}

// verifyExit is an error that says how the program ends.
type verifyExit struct {
	code int
	text string
}

func (e verifyExit) Error() string { return e.text }
func (e verifyExit) ExitCode() int { return e.code }

// Run checks and prints.
func (v *VerifyCmd) Run(ctx context.Context) error { return v.run(ctx, os.Stdout) }

func (v *VerifyCmd) run(ctx context.Context, out io.Writer) error {
	r, err := v.check(ctx)
	if err != nil {
		return verifyExit{2, "verify: " + err.Error()}
	}
	if v.JSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		err = e.Encode(r)
	} else {
		err = printReport(out, r)
	}
	if err != nil {
		return verifyExit{2, "verify: " + err.Error()}
	}
	if !r.OK {
		return verifyExit{1, ""} // the report has said it
	}
	return nil
}

// check reads the folder. Where a hub is writing to it, what was read may be of two moments: it is read again.
func (v *VerifyCmd) check(ctx context.Context) (proof.Report, error) {
	key, err := v.key()
	if err != nil {
		return proof.Report{}, err
	}
	in := proof.Input{Key: key}
	for _, name := range v.Checkpoint {
		b, err := os.ReadFile(name)
		if err != nil {
			return proof.Report{}, err
		}
		if len(bytes.TrimSpace(b)) == 0 {
			return proof.Report{}, fmt.Errorf("%s is empty: a checkpoint that could not be had proves nothing; fetch it again", name)
		}
		notes, rest := ledger.SplitNotes(b)
		if in.Held = append(in.Held, notes...); len(rest) > 0 {
			in.Held = append(in.Held, rest)
		}
	}
	if clips := filepath.Join(v.Dir, ledger.FolderClips); isDir(clips) {
		root, err := os.OpenRoot(clips) // links that lead out of it are not followed
		if err != nil {
			return proof.Report{}, err
		}
		defer func() { _ = root.Close() }()
		in.Clips = root.FS()
	}
	const tries = 30 // a hub copies its write-ahead log about once in a thousand commits
	for try := 1; ; try++ {
		r, changed, err := v.once(ctx, in)
		if err != nil || r.OK || !changed {
			return r, err
		}
		if try == tries { // what was read is of two moments: it proves nothing, least of all a fault
			return r, errors.New("the hub writes too fast for its record to be read beside it: try again, or copy the folder while the hub is stopped")
		}
		if err := sleep(ctx, time.Duration(try)*5*time.Millisecond); err != nil {
			return r, err
		}
	}
}

func (v *VerifyCmd) once(ctx context.Context, in proof.Input) (r proof.Report, changed bool, err error) {
	// First the checkpoints, then the entries: so that a hub at work can only have more entries than checkpoints.
	in.Kept, err = os.ReadFile(filepath.Join(v.Dir, ledger.FileCheckpoints))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		in.Kept = nil
	case err != nil:
		return r, false, err
	}
	source, err := sqlite.Read(v.Dir)
	if err != nil {
		return r, false, err
	}
	in.Source = source
	r, err = proof.Check(ctx, in)
	changed = source.Changed()
	return r, changed, errors.Join(err, source.Close())
}

func (v *VerifyCmd) key() (note.Verifier, error) {
	if k, err := ledger.ParseKey(v.Key); err == nil {
		return k, nil
	}
	path := v.Key
	if path == "" {
		path = filepath.Join(v.Dir, ledger.FileKey)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("no public key: give --key, or the folder's %s: %w", ledger.FileKey, err)
	}
	k, err := ledger.ParseKey(strings.TrimSpace(string(b)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

func isDir(path string) bool {
	stat, err := os.Stat(path)
	return err == nil && stat.IsDir()
}

// shownVisits bounds the table of visits; --json has all.
const shownVisits = 30

func printReport(out io.Writer, r proof.Report) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	line := func(format string, args ...any) {
		for i, a := range args {
			if s, ok := a.(string); ok {
				args[i] = plain(s)
			}
		}
		fmt.Fprintf(w, format+"\n", args...)
	}
	line("ledger\t%s", r.Origin)
	line("entries\t%d", r.Entries)
	line("root\t%s", r.Root)
	line("checkpoints\t%d signed, %d of them from outside", r.Checkpoints, r.Held)
	line("clips\t%d whole, %d removed, %d wrong", r.Clips.Whole, r.Clips.Removed, r.Clips.Wrong)
	for _, n := range r.Notes {
		line("note\t%s", n)
	}
	if n := len(r.Visits); n > 0 {
		line("")
		line("visit\tdoor\tcourier\tbegan\tended\tentries\tgap\tunwatched\trecord")
		if n > shownVisits {
			line("… %d earlier visits", n-shownVisits)
		}
		for _, v := range r.Visits[max(0, n-shownVisits):] {
			ended := "-"
			if v.Ended != nil {
				ended = v.Ended.Format("15:04:05.0")
			}
			line("%s\t%s\t%s\t%s\t%s\t%d–%d\t%.1fs\t%.1fs\t%s", v.ID, v.Door, dash(v.Courier), v.Began.Format("2006-01-02 15:04:05.0"), ended, v.First, v.Last, v.Gap, v.Unwatched, record(v, r))
		}
	}
	listBackfilled(line, r)
	line("")
	if r.OK {
		line("OK: %s, %s, %s: whole.", counted(int(r.Entries), "entry", "entries"), counted(r.Clips.Whole, "clip", "clips"), counted(r.Checkpoints, "checkpoint", "checkpoints"))
		if r.Held == 0 {
			line("Checked by the folder's own key and checkpoints only; with --checkpoint, also against what somebody else holds.")
		}
		return w.Flush()
	}
	line("WRONG: %s", sentence(*r.First, r))
	for _, f := range r.More {
		line("   and: %s", sentence(f, r))
	}
	return w.Flush()
}

// listBackfilled names the film that nobody watched, so that nobody takes it for the watch (S7).
func listBackfilled(line func(string, ...any), r proof.Report) {
	n := 0
	for _, v := range r.Visits[max(0, len(r.Visits)-shownVisits):] {
		for _, b := range v.Backfilled {
			if n++; n == 1 {
				line("")
				line("backfilled\tfrom\tto\tcamera\tentry\tfile (fetched from the camera's own storage afterwards: not watched)")
			}
			if n <= shownVisits {
				line("%s\t%s\t%s\t%s\t%d\t%s", v.ID, b.From.Format("2006-01-02 15:04:05.0"), b.To.Format("15:04:05.0"), dash(b.Camera), b.Entry, b.File)
			}
		}
	}
	if n > shownVisits {
		line("… %d more", n-shownVisits)
	}
}

func record(v proof.Visit, r proof.Report) string {
	switch {
	case v.State == proof.Unproven && r.First.Entry >= v.First && r.First.Entry <= v.Last:
		return fmt.Sprintf("%s at %d", v.State, r.First.Entry)
	case v.Outcome != "" && v.State == proof.Complete && v.Outcome != "done":
		return fmt.Sprintf("%s (%s)", v.State, v.Outcome)
	}
	return string(v.State)
}

// sentence names the entry, or the entries, and what is wrong.
func sentence(f proof.Finding, r proof.Report) string {
	switch {
	case f.What == proof.Cut && f.Entry == f.Until:
		return fmt.Sprintf("entry %d is missing: %s", f.Entry, f.Text)
	case f.What == proof.Cut:
		return fmt.Sprintf("entries %d–%d are missing: %s", f.Entry, f.Until, f.Text)
	case (f.What == proof.Checkpoint || f.What == proof.Unreadable) && f.Entry >= r.Entries:
		return fmt.Sprintf("%s: %s (all entries that are here are proven by another checkpoint)", f.What, f.Text)
	case f.Entry == f.Until:
		return fmt.Sprintf("entry %d: %s: %s", f.Entry, f.What, f.Text)
	}
	return fmt.Sprintf("entry %d (to %d): %s: %s", f.Entry, f.Until, f.What, f.Text)
}

// plain is s without what would begin a line, or command a terminal: whoever wrote the record has no say on this screen.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\ufffd'
	}, s)
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
