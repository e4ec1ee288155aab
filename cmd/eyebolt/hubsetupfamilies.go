package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"eyebolt/hub/setup"
	"eyebolt/lock/mqtt"
)

// The locks that speak MQTT by themselves, a family each: what their owner knows of them, and the topics and words that come of it.
// docs/MQTT-LOCKS.md has the same ones as text, with the reasons; a test holds each of them to the other.

// mqttFamilies are shown in this order.
func mqttFamilies() []setup.Family {
	monitor := "A contact in the strike must tell whether the latch is in it, and a second one whether the door is closed. Without the first, the door can never be secured: what a relay was switched to is not where a bolt is."
	return []setup.Family{
		{
			Key: "tasmota", Name: "A strike behind Tasmota", About: monitor,
			Steps: []string{
				"Relay 1 holds the strike open, Switch1 is the latch’s contact, Switch2 the door’s.",
				"In the device’s console, as one line: Backlog SetOption114 1; SwitchMode1 1; SwitchMode2 1; PulseTime1 105",
				"The last of these lets go of the strike after five seconds, should nobody else do it.",
			},
			Asks: []setup.Question{
				{Key: "topic", Label: "Its topic", Fits: checkTopic, Hint: "In its own page: Configuration, MQTT, Topic. For example strike."},
				{Key: "relay", Label: "Number of the relay", Propose: "1", More: true, Fits: number},
				{Key: "latch", Label: "Number of the latch’s switch", Propose: "1", More: true, Fits: number},
				{Key: "door", Label: "Number of the door’s switch", Propose: "2", More: true, Fits: number},
			},
		},
		{
			Key: "shelly", Name: "A strike behind a Shelly (Plus, Pro or later)", About: monitor,
			Steps: []string{
				"Output 0 holds the strike open, input 0 is the latch’s contact, input 1 the door’s: a model with two inputs.",
				"In its own page, MQTT: on, with Generic status update over MQTT and RPC over MQTT.",
				"Both inputs: type Switch, detached from the output. The output: auto-off after 5 seconds.",
			},
			Asks: []setup.Question{
				{Key: "topic", Label: "Its MQTT prefix", Fits: checkTopic, Hint: "In its own page: Settings, MQTT, MQTT prefix. For example shelly-strike."},
				{Key: "output", Label: "Number of the output", Propose: "0", More: true, Fits: number},
				{Key: "latch", Label: "Number of the latch’s input", Propose: "0", More: true, Fits: number},
				{Key: "door", Label: "Number of the door’s input", Propose: "1", More: true, Fits: number},
			},
		},
		{
			Key: "esphome", Name: "A strike behind ESPHome", About: monitor,
			Steps: []string{
				"The switch holds the strike open, one binary sensor is the latch’s contact, another the door’s.",
				"So that it answers when it is asked, in its own configuration: mqtt: on_message: - topic: strike/ask, then: - lambda: id(latch).publish_state(id(latch).state);",
			},
			Asks: []setup.Question{
				{Key: "topic", Label: "Its topic prefix", Fits: checkTopic, Hint: "mqtt: topic_prefix in its configuration; if there is none, its name. For example strike."},
				{Key: "switch", Label: "Name of the switch", Propose: "strike", More: true, Fits: checkTopic},
				{Key: "latch", Label: "Name of the latch’s sensor", Propose: "latch", More: true, Fits: checkTopic},
				{Key: "door", Label: "Name of the door’s sensor", Propose: "door", More: true, Fits: checkTopic},
				{Key: "ask", Label: "Last word of the topic that asks", Propose: "ask", More: true, Fits: checkTopic},
			},
		},
		{
			Key: "nukihub", Name: "A Nuki behind Nuki Hub",
			About: "Nuki’s own MQTT cannot be asked where the bolt is, so it cannot be used. Nuki Hub can: an ESP32 beside the lock. Or pair the Nuki by Matter.",
			Steps: []string{"In Nuki Hub’s page: MQTT on, and the lock’s door sensor calibrated in Nuki’s app."},
			Asks: []setup.Question{
				{Key: "topic", Label: "MQTT path of Nuki Hub", Propose: "nuki", Fits: checkTopic, Hint: "In its own page: MQTT configuration, MQTT Nuki Hub path."},
				{
					Key: "draw", Label: "What opens the door", Propose: "unlatch",
					Choices: []setup.Choice{{Value: "unlatch", Label: "Unlatch: a knob or no handle outside"}, {Value: "unlock", Label: "Unlock: there is a handle outside"}},
				},
			},
		},
		{
			Key: "hamqtt", Name: "Home Assistant’s convention for MQTT locks",
			About: "A device that announces itself to Home Assistant by MQTT. It must tell its bolt’s own place, and answer when it is asked.",
			Fits:  func(is map[string]string) error { return asksOnly(is["poll"], is["command"]) },
			Asks: []setup.Question{
				{Key: "command", Label: "Topic of orders", Fits: checkTopic, Hint: "command_topic: LOCK and UNLOCK are sent to it."},
				{Key: "state", Label: "Topic of the bolt", Fits: checkTopic, Hint: "state_topic: LOCKED, UNLOCKED or JAMMED is told there."},
				{Key: "contact", Label: "Topic of the door’s contact", Fits: checkTopic, Hint: "Its state_topic: ON is open, OFF is closed."},
				{Key: "poll", Label: "Topic that asks the lock for its state", Fits: checkTopic, Hint: "What is sent there makes it tell its state anew. A lock that has none cannot be used."},
				{Key: "pollword", Label: "What is sent to ask", Propose: "?", More: true},
				{Key: "online", Label: "Topic of its availability", Optional: true, Fits: checkTopic, Hint: "availability_topic: online or offline. Best not left out."},
				{Key: "locked", Label: "Word for locked", Optional: true, More: true, Hint: "state_locked. Left empty: LOCKED."},
				{Key: "unlocked", Label: "Word for unlocked", Optional: true, More: true, Hint: "state_unlocked. Left empty: UNLOCKED."},
				{Key: "lockword", Label: "Order to lock", Optional: true, More: true, Hint: "payload_lock. Left empty: LOCK."},
				{Key: "unlockword", Label: "Order to unlock", Optional: true, More: true, Hint: "payload_unlock. Left empty: UNLOCK."},
			},
		},
		{
			Key: "hand", Name: "Another: type its topics",
			About: "Its maker’s manual has the topics; “mosquitto_sub -v -t '#'” shows what is on the broker while you turn the bolt and open the door by hand.",
			Fits: func(is map[string]string) error {
				if is["polltopic"] == "" && is["repeats"] == "" {
					return errors.New("type the topic that asks where the bolt is, or how often the lock tells it by itself: what it said longer ago than 12 seconds proves nothing")
				}
				return asksOnly(is["polltopic"], is["unlocktopic"], is["locktopic"])
			},
			Asks: []setup.Question{
				{Key: "unlocktopic", Label: "Topic of the order to unlock", Fits: checkTopic},
				{Key: "unlock", Label: "Order to unlock", Hint: "What is sent there, for example ON or unlock."},
				{Key: "locktopic", Label: "Topic of the order to lock", Optional: true, Fits: checkTopic, Hint: "Left empty: the same."},
				{Key: "lock", Label: "Order to lock", Hint: "For example OFF or lock."},
				{Key: "bolt", Label: "Topic of the bolt", Fits: checkTopic, Hint: "Where the bolt’s own contact or sense is told. What a relay was switched to is not that."},
				{Key: "boltpath", Label: "Where in the message", Optional: true, Hint: "For JSON: the keys with dots between them, as Switch1.Action. Left empty: the whole message."},
				{Key: "thrown", Label: "Words for thrown", Fits: words, Hint: "Exactly as they are sent, for example locked. Several with commas."},
				{Key: "drawn", Label: "Words for drawn", Fits: words},
				{Key: "jammed", Label: "Words for jammed", Optional: true, Fits: words},
				{Key: "polltopic", Label: "Topic that asks where the bolt is", Optional: true, Fits: checkTopic, Hint: "What is sent there makes the lock tell it anew."},
				{Key: "poll", Label: "What is sent to ask", Propose: "?", More: true},
				{Key: "repeats", Label: "Or: every how many seconds it tells so by itself", Optional: true, Fits: repeats, Hint: "For a lock that cannot be asked: 1 to 6. One that does neither cannot be used."},
				{Key: "answertopic", Label: "Topic of the answer", Optional: true, Fits: checkTopic, Hint: "Left empty: that of the bolt."},
				{Key: "answerpath", Label: "Where in the answer", Optional: true},
				{Key: "door", Label: "Topic of the door’s contact", Fits: checkTopic},
				{Key: "doorpath", Label: "Where in that message", Optional: true},
				{Key: "closed", Label: "Words for closed", Fits: words},
				{Key: "open", Label: "Words for open", Fits: words},
				{Key: "online", Label: "Topic that tells whether it is there", Optional: true, Fits: checkTopic, Hint: "The device’s last will. Best not left out."},
				{Key: "yes", Label: "Words for being there", Propose: "online", Fits: words, More: true},
				{Key: "no", Label: "Words for being gone", Propose: "offline", Fits: words, More: true},
			},
		},
	}
}

