package run

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/bus/mem"
	"eyebolt/grant"
	"eyebolt/grant/granttest"
	"eyebolt/hub"
	"eyebolt/hub/walk"
	"eyebolt/hub/walk/walktest"
	"eyebolt/interlock"
	"eyebolt/ledger"
	"eyebolt/ledger/sqlite"
	"eyebolt/liveness"
	"eyebolt/lock"
	"eyebolt/lock/locktest"
	"eyebolt/record/fmp4"
)

// house is a whole hub on real parts: its goroutines, SQLite, the recorder; a lock with a physical truth, a camera of
// pictures in memory, and the service's end of a bus.
type house struct {
	testing.TB
	dir    string
	key    ed25519.PrivateKey
	start  time.Time
	who    *granttest.Home
	hub    *Hub
	ledger *sqlite.Log
	lock   *locktest.Fake
	bus    *mem.Bus
	hubEnd *mem.Conn
	far    *mem.Conn
	eye    *source            // the first camera
	names  []string           // of the cameras
	eyes   map[string]*source // each camera's
	with   func(*Camera)      // changes a camera's wiring
	limits hub.Limits
	code   chan string
	spy    func(do string)         // at each order, on its way to the lock
	wrap   func(bus.Conn) bus.Conn // what the hub gets for its end of the bus
	logs   slog.Handler
	refuse atomic.Int32  // so many Locks fail
	rewire func(*Config) // the last word on the wiring
	stall  bool          // the ledger never says that anything is durable
	broken atomic.Bool   // the disk takes nothing
	tried  atomic.Int32  // how often that was tried

	mu     sync.Mutex // guards what follows
	view   bus.View
	log    []ledger.Entry
	alarms []bus.Alarm
	taken  map[string]time.Duration // alarm → when the service had it
	events []Event
	notes  int
	asks   int
	change chan struct{}
}

func newHouse(tb testing.TB, with ...func(*house)) *house {
	tb.Helper()
	l := interlock.DefaultLimits()
	l.Arming, l.Tail, l.Out = 300, 500, 20_000
	h := &house{
		TB: tb, dir: tb.TempDir(), key: ed25519.NewKeyFromSeed(make([]byte, 32)), start: time.Now(), who: granttest.New("a", time.Now()), limits: l,
		logs: slog.NewTextHandler(logTo(), &slog.HandlerOptions{Level: slog.LevelDebug}),
		bus:  mem.New(), code: make(chan string, 8), taken: map[string]time.Duration{}, change: make(chan struct{}, 1),
	}
	h.lock = locktest.NewFake(locktest.FakeConfig{Now: h.now, Travel: 20 * time.Millisecond, Delay: 2 * time.Millisecond})
	tb.Cleanup(h.lock.Close)
	h.hubEnd, h.far = h.bus.Hub(h.who.Hub), h.bus.Conn("service")
	for _, w := range with {
		w(h)
	}
	h.serve()
	h.open()
	tb.Cleanup(h.shut)
	return h
}

// walkOf is what the walk test proves of this house's door: walked in no time, by the code that judges real ones.
func walkOf(door string, cameras []string) hub.Walk {
	c := walktest.Certificate(door, "this house", cameras...)
	standing, say := c.Worth(door, "this house")
	return hub.Walk{Passed: standing == walk.Holds, Made: c.Made, Say: say}
}

func (h *house) now() time.Duration { return time.Since(h.start) }

// open starts the hub on the house's folder.
func (h *house) open() {
	h.Helper()
	var err error
	h.ledger, err = sqlite.Open(h.Context(), sqlite.Config{Dir: h.dir, Origin: "example.org/hub/a", Key: h.key})
	if err != nil {
		h.Fatal(err)
	}
	if h.names == nil {
		h.names = []string{"hall"}
	}
	h.eyes = map[string]*source{}
	var cameras []Camera
	for i, name := range h.names {
		s := &source{now: h.now, seed: uint64(i + 1)}
		h.eyes[name] = s
		c := Camera{
			Name: name, Open: s.open, Judge: liveness.Config{A1: 250 * time.Millisecond},
			Recorder: func(confirmed func(bool, time.Duration, error)) (Recorder, error) {
				return fmp4.New(fmp4.Config{Dir: h.dir + "/clips", Door: h.who.Door, Camera: name, Now: h.now, Wall: time.Now, Confirmed: confirmed, Log: slog.New(slog.DiscardHandler)})
			},
		}
		if h.with != nil {
			h.with(&c)
		}
		cameras = append(cameras, c)
	}
	h.eye = h.eyes[h.names[0]]
	var conn bus.Conn = h.hubEnd
	if h.wrap != nil {
		conn = h.wrap(conn)
	}
	cfg := Config{
		ID: h.who.Hub, RP: h.who.RP, Epoch: h.who.Epoch, Ledger: (*slowLog)(h), Bus: conn, Now: h.now,
		Log: slog.New(h.logs), Pairing: func(code string) { h.code <- code }, Watching: h.note,
		Dir: h.dir + "/cameras", Doors: []Door{{
			Name: h.who.Door, Limits: h.limits, Lock: h.openLock,
			Cameras: cameras, Walk: walkOf(h.who.Door, h.names),
		}},
	}
	if h.rewire != nil {
		h.rewire(&cfg)
	}
	if h.hub, err = New(cfg); err != nil {
		h.Fatal(err)
	}
	if err := h.hub.Start(context.Background()); err != nil {
		h.Fatal(err)
	}
	_, door := h.lock.Truth()
	h.lock.Door(door == lock.DoorOpen) // the sensor's report
}

