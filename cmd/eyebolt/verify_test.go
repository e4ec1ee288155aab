package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	_ "github.com/ncruces/go-sqlite3/driver"
	"github.com/rogpeppe/go-internal/testscript"

	"eyebolt/ledger"
	"eyebolt/ledger/sqlite"
	"eyebolt/proof"
)

// T19: what verify says of records that were tampered with, as a stranger types it. Commands of the scripts:
//
//	record DIR           a hub's record: two visits with a clip each, 26 entries
//	hold DIR SIZE FILE   the checkpoint of that size from checkpoints.log, as the service holds it
//	verify CODE ARGS…    eyebolt verify, and the exit code that it must have
//	sql DIR STATEMENT    whoever holds the disk
//	rollback DIR SIZE    cuts entries, newest checkpoint and checkpoints.log back to a checkpoint that was real
//	flip FILE TEXT       turns one bit of TEXT's first byte, wherever TEXT stands in FILE (SQLite leaves stale copies)
//	chop FILE N          cuts FILE to its first N bytes
func TestVerifyScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/verify",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"record": func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(makeRecord(t, ts.MkAbs(args[0]))) },
			"hold": func(ts *testscript.TestScript, _ bool, args []string) {
				n, _ := checkpointAt(ts, args[0], args[1])
				ts.Check(os.WriteFile(ts.MkAbs(args[2]), n, 0o600))
			},
			"rollback": func(ts *testscript.TestScript, _ bool, args []string) {
				n, kept := checkpointAt(ts, args[0], args[1])
				ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[0]), ledger.FileCheckpoints), kept, 0o600))
				db, err := sql.Open("sqlite3", "file:"+filepath.ToSlash(filepath.Join(ts.MkAbs(args[0]), ledger.FileDB)))
				ts.Check(err)
				defer db.Close()
				_, err = db.Exec(`UPDATE head SET note = ?1`, n)
				ts.Check(err)
				_, err = db.Exec(`DELETE FROM entries WHERE i >= CAST(?1 AS INTEGER)`, args[1])
				ts.Check(err)
			},
			"verify": func(ts *testscript.TestScript, _ bool, args []string) {
				var cmd VerifyCmd
				parser, err := kong.New(&cmd)
				ts.Check(err)
				for i, a := range args[1:] { // the script's folder is not the test's
					if a[0] != '-' {
						args[i+1] = ts.MkAbs(a)
					}
				}
				_, err = parser.Parse(args[1:])
				ts.Check(err)
				var out bytes.Buffer
				err = cmd.run(t.Context(), &out)
				fmt.Fprint(ts.Stdout(), out.String())
				ts.Logf("%s", out.String())
				code := 0
				if e := (verifyExit{}); errors.As(err, &e) {
					code = e.code
					fmt.Fprintln(ts.Stderr(), e.text)
				}
				if want := args[0]; want != strconv.Itoa(code) {
					ts.Fatalf("exit code %d, want %s: %v", code, want, err)
				}
			},
			"sql": func(ts *testscript.TestScript, _ bool, args []string) {
				db, err := sql.Open("sqlite3", "file:"+filepath.ToSlash(filepath.Join(ts.MkAbs(args[0]), ledger.FileDB)))
				ts.Check(err)
				defer db.Close()
				_, err = db.Exec(args[1])
				ts.Check(err)
			},
			"flip": func(ts *testscript.TestScript, _ bool, args []string) {
				b, err := os.ReadFile(ts.MkAbs(args[0]))
				ts.Check(err)
				flipped := bytes.Clone([]byte(args[1]))
				flipped[0] ^= 1
				if !bytes.Contains(b, []byte(args[1])) {
					ts.Fatalf("%q does not stand in %s", args[1], args[0])
				}
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.ReplaceAll(b, []byte(args[1]), flipped), 0o600))
			},
			"chop": func(ts *testscript.TestScript, _ bool, args []string) {
				n, err := strconv.ParseInt(args[1], 10, 64)
				ts.Check(err)
				ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
			},
		},
	})
}

// checkpointAt is the kept checkpoint of a size, and checkpoints.log up to it.
func checkpointAt(ts *testscript.TestScript, dir, size string) (n, before []byte) {
	kept, err := os.ReadFile(filepath.Join(ts.MkAbs(dir), ledger.FileCheckpoints))
	ts.Check(err)
	notes, _ := ledger.SplitNotes(kept)
	for _, n := range notes {
		before = ledger.AppendNote(before, n)
		if bytes.Contains(n, []byte("\n"+size+"\n")) {
			return n, before
		}
	}
	ts.Fatalf("no checkpoint of size %s", size)
	return nil, nil
}

