package homeassistant

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"eyebolt/lock"
)

func TestRead(t *testing.T) {
	m, err := read([]byte(`{"id":3,"type":"event","event":{"c":{"lock.a":{"+":{"s":"unlocked","a":{"last_seen":"x"}},"-":{"a":["lock_state"]}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	was := entity{"locked", attributes{"lock_state": []byte(`"locked"`), "last_seen": []byte(`"w"`), "battery": []byte(`9`)}}
	is := was.with(m.changes.of["lock.a"])
	if _, has := is.attr["lock_state"]; has || is.state != "unlocked" || is.attr.text("last_seen") != "x" || string(is.attr["battery"]) != "9" {
		t.Errorf("got %+v", is)
	}
	if was.attr.text("lock_state") != "locked" {
		t.Error("the entity before was changed, too")
	}
	whole, err := read([]byte(`{"id":3,"type":"event","event":{"a":{"lock.a":{"s":"locked","a":{}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if is := was.with(whole.changes.of["lock.a"]); len(is.attr) != 0 || is.state != "locked" {
		t.Errorf("a whole entity keeps what was before: %+v", is)
	}
	m, err = read([]byte(`{"id":4,"type":"result","success":false,"error":{"code":"not_found","message":"Service\nx not found."}}`))
	if err != nil || m.err == nil || m.err.Error() != "Service" || m.body != nil {
		t.Errorf("got %+v, %v", m, err)
	}
	for _, bad := range []string{``, `7`, `{"type":"result"}`, `{"type":"result","id":1}`, `{"type":"event","event":[]}`, `{"type":"event","event":{"c":{"x":{"+":{"s":7}}}}}`} {
		if m, err := read([]byte(bad)); err == nil {
			t.Errorf("%s: got %+v, want an error", bad, m)
		}
	}
}

// T20: whatever comes is read or refused, and never crashes what follows.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"type":"auth_required","ha_version":"2024.3.3"}`), []byte(`{"type":"auth_ok"}`))
	f.Add([]byte(`{"id":2,"type":"event","event":{"a":{"lock.a":{"s":"locked","a":{"lock_state":"locked","last_seen":"2026-01-01T00:00:00Z"}}}}}`), []byte(`{"id":2,"type":"event","event":{"c":{"lock.a":{"+":{"s":"unlocked","a":{"last_seen":1767225600000,"assumed_state":true}},"-":{"a":["lock_state"]}}}}}`))
	f.Add([]byte(`{"id":2,"type":"event","event":{"r":["lock.a"]}}`), []byte(`{"id":1,"type":"result","success":true,"result":[{"entity_id":"lock.a","state":"locked","attributes":{"friendly_name":"Front"}}]}`))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		told := 0
		w := newWitness(plan{Settings: Settings{Seen: "last_seen", Bolt: "lock_state", Door: "contact", Prove: time.Hour}}, slog.New(slog.DiscardHandler), func(r lock.Report) {
			told++
			if r.Age < 0 {
				t.Errorf("an age below zero: %+v", r)
			}
		})
		d := &driver{now: func() time.Duration { return time.Hour }, inbox: newInbox(), log: slog.New(slog.DiscardHandler)}
		s := &session{ids: ids{lock: "lock.a", contact: "binary_sensor.b", smoke: "binary_sensor.s", battery: "sensor.p"}, entities: map[string]entity{}, events: 2}
		w.take(item{what: connected, at: time.Hour, ids: s.ids})
		for _, payload := range [][]byte{one, two} {
			d.hear(s, payload)
			if m, err := read(payload); err == nil && m.body != nil {
				if list, err := readList(m.body); err == nil {
					_, _ = resolve(list, Settings{Lock: "lock.a", Contact: "Front"})
					for _, l := range list {
						_, _ = l.device(plan{Settings: Settings{Seen: "last_seen", Bolt: "lock_state", Door: "contact"}})
					}
				}
			}
		}
		queue, _ := d.inbox.Take()
		for _, m := range queue {
			w.take(m)
			w.asks(m.at)
		}
		if told > 64 {
			t.Errorf("%d reports of two messages", told)
		}
	})
}

// T20: an entity that is given more and more attributes, and larger ones, faster than anybody reads, costs what is looked at of it.
func TestEntityMemory(t *testing.T) {
	d := &driver{now: func() time.Duration { return time.Hour }, inbox: newInbox(), log: slog.New(slog.DiscardHandler)}
	d.plan = plan{Settings: Settings{Seen: "last_seen", Bolt: "lock_state", Door: "contact"}}
	s := &session{ids: ids{lock: "lock.a"}, entities: map[string]entity{}, events: 2}
	large := strings.Repeat("x", 16<<10)
	for i := range 600 {
		d.hear(s, fmt.Appendf(nil, `{"id":2,"type":"event","event":{"c":{"lock.a":{"+":{"s":"%s","a":{"x%d":"y","lock_state":"%s","last_seen":"%s"}}}}}}`, large, i, large, large))
	}
	d.hear(s, []byte(`{"id":2,"type":"event","event":{"c":{"lock.a":{"+":{"s":"locked","a":{"lock_state":"locked","last_seen":"2026-01-01T00:00:00Z"}}}}}}`))
	size := func(e entity) int {
		n := len(e.state)
		for name, raw := range e.attr {
			n += len(name) + cap(raw)
		}
		return n
	}
	const most = 2 << 10
	if n := size(s.entities["lock.a"]); n > most {
		t.Errorf("%d bytes are kept of one entity, want at most %d", n, most)
	}
	queue, _ := d.inbox.Take()
	for _, m := range queue {
		if n := size(m.was) + size(m.is); n > 2*most {
			t.Fatalf("a change that waits holds %d bytes, want at most %d", n, 2*most)
		}
	}
	if e := queue[len(queue)-1].is; e.state != "locked" || e.attr.text("lock_state") != "locked" {
		t.Errorf("got %+v, want what is looked at kept", e)
	}
}

// S9: a lock's word of a second before a Lock, which arrives after it and bears the time of a clock that is ahead, proves nothing of what
// the Lock did: no clock is trusted to be ahead by as much as words may be late.
func TestWordOfBeforeTheLockByAClockAhead(t *testing.T) {
	var thrown []lock.Report
	p := plan{Settings: Settings{Seen: "last_seen", Bolt: "lock_state", Door: "contact", Prove: time.Hour}}
	w := newWitness(p, slog.New(slog.DiscardHandler), func(r lock.Report) {
		if r.What == lock.OfBolt && r.Bolt == lock.BoltThrown {
			thrown = append(thrown, r)
		}
	})
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(d time.Duration) item { return item{at: d, wall: began.Add(d), ids: ids{lock: "lock.a"}} }
	m := at(time.Second)
	m.what = connected
	w.take(m)
	const lockAt, fast = 10 * time.Second, 1500 * time.Millisecond
	m = at(lockAt)
	m.what, m.sent = ordered, lockAt
	w.take(m)
	m = at(lockAt + 100*time.Millisecond)
	m.what, m.id = changed, "lock.a"
	stamp, _ := began.Add(lockAt - time.Second + fast).MarshalJSON()
	m.is = entity{"locked", attributes{"lock_state": []byte(`"locked"`), "last_seen": stamp}}
	w.take(m)
	if len(thrown) != 0 {
		t.Errorf("a word of a second before the Lock counts as one of after it: %+v", thrown)
	}
}

// S9: a lock that is said to be drawn, without a time of its own, is not thrown by a word of before that, which arrives late: it is asked.
func TestWordOfBeforeItWasDrawn(t *testing.T) {
	var said []lock.Bolt
	p := plan{Settings: Settings{Seen: "last_seen", Bolt: "lock_state", Door: "contact", Prove: time.Hour}}
	w := newWitness(p, slog.New(slog.DiscardHandler), func(r lock.Report) {
		if r.What == lock.OfBolt {
			said = append(said, r.Bolt)
		}
	})
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	word := func(d time.Duration, state, lockState string) entity {
		stamp, _ := began.Add(d).MarshalJSON()
		return entity{state, attributes{"lock_state": []byte(lockState), "last_seen": stamp}}
	}
	last := word(0, "locked", `"locked"`)
	w.take(item{what: connected, at: time.Second, wall: began.Add(time.Second), ids: ids{lock: "lock.a"}, is: last})
	hear := func(at time.Duration, is entity) {
		w.take(item{what: changed, at: at, wall: began.Add(at), id: "lock.a", was: last, is: is})
		last = is
	}
	hear(5*time.Second, word(5*time.Second, "locked", `"locked"`))
	hear(10*time.Second, word(5*time.Second, "unlocked", `"locked"`)) // somebody's wish, or a report without its time
	hear(10200*time.Millisecond, word(8*time.Second, "locked", `"locked"`))
	if want := []lock.Bolt{lock.BoltThrown, lock.BoltDrawn}; !slices.Equal(said, want) {
		t.Errorf("got %v, want %v and no more", said, want)
	}
	if now, _ := w.asks(10200 * time.Millisecond); !now {
		t.Error("the lock is not asked")
	}
	hear(11*time.Second, word(10900*time.Millisecond, "locked", `"locked"`))
	if said[len(said)-1] != lock.BoltThrown {
		t.Errorf("got %v, want its word of after that believed", said)
	}
}

func TestBadSettings(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := Settings{URL: "ws://h:8123/api/websocket", TokenFile: token, Lock: "lock.a", Ask: Ask{Service: "mqtt.publish"}}
	if p, err := good.plan(); err != nil || p.Seen != "last_seen" || p.Prove != 10*time.Minute || p.token != "secret" {
		t.Fatalf("got %+v, %v", p, err)
	}
	for _, c := range []struct {
		name string
		set  func(*Settings)
		want string
	}{
		{"no url", func(s *Settings) { s.URL = "" }, "ws://127.0.0.1:8123/api/websocket"},
		{"a page", func(s *Settings) { s.URL = "http://h:8123" }, "ws://127.0.0.1:8123/api/websocket"},
		{"no token", func(s *Settings) { s.TokenFile = "" }, "long-lived access token"},
		{"an empty token", func(s *Settings) { s.TokenFile = empty }, "first line is empty"},
		{"no lock", func(s *Settings) { s.Lock = "" }, "such as lock.front"},
		{"one entity twice", func(s *Settings) { s.Contact = s.Lock }, "different entities"},
		{"nothing to ask with", func(s *Settings) { s.Ask = Ask{} }, "mqtt.publish"},
		{"asking by moving", func(s *Settings) { s.Ask.Service = "lock.unlock" }, "moves the bolt"},
		{"proving too often", func(s *Settings) { s.Prove = time.Second }, "from 10s to 24h"},
		{"a name without end", func(s *Settings) { s.Lock = strings.Repeat("x", 1000) }, "too long"},
	} {
		s := good
		c.set(&s)
		_, err := Open(t.Context(), lock.Config{Now: func() time.Duration { return 0 }, Settings: &s}, func(lock.Report) {})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want it to say %q", c.name, err, c.want)
		}
	}
}

// What the witness believes: thrown and closed only with the device's own word and a newer time of it; less safe words at once.
func TestWitness(t *testing.T) {
	wall := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	stamp := func(d time.Duration) []byte { return []byte(`"` + wall.Add(d).Format(time.RFC3339Nano) + `"`) }
	base := entity{"unlocked", attributes{"lock_state": []byte(`"unlocked"`), "last_seen": stamp(-time.Hour)}}
	with := func(state, word string, seen []byte, more ...string) entity {
		e := entity{state, attributes{"last_seen": seen}}
		if word != "" {
			e.attr["lock_state"] = []byte(`"` + word + `"`)
		}
		for _, k := range more {
			e.attr[k] = []byte("true")
		}
		return e
	}
	for _, c := range []struct {
		name string
		is   entity
		want lock.Bolt
	}{
		{"its own word, now", with("locked", "locked", stamp(0)), lock.BoltThrown},
		{"its own word, a second old", with("locked", "locked", stamp(-time.Second)), lock.BoltThrown},
		{"a state alone", with("locked", "unlocked", stamp(-time.Hour)), lock.BoltUnknown},
		{"a word without a newer time", with("locked", "locked", stamp(-time.Hour)), lock.BoltUnknown},
		{"a word of the time that was heard already", with("locked", "locked", stamp(-time.Second)), lock.BoltUnknown},
		{"a newer time without a word", with("locked", "", stamp(0)), lock.BoltUnknown},
		{"a word of half a minute ago", with("locked", "locked", stamp(-30*time.Second)), lock.BoltUnknown},
		{"a word of tomorrow", with("locked", "locked", stamp(24*time.Hour)), lock.BoltUnknown},
		{"assumed", with("locked", "locked", stamp(0), "assumed_state"), lock.BoltUnknown},
		{"restored", with("locked", "locked", stamp(-time.Hour), "restored"), lock.BoltUnknown},
		{"no time at all", with("locked", "locked", []byte(`null`)), lock.BoltUnknown},
		{"jammed, by its state alone", with("jammed", "unlocked", stamp(-time.Hour)), lock.BoltJammed},
	} {
		var got lock.Bolt
		w := newWitness(plan{Settings: Settings{Seen: "last_seen", Bolt: "lock_state", Door: "contact", Prove: time.Hour}}, slog.New(slog.DiscardHandler), func(r lock.Report) {
			if r.What == lock.OfBolt {
				got = r.Bolt
			}
		})
		w.take(item{what: connected, at: time.Hour, wall: wall.Add(-time.Minute), ids: ids{lock: "lock.a"}, is: base})
		was := base
		if strings.Contains(c.name, "heard already") {
			was = with("unlocked", "unlocked", stamp(-time.Second))
		}
		w.take(item{what: changed, id: "lock.a", at: time.Hour, wall: wall, was: was, is: c.is})
		if got != c.want {
			t.Errorf("%s: got bolt %d, want %d", c.name, got, c.want)
		}
		if w.proven != (c.want == lock.BoltThrown) {
			t.Errorf("%s: proven %v", c.name, w.proven)
		}
	}
}

// S9: a word of before the newest command is not thrown after it, and the lock is asked again.
func TestWordOfBeforeTheCommand(t *testing.T) {
	wall := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	var got []lock.Report
	w := newWitness(plan{Settings: Settings{Seen: "last_seen", Bolt: "lock_state", Prove: time.Hour}}, slog.New(slog.DiscardHandler), func(r lock.Report) { got = append(got, r) })
	at := time.Hour
	w.take(item{what: connected, at: at, wall: wall, ids: ids{lock: "lock.a"}})
	w.asks(at)
	w.take(item{what: ordered, at: at + time.Second, sent: at + time.Second})
	w.take(item{what: changed, id: "lock.a", at: at + 1500*time.Millisecond, wall: wall.Add(1500 * time.Millisecond), is: entity{"locked", attributes{"lock_state": []byte(`"locked"`), "last_seen": []byte(`"2026-01-01T12:00:00.5Z"`)}}})
	for _, r := range got {
		if r.Bolt == lock.BoltThrown {
			t.Errorf("told: %+v", r)
		}
	}
	if now, _ := w.asks(at + 1500*time.Millisecond); !now {
		t.Error("the lock is not asked again")
	}
	w.asks(at + 10*time.Second)
	last := got[len(got)-1]
	if last.What == lock.OfHealth {
		last = got[len(got)-2]
	}
	if last.What != lock.OfFailure || errors.Is(last.Err, lock.ErrOffline) {
		t.Errorf("S9: a command that nobody confirmed: got %+v, want a failure", last)
	}
}

// The contact: closed only by its own word; its state and its word come one after the other, in either order.
func TestWitnessOfTheDoor(t *testing.T) {
	wall := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	at := func(state, contact string, ms time.Duration) entity {
		return entity{state, attributes{"contact": []byte(contact), "last_seen": []byte(`"` + wall.Add(ms*time.Millisecond).Format(time.RFC3339Nano) + `"`)}}
	}
	gone := entity{state: unavailable}
	for _, c := range []struct {
		name  string
		steps []entity
		want  lock.Door
	}{
		{"closed, its state first", []entity{at("on", "false", -9), at("off", "false", -9), at("off", "true", -5)}, lock.DoorClosed},
		{"closed, its word first", []entity{at("on", "false", -9), at("on", "true", -5), at("off", "true", -5)}, lock.DoorClosed},
		{"closed, its state alone", []entity{at("on", "false", -9), at("off", "false", -9)}, lock.DoorUnknown},
		{"open, its state first", []entity{at("off", "true", -9), at("on", "true", -9), at("on", "false", -5)}, lock.DoorOpen},
		{"open, its state alone", []entity{at("off", "true", -9), at("on", "true", -9)}, lock.DoorOpen},
		{"checked in, unchanged", []entity{at("off", "true", -9), at("off", "true", -5)}, lock.DoorClosed},
		{"gone", []entity{at("off", "true", -9), at("off", "true", -5), gone}, lock.DoorUnknown},
		{"back, as it was remembered", []entity{at("off", "true", -9), gone, at("off", "true", -9)}, lock.DoorUnknown},
		{"back, as it was said before it went", []entity{at("off", "true", -9), at("off", "true", -5), gone, at("off", "true", -1)}, lock.DoorUnknown},
		{"before the connection", []entity{at("off", "true", -900), at("off", "true", -800)}, lock.DoorUnknown},
	} {
		door := lock.DoorUnknown
		w := newWitness(plan{Settings: Settings{Seen: "last_seen", Bolt: "lock_state", Door: "contact", Prove: time.Hour}}, slog.New(slog.DiscardHandler), func(r lock.Report) {
			if r.What == lock.OfDoor {
				door = r.Door
			}
		})
		w.take(item{what: connected, at: time.Hour, wall: wall.Add(-100 * time.Millisecond), ids: ids{lock: "lock.a", contact: "binary_sensor.b"}})
		for i := 1; i < len(c.steps); i++ {
			w.take(item{what: changed, id: "binary_sensor.b", at: time.Hour, wall: wall, was: c.steps[i-1], is: c.steps[i]})
		}
		if door != c.want {
			t.Errorf("%s: got door %d, want %d", c.name, door, c.want)
		}
	}
}

// T20: a charge that is none is not told.
func TestWitnessOfTheBattery(t *testing.T) {
	for state, want := range map[string]int{"87": 1, "12.5": 1, "NaN": 0, "-1": 0, "101": 0, "1e300": 0, "unknown": 0, "": 0} {
		told := 0
		w := newWitness(plan{}, slog.New(slog.DiscardHandler), func(r lock.Report) {
			if r.What == lock.OfBattery {
				told++
			}
		})
		w.take(item{what: connected, ids: ids{lock: "lock.a", battery: "sensor.c"}})
		w.take(item{what: changed, id: "sensor.c", is: entity{state: state}})
		if told != want {
			t.Errorf("%q: told %d times, want %d", state, told, want)
		}
	}
}
