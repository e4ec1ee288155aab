package homeassistant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/ws"
)

const (
	// maxMessage bounds a message: the list of all entities has some 1 KiB for each.
	maxMessage = 32 << 20
	// handshakeLimit is how long it may take from the connection until events come.
	handshakeLimit = 10 * time.Second
	// misfitPause is how long a server without the door's entities is left alone: integrations start after it.
	misfitPause = 2 * time.Second
	// refusedPause is how long one that refuses the token is: it counts as a failed login, and may be an IP ban's cause.
	refusedPause = time.Minute
)

// session is one connection on which events come.
type session struct {
	conn  *ws.Conn
	ids   ids
	over  chan struct{} // closed at its end
	send  sync.Mutex    // Home Assistant refuses a number that is lower than one before
	calls ws.Calls[command]

	events   int               // the subscription's number; owned by the reader
	entities map[string]entity // owned by the reader
}

// command is one of which nothing was heard yet.
type command struct {
	kind     kind
	deadline time.Duration // of an order
	answer   chan error    // of a proof; holds one
}

type kind uint8

const (
	kindSetUp kind = iota
	kindAsk
	kindLock
	kindUnlock
	kindProof
)

var errToken = errors.New("the token is refused by Home Assistant: make a long-lived access token there (your profile, Security) and write it into token_file, or paste it into the set-up's page")

// serve runs one connection to its end. was says whether events came.
func (d *driver) serve(ctx context.Context) (was bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, err := ws.Open(ctx, d.plan.target, maxMessage)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	s := &session{conn: conn, over: make(chan struct{}), entities: map[string]entity{}}
	defer close(s.over)
	greet, enough := context.WithTimeout(ctx, handshakeLimit)
	defer enough()
	if err := s.signIn(greet, d.plan.token); err != nil {
		if errors.Is(err, errToken) {
			d.put(item{what: misfit, err: err})
			d.setHealth(err)
			ws.Pause(ctx, refusedPause)
			return false, nil
		}
		return false, err
	}
	list, err := s.list(greet, d.now)
	if err != nil {
		return false, err
	}
	if s.ids, err = resolve(list, d.plan.Settings); err != nil {
		d.put(item{what: misfit, err: err})
		d.setHealth(err)
		ws.Pause(ctx, misfitPause)
		return false, nil
	}
	for _, l := range list {
		for _, id := range s.ids.all() {
			if l.ID == id {
				s.entities[id] = entity{l.State, l.Attributes}.looked(d.plan)
			}
		}
	}
	if err := s.subscribe(greet, d.now); err != nil {
		return false, err
	}
	d.mu.Lock()
	d.session = s
	d.put(item{what: connected, ids: s.ids, is: s.entities[s.ids.lock]})
	d.mu.Unlock()
	return true, ws.Serve(ctx, conn, func(payload []byte) { d.hear(s, payload) })
}

// signIn shows the token.
func (s *session) signIn(ctx context.Context, token string) error {
	hello, err := s.next(ctx)
	if err != nil || hello.kind != authRequired {
		return errors.Join(errors.New("what answers there is not Home Assistant: write url: ws://host:8123/api/websocket"), err)
	}
	b, err := json.Marshal(map[string]string{"type": "auth", "access_token": token})
	if err != nil {
		return err
	}
	if _, err := s.conn.Send(b, 0, ctx.Err); err != nil {
		return err
	}
	m, err := s.next(ctx)
	switch {
	case err != nil:
		return err
	case m.kind == authInvalid:
		return errToken
	case m.kind != authOK:
		return errors.New("no word whether Home Assistant takes the token")
	}
	return nil
}

func (s *session) next(ctx context.Context) (heard, error) {
	payload, err := s.conn.Read(ctx)
	if err != nil {
		return heard{}, err
	}
	return read(payload)
}

// list asks for all entities.
func (s *session) list(ctx context.Context, now func() time.Duration) ([]listed, error) {
	_, body, err := s.setUp(ctx, now, map[string]any{"type": "get_states"})
	if err != nil {
		return nil, err
	}
	return readList(body)
}

// subscribe asks for the door's entities' changes; Home Assistant leaves the others out.
func (s *session) subscribe(ctx context.Context, now func() time.Duration) (err error) {
	s.events, _, err = s.setUp(ctx, now, map[string]any{"type": "subscribe_entities", "entity_ids": s.ids.all()})
	return err
}

// setUp sends a command of the handshake and waits for its result; no event of ours comes before.
func (s *session) setUp(ctx context.Context, now func() time.Duration, body map[string]any) (int, json.RawMessage, error) {
	number := 0
	s.send.Lock()
	_, _, err := s.calls.Send(s.conn, command{kind: kindSetUp}, now(), 0, func(id int) ([]byte, error) {
		body["id"], number = id, id
		return json.Marshal(body)
	}, ctx.Err)
	s.send.Unlock()
	if err != nil {
		return 0, nil, err
	}
	for {
		m, err := s.next(ctx)
		if err != nil {
			return 0, nil, err
		}
		if m.kind == kindResult && m.id == number {
			s.calls.Take(number)
			return number, m.body, m.err
		}
	}
}

// hear sorts one message; it runs in the connection's reader and never waits.
func (d *driver) hear(s *session, payload []byte) {
	m, err := read(payload)
	if err != nil {
		d.put(item{what: unreadable, err: err})
		return
	}
	switch m.kind {
	case kindResult, kindPong:
		if c, ok := s.calls.Take(m.id); ok { // else one that was given up
			d.settle(c, m.err)
		}
	case kindEvent:
		if m.id == s.events {
			d.hearChanges(s, m.changes)
		}
	}
}

// hearChanges keeps the entities, which no flood makes forget anything, and tells the witness.
func (d *driver) hearChanges(s *session, c changes) {
	for _, id := range s.ids.all() {
		was := s.entities[id]
		is := was
		if k, ok := c.of[id]; ok {
			is = was.with(k).looked(d.plan)
		} else if len(c.gone) == 0 {
			continue
		}
		for _, gone := range c.gone {
			if gone == id {
				is = entity{state: unavailable}
			}
		}
		s.entities[id] = is
		d.put(item{what: changed, id: id, was: was, is: is})
	}
}

// settle tells the witness, or who waits, what became of a command.
func (d *driver) settle(c ws.Call[command], err error) {
	switch c.What.kind {
	case kindProof:
		c.What.answer <- err
	case kindAsk:
		if err != nil { // that it was passed on is no answer
			d.put(item{what: asked, sent: c.Sent, err: err})
		}
	case kindLock, kindUnlock:
		d.put(item{what: carried, err: err, deadline: c.What.deadline})
	}
}

// write sends one command on s, if check agrees at the last moment; an order within its deadline (S12).
func (d *driver) write(ctx context.Context, s *session, c command, body map[string]any, check func() error) error {
	s.send.Lock()
	var within time.Duration
	if c.deadline != 0 { // by now: others may have been written first
		within = max(c.deadline-d.now(), time.Millisecond)
	}
	sent, lost, err := s.calls.Send(s.conn, c, d.now(), within, func(id int) ([]byte, error) {
		body["id"] = id
		return json.Marshal(body)
	}, func() error {
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
	s.send.Unlock()
	d.unheard(lost)
	if !sent && (c.kind == kindLock || c.kind == kindUnlock) {
		d.put(item{what: unsent})
	}
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
	m.at, m.wall = d.now(), time.Now()
	d.inbox.Put(m)
}

func explain(err error) error { return ws.Explain("Home Assistant", err) }
