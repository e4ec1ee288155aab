package zwavejs

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"eyebolt/lock"
)

// Status of a node (NodeStatus of Z-Wave JS).
const (
	statusUnknown = iota
	statusAsleep
	statusAwake
	statusDead
	statusAlive
)

// network is what the server knows when it is asked for everything: the parts of it that are used.
type network struct {
	nodes []node
}

type node struct {
	ID         int     `json:"nodeId"`
	Name       string  `json:"name"`
	Location   string  `json:"location"`
	Status     int     `json:"status"`
	Ready      bool    `json:"ready"`
	Controller bool    `json:"isControllerNode"`
	Values     []value `json:"values"`
	Config     struct {
		Maker string `json:"manufacturer"`
		Label string `json:"label"`
		Say   string `json:"description"`
	} `json:"deviceConfig"`
}

// value is one of a node's, as the server last heard of it.
type value struct {
	Class    int             `json:"commandClass"`
	Endpoint int             `json:"endpoint"`
	Property json.RawMessage `json:"property"`
	Key      json.RawMessage `json:"propertyKey"`
	Value    json.RawMessage `json:"value"`
}

// maxNodes bounds a network; Z-Wave Long Range has room for some 4000.
const maxNodes = 4096

func readNetwork(body json.RawMessage) (network, error) {
	var m struct {
		State *struct {
			Nodes []node `json:"nodes"`
		} `json:"state"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return network{}, fmt.Errorf("the list of nodes cannot be read: %w", err)
	}
	if m.State == nil || m.State.Nodes == nil {
		return network{}, errors.New("Z-Wave JS lists no nodes")
	}
	if len(m.State.Nodes) > maxNodes {
		return network{}, fmt.Errorf("Z-Wave JS lists %d nodes: no network has so many", len(m.State.Nodes))
	}
	return network{m.State.Nodes}, nil
}

// readNode reads what the server knows of one node.
func readNode(body json.RawMessage, id int) (network, error) {
	var m struct {
		State *node `json:"state"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return network{}, fmt.Errorf("what Z-Wave JS knows of node %d cannot be read: %w", id, err)
	}
	if m.State == nil || m.State.ID != id {
		return network{}, fmt.Errorf("Z-Wave JS does not say what it knows of node %d", id)
	}
	return network{[]node{*m.State}}, nil
}

// ids are the door's nodes, 0 for none.
type ids struct{ lock, contact, smoke int }

// resolve finds the door's nodes. The error names the setting and, for a name, the nearest one.
func (n network) resolve(s Settings) (ids, error) {
	var found ids
	for _, w := range []struct {
		field, want string
		id          *int
	}{{"lock", s.Lock, &found.lock}, {"contact", s.Contact, &found.contact}, {"smoke", s.Smoke, &found.smoke}} {
		if w.want == "" {
			continue
		}
		id, err := n.find(w.field, w.want)
		if err != nil {
			return ids{}, err
		}
		*w.id = id
	}
	if found.lock == found.contact || found.lock == found.smoke || (found.contact != 0 && found.contact == found.smoke) {
		return ids{}, errors.New("lock, contact and smoke are one node in Z-Wave JS: name different ones")
	}
	if l, ok := n.node(found.lock); ok && l.Ready && !slices.ContainsFunc(l.Values, func(v value) bool { return v.Class == ccDoorLock }) {
		return ids{}, fmt.Errorf("node %d has no Door Lock command class: is it the lock?", found.lock)
	}
	return found, nil
}

func (n network) node(id int) (node, bool) {
	i := slices.IndexFunc(n.nodes, func(k node) bool { return k.ID == id })
	if i < 0 {
		return node{}, false
	}
	return n.nodes[i], true
}

func (n network) find(field, want string) (int, error) {
	if id, err := strconv.Atoi(want); err == nil {
		if _, ok := n.node(id); ok {
			return id, nil
		}
		return 0, fmt.Errorf("%s: Z-Wave JS has no node %d; it has %s", field, id, n.list())
	}
	id := 0
	for _, k := range n.nodes {
		if k.Name != want {
			continue
		}
		if id != 0 {
			return 0, fmt.Errorf("%s: nodes %d and %d are both named %q: write the number", field, id, k.ID, want)
		}
		id = k.ID
	}
	if id == 0 {
		return 0, fmt.Errorf("%s: Z-Wave JS has no node named %q; it has %s", field, want, n.list())
	}
	return id, nil
}

// maxListed is how many nodes a sentence names.
const maxListed = 12

func (n network) list() string {
	var s []string
	for _, k := range n.nodes {
		switch {
		case k.ID == 1: // the stick
		case len(s) == maxListed:
			return strings.Join(s, ", ") + " and more"
		case k.Name != "":
			s = append(s, fmt.Sprintf("%d (%s)", k.ID, clip(k.Name)))
		default:
			s = append(s, strconv.Itoa(k.ID))
		}
	}
	if len(s) == 0 {
		return "none but the stick"
	}
	return strings.Join(s, ", ")
}

// usable says why commands cannot reach a lock of this status.
func usable(id, status int, ready bool) error {
	switch {
	case status == statusDead:
		return fmt.Errorf("%w: Z-Wave JS calls node %d dead: check the lock's batteries and its distance", lock.ErrOffline, id)
	case status == statusAsleep:
		return fmt.Errorf("%w: node %d sleeps, and a command would wait until it wakes: no door lock does that", lock.ErrOffline, id)
	case !ready:
		return fmt.Errorf("%w: Z-Wave JS does not know node %d yet: wait for its interview", lock.ErrOffline, id)
	}
	return nil
}
