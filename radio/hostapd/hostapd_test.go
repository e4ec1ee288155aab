package hostapd

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eyebolt/radio"
)

func TestEvent(t *testing.T) {
	cam := radio.Addr{2, 0, 0, 0, 1, 0}
	for line, want := range map[string]bool{
		"<3>AP-STA-DISCONNECTED 02:00:00:00:01:00":                        true,
		"<3>AP-STA-DISCONNECTED 02:00:00:00:01:00 keyid=7":                true,
		"1700000000.123456: wlan0: AP-STA-DISCONNECTED 02:00:00:00:01:00": true,
		"<3>AP-STA-CONNECTED 02:00:00:00:01:00":                           false,
		"<3>AP-STA-DISCONNECTED":                                          false,
		"<3>AP-STA-DISCONNECTED 02:00:00":                                 false,
		"":                                                                false,
		"<3>AP-STA-DISCONNECTED " + strings.Repeat("0", maxEvent):         false,
	} {
		if a, left := Event(line); left != want || left && a != cam {
			t.Errorf("%.60q: %v %v, want %v", line, a, left, want)
		}
	}
}

func FuzzEvent(f *testing.F) {
	f.Add("<3>AP-STA-DISCONNECTED 02:00:00:00:01:00")
	f.Fuzz(func(t *testing.T, line string) {
		if a, left := Event(line); left && !strings.Contains(strings.ToLower(line), a.String()) {
			t.Errorf("%q gave %v, which is not in it", line, a)
		}
	})
}

// The other side of the socket speaks as hostapd does (hostapd's src/ap/ctrl_iface_ap.c); the real one runs in the lab.
func TestFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wlan0")
	server, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		buf := make([]byte, 64)
		n, from, err := server.ReadFromUnix(buf)
		if err != nil || string(buf[:n]) != "ATTACH" {
			return
		}
		for _, s := range []string{"<3>CTRL-EVENT-WHILE-ATTACHING", "OK\n", "<3>AP-STA-CONNECTED 02:00:00:00:01:00", "<3>AP-STA-DISCONNECTED 02:00:00:00:01:00"} {
			_, _ = server.WriteToUnix([]byte(s), from)
		}
	}()
	ctx, stop := context.WithCancel(t.Context())
	begin := time.Now()
	got := make(chan radio.Sign, 4)
	done := make(chan error, 1)
	go func() {
		done <- Follow(ctx, radio.Config{Device: path, Now: func() time.Duration { return time.Since(begin) }, Log: slog.New(slog.DiscardHandler)}, func(s radio.Sign) { got <- s })
	}()
	select {
	case s := <-got:
		if s.Kind != radio.Disconnected || s.Station != (radio.Addr{2, 0, 0, 0, 1, 0}) || s.Source != "hostapd wlan0" {
			t.Errorf("%+v", s)
		}
	case err := <-done:
		t.Fatalf("ended: %v", err)
	case <-time.After(10 * time.Second):
		t.Fatal("no sign")
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestFollowSaysWhatToDo(t *testing.T) {
	err := Follow(t.Context(), radio.Config{Device: filepath.Join(t.TempDir(), "none"), Now: func() time.Duration { return 0 }}, func(radio.Sign) {})
	if err == nil || !strings.Contains(err.Error(), "ctrl_interface=") {
		t.Errorf("%v", err)
	}
}
