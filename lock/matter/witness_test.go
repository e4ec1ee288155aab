package matter

import (
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"eyebolt/lock"
)

const ms = time.Millisecond

// listener is a witness of a contact and a lock with a door sense, and a hub that goes by what it says of the door.
type listener struct {
	*witness
	told []lock.Report // of the door, of the last item
	door lock.Door     // what the hub believes: what was made before the newest says nothing (interlock)
	made time.Duration
}

func newListener(s Settings, at ids) *listener {
	l := &listener{}
	l.witness = newWitness(s, slog.New(slog.DiscardHandler), func(r lock.Report) {
		if r.What != lock.OfDoor {
			return
		}
		l.told = append(l.told, r)
		if made := r.At - r.Age; made >= l.made {
			l.door, l.made = r.Door, made
		}
	})
	l.hear(item{what: connected, ids: at, reach: true, at: 1000 * ms})
	return l
}

func (l *listener) hear(m item) []lock.Report {
	l.told = nil
	l.take(m)
	return l.told
}

// Values of a contact and of a lock's sense.
var (
	contactIs = map[lock.Door]string{lock.DoorClosed: "true", lock.DoorOpen: "false", lock.DoorUnknown: "null"}
	senseIs   = map[lock.Door]string{lock.DoorClosed: "1", lock.DoorOpen: "0", lock.DoorUnknown: "null"}
)

func (l *listener) contactSays(at time.Duration, d lock.Door) item {
	return item{what: said, at: at, event: &event{about: attribute, node: l.ids.contact.node, path: l.ids.contactPath(), value: json.RawMessage(contactIs[d])}}
}

func (l *listener) senseSays(at time.Duration, d lock.Door) item {
	return item{what: said, at: at, event: &event{about: attribute, node: l.ids.lock.node, path: l.ids.lockPath(attrDoorState), value: json.RawMessage(senseIs[d])}}
}

// lockAnswers is an answer of the lock, with the contact's word where that is of the same node.
func (l *listener) lockAnswers(sent, at time.Duration, sense, contact lock.Door) item {
	return item{what: answered, of: readLock, sent: sent, at: at, answer: answer{
		l.ids.lockPath(attrLockState).String(): json.RawMessage("1"),
		l.ids.lockPath(attrDoorState).String(): json.RawMessage(senseIs[sense]),
		l.ids.contactPath().String():           json.RawMessage(contactIs[contact]),
	}}
}

func (l *listener) contactAnswers(sent, at time.Duration, d lock.Door) item {
	return item{what: answered, of: readContact, sent: sent, at: at, answer: answer{l.ids.contactPath().String(): json.RawMessage(contactIs[d])}}
}

var (
	senses = Settings{Lock: "1", Contact: "2", DoorSense: true, Prove: time.Minute}
	beside = ids{lock: place{1, 1}, contact: place{1, 2}}
)

// S9, S11, S13, T27: the lock's answer to a question that left before the contact spoke. Open is told as no older than the contact's word, or
// the hub would drop it and never hear it again; closed is told by the next answer; the lock is asked again either way.
func TestDoorAnswerCrossesTheContact(t *testing.T) {
	for _, c := range []struct {
		name    string
		before  lock.Door // the lock's sense
		answer  lock.Door
		between lock.Door // what the hub goes by before the next answer
	}{
		{"the contact closes, the lock's sense is open", lock.DoorClosed, lock.DoorOpen, lock.DoorOpen},
		{"the contact closes, the lock's sense does not know", lock.DoorClosed, lock.DoorUnknown, lock.DoorUnknown},
		{"the contact closes, and so does the lock's sense", lock.DoorOpen, lock.DoorClosed, lock.DoorOpen},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newListener(senses, home)
			l.hear(l.contactSays(2000*ms, lock.DoorOpen))
			l.hear(l.lockAnswers(3000*ms, 3100*ms, c.before, lock.DoorUnknown))
			l.asks(readLock, 9900*ms)
			l.hear(l.contactSays(10_000*ms, lock.DoorClosed))
			for _, r := range l.hear(l.lockAnswers(9900*ms, 10_400*ms, c.answer, lock.DoorUnknown)) {
				if r.At-r.Age < 10_000*ms || r.Door == lock.DoorClosed {
					t.Errorf("told %+v, made %v before it came", r, r.Age)
				}
			}
			if l.door != c.between {
				t.Errorf("the hub believes %d, want %d", l.door, c.between)
			}
			if now, _ := l.asks(readLock, 10_400*ms); !now {
				t.Error("the lock is not asked again")
			}
			l.hear(l.lockAnswers(10_400*ms, 10_800*ms, c.answer, lock.DoorUnknown))
			if l.door != c.answer {
				t.Errorf("after the next answer the hub believes %d, want %d", l.door, c.answer)
			}
			if now, _ := l.asks(readLock, 10_900*ms); now {
				t.Error("asked for no reason")
			}
		})
	}
}

