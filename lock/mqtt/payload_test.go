package mqtt

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"eyebolt/lock"
)

func TestParseBounds(t *testing.T) {
	long := `{"lock_state":"locked","x":"` + strings.Repeat("a", maxState) + `"}`
	for _, bad := range []string{long, "null", "LOCK", "[]", `{"lock_state":"locked"`, `{"lock_state":"locked"}x`, "\xff", strings.Repeat("[", 60000)} {
		if got, err := parse([]byte(bad)); err == nil {
			t.Errorf("%.40q: read as %+v, want an error", bad, got)
		}
	}
	if _, err := parse(nil); !errors.Is(err, errEmpty) {
		t.Errorf("empty: got %v", err)
	}
	odd := `{"lock_state":7,"state":{},"battery":"full","contact":1,"last_seen":[],"action":null,"action_user":-1,"door_state":"` + strings.Repeat("o", 100) + `"}`
	got, err := parse([]byte(odd))
	if err != nil {
		t.Fatal(err)
	}
	if got.bolt != lock.BoltUnknown || got.contact != lock.DoorUnknown || got.door != lock.DoorUnknown || got.battery != -1 || !got.seen.IsZero() {
		t.Errorf("odd values: got %+v, want nothing known", got)
	}
}

// FuzzParse: T20: no payload crashes the reader, and a bolt is known only if the payload says one of the three words for it.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"testdata/recorded-default.txt", "testdata/recorded-filtered.txt"} {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for line := range bytes.Lines(b) {
			if part := bytes.SplitN(bytes.TrimSpace(line), []byte(" "), 4); len(part) == 4 {
				f.Add(part[3])
			}
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, err := parse(payload)
		if err != nil {
			if got.boltSaid != silent || got.contactSaid != silent {
				t.Fatalf("an error and yet something said: %+v", got)
			}
			return
		}
		var m map[string]any
		if json.Unmarshal(payload, &m) != nil {
			t.Fatalf("read what is no object: %q", payload)
		}
		state, _ := m["state"].(string)
		precise, _ := m["lock_state"].(string)
		if got.bolt == lock.BoltThrown && precise != "locked" && (precise != "" || !strings.EqualFold(state, "LOCK")) {
			t.Fatalf("thrown out of %q", payload)
		}
		if got.contact == lock.DoorClosed && m["contact"] != true {
			t.Fatalf("closed out of %q", payload)
		}
		if got.battery < -1 || got.battery > 100 {
			t.Fatalf("battery %d out of %q", got.battery, payload)
		}
		readDeed(got)
	})
}

// FuzzBridge: what the bridge says of itself never crashes a reader, and an error passed on is short and holds no PIN.
func FuzzBridge(f *testing.F) {
	f.Add([]byte(`{"level":"error","message":"z2m: Publish 'set' 'state' to 'front_lock' failed: 'Error: no'"}`))
	f.Add([]byte(`[{"friendly_name":"front_lock","type":"Router"}]`))
	f.Add([]byte(`{"data":{"healthy":true},"status":"ok","transaction":"a-1"}`))
	f.Add([]byte(`{"config":{"advanced":{"last_seen":"disable","cache_state":false},"devices":{"0x1":{"friendly_name":"front_lock","filtered_cache":["^(lock_)?state$"]}}}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		readOnline(payload)
		if names, err := readNames(payload); err == nil {
			nearest("front_lock", names)
		}
		_, _ = readHabits(payload, "front_lock", "front_door")
		if name, ok := readAnswer(payload); ok && name == "" {
			t.Fatalf("an answer to nothing: %q", payload)
		}
		if fail, ok := readFailure(payload, "front_lock"); ok && (len(fail.text) > maxText+4 || strings.Contains(fail.text, "pincodevalue")) {
			t.Fatalf("told: %q", fail.text)
		}
	})
}

func TestHabits(t *testing.T) {
	for _, c := range []struct {
		name, info string
		want       habits
	}{
		{"as it comes", `{"config":{"advanced":{"last_seen":"ISO_8601","cache_state":true},"devices":{"0x1":{"friendly_name":"front_lock"}}}}`, habits{}},
		{"last_seen off", `{"config":{"advanced":{"last_seen":"disable"}}}`, habits{quietAck: true}},
		{"nothing cached", `{"config":{"advanced":{"cache_state":false}}}`, habits{boltOwn: true, doorOwn: true, contactOwn: true}},
		{
			"as the manual asks",
			`{"config":{"devices":{"0x1":{"friendly_name":"front_lock","filtered_cache":["state","lock_state","door_state"]},"0x2":{"friendly_name":"front_door","filtered_cache":["contact"]}}}}`,
			habits{boltOwn: true, doorOwn: true, contactOwn: true},
		},
		{"half of it", `{"config":{"devices":{"0x1":{"friendly_name":"front_lock","filtered_cache":["state"]}}}}`, habits{}},
		{"by pattern", `{"config":{"device_options":{"filtered_cache":["^(lock_)?state$","contact"]}}}`, habits{boltOwn: true, contactOwn: true}},
		{"the device's own list replaces the common one", `{"config":{"device_options":{"filtered_cache":[".*"]},"devices":{"0x1":{"friendly_name":"front_lock","filtered_cache":[]}}}}`, habits{contactOwn: true}},
		{"a pattern that Go cannot read", `{"config":{"device_options":{"filtered_cache":["(?<!x)state"]}}}`, habits{}},
	} {
		got, err := readHabits([]byte(c.info), "front_lock", "front_door")
		if err != nil || got != c.want {
			t.Errorf("%s: got %+v %v, want %+v", c.name, got, err, c.want)
		}
	}
}
