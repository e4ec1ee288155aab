package matter

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"eyebolt/lock"
)

// Spans of the witness.
const (
	// deedLife is how long an event explains a movement: both come within a second of each other, in either order.
	deedLife = 5 * time.Second
	// lingerLimit is how long, after the lock has answered again, an order of which nothing was heard may still be carried out: the server
	// takes what waited to a lock that is back, one after the other, within some three seconds.
	lingerLimit = 10 * time.Second
	// askGap is the shortest time between two questions of the witness's own: what is told ten thousand times a second is asked about ten
	// times, since a lock's battery pays.
	askGap = 100 * time.Millisecond
	// throwLife is how long after a Lock that the lock took it is asked again and again, until it is thrown: the slowest motors need some
	// three seconds.
	throwLife = 5 * time.Second
)

// witness turns what was heard into what may be believed. It has no clock and no I/O; one goroutine owns it.
type witness struct {
	set Settings
	say func(lock.Report)
	// By readLock, readContact, readSmoke.
	askers  [3]lock.Asker
	askedAt [3]time.Duration // when each was last asked by itself; 0: never

	// Health.
	up        bool
	downErr   error
	misfit    error
	ids       ids
	available bool
	proven    bool          // the lock has answered on this connection
	silent    error         // the last question was not answered
	loose     bool          // an order may still be carried out, which nobody will hear of
	looseAt   time.Duration // since when
	looseBack time.Duration // when the lock first answered a question of later; 0: not yet
	healthy   string

	// Evidence. Everything here is void when the connection was gone.
	throwing  time.Duration // since when a thrown bolt is expected; 0: it is not
	contrary  time.Duration // when the lock last said by itself that it is not thrown
	jammed    bool
	deed      deed
	deedAt    time.Duration
	bolt      lock.Bolt     // as last reported
	doorSaid  lock.Door     // likewise
	doorNew   time.Duration // when the newest word of the door was made that was reported
	contact   lock.Door
	sense     lock.Door
	contactAt time.Duration // when the contact last spoke by itself; -1: never
	senseAt   time.Duration // likewise the lock's own sense
	percent   int
	alarms    [2]bool // smoke, CO

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
	w := &witness{set: s, say: say, contrary: -1, contactAt: -1, senseAt: -1, percent: -1, healthy: "unsaid", warner: lock.Warner{Log: log}}
	for i := range w.askers {
		w.askers[i].Prove = s.Prove
	}
	return w
}

// take believes, or does not believe, one item.
func (w *witness) take(m item) {
	w.at = m.at
	switch m.what {
	case connected:
		w.up, w.downErr, w.misfit, w.ids, w.proven, w.silent = true, nil, nil, m.ids, false, nil
		w.available = m.reach
		w.forget(m.at)
		w.ask(m.at)
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
	case said:
		w.takeEvent(m)
	case unreadable:
		w.warn("unreadable message of the Matter server: bolt and door are unknown", "err", m.err)
		w.forget(m.at)
		w.ask(m.at)
	}
	w.sayHealth(m.at)
}

// tick lets time pass.
func (w *witness) tick(at time.Duration) {
	w.at = max(w.at, at)
	if w.loose && w.looseBack != 0 && at-w.looseBack >= lingerLimit {
		w.loose = false
		w.ask(at)
		w.sayHealth(at)
	}
}

// overflow is called when events were lost: what they said is not known, so nothing is.
func (w *witness) overflow(at time.Duration) {
	w.at = at
	w.warn("more events of the Matter server than can be read: bolt and door are unknown until the devices speak again")
	w.forget(at)
	w.ask(at)
}

func (w *witness) warn(sentence string, args ...any) { w.warner.Warn(w.at, sentence, args...) }

// ask wants fresh answers of all devices, at once.
func (w *witness) ask(at time.Duration) {
	for i := range w.askers {
		w.askers[i].Want(at)
	}
}

// askLock wants a fresh answer of the lock, at once.
func (w *witness) askLock(at time.Duration) { w.askers[readLock].Want(at) }

// asks says whether a device is to be asked now, and otherwise when to look again; 0: not before something is heard.
func (w *witness) asks(k kind, at time.Duration) (now bool, again time.Duration) {
	switch {
	case !w.up:
		return false, 0
	case k == readContact && !w.apart(w.ids.contact), k == readSmoke && !w.apart(w.ids.smoke):
		return false, 0 // there is none, or the lock's own node answers for it
	}
	if wait := w.askedAt[k] + askGap - at; wait > 0 && w.askedAt[k] != 0 {
		return false, wait
	}
	if now, again = w.askers[k].Due(at); now {
		w.askedAt[k] = max(at, 1)
	}
	return now, again
}

// apart says whether a sensor is of another node than the lock's.
func (w *witness) apart(p place) bool { return p.node != 0 && p.node != w.ids.lock.node }

// forget makes everything unknown until fresh (S12, S13).
func (w *witness) forget(at time.Duration) {
	w.throwing, w.jammed, w.deed, w.contact, w.sense = 0, false, deed{}, lock.DoorUnknown, lock.DoorUnknown
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
	if m.loose {
		w.loose, w.looseAt, w.looseBack = true, m.at, 0
		w.warn("nothing was heard of an order: the lock may draw late; restart the Matter server if its log shows that it waits", "late", m.at-m.deadline)
		if w.bolt != lock.BoltUnknown { // possibly drawn
			w.bolt = lock.BoltUnknown
			w.say(lock.Report{What: lock.OfBolt, At: m.at})
		}
	}
	if m.err != nil {
		w.say(lock.Report{What: lock.OfFailure, Err: m.err, At: m.at})
		w.askLock(m.at)
		return
	}
	if m.deadline == 0 { // a Lock that the lock took: the server tells of changes at most once a second, so it is asked
		w.throwing = max(m.at, 1)
		w.askers[readLock].Missed(m.at)
		return
	}
	w.throwing = 0
	if m.at > m.deadline {
		w.warn("the Matter server carried an order out after its time: the lock's network is slow or busy", "late", m.at-m.deadline)
		w.askLock(m.at)
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

var (
	errUnavailable = errors.New("the Matter server cannot reach the lock: check its batteries and its network")
	errUnproven    = errors.New("the lock has not answered since the Matter server was reached")
	errLoose       = errors.New("nothing was heard of an order: it may still be carried out")
)

func (w *witness) health() error {
	var err error
	switch {
	case w.misfit != nil:
		return w.misfit
	case !w.up && w.downErr != nil:
		err = w.downErr
	case !w.up:
		err = errors.New("not connected to the Matter server")
	case !w.available:
		err = errUnavailable
	case w.silent != nil:
		err = w.silent
	case !w.proven:
		err = errUnproven
	case w.loose:
		err = errLoose
	default:
		return nil
	}
	return fmt.Errorf("%w: %w", lock.ErrOffline, err)
}
