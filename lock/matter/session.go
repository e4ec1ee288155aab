package matter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/ws"
)

const (
	// schema is the version of the server's messages that is spoken; servers say which they speak, and from which on they understand.
	schema = 11
	// maxState bounds the list of all nodes with their attributes: some 10 to 50 KiB a node.
	maxState = 32 << 20
	// handshakeLimit is how long it may take from the connection until events come.
	handshakeLimit = 10 * time.Second
	// misfitPause is how long a server without the door's nodes is left alone: somebody may add or name one meanwhile.
	misfitPause = 2 * time.Second
)

// session is one connection on which events come.
type session struct {
	conn  *ws.Conn
	ids   ids
	over  chan struct{} // closed at its end
	calls ws.Calls[command]

	// Under driver.mu.
	asking  bool          // a question to the lock is with the server
	asked   time.Duration // since when
	told    bool          // that it takes too long
	again   bool          // another is to follow it
	sensing [2]bool       // a question to the contact, to the smoke alarm is with the server
	drawing int           // orders on their way: nothing else of ours is to be ahead of them in the server
	order   bool          // an order is with the server
	throws  int           // Locks of this age that are with the server
	age     int           // goes up with each order, and with each answer of the lock
}

// command is one of which nothing was heard yet.
type command struct {
	kind     kind
	paths    []path        // of a read
	deadline time.Duration // of an order
	age      int           // of a Lock
	answer   chan error    // of a proof
}

type kind uint8

const (
	readLock kind = iota
	readContact
	readSmoke
	readProof // of the lock, before an order
	sendLock
	sendUnlock
)

// serve runs one connection to its end. was says whether events came.
func (d *driver) serve(ctx context.Context) (was bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, err := ws.Open(ctx, d.plan.target, maxState)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	greet, enough := context.WithTimeout(ctx, handshakeLimit)
	nodes, err := handshake(greet, conn)
	enough()
	if err != nil {
		return false, err
	}
	found, err := nodes.resolve(d.plan)
	if err != nil {
		d.put(item{what: misfit, err: err})
		d.setHealth(err)
		ws.Pause(ctx, misfitPause)
		return false, nil
	}
	s := &session{conn: conn, ids: found, over: make(chan struct{})}
	defer close(s.over)
	defer d.abandon(s)
	d.mu.Lock()
	d.session = s
	k, _ := nodes.node(found.lock.node)
	d.put(item{what: connected, ids: found, reach: k.Available})
	d.mu.Unlock()
	return true, ws.Serve(ctx, conn, func(payload []byte) { d.hear(s, payload) })
}

// abandon tells of an order whose answer can no longer come.
func (d *driver) abandon(s *session) {
	for _, c := range s.calls.Overdue(d.now(), func(command) time.Duration { return -1 }) {
		if c.What.kind == sendUnlock {
			d.put(item{what: carried, err: errSilent, deadline: c.What.deadline, loose: true})
		}
	}
}

// handshake reads the greeting and asks for events and what there is.
func handshake(ctx context.Context, conn *ws.Conn) (network, error) {
	payload, err := conn.Read(ctx)
	if err != nil {
		return network{}, err
	}
	greeting, err := read(payload)
	if err != nil || greeting.hello == nil {
		return network{}, errors.New("what answers there is no Matter server: check the url")
	}
	if h := greeting.hello; h.Least > schema || h.Schema < schema {
		return network{}, fmt.Errorf("this Matter server (%s) speaks versions %d to %d of its messages, we %d: update the older one",
			clip(h.SDK), h.Least, h.Schema, schema)
	}
	const id = "listen"
	b, err := json.Marshal(map[string]any{"message_id": id, "command": "start_listening", "args": map[string]any{}})
	if err != nil {
		return network{}, err
	}
	if _, err := conn.Send(b, 0, ctx.Err); err != nil {
		return network{}, err
	}
	for {
		payload, err := conn.Read(ctx)
		if err != nil {
			return network{}, err
		}
		m, err := read(payload)
		switch {
		case errors.Is(err, errNoKind):
		case err != nil:
			return network{}, err
		case m.result != nil && m.result.id == id && m.result.err != nil:
			return network{}, m.result.err
		case m.result != nil && m.result.id == id:
			return readNetwork(m.result.body)
		}
	}
}

// hear sorts one message; it runs in the connection's reader and never waits.
func (d *driver) hear(s *session, payload []byte) {
	m, err := read(payload)
	var of *nodeError
	switch {
	case errors.As(err, &of) && !s.ids.has(of.node):
	case errors.Is(err, errNoKind):
		d.log.Debug("unknown kind of message")
	case err != nil:
		d.put(item{what: unreadable, err: err})
	case m.result != nil:
		id, err := strconv.Atoi(m.result.id)
		if err != nil {
			return // not a number of ours
		}
		if c, ok := s.calls.Take(id); ok { // else one that was given up
			d.settle(s, c, *m.result)
		}
	case m.event != nil && s.ids.interest(m.event):
		d.put(item{what: said, event: m.event})
	}
}

