package mqtt

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"eyebolt/lock"
)

// Spans of a plain convention.
const (
	// effectLimit is how long a lock may take to say that it did what it was told: a bolt travels for one to three seconds. After
	// that the order counts as failed; no plain convention has a word for it that all devices say.
	effectLimit = 5 * time.Second
	// silenceLimit is how long questions may stay without an answer: two of the hub's are.
	silenceLimit = 8 * time.Second
	// missLimit is after how many of its repeats a lock that repeats itself is lost.
	missLimit = 2
)

// topics is what is listened to, and what it is about.
func (s *shape) topics() map[string]about {
	t := map[string]about{s.lock.topic: plainOrder, s.unlock.topic: plainOrder}
	for _, r := range s.online {
		t[r.topic] = plainOnline
	}
	for _, r := range []reading{s.bolt, s.answer, s.door, s.battery, s.smoke, s.failure} {
		if r.topic != "" {
			t[r.topic] = plainSays
		}
	}
	return t
}

// can is what such a lock gives. Who worked it, no plain convention tells.
func (s *shape) can() lock.Can {
	jam := false
	for _, m := range s.bolt.words { // no order in it
		jam = jam || m == meaning(lock.BoltJammed)
	}
	return lock.Can{Bolt: true, Door: true, Jam: jam, Battery: s.battery.topic != "", Poll: s.poll.topic != "", Expiry: true}
}

// plain weighs what a lock of a plain convention says: only live messages, since the connection, of a device that did not go.
type plain struct {
	shape *shape
	say   func(lock.Report)

	asker  lock.Asker
	warner lock.Warner
	at     time.Duration // now

	connected bool
	downErr   error
	online    []tri
	left      map[string]bool // topics on which an order is retained
	healthy   string

	bolt    lock.Bolt
	door    lock.Door
	percent int
	heard   bool          // the bolt was told on this connection, by a device that did not go since
	heardAt time.Duration // when last

	asked   bool          // a Poll is not answered yet
	askedAt time.Duration // the newest
	silent  time.Duration // since when questions stay without an answer
	waits   bool

	order   lock.Bolt // what was ordered and not told to be done; unknown: nothing
	orderAt time.Duration
}

func newPlain(s *shape, log *slog.Logger, say func(lock.Report)) *plain {
	return &plain{shape: s, say: say, warner: lock.Warner{Log: log}, online: make([]tri, len(s.online)), left: map[string]bool{}, percent: -1, healthy: "unsaid"}
}

func (p *plain) warn(sentence string, args ...any) { p.warner.Warn(p.at, sentence, args...) }

func (p *plain) ask(at time.Duration) { p.asker.Want(at) }

func (p *plain) sensesDoor() bool { return false } // its door is claimed from the start

func (p *plain) take(m message) {
	p.at = m.at
	switch m.about {
	case connectionUp:
		p.connected, p.downErr = true, nil
		p.ask(m.at)
	case connectionDown:
		p.connected, p.downErr = false, m.err
		clear(p.online)
		clear(p.left)
		p.forget(m.at)
	case plainAsked:
		p.asked, p.askedAt = true, m.at
		if !p.waits {
			p.waits, p.silent = true, m.at
		}
	case plainOrdered:
		p.order, p.orderAt = m.bolt, m.at
	case plainOrder:
		if m.retained {
			p.left[m.topic] = len(m.payload) > 0
		}
	case plainOnline, plainSays:
		p.takeOnline(m)
		if !m.retained { // of unknown age: never believed (S12)
			p.takeBolt(p.shape.bolt, m)
			p.takeBolt(p.shape.answer, m)
			p.takeDoor(m)
			p.takeRest(m)
		}
	case bridgeState, bridgeInfoSays, bridgeDevices, bridgeLog, bridgeAnswers, lockState, lockAvailable, lockSet, lockGet, contactState, smokeState:
		// of another convention
	}
	p.sayHealth(m.at)
}

func (p *plain) overflow(at time.Duration) {
	p.at = at
	p.warn("more MQTT messages than can be read: bolt and door are unknown until the devices speak again", "topic", p.shape.bolt.topic)
	p.forget(at)
	p.ask(at)
}

// forget makes everything unknown until it is told anew (S12, S13).
func (p *plain) forget(at time.Duration) {
	p.heard, p.asked, p.waits, p.order = false, false, false, lock.BoltUnknown
	if p.bolt != lock.BoltUnknown {
		p.bolt = lock.BoltUnknown
		p.say(lock.Report{What: lock.OfBolt, At: at})
	}
	if p.door != lock.DoorUnknown {
		p.door = lock.DoorUnknown
		p.say(lock.Report{What: lock.OfDoor, At: at})
	}
}

// takeOnline hears whether the device is there. A retained word of it is what there is, and only "no" says anything for sure.
func (p *plain) takeOnline(m message) {
	for i, r := range p.shape.online {
		if r.topic != m.topic {
			continue
		}
		s, word, means, known, err := r.told(m.payload)
		if s == silent && err == nil {
			continue
		}
		was := p.online[i]
		switch {
		case !known:
			p.warn("the lock's word for being there is not in the settings: it counts as not there", "topic", r.topic, "word", word, "err", err)
			p.online[i] = no
		case means == meansYes:
			p.online[i] = yes
		default:
			p.online[i] = no
		}
		if m.retained {
			continue
		}
		// A device that went, or one that starts and first tells what it remembers.
		if p.online[i] == no || was == no {
			p.forget(m.at)
		}
		p.ask(m.at)
	}
}

