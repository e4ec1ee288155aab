package zwavejs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/ws"
)

const (
	// schema is the version of the server's messages that is spoken (its API_SCHEMA); servers speak all from an oldest one on.
	schema = 44
	// schemaLeast is the oldest in which a refusal says why.
	schemaLeast = 32
	// maxState bounds the list of all nodes with their values: some 50 to 500 KiB a node.
	maxState = 32 << 20
	// handshakeLimit is how long it may take from the connection until events come.
	handshakeLimit = 10 * time.Second
	// misfitPause is how long a server without the door's nodes is left alone: somebody may name or include one meanwhile.
	misfitPause = 2 * time.Second
	// tryLater is how a server without its stick says goodbye (RFC 6455 section 7.4, code 1013).
	tryLater = 1013
)

// session is one connection on which events come.
type session struct {
	conn  *ws.Conn
	ids   ids
	over  chan struct{} // closed at its end
	calls ws.Calls[command]

	// Under driver.mu.
	asking bool // a question to the lock is under way
	again  bool // another is to follow it
	learns bool // a question about the smoke sensor is under way
}

// command is one of which nothing was heard yet.
type command struct {
	kind     kind
	deadline time.Duration // of an order
	since    time.Duration // of a question: when the one to the stick left that went before it
	answer   chan result   // of a proof
}

type kind uint8

const (
	kindStick kind = iota // a question to the stick, before the one to the lock
	kindGet
	kindLock
	kindUnlock
	kindProof
	kindState // a question to the server: what it knows of the smoke sensor
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
	found, err := nodes.resolve(d.plan.Settings)
	if err != nil {
		d.put(item{what: misfit, err: err})
		d.setHealth(err)
		ws.Pause(ctx, misfitPause)
		return false, nil
	}
	s := &session{conn: conn, ids: found, over: make(chan struct{})}
	defer close(s.over)
	d.mu.Lock()
	d.session = s
	d.put(item{what: connected, network: nodes, ids: found})
	d.mu.Unlock()
	return true, ws.Serve(ctx, conn, func(payload []byte) { d.hear(s, payload) })
}

// handshake agrees on a version, asks for events and reads what there is.
func handshake(ctx context.Context, conn *ws.Conn) (network, error) {
	payload, err := conn.Read(ctx)
	if err != nil {
		return network{}, err
	}
	hello, err := read(payload)
	if err != nil || hello.version == nil {
		return network{}, errors.New("what answers there is not Z-Wave JS: check the url")
	}
	v := hello.version
	speak := min(v.Max, schema)
	if speak < schemaLeast || v.Min > schema {
		return network{}, fmt.Errorf("this Z-Wave JS (server %s) speaks versions %d to %d of its messages, we %d to %d: update it",
			clip(v.Server), v.Min, v.Max, schemaLeast, schema)
	}
	if _, err := ask(ctx, conn, "initialize", map[string]any{"command": "initialize", "schemaVersion": speak}); err != nil {
		return network{}, err
	}
	body, err := ask(ctx, conn, "start_listening", map[string]any{"command": "start_listening"})
	if err != nil {
		return network{}, err
	}
	return readNetwork(body)
}

// ask sends a command of the handshake and waits for its answer; what comes between is not for us yet.
func ask(ctx context.Context, conn *ws.Conn, id string, command map[string]any) (json.RawMessage, error) {
	command["messageId"] = id
	b, err := json.Marshal(command)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Send(b, 0, ctx.Err); err != nil {
		return nil, err
	}
	for {
		payload, err := conn.Read(ctx)
		if err != nil {
			return nil, err
		}
		m, err := read(payload)
		switch {
		case errors.Is(err, errNoKind):
		case err != nil:
			return nil, err
		case m.result != nil && m.result.id == id:
			return m.result.body, m.result.err
		}
	}
}

// hear sorts one message; it runs in the connection's reader and never waits.
func (d *driver) hear(s *session, payload []byte) {
	m, err := read(payload)
	var of *nodeError
	switch {
	case errors.As(err, &of) && of.node != s.ids.lock && of.node != s.ids.contact && of.node != s.ids.smoke:
	case errors.Is(err, errNoKind):
		d.log.Debug("unknown kind of message")
	case err != nil:
		d.put(item{what: unreadable, err: err})
	case m.result != nil:
		d.result(s, *m.result)
	case m.event != nil && s.ids.interest(m.event):
		d.mu.Lock()
		asking := s.asking
		d.mu.Unlock()
		d.put(item{what: said, event: m.event, asking: asking})
	}
}

// interest says whether the witness has a use for an event; a busy network says much that is not for us.
func (i ids) interest(e *event) bool {
	values := e.name == "value added" || e.name == "value updated" || e.name == "value removed"
	switch e.node {
	case 0:
		return false
	case i.lock:
		return !values || (e.endpoint == 0 && (e.class == ccBattery || e.class == ccNotification || (e.class == ccDoorLock && e.property == "currentMode")))
	case i.contact:
		return values && e.endpoint == 0 && (e.class == ccNotification || e.class == ccBinarySensor)
	case i.smoke:
		return e.name == "ready" || (values && e.class == ccNotification)
	}
	return false
}

// result finds the command that was answered.
func (d *driver) result(s *session, r result) {
	id, err := strconv.Atoi(r.id)
	if err != nil {
		return // not a number of ours
	}
	if c, ok := s.calls.Take(id); ok { // else one that was given up
		d.settle(s, c, r)
	}
}

// settle tells the witness, or who waits, what became of a command.
func (d *driver) settle(s *session, c ws.Call[command], r result) {
	switch c.What.kind {
	case kindProof:
		c.What.answer <- r
	case kindStick:
		if r.err != nil {
			d.put(item{what: answered, sent: c.Sent, err: fmt.Errorf("%w: %w", errProof, r.err)})
			d.asked(s)
			return
		}
		d.put(item{what: cleared, sent: c.Sent, session: s})
	case kindGet:
		d.asked(s)
		m := item{what: answered, sent: c.What.since, err: r.err}
		if r.err == nil {
			m.answer, m.err = readOperation(r.body)
		} else {
			m.err = fmt.Errorf("%w: %w", errNoAnswer, r.err)
		}
		d.put(m)
	case kindLock, kindUnlock:
		err := r.err
		if err == nil {
			err = readSet(r.body)
		}
		d.put(item{what: carried, err: err, deadline: c.What.deadline})
	case kindState:
		d.mu.Lock()
		s.learns = false
		d.mu.Unlock()
		m := item{what: learned, sent: c.Sent, err: r.err}
		if r.err == nil {
			m.network, m.err = readNode(r.body, s.ids.smoke)
		}
		d.put(m)
	}
}

// asked ends a question.
func (d *driver) asked(s *session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s.asking = false
}

// write sends one command on s, if check agrees at the last moment.
func (d *driver) write(ctx context.Context, s *session, c command, body map[string]any, within time.Duration, check func() error) error {
	encode := func(id int) ([]byte, error) {
		body["messageId"] = strconv.Itoa(id)
		return json.Marshal(body)
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

func (d *driver) down(err error) {
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

// explain says what to do about a connection that does not come up, or ended.
func explain(err error) error {
	if ws.CloseCode(err) == tryLater {
		return errors.New("Z-Wave JS has no stick: check that it is plugged in, and the server's log")
	}
	return ws.Explain("Z-Wave JS", err)
}
