package matter_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/matter"
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
	good := matter.Settings{URL: "ws://127.0.0.1:1/ws", Lock: "2", Contact: "3"}
	for _, c := range []struct {
		name string
		set  func(*matter.Settings)
		want string
	}{
		{"no url", func(s *matter.Settings) { s.URL = "" }, "write ws://127.0.0.1:5580/ws"},
		{"another protocol", func(s *matter.Settings) { s.URL = "http://host" }, "write ws://127.0.0.1:5580/ws"},
		{"password in the address", func(s *matter.Settings) { s.URL = "ws://me:4821@host" }, "no name and no password"},
		{"no lock", func(s *matter.Settings) { s.Lock = "" }, "number of the lock's node, or its name"},
		{"node 0", func(s *matter.Settings) { s.Lock = "0" }, "1 to 899999"},
		{"a test node", func(s *matter.Settings) { s.Contact = "900001/1" }, "1 to 899999"},
		{"a long name", func(s *matter.Settings) { s.Smoke = strings.Repeat("x", 300) }, "too long"},
		{"asked too often", func(s *matter.Settings) { s.Prove = time.Second }, "from 10s to 24h"},
		{"CA without TLS", func(s *matter.Settings) { s.CAFile = "ca.pem" }, "wss://"},
		{"no certificate", func(s *matter.Settings) { s.URL, s.CAFile = "wss://host", writeFile(t, "ca.pem", "hello") }, "no certificate"},
		{"no PIN file", func(s *matter.Settings) { s.PINFile = "/nowhere/pin" }, "pin_file"},
		{"an empty PIN file", func(s *matter.Settings) { s.PINFile = writeFile(t, "pin", "") }, "empty"},
		{"a short PIN", func(s *matter.Settings) { s.PINFile = writeFile(t, "pin", "482\n") }, "4 to 32 digits"},
		{"a PIN with a word", func(s *matter.Settings) { s.PINFile = writeFile(t, "pin", "pin: 4821\n") }, "4 to 32 digits"},
		{"an endless PIN", func(s *matter.Settings) { s.PINFile = writeFile(t, "pin", strings.Repeat("4821", 1000)) }, "4 to 32 digits"},
	} {
		s := good
		c.set(&s)
		l, err := matter.Open(t.Context(), lock.Config{Now: func() time.Duration { return 0 }, Settings: s}, func(lock.Report) {})
		switch {
		case err == nil:
			_ = l.Close()
			t.Errorf("%s: opened", c.name)
		case !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "4821"):
			t.Errorf("%s: got %q, want it to say %q", c.name, err, c.want)
		}
	}
	for _, given := range []any{7, nil, (*matter.Settings)(nil)} {
		if _, err := matter.Open(t.Context(), lock.Config{Now: func() time.Duration { return 0 }, Settings: given}, func(lock.Report) {}); err == nil {
			t.Errorf("settings %v: opened", given)
		}
	}
}
