package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"eyebolt/bus"
	"eyebolt/ledger"
)

// narrow is an uplink of so many bytes a second; what does not fit into its asker's time has filled it all the same.
type narrow struct {
	bus.Conn
	rate  int
	taken atomic.Uint64
	busy  time.Duration // how long one message filled it, of late
}

func (n *narrow) Connected() bool { return true }

func (n *narrow) Request(ctx context.Context, _ string, body []byte) ([]byte, error) {
	takes := time.Duration(len(body)) * time.Second / time.Duration(n.rate)
	n.busy = takes
	time.Sleep(takes)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", bus.ErrNoAnswer, err)
	}
	var k bus.Log
	if err := json.Unmarshal(body, &k); err != nil {
		return nil, err
	}
	n.taken.Store(k.From + uint64(len(k.Entries)))
	return json.Marshal(bus.LogReply{Cursor: n.taken.Load()})
}

// longLog is a record of large entries.
type longLog struct {
	ledger.Log
	size uint64
}

func (l longLog) Size() uint64 { return l.size }
func (l longLog) Checkpoint(context.Context) (ledger.Checkpoint, error) {
	return ledger.Checkpoint{Size: l.size, Note: []byte("note")}, nil
}

func (l longLog) Read(_ context.Context, from, to uint64) (es []ledger.Entry, _ error) {
	for i := from; i < to; i++ {
		es = append(es, ledger.Entry{Index: i, Time: time.Unix(1, 0), Kind: ledger.KindConfig, Word: "grant", Data: bytes.Repeat([]byte{'1'}, 8<<10)})
	}
	return es, nil
}

// S16, S18: after days without a service the record is long and the uplink is narrow: a megabit. The record is sent all the
// same, in pieces that leave room for beats and alarms.
func TestNarrowUplink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		n := &narrow{rate: 125_000}
		log := slog.New(slog.DiscardHandler)
		s := &shipper{log: longLog{size: 500}, push: func(any) {}, slog: log, wake: make(chan struct{}, 1)}
		s.post = &post{id: "a", conn: n, now: func() time.Duration { return time.Since(begin) }, log: log}
		s.acknowledged(0)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.run(ctx); close(done) }()
		time.Sleep(10 * time.Minute) // 4 MB of entries are 45 s of this uplink
		cancel()
		<-done
		if taken := n.taken.Load(); taken != 500 {
			t.Errorf("%d of 500 entries arrived in ten minutes; one message fills the uplink for %v", taken, n.busy)
		}
	})
}
