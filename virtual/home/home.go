package home

import (
	"context"
	"net/url"
	"sync"
	"time"
)

// Home is one running pretend home. Methods may be called from several goroutines.
type Home struct {
	cfg    Config
	broker *url.URL

	mu     sync.Mutex // owns everything below
	truth  Truth
	rest   Bolt // where the bolt last came to rest: what the lock's attribute says
	motor  int  // number of the running movement; an older one has been overtaken
	faults faults
	held   []message         // what came for a bridge that hangs
	said   map[string]device // what the bridge knows and repeats, by friendly name
	wires  *wires            // nil while the bridge is down
	up     *signal           // closed when the bridge has connected
	agenda agenda
	seq    int // of the newest plan
	closed bool

	wake chan struct{} // a plan was added
	dead chan struct{} // closed when nothing runs any more
}

// faults are the ways in which the lock lies.
type faults struct {
	hang    bool // of the bridge
	jam     bool // a throw ends half way and says so
	quiet   bool // commands are acknowledged, nothing moves, nothing is said
	mute    bool // the lock hears and obeys; nothing it says arrives
	late    time.Duration
	again   time.Duration // a command is done a second time that much later; 0: no
	silence bool          // neither direction
	magnet  bool          // on the contact: it says closed whatever the door does
}

// Start connects the home's bridge and returns when it is online. It goes on trying to reconnect until Close or the end of ctx.
func Start(ctx context.Context, cfg Config) (*Home, error) {
	u, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	h := &Home{cfg: cfg, broker: u, rest: Thrown, said: map[string]device{}}
	h.wake, h.dead = make(chan struct{}, 1), make(chan struct{})
	h.truth = Truth{Bolt: Thrown, Battery: 90}
	h.said[cfg.Lock] = device{"battery": 90}
	h.said[cfg.Contact] = device{"battery": 100, "battery_low": false, "voltage": 3000}
	if cfg.Supervision > 0 {
		h.after(cfg.Supervision, h.supervise)
	}
	go h.live()
	if err := h.StartBridge(ctx); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// Close ends the home as a bridge that is shut down in order. No Event follows.
func (h *Home) Close() {
	h.StopBridge()
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
	<-h.dead
}

// Truth is what an eye would see now.
func (h *Home) Truth() Truth {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.truth
	t.At = h.cfg.Now()
	t.Blocked = h.faults.jam || h.faults.quiet
	t.Silent = h.faults.silence
	return t
}

func (h *Home) event(w What) {
	if h.cfg.Events != nil && !h.closed {
		h.cfg.Events(Event{At: h.cfg.Now(), What: w, Door: h.cfg.Base})
	}
}
