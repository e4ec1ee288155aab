package zwavejs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/zwavejs"
)

func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// Each wrong setting is refused at once, with a sentence that says what to do, and no secret in it.
func TestBadSettings(t *testing.T) {
	good := zwavejs.Settings{URL: "ws://127.0.0.1:1", Lock: "2", Contact: "3"}
	for _, c := range []struct {
		name string
		set  func(*zwavejs.Settings)
		want string
	}{
		{"no url", func(s *zwavejs.Settings) { s.URL = "" }, "write ws://127.0.0.1:3000"},
		{"another protocol", func(s *zwavejs.Settings) { s.URL = "http://host" }, "write ws://127.0.0.1:3000"},
		{"password in the address", func(s *zwavejs.Settings) { s.URL = "ws://me:secret@host" }, "no name and no password"},
		{"no lock", func(s *zwavejs.Settings) { s.Lock = "" }, "node number or its name"},
		{"the stick", func(s *zwavejs.Settings) { s.Lock = "1" }, "1 is the stick"},
		{"beyond all nodes", func(s *zwavejs.Settings) { s.Contact = "4001" }, "2 to 4000"},
		{"a long name", func(s *zwavejs.Settings) { s.Smoke = strings.Repeat("x", 300) }, "too long"},
		{"one node twice", func(s *zwavejs.Settings) { s.Contact = "2" }, "door_sense: true"},
		{"asked too often", func(s *zwavejs.Settings) { s.Prove = time.Second }, "from 10s to 24h"},
		{"CA without TLS", func(s *zwavejs.Settings) { s.CAFile = "ca.pem" }, "wss://"},
		{"no CA file", func(s *zwavejs.Settings) { s.URL, s.CAFile = "wss://host", "/nowhere/ca.pem" }, "ca_file"},
		{"no certificate", func(s *zwavejs.Settings) { s.URL, s.CAFile = "wss://host", writeFile(t, "ca.pem", "hello") }, "no certificate"},
	} {
		s := good
		c.set(&s)
		l, err := zwavejs.Open(t.Context(), lock.Config{Now: func() time.Duration { return 0 }, Settings: s}, func(lock.Report) {})
		switch {
		case err == nil:
			_ = l.Close()
			t.Errorf("%s: opened", c.name)
		case !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret"):
			t.Errorf("%s: got %q, want it to say %q", c.name, err, c.want)
		}
	}
	if _, err := zwavejs.Open(t.Context(), lock.Config{Now: func() time.Duration { return 0 }, Settings: 7}, func(lock.Report) {}); err == nil {
		t.Error("settings of another kind: opened")
	}
}
