package mqtt

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"eyebolt/lock"
)

// strike is a lock of plain topics for the tests of what is believed.
func strike() *Template {
	return &Template{
		Lock: Order{"s/set", "ON"}, Unlock: Order{"s/set", "OFF"}, Poll: TemplatePoll{Topic: "s/get", AnswerTopic: "s/answer", AnswerPath: "now"},
		Bolt:   TemplateBolt{Topic: "s/bolt", Path: "state", Thrown: []string{"1"}, Drawn: []string{"0"}, Jammed: []string{"jam"}, Moving: []string{"2"}},
		Door:   TemplateDoor{Topic: "s/door", Closed: []string{"closed"}, Open: []string{"open"}, Ajar: []string{"ajar"}},
		Online: TemplateOnline{Topic: "s/LWT", Yes: []string{"Online"}, No: []string{"Offline"}},
		Smoke:  TemplateSmoke{Topic: "s/smoke", Alarm: []string{"ON"}, Clear: []string{"OFF"}},
	}
}

// scene is a plain witness that is told lines, and tells what it reported.
type scene struct {
	t   *testing.T
	p   *plain
	out []string
	got []lock.Report
}

func newScene(t *testing.T, set *Template) *scene {
	t.Helper()
	s, err := set.shape()
	if err != nil {
		t.Fatal(err)
	}
	c := &scene{t: t}
	c.p = newPlain(s, slog.New(slog.DiscardHandler), func(r lock.Report) {
		c.out, c.got = append(c.out, words(r)), append(c.got, r)
	})
	return c
}

// hear takes one message and returns what was reported.
func (c *scene) hear(at time.Duration, topic, payload string, retained bool) string {
	c.out = nil
	what, known := c.p.shape.topics()[topic]
	if !known {
		c.t.Fatalf("nobody listens to %s", topic)
	}
	c.p.take(message{about: what, topic: topic, payload: []byte(payload), retained: retained, at: at})
	return strings.Join(c.out, "; ")
}

func (c *scene) event(at time.Duration, what about) string {
	c.out = nil
	c.p.take(message{about: what, at: at, bolt: lock.BoltThrown, err: errors.New("cut")})
	return strings.Join(c.out, "; ")
}

func (c *scene) wait(at time.Duration) string {
	c.out = nil
	c.p.asks(at)
	return strings.Join(c.out, "; ")
}

const offline = "health false: lock or its broker is offline: check the bridge and its power: "

// S9, S12, S13: what a lock of plain topics is believed, line by line.
func TestPlainWitness(t *testing.T) {
	c := newScene(t, strike())
	for _, x := range []struct {
		name string
		got  func() string
		want string
	}{
		{"connected", func() string { return c.event(0, connectionUp) }, offline + "nothing on s/LWT says that the lock is there: check the topic"},
		{"a retained bolt is of unknown age", func() string { return c.hear(1, "s/bolt", `{"state":1}`, true) }, ""},
		{"so is a retained door", func() string { return c.hear(1, "s/door", "closed", true) }, ""},
		{"so is a retained alarm", func() string { return c.hear(1, "s/smoke", "ON", true) }, ""},
		{"a retained Online only ends that nothing is known", func() string { return c.hear(1, "s/LWT", "Online", true) }, offline + errNoWord.Error()},
		{"live", func() string { return c.hear(2, "s/bolt", `{"state":1}`, false) }, "bolt thrown; health true"},
		{"asked", func() string { return c.event(3, plainAsked) + c.hear(4, "s/bolt", `{"state":"1"}`, false) }, "bolt thrown, asked"},
		{"asked, and answered elsewhere", func() string { return c.event(4, plainAsked) + c.hear(4, "s/answer", `{"now":1}`, false) }, "bolt thrown, asked"},
		{"a retained answer", func() string { return c.hear(4, "s/answer", `{"now":1}`, true) }, ""},
		{"said again", func() string { return c.hear(5, "s/bolt", `{"state":1}`, false) }, "bolt thrown"},
		{"it moves", func() string { return c.hear(6, "s/bolt", `{"state":2}`, false) }, "bolt unknown"},
		{"drawn", func() string { return c.hear(7, "s/bolt", `{"state":0}`, false) }, "bolt drawn"},
		{"jammed", func() string { return c.hear(8, "s/bolt", `{"state":"jam"}`, false) }, "bolt jammed"},
		{"a message about something else", func() string { return c.hear(9, "s/bolt", `{"volt":3}`, false) }, ""},
		{"null", func() string { return c.hear(10, "s/bolt", `{"state":null}`, false) }, "bolt unknown"},
		{"a word that is not its", func() string { return c.hear(11, "s/bolt", `{"state":"1 "}`, false) }, "bolt unknown"},
		{"an object for a word", func() string { return c.hear(12, "s/bolt", `{"state":{}}`, false) }, "bolt unknown"},
		{"not JSON", func() string { return c.hear(13, "s/bolt", `1`, false) + c.hear(13, "s/bolt", `{"state":`, false) }, "bolt unknown"},
		{"too long", func() string {
			return c.hear(14, "s/bolt", `{"state":1,"x":"`+strings.Repeat("x", maxState)+`"}`, false)
		}, "bolt unknown"},
		{"deleted", func() string { return c.hear(15, "s/bolt", "", false) }, ""},
		{"the door", func() string {
			return c.hear(16, "s/door", "closed", false) + ", " + c.hear(17, "s/door", " open\n", false)
		}, "door closed, door open"},
		{"ajar", func() string { return c.hear(18, "s/door", "ajar", false) }, "door ajar"},
		{"a door's word that is not its", func() string { return c.hear(19, "s/door", "CLOSED", false) }, "door unknown"},
		{"smoke", func() string { return c.hear(20, "s/smoke", "ON", false) + ", " + c.hear(21, "s/smoke", "OFF", false) }, "smoke true, smoke false"},
		{"its power", func() string {
			return c.hear(22, "s/bolt", `{"state":1}`, false) + "; " + c.hear(23, "s/LWT", "Offline", false)
		}, "bolt thrown; bolt unknown; " + offline + "the lock is not there, says s/LWT"},
		{"it is back, and says nothing yet", func() string { return c.hear(24, "s/LWT", "Online", false) }, offline + errNoWord.Error()},
		{"it says it", func() string { return c.hear(25, "s/bolt", `{"state":1}`, false) }, "bolt thrown; health true"},
		{"a word for being there that is not its", func() string { return c.hear(26, "s/LWT", "maybe", false) }, "bolt unknown; " + offline + "the lock is not there, says s/LWT"},
		{"back again", func() string {
			return c.hear(27, "s/LWT", "Online", false) + "; " + c.hear(28, "s/bolt", `{"state":1}`, false)
		}, offline + errNoWord.Error() + "; bolt thrown; health true"},
		{"an order on its way", func() string { return c.hear(28, "s/set", "OFF", false) }, ""},
		{"an order that is retained", func() string { return c.hear(28, "s/set", "OFF", true) }, "health false: " + orderLeft("s/set").Error()},
		{"it is removed", func() string { return c.hear(28, "s/set", "", true) }, "health true"},
		{"cut", func() string { return c.event(29, connectionDown) }, "bolt unknown; " + offline + "cut"},
		{"what comes behind a cut, retained", func() string {
			return c.event(30, connectionUp) + "; " + c.hear(31, "s/LWT", "Online", true) + "; " + c.hear(32, "s/bolt", `{"state":1}`, true)
		}, offline + "nothing on s/LWT says that the lock is there: check the topic; " + offline + errNoWord.Error() + "; "},
	} {
		if got := x.got(); got != x.want {
			t.Errorf("%s:\n got %q\nwant %q", x.name, got, x.want)
		}
	}
}

