package setup_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"eyebolt/hub/setup"
)

const wantFresh = `id: oak-street
state: DIR/hub-state # the record, the keys, the clips: back it up

service:
  url: tls://eyebolt.example.org:4222

passkeys: # the name that the apps are served under
  id: eyebolt.example.org
  origins:
    - https://eyebolt.example.org

doors:
  - name: front
    lock:
      mqtt:
        url: mqtt://192.0.2.10:1883
        username: eyebolt
        password_file: DIR/hub.front.mqtt-password
        lock: front_lock
        contact: front_door
        smoke: hall_smoke
    cameras:
      - name: hall
        url: rtsp://eye:${EYEBOLT_FRONT_HALL_PASSWORD}@192.0.2.30/main
        link: wired
        live_url: rtsp://eye:${EYEBOLT_FRONT_HALL_PASSWORD}@192.0.2.30/sub?password=${EYEBOLT_FRONT_HALL_PASSWORD}
        onvif: 192.0.2.30
`

// From nothing to a configuration: passwords lie in files of their own, for their owner alone, and nowhere else.
func TestFromNothing(t *testing.T) {
	h := newHouse(t)
	h.want[bridgeAt] = "eyebolt:br0ker word"
	checked := ""
	h.check = func(path string, secrets map[string]string) error {
		b, err := os.ReadFile(path)
		checked = string(b)
		if secrets["EYEBOLT_FRONT_HALL_PASSWORD"] != "s3cret%20p%40ss" || filepath.Dir(path) != h.dir {
			t.Errorf("%s is checked with %v", path, secrets)
		}
		return err
	}
	c := h.start()
	p := c.until("the refusal", func(p page) bool { return len(p.Peers) == 1 && p.Peers[0].State == "failed" })
	if !strings.Contains(p.Peers[0].Said, "refuses") {
		t.Error(p.Peers[0].Said)
	}
	c.post("login", map[string]any{"Peer": p.Peers[0].ID, "User": "eyebolt", "Password": "wrong", "Again": false})
	c.until("the second refusal", func(p page) bool { return p.Peers[0].State == "failed" })
	c.post("login", map[string]any{"Peer": p.Peers[0].ID, "User": "eyebolt", "Password": "br0ker word", "Again": false})
	d := c.full()
	p = c.post("draft", d)
	if len(p.Problems) > 0 {
		t.Fatal(p.Problems)
	}
	draft := h.files()[".hub.yaml.setup"]
	p = c.post("write", struct{}{})

	got := h.files()
	names := slices.Sorted(maps.Keys(got))
	if want := []string{"hub.env", "hub.front.mqtt-password", "hub.yaml"}; !slices.Equal(names, want) {
		t.Errorf("files %v, want %v", names, want)
	}
	_, text, _ := strings.Cut(got["hub.yaml"], "\n\n")
	if want := strings.ReplaceAll(wantFresh, "DIR", h.dir); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	if checked != got["hub.yaml"] {
		t.Error("what was checked is not what was written")
	}
	if got["hub.env"] != "EYEBOLT_FRONT_HALL_PASSWORD=s3cret%20p%40ss\n" || got["hub.front.mqtt-password"] != "br0ker word\n" {
		t.Errorf("%q, %q", got["hub.env"], got["hub.front.mqtt-password"])
	}
	// Nothing that the page or the terminal can read holds a password.
	_, view := c.call(http.MethodGet, "/setup/api/state", nil)
	said := strings.Join(h.told, "\n") + view + draft + got["hub.yaml"]
	for _, secret := range []string{"s3cret", "br0ker", "wrong"} {
		if strings.Contains(said, secret) {
			t.Errorf("%q can be read again", secret)
		}
	}
	w := p.Written
	if w == nil || !w.First || w.Backup != "" || w.Command != "eyebolt hub --config "+h.path || w.RecordKey == "" || !strings.Contains(w.Unit, "ExecStart=/usr/bin/eyebolt hub --config "+h.path) {
		t.Errorf("%+v", w)
	}
}

const existingText = `# my hub
id: oak-street
state: /var/lib/eyebolt   # on the disk
doors:
    # the street's
    - name: front
      lock: {mqtt: {url: "mqtt://192.0.2.10:1883", lock: x}}
      cameras: [{name: hall, url: "rtsp://u:${OLD}@h/"}]

# how long
clips:
  keep_for: 24h
`

