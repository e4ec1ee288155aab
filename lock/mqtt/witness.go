package mqtt

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"eyebolt/lock"
)

// Spans of the witness.
const (
	// pollLife is how long a Poll may be answered: Zigbee2MQTT gives a read ten seconds.
	pollLife = 12 * time.Second
	// echoLife is how long an acknowledgement may follow a command: as long as the bridge tries.
	echoLife = 12 * time.Second
	// deedLife is how long an operation event explains a movement: event and state come within a second of each other,
	// in either order.
	deedLife = 5 * time.Second
	// maxEchoes bounds the commands whose acknowledgement is awaited: a hub sends one Lock in three seconds.
	maxEchoes = 16
	// clockSlack is how far the bridge's clock may be ahead before the log says so.
	clockSlack = 2 * time.Second
)

// message is one MQTT message, or a change of the connection, as the witness takes it.
type message struct {
	about    about
	payload  []byte
	retained bool
	topic    string        // of a plain convention
	bolt     lock.Bolt     // about plainOrdered: where it was ordered to
	err      error         // about connectionDown: why
	at       time.Duration // Config.Now on arrival
	wall     time.Time     // wall clock on arrival
}

// newInbox keeps, in a flood, what tells of the connection and of our own orders; then orders that are retained, whether bridge or lock
// are there, and how the bridge describes itself. Each of these anybody may flood who may write to its topic.
func newInbox() *lock.Inbox[message] {
	return lock.NewInbox(
		func(m message) bool {
			return m.about == connectionUp || m.about == connectionDown || m.about == plainAsked || m.about == plainOrdered
		},
		func(m message) bool { return m.retained && (m.about == lockSet || m.about == plainOrder) },
		func(m message) bool { return m.about == bridgeState || m.about == plainOnline },
		func(m message) bool { return m.about == bridgeInfoSays || m.about == bridgeDevices },
	)
}

type about uint8

const (
	connectionUp about = iota
	connectionDown
	bridgeState
	bridgeInfoSays
	bridgeDevices
	plainOnline  // whether a lock of a plain convention is there
	plainAsked   // we asked such a lock where its bolt is
	plainOrdered // we gave it an order
	plainOrder   // an order on its way to such a lock, ours or somebody's
	bridgeLog
	bridgeAnswers // to a question whether it lives
	lockState
	lockAvailable
	lockSet // a command on its way to the lock, ours or somebody's
	lockGet
	contactState
	smokeState
	plainSays // anything else of a plain convention
)

// witness turns what was heard into what may be believed. It has no clock and no I/O; one goroutine owns it.
type witness struct {
	set Settings
	say func(lock.Report)

	// The witness would like a fresh state. It asks until it has one, since a bridge that has just said "online" may not
	// listen yet, and a lock may be out of reach.
	asker lock.Asker

	// Health.
	connected bool
	downErr   error
	bridge    tri
	available tri
	missing   error // the bridge's list does not have one of our devices
	readErr   error // the lock did not answer a Poll, as the bridge says
	left      bool  // an order is retained on its topic
	healthy   string

	// Evidence. Everything here is void when the connection or the bridge was gone.
	habits   habits
	lockLast heard
	before   time.Time // last_seen of what was newest when everything was forgotten last
	doorLast heard     // the contact
	polling  time.Duration
	polled   bool
	echoes   []time.Duration
	bolt     lock.Bolt
	boltAt   time.Duration // when bolt was true, on Config.Now
	deed     deed
	deedAt   time.Duration
	doorSaid lock.Door     // as last reported
	boltNew  time.Duration // of what was said of the bolt, the newest moment that it was told of
	doorNew  time.Duration // likewise of the door
	contact  lock.Door
	sense    lock.Door // the lock's own
	senses   bool      // the lock has a door sense that works; survives
	percent  int

	at     time.Duration // of the message being taken
	warner lock.Warner
}

// heard is the newest payload of a device in this epoch.
type heard struct {
	any bool
	told
}

type tri uint8

const (
	unheard tri = iota
	yes
	no
)

