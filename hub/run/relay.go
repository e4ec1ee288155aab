package run

import (
	"context"
	"log/slog"
	"sync"
)

// maxLines bounds the lines of the log that wait to be written: an hour of a hub in trouble.
const maxLines = 4096

// relay is a log that never waits. Whoever takes the lines, a terminal, a pipe, a service that writes to the same broken disk,
// may stop taking them; a hub that waited for it would watch nobody and throw no bolt (S5).
type relay struct {
	slog.Handler
	lines *lines
}

// newRelay hands lines on to h, in order, from a goroutine that lives while there are any.
func newRelay(h slog.Handler) relay { return relay{h, &lines{}} }

func (r relay) Handle(_ context.Context, line slog.Record) error {
	line = line.Clone()
	r.lines.put(func() { _ = r.Handler.Handle(context.Background(), line) }) // a log has nobody to complain to
	return nil
}

func (r relay) WithAttrs(as []slog.Attr) slog.Handler { return relay{r.Handler.WithAttrs(as), r.lines} }

func (r relay) WithGroup(name string) slog.Handler { return relay{r.Handler.WithGroup(name), r.lines} }

type lines struct {
	mu    sync.Mutex
	queue []func()
	going bool // a goroutine writes
}

// put adds a line; past the bound it is left out: what must not be lost is in the record.
func (l *lines) put(write func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) >= maxLines {
		return
	}
	l.queue = append(l.queue, write)
	if !l.going {
		l.going = true
		go l.write()
	}
}

func (l *lines) write() {
	for {
		l.mu.Lock()
		queue := l.queue
		l.queue, l.going = nil, len(queue) > 0
		l.mu.Unlock()
		if len(queue) == 0 {
			return
		}
		for _, write := range queue {
			write()
		}
	}
}
