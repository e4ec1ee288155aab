package matter

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	// testNodes is the first number of the server's imported test nodes, which answer from a file: never a door's.
	testNodes = 900_000
	// maxNodes bounds a network; the largest homes have some hundred nodes.
	maxNodes = 4096
	// anyEndpoint stands for the only endpoint of its kind.
	anyEndpoint = -1
)

// node is what the server knows of one: the parts that are used.
type node struct {
	ID         uint64                     `json:"node_id"`
	Available  bool                       `json:"available"`
	Bridge     bool                       `json:"is_bridge"`
	Attributes map[string]json.RawMessage `json:"attributes"`
}

type network struct{ nodes []node }

func readNetwork(body json.RawMessage) (network, error) {
	var nodes []node
	if err := json.Unmarshal(body, &nodes); err != nil {
		return network{}, fmt.Errorf("the list of nodes cannot be read: %w", err)
	}
	if len(nodes) > maxNodes {
		return network{}, fmt.Errorf("the Matter server lists %d nodes: no home has so many", len(nodes))
	}
	return network{nodes}, nil
}

// place is one endpoint of one node; the zero value is none.
type place struct {
	node     uint64
	endpoint int
}

// ids are the door's devices.
type ids struct {
	lock, contact, smoke place
	battery              path // of the lock's node; zero: none
}

// resolve finds the door's devices. The error names the setting and what there is.
func (n network) resolve(p plan) (ids, error) {
	var found ids
	for _, w := range []struct {
		field, want string
		cluster     uint32
		what        string
		at          *place
	}{
		{"lock", p.Lock, clusterLock, "lock", &found.lock},
		{"contact", p.Contact, clusterBoolean, "contact", &found.contact},
		{"smoke", p.Smoke, clusterSmoke, "smoke alarm", &found.smoke},
	} {
		if w.want == "" {
			continue
		}
		at, err := n.find(w.field, w.want, w.cluster, w.what)
		if err != nil {
			return ids{}, err
		}
		*w.at = at
	}
	k, _ := n.node(found.lock.node)
	if k.bridges(found.lock.endpoint) {
		return ids{}, fmt.Errorf("lock: node %d is a bridge, which answers from memory for a lock of another radio: pair the lock itself, or use that radio's driver", k.ID)
	}
	if k.needsPIN(found.lock.endpoint) && p.pin == nil {
		return ids{}, errors.New("lock: it demands a PIN for commands from afar: give one by pin_file")
	}
	found.battery = k.battery(found.lock.endpoint)
	return found, nil
}

func (n network) node(id uint64) (node, bool) {
	i := slices.IndexFunc(n.nodes, func(k node) bool { return k.ID == id })
	if i < 0 {
		return node{}, false
	}
	return n.nodes[i], true
}

func (n network) find(field, want string, cluster uint32, what string) (place, error) {
	at, byNumber := number(want)
	var k node
	if byNumber {
		var ok bool
		if k, ok = n.node(at.node); !ok {
			return place{}, fmt.Errorf("%s: the Matter server has no node %d; it has %s", field, at.node, n.list())
		}
	} else {
		for _, other := range n.nodes {
			if other.ID >= testNodes || other.label() != want {
				continue
			}
			if k.ID != 0 {
				return place{}, fmt.Errorf("%s: nodes %d and %d are both named %q: write the number", field, k.ID, other.ID, want)
			}
			k = other
		}
		if k.ID == 0 {
			return place{}, fmt.Errorf("%s: the Matter server has no node named %q; it has %s", field, want, n.list())
		}
		at = place{node: k.ID, endpoint: anyEndpoint}
	}
	has := k.endpoints(cluster)
	switch {
	case at.endpoint != anyEndpoint && !slices.Contains(has, at.endpoint):
		return place{}, fmt.Errorf("%s: endpoint %d of node %d is no %s", field, at.endpoint, at.node, what)
	case at.endpoint != anyEndpoint:
		return at, nil
	case len(has) == 0:
		return place{}, fmt.Errorf("%s: node %d is no %s", field, at.node, what)
	case len(has) > 1:
		return place{}, fmt.Errorf("%s: node %d has several (endpoints %v): write %d/%d for the first", field, at.node, has, at.node, has[0])
	}
	at.endpoint = has[0]
	return at, nil
}

// marks are the attributes by which a cluster is known to be there.
var marks = map[uint32]uint32{clusterLock: attrLockState, clusterBoolean: attrStateValue, clusterSmoke: attrSmokeState, clusterPower: attrBatteryPercent}

// contactSensor is a contact's device type (Matter Device Library); other sensors, of leaks say, have the same cluster.
const contactSensor = 0x15

// endpoints are those of a node that have a cluster, in order. Of Boolean State, only contacts.
func (k node) endpoints(cluster uint32) []int {
	var has []int
	for at := range k.Attributes {
		p, ok := readPath(at)
		if ok && p.cluster == cluster && p.attribute == marks[cluster] && (cluster != clusterBoolean || k.isA(p.endpoint, contactSensor)) {
			has = append(has, p.endpoint)
		}
	}
	slices.Sort(has)
	return has
}

// isA says whether an endpoint is of a device type.
func (k node) isA(endpoint, device int) bool {
	var types []struct {
		Type int `json:"0"`
	}
	if json.Unmarshal(k.Attributes[path{endpoint, clusterDescriptor, attrDeviceTypes}.String()], &types) != nil {
		return false
	}
	for _, t := range types {
		if t.Type == device {
			return true
		}
	}
	return false
}

// needsPIN says that the lock at an endpoint takes orders from afar with a PIN only.
func (k node) needsPIN(endpoint int) bool {
	return strings.TrimSpace(string(k.Attributes[path{endpoint, clusterLock, attrNeedsPIN}.String()])) == "true"
}

// bridges says whether an endpoint stands for a device that is no Matter node itself.
func (k node) bridges(endpoint int) bool {
	if k.Bridge {
		return true
	}
	for at := range k.Attributes {
		if p, ok := readPath(at); ok && p.endpoint == endpoint && p.cluster == clusterBridged {
			return true
		}
	}
	return false
}

// battery is where the lock's charge is: on its own endpoint, else on the first that has one.
func (k node) battery(endpoint int) path {
	has := k.endpoints(clusterPower)
	switch {
	case len(has) == 0:
		return path{}
	case slices.Contains(has, endpoint):
		return path{endpoint, clusterPower, attrBatteryPercent}
	}
	return path{has[0], clusterPower, attrBatteryPercent}
}

func (k node) label() string { return k.text(attrNodeLabel) }

func (k node) text(attribute uint32) string {
	var s string
	if json.Unmarshal(k.Attributes[path{0, clusterBasic, attribute}.String()], &s) != nil {
		return ""
	}
	return s
}

// maxListed is how many nodes a sentence names.
const maxListed = 12

func (n network) list() string {
	var s []string
	for _, k := range n.nodes {
		switch {
		case len(s) == maxListed:
			return strings.Join(s, ", ") + " and more"
		case k.label() != "":
			s = append(s, fmt.Sprintf("%d (%s)", k.ID, clip(k.label())))
		default:
			s = append(s, strconv.FormatUint(k.ID, 10))
		}
	}
	if len(s) == 0 {
		return "none: add the lock to it first"
	}
	return strings.Join(s, ", ")
}