func logTo() io.Writer {
	if os.Getenv("HUB_LOG") != "" {
		return os.Stderr
	}
	return io.Discard
}

// shut ends the hub, as a power cut would as far as the record goes.
func (h *house) shut() {
	if h.hub == nil {
		return
	}
	if err := h.hub.Stop(); err != nil {
		h.Errorf("stop: %v", err)
	}
	if err := h.ledger.Close(); err != nil {
		h.Errorf("close: %v", err)
	}
	h.hub = nil
}

func (h *house) note(e Event) {
	h.mu.Lock()
	h.events = append(h.events, e)
	h.mu.Unlock()
	h.wake()
}

func (h *house) wake() {
	select {
	case h.change <- struct{}{}:
	default:
	}
}

// serve is the service: it answers beats, takes the record in order, and alarms.
func (h *house) serve() {
	on := func(what string, do func(body []byte) any) {
		_, err := h.far.Subscribe(bus.Subject(h.who.Hub, what), func(m bus.Message) {
			h.mu.Lock()
			r := do(m.Body)
			h.mu.Unlock()
			h.wake()
			if m.Reply != nil && r != nil {
				b, _ := json.Marshal(r)
				_ = m.Reply(b)
			}
		})
		if err != nil {
			h.Fatal(err)
		}
	}
	on("beat", func(b []byte) any {
		var k bus.Beat
		_ = json.Unmarshal(b, &k)
		return bus.BeatReply{Nonce: k.Nonce, Blocks: map[string]uint64{h.who.Door: 0}, Time: time.Now(), Cursor: uint64(len(h.log))}
	})
	on("log", func(b []byte) any {
		var k bus.Log
		_ = json.Unmarshal(b, &k)
		for i, leaf := range k.Entries {
			e, err := ledger.Decode(leaf)
			if err != nil || e.Index != k.From+uint64(i) {
				h.Errorf("shipped entry %d: %v", k.From+uint64(i), err)
			}
			if e.Index == uint64(len(h.log)) {
				h.log = append(h.log, e)
			}
		}
		if len(k.Note) > 0 {
			h.notes++
		}
		return bus.LogReply{Cursor: uint64(len(h.log))}
	})
	on("view", func(b []byte) any {
		var v bus.View
		if err := json.Unmarshal(b, &v); err != nil {
			h.Errorf("view: %v", err)
		}
		h.view = v
		return nil
	})
	on("alarm", func(b []byte) any {
		var a bus.Alarm
		_ = json.Unmarshal(b, &a)
		if _, ok := h.taken[a.ID]; !ok {
			h.taken[a.ID] = h.now()
			h.alarms = append(h.alarms, a)
		}
		return struct{}{}
	})
}

// wait waits until ok holds, and fails past 20 s.
func (h *house) wait(what string, ok func() bool) {
	h.Helper()
	end := time.NewTimer(20 * time.Second)
	defer end.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		h.mu.Lock()
		yes := ok()
		h.mu.Unlock()
		if yes {
			return
		}
		select {
		case <-h.change:
		case <-again.C:
		case <-end.C:
			h.mu.Lock()
			defer h.mu.Unlock()
			h.Fatalf("never: %s; view %+v", what, h.view)
		}
	}
}

func (h *house) until(phase string) {
	h.Helper()
	h.wait("phase "+phase, func() bool { return h.view.Phase == phase })
}

func (h *house) seen() bus.View {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.view
}

func (h *house) ask(a bus.Ask) bus.AskReply {
	h.Helper()
	h.asks++
	a.ID = fmt.Sprintf("ask-%d-%d", h.start.UnixNano(), h.asks)
	if a.Door == "" {
		a.Door = h.who.Door
	}
	b, _ := json.Marshal(a)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	got, err := h.far.Request(ctx, bus.Subject(h.who.Hub, "ask"), b)
	if err != nil {
		h.Fatalf("ask %s: %v", a.What, err)
	}
	var r bus.AskReply
	if err := json.Unmarshal(got, &r); err != nil {
		h.Fatal(err)
	}
	return r
}