// S13, T27: "closed" in answer to a question that left before the same sense said by itself that the door is open does not stand in for the
// newer word: not when the other sense closes, either.
func TestDoorAnswerCrossesItsOwnSense(t *testing.T) {
	for name, c := range map[string]struct {
		at     ids
		answer func(l *listener, sent, at time.Duration) item
		open   func(l *listener, at time.Duration) item
		other  func(l *listener, at time.Duration) item
		asked  kind
	}{
		"contact": {
			home,
			func(l *listener, sent, at time.Duration) item { return l.contactAnswers(sent, at, lock.DoorClosed) },
			func(l *listener, at time.Duration) item { return l.contactSays(at, lock.DoorOpen) },
			func(l *listener, at time.Duration) item { return l.senseSays(at, lock.DoorClosed) }, readContact,
		},
		"contact beside": {
			beside,
			func(l *listener, sent, at time.Duration) item {
				return l.lockAnswers(sent, at, lock.DoorClosed, lock.DoorClosed)
			},
			func(l *listener, at time.Duration) item { return l.contactSays(at, lock.DoorOpen) },
			func(l *listener, at time.Duration) item { return l.senseSays(at, lock.DoorClosed) }, readLock,
		},
		"lock": {
			home,
			func(l *listener, sent, at time.Duration) item {
				return l.lockAnswers(sent, at, lock.DoorClosed, lock.DoorUnknown)
			},
			func(l *listener, at time.Duration) item { return l.senseSays(at, lock.DoorOpen) },
			func(l *listener, at time.Duration) item { return l.contactSays(at, lock.DoorClosed) }, readLock,
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newListener(senses, c.at)
			l.hear(c.other(l, 2000*ms))
			l.hear(c.answer(l, 3000*ms, 3100*ms))
			if l.door != lock.DoorClosed {
				t.Fatalf("the hub believes %d, want closed", l.door)
			}
			l.asks(c.asked, 9900*ms)
			l.hear(c.open(l, 10_000*ms))
			l.hear(c.answer(l, 9900*ms, 10_400*ms))
			l.hear(c.other(l, 10_450*ms))
			if l.door != lock.DoorOpen {
				t.Errorf("the hub believes %d, want open", l.door)
			}
			if now, _ := l.asks(c.asked, 10_500*ms); !now {
				t.Error("it is not asked again")
			}
			l.hear(c.answer(l, 10_500*ms, 10_600*ms))
			if l.door != lock.DoorClosed {
				t.Errorf("after the next answer the hub believes %d, want closed", l.door)
			}
		})
	}
}

