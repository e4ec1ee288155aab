package hass

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"eyebolt/bus"

	"github.com/eclipse/paho.golang/autopaho"
)

const (
	// gap is the least time between two states of one door: a watch that flaps costs Home Assistant's database five rows a second.
	gap = 200 * time.Millisecond
	// again is how often it is said that the hub is there, and whether its doors still tell.
	again = time.Second
	// repeat is how often the broker is told so although nothing changed.
	repeat = 30 * time.Second
	// pressLimit is how long a block may take to be on disk; it holds sooner.
	pressLimit = 5 * time.Second
	// pressGap is the time between two presses at a door that are carried out, whoever presses.
	pressGap = 250 * time.Millisecond
	// farewell is how long Stop waits to say that the hub is gone.
	farewell = time.Second
)

// by is how the record names who pressed.
const by = "Home Assistant"

// Block blocks a door and says how that went (hub/run.Hub.Block).
type Block func(ctx context.Context, door, by string) (bus.AskReply, error)

// Config is what a bridge needs.
type Config struct {
	Hub      string   // the hub's name
	Doors    []string // the doors' names
	Version  string   // of the program, as Home Assistant shows it; may be empty
	Settings Settings
	Now      func() time.Duration // monotonic
	Log      *slog.Logger
}

// Bridge is the way between a hub and Home Assistant. Its methods may be called from any goroutine.
type Bridge struct {
	cfg   Config
	plan  plan
	names names
	ears  ears

	ready   chan struct{} // holds one
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	manager *autopaho.ConnectionManager

	mu         sync.Mutex // guards what follows
	doors      map[string]*door
	generation int           // of connections
	connected  bool          // and listening
	anew       bool          // everything is to be told
	anewAt     time.Duration // when it last was
	old        []string      // topics of descriptions that are taken away
	trouble    string        // the newest reason why the broker is not reached
	stopping   bool
	there      string        // what was last said of the hub
	thereAt    time.Duration // and when
}

// door is what is known and told of one door.
type door struct {
	view    bus.View
	heard   time.Duration // when view came
	known   bool          // a view came
	changed bool          // view is to be told
	told    time.Duration // when it was last
	said    bus.LastIncident
	wanted  bool          // a block was pressed and is not taken yet
	press   chan struct{} // holds one
	note    string        // beside the switch
}

// maxOld bounds the descriptions that are taken away at once: eight a door, and 64 doors.
const maxOld = 512

// New checks the configuration. Nothing is connected before Start.
func New(cfg Config) (*Bridge, error) {
	p, err := cfg.Settings.plan()
	if err != nil {
		return nil, err
	}
	if cfg.Now == nil || cfg.Log == nil || cfg.Hub == "" || len(cfg.Doors) == 0 {
		return nil, errors.New("home_assistant: Hub, Doors, Now and Log must be given")
	}
	n := names{p.Prefix, cfg.Hub}
	b := &Bridge{cfg: cfg, plan: p, names: n, ears: newEars(n, cfg.Doors), anewAt: -again, ready: make(chan struct{}, 1), doors: map[string]*door{}}
	for _, name := range cfg.Doors {
		b.doors[name] = &door{told: -gap, press: make(chan struct{}, 1)}
	}
	return b, nil
}

// Start connects, now and for ever. A broker that is not there is no error: nothing in the home waits for it.
func (b *Bridge) Start(ctx context.Context, block Block) error {
	ctx, b.cancel = context.WithCancel(ctx)
	m, err := b.connect(ctx)
	if err != nil {
		b.cancel()
		return err
	}
	b.manager = m
	b.wg.Go(func() { b.telling(ctx) })
	for _, name := range b.cfg.Doors {
		b.wg.Go(func() { b.pressing(ctx, block, name, b.doors[name]) })
	}
	return nil
}

// Stop says that the hub is gone, if the broker is there, and ends.
func (b *Bridge) Stop() error {
	if b.cancel == nil {
		return nil
	}
	b.mu.Lock()
	connected := b.connected
	b.stopping = true
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	if connected {
		if err := publish(ctx, b.manager, message{b.names.status(), []byte(offline), true}); err != nil {
			b.cfg.Log.Debug("home assistant: farewell was not taken, the broker gives the will", "err", err)
		}
		_ = b.manager.Disconnect(ctx) // either way the connection ends below
	}
	b.cancel()
	b.wg.Wait()
	return nil
}

// Show takes a door's newest view. It never waits.
func (b *Bridge) Show(v bus.View) {
	b.mu.Lock()
	d := b.doors[v.Door]
	if d != nil {
		d.view, d.known, d.changed, d.heard = v, true, true, b.cfg.Now()
		if !v.Blocked {
			d.note = ""
		} else if d.note == "" {
			d.note = noteLift
		}
	}
	b.mu.Unlock()
	if d != nil {
		b.wake()
	}
}

