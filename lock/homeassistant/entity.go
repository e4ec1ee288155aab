package homeassistant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/ws"
)

// entity is what Home Assistant knows of one of the door's devices.
type entity struct {
	state string
	attr  attributes
}

// Words of states that are none.
const (
	unavailable = "unavailable"
	unknown     = "unknown"
)

// with is the entity after a change.
func (e entity) with(c change) entity {
	attr := attributes{}
	if !c.whole {
		maps.Copy(attr, e.attr)
	}
	for _, name := range c.unset {
		delete(attr, name)
	}
	maps.Copy(attr, c.set)
	out := entity{e.state, attr}
	if c.state != nil {
		out.state = *c.state
	} else if c.whole {
		out.state = unknown
	}
	return out
}

// maxState is Home Assistant's own bound of a state, in bytes; it bounds an attribute that is looked at, too.
const maxState = 255

// looked is of an entity what is looked at, bounded: it is kept while the connection lasts, and waits in a flood. What is longer than
// anything that could be of use is as if it were not there.
func (e entity) looked(p plan) entity {
	out := entity{e.state, attributes{}}
	if len(out.state) > maxState {
		out.state = unknown
	}
	for _, name := range []string{p.Seen, p.Bolt, p.Door, "assumed_state", "restored"} {
		if raw := e.attr[name]; len(raw) > 0 && len(raw) <= maxState {
			out.attr[name] = raw
		}
	}
	return out
}

// known says that Home Assistant has a state, whatever it is worth.
func (e entity) known() bool {
	return e.state != "" && e.state != unavailable && e.state != unknown && !e.attr.is("restored")
}

// seen is when the device was heard, as its attribute says.
func (e entity) seen(attribute string) (time.Time, bool) {
	raw := e.attr[attribute]
	var text string
	if json.Unmarshal(raw, &text) == nil && text != "" {
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999-0700", "2006-01-02T15:04:05.999999999"} {
			if at, err := time.Parse(layout, text); err == nil {
				return at, true
			}
		}
		return time.Time{}, false
	}
	var ms float64 // Zigbee2MQTT's "epoch"
	if len(raw) == 0 || json.Unmarshal(raw, &ms) != nil || ms < 1e11 || ms > 1e14 {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(ms)), true
}

// listed is one entity of a list of all.
type listed struct {
	ID         string     `json:"entity_id"`
	State      string     `json:"state"`
	Attributes attributes `json:"attributes"`
}

// maxEntities bounds a list; large homes have some thousand.
const maxEntities = 50_000

func readList(body json.RawMessage) ([]listed, error) {
	var list []listed
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("the list of entities cannot be read: %w", err)
	}
	if len(list) > maxEntities {
		return nil, fmt.Errorf("a list of %d entities: no home has so many", len(list))
	}
	return list, nil
}

func (l listed) name() string { return l.Attributes.text("friendly_name") }

func (l listed) domain() string {
	d, _, _ := strings.Cut(l.ID, ".")
	return d
}

// ids are the door's entities, "" for none.
type ids struct{ lock, contact, smoke, battery string }

func (i ids) all() []string {
	return slices.DeleteFunc([]string{i.lock, i.contact, i.smoke, i.battery}, func(s string) bool { return s == "" })
}

// resolve finds the door's entities by ID or name. The error names the setting and the nearest entity.
func resolve(list []listed, s Settings) (ids, error) {
	var found ids
	for _, w := range []struct {
		field, want, domain string
		id                  *string
	}{
		{"lock", s.Lock, "lock", &found.lock},
		{"contact", s.Contact, "binary_sensor", &found.contact},
		{"smoke", s.Smoke, "binary_sensor", &found.smoke},
		{"battery", s.Battery, "sensor", &found.battery},
	} {
		if w.want == "" {
			continue
		}
		for _, l := range list {
			if l.ID != w.want && (l.name() != w.want || l.domain() != w.domain) {
				continue
			}
			if *w.id != "" {
				return ids{}, fmt.Errorf("%s: %s and %s are both named %q: write the entity", w.field, *w.id, l.ID, w.want)
			}
			*w.id = l.ID
		}
		switch {
		case *w.id == "":
			return ids{}, fmt.Errorf("%s: Home Assistant has no %q%s", w.field, w.want, nearest(list, w.want, w.domain))
		case !strings.HasPrefix(*w.id, w.domain+"."):
			return ids{}, fmt.Errorf("%s: %s is no %s", w.field, *w.id, w.domain)
		}
	}
	all := found.all()
	slices.Sort(all)
	if len(slices.Compact(all)) != len(found.all()) {
		return ids{}, errors.New("lock, contact, smoke and battery are partly one entity in Home Assistant: name different ones")
	}
	return found, nil
}

