package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"eyebolt/radio/monitor"
)

// S18: where nothing is done to the air, the lab's story is an honest visit. (What is done to it is done in the lab alone.)
func TestAirThatNobodyDisturbs(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole house")
	}
	nothing, err := exec.LookPath("true")
	if err != nil {
		t.Skip(err)
	}
	out := t.TempDir()
	cmd := AirCmd{Air: nothing, Story: []string{"flood"}, Camera: "127.0.0.1:0", For: time.Second, Quiet: time.Second, Out: out, Width: 256, FPS: 10, Label: "test", Protected: true, inside: true}
	if err := cmd.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(out, "flood-test-1.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r airResult
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	if r.Outcome != "done" || r.GapS != 0 || r.Times["lost"] != 0 || r.Quiet.N < 3 {
		t.Errorf("%s", raw)
	}
	if text, err := os.ReadFile(filepath.Join(out, "flood-test-1.txt")); err != nil || !strings.Contains(string(text), "visit: secured") {
		t.Errorf("%v: %s", err, text)
	}
}

func TestAirReadsJournalsAndCaptures(t *testing.T) {
	begin := time.Unix(1_700_000_000, 0)
	dir := t.TempDir()
	log := filepath.Join(dir, "wpa.log")
	lines := "1700000001.500000: wlan1: CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:00:00 reason=7\n1699999999.0: wlan1: CTRL-EVENT-CONNECTED before\nno time\n1700000002.0: wlan1: Trying to associate\n"
	if err := os.WriteFile(log, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &airBench{line: &timeline{}, town: &town{begin: begin}}
	r := airResult{}
	b.readJournal("camera="+log, &r)
	rows := b.line.sorted()
	if len(rows) != 1 || rows[0].at != 1500*time.Millisecond || r.thrownOff != rows[0].at {
		t.Errorf("%+v, %v", rows, r.thrownOff)
	}

	b.Capture = filepath.Join("..", "..", "radio", "monitor", "testdata", "flood-pmf0.pcap")
	f, err := os.Open(b.Capture)
	if err != nil {
		t.Fatal(err)
	}
	c, err := monitor.NewCapture(f)
	if err != nil {
		t.Fatal(err)
	}
	at, _, err := c.Next()
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	b.line, b.town = &timeline{}, &town{begin: at.Add(-time.Second)}
	r = airResult{stopped: time.Minute}
	b.readCapture(&r)
	if r.Frames != 484 || r.first != time.Second || r.zero() != time.Second {
		t.Errorf("%d frames, first at %v", r.Frames, r.first)
	}
}

func TestListenInNoSuchNamespace(t *testing.T) {
	if _, err := listenIn("no-such-namespace"); err == nil || runtime.GOOS == "linux" && !strings.Contains(err.Error(), "ip netns add") {
		t.Errorf("%v", err)
	}
	listen, err := listenIn("")
	if err != nil {
		t.Fatal(err)
	}
	l, err := listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
}
