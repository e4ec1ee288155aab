package onvif

import (
	"slices"
	"strings"
	"time"
)

// Kind is what a camera says is wrong with its picture.
type Kind uint8

const (
	NoKind      Kind = iota
	Dark             // VideoSource/ImageTooDark
	Bright           // VideoSource/ImageTooBright
	Blurry           // VideoSource/ImageTooBlurry
	SceneChange      // VideoSource/GlobalSceneChange: turned, or covered
	SignalLoss       // VideoSource/SignalLoss: no sensor
	Covered          // a tampering rule of the vendor's: RuleEngine/TamperDetector/Tamper and its kind
)

var kindNames = [...]string{"nothing", "too dark", "too bright", "out of focus", "scene changed", "signal lost", "tampered with"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Tamper is one of a camera's own alarms about its picture. It can come late, or not at all: its absence proves nothing.
type Tamper struct {
	Kind    Kind
	On      bool
	At      time.Time     // when, by the camera's clock set right by ours; the hub's own time if the camera's is senseless
	Heard   time.Duration // when it was read, on Config.Now
	Topic   string        // as the camera wrote it
	Source  string        // what the camera says it is about, name=value
	Initial bool          // the state at the time of subscribing, not a change
	Moment  bool          // it may have no end: some cameras tell when it began and nothing more
	Gone    bool          // the camera no longer tells of it at all, in accounts of its states that tell of others
}

// notice is one notification as it was sent, before it means anything.
type notice struct {
	topic     string
	at        time.Time // on the camera's clock; zero if not told
	operation string    // Initialized, Changed, Deleted or ""
	source    string
	data      [][2]string
}

const (
	noticesMost = 256 // in one answer
	itemsMost   = 16  // in one notification
)

// readNotices reads PullMessagesResponse (ONVIF Core, event handling; WS-BaseNotification).
func readNotices(n *node) []notice {
	var all []notice
	for _, k := range n.all("NotificationMessage") {
		if len(all) == noticesMost {
			break
		}
		m := k.at("Message", "Message")
		if m == nil {
			m = k.kid("Message")
		}
		e := notice{topic: plain(clip(k.text("Topic"), 160)), operation: clip(m.attr("PropertyOperation"), 16)}
		e.at, _ = readTime(m.attr("UtcTime"))
		for _, item := range first(m.kid("Source").all("SimpleItem"), itemsMost) {
			e.source += " " + plain(clip(item.attr("Name"), 64)) + "=" + plain(clip(item.attr("Value"), 64))
		}
		e.source = strings.TrimSpace(e.source)
		for _, item := range first(m.kid("Data").all("SimpleItem"), itemsMost) {
			e.data = append(e.data, [2]string{clip(item.attr("Name"), 64), clip(item.attr("Value"), 64)})
		}
		all = append(all, e)
	}
	return all
}

func first[T any](s []T, n int) []T { return s[:min(n, len(s))] }

// readTime reads an xs:dateTime, with or without a zone: without one it is UTC, as ONVIF demands.
func readTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if len(s) > 40 {
		return time.Time{}, false
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(form, s); err == nil && t.Year() >= 1970 && t.Year() <= 2200 {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// kindOf reads a topic. Prefixes and what stands behind (the service that saw it) differ from camera to camera.
func kindOf(topic string) Kind {
	var path []string
	for _, p := range strings.Split(strings.ToLower(topic), "/") {
		path = append(path, strings.TrimSpace(p[strings.LastIndexByte(p, ':')+1:]))
	}
	switch {
	case slices.Contains(path, "imagetoodark"):
		return Dark
	case slices.Contains(path, "imagetoobright"):
		return Bright
	case slices.Contains(path, "imagetooblurry"):
		return Blurry
	case slices.Contains(path, "globalscenechange"):
		return SceneChange
	case slices.Contains(path, "signalloss"), slices.Contains(path, "videoloss"):
		return SignalLoss
	}
	// Device/…/Tamper is about the box, as is a door's: only what concerns the picture counts.
	if len(path) > 0 && (path[0] == "videosource" || path[0] == "ruleengine" || path[0] == "videoanalytics") {
		for _, p := range path[1:] {
			if strings.Contains(p, "tamper") {
				return Covered
			}
		}
	}
	return NoKind
}

// on reads whether a notification says yes. known is false if it says neither yes nor no.
func (e *notice) on() (on, known bool) {
	for _, d := range e.data {
		switch strings.ToLower(strings.TrimSpace(d[1])) {
		case "true", "1", "on", "active":
			return true, true
		case "false", "0", "off", "inactive":
			known = true
		}
	}
	return false, known
}

// tamper gives what the notification means, if it is about the picture.
func (e *notice) tamper() (Tamper, bool) {
	t := Tamper{Kind: kindOf(e.topic), Topic: e.topic, Source: e.source, Initial: e.operation == "Initialized"}
	if t.Kind == NoKind {
		return t, false
	}
	on, known := e.on()
	switch {
	case e.operation == "Deleted":
		t.On = false // the property is gone: a rule was removed
	case known:
		t.On, t.Moment = on, on && e.operation == ""
	case t.Initial:
		return t, false // a state that is not told
	default:
		t.On, t.Moment = true, true
	}
	return t, true
}
