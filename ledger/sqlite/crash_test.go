package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"eyebolt/ledger"
	"eyebolt/ledger/sqlite"
)

// childDir, if set, makes this test binary a hub that does nothing but write: see TestMain.
const childDir = "EYEBOLT_TEST_LEDGER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := writeUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// writeUntilKilled appends for ever and prints the number of entries each time more of them are durable.
func writeUntilKilled(dir string) error {
	l, err := sqlite.Open(context.Background(), config(dir))
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	fmt.Fprintln(out, l.Size())
	slots := make(chan struct{}, 64)
	failed := make(chan error, 1)
	for n := int(l.Size()); ; n++ {
		select {
		case slots <- struct{}{}:
		case err := <-failed:
			return err
		}
		l.Append(func(err error) {
			if err != nil {
				select {
				case failed <- err:
				default:
				}
			}
			fmt.Fprintln(out, n+1)
			out.Flush()
			<-slots
		}, fact(n))
	}
}

// T18: the process dies at any moment, twenty times in a row in one folder. Whatever was called durable is there, in
// order, each time; a stranger finds everything whole before and after the ledger is opened again.
func TestKill(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 20 {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		durable, lines := 0, bufio.NewScanner(pipe)
		for after := 1 + rng.IntN(400); after > 0 && lines.Scan(); after-- {
			if durable, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatal(err)
			}
		}
		if err := cmd.Process.Kill(); err != nil { // SIGKILL
			t.Fatal(err)
		}
		for lines.Scan() { // what it still said before it died
			if n, err := strconv.Atoi(lines.Text()); err == nil { // the last line may be torn
				durable = max(durable, n)
			}
		}
		io.Copy(io.Discard, pipe)
		cmd.Wait() // "signal: killed"
		if durable == 0 && round > 0 {
			t.Fatalf("round %d: the writer said nothing: %s", round, stderr.String())
		}
		got := words(t, dir)
		if len(got) < durable {
			t.Fatalf("round %d: %d entries called durable, %d there", round, durable, len(got))
		}
		for i, w := range got {
			if w != fmt.Sprintf("fact-%d", i) {
				t.Fatalf("round %d: entry %d is %s", round, i, w)
			}
		}
	}
	before := len(words(t, dir))
	l := open(t, dir)
	l.Append(nil, fact(before))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := len(words(t, dir)); got != before+1 {
		t.Errorf("%d entries after the last opening, want %d", got, before+1)
	}
	t.Logf("20 kills, %d entries", before)
}

// T18: a power cut leaves the write-ahead log cut anywhere. Wherever that is, what is left is the whole beginning of the
// ledger, to a stranger and to the hub that opens it; and the stranger's own reading of the log agrees with SQLite's.
func TestLogCutAnywhere(t *testing.T) {
	dir := t.TempDir()
	cfg := config(dir)
	cfg.Keep = time.Hour // checkpoints.log gets the first checkpoint, of no entries, and no other until the end
	l, err := sqlite.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for i := range 40 {
		l.Append(nil, fact(i))
		if err := l.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	whole := files(t, dir)
	kept, _ := ledger.SplitNotes([]byte(whole[ledger.FileCheckpoints]))
	whole[ledger.FileCheckpoints] = string(ledger.AppendNote(nil, kept[0]))
	wal := whole[ledger.FileDB+"-wal"]
	if len(wal) < 40*4096 {
		t.Fatalf("the log has only %d bytes", len(wal))
	}
	longest, cuts := 40, 0
	for cut := len(wal); cut > 0; cut -= 1 + cut%2999 {
		left := t.TempDir()
		for name, b := range whole {
			switch {
			case strings.HasSuffix(name, "-shm"):
				continue
			case strings.HasSuffix(name, "-wal"):
				b = b[:cut]
				if cut%2 == 0 { // and the rest of the page is whatever stood there
					b += strings.Repeat("\x5a", 2000)
				}
			}
			if err := os.WriteFile(filepath.Join(left, name), []byte(b), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, begun := 0, hasTables(t, left)
		if begun {
			got = len(words(t, left))
		}
		again, err := sqlite.Open(t.Context(), config(left))
		if err != nil {
			t.Fatalf("log cut to %d of %d bytes: %v", cut, len(wal), err)
		}
		if again.Size() != uint64(got) {
			t.Fatalf("log cut to %d bytes: a stranger reads %d entries, the hub %d", cut, got, again.Size())
		}
		if got > longest {
			t.Fatalf("a shorter log holds more: %d entries after %d", got, longest)
		}
		longest = got
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		cuts++
	}
	if longest != 0 || cuts < 100 {
		t.Errorf("%d cuts, down to %d entries", cuts, longest)
	}
	t.Logf("a log of %d bytes cut at %d places", len(wal), cuts)
}

// hasTables says whether the first commit, which makes the tables, is in what is left.
func hasTables(tb testing.TB, dir string) bool {
	tb.Helper()
	r, err := sqlite.Read(dir)
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	_, err = r.Head(tb.Context())
	return err == nil
}

// A power cut leaves at most one commit in pieces. More commits behind a break were lost by damage, and a stranger is told.
func TestDamagedLog(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	defer l.Close()
	for i := range 10 {
		l.Append(nil, fact(i))
		if err := l.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	whole := files(t, dir)
	for name, at := range map[string]int{"first page": 100, "middle": len(whole[ledger.FileDB+"-wal"]) / 2, "header": 3} {
		left := t.TempDir()
		for name, b := range whole {
			if strings.HasSuffix(name, "-wal") {
				damaged := []byte(b)
				damaged[at] ^= 1
				b = string(damaged)
			}
			if err := os.WriteFile(filepath.Join(left, name), []byte(b), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r, err := sqlite.Read(left)
		if err != nil {
			t.Fatal(err)
		}
		if r.Damage() == "" {
			t.Errorf("%s: the damage is not told", name)
		}
		r.Close()
	}
}
