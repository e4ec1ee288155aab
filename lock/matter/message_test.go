package matter

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"eyebolt/lock"
)

// recorded are messages of the real server, one a line.
func recorded(t testing.TB) [][]byte {
	t.Helper()
	b, err := os.ReadFile("testdata/recorded.txt")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(b), []byte("\n"))
}

// Every message that was recorded is read.
func TestRecorded(t *testing.T) {
	var greetings, results, events int
	for _, line := range recorded(t) {
		m, err := read(line)
		switch {
		case err != nil:
			t.Errorf("%s: %v", line, err)
		case m.hello != nil:
			greetings++
		case m.result != nil:
			results++
		case m.event != nil:
			events++
		}
	}
	if greetings != 1 || results != 9 || events != 4 {
		t.Errorf("read %d greetings, %d results, %d events", greetings, results, events)
	}
}

// A node's number has 64 bits, more than a float64 tells apart.
func TestLargeNumbers(t *testing.T) {
	m, err := read([]byte(`{"event":"attribute_updated","data":[18446744073709551615,"65535/4294967295/4294967295",2]}`))
	if err != nil || m.event.node != 18446744073709551615 || m.event.path != (path{65535, 4294967295, 4294967295}) {
		t.Errorf("got %+v %v", m.event, err)
	}
	for _, line := range []string{
		`{"event":"attribute_updated","data":[18446744073709551616,"1/257/0",2]}`,
		`{"event":"attribute_updated","data":[-1,"1/257/0",2]}`,
		`{"event":"attribute_updated","data":[null,"1/257/0",2]}`,
		`{"event":"attribute_updated","data":[1,"65536/257/0",2]}`,
		`{"event":"attribute_updated","data":[1,"1/257",2]}`,
		`{"event":"attribute_updated","data":[1,"1/257/0"]}`,
	} {
		if m, err := read([]byte(line)); err == nil {
			t.Errorf("%s: read as %+v", line, m.event)
		}
	}
}

// S13: thrown is only what says so; what is no state is none, not even an unknown one.
func TestLockStates(t *testing.T) {
	for value, want := range map[string]struct {
		bolt lock.Bolt
		ok   bool
	}{
		`1`: {lock.BoltThrown, true}, `2`: {lock.BoltDrawn, true}, `3`: {lock.BoltDrawn, true}, `0`: {lock.BoltUnknown, true}, `null`: {lock.BoltUnknown, true},
		`4`: {lock.BoltUnknown, true}, `257`: {lock.BoltUnknown, true}, `1.0`: {}, `1.5`: {}, `-1`: {}, `"1"`: {}, `true`: {}, `4294967297`: {}, ``: {}, `{}`: {},
	} {
		if b, ok := bolt(json.RawMessage(value)); b != want.bolt || ok != want.ok {
			t.Errorf("%s: got %d %v, want %d %v", value, b, ok, want.bolt, want.ok)
		}
	}
	asked := []path{{1, clusterLock, attrLockState}}
	for _, body := range []string{`{}`, `null`, `[]`, `{"1/257/3":1}`, `{"1/257/0":"` + strings.Repeat("x", 100) + `"}`, ``} {
		if a, err := readAnswer(json.RawMessage(body), asked); err == nil {
			t.Errorf("%s: read as %v", body, a)
		}
	}
}

var home = ids{lock: place{1, 1}, contact: place{2, 1}, smoke: place{1, 3}, battery: path{1, clusterPower, attrBatteryPercent}}

