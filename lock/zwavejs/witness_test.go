package zwavejs

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"eyebolt/lock"
)

// listener is a witness whose words are kept.
type listener struct {
	*witness
	t    *testing.T
	told []lock.Report
}

func newListener(t *testing.T, s Settings) *listener {
	l := &listener{t: t}
	l.witness = newWitness(s, slog.New(slog.DiscardHandler), func(r lock.Report) { l.told = append(l.told, r) })
	return l
}

// hear gives what the witness says of one item.
func (l *listener) hear(m item) []lock.Report {
	l.told = nil
	l.take(m)
	return l.told
}

// connect gives what it says of a connection to a server that has these values of the smoke sensor, node 4.
func (l *listener) connect(at time.Duration, values string) []lock.Report {
	l.t.Helper()
	n, err := readNetwork(json.RawMessage(`{"state":{"nodes":[{"nodeId":2,"status":4,"ready":true,"values":[{"commandClass":98}]},
		{"nodeId":3,"ready":true},{"nodeId":4,"ready":true,"values":[` + values + `]}]}}`))
	if err != nil {
		l.t.Fatal(err)
	}
	found, err := n.resolve(l.set)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.hear(item{what: connected, at: at, network: n, ids: found})
}

// learn gives what it says of the server's answer to a question about the smoke sensor.
func (l *listener) learn(sent, at time.Duration, values string) []lock.Report {
	l.t.Helper()
	n, err := readNode(json.RawMessage(`{"state":{"nodeId":4,"ready":true,"values":[`+values+`]}}`), 4)
	return l.hear(item{what: learned, sent: sent, at: at, network: n, err: err})
}

// sensor is one value of the smoke sensor, as the server lists it.
func sensor(property, value string) string {
	return fmt.Sprintf(`{"commandClass":113,"endpoint":0,"property":%q,"propertyKey":"Sensor status","value":%s}`, property, value)
}

func both(smoke, co string) string {
	return sensor("Smoke Alarm", smoke) + "," + sensor("CO Alarm", co)
}

func smokeEvent(at time.Duration, property, value string) item {
	return item{what: said, at: at, event: &event{name: "value updated", node: 4, class: ccNotification, property: property, key: "Sensor status", value: json.RawMessage(value)}}
}

// smokeTold is what reports say of smoke: "fire", "over" for each, in order.
func smokeTold(all []lock.Report) (s string) {
	for _, r := range all {
		if r.What == lock.OfSmoke {
			s += map[bool]string{false: "fire ", true: "over "}[r.OK]
		}
	}
	return s
}

func (l *listener) want(what string, got []lock.Report, want string) {
	l.t.Helper()
	if told := smokeTold(got); told != want {
		l.t.Errorf("%s: told %q, want %q", what, told, want)
	}
}

var withSmoke = Settings{Lock: "2", Contact: "3", Smoke: "4", Prove: time.Minute}

// S11: smoke that begins or ends while the server is away is learned from what the server lists on the next connection.
func TestSmokeWhileAway(t *testing.T) {
	s := time.Second
	l := newListener(t, withSmoke)
	l.want("a quiet sensor", l.connect(1*s, both("0", "0")), "over ")
	l.want("cut", l.hear(item{what: disconnected, at: 2 * s, err: errors.New("gone")}), "")
	l.want("a fire that began meanwhile", l.connect(3*s, both("2", "0")), "fire ")
	l.want("cut in a fire", l.hear(item{what: disconnected, at: 4 * s, err: errors.New("gone")}), "")
	l.want("a fire that goes on", l.connect(5*s, both("2", "0")), "fire ")
	l.hear(item{what: disconnected, at: 6 * s, err: errors.New("gone")})
	l.want("a fire that ended meanwhile", l.connect(7*s, both("0", "0")), "over ")
	l.want("smoke is told", l.hear(smokeEvent(8*s, "Smoke Alarm", "2")), "fire ")
	l.hear(item{what: disconnected, at: 9 * s, err: errors.New("gone")})
	l.want("what was told has ended", l.connect(10*s, both("0", "0")), "over ")
	l.want("CO at the hub's start", newListener(t, withSmoke).connect(1*s, both("0", "2")), "fire ")
}

