package mqtt

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// path is where in a JSON payload a value lies: keys from the outside in; a number is a place in a list. Empty: the whole payload
// is the value.
type path []string

// maxDepth bounds a path; the deepest that a vendor documents has four.
const maxDepth = 16

// readPath reads the dotted form of the settings: StatusSNS.Switch1.
func readPath(s string) (path, error) {
	if s == "" {
		return nil, nil
	}
	p := path(strings.Split(s, "."))
	if len(p) > maxDepth {
		return nil, fmt.Errorf("path %q has more than %d keys", s, maxDepth)
	}
	for _, k := range p {
		if k == "" {
			return nil, fmt.Errorf("path %q has an empty key: write keys with a dot between them, such as StatusSNS.Switch1", s)
		}
	}
	return p, nil
}

// read gives the value that lies there, as text: a string's letters, a number or a truth value as it is written. said is silent if
// the payload has no such place, null if it says null. An error means that the payload cannot be read: what it says is unknown.
func (p path) read(payload []byte) (said, string, error) {
	if len(payload) > maxState {
		return silent, "", fmt.Errorf("payload of %d bytes: more than %d are not read", len(payload), maxState)
	}
	if len(p) == 0 {
		s := strings.TrimSpace(string(payload))
		switch {
		case s == "": // a retained state that is deleted
			return silent, "", nil
		case len(s) > maxWord:
			return value, "?", nil
		}
		return value, s, nil
	}
	if len(payload) == 0 {
		return silent, "", nil
	}
	at := json.RawMessage(payload)
	for _, k := range p {
		var inside json.RawMessage
		var list []json.RawMessage
		var object map[string]json.RawMessage
		switch {
		case json.Unmarshal(at, &object) == nil && object != nil:
			inside = object[k]
		case json.Unmarshal(at, &list) == nil:
			if i, err := strconv.Atoi(k); err == nil && i >= 0 && i < len(list) {
				inside = list[i]
			}
		case !json.Valid(payload):
			return silent, "", errors.New("payload is not JSON")
		}
		if len(inside) == 0 {
			return silent, "", nil
		}
		at = inside
	}
	text := strings.TrimSpace(string(at))
	switch {
	case text == "null":
		return null, "", nil
	case text[0] == '"':
		s, word := readWord(at)
		return s, word, nil
	case text[0] == '{' || text[0] == '[' || len(text) > maxWord:
		return value, "?", nil
	}
	return value, text, nil
}
