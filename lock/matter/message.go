package matter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"eyebolt/lock/ws"
)

// Clusters that are read (Matter Application Cluster Specification), with the attributes and events of each that are of use.
const (
	clusterDescriptor = 0x1D
	clusterBasic      = 0x28
	clusterPower      = 0x2F
	clusterBridged    = 0x39
	clusterBoolean    = 0x45
	clusterSmoke      = 0x5C
	clusterLock       = 0x101

	attrDeviceTypes    = 0x00 // Descriptor
	attrVendorName     = 0x01 // Basic Information
	attrProductName    = 0x03
	attrNodeLabel      = 0x05
	attrBatteryPercent = 0x0C // Power Source, in half percents
	attrStateValue     = 0x00 // Boolean State: true is closed
	attrSmokeState     = 0x01 // Smoke CO Alarm
	attrCOState        = 0x02
	attrLockState      = 0x00 // Door Lock
	attrDoorState      = 0x03
	attrNeedsPIN       = 0x33

	eventStateChange = 0x00 // Boolean State
	eventAlarm       = 0x00 // Door Lock
	eventDoor        = 0x01
	eventOperation   = 0x02
	eventError       = 0x03
)

// path is one attribute of a node.
type path struct {
	endpoint  int
	cluster   uint32
	attribute uint32
}

func (p path) String() string { return fmt.Sprintf("%d/%d/%d", p.endpoint, p.cluster, p.attribute) }

// readPath reads "1/257/0"; false for anything else.
func readPath(s string) (path, bool) {
	a, rest, ok1 := strings.Cut(s, "/")
	b, c, ok2 := strings.Cut(rest, "/")
	endpoint, err1 := strconv.ParseUint(a, 10, 16)
	cluster, err2 := strconv.ParseUint(b, 10, 32)
	attribute, err3 := strconv.ParseUint(c, 10, 32)
	if !ok1 || !ok2 || err1 != nil || err2 != nil || err3 != nil {
		return path{}, false
	}
	return path{int(endpoint), uint32(cluster), uint32(attribute)}, true
}

// heard is one message of the server: a greeting, a result or an event. The zero value says nothing.
type heard struct {
	hello  *hello
	result *result
	event  *event
}

// hello is how the server greets.
type hello struct {
	Schema int    `json:"schema_version"`
	Least  int    `json:"min_supported_schema_version"`
	SDK    string `json:"sdk_version"`
}

// result is the answer to a command.
type result struct {
	id   string
	err  error // the server's own refusal; nil: body holds what it says
	body json.RawMessage
}

type about uint8

const (
	attribute about = iota // an attribute has another value
	occurred               // something happened at the node
	updated                // the server knows more of a node, or can no longer reach it
	removed                // the node left
)

// event is something that a node said, or that the server knows of it.
type event struct {
	about     about
	node      uint64
	path      path            // of attribute; of occurred without its attribute
	value     json.RawMessage // of attribute
	code      uint32          // of occurred: which event of its cluster
	data      deedData        // of occurred
	available bool            // of updated
}

// deedData is what an event of a door lock may say; -1 and 0: it does not.
type deedData struct {
	Operation int
	Source    int
	User      int
	Alarm     int
	Door      int
	Error     int
}

// maxValue bounds an attribute's value in bytes: what is of use is a number, or true or false.
const maxValue = 64

var errNoKind = errors.New("a message of no kind that is known")

// read reads one message of the server. An error means that nothing in it may be believed.
func read(payload []byte) (heard, error) {
	var m struct {
		ID     *string         `json:"message_id"`
		Result json.RawMessage `json:"result"`
		Code   *int            `json:"error_code"`
		Text   string          `json:"details"`
		Event  *string         `json:"event"`
		Data   json.RawMessage `json:"data"`
		Fabric json.RawMessage `json:"fabric_id"`
		hello
	}
	if err := json.Unmarshal(payload, &m); err != nil {
		return heard{}, fmt.Errorf("message is not what a Matter server says: %w", err)
	}
	switch {
	case m.ID != nil:
		r := &result{id: *m.ID, body: m.Result}
		switch {
		case m.Code != nil:
			r.err, r.body = errors.New(clip(m.Text)), nil
		case m.Result == nil:
			return heard{}, errors.New("an answer with neither result nor error")
		}
		return heard{result: r}, nil
	case m.Event != nil:
		e, err := readEvent(*m.Event, m.Data)
		if err != nil {
			return heard{}, err
		}
		return heard{event: e}, nil
	case m.Fabric != nil:
		h := m.hello
		return heard{hello: &h}, nil
	}
	return heard{}, errNoKind
}

// nodeError is what could not be read of one node's event.
type nodeError struct {
	node uint64
	err  error
}

func (e *nodeError) Error() string { return fmt.Sprintf("node %d: %v", e.node, e.err) }
func (e *nodeError) Unwrap() error { return e.err }

