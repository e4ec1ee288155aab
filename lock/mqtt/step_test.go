package mqtt

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"eyebolt/lock"
)

// S9, S11: the hub's wall clock is set ahead in the middle of a visit, or the bridge's back. A door that opens and a bolt that
// draws right after it are not taken for older than what was said before: a closed door would stay closed for those who
// bolt it. What would make the home look safer is believed no more than its age allows.
func TestClockSetAhead(t *testing.T) {
	var got []lock.Report
	w := newWitness(Settings{Base: "zigbee2mqtt", Lock: "l", Contact: "c"}, slog.New(slog.DiscardHandler), func(r lock.Report) {
		if r.What == lock.OfBolt || r.What == lock.OfDoor {
			got = append(got, r)
		}
	})
	w.habits = habits{boltOwn: true, doorOwn: true, contactOwn: true}
	begin := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	var ahead time.Duration
	say := func(at time.Duration, what about, key, value string) lock.Report {
		got = nil
		seen := begin.Add(at).Format(time.RFC3339Nano)
		w.take(message{about: what, at: at, wall: begin.Add(at + ahead), payload: fmt.Appendf(nil, `{%q:%s,"last_seen":%q}`, key, value, seen)})
		if len(got) != 1 {
			t.Fatalf("%d reports of %s %s", len(got), key, value)
		}
		return got[0]
	}
	made := func(r lock.Report) time.Duration { return r.At - r.Age }

	say(10*time.Second, contactState, "contact", "true")
	say(10*time.Second, lockState, "lock_state", `"locked"`)
	ahead = time.Minute
	say(11*time.Second, contactState, "contact", "true") // old by its word: no reason to take the next one for older still
	say(11*time.Second, lockState, "lock_state", `"locked"`)
	if r := say(12*time.Second, lockState, "lock_state", `"unlocked"`); r.Bolt != lock.BoltDrawn || made(r) < 10*time.Second {
		t.Errorf("S9: %+v, made %v, before what it replaces", r, made(r))
	}
	if r := say(13*time.Second, contactState, "contact", "false"); r.Door != lock.DoorOpen || made(r) < 10*time.Second {
		t.Errorf("S11: %+v, made %v, before what it replaces", r, made(r))
	}
	if r := say(15*time.Second, lockState, "lock_state", `"locked"`); r.Age < time.Minute {
		t.Errorf("S12: %+v, younger than its own word", r)
	}
	if r := say(16*time.Second, contactState, "contact", "true"); r.Age < time.Minute {
		t.Errorf("S12: %+v, younger than its own word", r)
	}
	// A connection that was gone makes all unknown; what is said after that is newer too.
	w.take(message{about: connectionDown, at: 20 * time.Second})
	w.take(message{about: connectionUp, at: 21 * time.Second})
	if r := say(22*time.Second, contactState, "contact", "false"); made(r) < 20*time.Second {
		t.Errorf("S11: %+v, made %v, before everything became unknown", r, made(r))
	}
	if r := say(22*time.Second, lockState, "lock_state", `"unlocked"`); made(r) < 20*time.Second {
		t.Errorf("S9: %+v, made %v, before everything became unknown", r, made(r))
	}
}
