package mqtt

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"eyebolt/lock"
)

// shape is what a plain convention comes to: a lock that takes orders on topics and says on others, in words of its own, where it is.
type shape struct {
	lock, unlock, poll say // poll without a topic: it cannot be asked
	repeats            time.Duration
	bolt, door         reading
	answer             reading // where a poll is answered, if elsewhere
	battery, smoke     reading
	failure            reading
	online             []reading // each must say yes
}

// say is one message to send.
type say struct{ topic, payload string }

// reading is where something is told, and what the words for it mean.
type reading struct {
	topic string
	path  path
	words map[string]meaning // nil: the value itself is meant
}

// meaning is what a word says, in the sense of its reading: a lock.Bolt, a lock.Door, or yes and no.
type meaning uint8

const (
	meansNo  meaning = 0
	meansYes meaning = 1
)

// told is what the payload says: the word, and what it means. known is false for a word that the settings do not have.
func (r reading) told(payload []byte) (s said, word string, means meaning, known bool, err error) {
	s, word, err = r.path.read(payload)
	if err != nil || s != value {
		return s, word, 0, false, err
	}
	means, known = r.words[word]
	return s, word, means, known, nil
}

// isZigbee2MQTT knows it by its usual base topic, or by the topic on which it tells of itself.
func (s *shape) isZigbee2MQTT() bool {
	return strings.HasPrefix(s.bolt.topic, zigbee2mqtt+"/") || slices.ContainsFunc(s.online, func(r reading) bool { return strings.HasSuffix(r.topic, "/bridge/state") })
}

const (
	// repeatsLeast and repeatsMost bound how often a lock that cannot be asked says where it is: the hub calls what is older than
	// 12 s unknown (bolt_stale), and one report may be lost.
	repeatsLeast = time.Second
	repeatsMost  = 6 * time.Second
)

// check refuses what could never be secured, and what would be read wrongly. Its errors begin with the setting.
func (s *shape) check() error {
	switch {
	case s.bolt.topic == "":
		return errors.New("bolt: missing. What never tells where its bolt is cannot be secured (S9), so nobody would be let in: a strike needs a latch monitor, a lock needs to report")
	case s.isZigbee2MQTT():
		return errors.New("bolt: this is a lock behind Zigbee2MQTT, which repeats what it remembers as if the lock had said it: use convention: zigbee2mqtt, which tells the two apart (S9)")
	case s.door.topic == "":
		return errors.New("door: missing. Without a word of the door no visit can be secured (S9): add a contact")
	}
	for _, x := range []struct {
		name  string
		topic string
	}{{"lock", s.lock.topic}, {"unlock", s.unlock.topic}} {
		if x.topic == "" {
			return fmt.Errorf("%s: topic is missing: where is the order sent?", x.name)
		}
	}
	if s.lock == s.unlock {
		return errors.New("lock and unlock are the same message: the lock could not tell them apart")
	}
	for _, o := range []say{s.lock, s.unlock} {
		for _, told := range []string{s.bolt.topic, s.answer.topic} {
			if told == o.topic {
				return fmt.Errorf("bolt: %s is the topic of an order, and an order is no report (S9)", o.topic)
			}
			if whose := relayOf(o.topic, told); whose != "" {
				return fmt.Errorf("bolt: %s tells what the %s itself was switched to, not where a bolt is (S9): wire a latch monitor to an input and name that", told, whose)
			}
		}
	}
	switch {
	case s.poll.topic == "" && s.repeats == 0:
		return errors.New("poll or repeats: missing. A report that is neither asked for nor repeated goes stale within seconds, and then nothing is secured (S9): " +
			"say what to send so that the lock tells where it is (poll), or how often it does so by itself (repeats)")
	case s.repeats != 0 && (s.repeats < repeatsLeast || s.repeats > repeatsMost):
		return fmt.Errorf("repeats %v: give a span from %v to %v: a bolt that was not heard for 12 s is unknown", s.repeats, repeatsLeast, repeatsMost)
	case s.poll.topic == "" && s.answer.topic != "":
		return errors.New("poll: answer_topic without a topic: what is to be asked?")
	case s.poll == s.lock || s.poll == s.unlock:
		return errors.New("poll: is an order: asking would move the bolt")
	}
	has := func(r reading, m meaning) bool {
		for _, x := range r.words { // no order in it
			if x == m {
				return true
			}
		}
		return false
	}
	switch {
	case !has(s.bolt, meaning(lock.BoltThrown)), !has(s.bolt, meaning(lock.BoltDrawn)):
		return errors.New("bolt: needs the words for thrown and for drawn")
	case !has(s.door, meaning(lock.DoorClosed)), !has(s.door, meaning(lock.DoorOpen)):
		return errors.New("door: needs the words for closed and for open")
	}
	for _, t := range s.hears() {
		if err := checkTopic(t); err != nil {
			return fmt.Errorf("topic %q: %w", t, err)
		}
	}
	for _, t := range []say{s.lock, s.unlock, s.poll} {
		if err := checkTopic(t.topic); t.topic != "" && err != nil {
			return fmt.Errorf("topic %q: %w", t.topic, err)
		}
		if len(t.payload) > maxPayload {
			return fmt.Errorf("topic %q: the payload is too long", t.topic)
		}
	}
	return nil
}

