package setup_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"eyebolt/hub/setup"
	"eyebolt/lock"
)

const pin = "82736455"

// pinHouse is one whose lock demands a PIN.
func pinHouse(t *testing.T) *house {
	h := newHouse(t)
	h.devices[bridgeAt] = append([]lock.Device{{ID: "5", Name: "Keypad lock", Kind: lock.KindLock, Can: lock.Can{Bolt: true, Door: true}, PIN: true}}, bridgeDevices...)
	return h
}

func firstOf(p []setup.Problem) string {
	if len(p) == 0 {
		return ""
	}
	return p[0].Text
}

// The PIN of a lock goes into a file of its own which its owner alone may read, and nowhere else: neither to the page, nor into the draft,
// the configuration, the environment's file or the terminal. Once it is written, the set-up knows it no more.
func TestAPINIsASecret(t *testing.T) {
	h := pinHouse(t)
	c := h.start()
	d := c.full()
	d.Lock, d.Contact, d.Answers = "5", "", map[string]string{"pin": pin} // a page that sends it with the draft
	p := c.post("draft", d)
	if got := firstOf(p.Problems); got != "A PIN code of this lock is missing." {
		t.Fatalf("%q", got)
	}
	ask := map[string]string{"Peer": d.Peer, "Lock": "5", "Key": "pin", "Value": "12a4"}
	if code, text := c.call(http.MethodPost, "/setup/api/answer", ask); code != 400 || !strings.Contains(text, "A PIN code is 4 to 32 digits") || strings.Contains(text, "12a4") {
		t.Errorf("%d %s", code, text)
	}
	ask["Value"] = pin
	p = c.post("answer", ask)
	if len(p.Problems) != 0 || !p.Peers[0].Devices[0].Asks[0].Had {
		t.Errorf("%+v", p)
	}
	if _, text := c.call(http.MethodGet, "/setup/api/state", nil); strings.Contains(text, pin) {
		t.Errorf("the page is told the PIN: %s", text)
	}
	for name, text := range h.files() { // the draft's
		if strings.Contains(text, pin) {
			t.Errorf("the PIN is in %s before it is written:\n%s", name, text)
		}
	}
	c.post("write", struct{}{})
	got := h.files()
	if got["hub.front.mqtt-pin"] != pin+"\n" || !strings.Contains(got["hub.yaml"], "pin_file: "+h.path[:len(h.path)-len(".yaml")]+".front.mqtt-pin") {
		t.Errorf("%v", got)
	}
	for name, text := range got {
		if name != "hub.front.mqtt-pin" && strings.Contains(text, pin) {
			t.Errorf("the PIN is in %s:\n%s", name, text)
		}
	}
	if p := c.page(); p.Peers[0].Devices[0].Asks[0].Had {
		t.Error("the PIN is kept after it was written")
	}
	if all := strings.Join(h.told, "\n"); strings.Contains(all, pin) {
		t.Errorf("the terminal shows the PIN:\n%s", all)
	}
}

// A lock that is in no list is asked about; what is proposed stands unless something else is typed.
func TestALockThatSpeaksForItself(t *testing.T) {
	h := newHouse(t)
	c := h.start()
	d := c.full()
	d.Lock, d.Contact, d.Smoke, d.Family = "", "", "", "strike"
	for _, x := range []struct {
		answers map[string]string
		want    string
	}{
		{nil, "Its topic is missing."},
		{map[string]string{"topic": "  "}, "Its topic is missing."},
		{map[string]string{"topic": "${EYEBOLT_BACK_HALL_PASSWORD}"}, "Its topic: ${ cannot stand in it: the configuration reads it as something else."},
		{map[string]string{"topic": "a\x1b[2Jb"}, "Its topic: it holds something that cannot be typed."},
		{map[string]string{"topic": "strike", "draw": "kick"}, "What opens the door: choose one of those that are there."},
		{map[string]string{"topic": "strike", "relay": ""}, "Number of the relay is missing."},
		{map[string]string{"topic": "order"}, "The topic that asks is one of orders."},
	} {
		d.Answers = x.answers
		if got := firstOf(c.post("draft", d).Problems); got != x.want {
			t.Errorf("%v: %q, want %q", x.answers, got, x.want)
		}
	}
	for _, bad := range []func(*setup.Draft){
		func(d *setup.Draft) { d.Family = "none" }, func(d *setup.Draft) { d.Lock = "front_lock" }, func(d *setup.Draft) { d.Contact = "front_door" },
	} {
		w := d
		bad(&w)
		if got := firstOf(c.post("draft", w).Problems); got != "Choose the door's lock again." {
			t.Errorf("%q", got)
		}
	}
	many := map[string]string{}
	for i := range 100 {
		many[strings.Repeat("x", i)] = "y"
	}
	for _, answers := range []map[string]string{many, {"topic": strings.Repeat("x", 300)}, {strings.Repeat("x", 65): ""}} {
		d.Answers = answers
		if code, _ := c.call(http.MethodPost, "/setup/api/draft", d); code != http.StatusBadRequest {
			t.Errorf("%d answers are taken: %d", len(answers), code)
		}
	}
	d.Answers = map[string]string{"topic": " strike ", "unknown": "x"}
	if p := c.post("draft", d); len(p.Problems) != 0 {
		t.Fatalf("%+v", p.Problems)
	}
	c.post("write", struct{}{})
	if got := h.files()["hub.yaml"]; !strings.Contains(got, "family: strike") || !strings.Contains(got, "topic: strike\n") || strings.Contains(got, "door_sense") {
		t.Errorf("%s", got)
	}
}