func (i ids) has(node uint64) bool {
	return node != 0 && (node == i.lock.node || node == i.contact.node || node == i.smoke.node)
}

// interest says whether the witness has a use for an event; a busy network says much that is not for us.
func (i ids) interest(e *event) bool {
	switch at := (place{e.node, e.path.endpoint}); {
	case !i.has(e.node):
		return false
	case e.about == updated || e.about == removed:
		return true
	case at == i.lock && e.path.cluster == clusterLock:
		return e.about == occurred || e.path.attribute == attrLockState || e.path.attribute == attrDoorState
	case e.about == occurred:
		return false
	case e.node == i.lock.node && e.path == i.battery:
		return true
	case at == i.contact && e.path.cluster == clusterBoolean:
		return e.path.attribute == attrStateValue
	case at == i.smoke && e.path.cluster == clusterSmoke:
		return e.path.attribute == attrSmokeState || e.path.attribute == attrCOState
	}
	return false
}

// paths are what is read of the lock's node, LockState first: the door's senses with it, where they are of the same node.
func (i ids) paths(k kind, doorSense bool) []path {
	contact := path{i.contact.endpoint, clusterBoolean, attrStateValue}
	smoke := []path{{i.smoke.endpoint, clusterSmoke, attrSmokeState}, {i.smoke.endpoint, clusterSmoke, attrCOState}}
	switch k {
	case readContact:
		return []path{contact}
	case readSmoke:
		return smoke
	case readLock, readProof, sendLock, sendUnlock:
	}
	p := []path{{i.lock.endpoint, clusterLock, attrLockState}}
	if doorSense {
		p = append(p, path{i.lock.endpoint, clusterLock, attrDoorState})
	}
	if i.battery != (path{}) {
		p = append(p, i.battery)
	}
	if i.contact.node == i.lock.node {
		p = append(p, contact)
	}
	if i.smoke.node == i.lock.node {
		p = append(p, smoke...)
	}
	return p
}

// settle tells the witness, and who waits, what became of a command.
func (d *driver) settle(s *session, c ws.Call[command], r result) {
	if r.err != nil && d.plan.pin != nil { // a server may repeat what it was given
		r.err = errors.New(strings.ReplaceAll(r.err.Error(), string(d.plan.pin), "…"))
	}
	k := c.What.kind
	d.mu.Lock()
	switch k {
	case readLock:
		s.asking = false
		s.pass(r.err)
	case readContact, readSmoke:
		s.sensing[k-readContact] = false
	case sendLock:
		if c.What.age == s.age {
			s.throws--
		}
	case sendUnlock:
		s.order = false
		if errors.Is(r.err, errSilent) { // as the witness will say, but at once: no other order may leave meanwhile
			d.healthy = fmt.Errorf("%w: %w", lock.ErrOffline, errLoose)
		}
	case readProof:
		s.pass(r.err)
	}
	d.mu.Unlock()
	if k == sendLock || k == sendUnlock {
		d.put(item{what: carried, err: r.err, deadline: c.What.deadline, loose: k == sendUnlock && errors.Is(r.err, errSilent)})
		return
	}
	m := item{what: answered, of: k, sent: c.Sent, err: r.err}
	if r.err == nil {
		m.answer, m.err = readAnswer(r.body, c.What.paths)
	} else {
		m.err = fmt.Errorf("%w: %w", errNoAnswer, r.err)
	}
	if k == readProof {
		m.of = readLock
		c.What.answer <- m.err
	}
	d.put(m)
}

// pass is called when the lock has answered: what the server had for it before is done.
func (s *session) pass(err error) {
	if err == nil {
		s.throws, s.age = 0, s.age+1
	}
}

// write sends one command on s, if check agrees at the last moment.
func (d *driver) write(ctx context.Context, s *session, c command, name string, args map[string]any, within time.Duration, check func() error) error {
	encode := func(id int) ([]byte, error) {
		return json.Marshal(map[string]any{"message_id": strconv.Itoa(id), "command": name, "args": args})
	}
	sent, lost, err := s.calls.Send(s.conn, c, d.now(), within, encode, func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		d.mu.Lock()
		current := d.session == s && !d.closed
		d.mu.Unlock()
		if !current { // never on a connection that was replaced
			return lock.ErrOffline
		}
		return check()
	})
	d.unheard(s, lost)
	return lock.Outcome(sent, err)
}

// read asks for attributes of a node.
func (d *driver) read(ctx context.Context, s *session, c command, node uint64) error {
	var names []string
	for _, p := range slices.Compact(c.paths) {
		names = append(names, p.String())
	}
	args := map[string]any{"node_id": node, "attribute_path": names}
	return d.write(ctx, s, c, "read_attribute", args, 0, func() error { return nil })
}

func (d *driver) down(err error) {
	err = ws.Explain("the Matter server", err)
	d.setHealth(fmt.Errorf("%w: %w", lock.ErrOffline, err))
	d.put(item{what: disconnected, err: err})
}

func (d *driver) setHealth(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.session, d.healthy = nil, err
}

func (d *driver) put(m item) {
	m.at = d.now()
	d.inbox.Put(m)
}