func newWitness(s Settings, log *slog.Logger, say func(lock.Report)) *witness {
	return &witness{set: s, say: say, percent: -1, healthy: "unsaid", warner: lock.Warner{Log: log}}
}

// take believes, or does not believe, one message.
func (w *witness) take(m message) {
	w.at = m.at
	switch m.about {
	case connectionUp:
		w.connected, w.downErr = true, nil
		w.ask(m.at)
	case connectionDown:
		w.connected, w.downErr, w.bridge, w.available, w.missing, w.readErr, w.left = false, m.err, unheard, unheard, nil, nil, false
		w.forget(m.at)
	case bridgeState:
		w.takeBridge(m)
	case bridgeInfoSays:
		w.takeInfo(m)
	case bridgeDevices:
		w.takeDevices(m)
	case bridgeLog:
		w.takeLog(m)
	case bridgeAnswers: // proofs takes them
	case plainOnline, plainSays, plainAsked, plainOrdered, plainOrder: // of another convention
	case lockAvailable:
		// "online" of a battery lock is 25 hours old news and counts as nothing; it only ends an "offline".
		if online, ok := readOnline(m.payload); ok {
			w.available = yes
			if !online {
				w.available = no
			}
		}
	case lockSet:
		if m.retained {
			w.left = len(m.payload) > 0
		}
		if !w.habits.quietAck && len(w.echoes) < maxEchoes {
			w.echoes = append(w.echoes, m.at)
		}
	case lockGet:
		w.polled, w.polling = true, m.at
	case lockState:
		w.takeLock(m)
	case contactState:
		w.takeContact(m)
	case smokeState:
		if t, err := parse(m.payload); err == nil && t.smokeSaid == value && !m.retained {
			w.say(lock.Report{What: lock.OfSmoke, OK: !t.smoke, At: m.at, Age: w.age(t, m)})
		}
	}
	w.sayHealth(m.at)
}

// overflow is called when messages were lost: what they said is not known, so nothing is.
func (w *witness) overflow(at time.Duration) {
	w.at = at
	w.warn("more MQTT messages than can be read: bolt and door are unknown until the devices speak again", "lock", w.set.Lock)
	w.forget(at)
	w.ask(at)
}

func (w *witness) warn(sentence string, args ...any) { w.warner.Warn(w.at, sentence, args...) }

// ask wants a fresh state, at once.
func (w *witness) ask(at time.Duration) { w.asker.Want(at) }

// asks says whether the driver is to poll now, and otherwise when to look again; it counts the answer as a try.
func (w *witness) asks(at time.Duration) (now bool, again time.Duration) {
	if !w.connected {
		return false, 0
	}
	return w.asker.Due(at)
}

func (w *witness) sensesDoor() bool { return w.senses }

// forget makes everything unknown until fresh (S12, S13).
func (w *witness) forget(at time.Duration) {
	if w.lockLast.any {
		w.before = w.lockLast.seen
	}
	w.lockLast, w.doorLast, w.polled, w.echoes = heard{}, heard{}, false, nil
	w.deed, w.contact, w.sense = deed{}, lock.DoorUnknown, lock.DoorUnknown
	if w.bolt != lock.BoltUnknown {
		w.bolt, w.boltNew = lock.BoltUnknown, at
		w.say(lock.Report{What: lock.OfBolt, At: at})
	}
	if w.doorSaid != lock.DoorUnknown {
		w.doorSaid, w.doorNew = lock.DoorUnknown, at
		w.say(lock.Report{What: lock.OfDoor, At: at})
	}
}

func (w *witness) takeBridge(m message) {
	online, ok := readOnline(m.payload)
	if !ok {
		return
	}
	if online {
		w.bridge = yes
		w.ask(m.at)
	} else {
		w.bridge = no
	}
	// A live message is a change: a bridge that went, or one that starts and first tells what it remembers.
	if !m.retained {
		w.readErr = nil
		w.forget(m.at)
	}
}