// A door is added: what was there stays byte for byte, with a backup, and its secrets stay too.
func TestADoorMore(t *testing.T) {
	h := newHouse(t)
	write(t, h.path, existingText)
	write(t, filepath.Join(h.dir, "hub.env"), "OLD=1\nEYEBOLT_BACK_HALL_PASSWORD=x")
	c := h.start()
	d := c.full()
	if p := c.post("draft", d); len(p.Problems) != 1 || !strings.Contains(p.Problems[0].Text, "front already") {
		t.Errorf("a second door of one name: %v", p.Problems)
	}
	d.Door = "back"
	c.post("draft", d)
	p := c.post("write", struct{}{})
	got := h.files()
	head, tail, _ := strings.Cut(existingText, "\n# how long")
	if !strings.HasPrefix(got["hub.yaml"], head) || !strings.HasSuffix(got["hub.yaml"], "\n# how long"+tail) || !strings.Contains(got["hub.yaml"], "\n    - name: back\n      lock:\n        mqtt:\n") {
		t.Errorf("%s", got["hub.yaml"])
	}
	if got[filepath.Base(p.Written.Backup)] != existingText {
		t.Errorf("the backup %q is not what was there", p.Written.Backup)
	}
	if want := "OLD=1\nEYEBOLT_BACK_HALL_PASSWORD=x\nEYEBOLT_BACK_HALL_PASSWORD_2=s3cret%20p%40ss\n"; got["hub.env"] != want || !strings.Contains(got["hub.yaml"], "${EYEBOLT_BACK_HALL_PASSWORD_2}") {
		t.Errorf("%q", got["hub.env"])
	}
	if p.Written.First || p.Existing == nil {
		t.Errorf("%+v", p)
	}
	// And one more: the page begins anew.
	if p = c.post("again", struct{}{}); p.Written != nil || !slices.Equal(p.Existing.Doors, []string{"front", "back"}) || p.Draft.Door != "side" {
		t.Errorf("%+v, %+v", p.Existing, p.Draft)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What the hub would not start with, what was changed meanwhile, and what cannot be added to is left as it is; nothing stays beside it.
func TestNothingIsHalfWritten(t *testing.T) {
	for name, k := range map[string]struct {
		old   string
		spoil func(*house)
		want  string
	}{
		"the hub refuses it": {existingText, func(h *house) {
			h.check = func(string, map[string]string) error { return errors.New("limit tail: too long") }
		}, "limit tail: too long"},
		"the hub refuses the first": {"", func(h *house) { h.check = func(string, map[string]string) error { return errors.New("no") } }, "would not start"},
		"changed meanwhile": {existingText, func(h *house) {
			h.check = func(string, map[string]string) error { return os.WriteFile(h.path, []byte("id: other\n"), 0o600) }
		}, "changed meanwhile"},
		"it came meanwhile": {"", func(h *house) {
			h.check = func(string, map[string]string) error { return os.WriteFile(h.path, []byte("id: other\n"), 0o600) }
		}, "changed meanwhile"},
		"a list on one line":          {"id: oak-street\nstate: /x\ndoors: [{name: front}]\n", nil, "Add this door to it yourself:\n- name: back"},
		"a list that is not indented": {"id: oak-street\nstate: /x\ndoors:\n- name: front\n  cameras:\n  - name: a", nil, ""},
		"lines of another system":     {"id: oak-street\r\nstate: /x\r\ndoors:\r\n  - name: front\r\n", nil, ""},
		"no doors at all":             {"id: oak-street\nstate: /x\n", nil, "Add this door"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			if k.old != "" {
				write(t, h.path, k.old)
			}
			if k.spoil != nil {
				k.spoil(h)
			}
			h.want[bridgeAt] = "eyebolt:br0ker word"
			c := h.start()
			p := c.until("a bridge", func(p page) bool { return len(p.Peers) == 1 && p.Peers[0].State == "failed" })
			c.post("login", map[string]any{"Peer": p.Peers[0].ID, "User": "eyebolt", "Password": "br0ker word", "Again": false})
			d := c.full()
			d.Door = "back"
			c.post("draft", d)
			before := h.files()
			code, text := c.call(http.MethodPost, "/setup/api/write", struct{}{})
			if k.want == "" {
				if code != 200 {
					t.Errorf("%d %s", code, text)
				}
				return
			}
			var problem struct{ Detail string }
			_ = json.Unmarshal([]byte(text), &problem)
			if code != http.StatusConflict || !strings.Contains(problem.Detail, k.want) {
				t.Fatalf("%d %s", code, text)
			}
			after := h.files()
			if strings.Contains(name, "meanwhile") {
				if after["hub.yaml"] != "id: other\n" {
					t.Errorf("hub.yaml was overwritten: %q", after["hub.yaml"])
				}
				delete(after, "hub.yaml")
				delete(before, "hub.yaml")
			}
			if !maps.Equal(before, after) {
				t.Errorf("files before %v, after %v", slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
			}
		})
	}
}

// A configuration that cannot be read is told at the start, and not touched.
func TestWhatCannotBeReadIsLeft(t *testing.T) {
	h := newHouse(t)
	write(t, h.path, "id: [\n")
	if s, err := setup.New(t.Context(), h.config()); err == nil {
		_ = s.Close()
		t.Error("it was taken")
	}
	if got := h.files(); len(got) != 1 || got["hub.yaml"] != "id: [\n" {
		t.Errorf("%v", got)
	}
}

// S8, S14: the unit quotes what it is given, is stopped before what it bolts doors with, and never gives up.
func TestUnit(t *testing.T) {
	got := setup.Unit("/opt/my eye/eyebolt", "/etc/100%/hub.yaml", "/var/lib/$x", "ada")
	for _, want := range []string{`ExecStart="/opt/my eye/eyebolt" hub --config /etc/100%%/hub.yaml`, "ReadWritePaths=/var/lib/$$x", "User=ada", " mosquitto.service ", "StartLimitIntervalSec=0"} {
		if !strings.Contains(got, want) {
			t.Errorf("it lacks %q:\n%s", want, got)
		}
	}
}
