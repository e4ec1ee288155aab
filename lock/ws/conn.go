package ws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

const (
	// writeLimit is how long a write may wait for the peer's window; a command has some hundred bytes, so a wait means that the
	// path is dead.
	writeLimit = 500 * time.Millisecond
	// unacked is how long the system may go on repeating bytes that the server's machine has not confirmed. Without a limit an
	// order written into a broken path would arrive whenever the path heals.
	unacked = time.Second
	// PingEvery and PingLimit: the server is asked whether it lives, and given up when it does not answer: a door's hub must know
	// within seconds that nothing it says arrives.
	PingEvery = time.Second
	PingLimit = 3 * time.Second
	// closeLimit is how long a goodbye may take.
	closeLimit = 100 * time.Millisecond
)

var (
	// ErrTooLarge says that the server sent a message beyond the limit; the connection is over.
	ErrTooLarge = errors.New("the server sends a message beyond every limit")
	// ErrSilent says that the server answers no pings; the connection is over.
	ErrSilent = errors.New("the server does not answer pings")
	// ErrNotText says that the server sent something else than text; the connection is over.
	ErrNotText = errors.New("the server sends what is no text")
)

// Conn is one connection. Read is for one goroutine; the rest may be called from any.
type Conn struct {
	c    *websocket.Conn
	tcp  *counted
	most int
	mu   sync.Mutex // one command at a time, from its last check to the end of its write
}

// Dial connects. most bounds a message that is read, in bytes.
func Dial(ctx context.Context, t Target, most int) (*Conn, error) {
	k := &Conn{most: most}
	carrier := &http.Transport{
		TLSClientConfig:    t.TLS,
		DisableCompression: true,
		// One connection, spoken for: what is dialled is what is written to. No proxy: a lock's server is in the home.
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			var d net.Dialer
			raw, err := d.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			if tcp, ok := raw.(*net.TCPConn); ok {
				if err := limitUnacked(tcp, unacked); err != nil {
					_ = raw.Close()
					return nil, fmt.Errorf("limit repeated sending: %w", err)
				}
			}
			k.tcp = &counted{Conn: raw}
			return k.tcp, nil
		},
	}
	stay := func(*http.Request, []*http.Request) error { return errors.New("the server sends us elsewhere") }
	c, resp, err := websocket.Dial(ctx, t.URL, &websocket.DialOptions{
		HTTPClient:      &http.Client{Transport: carrier, CheckRedirect: stay},
		CompressionMode: websocket.CompressionDisabled, // a small message could otherwise become a large one
	})
	if err != nil {
		carrier.CloseIdleConnections()
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
			return nil, fmt.Errorf("what answers there is no WebSocket: %s", resp.Status)
		}
		return nil, err
	}
	c.SetReadLimit(int64(most) + 1) // one more, so that exactly most passes
	k.c = c
	return k, nil
}

// Read gives the next message. It is not valid after the next call's return, and an error ends the connection.
func (k *Conn) Read(ctx context.Context) ([]byte, error) {
	b, err := k.read(ctx)
	if err != nil {
		_ = k.c.CloseNow() // what is sent after the end would only seem to be
	}
	return b, err
}

func (k *Conn) read(ctx context.Context) ([]byte, error) {
	kind, r, err := k.c.Reader(ctx)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	switch {
	case errors.Is(err, websocket.ErrMessageTooBig) || len(b) > k.most:
		return nil, fmt.Errorf("%w of %d MiB", ErrTooLarge, k.most>>20)
	case err != nil:
		return nil, err
	case kind != websocket.MessageText:
		return nil, ErrNotText
	}
	return b, nil
}

// Send writes one message if check still agrees when its turn has come, and gives it at most within, from the call, to leave: an order's
// time does not stand still while it waits for its turn (S12). 0: as long as any. sent is false if the server provably cannot have it: nothing, or not all of it, was written, and the connection is closed.
func (k *Conn) Send(payload []byte, within time.Duration, check func() error) (sent bool, err error) {
	called := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := check(); err != nil {
		return false, err
	}
	limit := writeLimit
	if within > 0 {
		limit = min(limit, max(within-time.Since(called), time.Millisecond))
	}
	before := k.tcp.whole.Load()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := k.c.Write(ctx, websocket.MessageText, payload); err != nil {
		_ = k.c.CloseNow() // half a message must never be completed
		// Whatever was written whole since may have been it: a pong beside it errs on the side of "may have been sent".
		return k.tcp.whole.Load() != before, err
	}
	return true, nil
}

// Watch pings until ctx ends or the server is silent. It needs a Read under way.
func (k *Conn) Watch(ctx context.Context) error {
	tick := time.NewTicker(PingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := k.Alive(ctx, PingLimit); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			_ = k.c.CloseNow()
			return err
		}
	}
}

// Alive returns nil once the server has answered a ping that was written after the call.
func (k *Conn) Alive(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := k.c.Ping(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrSilent, err)
	}
	return nil
}

// Close ends the connection; a Read returns.
func (k *Conn) Close() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = k.c.Close(websocket.StatusNormalClosure, "")
	}()
	t := time.NewTimer(closeLimit)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
		_ = k.tcp.Close() // the library would wait longer for the answer
		<-done
	}
}

// CloseCode is the code of a server that said goodbye (RFC 6455 section 7.4); -1 if it did not.
func CloseCode(err error) int { return int(websocket.CloseStatus(err)) }

// counted counts the writes that the system took whole.
type counted struct {
	net.Conn
	whole atomic.Uint64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err == nil && n == len(p) {
		c.whole.Add(1)
	}
	return n, err
}