func (p *plain) takeBolt(r reading, m message) {
	if r.topic != m.topic {
		return
	}
	s, word, means, known, err := r.told(m.payload)
	b := lock.Bolt(means)
	switch {
	case err != nil:
		p.warn("unreadable message of the lock: the bolt is unknown", "topic", m.topic, "err", err)
		b = lock.BoltUnknown
		p.ask(m.at)
	case s == silent:
		return
	case s == null:
	case !known:
		p.warn("a word of the lock is not in the settings: the bolt is unknown", "topic", m.topic, "word", word)
	default:
		p.heard, p.heardAt, p.waits = true, m.at, false
	}
	p.bolt = b
	solicited := false
	if b != lock.BoltUnknown {
		solicited = p.asked && m.at-p.askedAt <= pollLife
		p.asker.Got(m.at, m.at)
		p.asked = false
		if b == p.order || b == lock.BoltJammed {
			p.order = lock.BoltUnknown
		}
	}
	p.say(lock.Report{What: lock.OfBolt, Bolt: b, At: m.at, Solicited: solicited})
}

func (p *plain) takeDoor(m message) {
	if p.shape.door.topic != m.topic {
		return
	}
	s, word, means, known, err := p.shape.door.told(m.payload)
	switch {
	case err != nil:
		p.warn("unreadable message of the door: the door is unknown", "topic", m.topic, "err", err)
	case s == silent:
		return
	case s == value && !known:
		p.warn("a word of the door is not in the settings: the door is unknown", "topic", m.topic, "word", word)
	}
	p.door = lock.Door(means)
	p.say(lock.Report{What: lock.OfDoor, Door: p.door, At: m.at})
}

func (p *plain) takeRest(m message) {
	if r := p.shape.battery; r.topic == m.topic {
		s, word, err := r.path.read(m.payload)
		if f, e := strconv.ParseFloat(word, 64); s == value && err == nil && e == nil && f >= 0 && f <= 100 && int(f) != p.percent {
			p.percent = int(f)
			p.say(lock.Report{What: lock.OfBattery, Percent: p.percent, At: m.at})
		}
	}
	if r := p.shape.smoke; r.topic == m.topic {
		if _, _, means, known, err := r.told(m.payload); known && err == nil {
			p.say(lock.Report{What: lock.OfSmoke, OK: means != meansYes, At: m.at})
		}
	}
	if r := p.shape.failure; r.topic == m.topic {
		if s, word, _, known, err := r.told(m.payload); s == value && err == nil && !known {
			p.order = lock.BoltUnknown
			p.say(lock.Report{What: lock.OfFailure, Err: fmt.Errorf("the lock answers %q to an order", word), At: m.at})
		}
	}
}

// asks also looks at what is due by now.
func (p *plain) asks(at time.Duration) (now bool, again time.Duration) {
	p.at = at
	if p.order != lock.BoltUnknown && at-p.orderAt >= effectLimit {
		did := map[lock.Bolt]string{lock.BoltThrown: "threw", lock.BoltDrawn: "drew"}[p.order]
		p.order = lock.BoltUnknown
		p.say(lock.Report{What: lock.OfFailure, Err: fmt.Errorf("the lock does not say that it %s its bolt, %v after it was told to", did, effectLimit), At: at})
	}
	if p.heard && p.shape.repeats > 0 && at-p.heardAt >= missLimit*p.shape.repeats {
		p.forget(at)
	}
	p.sayHealth(at)
	if !p.connected {
		return false, 0
	}
	if p.waits && at-p.silent >= silenceLimit {
		p.asker.Missed(at) // it is asked until it answers
	}
	if p.shape.poll.topic != "" {
		now, again = p.asker.Due(at)
	}
	for _, d := range []struct {
		waits bool
		until time.Duration
	}{
		{p.order != lock.BoltUnknown, p.orderAt + effectLimit},
		{p.heard && p.shape.repeats > 0, p.heardAt + missLimit*p.shape.repeats},
		{p.waits && at-p.silent < silenceLimit, p.silent + silenceLimit},
	} {
		if left := max(d.until-at, time.Millisecond); d.waits && (again == 0 || left < again) {
			again = left
		}
	}
	return now, again
}

func (p *plain) sayHealth(at time.Duration) {
	err := p.health(at)
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != p.healthy {
		p.healthy = text
		p.say(lock.Report{What: lock.OfHealth, OK: err == nil, Err: err, At: at})
	}
}

var errNoWord = errors.New("the lock has not said where its bolt is since the hub listens: check the topics")

func (p *plain) health(at time.Duration) error {
	switch {
	case !p.connected && p.downErr != nil:
		return fmt.Errorf("%w: %w", lock.ErrOffline, p.downErr)
	case !p.connected:
		return fmt.Errorf("%w: not connected to the broker", lock.ErrOffline)
	}
	for i, o := range p.online {
		switch o {
		case no:
			return fmt.Errorf("%w: the lock is not there, says %s", lock.ErrOffline, p.shape.online[i].topic)
		case unheard:
			return fmt.Errorf("%w: nothing on %s says that the lock is there: check the topic", lock.ErrOffline, p.shape.online[i].topic)
		case yes:
		}
	}
	for _, o := range []say{p.shape.lock, p.shape.unlock} {
		if p.left[o.topic] {
			return orderLeft(o.topic)
		}
	}
	switch {
	case p.waits && at-p.silent >= silenceLimit:
		return fmt.Errorf("%w: the lock does not answer", lock.ErrOffline)
	case !p.heard:
		return fmt.Errorf("%w: %w", lock.ErrOffline, errNoWord)
	}
	return nil
}
