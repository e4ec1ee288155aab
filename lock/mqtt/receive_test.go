package mqtt

import (
	"testing"
	"time"

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
