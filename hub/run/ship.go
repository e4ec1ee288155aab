package run

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"eyebolt/bus"
	"eyebolt/hub"
	"eyebolt/ledger"
)

const (
	shipBatch   = 256             // entries in one message
	shipBytes   = 600 << 10       // of leaves, at most: base64 makes 800 KiB of it, under bus.MaxBody
	shipLeast   = 16 << 10        // the least that is tried: an uplink that does not carry it in shipTimeout carries no beats either
	shipTimeout = 2 * time.Second // for one batch
	shipEvery   = time.Second     // looked at least so often
	// A batch that failed is tried again after the first, then each time after twice as long, up to the second.
	shipRetry, shipBackoff = 250 * time.Millisecond, 10 * time.Second
)

// shipper sends the record to the service from the cursor that it acknowledged: one batch under way at a time, nothing
// skipped, nothing dropped. While the service is gone the ledger itself is the spool.
type shipper struct {
	log  ledger.Log
	post *post
	push func(any)
	slog *slog.Logger
	wake chan struct{} // holds one

	room int // bytes of leaves in the next message; owned by run

	mu    sync.Mutex
	known bool
	from  uint64
}

// acknowledged takes the service's cursor.
func (s *shipper) acknowledged(cursor uint64) {
	s.mu.Lock()
	s.known, s.from = true, cursor
	s.mu.Unlock()
	signal(s.wake)
}

func (s *shipper) run(ctx context.Context) {
	failed := time.Duration(0) // how long it waits after a failure; 0: none
	timer := time.NewTimer(shipEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
			if failed > 0 { // only time ends it
				continue
			}
		case <-timer.C:
		}
		more, err := s.ship(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			s.slog.Debug("record was not taken by the service, it is sent again", "err", err)
			failed = min(max(2*failed, shipRetry), shipBackoff)
			timer.Reset(failed)
		default:
			failed = 0
			timer.Reset(shipEvery)
		}
		if more {
			signal(s.wake)
		}
	}
}

// ship sends one batch. more says that there is another.
func (s *shipper) ship(ctx context.Context) (more bool, err error) {
	s.mu.Lock()
	known, from := s.known, s.from
	s.mu.Unlock()
	if !known || !s.post.conn.Connected() || from >= s.log.Size() {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, shipTimeout)
	defer cancel()
	cp, err := s.log.Checkpoint(ctx)
	if err != nil {
		return false, err
	}
	entries, err := s.log.Read(ctx, from, min(cp.Size, from+shipBatch))
	if err != nil || len(entries) == 0 {
		return false, err
	}
	if s.room == 0 {
		s.room = shipBytes
	}
	m := bus.Log{From: from}
	for n := 0; len(m.Entries) < len(entries); {
		leaf := entries[len(m.Entries)].Encode()
		if n += len(leaf); n > s.room && len(m.Entries) > 0 {
			break
		}
		m.Entries = append(m.Entries, leaf)
	}
	to := from + uint64(len(m.Entries))
	if to == cp.Size {
		m.Note = cp.Note
	}
	var r bus.LogReply
	began := s.post.now()
	err = s.post.request(ctx, "log", m, &r)
	// A narrow uplink gets pieces that it carries in time, and that leave room for beats and alarms (S14, S16).
	switch took := s.post.now() - began; {
	case took > shipTimeout/4:
		s.room = max(s.room/2, shipLeast)
	case err == nil && took < shipTimeout/16:
		s.room = min(s.room*2, shipBytes)
	}
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	s.from = r.Cursor
	s.mu.Unlock()
	s.push(hub.Shipped{Cursor: r.Cursor})
	return r.Cursor > from && r.Cursor < s.log.Size(), nil
}