// S13, T27: however words and answers cross, the hub ends by believing what both senses say, once those who are to be asked have answered.
func TestDoorSettles(t *testing.T) {
	for seed := range uint64(3000) {
		at := home
		if seed%3 == 0 {
			at = beside
		}
		r := rand.New(rand.NewPCG(seed, 1))
		pick := func() lock.Door { return []lock.Door{lock.DoorClosed, lock.DoorOpen}[r.IntN(2)] }
		l := newListener(senses, at)
		now := 2000 * ms
		contact, sense := pick(), pick()
		type question struct {
			k              kind
			sent           time.Duration
			contact, sense lock.Door // the answer
		}
		var under []question
		ask := func(k kind) { under = append(under, question{k, now, contact, sense}) }
		settle := func(i int) {
			q := under[i]
			under = append(under[:i], under[i+1:]...)
			if q.k == readContact {
				l.hear(l.contactAnswers(q.sent, now, q.contact))
			} else {
				l.hear(l.lockAnswers(q.sent, now, q.sense, q.contact))
			}
		}
		busy := func(k kind) bool {
			for _, q := range under {
				if q.k == k {
					return true
				}
			}
			return false
		}
		wanted := func() {
			for _, k := range []kind{readLock, readContact} {
				if !busy(k) {
					if due, _ := l.asks(k, now); due {
						ask(k)
					}
				}
			}
		}
		for range 20 {
			now += time.Duration(r.IntN(200)) * ms
			switch r.IntN(7) {
			case 0:
				contact = pick()
				l.hear(l.contactSays(now, contact))
			case 1:
				sense = pick()
				l.hear(l.senseSays(now, sense))
			case 2: // a Poll of the hub
				if !busy(readLock) {
					ask(readLock)
				}
			case 3:
				wanted()
			case 4:
				if r.IntN(4) == 0 { // a word is lost, which says nothing
					l.hear(item{what: unreadable, at: now})
				}
			default:
				if len(under) > 0 {
					i := r.IntN(len(under))
					if r.IntN(2) == 0 { // what was so when it answered, not when it was asked
						under[i].contact, under[i].sense = contact, sense
					}
					settle(i)
				}
			}
		}
		for range 20 { // nothing moves any more
			now += 150 * ms
			for len(under) > 0 {
				settle(0)
			}
			now += 150 * ms
			wanted()
		}
		want := lock.DoorOpen
		if contact == lock.DoorClosed && sense == lock.DoorClosed {
			want = lock.DoorClosed
		}
		if l.door != want {
			t.Fatalf("seed %d: contact %d, sense %d: the hub believes %d", seed, contact, sense, l.door)
		}
		if len(under) > 0 {
			t.Fatalf("seed %d: the devices are asked without end", seed)
		}
	}
}

// S11: smoke that begins or ends while the server is away, or is lost in a flood, is learned: the alarm itself is asked after each.
func TestSmokeIsAskedAnew(t *testing.T) {
	var told []bool
	at := ids{lock: place{1, 1}, smoke: place{4, 1}}
	w := newWitness(Settings{Lock: "1", Smoke: "4", Prove: time.Hour}, slog.New(slog.DiscardHandler), func(r lock.Report) {
		if r.What == lock.OfSmoke {
			told = append(told, r.OK)
		}
	})
	now := time.Duration(0)
	for _, lose := range []func(){
		func() { w.take(item{what: connected, ids: at, reach: true, at: now}) },
		func() {
			w.take(item{what: disconnected, at: now})
			w.take(item{what: connected, ids: at, reach: true, at: now})
		},
		func() { w.overflow(now) },
		func() { w.take(item{what: unreadable, at: now}) },
	} {
		for value, ok := range map[string]bool{"2": false, "0": true} {
			told, now = nil, now+time.Second
			lose()
			if due, _ := w.asks(readSmoke, now); !due {
				t.Fatal("the alarm is not asked")
			}
			w.take(item{what: answered, of: readSmoke, sent: now, at: now + ms, answer: answer{at.smokePath(attrSmokeState).String(): json.RawMessage(value), at.smokePath(attrCOState).String(): json.RawMessage("0")}})
			if len(told) != 1 || told[0] != ok {
				t.Errorf("value %s: told %v, want %v", value, told, ok)
			}
		}
	}
}

// S12, S13: an answer to a question of before a word was lost. Open is told as no older than "unknown", which it contradicts.
func TestDoorAnswerCrossesALoss(t *testing.T) {
	l := newListener(senses, home)
	l.hear(l.contactSays(2000*ms, lock.DoorClosed))
	l.hear(l.lockAnswers(3000*ms, 3100*ms, lock.DoorClosed, lock.DoorUnknown))
	l.hear(item{what: unreadable, at: 5000 * ms})
	if l.door != lock.DoorUnknown {
		t.Fatalf("the hub believes %d, want unknown", l.door)
	}
	l.hear(l.lockAnswers(4900*ms, 5200*ms, lock.DoorOpen, lock.DoorUnknown))
	if l.door != lock.DoorOpen {
		t.Errorf("the hub believes %d, want open", l.door)
	}
}
