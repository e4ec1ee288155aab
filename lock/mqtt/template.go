package mqtt

import (
	"fmt"
	"time"

	"eyebolt/lock"
)

// Template is a lock that takes orders and tells its state on plain topics: a strike behind Tasmota, ESPHome or Shelly, or a Nuki.
// lock, unlock, bolt and door are required, and poll or repeats. docs/OPERATING.md has ready ones.
type Template struct {
	// Lock and Unlock are the orders. They are sent at QoS 0, never retained, with an expiry.
	Lock   Order `yaml:"lock"`
	Unlock Order `yaml:"unlock"`
	// Poll is what makes the device tell where its bolt is.
	Poll TemplatePoll `yaml:"poll"`
	// Repeats is how often the device tells so by itself, for one that cannot be asked: 1s to 6s. Twice that without a word, and
	// the bolt is unknown.
	Repeats time.Duration `yaml:"repeats"`
	// Bolt is where the bolt is told. It must be the bolt's own contact or sense: what a relay was switched to is no report (S9).
	Bolt TemplateBolt `yaml:"bolt"`
	// Door is where the door is told.
	Door TemplateDoor `yaml:"door"`
	// Online is where the device, or the broker in its name, tells whether it is there.
	Online TemplateOnline `yaml:"online"`
	// Battery is where its charge is told, in percent.
	Battery TemplateValue `yaml:"battery"`
	// Smoke is a smoke or CO sensor: its alarm keeps the hub from locking anybody in.
	Smoke TemplateSmoke `yaml:"smoke"`
	// Failure is where a device tells how an order ended: any word that is not in ok is told as a failure.
	Failure TemplateFailure `yaml:"failure"`
}

// Order is one message to send.
type Order struct {
	Topic   string `yaml:"topic"`
	Payload string `yaml:"payload"`
}

// TemplatePoll is the question where the bolt is. Some devices answer elsewhere than they tell of changes: there the words are those of
// bolt.
type TemplatePoll struct {
	Topic       string `yaml:"topic"`
	Payload     string `yaml:"payload"`
	AnswerTopic string `yaml:"answer_topic"`
	AnswerPath  string `yaml:"answer_path"`
}

// TemplateValue says where a value is: in the whole payload, or at a path of keys in JSON (StatusSNS.Switch1).
type TemplateValue struct {
	Topic string `yaml:"topic"`
	Path  string `yaml:"path"`
}

// TemplateBolt has the words for each place of the bolt, exactly as they are sent. Any other word means unknown.
type TemplateBolt struct {
	Topic  string   `yaml:"topic"`
	Path   string   `yaml:"path"`
	Thrown []string `yaml:"thrown"`
	Drawn  []string `yaml:"drawn"`
	Jammed []string `yaml:"jammed"`
	Moving []string `yaml:"moving"` // known words that say nothing of where it is
}

// TemplateDoor has the words for the door. Any other word means unknown.
type TemplateDoor struct {
	Topic  string   `yaml:"topic"`
	Path   string   `yaml:"path"`
	Closed []string `yaml:"closed"`
	Open   []string `yaml:"open"`
	Ajar   []string `yaml:"ajar"`
}

// TemplateOnline has the words for being there and not.
type TemplateOnline struct {
	Topic string   `yaml:"topic"`
	Path  string   `yaml:"path"`
	Yes   []string `yaml:"yes"`
	No    []string `yaml:"no"`
}

// TemplateSmoke has the words for an alarm and for its end.
type TemplateSmoke struct {
	Topic string   `yaml:"topic"`
	Path  string   `yaml:"path"`
	Alarm []string `yaml:"alarm"`
	Clear []string `yaml:"clear"`
}

// TemplateFailure has the words for an order that was carried out.
type TemplateFailure struct {
	Topic string   `yaml:"topic"`
	Path  string   `yaml:"path"`
	OK    []string `yaml:"ok"`
}

// shape translates the settings. Its errors begin with the setting.
func (t *Template) shape() (*shape, error) {
	s := &shape{lock: say{t.Lock.Topic, t.Lock.Payload}, unlock: say{t.Unlock.Topic, t.Unlock.Payload}, poll: say{t.Poll.Topic, t.Poll.Payload}, repeats: t.Repeats}
	var online reading
	for _, r := range []struct {
		name, topic, path string
		to                *reading
		words             []word
	}{
		{"bolt", t.Bolt.Topic, t.Bolt.Path, &s.bolt, []word{
			{"thrown", t.Bolt.Thrown, meaning(lock.BoltThrown)},
			{"drawn", t.Bolt.Drawn, meaning(lock.BoltDrawn)},
			{"jammed", t.Bolt.Jammed, meaning(lock.BoltJammed)},
			{"moving", t.Bolt.Moving, meaning(lock.BoltUnknown)},
		}},
		{"poll", t.Poll.AnswerTopic, t.Poll.AnswerPath, &s.answer, nil},
		{"door", t.Door.Topic, t.Door.Path, &s.door, []word{
			{"closed", t.Door.Closed, meaning(lock.DoorClosed)}, {"open", t.Door.Open, meaning(lock.DoorOpen)}, {"ajar", t.Door.Ajar, meaning(lock.DoorAjar)},
		}},
		{"online", t.Online.Topic, t.Online.Path, &online, []word{{"yes", t.Online.Yes, meansYes}, {"no", t.Online.No, meansNo}}},
		{"battery", t.Battery.Topic, t.Battery.Path, &s.battery, nil},
		{"smoke", t.Smoke.Topic, t.Smoke.Path, &s.smoke, []word{{"alarm", t.Smoke.Alarm, meansYes}, {"clear", t.Smoke.Clear, meansNo}}},
		{"failure", t.Failure.Topic, t.Failure.Path, &s.failure, []word{{"ok", t.Failure.OK, meansNo}}},
	} {
		if err := r.to.set(r.name, r.topic, r.path, r.words...); err != nil {
			return nil, err
		}
	}
	if online.topic != "" {
		s.online = []reading{online}
	}
	s.answer.words = s.bolt.words
	return s, s.check()
}

// set fills a reading. Words without a topic are a mistake, and so is a topic without words.
func (r *reading) set(name, topic, dotted string, lists ...word) error {
	p, err := readPath(dotted)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	m, err := vocabulary(lists...)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	case topic == "" && (len(m) > 0 || len(p) > 0):
		return fmt.Errorf("%s: topic is missing: where is it told?", name)
	case topic == "":
		return nil
	case lists != nil:
		for _, l := range lists {
			if len(l.words) == 0 && (l.list == "yes" || l.list == "no" || l.list == "alarm" || l.list == "clear" || l.list == "ok") {
				return fmt.Errorf("%s: %s: write the words that mean so", name, l.list)
			}
		}
	}
	*r = reading{topic: topic, path: p, words: m}
	return nil
}
