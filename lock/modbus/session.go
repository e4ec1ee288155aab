package modbus

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// connectLimit is how long one attempt to connect may take.
	connectLimit = 3 * time.Second
	// writeLimit is how long a frame of 12 bytes may wait for the board's window: longer means that the path is dead.
	writeLimit = 500 * time.Millisecond
	// answerLimit is how long the board may take for an answer, before the connection is given up and everything is unknown. A board
	// answers within some milliseconds, a gateway to a serial line within some tens.
	answerLimit = time.Second
	// callsMost bounds what is under way; more than one is, only while the board does not answer.
	callsMost = 8
	// straysMost is how many answers to nothing may come in a row. They are dropped (TCP section 4.4.1.4), but not for ever.
	straysMost = 100
)

var (
	errSilent = errors.New("the board does not answer: check its power, its cable and the unit")
	errBroken = errors.New("the connection to the board broke")
	errStrays = errors.New("the board sends answers that nobody asked for")
	errBusy   = errors.New("the board has not answered the commands before")
)

// session is one connection. Its end resets the connection: what the board has not got by then, it never gets (S12).
type session struct {
	conn net.Conn
	unit byte
	over chan struct{} // closed at its end
	kick chan struct{} // wants the inputs asked now
	line chan struct{} // holds a token while no transaction is under way

	mu      sync.Mutex // owns the writing and everything below
	why     error      // of its end; nil while it lasts
	calls   map[uint16]*call
	proofs  []chan error // who waits for an answer to the next question
	polled  bool         // Poll wants it told
	refused []error      // what became of commands, not told yet
}

// call is one question of which nothing was heard yet.
type call struct {
	question question
	command  bool // nobody waits for its answer
	holds    bool // it holds the line
	answer   chan answer
	limit    *time.Timer
}

type answer struct {
	bits []bool
	err  error // an exception
}

func dial(ctx context.Context, p plan) (*session, error) {
	d := net.Dialer{Timeout: connectLimit}
	conn, err := d.DialContext(ctx, "tcp", p.address)
	if err != nil {
		return nil, explain(err)
	}
	// Without this a frame in the kernel's queue would be sent again and again after the end, even after that of the hub.
	if tcp, ok := conn.(*net.TCPConn); ok {
		if err := tcp.SetLinger(0); err != nil {
			_ = conn.Close()
			return nil, explain(err)
		}
	}
	s := &session{
		conn: conn, unit: p.unit, over: make(chan struct{}), kick: make(chan struct{}, 1), line: make(chan struct{}, 1),
		calls: map[uint16]*call{},
	}
	s.line <- struct{}{}
	return s, nil
}

// read takes answers until the connection ends. It waits for nobody.
func (s *session) read() {
	from := bufio.NewReader(s.conn)
	for strays := 0; ; {
		r, err := readReply(from)
		if err != nil {
			s.end(explain(err))
			return
		}
		s.mu.Lock()
		c := s.calls[r.transaction]
		if c != nil {
			delete(s.calls, r.transaction)
			c.limit.Stop()
		}
		s.mu.Unlock()
		if c == nil {
			if strays++; strays > straysMost {
				s.end(errStrays)
				return
			}
			continue
		}
		strays = 0
		bits, err := c.question.answer(r.pdu)
		if r.unit != s.unit {
			err = errMalformed
		}
		if errors.Is(err, errMalformed) {
			s.lose(c)
			s.end(err)
			return
		}
		if c.command && err != nil {
			s.mu.Lock()
			s.refused = append(s.refused, err)
			s.mu.Unlock()
		}
		c.answer <- answer{bits, err}
		if c.holds {
			s.line <- struct{}{}
		}
	}
}

// end ends the connection, for the first reason that is given.
func (s *session) end(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.why != nil {
		return
	}
	s.why = why
	for id, c := range s.calls {
		c.limit.Stop()
		delete(s.calls, id)
		if c.command {
			s.refused = append(s.refused, errMute)
		}
	}
	_ = s.conn.Close()
	close(s.over)
}

// lose notes that a command has no answer.
func (s *session) lose(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.command {
		s.refused = append(s.refused, errMute)
	}
}

// take waits until no transaction is under way, at most for wait. Many boards, and gateways, mix two that overlap or drop one.
func (s *session) take(ctx context.Context, wait time.Duration) (held bool) {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-s.line:
		return true
	case <-s.over:
	case <-ctx.Done():
	case <-t.C:
	}
	return false
}

// send writes c once, in one piece, if check still agrees when its turn has come, within that time. sent is false if the board provably
// cannot have it: nothing or not all of it was written, and the connection is over. held says that the caller took the line.
func (s *session) send(c *call, transaction uint16, held bool, within time.Duration, check func() error) (sent bool, err error) {
	begin := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	c.holds, c.answer = held, make(chan answer, 1)
	err = check()
	switch _, used := s.calls[transaction]; {
	case err != nil:
	case s.why != nil:
		err = s.why
	case used || len(s.calls) == callsMost:
		err = errBusy
	}
	if err != nil {
		if held {
			s.line <- struct{}{}
		}
		return false, err
	}
	s.calls[transaction] = c
	c.limit = time.AfterFunc(answerLimit, func() { s.end(errSilent) })
	_ = s.conn.SetWriteDeadline(begin.Add(min(writeLimit, within)))
	if _, err := s.conn.Write(c.question.frame(transaction, s.unit)); err != nil {
		c.limit.Stop()
		delete(s.calls, transaction)
		_ = s.conn.Close() // half a frame must never be completed; the reader ends the session
		return false, explain(err)
	}
	return true, nil
}

// ask sends a question and waits for its answer. err is why the connection is over; an exception is in the answer.
func (s *session) ask(ctx context.Context, q question, transaction uint16) (answer, error) {
	if !s.take(ctx, 2*answerLimit) { // what holds the line has its own limit
		return answer{}, s.reason(ctx)
	}
	c := &call{question: q}
	if _, err := s.send(c, transaction, true, writeLimit, ctx.Err); err != nil {
		return answer{}, err
	}
	select {
	case a := <-c.answer:
		return a, nil
	case <-s.over:
	case <-ctx.Done():
	}
	return answer{}, s.reason(ctx)
}

func (s *session) reason(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.why != nil {
		return s.why
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return errSilent
}

// want has the inputs asked: proof, if it is not nil, gets what came of a question that left after this call.
func (s *session) want(proof chan error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if proof == nil {
		s.polled = true
		return
	}
	s.proofs = append(s.proofs, proof)
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// wanted is who waits for the question that leaves next.
func (s *session) wanted() (proofs []chan error, polled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	proofs, polled = s.proofs, s.polled
	s.proofs, s.polled = nil, false
	return proofs, polled
}

// failures are the commands that failed since the last time.
func (s *session) failures() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.refused
	s.refused = nil
	return f
}

// explain says of what a connection ended, without addresses: a port that changes is no news.
func explain(err error) error {
	var op *net.OpError
	switch {
	case errors.Is(err, errMalformed):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return errSilent
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return errBroken
	case errors.As(err, &op):
		return op.Err
	}
	return err
}
