package homeassistant

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"eyebolt/lock"
)

const (
	// oldest is the age past which a device's word tells of the past: what an integration kept, or held back.
	oldest = 12 * time.Second
	// ahead is how far a device's clock may be before ours; further, its times prove nothing. By as much may a word be older than it says,
	// and a word of before a command pass for one of after it (S9): machines that run NTP in one home differ by some 10 ms.
	ahead = 250 * time.Millisecond
	// askAfter is how long after a command the lock is asked if it has not said by itself that it is done: bolts travel up to three
	// seconds. After carryLimit the command counts as failed.
	askAfter   = 3 * time.Second
	carryLimit = 6 * time.Second
)

// witness turns what was heard into what may be believed. It has no clock and no I/O; one goroutine owns it.
type witness struct {
	plan plan
	say  func(lock.Report)

	asker lock.Asker

	// Health.
	up      bool
	downErr error
	misfit  error
	ids     ids
	lock    entity // as Home Assistant has it
	proven  bool   // the lock has spoken on this connection
	silent  error  // the last question was not answered
	healthy string

	// Evidence. Everything here is void when the connection was gone.
	question time.Duration // when the newest question left that was not answered; 0: none
	order    order         // the newest command
	spoken   time.Duration // when the lock's newest word can have been true
	contrary time.Duration // when it was last said, without the lock's own word, not to be thrown; 0: never
	bolt     lock.Bolt     // as last reported
	door     lock.Door     // likewise
	percent  int

	void map[string]time.Time // entity → since when it was not to be heard; a word of before is a memory. "": all of them

	at     time.Duration
	warner lock.Warner
}

// order is a command that left, or may have.
type order struct {
	bolt lock.Bolt     // where it wants it
	at   time.Duration // when it left; 0: none
	open bool          // what became of it is not known yet
}

func newWitness(p plan, log *slog.Logger, say func(lock.Report)) *witness {
	return &witness{plan: p, say: say, asker: lock.Asker{Prove: p.Prove}, percent: -1, void: map[string]time.Time{}, healthy: "unsaid", warner: lock.Warner{Log: log}}
}

// take believes, or does not believe, one item.
func (w *witness) take(m item) {
	w.at = m.at
	switch m.what {
	case connected:
		w.up, w.downErr, w.misfit, w.ids, w.proven, w.silent, w.lock = true, nil, nil, m.ids, false, nil, m.is
		clear(w.void)
		w.void[""] = m.wall
		w.forget(m.at)
		w.asker.Want(m.at)
	case misfit:
		w.up, w.misfit, w.proven = false, m.err, false
		w.forget(m.at)
	case disconnected:
		w.up, w.downErr, w.misfit, w.proven, w.silent = false, m.err, nil, false, nil
		w.forget(m.at)
	case asked:
		switch {
		case m.err != nil:
			w.silent = fmt.Errorf("the lock cannot be asked: %w", m.err)
			w.question = 0
			w.asker.Missed(m.at)
		case !w.proven || w.asker.Answered() < m.sent:
			w.question = max(w.question, m.sent)
		}
	case unsent:
		w.order.open = false
	case ordered:
		w.order = order{lock.BoltThrown, m.sent, true}
		if m.deadline != 0 {
			w.order.bolt = lock.BoltDrawn
		}
	case carried:
		w.takeCarried(m)
	case changed:
		w.takeChange(m)
	case unreadable:
		w.warner.Warn(w.at, "unreadable message of Home Assistant: bolt and door are unknown", "err", m.err)
		w.forget(m.at)
		w.asker.Want(m.at)
	}
	w.sayHealth(m.at)
}

// overflow is called when changes were lost: what they said is not known, so nothing is.
func (w *witness) overflow(at time.Duration) {
	w.at = at
	w.warner.Warn(at, "more changes in Home Assistant than can be read: bolt and door are unknown until the devices speak again")
	w.forget(at)
	w.asker.Want(at)
}

// asks says whether the lock is to be asked now, and otherwise when to look again; 0: not before something is heard.
func (w *witness) asks(at time.Duration) (now bool, again time.Duration) {
	if !w.up {
		return false, 0
	}
	if w.question > 0 && at-w.question > answerLimit {
		w.question, w.silent = 0, errNoAnswer
		w.asker.Missed(at)
		w.sayHealth(at)
	}
	w.followUp(at)
	return w.asker.Due(at)
}

