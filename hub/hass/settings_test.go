package hass

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Each wrong setting is refused at once, with a sentence that says what to do, and no secret in it.
func TestBadSettings(t *testing.T) {
	file := func(text string) string {
		p := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, c := range []struct {
		name string
		set  Settings
		want string
	}{
		{"no broker", Settings{}, "write mqtt://host:1883"},
		{"another protocol", Settings{Broker: "http://h"}, "write mqtt://host:1883"},
		{"password in the address", Settings{Broker: "mqtt://me:secret@h"}, "password_file"},
		{"the same in a wrong address", Settings{Broker: "xx://me:secret@h"}, "write mqtt://host:1883"},
		{"a wildcard", Settings{Broker: "mqtt://h", Prefix: "home#"}, "discovery prefix"},
		{"a slash", Settings{Broker: "mqtt://h", Prefix: "/homeassistant"}, "discovery prefix"},
		{"no password file", Settings{Broker: "mqtt://h", PasswordFile: "/nowhere/pw"}, "password_file"},
		{"empty password file", Settings{Broker: "mqtt://h", PasswordFile: file("\nx")}, "first line is empty"},
		{"a CA without TLS", Settings{Broker: "mqtt://h", CAFile: file("x")}, "needs a broker with mqtts://"},
		{"no certificate", Settings{Broker: "mqtts://h", CAFile: file("x")}, "no certificate in it"},
	} {
		_, err := New(Config{Hub: "h", Doors: []string{"d"}, Settings: c.set, Now: func() time.Duration { return 0 }, Log: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want it to say %q and no secret", c.name, err, c.want)
		}
	}
	p, err := Settings{Broker: "mqtts://broker", PasswordFile: file("pass\r\nmore")}.plan()
	if err != nil || p.url.Host != "broker:8883" || string(p.password) != "pass" || p.Prefix != "homeassistant" || p.tls == nil {
		t.Errorf("got %+v, %v", p, err)
	}
}
