package fmp4

import (
	"bufio"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"testing"
	"time"
)

// killDir makes this test binary record into a folder until it is killed.
const killDir = "EYEBOLT_TEST_RECORD_INTO"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killDir); dir != "" {
		recordForEver(dir)
	}
	os.Exit(m.Run())
}

// recordForEver records in real time and prints how many pictures are confirmed, each time that it hears.
func recordForEver(dir string) {
	f := load(&testing.T{}, "hall.h264")
	began := time.Now()
	now := func() time.Duration { return time.Since(began) }
	r, err := New(Config{
		Dir: dir, Door: "front", Camera: "hall", Now: now, Wall: time.Now, Log: slog.New(slog.DiscardHandler),
		Confirmed: func(ok bool, through time.Duration, err error) {
			fmt.Println(ok, int((through+frame/2)/frame)+1, err)
		},
	})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	r.Opened(f.params)
	if err := r.Start("v"); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for i := 0; ; i++ {
		p := f.pics[i%len(f.pics)]
		p.Media, p.Arrival = time.Duration(i)*frame, now()
		r.Picture(p)
		time.Sleep(frame / 8) // faster than life: more fragments to be killed in
	}
}

// T18: a recorder that is killed at any moment leaves every picture that it confirmed, in a film that plays.
func TestKilled(t *testing.T) {
	for kill := 1; kill <= 6; kill++ {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), killDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		sure, heard := 0, 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var ok bool
			var n int
			if _, err := fmt.Sscan(lines.Text(), &ok, &n); err != nil || !ok {
				t.Errorf("the recorder says: %s", lines.Text())
			}
			sure = n
			if heard++; heard == kill*3 {
				// Somewhere before the next fragment, each time elsewhere.
				time.Sleep(time.Duration(kill) * 7 * time.Millisecond)
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
		b := start(t, dir, osDisk{}, nil)
		if len(b.Orphans()) != 1 {
			t.Fatalf("orphans %+v", b.Orphans())
		}
		if p := b.check(b.Orphans()[0])[0]; len(p.times) < sure || even(p.times) != nil {
			t.Errorf("killed after %d confirmed pictures: %d are there, uneven: %v", sure, len(p.times), even(p.times))
		}
	}
}