func (w *witness) takeInfo(m message) {
	h, err := readHabits(m.payload, w.set.Lock, w.set.Contact)
	if err != nil {
		w.warn("Zigbee2MQTT's description of itself cannot be read", "err", err)
	}
	if h != w.habits && !h.boltOwn {
		w.warn("Zigbee2MQTT repeats remembered values for the lock: a bolt is believed only when it changes or answers a poll; "+
			"add filtered_cache: [state, lock_state, door_state] to the device", "device", w.set.Lock)
	}
	if h != w.habits && !h.contactOwn && w.set.Contact != "" {
		w.warn("Zigbee2MQTT repeats remembered values for the contact: the door is believed only when it changes; "+
			"add filtered_cache: [contact] to the device", "device", w.set.Contact)
	}
	w.habits = h
}

func (w *witness) takeDevices(m message) {
	names, err := readNames(m.payload)
	if err != nil {
		w.warn("Zigbee2MQTT's device list cannot be read", "err", err)
		return
	}
	w.missing = nil
	for _, want := range []string{w.set.Lock, w.set.Contact, w.set.Smoke} {
		if want != "" && w.missing == nil && !slices.Contains(names, want) {
			w.missing = noName(want, names, w.set)
		}
	}
}

// noName says that the bridge has no such device, and which one may be meant: none that has a part already.
func noName(want string, names []string, set Settings) error {
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == set.Lock || n == set.Contact || n == set.Smoke })
	if n := nearest(want, names); n != "" {
		return fmt.Errorf("Zigbee2MQTT has no device named %q; did you mean %q?", want, n)
	}
	return fmt.Errorf("Zigbee2MQTT has no device named %q: look up its friendly name in Zigbee2MQTT", want)
}

func (w *witness) takeLog(m message) {
	f, ok := readFailure(m.payload, w.set.Lock)
	switch {
	case !ok:
	case f.unknown:
		w.missing = noName(w.set.Lock, nil, w.set)
	case f.reading:
		w.readErr = fmt.Errorf("the lock does not answer: %s", f.text)
		w.polled = false
	default:
		if len(w.echoes) > 0 { // a failed command is not acknowledged
			w.echoes = w.echoes[1:]
		}
		w.say(lock.Report{What: lock.OfFailure, Err: errors.New(f.text), At: m.at})
	}
}

// sayHealth reports a change of whether commands can reach the lock, as far as the driver knows.
func (w *witness) sayHealth(at time.Duration) {
	err := w.health()
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != w.healthy {
		w.healthy = text
		w.say(lock.Report{What: lock.OfHealth, OK: err == nil, Err: err, At: at})
	}
}

func (w *witness) health() error {
	switch {
	case !w.connected && w.downErr != nil:
		return fmt.Errorf("%w: %w", lock.ErrOffline, w.downErr)
	case !w.connected:
		return fmt.Errorf("%w: not connected to the broker", lock.ErrOffline)
	case w.bridge == unheard:
		return fmt.Errorf("%w: no Zigbee2MQTT on this broker under base_topic %q", lock.ErrOffline, w.set.Base)
	case w.bridge == no:
		return fmt.Errorf("%w: Zigbee2MQTT is offline", lock.ErrOffline)
	case w.missing != nil:
		return w.missing
	case w.left:
		return orderLeft(w.set.Base + "/" + w.set.Lock + "/set")
	case w.available == no:
		return fmt.Errorf("%w: Zigbee2MQTT has not heard the lock for long", lock.ErrOffline)
	case w.readErr != nil:
		return fmt.Errorf("%w: %w", lock.ErrOffline, w.readErr)
	}
	return nil
}

// orderLeft is about an order that somebody left retained: whoever takes orders there is given it each time it starts or connects (S12).
func orderLeft(topic string) error {
	return fmt.Errorf("an order is retained on %s, and carried out each time that the lock's side starts: find who does that, and remove it with mosquitto_pub -r -n -t %s", topic, topic)
}

// age is how old a payload was on arrival: its last_seen against the hub's wall clock, 0 without one.
func (w *witness) age(t told, m message) time.Duration {
	if t.seen.IsZero() {
		return 0
	}
	d := m.wall.Sub(t.seen)
	if d < -clockSlack {
		w.warn("Zigbee2MQTT's clock is ahead of the hub's: set the time by NTP on both", "ahead", -d)
	}
	return max(d, 0)
}