// followUp sees whether a command was done: an integration whose device did not take it may say nothing of that.
func (w *witness) followUp(at time.Duration) {
	since := at - w.order.at
	switch {
	case !w.order.open || since < askAfter:
	case w.bolt == w.order.bolt && w.spoken > w.order.at:
		w.order.open = false
	case since < carryLimit:
		if w.question < w.order.at+askAfter {
			w.asker.Want(at)
			w.question = max(w.question, w.order.at+askAfter) // once is enough; the asker repeats it
		}
	default:
		w.order.open = false
		err := errors.New("the lock has said nothing since the command: it may not have been carried out")
		if w.spoken > w.order.at {
			err = errors.New("the lock says that it did not do what was commanded")
		}
		w.say(lock.Report{What: lock.OfFailure, Err: err, At: at})
	}
}

// forget makes everything unknown until fresh (S12, S13).
func (w *witness) forget(at time.Duration) {
	w.question = 0
	if w.bolt != lock.BoltUnknown {
		w.bolt = lock.BoltUnknown
		w.say(lock.Report{What: lock.OfBolt, At: at})
	}
	if w.door != lock.DoorUnknown {
		w.door = lock.DoorUnknown
		w.say(lock.Report{What: lock.OfDoor, At: at})
	}
}

func (w *witness) takeCarried(m item) {
	if m.err != nil {
		w.order.open = false
		w.say(lock.Report{What: lock.OfFailure, Err: m.err, At: m.at})
		w.asker.Want(m.at)
		return
	}
	if m.deadline != 0 && m.at > m.deadline {
		w.warner.Warn(w.at, "Home Assistant passed an order on after its time: it is slow or busy", "late", m.at-m.deadline)
	}
}

func (w *witness) takeChange(m item) {
	if !m.is.known() {
		w.void[m.id] = m.wall
	}
	switch m.id {
	case w.ids.lock:
		w.takeLock(m)
	case w.ids.contact:
		w.takeContact(m)
	case w.ids.smoke:
		w.takeSmoke(m)
	case w.ids.battery:
		w.takeBattery(m)
	}
}

// word is what a device said itself in this change, and how old that is. ok is false for what Home Assistant remembers, wished for, or
// changed about the entity in another way.
func (w *witness) word(m item, attribute string) (word string, age time.Duration, ok bool) {
	at, has := m.is.seen(w.plan.Seen)
	before, had := m.was.seen(w.plan.Seen)
	switch {
	case !has || m.is.attr.is("assumed_state") || had && !at.After(before) || len(m.is.attr[attribute]) == 0:
		return "", 0, false
	case !at.After(w.void[""].Add(-time.Millisecond)), !at.After(w.void[m.id]): // a stamp is cut to the millisecond
		return "", 0, false
	case at.Sub(m.wall) > ahead:
		w.warner.Warn(w.at, "a device's clock is ahead: what it says proves nothing; run NTP on both machines", "entity", m.id, "by", at.Sub(m.wall))
		return "", 0, false
	case m.wall.Sub(at) > oldest:
		return "", 0, false
	}
	return m.is.attr.text(attribute), max(m.wall.Sub(at), 0), true
}