// Asking the lock takes the settings that would be written, gives what it says now, and moves nothing.
func TestTheLockIsAsked(t *testing.T) {
	h := pinHouse(t)
	h.want[bridgeAt] = "eyebolt:sesame"
	c := h.start()
	c.until("the bridge", func(p page) bool { return len(p.Peers) == 1 && p.Peers[0].State == "failed" })
	c.post("login", map[string]string{"Peer": c.page().Peers[0].ID, "User": "eyebolt", "Password": "sesame"})
	d := c.full()
	d.Lock, d.Contact = "5", ""
	c.post("draft", d)
	if code, text := c.call(http.MethodPost, "/setup/api/try", struct{}{}); code != http.StatusConflict || !strings.Contains(text, "A PIN code of this lock") {
		t.Errorf("%d %s", code, text)
	}
	c.post("answer", map[string]string{"Peer": d.Peer, "Lock": "5", "Key": "pin", "Value": pin})
	h.set(func() { h.answer = lock.Report{What: lock.OfBolt, Bolt: lock.BoltThrown, At: 400e6, Solicited: true} })
	code, text := c.call(http.MethodPost, "/setup/api/try", struct{}{})
	if code != 200 || strings.TrimSpace(text) != `{"bolt":"thrown","door":"closed","ms":400}` {
		t.Errorf("%d %s", code, text)
	}
	if len(h.tried) != 1 || h.tried[0].Lock != "5" || h.tried[0].PIN != pin+"\n" || h.tried[0].File != "sesame\n" || !h.tried[0].Sense {
		t.Errorf("%+v", h.tried)
	}
	// A lock that says by itself where it is, and does not answer, was not reached by the question.
	h.set(func() { h.answer.Solicited = false })
	code, text = c.call(http.MethodPost, "/setup/api/try", struct{}{})
	if code != http.StatusConflict || !strings.Contains(text, "The lock did not answer the question within 12s") {
		t.Errorf("%d %s", code, text)
	}
	// What it says of why it does not answer is told, with neither a secret nor a driver's name.
	h.set(func() {
		h.answer = lock.Report{What: lock.OfHealth, Err: errors.New("lock/mqtt: the bridge is offline: switch it on")}
	})
	code, text = c.call(http.MethodPost, "/setup/api/try", struct{}{})
	if code != http.StatusConflict || !strings.Contains(text, "The lock did not answer within 12s: the bridge is offline: switch it on.") || strings.Contains(text, pin) {
		t.Errorf("%d %s", code, text)
	}
}

// A secret's question that is not asked is answered by nobody.
func TestAnswersToNothing(t *testing.T) {
	h := pinHouse(t)
	c := h.start()
	d := c.full()
	for _, ask := range []map[string]string{
		{"Peer": "p99", "Lock": "5", "Key": "pin", "Value": pin},
		{"Peer": d.Peer, "Lock": "6", "Key": "pin", "Value": pin},
		{"Peer": d.Peer, "Lock": "front_lock", "Key": "pin", "Value": pin},
		{"Peer": d.Peer, "Lock": "5", "Key": "nip", "Value": pin},
		{"Peer": d.Peer, "Family": "strike", "Key": "topic", "Value": pin},
		{"Peer": d.Peer, "Lock": "5", "Key": "pin", "Value": strings.Repeat("1", 300)},
	} {
		if code, text := c.call(http.MethodPost, "/setup/api/answer", ask); code != http.StatusBadRequest || strings.Contains(text, pin) {
			t.Errorf("%v: %d %s", ask, code, text)
		}
	}
	c.post("answer", map[string]string{"Peer": d.Peer, "Lock": "5", "Key": "pin", "Value": pin})
	if p := c.post("answer", map[string]string{"Peer": d.Peer, "Lock": "5", "Key": "pin", "Value": ""}); slices.ContainsFunc(p.Peers[0].Devices, func(x struct {
		ID, Name, Kind, Why, Note string
		Asks                      []struct {
			Key, Label string
			Had        bool
		}
	},
	) bool {
		return len(x.Asks) > 0 && x.Asks[0].Had
	}) {
		t.Error("an answer that was taken back is kept")
	}
}