// number is that of a relay or an input.
func number(v string) error {
	if len(v) > 2 || strings.Trim(v, "0123456789") != "" {
		return errors.New("write a number")
	}
	return nil
}

// repeats is how often a lock tells by itself where it is.
func repeats(v string) error {
	if n, err := strconv.Atoi(v); err != nil || n < 1 || n > 6 {
		return errors.New("write a number of seconds from 1 to 6")
	}
	return nil
}

// asksOnly refuses a question that goes where orders go: asking must not move a bolt.
func asksOnly(poll string, orders ...string) error {
	if poll != "" && slices.Contains(orders, poll) {
		return errors.New("the topic that asks is one of orders: asking could move the bolt")
	}
	return nil
}

// words are one or several, with commas.
func words(v string) error {
	for _, w := range strings.Split(v, ",") {
		if strings.TrimSpace(w) == "" {
			return errors.New("there is no word between two commas, or at an end")
		}
	}
	return nil
}

func list(v string) (out []string) {
	for _, w := range strings.Split(v, ",") {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}

// mqttSettings are those of a lock that Zigbee2MQTT lists, or of one of the families.
func mqttSettings(a setup.Access, p setup.Pick) any {
	s := mqtt.Settings{Broker: a.Address, Username: a.User, PasswordFile: a.SecretFile, Lock: p.Lock, Contact: p.Contact, Smoke: p.Smoke}
	if p.Family == "" {
		return s
	}
	is := p.Answers
	if p.Family == "hamqtt" {
		s.Convention = "homeassistant"
		s.HomeAssistant = &mqtt.HomeAssistant{
			CommandTopic: is["command"], StateTopic: is["state"], AvailabilityTopic: is["online"], Contact: mqtt.Binary{StateTopic: is["contact"]},
			Poll: mqtt.Order{Topic: is["poll"], Payload: is["pollword"]}, StateLocked: is["locked"], StateUnlocked: is["unlocked"], PayloadLock: is["lockword"], PayloadUnlock: is["unlockword"],
		}
		return s
	}
	s.Convention = "template"
	t := map[string]func(map[string]string) mqtt.Template{"tasmota": tasmota, "shelly": shelly, "esphome": esphome, "nukihub": nukiHub, "hand": byHand}[p.Family](is)
	s.Template = &t
	return s
}

func tasmota(is map[string]string) mqtt.Template {
	at, latch, door := is["topic"], "Switch"+is["latch"], "Switch"+is["door"]
	order := func(word string) mqtt.Order {
		return mqtt.Order{Topic: "cmnd/" + at + "/POWER" + is["relay"], Payload: word}
	}
	return mqtt.Template{
		Lock: order("OFF"), Unlock: order("ON"),
		Poll:   mqtt.TemplatePoll{Topic: "cmnd/" + at + "/STATUS", Payload: "10", AnswerTopic: "stat/" + at + "/STATUS10", AnswerPath: "StatusSNS." + latch},
		Bolt:   mqtt.TemplateBolt{Topic: "stat/" + at + "/RESULT", Path: latch + ".Action", Thrown: []string{"ON"}, Drawn: []string{"OFF"}},
		Door:   mqtt.TemplateDoor{Topic: "stat/" + at + "/RESULT", Path: door + ".Action", Closed: []string{"ON"}, Open: []string{"OFF"}},
		Online: mqtt.TemplateOnline{Topic: "tele/" + at + "/LWT", Yes: []string{"Online"}, No: []string{"Offline"}},
	}
}

func shelly(is map[string]string) mqtt.Template {
	at := is["topic"]
	src := "eyebolt/" + at // where the device answers: a topic for each, so that no other's answer is taken for it
	order := func(word string) mqtt.Order {
		return mqtt.Order{Topic: at + "/command/switch:" + is["output"], Payload: word}
	}
	return mqtt.Template{
		Lock: order("off"), Unlock: order("on,5"),
		Poll: mqtt.TemplatePoll{
			Topic: at + "/rpc", Payload: fmt.Sprintf(`{"id":1,"src":%q,"method":"Input.GetStatus","params":{"id":%s}}`, src, is["latch"]),
			AnswerTopic: src + "/rpc", AnswerPath: "result.state",
		},
		Bolt:   mqtt.TemplateBolt{Topic: at + "/status/input:" + is["latch"], Path: "state", Thrown: []string{"true"}, Drawn: []string{"false"}},
		Door:   mqtt.TemplateDoor{Topic: at + "/status/input:" + is["door"], Path: "state", Closed: []string{"true"}, Open: []string{"false"}},
		Online: mqtt.TemplateOnline{Topic: at + "/online", Yes: []string{"true"}, No: []string{"false"}},
	}
}

func esphome(is map[string]string) mqtt.Template {
	at := is["topic"]
	order := func(word string) mqtt.Order {
		return mqtt.Order{Topic: at + "/switch/" + is["switch"] + "/command", Payload: word}
	}
	sensor := func(name string) string { return at + "/binary_sensor/" + is[name] + "/state" }
	return mqtt.Template{
		Lock: order("OFF"), Unlock: order("ON"), Poll: mqtt.TemplatePoll{Topic: at + "/" + is["ask"], Payload: "?"},
		Bolt:   mqtt.TemplateBolt{Topic: sensor("latch"), Thrown: []string{"ON"}, Drawn: []string{"OFF"}},
		Door:   mqtt.TemplateDoor{Topic: sensor("door"), Closed: []string{"OFF"}, Open: []string{"ON"}},
		Online: mqtt.TemplateOnline{Topic: at + "/status", Yes: []string{"online"}, No: []string{"offline"}},
	}
}

func nukiHub(is map[string]string) mqtt.Template {
	at := is["topic"]
	order := func(word string) mqtt.Order { return mqtt.Order{Topic: at + "/lock/action", Payload: word} }
	return mqtt.Template{
		Lock: order("lock"), Unlock: order(is["draw"]),
		Poll: mqtt.TemplatePoll{Topic: at + "/lock/query/lockstate", Payload: "1", AnswerTopic: at + "/lock/json", AnswerPath: "lock_state"},
		Bolt: mqtt.TemplateBolt{
			Topic: at + "/lock/state", Thrown: []string{"locked"}, Drawn: []string{"unlocked", "unlatched", "unlockedLnga"},
			Jammed: []string{"motorBlocked"}, Moving: []string{"locking", "unlocking", "unlatching"},
		},
		Door:    mqtt.TemplateDoor{Topic: at + "/lock/doorSensorState", Closed: []string{"doorClosed"}, Open: []string{"doorOpened"}},
		Online:  mqtt.TemplateOnline{Topic: at + "/maintenance/mqttConnectionState", Yes: []string{"online"}, No: []string{"offline"}},
		Battery: mqtt.TemplateValue{Topic: at + "/battery/level"},
		Failure: mqtt.TemplateFailure{Topic: at + "/lock/commandResult", OK: []string{"success", "working"}},
	}
}

func byHand(is map[string]string) mqtt.Template {
	t := mqtt.Template{
		Lock: mqtt.Order{Topic: or(is["locktopic"], is["unlocktopic"]), Payload: is["lock"]}, Unlock: mqtt.Order{Topic: is["unlocktopic"], Payload: is["unlock"]},
		Poll: mqtt.TemplatePoll{Topic: is["polltopic"], Payload: is["poll"], AnswerTopic: is["answertopic"], AnswerPath: is["answerpath"]},
		Bolt: mqtt.TemplateBolt{Topic: is["bolt"], Path: is["boltpath"], Thrown: list(is["thrown"]), Drawn: list(is["drawn"]), Jammed: list(is["jammed"])},
		Door: mqtt.TemplateDoor{Topic: is["door"], Path: is["doorpath"], Closed: list(is["closed"]), Open: list(is["open"])},
	}
	if is["polltopic"] == "" {
		n, _ := strconv.Atoi(is["repeats"]) // it fits
		t.Poll, t.Repeats = mqtt.TemplatePoll{}, time.Duration(n)*time.Second
	}
	if is["online"] != "" {
		t.Online = mqtt.TemplateOnline{Topic: is["online"], Yes: list(is["yes"]), No: list(is["no"])}
	}
	return t
}
