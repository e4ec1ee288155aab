package hostapd

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"eyebolt/radio"
)

const (
	gone  = "1700000000.123456: wlan0: AP-STA-DISCONNECTED 02:00:00:00:01:00\n"
	gone2 = "Nov 27 02:00:01 ap hostapd: wlan0: AP-STA-DISCONNECTED 02:00:00:00:02:00\n"
)

// followed is a log that is followed, in made-up time.
type followed struct {
	*testing.T
	path string
	got  []string // stations that left
	done chan error
}

// following runs do with a log that is being followed.
func following(t *testing.T, before string, do func(f *followed)) {
	synctest.Test(t, func(t *testing.T) {
		f := &followed{T: t, path: filepath.Join(t.TempDir(), "hostapd.log"), done: make(chan error, 1)}
		f.write(before)
		begin := time.Now()
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			f.done <- FollowLog(ctx, radio.Config{Device: f.path, Now: func() time.Duration { return time.Since(begin) }, Log: slog.New(slog.DiscardHandler)}, func(s radio.Sign) {
				if s.Kind != radio.Disconnected || s.Source != "log hostapd.log" {
					t.Errorf("%+v", s)
				}
				f.got = append(f.got, s.Station.String())
			})
		}()
		synctest.Wait()
		do(f)
		stop()
		synctest.Wait()
		select {
		case err := <-f.done:
			if err != nil {
				t.Errorf("ended with %v", err)
			}
		default:
			t.Error("it did not end")
		}
	})
}

func (f *followed) write(s string) {
	f.Helper()
	w, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := w.WriteString(s); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
}

// look lets the follower look once, and checks which stations it has told of.
func (f *followed) look(want ...string) {
	f.Helper()
	time.Sleep(look + time.Millisecond)
	synctest.Wait()
	if !slices.Equal(f.got, want) {
		f.Errorf("told of %v, want %v", f.got, want)
	}
	f.got = nil
}

const one, two = "02:00:00:00:01:00", "02:00:00:00:02:00"

func TestLogIsFollowed(t *testing.T) {
	following(t, gone, func(f *followed) {
		f.look() // of before
		f.write(gone + "1700000000.2: wlan0: AP-STA-CONNECTED " + one + "\n" + gone2)
		f.look(one, two)
		f.write(gone[:40])
		f.look()
		f.write(gone[40:])
		f.look(one)
	})
}

// T20: a line without an end fills no memory, and the next one counts; a log that grew by more than a look may read is passed over.
func TestLogIsBounded(t *testing.T) {
	following(t, "", func(f *followed) {
		f.write("wlan0: AP-STA-DISCONNECTED " + one + strings.Repeat(" ", maxEvent) + "\n" + gone2)
		f.look(two)
		f.write(gone + strings.Repeat(strings.Repeat("x", 999)+"\n", maxBehind/1000+10) + gone2)
		f.look(two)
	})
	s, n := lines{}, 0
	s.put(make([]byte, 10*maxEvent), func(string) { n++ })
	if n != 0 || cap(s.part) > 2*maxEvent {
		t.Errorf("%d lines, %d bytes kept", n, cap(s.part))
	}
}

func TestLogIsRotated(t *testing.T) {
	t.Run("renamed", func(t *testing.T) {
		following(t, "old\n", func(f *followed) {
			f.write(gone)
			if err := os.Rename(f.path, f.path+".1"); err != nil {
				t.Fatal(err)
			}
			f.look(one) // the last line before it was renamed; there is none in its place yet
			f.write(gone2)
			f.look(two)
			f.write(gone)
			f.look(one)
		})
	})
	t.Run("cut short", func(t *testing.T) {
		following(t, strings.Repeat("old\n", 100), func(f *followed) {
			if err := os.Truncate(f.path, 0); err != nil {
				t.Fatal(err)
			}
			f.write(gone)
			f.look(one)
		})
	})
}

func TestLogThatIsNone(t *testing.T) {
	dir := t.TempDir()
	cfg := radio.Config{Now: func() time.Duration { return 0 }}
	for path, want := range map[string]string{filepath.Join(dir, "none"): "-f ", dir: "no plain file"} {
		cfg.Device = path
		if err := FollowLog(t.Context(), cfg, func(radio.Sign) {}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		cfg.Device = filepath.Join(dir, "gone")
		if err := os.WriteFile(cfg.Device, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- FollowLog(t.Context(), cfg, func(radio.Sign) {}) }()
		synctest.Wait()
		if err := os.Remove(cfg.Device); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if err := <-done; err == nil || time.Since(begin) < goneFor || time.Since(begin) > goneFor+2*time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
	})
}

// FuzzLines: the same lines come of the same bytes, wherever they are cut, and none is longer than an event may be.
func FuzzLines(f *testing.F) {
	f.Add([]byte(gone+gone2+"rest"), uint16(7))
	f.Add([]byte(strings.Repeat("x", maxEvent+1)+"\n"+gone), uint16(4096))
	f.Fuzz(func(t *testing.T, raw []byte, cut uint16) {
		var whole, pieces []string
		a, b := lines{}, lines{}
		a.put(raw, func(s string) { whole = append(whole, s) })
		size := max(1, int(cut))
		for p := range slices.Chunk(raw, size) {
			b.put(p, func(s string) { pieces = append(pieces, s) })
		}
		if !slices.Equal(whole, pieces) {
			t.Errorf("%q in pieces of %d: %q and %q", raw, size, whole, pieces)
		}
		for _, s := range whole {
			if len(s) > maxEvent {
				t.Errorf("a line of %d bytes", len(s))
			}
			Event(s)
		}
	})
}
