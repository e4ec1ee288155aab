package homeassistant

import (
	"encoding/json"
	"errors"
	"fmt"

	"eyebolt/lock/ws"
)

// Kinds of messages of Home Assistant (developers' documentation, "WebSocket API").
const (
	authRequired = "auth_required"
	authOK       = "auth_ok"
	authInvalid  = "auth_invalid"
	kindResult   = "result"
	kindPong     = "pong"
	kindEvent    = "event"
)

// heard is one message of Home Assistant.
type heard struct {
	kind    string
	id      int
	err     error  // of a result: the refusal
	text    string // of auth_invalid
	body    json.RawMessage
	changes changes // of an event
}

// read reads one message. An error means that nothing in it may be believed.
func read(payload []byte) (heard, error) {
	var m struct {
		Type    string          `json:"type"`
		ID      int             `json:"id"`
		Success *bool           `json:"success"`
		Result  json.RawMessage `json:"result"`
		Message string          `json:"message"`
		Event   json.RawMessage `json:"event"`
		Error   struct {
			Code    json.RawMessage `json:"code"`
			Message string          `json:"message"`
		} `json:"error"`
	}
	if err := json.Unmarshal(payload, &m); err != nil {
		return heard{}, fmt.Errorf("message is not what Home Assistant says: %w", err)
	}
	h := heard{kind: m.Type, id: m.ID, text: m.Message, body: m.Result}
	switch m.Type {
	case kindResult:
		if m.ID == 0 || m.Success == nil {
			return heard{}, errors.New("a result without id or success")
		}
		if !*m.Success {
			h.err, h.body = errors.New(ws.Clip(m.Error.Message, "Home Assistant gives no reason")), nil
		}
	case kindEvent:
		var err error
		if h.changes, err = readChanges(m.Event); err != nil {
			return heard{}, err
		}
	}
	return h, nil
}

// attributes are an entity's.
type attributes map[string]json.RawMessage

// change is one entity's: all of it, or what is different.
type change struct {
	state *string
	set   attributes
	unset []string
	whole bool
}

// changes are what an event of subscribe_entities tells, by entity.
type changes struct {
	of   map[string]change
	gone []string
}

func readChanges(raw json.RawMessage) (changes, error) {
	type part struct {
		State      *string    `json:"s"`
		Attributes attributes `json:"a"`
	}
	var m struct {
		Added   map[string]part                       `json:"a"`
		Changed map[string]map[string]json.RawMessage `json:"c"`
		Removed []string                              `json:"r"`
	}
	if len(raw) == 0 {
		return changes{}, nil
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return changes{}, fmt.Errorf("event is not what Home Assistant says: %w", err)
	}
	c := changes{of: map[string]change{}, gone: m.Removed}
	for id, p := range m.Added {
		c.of[id] = change{state: p.State, set: p.Attributes, whole: true}
	}
	for id, p := range m.Changed {
		var plus part
		var minus struct {
			Attributes []string `json:"a"`
		}
		for _, k := range []struct {
			raw json.RawMessage
			to  any
		}{{p["+"], &plus}, {p["-"], &minus}} {
			if len(k.raw) == 0 {
				continue
			}
			if err := json.Unmarshal(k.raw, k.to); err != nil {
				return changes{}, fmt.Errorf("change of %s is not what Home Assistant says: %w", ws.Clip(id, "an entity"), err)
			}
		}
		c.of[id] = change{state: plus.State, set: plus.Attributes, unset: minus.Attributes}
	}
	return c, nil
}

// text is an attribute that is a string, or the word of a truth value; else "".
func (a attributes) text(name string) string {
	var s string
	if json.Unmarshal(a[name], &s) == nil {
		return s
	}
	var b bool
	if len(a[name]) > 0 && json.Unmarshal(a[name], &b) == nil && string(a[name]) != "null" {
		return map[bool]string{true: "true", false: "false"}[b]
	}
	return ""
}

func (a attributes) is(name string) bool {
	var b bool
	return len(a[name]) > 0 && json.Unmarshal(a[name], &b) == nil && b
}