// FuzzRead: T20: no message crashes a reader, an error means that nothing is believed, what is passed on is short and one line, and no
// event makes a bolt thrown.
func FuzzRead(f *testing.F) {
	for _, line := range recorded(f) {
		f.Add(line)
	}
	f.Add([]byte(`{"event":"node_event","data":{"node_id":2,"endpoint_id":1,"cluster_id":69,"event_id":0,"data":{"stateValue":false}}}`))
	f.Add([]byte(`{"event":"node_event","data":{"node_id":1,"endpoint_id":1,"cluster_id":257,"event_id":0,"data":{"alarmCode":0}}}`))
	f.Add([]byte(`{"message_id":"1","result":[{"node_id":1,"available":true,"attributes":{"0/40/5":"a","1/257/0":1,"2/69/0":true,"2/29/0":[{"0":21,"1":1}],"3/92/1":0,"1/47/12":7}}]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, err := read(payload)
		if err != nil {
			if m.hello != nil || m.result != nil || m.event != nil {
				t.Fatalf("an error and yet something said: %+v", m)
			}
			return
		}
		if m.result != nil {
			if m.result.err != nil && (len(m.result.err.Error()) > 210 || strings.ContainsAny(m.result.err.Error(), "\r\n")) {
				t.Fatalf("told: %q", m.result.err)
			}
			asked := home.paths(readLock, true)
			if a, err := readAnswer(m.result.body, asked); err == nil && (a[asked[0].String()] == nil || len(a) > len(asked)) {
				t.Fatalf("answers %v", a)
			}
			if n, err := readNetwork(m.result.body); err == nil {
				_, _ = n.resolve(plan{Settings: Settings{Lock: "1", Contact: "a", Smoke: "1/3"}})
				for _, d := range n.devices() {
					if len(d.Name) > maxDeviceText || len(d.Make) > maxDeviceText {
						t.Fatalf("a device of long words: %+v", d)
					}
				}
			}
		}
		if m.event == nil || !home.interest(m.event) {
			return
		}
		w := newWitness(Settings{Lock: "1", Contact: "2", DoorSense: true}, slog.New(slog.DiscardHandler), func(r lock.Report) {
			if r.What == lock.OfBolt && r.Bolt == lock.BoltThrown {
				t.Fatalf("an event alone made the bolt thrown: %q", payload)
			}
			if r.What == lock.OfBattery && (r.Percent < 0 || r.Percent > 100) {
				t.Fatalf("battery %d out of %q", r.Percent, payload)
			}
		})
		w.ids = home
		w.take(item{what: said, event: m.event, at: time.Second})
	})
}

// FuzzWitness: S9, S12, S13: whatever order events, answers, losses and connections come in, thrown is told only in the step that takes
// an answer which says so, to a question of after the lock last said otherwise; it is well only by an answer, and not while an order is
// loose.
func FuzzWitness(f *testing.F) {
	f.Add([]byte{0, 7, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte{0, 1, 4, 1, 5, 3, 0, 1, 11, 1, 15, 15, 1})
	f.Fuzz(func(t *testing.T, steps []byte) {
		steps = steps[:min(len(steps), 300)]
		var told []lock.Report
		w := newWitness(Settings{Lock: "1", Contact: "2", Prove: time.Minute}, slog.New(slog.DiscardHandler), func(r lock.Report) { told = append(told, r) })
		w.ids = home
		at := home.lockPath(attrLockState)
		state := func(v string) answer { return answer{at.String(): json.RawMessage(v)} }
		deed := func(code uint32, d deedData) *event {
			return &event{about: occurred, node: 1, path: path{endpoint: 1, cluster: clusterLock}, code: code, data: d}
		}
		var lost, contrary, loose time.Duration
		contrary, loose = -1, -1
		back := time.Duration(-1) // the first answer to a question of after the loose order
		for i, b := range steps {
			now := time.Duration(i+1) * 500 * time.Millisecond
			sent := now - time.Duration(b>>4)*200*time.Millisecond
			m := item{at: now}
			switch b & 15 {
			case 0:
				m.what, m.ids, m.reach = connected, home, true
				lost = now
			case 1, 2:
				m.what, m.answer, m.sent = answered, state("1"), sent
			case 3:
				m.what, m.answer, m.sent = answered, state("2"), sent
			case 4:
				m.what, m.event = said, deed(eventOperation, deedData{Operation: opUnlock})
				contrary = now
			case 5:
				m.what, m.event = said, deed(eventAlarm, deedData{Alarm: alarmJammed})
				contrary = now
			case 6:
				m.what, m.event = said, &event{about: attribute, node: 1, path: at, value: json.RawMessage("1")}
			case 7:
				m.what, m.err = disconnected, errNoAnswer
				lost = now
			case 8:
				m.what, m.err = unreadable, errNoAnswer
				lost = now
			case 9:
				m.what, m.err, m.sent = answered, errNoAnswer, sent
			case 10:
				w.overflow(now)
				lost = now
				continue
			case 11:
				m.what, m.err, m.deadline, m.loose = carried, errSilent, now, true
				loose, back = now, -1
			case 12:
				m.what, m.event = said, &event{about: attribute, node: 1, path: at, value: json.RawMessage("0")}
				contrary = now
			case 13:
				m.what, m.answer, m.sent = answered, state("null"), sent
			case 14:
				m.what, m.event = said, &event{about: updated, node: 1, available: b>>4&1 == 1}
			default:
				w.asks(readLock, now)
				told = told[:0]
				w.tick(now)
			}
			if b&15 != 15 {
				told = told[:0]
				w.take(m)
			}
			if m.what == answered && m.err == nil && m.answer != nil && loose >= 0 && back < 0 && sent > loose {
				back = now
			}
			for _, r := range told {
				switch {
				case r.What == lock.OfBolt && r.Bolt == lock.BoltThrown:
					if m.what != answered || string(m.answer[at.String()]) != "1" {
						t.Fatalf("S9: step %d: %+v out of %+v", i, r, m)
					}
					if sent <= contrary {
						t.Fatalf("S9: step %d: thrown, by an answer to a question of before it said otherwise (lost %v)", i, lost)
					}
				case r.What == lock.OfHealth && r.OK && loose >= 0 && (back < 0 || now-back < lingerLimit):
					t.Fatalf("S12: step %d: well at %v, while an order of %v is loose (lock back %v)", i, now, loose, back)
				}
			}
		}
	})
}
