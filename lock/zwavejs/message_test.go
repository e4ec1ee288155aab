package zwavejs

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
	var versions, results, events int
	for _, line := range recorded(t) {
		m, err := read(line)
		switch {
		case err != nil:
			t.Errorf("%s: %v", line, err)
		case m.version != nil:
			versions++
		case m.result != nil:
			results++
		case m.event != nil:
			events++
		}
	}
	if versions == 0 || results < 5 || events < 10 {
		t.Errorf("read %d versions, %d results, %d events", versions, results, events)
	}
}

// status:2 inside success:true is a failure, and so is everything that is not known to be none.
func TestSetResults(t *testing.T) {
	for body, bad := range map[string]bool{
		`{"result":{"status":255}}`: false, `{"result":{"status":254}}`: false,
		`{"result":{"status":1,"remainingDuration":{"value":2,"unit":"seconds"}}}`: false,
		`{"result":{"status":2}}`: true, `{"result":{"status":0}}`: true, `{"result":{"status":5,"message":"no"}}`: true, `{"result":{"status":77}}`: true,
		`{"result":{}}`: true, `{}`: true, `null`: true, `[]`: true, `{"result":{"status":"255"}}`: true,
	} {
		if err := readSet(json.RawMessage(body)); (err != nil) != bad {
			t.Errorf("%s: got %v", body, err)
		}
	}
}

// S13: thrown is only what says so and does not contradict itself.
func TestOperations(t *testing.T) {
	for body, want := range map[string]lock.Bolt{
		`{"response":{"currentMode":255,"boltStatus":"locked"}}`:   lock.BoltThrown,
		`{"response":{"currentMode":255}}`:                         lock.BoltThrown,
		`{"response":{"currentMode":255,"boltStatus":"unlocked"}}`: lock.BoltUnknown,
		`{"response":{"currentMode":0,"boltStatus":"locked"}}`:     lock.BoltDrawn,
		`{"response":{"currentMode":16}}`:                          lock.BoltDrawn,
		`{"response":{"currentMode":254}}`:                         lock.BoltUnknown,
		`{"response":{"currentMode":-1}}`:                          lock.BoltUnknown,
	} {
		if o, err := readOperation(json.RawMessage(body)); err != nil || o.bolt != want {
			t.Errorf("%s: got %d %v, want %d", body, o.bolt, err, want)
		}
	}
	for _, body := range []string{`{}`, `{"response":null}`, `{"response":{}}`, `{"response":{"currentMode":"255"}}`, `{"response":{"currentMode":255.5}}`, `null`, ``} {
		if o, err := readOperation(json.RawMessage(body)); err == nil {
			t.Errorf("%s: read as %+v", body, o)
		}
	}
}