// makeRecord writes what a hub leaves after two visits, with a checkpoint after each entry.
func makeRecord(tb testing.TB, dir string) error {
	clips := filepath.Join(dir, ledger.FolderClips)
	if err := os.MkdirAll(clips, 0o700); err != nil {
		return err
	}
	start := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	n := 0
	l, err := sqlite.Open(tb.Context(), sqlite.Config{
		Dir: dir, Origin: "example.org/hub/1", Key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)),
		Wall: func() time.Time { n++; return start.Add(time.Duration(n) * time.Second) },
	})
	if err != nil {
		return err
	}
	defer l.Close()
	var failed error
	add := func(e ledger.Entry, data any) {
		if data != nil {
			var err error
			if e.Data, err = ledger.Data(data); err != nil {
				failed = errors.Join(failed, err)
			}
		}
		l.Append(nil, e)
		if _, err := l.Checkpoint(tb.Context()); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	add(ledger.Entry{Kind: ledger.KindBoot, Word: "boot"}, nil)
	for visit, outcome := range []string{"done", "incident"} {
		e := func(k ledger.Kind, word string) ledger.Entry {
			return ledger.Entry{Door: "front", Visit: fmt.Sprintf("visit-%d", visit), Kind: k, Word: word}
		}
		add(e(ledger.KindVisit, ledger.WordBegan), ledger.VisitData{CourierName: "Maria"})
		for _, word := range []string{"arming", "ready", "slide", "decided", "unlock", "opened", "closing", "secured"} {
			add(e(ledger.KindFact, fmt.Sprintf("%s-%d", word, visit)), nil)
		}
		if outcome == "incident" {
			add(e(ledger.KindGap, "lost"), ledger.GapData{Seconds: 1.7, Why: "lost"})
		}
		film := bytes.Repeat([]byte{byte(visit + 1)}, 100_000)
		copy(film[50_000:], fmt.Sprintf("picture %d", visit))
		name := fmt.Sprintf("visit-%d.mp4", visit)
		if err := os.WriteFile(filepath.Join(clips, name), film, 0o600); err != nil {
			return err
		}
		sum := sha256.Sum256(film)
		add(e(ledger.KindClip, ledger.WordFiled), ledger.ClipData{Path: name, SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(film))})
		add(e(ledger.KindVisit, ledger.WordEnded), ledger.VisitData{Outcome: outcome, GapSeconds: 1.7 * float64(visit)})
	}
	for range 2 {
		add(ledger.Entry{Kind: ledger.KindReport, Word: "bolt-thrown"}, nil)
	}
	return errors.Join(failed, l.Close())
}

// BenchmarkVerify is the whole check of a ledger of 200,000 entries: budget 200,000 entries a second.
func BenchmarkVerify(b *testing.B) {
	dir := b.TempDir()
	l, err := sqlite.Open(b.Context(), sqlite.Config{Dir: dir, Origin: "example.org/hub/1", Key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))})
	if err != nil {
		b.Fatal(err)
	}
	const n = 200_000
	for i := range n {
		l.Append(nil, ledger.Entry{Mono: int64(i), Door: "front", Visit: fmt.Sprintf("visit-%d", i/200), Kind: ledger.KindReport, Word: "bolt-thrown", Reason: "proven-secured"})
		if i%10_000 == 0 {
			if err := l.Sync(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		r, err := (&VerifyCmd{Dir: dir}).check(b.Context())
		if err != nil || !r.OK || r.Entries != n {
			b.Fatalf("%v: %+v", err, r.First)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	rate := func(q float64) float64 { return n / took[int(q*float64(len(took)-1))].Seconds() }
	b.ReportMetric(rate(0.5), "entries/s-p50")
	b.ReportMetric(rate(1), "entries/s-min")
}

// A stranger may check while the hub writes: what he reads is one moment's, and it is whole.
func TestVerifyBesideHub(t *testing.T) {
	dir := t.TempDir()
	l, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Origin: "example.org/hub/1", Key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)), Keep: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	// While each check reads, the hub writes so many entries: more than a home's busiest minute.
	const perCheck = 700
	stop, stopped, more := make(chan struct{}), make(chan struct{}), make(chan struct{}, 1)
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			if i%perCheck == 0 {
				select {
				case <-stop:
					return
				case <-more:
				}
			}
			l.Append(nil, ledger.Entry{Mono: int64(i), Kind: ledger.KindReport, Word: "bolt-thrown"})
			if i%7 == 0 {
				if err := l.Sync(context.Background()); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	var last uint64
	tries := 0
	for ; tries < 30 || last < 20_000; tries++ { // so that SQLite has copied its log several times
		select {
		case more <- struct{}{}:
		default: // it still writes
		}
		r, err := (&VerifyCmd{Dir: dir}).check(t.Context())
		if err != nil || !r.OK {
			t.Fatalf("check %d beside a hub: %v, %+v", tries, err, r.First)
		}
		if r.Entries < last {
			t.Fatalf("check %d: %d entries, the one before had %d", tries, r.Entries, last)
		}
		last = r.Entries
	}
	t.Logf("%d checks, the last of %d entries", tries, last)
}

// S7: film that was fetched afterwards is listed as such, so that nobody takes it for the watch.
func TestVerifyListsBackfilledFilm(t *testing.T) {
	at := time.Date(2026, 11, 26, 12, 0, 3, 200_000_000, time.UTC)
	r := proof.Report{OK: true, Visits: []proof.Visit{{ID: "v7", Door: "front", State: proof.Gap, Gap: 1.7, Unwatched: 1.7, Backfilled: []proof.Backfilled{
		{Entry: 41, File: "clips/front/hall/v7/backfill-1.mp4", Camera: "hall\x1b[2J", From: at, To: at.Add(1700 * time.Millisecond)},
	}}}}
	var out bytes.Buffer
	if err := printReport(&out, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"not watched", "2026-11-26 12:00:03.2  12:00:04.9", "41", "clips/front/hall/v7/backfill-1.mp4", "1.7s"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("the record commands the terminal")
	}
}
