package mqtt

import (
	"slices"
	"testing"
	"time"

	"eyebolt/lock"

	"github.com/eclipse/paho.golang/paho"
)

// T20: a flood of the largest packets that the broker may send us, on every topic that is heard, faster than anybody reads: what waits is
// bounded by what is looked at, not by what came.
func TestInboxMemory(t *testing.T) {
	set := Settings{Base: "z", Lock: "l", Contact: "c", Smoke: "s"}
	s, err := strike().shape()
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]plan{"zigbee2mqtt": {Settings: set}, "template": {shape: s}} {
		d := &driver{plan: p, inbox: newInbox(), proofs: newProofs(), now: func() time.Duration { return 0 }}
		huge := make([]byte, maxPacket)
		copy(huge, `{"level":"error"`)
		for topic := range p.topics() {
			for range 1000 {
				if _, err := d.receive(paho.PublishReceived{Packet: &paho.Publish{Topic: topic, Payload: huge}}); err != nil {
					t.Fatal(err)
				}
			}
			queue, _ := d.inbox.Take()
			total := 0
			for _, m := range queue {
				if cap(m.payload) > 2*maxState {
					t.Fatalf("%s: %s: a message that waits holds %d bytes", name, topic, cap(m.payload))
				}
				total += cap(m.payload)
			}
			if most := 640 * 2 * maxState; total > most {
				t.Errorf("%s: %s: %d bytes wait, want at most %d", name, topic, total, most)
			}
		}
		if n := len(d.newest.of); n > 2 {
			t.Errorf("%s: %d large messages are held", name, n)
		}
	}
}

// S13, T20: a flood on any topic that is heard drops nothing of the connection, no order that is retained, and not the newest word of
// whether bridge or lock are there: a driver that missed the end of its connection would go on believing in it.
func TestFloodKeepsTheConnection(t *testing.T) {
	s, err := strike().shape()
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]plan{"zigbee2mqtt": {Settings: Settings{Base: "z", Lock: "l", Contact: "c", Smoke: "s"}}, "template": {shape: s}} {
		for topic, what := range p.topics() {
			d := &driver{plan: p, inbox: newInbox(), proofs: newProofs(), now: func() time.Duration { return 0 }}
			say := func(topic, payload string, retained bool) {
				if _, err := d.receive(paho.PublishReceived{Packet: &paho.Publish{Topic: topic, Payload: []byte(payload), Retain: retained}}); err != nil {
					t.Fatal(err)
				}
			}
			flood := func() {
				for range 2 * lock.InboxRoom {
					say(topic, `{"level":"error"}`, false)
				}
			}
			order, there := "z/l/set", "z/bridge/state"
			if p.shape != nil {
				order, there = "s/set", "s/LWT"
			}
			d.put(message{about: connectionUp})
			say(order, "OFF", true)
			say(there, "first", true)
			flood()
			say(there, "last", false)
			d.put(message{about: connectionDown})
			flood()
			queue, _ := d.inbox.Take()
			kept, retained := map[about]int{}, 0
			for _, m := range queue {
				kept[m.about]++
				if m.retained && (m.about == lockSet || m.about == plainOrder) {
					retained++
				}
			}
			if kept[connectionUp] != 1 || kept[connectionDown] != 1 || retained != 1 {
				t.Errorf("%s: a flood on %s: kept of the connection's begin, end and the retained order %d, %d, %d, want each", name, topic, kept[connectionUp], kept[connectionDown], retained)
			}
			if last := slices.IndexFunc(queue, func(m message) bool { return string(m.payload) == "last" }); last < 0 && what != bridgeState && what != plainOnline {
				t.Errorf("%s: a flood on %s: the newest word of whether it is there is gone", name, topic)
			}
		}
	}
}