func (b *Bridge) wake() { signal(b.ready) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// heard takes a message from the broker, from the client's reader. Whatever comes, it leaves at most a flag behind (T20).
func (b *Bridge) heard(topic string, body []byte, retained bool) {
	what, name := b.ears.read(topic, body, retained)
	if what == askedNothing {
		return
	}
	b.mu.Lock()
	switch d := b.doors[name]; what {
	case askedBlock:
		d.wanted = true
		signal(d.press)
	case askedUnblock:
		if d.view.Blocked {
			d.note = noteRefused
		}
		d.changed = true // the switch goes back to what is
	case askedAgain:
		b.anew = true
	case askedOld:
		if len(b.old) < maxOld && !slices.Contains(b.old, topic) {
			b.old = append(b.old, topic)
		}
	}
	b.mu.Unlock()
	b.wake()
}

// pressing carries one door's presses out, one after the other; a press that is not taken is tried again until it is. Each door has its
// own: a press returns when it is on disk, and no door's block may wait for another's to be (S4).
func (b *Bridge) pressing(ctx context.Context, block Block, name string, d *door) {
	pause := time.NewTicker(pressGap)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.press:
		}
		b.mu.Lock()
		wanted := d.wanted
		d.wanted = false
		b.mu.Unlock()
		if wanted && ctx.Err() == nil {
			b.block(ctx, block, name, d)
		}
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
	}
}

func (b *Bridge) block(ctx context.Context, block Block, name string, d *door) {
	ctx, cancel := context.WithTimeout(ctx, pressLimit)
	defer cancel()
	r, err := block(ctx, name, by)
	if err == nil && r.OK {
		b.cfg.Log.Info("visits were blocked from Home Assistant", "door", name)
		return
	}
	why := r.Sentence
	if err != nil {
		why = err.Error()
	}
	b.cfg.Log.Warn("home assistant: a block was not taken, it is tried again", "door", name, "why", why)
	b.mu.Lock()
	d.wanted, d.note, d.changed = true, noteNotTaken+why, true
	b.mu.Unlock()
	signal(d.press)
	b.wake()
}

// telling tells the broker what is to be told, and once a second whether the hub is there.
func (b *Bridge) telling(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.ready:
		case <-timer.C:
		}
		out, wait := b.due(b.cfg.Now())
		for _, m := range out {
			if err := publish(ctx, b.manager, m); err != nil {
				b.cfg.Log.Debug("home assistant: not published", "topic", m.topic, "err", err)
				b.mu.Lock()
				b.anew = true // all of it, when the broker takes it again
				b.mu.Unlock()
				break
			}
		}
		timer.Reset(wait)
	}
}

// due is what is to be told now, in this order: descriptions, whether the hub is there, states. wait is when to ask again.
func (b *Bridge) due(now time.Duration) (out []message, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.connected {
		return nil, again
	}
	wait = again
	anew := b.anew
	if left := b.anewAt + again - now; anew && left > 0 { // whoever says that Home Assistant starts, again and again
		anew, wait = false, left
	}
	if anew {
		b.anew, b.anewAt = false, now
		for _, name := range b.cfg.Doors {
			out = append(out, discovery(b.names, name, b.cfg.Version)...)
		}
	}
	for _, topic := range b.old { // of a door that was taken out of the configuration: nothing retained is nothing described
		out = append(out, message{topic: topic, retain: true})
	}
	b.old = nil
	if word := b.word(now); anew || word != b.there || now-b.thereAt >= repeat {
		b.there, b.thereAt = word, now
		out = append(out, message{b.names.status(), []byte(word), true})
	}
	for _, name := range b.cfg.Doors {
		d := b.doors[name]
		switch left := d.told + gap - now; {
		case !d.known, !d.changed && !anew:
		case left > 0 && !anew:
			wait = min(wait, left)
		default:
			d.changed, d.told = false, now
			out = append(out, d.states(b.names, anew)...)
		}
	}
	return out, wait
}

// word says whether the hub is there: its core must speak, not only this connection (S15).
func (b *Bridge) word(now time.Duration) string {
	for _, name := range b.cfg.Doors {
		if d := b.doors[name]; !d.known || now-d.heard > Expire {
			return offline
		}
	}
	return online
}

// states are a door's state and, if it is new, its last incident.
func (d *door) states(n names, anew bool) (out []message) {
	if in, ok := incidentOf(n, d.view); ok && (anew || *d.view.LastIncident != d.said) {
		d.said = *d.view.LastIncident
		out = append(out, in)
	}
	s, err := stateOf(n, d.view, d.note)
	if err == nil {
		out = append(out, s)
	}
	return out
}