// S13, T17: what does not come is told too: an order without effect, questions without an answer, repeats that stay out.
func TestPlainSilence(t *testing.T) {
	up := func(set *Template) *scene {
		c := newScene(t, set)
		c.event(0, connectionUp)
		c.hear(0, "s/LWT", "Online", true)
		c.hear(time.Second, "s/bolt", `{"state":0}`, false)
		return c
	}
	c := up(strike())
	c.event(2*time.Second, plainOrdered) // thrown
	if got := c.hear(3*time.Second, "s/bolt", `{"state":0}`, false); got != "bolt drawn" {
		t.Errorf("the state from before: %q", got)
	}
	if got := c.wait(2*time.Second + effectLimit - 1); got != "" {
		t.Errorf("before its time: %q", got)
	}
	if _, again := c.p.asks(2*time.Second + effectLimit - time.Second); again != time.Second {
		t.Errorf("looks again after %v, want 1s", again)
	}
	if got, want := c.wait(2*time.Second+effectLimit), "failure: the lock does not say that it threw its bolt, 5s after it was told to"; got != want {
		t.Errorf("an order without effect: %q, want %q", got, want)
	}
	if got := c.wait(time.Hour); got != "" {
		t.Errorf("a failure is told twice: %q", got)
	}
	c = up(strike())
	c.event(2*time.Second, plainOrdered)
	c.hear(3*time.Second, "s/bolt", `{"state":1}`, false)
	if got := c.wait(time.Minute); got != "" {
		t.Errorf("an order that was carried out: %q", got)
	}

	c = up(strike())
	c.event(2*time.Second, plainAsked)
	c.event(7*time.Second, plainAsked)
	if got, want := c.wait(2*time.Second+silenceLimit), offline+"the lock does not answer"; got != want {
		t.Errorf("unanswered: %q, want %q", got, want)
	}
	if now, again := c.p.asks(3*time.Second + silenceLimit); !now || again <= 0 {
		t.Errorf("a lock that does not answer is asked again: %v, after %v", now, again)
	}
	if got, want := c.hear(20*time.Second, "s/bolt", `{"state":1}`, false), "bolt thrown; health true"; got != want && got != want+", asked" {
		t.Errorf("it answers again: %q, want %q", got, want)
	}

	set := strike()
	set.Poll, set.Repeats = TemplatePoll{}, 2*time.Second
	c = up(set)
	if got := c.wait(time.Second + 4*time.Second - 1); got != "" {
		t.Errorf("one repeat was lost: %q", got)
	}
	if got, want := c.wait(5*time.Second), "bolt unknown; "+offline+errNoWord.Error(); got != want {
		t.Errorf("two repeats were lost: %q, want %q", got, want)
	}
	if now, _ := c.p.asks(6 * time.Second); now {
		t.Error("a lock that cannot be asked is asked")
	}
}

