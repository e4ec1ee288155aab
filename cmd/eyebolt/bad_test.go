package main

import (
	"bytes"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/camera/cameratest"
)

// said is a log that can be read while it is written.
type said struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// garbage answers everything with an SSH banner.
func garbage(t *testing.T) string {
	t.Helper()
	return cameratest.Answer(t, func(c net.Conn) {
		_, _ = c.Write([]byte("SSH-2.0-dropbear_2022.83\r\n\x00\x01\x02garbage\r\n"))
	})
}

func TestBadConfigurationNamesTheLineAndTheNearestKey(t *testing.T) {
	good := "id: home\nstate: STATE\npasskeys: {id: localhost, origins: [\"http://localhost:1\"]}\ndoors:\n  - name: front\n    lock: {mqtt: {broker: \"mqtt://127.0.0.1:1\", lock: l, contact: c}}\n    cameras: [{name: hall, url: \"rtsp://127.0.0.1:1/x\"}]\n"
	for _, c := range []struct{ name, from, to, want string }{
		{"unknown key", "cameras:", "camras:", `[7:5] unknown field "camras": did you mean "cameras"?`},
		{"unknown inner key", "broker:", "brokr:", `unknown field "brokr": did you mean "broker"?`},
		{"not YAML", "id: home", "id: [", "[1:5]"},
		{"no camera", "cameras: [{name: hall, url: \"rtsp://127.0.0.1:1/x\"}]", "cameras: []", "no eye, no bolt"},
		{"not RTSP", "rtsp://127", "http://127", "rtsp://user:password@host:port/path"},
		{"no lock", "lock: l, ", "", "write the lock's friendly name"},
		{"no passkeys", "{id: localhost, origins: [\"http://localhost:1\"]}", "{}", "name the id and origins"},
		{"a bad link", "name: hall,", "name: hall, link: fibre,", "use wired or wifi"},
		{"a bad limit", "    lock:", "    limits: {tail: 48h}\n    lock:", "give a span from 1s to 1h"},
		{"a slide that S2 forbids", "    lock:", "    limits: {slide: 60s}\n    lock:", "give a span from 1s to 30s"},
		{"a wire that anybody may speak on (S4)", "passkeys:", "service: {url: \"nats://192.0.2.1:4222\"}\npasskeys:", "write tls://192.0.2.1:4222; or write plain: true"},
		{"a word that Home Assistant's part has not", "passkeys:", "home_assistant: {brokr: \"mqtt://127.0.0.1:1\"}\npasskeys:", "broker"},
		{"Home Assistant at no broker", "passkeys:", "home_assistant: {broker: \"http://127.0.0.1:8123\"}\npasskeys:", "write mqtt://host:1883"},
		{"no service there", "passkeys:", "service: {url: \"4222\"}\npasskeys:", "write tls://host:4222"},
		{"an unset variable", "rtsp://127", "rtsp://${EYEBOLT_NO_SUCH}@127", "the environment has no EYEBOLT_NO_SUCH"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "hub.yaml")
			text := strings.Replace(strings.Replace(good, "STATE", filepath.Join(dir, "s"), 1), c.from, c.to, 1)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			var cfg HubConfig
			err := load(path, &cfg)
			if err == nil {
				var h *runningHub
				if h, err = startHub(t.Context(), cfg, hubOptions{Log: slog.New(slog.DiscardHandler), Pairing: func(string) {}}); err == nil {
					_ = h.Stop()
				}
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
}

func TestTheExamplesLoad(t *testing.T) {
	t.Setenv("CAMERA_PASSWORD", "x")
	var hub HubConfig
	if err := load(filepath.Join("..", "..", "docs", "hub.example.yaml"), &hub); err != nil {
		t.Error(err)
	}
	if len(hub.Doors) != 1 || hub.Doors[0].Lock.MQTT == nil || hub.retention().Age != 168*time.Hour {
		t.Errorf("the example is not what it says: %+v", hub)
	}
	var control ControlConfig
	if err := load(filepath.Join("..", "..", "docs", "control.example.yaml"), &control); err != nil {
		t.Error(err)
	}
}
