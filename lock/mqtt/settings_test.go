package mqtt_test

import (
	"strings"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/mqtt"
)

// Each wrong setting is refused at once, with a sentence that says what to do, and no secret in it.
func TestBadSettings(t *testing.T) {
	good := mqtt.Settings{Broker: "mqtt://127.0.0.1:1", Lock: "front_lock", Contact: "front_door"}
	for _, c := range []struct {
		name string
		set  func(*mqtt.Settings)
		want string
	}{
		{"no broker", func(s *mqtt.Settings) { s.Broker = "" }, "write mqtt://host:1883"},
		{"another protocol", func(s *mqtt.Settings) { s.Broker = "http://host" }, "write mqtt://host:1883"},
		{"password in the address", func(s *mqtt.Settings) { s.Broker = "mqtt://me:secret@host" }, "password_file"},
		{"the same in a wrong address", func(s *mqtt.Settings) { s.Broker = "xx://me:secret@host" }, "write mqtt://host:1883"},
		{"no lock", func(s *mqtt.Settings) { s.Lock = "" }, "friendly name"},
		{"wildcard", func(s *mqtt.Settings) { s.Lock = "#" }, "must not contain"},
		{"topic", func(s *mqtt.Settings) { s.Contact = "front_door/" }, "must not begin or end"},
		{"the bridge", func(s *mqtt.Settings) { s.Lock = "bridge/state" }, "bridge's own"},
		{"one device twice", func(s *mqtt.Settings) { s.Contact = s.Lock }, "different devices"},
		{"no password file", func(s *mqtt.Settings) { s.PasswordFile = "/nowhere/pw" }, "password_file"},
		{"empty password file", func(s *mqtt.Settings) { s.PasswordFile = writeFile(t, "pw", "\n") }, "first line is empty"},
		{"CA without TLS", func(s *mqtt.Settings) { s.CAFile = "ca.pem" }, "mqtts://"},
		{"no CA file", func(s *mqtt.Settings) { s.Broker, s.CAFile = "mqtts://host", "/nowhere/ca.pem" }, "ca_file"},
		{"no certificate", func(s *mqtt.Settings) { s.Broker, s.CAFile = "mqtts://host", writeFile(t, "ca.pem", "hello") }, "no certificate"},
	} {
		s := good
		c.set(&s)
		l, err := mqtt.Open(t.Context(), lock.Config{Now: func() time.Duration { return 0 }, Settings: s}, func(lock.Report) {})
		switch {
		case err == nil:
			_ = l.Close()
			t.Errorf("%s: opened", c.name)
		case !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret"):
			t.Errorf("%s: got %q, want it to say %q", c.name, err, c.want)
		}
	}
	if _, err := mqtt.Open(t.Context(), lock.Config{Now: func() time.Duration { return 0 }, Settings: 7}, func(lock.Report) {}); err == nil {
		t.Error("settings of another kind: opened")
	}
}
