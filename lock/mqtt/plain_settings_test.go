package mqtt_test

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/mqtt"
	"eyebolt/virtual/broker"
)

// S9: what could never be secured is refused when it is configured, with the reason; so is what would be misread.
func TestBadConventions(t *testing.T) {
	const at = "mqtt://127.0.0.1:1"
	plain := func(change func(*mqtt.Template)) mqtt.Settings {
		s := asTemplate.settings(at, "b")
		change(s.Template)
		return s
	}
	hass := func(change func(*mqtt.HomeAssistant)) mqtt.Settings {
		s := asHomeAssistant.settings(at, "b")
		change(s.HomeAssistant)
		return s
	}
	both := hass(func(*mqtt.HomeAssistant) {})
	both.Template = &mqtt.Template{}
	named := plain(func(*mqtt.Template) {})
	named.Contact = "front_door"
	for _, c := range []struct {
		name string
		s    mqtt.Settings
		want string
	}{
		{"nearly", mqtt.Settings{Broker: at, Convention: "homeasistant"}, "did you mean homeassistant?"},
		{"none", mqtt.Settings{Broker: at, Convention: "zwave"}, "use zigbee2mqtt, homeassistant, template"},
		{"nothing of it", mqtt.Settings{Broker: at, Convention: "template"}, "write its topics under template"},
		{"no convention named", mqtt.Settings{Broker: at, Lock: "l", Template: &mqtt.Template{}}, "write convention: homeassistant, or template"},
		{"two", both, "keep the one of your convention"},
		{"friendly names", named, "are Zigbee2MQTT's"},

		{"optimistic: no state topic", hass(func(h *mqtt.HomeAssistant) { h.StateTopic = "" }), "state_topic: missing. Such a lock is optimistic"},
		{"optimistic", hass(func(h *mqtt.HomeAssistant) { h.Optimistic = true }), "never where its bolt is"},
		{"no command topic", hass(func(h *mqtt.HomeAssistant) { h.CommandTopic = "" }), "command_topic: missing"},
		{"Zigbee2MQTT's lock", hass(func(h *mqtt.HomeAssistant) { h.StateTopic = "zigbee2mqtt/front_lock" }), "use convention: zigbee2mqtt"},
		{"Zigbee2MQTT's lock under another base", hass(func(h *mqtt.HomeAssistant) { h.AvailabilityTopic = "z/bridge/state" }), "use convention: zigbee2mqtt"},
		{"no contact", hass(func(h *mqtt.HomeAssistant) { h.Contact.StateTopic = "" }), "contact: missing"},
		{"a program as a template", hass(func(h *mqtt.HomeAssistant) { h.ValueTemplate = "{{ value | upper }}" }), "Use convention: template"},
		{"a word with two meanings", hass(func(h *mqtt.HomeAssistant) { h.StateJammed = "LOCKED" }), `"LOCKED" cannot mean both state_locked and state_jammed`},
		{"the command's own topic as state", hass(func(h *mqtt.HomeAssistant) { h.StateTopic = h.CommandTopic }), "an order is no report"},
		{"availability twice", hass(func(h *mqtt.HomeAssistant) { h.Availability = []mqtt.Availability{{Topic: "x"}} }), "keep one"},

		{"no bolt", plain(func(x *mqtt.Template) { x.Bolt = mqtt.TemplateBolt{} }), "bolt: missing. What never tells where its bolt is cannot be secured (S9)"},
		{"no door", plain(func(x *mqtt.Template) { x.Door = mqtt.TemplateDoor{} }), "door: missing"},
		{"neither asked nor repeated", plain(func(x *mqtt.Template) { x.Poll = mqtt.TemplatePoll{} }), "poll or repeats: missing"},
		{"repeated too seldom", plain(func(x *mqtt.Template) { x.Repeats = time.Minute }), "give a span from 1s to 6s"},
		{"asking moves the bolt", plain(func(x *mqtt.Template) { x.Poll = mqtt.TemplatePoll{Topic: x.Lock.Topic, Payload: x.Lock.Payload} }), "poll: is an order"},
		{"an answer to nothing", plain(func(x *mqtt.Template) { x.Poll.Topic, x.Repeats = "", time.Second }), "what is to be asked?"},
		{"one order for both", plain(func(x *mqtt.Template) { x.Unlock = x.Lock }), "the same message"},
		{"no word for drawn", plain(func(x *mqtt.Template) { x.Bolt.Drawn = nil }), "the words for thrown and for drawn"},
		{"words without a topic", plain(func(x *mqtt.Template) { x.Door.Topic = "" }), "door: topic is missing"},
		{"wildcard", plain(func(x *mqtt.Template) { x.Bolt.Topic = "b/#" }), "must not contain"},
		{"path", plain(func(x *mqtt.Template) { x.Bolt.Path = "a..b" }), "empty key"},
		{"no word for being gone", plain(func(x *mqtt.Template) { x.Online.No = nil }), "online: no: write the words"},
		{"Tasmota's relay", plain(func(x *mqtt.Template) {
			x.Lock.Topic, x.Unlock.Topic, x.Bolt.Topic, x.Bolt.Path = "cmnd/strike/POWER", "cmnd/strike/POWER", "stat/strike/POWER", ""
		}), "what the Tasmota relay itself was switched to, not where a bolt is (S9)"},
		{"Shelly's relay", plain(func(x *mqtt.Template) {
			x.Lock.Topic, x.Unlock.Topic, x.Bolt.Topic, x.Bolt.Path = "shelly/command/switch:0", "shelly/command/switch:0", "shelly/status/switch:0", "output"
		}), "Shelly relay"},
		{"ESPHome's switch", plain(func(x *mqtt.Template) {
			x.Lock.Topic, x.Unlock.Topic, x.Bolt.Topic, x.Bolt.Path = "esp/switch/strike/command", "esp/switch/strike/command", "esp/switch/strike/state", ""
		}), "ESPHome switch"},
	} {
		l, err := mqtt.Open(t.Context(), lock.Config{Now: func() time.Duration { return 0 }, Settings: c.s}, func(lock.Report) {})
		switch {
		case err == nil:
			_ = l.Close()
			t.Errorf("%s: opened", c.name)
		case !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: got %q, want it to say %q", c.name, err, c.want)
		}
	}
}

