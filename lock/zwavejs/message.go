package zwavejs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"eyebolt/lock/ws"
)

// Command classes (Z-Wave Application Specification, SDS13781) that are read.
const (
	ccBinarySensor = 48
	ccDoorLock     = 98
	ccNotification = 113
	ccBattery      = 128
)

// maxText bounds a word of the server.
const maxText = 200

// heard is one message of the server: a version, a result or an event. The zero value says nothing.
type heard struct {
	version *version
	result  *result
	event   *event
}

type version struct {
	Driver string `json:"driverVersion"`
	Server string `json:"serverVersion"`
	Min    int    `json:"minSchemaVersion"`
	Max    int    `json:"maxSchemaVersion"`
}

// result is the answer to a command.
type result struct {
	id   string
	err  error // the server's own refusal; nil: body holds what it says
	body json.RawMessage
}

// event is something that a node said, or that the server knows of it.
type event struct {
	name     string // "value updated", "notification", "dead", …
	node     int
	class    int
	endpoint int
	property string
	key      string
	value    json.RawMessage
	kind     int // of a notification
	code     int // likewise
	user     int // of a notification: the lock's number for who it was; 0: none
}

var errNoKind = errors.New("a message of no kind that is known")

// read reads one message of the server. An error means that nothing in it may be believed.
func read(payload []byte) (heard, error) {
	var m struct {
		Type    string          `json:"type"`
		ID      string          `json:"messageId"`
		Success *bool           `json:"success"`
		Result  json.RawMessage `json:"result"`
		Event   json.RawMessage `json:"event"`
		Code    string          `json:"errorCode"`
		Text    string          `json:"message"`
		ZText   string          `json:"zwaveErrorMessage"`
		version
	}
	if err := json.Unmarshal(payload, &m); err != nil {
		return heard{}, fmt.Errorf("message is not what Z-Wave JS says: %w", err)
	}
	switch m.Type {
	case "version":
		v := m.version
		return heard{version: &v}, nil
	case "result":
		if m.ID == "" || m.Success == nil {
			return heard{}, errors.New("a result without messageId or success")
		}
		r := &result{id: m.ID, body: m.Result}
		if !*m.Success {
			text := m.ZText
			if text == "" {
				text = strings.TrimSpace(m.Code + " " + m.Text)
			}
			r.err, r.body = errors.New(clip(text)), nil
		}
		return heard{result: r}, nil
	case "event":
		e, err := readEvent(m.Event)
		if err != nil {
			return heard{}, err
		}
		return heard{event: e}, nil
	}
	return heard{}, errNoKind
}

// nodeError is what could not be read of one node's event.
type nodeError struct {
	node int
	err  error
}

func (e *nodeError) Error() string { return fmt.Sprintf("node %d: %v", e.node, e.err) }
func (e *nodeError) Unwrap() error { return e.err }

func of(e *event, err error) (*event, error) {
	if err != nil {
		return nil, &nodeError{e.node, err}
	}
	return e, nil
}

// readEvent gives nil for what is of no interest to anybody.
func readEvent(raw json.RawMessage) (*event, error) {
	var m struct {
		Source   string          `json:"source"`
		Event    string          `json:"event"`
		Node     int             `json:"nodeId"`
		Class    int             `json:"ccId"`
		Endpoint int             `json:"endpointIndex"`
		Args     json.RawMessage `json:"args"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("event is not what Z-Wave JS says: %w", err)
	}
	if m.Source != "node" {
		return nil, nil
	}
	e := &event{name: m.Event, node: m.Node, class: m.Class, endpoint: m.Endpoint}
	switch m.Event {
	case "value added", "value updated", "value removed":
		return of(e, e.readValue(m.Args))
	case "notification":
		return of(e, e.readNotification(m.Args))
	case "dead", "alive", "sleep", "wake up", "ready", "node removed":
		return e, nil
	}
	return nil, nil
}

func (e *event) readValue(args json.RawMessage) error {
	var a struct {
		Class    int             `json:"commandClass"`
		Endpoint int             `json:"endpoint"`
		Property json.RawMessage `json:"property"`
		Key      json.RawMessage `json:"propertyKey"`
		Value    json.RawMessage `json:"newValue"`
	}
	if err := json.Unmarshal(args, &a); err != nil {
		return fmt.Errorf("value is not what Z-Wave JS says: %w", err)
	}
	e.class, e.endpoint, e.property, e.key, e.value = a.Class, a.Endpoint, word(a.Property), word(a.Key), a.Value
	if e.name == "value removed" {
		e.value = nil
	}
	return nil
}

func (e *event) readNotification(args json.RawMessage) error {
	if e.class != ccNotification {
		return nil // of another command class: its args are of another shape
	}
	var a struct {
		Type       *int            `json:"type"`
		Event      *int            `json:"event"`
		Parameters json.RawMessage `json:"parameters"`
	}
	if err := json.Unmarshal(args, &a); err != nil {
		return fmt.Errorf("notification is not what Z-Wave JS says: %w", err)
	}
	if a.Type == nil || a.Event == nil {
		return errors.New("a notification without type or event")
	}
	e.kind, e.code = *a.Type, *a.Event
	var p struct {
		User int `json:"userId"`
	}
	// Parameters have many shapes; only an object with a plausible user says who it was.
	if len(a.Parameters) > 0 && a.Parameters[0] == '{' && json.Unmarshal(a.Parameters, &p) == nil && p.User > 0 && p.User <= 0xFFFF {
		e.user = p.User
	}
	return nil
}

// word is a property or its key: a word, or a number, which is no property of interest.
func word(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil || len(s) > maxText {
		return ""
	}
	return s
}

// number reads a whole number; false for anything else.
func number(raw json.RawMessage) (int, bool) {
	var n int
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) || json.Unmarshal(raw, &n) != nil {
		return 0, false
	}
	return n, true
}

// clip makes a sentence of the server fit for a log.
func clip(s string) string { return ws.Clip(s, "Z-Wave JS says no reason") }