// S13: what the server does not know takes no alarm back, nor does a list without the sensor's values, nor another value.
func TestUnknownSmokeTakesNothingBack(t *testing.T) {
	s := time.Second
	for name, values := range map[string]string{
		"no values":       ``,
		"unknown":         both("null", "null"),
		"no value":        `{"commandClass":113,"endpoint":0,"property":"Smoke Alarm","propertyKey":"Sensor status"}`,
		"no number":       both(`"idle"`, `{}`),
		"the alarm's own": `{"commandClass":113,"endpoint":0,"property":"Smoke Alarm","propertyKey":"Alarm status","value":0}`,
	} {
		l := newListener(t, withSmoke)
		if got := smokeTold(l.connect(1*s, values)); got != "" {
			t.Errorf("%s, at the hub's start: told %q of what is not known", name, got)
		}
		l.hear(smokeEvent(2*s, "Smoke Alarm", "2"))
		l.hear(item{what: disconnected, at: 3 * s, err: errors.New("gone")})
		if got := smokeTold(l.connect(4*s, values)); got == "over " {
			t.Errorf("%s: took the alarm back", name)
		}
		l.want(name+": CO alone is over", l.hear(smokeEvent(5*s, "CO Alarm", "0")), "fire ")
	}
	l := newListener(t, withSmoke)
	l.want("smoke is over, CO is not known, at the hub's start", l.connect(1*s, both("0", "null")), "")
	l.hear(smokeEvent(2*s, "Smoke Alarm", "2"))
	l.hear(item{what: disconnected, at: 3 * s, err: errors.New("gone")})
	l.want("the smoke that was told is over", l.connect(4*s, both("0", "null")), "over ")
}