func (w *witness) takeLock(m item) {
	w.lock = m.is
	word, age, own := w.word(m, w.plan.Bolt)
	bolt := boltOf(word)
	if !own {
		// A state that changed without the lock's own word is a wish or a memory: enough for what is less safe, never for thrown (S9).
		reworded := string(m.is.attr[w.plan.Bolt]) != string(m.was.attr[w.plan.Bolt])
		moved := m.is.state != m.was.state || reworded
		hint := boltOf(m.is.state)
		if hint != lock.BoltDrawn && hint != lock.BoltJammed && reworded {
			hint = boltOf(m.is.attr.text(w.plan.Bolt))
		}
		if moved && m.is.known() && m.was.known() && (hint == lock.BoltDrawn || hint == lock.BoltJammed) {
			w.contrary = m.at
			w.sayBolt(hint, 0, m.at, false)
		}
		if moved && m.is.known() {
			w.asker.Want(m.at)
		}
		if !m.is.known() {
			w.lose(m.at)
		}
		return
	}
	w.proven, w.silent = true, nil
	sent := m.at - age
	solicited := w.question > 0 && sent >= w.question-time.Millisecond // its time is cut to the millisecond
	if solicited {
		w.question = 0
	}
	w.asker.Got(sent, m.at)
	w.spoken = max(w.spoken, sent)
	if bolt == lock.BoltThrown && sent <= max(w.order.at, w.contrary) { // of before the newest command or news, and here after it (S9)
		w.asker.Want(m.at)
		return
	}
	w.sayBolt(bolt, age, m.at, solicited)
}

// lose makes the bolt unknown when its lock cannot be reached.
func (w *witness) lose(at time.Duration) {
	if w.bolt != lock.BoltUnknown {
		w.sayBolt(lock.BoltUnknown, 0, at, false)
	}
}

func (w *witness) sayBolt(b lock.Bolt, age, at time.Duration, solicited bool) {
	w.bolt = b
	w.say(lock.Report{What: lock.OfBolt, Bolt: b, At: at, Age: age, Solicited: solicited})
}

// boltOf reads a lock's own word: Zigbee2MQTT's, or Home Assistant's state.
func boltOf(word string) lock.Bolt {
	switch word {
	case "locked":
		return lock.BoltThrown
	case "unlocked", "open", "opening":
		return lock.BoltDrawn
	case "not_fully_locked", "jammed":
		return lock.BoltJammed
	}
	return lock.BoltUnknown
}

func (w *witness) takeContact(m item) {
	word, age, own := w.word(m, w.plan.Door)
	door := lock.DoorUnknown
	switch word {
	case "true", "closed":
		door = lock.DoorClosed
	case "false", "open":
		door = lock.DoorOpen
	}
	switch {
	case own:
	case !m.is.known():
	case m.is.state == "on" && m.was.state != "on" && m.was.known():
		door = lock.DoorOpen
	case m.is.state == m.was.state || w.door == lock.DoorClosed:
		return // nothing about the door, or what its own word has said already: the two are written one after the other
	}
	if !own && door == w.door {
		return
	}
	w.door = door
	w.say(lock.Report{What: lock.OfDoor, Door: door, At: m.at, Age: age})
}

// takeSmoke hears an alarm at once, and that it is over only from a sensor that is there.
func (w *witness) takeSmoke(m item) {
	switch {
	case m.is.state == "on":
		w.say(lock.Report{What: lock.OfSmoke, At: m.at})
	case m.is.state == "off" && m.was.state == "on":
		w.say(lock.Report{What: lock.OfSmoke, OK: true, At: m.at})
	}
}

func (w *witness) takeBattery(m item) {
	percent, err := strconv.ParseFloat(m.is.state, 64)
	if err != nil || !(percent >= 0 && percent <= 100) || int(percent) == w.percent { // not a number is neither
		return
	}
	w.percent = int(percent)
	w.say(lock.Report{What: lock.OfBattery, Percent: w.percent, At: m.at})
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
		return fmt.Errorf("%w: not connected to Home Assistant", lock.ErrOffline)
	case !w.lock.known() && w.lock.state != unknown:
		return fmt.Errorf("%w: Home Assistant calls %s unavailable: look at its integration", lock.ErrOffline, w.ids.lock)
	case w.lock.attr.is("assumed_state"):
		return w.lock.fit(w.ids.lock, w.plan.Bolt, w.plan.Seen)
	case w.silent != nil:
		if err := w.lock.fit(w.ids.lock, w.plan.Bolt, w.plan.Seen); err != nil && !w.proven {
			return err // what is missing says why there was no answer
		}
		return fmt.Errorf("%w: %w", lock.ErrOffline, w.silent)
	case !w.proven:
		return fmt.Errorf("%w: the lock has not spoken since Home Assistant was reached", lock.ErrOffline)
	}
	return nil
}

var errNoAnswer = errors.New("the lock did not answer: check its integration, its batteries and its distance")