// A lock that cannot be asked and repeats itself: it is well while it does, and nothing else is claimed.
func TestRepeats(t *testing.T) {
	w := newPlainWorld(t, startBroker(t, broker.Config{}), "b", asTemplate)
	s := w.settings()
	s.Template.Poll, s.Template.Repeats = mqtt.TemplatePoll{}, time.Second
	l, e := open(t, w.now, s)
	if l.Can().Poll || !errors.Is(l.Poll(t.Context()), lock.ErrCannotPoll) {
		t.Error("a lock that cannot be asked claims that it can")
	}
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(300 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				w.h.do(w.x.tellBolt)
			}
		}
	}()
	e.wait(t, 0, "health", well)
	_, from := e.wait(t, 0, "bolt", bolt(lock.BoltThrown))
	if err := l.Unlock(t.Context(), w.order()); err != nil {
		t.Fatal(err)
	}
	_, from = e.wait(t, from, "drawn", bolt(lock.BoltDrawn))
	close(stop)
	<-done
	silent := w.now()
	r, _ := e.wait(t, from, "silence is told", ill("has not said where its bolt is"))
	if took := r.At - silent; took > 3*time.Second {
		t.Errorf("told %v after it fell silent", took)
	}
}

// S12: the messages of a plain convention on the wire, byte for byte: quality of service, retained, topic, expiry in seconds, payload.
func TestPlainWireFormat(t *testing.T) {
	w := newPlainWorld(t, startBroker(t, broker.Config{}), "b", asTemplate)
	l, e := open(t, w.now, w.settings())
	e.wait(t, 0, "health", well)
	if err := l.Unlock(t.Context(), w.order()); err != nil {
		t.Fatal(err)
	}
	_, from := e.wait(t, 0, "bolt drawn", bolt(lock.BoltDrawn))
	if err := l.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.wait(t, from, "bolt thrown", bolt(lock.BoltThrown))
	want := []string{`0 0 b/front_lock/get E2 `, `0 0 b/front_lock/set E1 {"action":"UNLOCK"}`, `0 0 b/front_lock/set E2 {"action":"LOCK"}`}
	w.spy.mu.Lock()
	defer w.spy.mu.Unlock()
	if got := slices.Compact(slices.Clone(w.spy.lines)); !slices.Equal(got, want) {
		t.Errorf("on the wire:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// S12, S13: an order is not given to a lock of plain topics that has not spoken for long: it is asked, and the next order goes.
func TestPlainSpokeLongAgo(t *testing.T) {
	w := newPlainWorld(t, startBroker(t, broker.Config{}), "b", asHomeAssistant)
	var ahead atomic.Int64
	real := w.now
	w.now = func() time.Duration { return real() + time.Duration(ahead.Load()) }
	l, e := open(t, w.now, w.settings())
	e.wait(t, 0, "health", well)
	ahead.Store(int64(13 * time.Second))
	from := e.count()
	if err := l.Unlock(t.Context(), w.order()); !errors.Is(err, lock.ErrNotSent) || !strings.Contains(err.Error(), "more than 12s") {
		t.Errorf("unlock: got %v, want ErrNotSent, since it was silent for 13s", err)
	}
	e.wait(t, from, "the answer", func(r lock.Report) bool { return bolt(lock.BoltThrown)(r) && r.Solicited })
	if err := l.Unlock(t.Context(), w.order()); err != nil {
		t.Errorf("unlock after the answer: %v", err)
	}
	e.wait(t, from, "drawn", bolt(lock.BoltDrawn))
}