// nearest is the entity of this domain whose ID or name needs the fewest changes to be want, as the end of a sentence.
func nearest(list []listed, want, domain string) string {
	best, least := "", 0
	for _, l := range list {
		if l.domain() != domain {
			continue
		}
		for _, name := range []string{l.ID, l.name()} {
			if d := distance(want, name); name != "" && (best == "" || d < least) {
				best, least = name, d
			}
		}
	}
	if best == "" {
		return ": it has no " + domain + " at all"
	}
	return fmt.Sprintf("; did you mean %q?", ws.Clip(best, domain))
}

// distance is Levenshtein's, of at most maxName bytes of each.
func distance(a, b string) int {
	a, b = a[:min(len(a), maxName)], b[:min(len(b), maxName)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := left
			if a[i] != b[j] {
				d++
			}
			left = row[j+1]
			row[j+1] = min(d, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

var _ lock.List = List

// List asks Home Assistant for its locks, contacts and smoke sensors (lock.List). settings need url and token_file.
func List(ctx context.Context, settings any, log *slog.Logger) ([]lock.Device, error) {
	s, err := settingsOf(settings)
	if err != nil {
		return nil, err
	}
	p, err := s.reach()
	if err != nil {
		return nil, err
	}
	for _, d := range []struct {
		to   *string
		word string
	}{{&p.Seen, "last_seen"}, {&p.Bolt, "lock_state"}, {&p.Door, "contact"}} {
		if *d.to == "" {
			*d.to = d.word
		}
	}
	conn, err := ws.Open(ctx, p.target, maxMessage)
	if err != nil {
		return nil, explain(err)
	}
	defer conn.Close()
	session := &session{conn: conn}
	if err := session.signIn(ctx, p.token); err != nil {
		return nil, err
	}
	list, err := session.list(ctx, func() time.Duration { return 0 })
	if err != nil {
		return nil, err
	}
	var out []lock.Device
	for _, l := range list {
		if d, ok := l.device(p); ok {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b lock.Device) int {
		if (a.Why == "") != (b.Why == "") {
			return map[bool]int{true: -1, false: 1}[a.Why == ""]
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out[:min(len(out), lock.MostDevices)], nil
}

// device says what an entity is for a door.
func (l listed) device(p plan) (lock.Device, bool) {
	d := lock.Device{ID: cut(l.ID), Name: cut(l.name())}
	e := entity{l.State, l.Attributes}
	class := l.Attributes.text("device_class")
	switch {
	case l.domain() == "lock":
		d.Kind = lock.KindLock
		d.Can = lock.Can{Bolt: true, Jam: true, Poll: true}
		if err := e.fit(l.ID, p.Bolt, p.Seen); err != nil && e.known() {
			d.Why = cut(err.Error())
		}
	case l.domain() == "binary_sensor" && (class == "door" || class == "opening" || class == "garage_door"):
		d.Kind = lock.KindContact
		if err := e.fit(l.ID, p.Door, p.Seen); err != nil && e.known() {
			d.Why = cut(err.Error())
		}
	case l.domain() == "binary_sensor" && (class == "smoke" || class == "carbon_monoxide"):
		d.Kind = lock.KindSmoke
	default:
		return lock.Device{}, false
	}
	if !e.known() {
		d.Why = "Home Assistant does not reach it now: look at its integration"
	}
	return d, true
}

// fit says why an entity can prove nothing.
func (e entity) fit(id, word, seen string) error {
	if e.attr.is("assumed_state") {
		return fmt.Errorf("%s is only assumed by Home Assistant (assumed_state): turn optimistic off in its integration, or use another", id)
	}
	if _, ok := e.seen(seen); !ok {
		return fmt.Errorf("%s has no time in its attribute %s: nobody can tell a report from a memory (for Zigbee2MQTT: last_seen: ISO_8601)", id, seen)
	}
	if len(e.attr[word]) == 0 {
		return fmt.Errorf("%s has no attribute %s with the device's own word", id, word)
	}
	return nil
}

// cut bounds a device's text.
func cut(s string) string { return s[:min(len(s), 256)] }
