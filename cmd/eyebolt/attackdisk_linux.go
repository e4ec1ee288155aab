package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/ncruces/go-sqlite3/driver"
	"golang.org/x/mod/sumdb/note"

	"eyebolt/bus"
	"eyebolt/ledger"
	"eyebolt/ledger/sqlite"
	"eyebolt/sim"
)

// backsUp copies the hub's folder as soon as its record has n entries, as one instant of its disk: the hub stands still for the
// milliseconds that it takes.
func (h *faultHome) backsUp(ctx context.Context, n uint64) error {
	for {
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
		size, err := entriesIn(ctx, h.state)
		if err != nil || size < n { // one that is being written to may be unreadable for a moment
			continue
		}
		p := h.process().cmd.Process
		if err := p.Signal(syscall.SIGSTOP); err != nil {
			return err
		}
		return errors.Join(tool(ctx, "cp", "-a", h.state, h.backup()), p.Signal(syscall.SIGCONT))
	}
}

// backupAt is with how many entries an earlier day ends, as in the town.
func backupAt(how uint32) uint64 { return 25 + uint64(how)%24 }

func (h *faultHome) backup() string { return filepath.Join(h.dir, "backup") }

// entriesIn counts a record's entries.
func entriesIn(ctx context.Context, dir string) (n uint64, err error) {
	source, err := sqlite.Read(dir)
	if err != nil {
		return 0, err
	}
	defer func() { _ = source.Close() }()
	err = source.Rows(ctx, func(ledger.Row) error { n++; return nil })
	return n, err
}

// restores puts the hub's folder back to the backup while it has no power (T29). The hub must find out and say so, refuse a grant of before,
// and a stranger must see it from the record. How its visit ends the backup cannot know: see over.
func (r *attackRun) restores(ctx context.Context, d time.Duration) error {
	h := r.home
	if _, err := os.Stat(h.backup()); err != nil {
		return fmt.Errorf("there is no backup of an earlier day: %w", err)
	}
	_, grant, id, err := h.chain(ctx)
	if err != nil {
		return err
	}
	h.kill()
	if err := errors.Join(os.Rename(h.state, h.state+".later"), os.Rename(h.backup(), h.state)); err != nil {
		return err
	}
	if err := sleep(ctx, max(d, 2*time.Second)); err != nil {
		return err
	}
	if err := h.start(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	r.restored = h.now()
	r.mu.Unlock()
	err = waitEvery(ctx, 20*time.Second, 100*time.Millisecond, func() bool { return h.alarmed(ctx, "behind") })
	if err != nil {
		return errors.New("T29: the hub does not tell that its record is older than what the service holds")
	}
	reply, err := r.says(ctx, bus.Ask{What: bus.AskGrant, GrantID: id, Grant: grant})
	switch {
	case err != nil:
		return err
	case reply.OK:
		return errors.New("T29: the hub takes a grant of before its disk was put back")
	}
	if v := h.stranger(ctx, h.state); v.ok {
		return errors.New("T29, T19: a stranger finds nothing wrong with a record that is older than the service's checkpoint")
	}
	return nil
}

// alarmed says whether the service has an alarm with this reason.
func (h *faultHome) alarmed(ctx context.Context, reason string) bool {
	var page struct{ Alarms []struct{ Reason string } }
	return h.town.cast.Resident.Call(ctx, http.MethodGet, "/api/home", nil, &page) == nil &&
		slices.ContainsFunc(page.Alarms, func(a struct{ Reason string }) bool { return a.Reason == reason })
}

// edits is whoever holds the disk for an hour (T19), with the town's four ways: he changes an entry, takes one out, cuts the end off, or
// writes all of it anew with hashes that fit; from way 4 on he signs the new head with the hub's key, which lies on the same disk. He does so
// to a copy that a stranger calls whole before, and must not afterwards.
func (r *attackRun) edits(ctx context.Context, how uint32) error {
	h := r.home
	dir := filepath.Join(h.dir, "edited")
	before := verdict{}
	err := waitEvery(ctx, 10*time.Second, 50*time.Millisecond, func() bool { // a file that is written to while it is copied may be torn
		if os.RemoveAll(dir) != nil || os.Mkdir(dir, 0o700) != nil {
			return false
		}
		for _, name := range []string{ledger.FileCheckpoints, ledger.FileDB, ledger.FileDB + "-wal", ledger.FileKey} {
			if tool(ctx, "cp", "-a", filepath.Join(h.state, name), dir) != nil {
				return false
			}
		}
		before = h.stranger(ctx, dir)
		return before.ok && before.report.Held > 0
	})
	if err != nil {
		return fmt.Errorf("a copy of the record is not whole before it is changed: %s", before.say)
	}
	private, err := key(filepath.Join(h.state, "hub.key"))
	if err != nil {
		return err
	}
	signer, err := ledger.NewSigner(recordName(hubID), private)
	if err != nil {
		return err
	}
	if err := rewriteRecord(ctx, dir, signer, how, before.report.Entries); err != nil {
		return err
	}
	if v := h.stranger(ctx, dir); v.ok || v.report.First == nil {
		return fmt.Errorf("T19: a record that was changed is called whole, or is not judged: %s", v.say)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Disowned = true
	return nil
}

// rewriteRecord changes the record in dir.
func rewriteRecord(ctx context.Context, dir string, signer note.Signer, how uint32, size uint64) (err error) {
	db, err := driver.Open((&url.URL{Scheme: "file", Path: filepath.Join(dir, ledger.FileDB)}).String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	entries, err := entriesOf(ctx, db)
	if err != nil {
		return err
	}
	n, signs := sim.EditedAt(how, size)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing is left of it after a commit
	if _, err := tx.ExecContext(ctx, `DELETE FROM entries`); err != nil {
		return err
	}
	var tree ledger.Tree
	for i, e := range sim.Edited(entries, how, n) {
		e.Index = uint64(i)
		leaf := e.Encode()
		var stored []byte
		for _, hash := range tree.Add(nil, ledger.LeafHash(leaf)) {
			stored = append(stored, hash[:]...)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO entries VALUES (?1, ?2, ?3)`, i, leaf, stored); err != nil {
			return err
		}
	}
	if signs {
		head, err := ledger.Sign(signer, &tree)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE head SET note = ?1`, head.Note); err != nil {
			return err
		}
	}
	return errors.Join(tx.Commit(), os.Remove(filepath.Join(dir, ledger.FileCheckpoints)))
}

func entriesOf(ctx context.Context, db *sql.DB) (all []ledger.Entry, err error) {
	rows, err := db.QueryContext(ctx, `SELECT leaf FROM entries ORDER BY i`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var leaf []byte
		if err := rows.Scan(&leaf); err != nil {
			return nil, err
		}
		e, err := ledger.Decode(leaf)
		if err != nil {
			return nil, err
		}
		e.Data = slices.Clone(e.Data)
		all = append(all, e)
	}
	return all, rows.Err()
}

// fills takes all space of the hub's own disk, for d (T18).
func (r *attackRun) fills(ctx context.Context, d time.Duration) error {
	if err := r.home.disk.fill(); err != nil {
		return err
	}
	_ = sleep(ctx, d)
	return r.home.disk.empty()
}
