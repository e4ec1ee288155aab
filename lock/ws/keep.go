package ws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"
)

const (
	// ConnectLimit is how long one attempt to connect may take.
	ConnectLimit = 3 * time.Second
	// reconnectFirst and reconnectMost bound the delay between attempts: the door is blind meanwhile.
	reconnectFirst = 100 * time.Millisecond
	reconnectMost  = 2 * time.Second
	// maxText bounds a sentence of the server that is passed on, in bytes.
	maxText = 200
)

// Keep keeps a connection up until ctx ends: it calls serve again and again, with growing pauses until one of them was up, and down
// with what it ended of, if it did not end by itself.
func Keep(ctx context.Context, serve func(context.Context) (up bool, err error), down func(error)) {
	for attempt := 0; ctx.Err() == nil; attempt++ {
		up, err := serve(ctx)
		if ctx.Err() != nil {
			return
		}
		if up {
			attempt = 0
		}
		if err != nil {
			down(err)
		}
		Pause(ctx, min(reconnectFirst<<min(attempt, 8), reconnectMost))
	}
}

// Pause waits, but not longer than ctx.
func Pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// Open connects within ConnectLimit. Its error says why not, in words that stay the same from one attempt to the next.
func Open(ctx context.Context, t Target, most int) (*Conn, error) {
	dial, cancel := context.WithTimeout(ctx, ConnectLimit)
	defer cancel()
	conn, err := Dial(dial, t, most)
	switch {
	case err == nil:
		return conn, nil
	case errors.Is(err, context.DeadlineExceeded):
		return nil, errors.New("cannot be reached: no answer")
	case errors.Is(err, io.EOF):
		return nil, errors.New("cannot be reached: what answers there hangs up")
	}
	return nil, fmt.Errorf("cannot be reached: %w", bare(err))
}

// Serve reads a connection to its end, hands each message to hear, which must not wait, and pings all the while. Its error is why it ended.
func Serve(ctx context.Context, conn *Conn, hear func([]byte)) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	watched := make(chan error, 1)
	go func() { watched <- conn.Watch(ctx) }()
	defer func() {
		cancel()
		if werr := <-watched; werr != nil {
			err = werr
		}
	}()
	for {
		payload, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		hear(payload)
	}
}

// Explain says of what a connection to the server of that name ended, without addresses: a port that changes is no news.
func Explain(server string, err error) error {
	switch {
	case errors.Is(err, ErrTooLarge):
		return fmt.Errorf("%w: is the url that of %s?", err, server)
	case CloseCode(err) >= 0:
		return fmt.Errorf("%s ended the connection", server)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the connection to %s broke", server)
	}
	return fmt.Errorf("%s: %w", server, bare(err))
}

func bare(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// Clip makes a sentence of a server fit for a log: one line, no control characters, bounded. other stands for nothing.
func Clip(s, other string) string {
	s, _, _ = strings.Cut(s[:min(len(s), 8*maxText)], "\n")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	if s == "" {
		return other
	}
	return s
}