func TestPathTemplates(t *testing.T) {
	for _, c := range []struct{ template, want string }{
		{"", ""},
		{"{{ value }}", ""},
		{`{{ value_json["state"] }}`, "state"},
		{"{{ value_json.state }}", "state"},
		{"{{value_json.lock.state}}", "lock.state"},
		{`{{ value_json['a'][0].b }}`, "a.0.b"},
	} {
		if got, err := readTemplate(c.template); err != nil || got != c.want {
			t.Errorf("%s: got %q %v, want %q", c.template, got, err, c.want)
		}
	}
	for _, bad := range []string{
		"{{ value_json.state | upper }}", "{% if value_json.a %}LOCKED{% endif %}", "{{ value_json }}", "LOCKED", `{{ value_json["a.b"] }}`,
		"{{ value_json.state }}{{ value }}", "{{ states('lock.x') }}", "{{ value_json.state == 1 }}",
	} {
		if got, err := readTemplate(bad); err == nil {
			t.Errorf("%s: read as %q", bad, got)
		}
	}
}

// FuzzValue: T20: no payload and no path crash the reader, a word is short, and a word out of JSON stands in it.
func FuzzValue(f *testing.F) {
	for _, s := range []struct{ path, payload string }{
		{"", "LOCKED"},
		{"state", `{"state":"LOCKED"}`},
		{"params.switch:0.output", `{"src":"shellyplus1-a","params":{"ts":1.2,"switch:0":{"id":0,"output":true}}}`},
		{"StatusSNS.Switch1", `{"StatusSNS":{"Time":"2026-01-01T00:00:00","Switch1":"ON"}}`},
		{"a.0.b", `{"a":[{"b":null}]}`},
	} {
		f.Add(s.path, []byte(s.payload))
	}
	f.Fuzz(func(t *testing.T, dotted string, payload []byte) {
		p, err := readPath(dotted)
		if err != nil {
			return
		}
		s, word, err := p.read(payload)
		switch {
		case len(word) > maxWord:
			t.Fatalf("word of %d bytes", len(word))
		case err != nil && (s != silent || word != ""):
			t.Fatalf("an error and yet something said: %v %q", s, word)
		case s != value && word != "":
			t.Fatalf("nothing said and yet a word: %q", word)
		case err == nil && s == value && len(p) > 0 && !json.Valid(payload):
			t.Fatalf("%q out of what is not JSON: %q", word, payload)
		}
	})
}

// FuzzPathTemplate: no template crashes the reader, and what it reads is a path that the settings take.
func FuzzPathTemplate(f *testing.F) {
	f.Add(`{{ value_json["state"] }}`)
	f.Add("{{ value_json.a.b }}")
	f.Add("{{ value }}")
	f.Fuzz(func(t *testing.T, s string) {
		dotted, err := readTemplate(s)
		if err != nil {
			return
		}
		if p, err := readPath(dotted); err == nil && len(p) > 0 && !strings.Contains(s, p[0]) {
			t.Fatalf("%q out of %q", dotted, s)
		}
	})
}

// FuzzPlain: S9, S12: whatever is said on whatever topic, the bolt is thrown only by the one word for it, live.
func FuzzPlain(f *testing.F) {
	f.Add(uint8(0), []byte(`{"state":1}`), false)
	f.Add(uint8(1), []byte("closed"), false)
	f.Add(uint8(2), []byte("Online"), true)
	f.Fuzz(func(t *testing.T, which uint8, payload []byte, retained bool) {
		s, err := strike().shape()
		if err != nil {
			t.Fatal(err)
		}
		var got []lock.Report
		p := newPlain(s, slog.New(slog.DiscardHandler), func(r lock.Report) { got = append(got, r) })
		topics := s.hears()
		topic := topics[int(which)%len(topics)]
		p.take(message{about: connectionUp})
		p.take(message{about: s.topics()[topic], topic: topic, payload: payload, retained: retained})
		var m map[string]any
		_ = json.Unmarshal(payload, &m)
		for _, r := range got {
			switch {
			case retained && (r.Bolt != lock.BoltUnknown || r.Door != lock.DoorUnknown || r.What == lock.OfSmoke):
				t.Fatalf("out of a retained message: %+v", r)
			case r.Bolt == lock.BoltThrown && (topic != "s/bolt" || (m["state"] != 1.0 && m["state"] != "1")) && (topic != "s/answer" || (m["now"] != 1.0 && m["now"] != "1")):
				t.Fatalf("thrown out of %q on %s", payload, topic)
			case r.Door == lock.DoorClosed && (topic != "s/door" || strings.TrimSpace(string(payload)) != "closed"):
				t.Fatalf("closed out of %q on %s", payload, topic)
			}
		}
	})
}