func (h *house) must(a bus.Ask) {
	h.Helper()
	if r := h.ask(a); !r.OK {
		h.Fatalf("ask %s: %+v", a.What, r)
	}
}

// prepare pairs and gives the grant.
func (h *house) prepare() {
	h.Helper()
	k := h.who.Resident.Public
	req := grant.PairingRequest{Household: h.who.Name, Passkey: k, Proof: grant.PairingProof(<-h.code, k, h.who.Name, h.who.Hub)}
	b, err := req.Encode()
	if err != nil {
		h.Fatal(err)
	}
	h.must(bus.Ask{What: bus.AskPair, Pairing: b})
	h.must(bus.Ask{What: bus.AskGrant, Grant: h.who.Bytes()})
}

func (h *house) arrive() {
	h.Helper()
	for { // the clock is sure with the first answered beat
		r := h.ask(bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"})
		if r.OK {
			break
		}
		if r.Reason != "clock-unsure" {
			h.Fatalf("arrive: %+v", r)
		}
	}
	h.until("ready")
}

// slide answers the nonce that is shown, and gives it.
func (h *house) slide() (nonce []byte) {
	h.Helper()
	v := h.seen()
	h.must(bus.Ask{What: bus.AskSlide, Visit: v.Visit, Assertion: h.who.Courier.Sign(v.Nonce)})
	return v.Nonce
}

// unlock slides until the bolt has drawn, as a courier does: a hub that was late for a moment, which any busy machine makes it,
// turns a slide down and shows a fresh nonce. What it turned down has put nothing on the wire.
func (h *house) unlock() {
	h.Helper()
	for {
		nonce := h.slide()
		turnedDown := false
		h.wait("phase unlocked", func() bool {
			turnedDown = h.view.Phase == "ready" && !bytes.Equal(h.view.Nonce, nonce)
			return turnedDown || h.view.Phase == "unlocked"
		})
		if !turnedDown {
			return
		}
		if u, _ := h.wired(); u != 0 {
			h.Fatalf("S12: a slide was turned down with %d unlocks on the wire", u)
		}
		h.Logf("a slide was turned down: %s", h.view.Sentence)
	}
}

func (h *house) out() bus.AskReply {
	h.Helper()
	v := h.seen()
	return h.ask(bus.Ask{What: bus.AskOut, Visit: v.Visit, Assertion: h.who.Courier.Sign(v.OutNonce)})
}

func (h *house) wired() (unlocks, locks int) {
	for _, s := range h.lock.Wire() {
		if s.Unlock {
			unlocks++
		} else {
			locks++
		}
	}
	return unlocks, locks
}

// openLock is the fake's driver with a spy before it.
func (h *house) openLock(ctx context.Context, cfg lock.Config, report func(lock.Report)) (lock.Lock, error) {
	l, err := h.lock.Open(ctx, cfg, report)
	return &spied{l, h}, err
}

// driver is lock.Lock under a name that does not hide its method.
type driver = lock.Lock

type spied struct {
	driver
	h *house
}

func (s *spied) Lock(ctx context.Context) error {
	if s.h.refuse.Add(-1) >= 0 {
		return lock.ErrOffline
	}
	return s.driver.Lock(ctx)
}

func (s *spied) Unlock(ctx context.Context, o lock.Order) error {
	if s.h.spy != nil {
		s.h.spy("unlock")
	}
	return s.driver.Unlock(ctx, o)
}

// slowLog is the house's ledger, whose "durable" can be kept from the hub.
type slowLog house

func (l *slowLog) Append(done func(error), entries ...ledger.Entry) {
	if (*house)(l).stalled() {
		done = nil
	}
	if l.broken.Load() {
		l.tried.Add(1)
		done(fmt.Errorf("%w: no space left on device", ledger.ErrFailed))
		return
	}
	l.ledger.Append(done, entries...)
}
func (l *slowLog) Sync(ctx context.Context) error { return l.ledger.Sync(ctx) }
func (l *slowLog) Checkpoint(ctx context.Context) (ledger.Checkpoint, error) {
	return l.ledger.Checkpoint(ctx)
}

func (l *slowLog) Read(ctx context.Context, from, to uint64) ([]ledger.Entry, error) {
	return l.ledger.Read(ctx, from, to)
}
func (l *slowLog) Size() uint64 { return l.ledger.Size() }
func (l *slowLog) Close() error { return errors.New("the hub closed a ledger that is not its own") }

func (h *house) stalled() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stall
}

func words(es []ledger.Entry) (out []string) {
	for _, e := range es {
		out = append(out, string(e.Kind)+" "+e.Word)
	}
	return out
}

func has(es []ledger.Entry, kind ledger.Kind, word string) bool {
	return slices.ContainsFunc(es, func(e ledger.Entry) bool { return e.Kind == kind && e.Word == word })
}