// readEvent gives nil for what is of no interest to anybody.
func readEvent(name string, data json.RawMessage) (*event, error) {
	switch name {
	case "attribute_updated":
		return readAttribute(data)
	case "node_event":
		return readOccurred(data)
	case "node_added", "node_updated":
		var m struct {
			Node      *uint64 `json:"node_id"`
			Available bool    `json:"available"`
		}
		if err := json.Unmarshal(data, &m); err != nil || m.Node == nil {
			return nil, fmt.Errorf("%s is not what a Matter server says: %w", name, err)
		}
		return &event{about: updated, node: *m.Node, available: m.Available}, nil
	case "node_removed":
		var node uint64
		if err := json.Unmarshal(data, &node); err != nil {
			return nil, fmt.Errorf("%s is not what a Matter server says: %w", name, err)
		}
		return &event{about: removed, node: node}, nil
	}
	return nil, nil
}

func readAttribute(data json.RawMessage) (*event, error) {
	var m []json.RawMessage
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("attribute is not what a Matter server says: %w", err)
	}
	var node uint64
	var at string
	if len(m) != 3 || isNull(m[0]) || json.Unmarshal(m[0], &node) != nil {
		return nil, errors.New("an attribute of no node")
	}
	if json.Unmarshal(m[1], &at) != nil {
		return nil, &nodeError{node, errors.New("an attribute without its path")}
	}
	p, ok := readPath(at)
	if !ok {
		return nil, &nodeError{node, errors.New("an attribute at no path")}
	}
	if len(m[2]) > maxValue {
		m[2] = nil // nothing that is of use is so long
	}
	return &event{about: attribute, node: node, path: p, value: m[2]}, nil
}

func readOccurred(data json.RawMessage) (*event, error) {
	var m struct {
		Node     *uint64         `json:"node_id"`
		Endpoint *uint16         `json:"endpoint_id"`
		Cluster  *uint32         `json:"cluster_id"`
		Code     *uint32         `json:"event_id"`
		Data     json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("event is not what a Matter server says: %w", err)
	}
	if m.Node == nil {
		return nil, errors.New("an event of no node")
	}
	if m.Endpoint == nil || m.Cluster == nil || m.Code == nil {
		return nil, &nodeError{*m.Node, errors.New("an event of no kind")}
	}
	if *m.Cluster == clusterBoolean && *m.Code == eventStateChange {
		return readStateChange(*m.Node, int(*m.Endpoint), m.Data)
	}
	e := &event{about: occurred, node: *m.Node, path: path{endpoint: int(*m.Endpoint), cluster: *m.Cluster}, code: *m.Code}
	if e.path.cluster != clusterLock || m.Data == nil || isNull(m.Data) {
		e.data = deedData{-1, -1, 0, -1, -1, -1}
		return e, nil
	}
	var d struct {
		Operation *int `json:"lockOperationType"`
		Source    *int `json:"operationSource"`
		User      *int `json:"userIndex"`
		Alarm     *int `json:"alarmCode"`
		Door      *int `json:"doorState"`
		Error     *int `json:"operationError"`
	}
	if err := json.Unmarshal(m.Data, &d); err != nil {
		return nil, &nodeError{e.node, fmt.Errorf("an event of the lock: %w", err)}
	}
	or := func(p *int, other int) int {
		if p == nil || *p < 0 || *p > math.MaxUint16 {
			return other
		}
		return *p
	}
	e.data = deedData{or(d.Operation, -1), or(d.Source, -1), or(d.User, 0), or(d.Alarm, -1), or(d.Door, -1), or(d.Error, -1)}
	return e, nil
}

// readStateChange reads a contact's own event as its attribute's new value. A report of the attribute may leave out a door that opens and
// closes within the second between two reports; the events, where the contact has them, leave out nothing.
func readStateChange(node uint64, endpoint int, data json.RawMessage) (*event, error) {
	var d struct {
		State json.RawMessage `json:"stateValue"`
	}
	if err := json.Unmarshal(data, &d); err != nil || len(d.State) > maxValue {
		return nil, &nodeError{node, fmt.Errorf("an event of the contact cannot be read: %w", errors.Join(err, errNoKind))}
	}
	return &event{about: attribute, node: node, path: path{endpoint, clusterBoolean, attrStateValue}, value: d.State}, nil
}

func isNull(raw json.RawMessage) bool { return string(bytes.TrimSpace(raw)) == "null" }

// whole reads a whole number of 0 or more; false for anything else.
func whole(raw json.RawMessage) (int, bool) {
	var n uint32
	if len(raw) == 0 || isNull(raw) || json.Unmarshal(raw, &n) != nil || n > math.MaxInt32 {
		return 0, false
	}
	return int(n), true
}

// clip makes a sentence of the server fit for a log.
func clip(s string) string { return ws.Clip(s, "the Matter server says no reason") }