// maxPayload bounds an order; the longest of a vendor's has some 100 bytes.
const maxPayload = 4 << 10

func checkTopic(t string) error {
	switch {
	case t == "":
		return errors.New("is empty")
	case strings.ContainsAny(t, "+#\x00"):
		return errors.New("must not contain +, # or a zero byte")
	case strings.HasPrefix(t, "$"):
		return errors.New("begins with $: that is the broker's own")
	case len(t) > 1024:
		return errors.New("is too long")
	}
	return nil
}

// hears is every topic that is listened to, each once.
func (s *shape) hears() []string {
	all := []string{s.bolt.topic, s.door.topic}
	for _, r := range append([]reading{s.answer, s.battery, s.smoke, s.failure}, s.online...) {
		if r.topic != "" {
			all = append(all, r.topic)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// relays are the topics on which well-known firmware takes orders for a relay and tells what it was switched to.
var relays = []struct{ order, state, whose string }{
	{"cmnd/*/POWER", "stat/*/POWER", "Tasmota relay"},
	{"cmnd/*/Power", "stat/*/POWER", "Tasmota relay"},
	{"cmnd/*/POWER1", "stat/*/POWER1", "Tasmota relay"},
	{"cmnd/*/Power1", "stat/*/POWER1", "Tasmota relay"},
	{"*/command/switch:0", "*/status/switch:0", "Shelly relay"},
	{"*/command/switch:1", "*/status/switch:1", "Shelly relay"},
	{"*/rpc", "*/status/switch:0", "Shelly relay"},
}

// relayOf names the relay whose order and state these topics are; empty if they are none that is known.
func relayOf(order, state string) string {
	for _, r := range relays {
		name, ok := within(r.order, order)
		if other, same := within(r.state, state); ok && same && name == other {
			return r.whose
		}
	}
	// ESPHome: <prefix>/switch/<name>/command. Its locks have the same form and a word of their own.
	if base, ok := strings.CutSuffix(order, "/command"); ok && base+"/state" == state && strings.Contains(base, "/switch/") {
		return "ESPHome switch"
	}
	return ""
}

// within is what stands for the * of a pattern.
func within(pattern, s string) (string, bool) {
	before, after, _ := strings.Cut(pattern, "*")
	s, ok := strings.CutPrefix(s, before)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(s, after)
}

// word is a list of words that mean one thing.
type word struct {
	list  string // its name in the settings
	words []string
	means meaning
}

// vocabulary is what the words of a reading mean; it refuses one with two meanings.
func vocabulary(lists ...word) (map[string]meaning, error) {
	m := map[string]meaning{}
	where := map[string]string{}
	for _, l := range lists {
		for _, w := range l.words {
			switch {
			case w == "" || strings.TrimSpace(w) != w || len(w) > maxWord:
				return nil, fmt.Errorf("%s: %q cannot be a word of a device: 1 to %d bytes, no space around it", l.list, w, maxWord)
			case where[w] != "" && where[w] != l.list:
				return nil, fmt.Errorf("%q cannot mean both %s and %s", w, where[w], l.list)
			}
			m[w], where[w] = l.means, l.list
		}
	}
	return m, nil
}