// S11, T20: after a flood, or a word that cannot be read, the server is asked for what was lost: an alarm, or that it is over.
func TestSmokeLostInAFlood(t *testing.T) {
	s := time.Second
	for name, lose := range map[string]func(l *listener, at time.Duration){
		"flood":      func(l *listener, at time.Duration) { l.overflow(at) },
		"unreadable": func(l *listener, at time.Duration) { l.hear(item{what: unreadable, at: at, err: errNoKind}) },
		"interview": func(l *listener, at time.Duration) {
			l.hear(item{what: said, at: at, event: &event{name: "ready", node: 4}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newListener(t, withSmoke)
			l.connect(1*s, both("0", "0"))
			if now, _ := l.learns(2 * s); now {
				t.Error("asked for no reason")
			}
			lose(l, 2*s)
			if now, _ := l.learns(2 * s); !now {
				t.Fatal("the server is not asked")
			}
			l.want("a fire", l.learn(2*s, 3*s, both("2", "0")), "fire ")
			lose(l, 4*s)
			lose(l, 4*s+1)
			if now, _ := l.learns(4*s + 1); !now {
				t.Fatal("the server is not asked again")
			}
			l.want("it is over", l.learn(4*s+1, 5*s, both("0", "0")), "over ")
			if now, _ := l.learns(6 * s); now {
				t.Error("asked for what it knows")
			}
			lose(l, 7*s)
			l.want("no answer", l.hear(item{what: learned, sent: 7 * s, at: 8 * s, err: errSilent}), "")
			if now, _ := l.learns(9 * s); !now {
				t.Error("not asked again after no answer")
			}
		})
	}
	none := newListener(t, Settings{Lock: "2", Contact: "3", Prove: time.Minute})
	none.connect(1*s, "")
	none.overflow(2 * s)
	if now, _ := none.learns(2 * s); now {
		t.Error("asked for a sensor that is not there")
	}
}

// S11, S13: the server's "over" that crossed the sensor's own alarm does not take it back: nobody can say which was first.
func TestSmokeCrossing(t *testing.T) {
	s := time.Second
	l := newListener(t, withSmoke)
	l.connect(1*s, both("0", "0"))
	l.overflow(2 * s)
	l.learns(2 * s)
	l.hear(smokeEvent(3*s, "CO Alarm", "2"))
	l.want("crossed", l.learn(2*s, 4*s, both("0", "0")), "fire ")
	if now, _ := l.learns(4 * s); !now {
		t.Fatal("the server is not asked again")
	}
	l.want("asked again", l.learn(4*s, 5*s, both("0", "0")), "over ")
}

// doorTold are the reports of the door.
func doorTold(all []lock.Report) (told []lock.Report) {
	for _, r := range all {
		if r.What == lock.OfDoor {
			told = append(told, r)
		}
	}
	return told
}

// believes is what a hub makes of all reports so far: one that was made before the newest says nothing (interlock).
func believes(all []lock.Report) (door lock.Door, made time.Duration) {
	for _, r := range doorTold(all) {
		if r.At-r.Age >= made {
			door, made = r.Door, r.At-r.Age
		}
	}
	return door, made
}

func contactEvent(at time.Duration, code int) item {
	return item{what: said, at: at, event: &event{name: "value updated", node: 3, class: ccNotification, property: "Access Control", key: "Door state", value: json.RawMessage(fmt.Sprint(code))}}
}

func doorAnswer(sent, at time.Duration, door lock.Door) item {
	return item{what: answered, sent: sent, at: at, answer: operation{mode: modeSecured, bolt: lock.BoltThrown, door: door}}
}

// S9, S11, S13, T27: the lock's answer to a question that left before the contact spoke. Open is told as no older than the contact's word, or
// the hub would drop it and never hear it again; closed is told by the next answer; the lock is asked again either way.
func TestDoorAnswerCrossesTheContact(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		name    string
		contact int
		before  lock.Door
		answer  lock.Door
		told    bool
		between lock.Door // what the hub goes by before the next answer
	}{
		{"the contact closes, the lock's sense is open", windowClosed, lock.DoorClosed, lock.DoorOpen, true, lock.DoorOpen},
		{"the contact closes, the lock's sense does not know", windowClosed, lock.DoorClosed, lock.DoorUnknown, true, lock.DoorUnknown},
		{"the contact closes, and so does the lock's sense", windowClosed, lock.DoorOpen, lock.DoorClosed, false, lock.DoorOpen},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := withSmoke
			s.DoorSense = true
			l := newListener(t, s)
			l.connect(1000*ms, "")
			all := l.hear(contactEvent(2000*ms, windowOpen))
			all = append(all, l.hear(doorAnswer(3000*ms, 3100*ms, c.before))...)
			l.asks(9900 * ms)
			all = append(all, l.hear(contactEvent(10_000*ms, c.contact))...)
			told := l.hear(doorAnswer(9900*ms, 10_400*ms, c.answer))
			all = append(all, told...)
			if got := doorTold(told); (len(got) > 0) != c.told {
				t.Errorf("told %+v", got)
			}
			for _, r := range doorTold(told) {
				if r.At-r.Age < 10_000*ms || r.Door == lock.DoorClosed {
					t.Errorf("told %+v, made %v before it came", r, r.Age)
				}
			}
			if got, _ := believes(all); got != c.between {
				t.Errorf("the hub believes %d, want %d", got, c.between)
			}
			if now, _ := l.asks(10_400 * ms); !now {
				t.Error("the lock is not asked again")
			}
			all = append(all, l.hear(doorAnswer(10_400*ms, 10_800*ms, c.answer))...)
			if got, _ := believes(all); got != c.answer {
				t.Errorf("after the next answer the hub believes %d, want %d", got, c.answer)
			}
			if now, _ := l.asks(10_800 * ms); now {
				t.Error("asked for no reason")
			}
		})
	}
}

// S12, S13: an answer to a question of before a word was lost. Open is told as no older than "unknown", which it contradicts.
func TestDoorAnswerCrossesALoss(t *testing.T) {
	ms := time.Millisecond
	l := newListener(t, Settings{Lock: "2", Contact: "3", DoorSense: true, Prove: time.Minute})
	l.connect(1000*ms, "")
	all := l.hear(contactEvent(2000*ms, windowClosed))
	all = append(all, l.hear(doorAnswer(3000*ms, 3100*ms, lock.DoorClosed))...)
	if got, _ := believes(all); got != lock.DoorClosed {
		t.Fatalf("the hub believes %d, want closed", got)
	}
	all = append(all, l.hear(item{what: unreadable, at: 5000 * ms, err: errNoKind})...)
	all = append(all, l.hear(doorAnswer(4900*ms, 5200*ms, lock.DoorOpen))...)
	all = append(all, l.hear(doorAnswer(5300*ms, 5400*ms, lock.DoorOpen))...)
	if got, _ := believes(all); got != lock.DoorOpen {
		t.Errorf("the hub believes %d, want open", got)
	}
}
