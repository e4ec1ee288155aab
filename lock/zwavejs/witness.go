package zwavejs

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"eyebolt/lock"
)

// Spans of the witness.
const (
	// deedLife is how long a notification explains a movement: both come within a second of each other, in either order.
	deedLife = 5 * time.Second
	// learnGap is the shortest time between two questions to the server about the smoke sensor: in a flood, something is lost all the time.
	learnGap = 100 * time.Millisecond
)

// witness turns what was heard into what may be believed. It has no clock and no I/O; one goroutine owns it.
type witness struct {
	set Settings
	say func(lock.Report)

	asker     lock.Asker
	learner   lock.Asker    // of the server, for the smoke sensor: events of it were lost
	learnedAt time.Duration // when it was last asked; 0: never

	// Health.
	up      bool
	downErr error
	misfit  error
	ids     ids
	status  int
	ready   bool
	proven  bool  // the lock has answered on this connection
	silent  error // the last question was not answered
	healthy string

	// Evidence. Everything here is void when the connection was gone.
	mode     int // of the newest answer; -1: none
	hint     int // the newest currentMode that the server told of; -1: none
	hintAt   time.Duration
	contrary time.Duration // when the lock last said by itself that it drew or jammed
	jammed   bool
	deed     deed
	deedAt   time.Duration
	bolt     lock.Bolt     // as last reported
	doorSaid lock.Door     // likewise
	doorNew  time.Duration // when the newest word of the door was made that was reported
	contact  lock.Door
	exact    bool // the contact has the precise word for its door, beside the simple one
	sense    lock.Door
	percent  int

	// Smoke outlives the connection, since nothing takes an alarm back but a word that says so.
	alarms  [2]bool       // smoke, CO
	alarmAt time.Duration // when the sensor last told of an alarm on this connection; -1: it did not

	at     time.Duration
	warner lock.Warner
}

// deed is who worked the bolt, and which way.
type deed struct {
	bolt lock.Bolt
	by   lock.By
	who  string
}

func newWitness(s Settings, log *slog.Logger, say func(lock.Report)) *witness {
	return &witness{set: s, say: say, asker: lock.Asker{Prove: s.Prove}, mode: -1, hint: -1, percent: -1, alarmAt: -1, healthy: "unsaid", warner: lock.Warner{Log: log}}
}

// take believes, or does not believe, one item.
func (w *witness) take(m item) {
	w.at = m.at
	switch m.what {
	case connected:
		w.up, w.downErr, w.misfit, w.ids, w.proven, w.silent = true, nil, nil, m.ids, false, nil
		n, _ := m.network.node(m.ids.lock)
		w.status, w.ready = n.Status, n.Ready
		for _, id := range []int{m.ids.contact, m.ids.smoke} {
			if k, ok := m.network.node(id); ok && !k.Ready {
				w.warn(fmt.Sprintf("Z-Wave JS does not know node %d yet: what this sensor says may not be heard before its interview has ended", id))
			}
		}
		w.forget(m.at)
		w.ask(m.at)
		w.alarmAt = -1
		w.learner.Got(m.at, m.at)
		w.learnSmoke(m.network, m.at, m.at)
	case misfit:
		w.up, w.misfit, w.proven = false, m.err, false
		w.forget(m.at)
	case disconnected:
		w.up, w.downErr, w.misfit, w.proven, w.silent = false, m.err, nil, false, nil
		w.forget(m.at)
	case answered:
		w.takeAnswer(m)
	case carried:
		w.takeCarried(m)
	case learned:
		w.takeLearned(m)
	case said:
		w.takeEvent(m)
	case unreadable:
		w.warn("unreadable message of Z-Wave JS: bolt and door are unknown", "err", m.err)
		w.lost(m.at)
	}
	w.sayHealth(m.at)
}

// overflow is called when events were lost: what they said is not known, so nothing is.
func (w *witness) overflow(at time.Duration) {
	w.at = at
	w.warn("more events of Z-Wave JS than can be read: bolt and door are unknown until the devices speak again")
	w.lost(at)
}

// lost: a word was lost, and nobody knows whose. The sensor may have told of a fire, or that it is over: it does not say so again, but
// the server knows (S11).
func (w *witness) lost(at time.Duration) {
	w.forget(at)
	w.ask(at)
	w.learner.Want(at)
}

func (w *witness) warn(sentence string, args ...any) {
	w.warner.Warn(w.at, sentence, args...)
}

// ask wants a fresh answer, at once.
func (w *witness) ask(at time.Duration) { w.asker.Want(at) }

// asks says whether the lock is to be asked now, and otherwise when to look again; 0: not before something is heard.
func (w *witness) asks(at time.Duration) (now bool, again time.Duration) {
	if !w.up {
		return false, 0
	}
	return w.asker.Due(at)
}

// learns says whether the server is to be asked about the smoke sensor now, and otherwise when to look again; 0: not before something
// is heard.
func (w *witness) learns(at time.Duration) (now bool, again time.Duration) {
	if !w.up || w.ids.smoke == 0 {
		return false, 0
	}
	if wait := w.learnedAt + learnGap - at; wait > 0 && w.learnedAt != 0 {
		return false, wait
	}
	if now, again = w.learner.Due(at); now {
		w.learnedAt = max(at, 1)
	}
	return now, again
}

// forget makes everything unknown until fresh (S12, S13).
func (w *witness) forget(at time.Duration) {
	w.mode, w.hint, w.jammed, w.deed, w.contact, w.sense, w.exact = -1, -1, false, deed{}, lock.DoorUnknown, lock.DoorUnknown, false
	if w.bolt != lock.BoltUnknown {
		w.bolt = lock.BoltUnknown
		w.say(lock.Report{What: lock.OfBolt, At: at})
	}
	if w.doorSaid != lock.DoorUnknown {
		w.doorSaid, w.doorNew = lock.DoorUnknown, at
		w.say(lock.Report{What: lock.OfDoor, At: at})
	}
}

func (w *witness) takeCarried(m item) {
	if m.err != nil {
		w.say(lock.Report{What: lock.OfFailure, Err: m.err, At: m.at})
		w.ask(m.at)
		return
	}
	if m.deadline != 0 && m.at > m.deadline {
		w.warn("Z-Wave JS carried an order out after its time: the radio is slow or busy", "late", m.at-m.deadline)
	}
}

// sayHealth reports a change of whether commands can reach the lock, as far as is known.
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
	case w.misfit != nil:
		return w.misfit
	case !w.up && w.downErr != nil:
		return fmt.Errorf("%w: %w", lock.ErrOffline, w.downErr)
	case !w.up:
		return fmt.Errorf("%w: not connected to Z-Wave JS", lock.ErrOffline)
	}
	if err := usable(w.ids.lock, w.status, w.ready); err != nil {
		return err
	}
	switch {
	case w.silent != nil:
		return fmt.Errorf("%w: %w", lock.ErrOffline, w.silent)
	case !w.proven:
		return fmt.Errorf("%w: the lock has not answered since Z-Wave JS was reached", lock.ErrOffline)
	}
	return nil
}

var errNoAnswer = errors.New("the lock did not answer: check the stick, the lock's batteries and its distance")
