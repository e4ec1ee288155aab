package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/mqtt"
)

// Every example of docs/MQTT-LOCKS.md is a lock that the hub takes; a key that is none is refused with the one that was meant.
func TestMQTTLockExamples(t *testing.T) {
	doc, err := os.ReadFile("../../docs/MQTT-LOCKS.md")
	if err != nil {
		t.Fatal(err)
	}
	settings := func(block string) (*mqtt.Settings, error) {
		p := filepath.Join(t.TempDir(), "hub.yaml")
		text := "id: oak\nstate: x\ndoors:\n  - name: front\n    lock:\n      " + strings.ReplaceAll(strings.TrimSpace(block), "\n", "\n      ") + "\n"
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var cfg HubConfig
		if err := load(p, &cfg); err != nil {
			return nil, err
		}
		return cfg.Doors[0].Lock.MQTT, nil
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(doc, -1)
	if len(blocks) < 6 {
		t.Fatalf("%d examples: the page or this test changed", len(blocks))
	}
	conventions := map[string]int{}
	for _, b := range blocks {
		s, err := settings(string(b[1]))
		if err != nil {
			t.Errorf("%s\n%v", b[1], err)
			continue
		}
		conventions[s.Convention]++
		l, err := mqtt.Open(t.Context(), lock.Config{Now: func() time.Duration { return 0 }, Settings: *s}, func(lock.Report) {})
		if err != nil {
			t.Errorf("%s\n%v", b[1], err)
			continue
		}
		_ = l.Close()
	}
	if conventions[""] < 1 || conventions["homeassistant"] < 1 || conventions["template"] < 4 {
		t.Errorf("examples by convention: %v", conventions)
	}
	for _, c := range []struct{ block, want string }{
		{"mqtt: {convention: template, templat: {}}", "template"},
		{"mqtt: {convention: template, template: {bolt: {topc: x}}}", "topic"},
		{"mqtt: {convention: template, template: {bolt: {topic: x, throwns: [a]}}}", "thrown"},
		{"mqtt: {convention: homeassistant, homeassistant: {comand_topic: x}}", "command_topic"},
		{"mqtt: {convention: homeassistant, homeassistant: {contact: {statetopic: x}}}", "state_topic"},
	} {
		if _, err := settings(c.block); err == nil || !strings.Contains(err.Error(), `"`+c.want+`"`) && !strings.Contains(err.Error(), c.want+"?") {
			t.Errorf("%s: got %v, want it to name %s", c.block, err, c.want)
		}
	}
}