// FuzzRead: T20: no message crashes a reader, an error means that nothing is believed, and what is passed on is short and one line.
func FuzzRead(f *testing.F) {
	for _, line := range recorded(f) {
		f.Add(line)
	}
	f.Add([]byte(`{"type":"event","event":{"source":"node","event":"notification","nodeId":2,"endpointIndex":0,"ccId":113,"args":{"type":6,"event":6,"parameters":{"userId":3}}}}`))
	f.Add([]byte(`{"type":"result","success":true,"messageId":"m","result":{"state":{"nodes":[{"nodeId":2,"name":"a","status":4,"ready":true,"values":[{"commandClass":98}]}]}}}`))
	f.Add([]byte(`{"type":"result","success":true,"messageId":"m","result":{"state":{"nodeId":4,"ready":true,"values":[{"commandClass":113,"endpoint":0,"property":"Smoke Alarm","propertyKey":"Sensor status","value":2}]}}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, err := read(payload)
		if err != nil {
			if m.version != nil || m.result != nil || m.event != nil {
				t.Fatalf("an error and yet something said: %+v", m)
			}
			return
		}
		if m.result != nil {
			if m.result.err != nil && (len(m.result.err.Error()) > maxText+4 || strings.ContainsAny(m.result.err.Error(), "\r\n")) {
				t.Fatalf("told: %q", m.result.err)
			}
			if o, err := readOperation(m.result.body); err == nil && o.bolt == lock.BoltThrown && o.mode != modeSecured {
				t.Fatalf("thrown out of %q", payload)
			}
			_ = readSet(m.result.body)
			_, _ = readFailed(m.result.body)
			if n, err := readNode(m.result.body, 4); err == nil {
				w := newWitness(Settings{Lock: "2", Smoke: "4"}, slog.New(slog.DiscardHandler), func(lock.Report) {})
				w.ids = ids{2, 0, 4}
				w.take(item{what: learned, network: n, at: time.Second})
			}
			if n, err := readNetwork(m.result.body); err == nil {
				_, _ = n.resolve(Settings{Lock: "2", Contact: "a"})
				_ = n.list()
				if all := n.devices(); len(all) > lock.MostDevices {
					t.Fatalf("%d devices", len(all))
				} else {
					for _, d := range all {
						if d.ID == "" || d.Name == "" || len(d.ID) > 256 || len(d.Name) > 256 || len(d.Make) > 256 {
							t.Fatalf("device %+v", d)
						}
					}
				}
			}
		}
		if m.event != nil {
			w := newWitness(Settings{Lock: "2", Contact: "3", Smoke: "4"}, slog.New(slog.DiscardHandler), func(r lock.Report) {
				if r.What == lock.OfBolt && r.Bolt == lock.BoltThrown {
					t.Fatalf("an event alone made the bolt thrown: %q", payload)
				}
				if r.What == lock.OfBattery && (r.Percent < 0 || r.Percent > 100) {
					t.Fatalf("battery %d out of %q", r.Percent, payload)
				}
			})
			w.ids = ids{2, 3, 4}
			w.take(item{what: said, event: m.event, at: time.Second})
		}
	})
}

// FuzzWitness: S9, S13: whatever order events, answers, losses and connections come in, thrown is told only in the step that takes an answer
// which says so, and after a loss nothing is known before an answer.
func FuzzWitness(f *testing.F) {
	f.Add([]byte{0, 7, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte{0, 1, 4, 1, 5, 3, 0, 1, 9, 1})
	f.Fuzz(func(t *testing.T, steps []byte) {
		steps = steps[:min(len(steps), 200)]
		var told []lock.Report
		w := newWitness(Settings{Lock: "2", Contact: "3", Prove: time.Minute}, slog.New(slog.DiscardHandler), func(r lock.Report) { told = append(told, r) })
		w.ids = ids{2, 3, 0}
		thrown := operation{mode: modeSecured, bolt: lock.BoltThrown}
		notice := func(code int) *event {
			return &event{name: "notification", node: 2, class: ccNotification, kind: accessControl, code: code}
		}
		var lost, contrary time.Duration
		for i, b := range steps {
			at := time.Duration(i+1) * 100 * time.Millisecond
			sent := at - time.Duration(b>>4)*50*time.Millisecond
			m := item{at: at}
			switch b & 15 {
			case 0:
				m.what, m.ids = connected, w.ids
				m.network = network{[]node{{ID: 2, Status: statusAlive, Ready: true}}}
				lost = at
			case 1, 2:
				m.what, m.answer, m.sent = answered, thrown, sent
			case 3:
				m.what, m.answer, m.sent = answered, operation{mode: modeUnsecured, bolt: lock.BoltDrawn}, sent
			case 4:
				m.what, m.event = said, notice(2)
				contrary = at
			case 5:
				m.what, m.event = said, notice(11)
				contrary = at
			case 6:
				m.what, m.event = said, &event{name: "value updated", node: 2, class: ccDoorLock, property: "currentMode", value: json.RawMessage("255")}
			case 7:
				m.what, m.err = disconnected, errNoAnswer
				lost = at
			case 8:
				m.what, m.err = unreadable, errNoAnswer
				lost = at
			case 9:
				m.what, m.err = answered, errNoAnswer
			case 10:
				w.overflow(at)
				lost = at
				continue
			default:
				w.asks(at)
				continue
			}
			told = told[:0]
			w.take(m)
			for _, r := range told {
				if r.What == lock.OfBolt && r.Bolt == lock.BoltThrown {
					if m.what != answered || m.answer.mode != modeSecured {
						t.Fatalf("step %d: %+v out of %+v", i, r, m)
					}
					if m.sent <= contrary && lost < contrary {
						t.Fatalf("step %d: thrown, by an answer to a question of before it drew", i)
					}
				}
				if r.What == lock.OfHealth && r.OK && m.what != answered {
					if m.what != said {
						t.Fatalf("step %d: well without an answer: %+v", i, m)
					}
				}
			}
		}
	})
}
