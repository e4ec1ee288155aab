package mqtt_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/mqtt"
	"eyebolt/virtual/broker"
	"eyebolt/virtual/home"
)

// ears collect what a driver reports.
type ears struct {
	mu  sync.Mutex
	all []lock.Report
}

func (e *ears) report(r lock.Report) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, r)
}

func (e *ears) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.all)
}

func (e *ears) since(from int) []lock.Report {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.all[min(from, len(e.all)):])
}

// wait returns the first report from the mark on that fits, and the mark after it.
func (e *ears) wait(t testing.TB, from int, what string, fits func(lock.Report) bool) (lock.Report, int) {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		e.mu.Lock()
		all := slices.Clone(e.all)
		e.mu.Unlock()
		for i := from; i < len(all); i++ {
			if fits(all[i]) {
				return all[i], i + 1
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("never reported: %s; reported since: %+v", what, all[min(from, len(all)):])
		}
		<-tick.C
	}
}

func well(r lock.Report) bool { return r.What == lock.OfHealth && r.OK }

func ill(text string) func(lock.Report) bool {
	return func(r lock.Report) bool {
		return r.What == lock.OfHealth && !r.OK && strings.Contains(r.Err.Error(), text)
	}
}

func bolt(b lock.Bolt) func(lock.Report) bool {
	return func(r lock.Report) bool { return r.What == lock.OfBolt && r.Bolt == b }
}

func open(t testing.TB, now func() time.Duration, s mqtt.Settings) (lock.Lock, *ears) {
	t.Helper()
	e := &ears{}
	l, err := mqtt.Open(t.Context(), lock.Config{Name: "door", Now: now, Settings: s}, e.report)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l, e
}

// start opens a driver on a world and waits until it knows the bolt.
func start(t testing.TB, w *world) (lock.Lock, *ears) {
	t.Helper()
	l, e := open(t, w.now, w.settings())
	e.wait(t, 0, "health", well)
	e.wait(t, 0, "bolt", bolt(lock.BoltThrown))
	return l, e
}

func (w *world) order() lock.Order {
	return lock.Order{Visit: lock.VisitID(fmt.Sprint("visit-", w.now())), NotAfter: w.now() + time.Second}
}

func (w *world) unlocks() int {
	n := 0
	for _, s := range w.Wire() {
		if s.Unlock {
			n++
		}
	}
	return n
}

func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPassword(t *testing.T) {
	b := startBroker(t, broker.Config{Username: "hub", Password: "right"})
	h, err := home.Start(t.Context(), quick(home.Config{Broker: "mqtt://hub:right@" + b.Addr()}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	begin := time.Now()
	now := func() time.Duration { return time.Since(begin) }
	s := mqtt.Settings{Broker: b.URL(), Username: "hub", PasswordFile: writeFile(t, "pw", "wrong\n"), Lock: "front_lock", Contact: "front_door"}
	l, e := open(t, now, s)
	e.wait(t, 0, "refused", ill("check username and password_file"))
	if err := l.Unlock(t.Context(), lock.Order{Visit: "v", NotAfter: now() + time.Second}); !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("unlock: got %v, want ErrNotSent", err)
	}
	s.PasswordFile = writeFile(t, "pw", "right\n")
	_, e = open(t, now, s)
	e.wait(t, 0, "health", well)
}

func TestUnknownName(t *testing.T) {
	w := newWorld(t, startBroker(t, broker.Config{}), "z2m", quick(home.Config{}))
	s := w.settings()
	s.Lock = "frontlock"
	l, e := open(t, w.now, s)
	e.wait(t, 0, "the nearest name", ill(`no device named "frontlock"; did you mean "front_lock"?`))
	if err := l.Unlock(t.Context(), w.order()); !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("unlock: got %v, want ErrNotSent", err)
	}
	s = w.settings()
	s.Base = "zigbee"
	_, e = open(t, w.now, s)
	e.wait(t, 0, "the base topic", ill(`under base_topic "zigbee"`))
}

// A broker whose power is cut, and comes back: not sent, at once; then well again, and nothing was kept.
func TestBrokerPowerCut(t *testing.T) {
	w := newWorld(t, startBroker(t, broker.Config{Persist: true}), "z2m", quick(home.Config{}))
	s := w.settings()
	s.Broker = w.b.URL()
	l, e := open(t, w.now, s)
	_, from := e.wait(t, 0, "bolt", bolt(lock.BoltThrown))
	w.b.Halt(false)
	_, from = e.wait(t, from, "bolt unknown", bolt(lock.BoltUnknown))
	began := time.Now()
	if err := l.Unlock(t.Context(), w.order()); !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("unlock: got %v, want ErrNotSent", err)
	}
	if took := time.Since(began); took > 300*time.Millisecond {
		t.Errorf("unlock without a broker took %v", took)
	}
	_, from = e.wait(t, from, "unreachable", ill("cannot be reached"))
	if err := w.b.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, from = e.wait(t, from, "health", well)
	e.wait(t, from, "bolt", bolt(lock.BoltThrown))
	if got := w.h.Truth().Draws; got != 0 {
		t.Errorf("the bolt drew %d times", got)
	}
}

// S13, T20: what cannot be read makes the bolt unknown, and the driver asks; nothing that is too large is taken in.
func TestUnreadable(t *testing.T) {
	w := newWorld(t, startBroker(t, broker.Config{}), "z2m", quick(home.Config{}))
	l, e := start(t, w)
	for name, payload := range map[string]string{
		"garbage":      `{"lock_state":"locked",`,
		"no object":    `LOCK`,
		"huge":         `{"lock_state":"locked","x":"` + strings.Repeat("x", 100<<10) + `"}`,
		"binary":       "\x00\xff\xfe",
		"not its word": `{"lock_state":"deadbolted","last_seen":"2026-01-01T00:00:00Z"}`,
	} {
		from := e.count()
		w.publish("front_lock", payload)
		_, from = e.wait(t, from, name+": unknown", bolt(lock.BoltUnknown))
		if name != "not its word" {
			e.wait(t, from, name+": asked again", bolt(lock.BoltThrown))
		}
	}
	from := e.count()
	w.publish("bridge/devices", `[{"friendly_name":"`+strings.Repeat("x", 5<<20)+`"}]`) // beyond what the broker may send us
	w.publish("bridge/devices", `not a list`)
	w.publish("bridge/info", `{"config":[]}`)
	w.publish("bridge/state", `{}`)
	w.publish("bridge/logging", `{"level":"error"}`)
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.wait(t, from, "an answer", func(r lock.Report) bool { return bolt(lock.BoltThrown)(r) && r.Solicited })
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.all[from:] {
		if r.What == lock.OfHealth && !r.OK {
			t.Errorf("nonsense of the bridge cost the connection: %v", r.Err)
		}
	}
}

// An order is never handed to a broker that hangs: it would carry it out when it wakes (S12).
func TestFrozenBroker(t *testing.T) {
	w := newWorld(t, startBroker(t, broker.Config{}), "z2m", quick(home.Config{}))
	l, e := start(t, w)
	if err := w.b.Freeze(); err != nil {
		t.Fatal(err)
	}
	o := w.order()
	err := l.Unlock(t.Context(), o)
	if !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("unlock: got %v, want ErrNotSent", err)
	}
	if late := w.now() - o.NotAfter; late > 0 {
		t.Errorf("unlock returned %v after its not-after", late)
	}
	from := e.count()
	// Within seconds the driver knows; a Lock may still be written, and throws a bolt that was thrown.
	e.wait(t, from, "the broker is silent", func(r lock.Report) bool { return r.What == lock.OfHealth && !r.OK })
	if err := w.b.Thaw(); err != nil {
		t.Fatal(err)
	}
	_, from = e.wait(t, from, "health", well)
	e.wait(t, from, "bolt", bolt(lock.BoltThrown))
	if got := w.unlocks(); got != 0 {
		t.Errorf("%d unlocks came late", got)
	}
}

// S12: a Zigbee2MQTT that hangs, and wakes after the order's time, takes all that came meanwhile: no order may be among it.
func TestHungBridge(t *testing.T) {
	w := newWorld(t, startBroker(t, broker.Config{}), "z2m", quick(home.Config{}))
	l, e := start(t, w)
	w.h.Hang(true)
	if err := l.Unlock(t.Context(), w.order()); !errors.Is(err, lock.ErrNotSent) || !strings.Contains(err.Error(), "Zigbee2MQTT does not answer") {
		t.Errorf("unlock: got %v, want ErrNotSent, since Zigbee2MQTT does not answer", err)
	}
	if err := l.Lock(t.Context()); err != nil { // a Lock waits for nothing
		t.Errorf("lock: %v", err)
	}
	from := e.count()
	w.h.Hang(false)
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.wait(t, from, "the bolt, as asked", func(r lock.Report) bool { return bolt(lock.BoltThrown)(r) && r.Solicited })
	if got := w.unlocks(); got != 0 || w.h.Truth().Draws != 0 {
		t.Errorf("%d unlocks on the wire, the bolt drew %d times", got, w.h.Truth().Draws)
	}
	if err := l.Unlock(t.Context(), w.order()); err != nil {
		t.Errorf("unlock, once it answers: %v", err)
	}
	e.wait(t, from, "drawn", bolt(lock.BoltDrawn))
}

// S12: an order that somebody left retained is told of, by a driver that was there and by one that comes later, until it is removed; what
// is only on its way is not.
func TestRetainedOrder(t *testing.T) {
	w := newWorld(t, startBroker(t, broker.Config{}), "z2m", quick(home.Config{}))
	l, e := start(t, w)
	w.publish("front_lock/set", `{"state":"UNLOCK"}`)
	_, from := e.wait(t, 0, "drawn", bolt(lock.BoltDrawn))
	for _, r := range e.since(from) {
		if r.What == lock.OfHealth && !r.OK {
			t.Errorf("somebody's order: %v", r.Err)
		}
	}
	w.publish("front_lock/set", `{"state":"LOCK"}`, "-r")
	_, from = e.wait(t, from, "the retained order", ill("mosquitto_pub -r -n -t z2m/front_lock/set"))
	if err := l.Unlock(t.Context(), w.order()); !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("unlock: got %v, want ErrNotSent", err)
	}
	_, later := open(t, w.now, w.settings())
	later.wait(t, 0, "the same, later", ill("mosquitto_pub -r -n -t z2m/front_lock/set"))
	w.publish("front_lock/set", "", "-r", "-n")
	e.wait(t, from, "removed", well)
	later.wait(t, 0, "removed", well)
}

// S12: the broker keeps no unlock for a sleeper with a persistent session, nor for a newcomer, and drops one that is old.
func TestNothingLate(t *testing.T) {
	w := newWorld(t, startBroker(t, broker.Config{Persist: true}), "z2m", quick(home.Config{}))
	host, port, _ := net.SplitHostPort(w.b.Addr())
	sleeper := func(flags ...string) *exec.Cmd {
		return exec.Command("mosquitto_sub", append([]string{
			"-h", host, "-p", port, "-V", "5", "-c", "-i", "sleeper", "-x", "3600", "-q", "1", "-t", "z2m/front_lock/set",
		}, flags...)...)
	}
	if out, err := sleeper("-E").CombinedOutput(); err != nil { // subscribe, and go to sleep
		t.Fatalf("%v: %s", err, out)
	}
	l, e := start(t, w)
	if err := l.Unlock(t.Context(), w.order()); err != nil {
		t.Fatal(err)
	}
	e.wait(t, 0, "bolt drawn", bolt(lock.BoltDrawn))
	w.publish("front_lock/set", "MARK", "-q", "1") // proof that a sleeper is served at all
	out, err := sleeper("-C", "1", "-W", "10", "-F", "%r %p").CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "0 MARK" {
		t.Errorf("the sleeper woke to %q (%v), want only the mark", out, err)
	}
	if got := w.unlocks(); got != 1 {
		t.Errorf("unlocks on the wire: got %d, want 1", got)
	}
}

// S12: the commands on the wire, byte for byte: quality of service, retained, topic, expiry in seconds, payload.
func TestWireFormat(t *testing.T) {
	w := newWorld(t, startBroker(t, broker.Config{}), "z2m", quick(home.Config{}))
	l, e := start(t, w)
	if err := l.Unlock(t.Context(), w.order()); err != nil {
		t.Fatal(err)
	}
	_, from := e.wait(t, 0, "bolt drawn", bolt(lock.BoltDrawn))
	if err := l.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.wait(t, from, "bolt thrown", bolt(lock.BoltThrown))
	want := []string{
		`0 0 z2m/front_lock/get E2 {"state":""}`,
		`0 0 z2m/front_lock/set E1 {"state":"UNLOCK"}`,
		`0 0 z2m/front_lock/set E2 {"state":"LOCK"}`,
	}
	w.spy.mu.Lock()
	defer w.spy.mu.Unlock()
	if got := slices.Compact(slices.Clone(w.spy.lines)); !slices.Equal(got, want) {
		t.Errorf("on the wire:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The not-after is looked at again at the last moment: here the broker takes its time to show that it lives, and the
// order's second passes meanwhile (S12).
func TestLateAtTheLastMoment(t *testing.T) {
	w := newWorld(t, startBroker(t, broker.Config{}), "z2m", quick(home.Config{}))
	var jump atomic.Int64
	real := w.now
	w.now = func() time.Duration { return real() + time.Duration(jump.Load()) }
	l, e := start(t, w)
	if err := w.b.Freeze(); err != nil {
		t.Fatal(err)
	}
	result := make(chan error)
	go func() { result <- l.Unlock(t.Context(), w.order()) }()
	begun := time.NewTimer(50 * time.Millisecond) // the order waits for the broker by now; if not, it is too late at once
	<-begun.C
	jump.Store(int64(2 * time.Second))
	if err := w.b.Thaw(); err != nil {
		t.Fatal(err)
	}
	if err := <-result; !errors.Is(err, lock.ErrTooLate) {
		t.Errorf("unlock: got %v, want ErrTooLate", err)
	}
	from := e.count()
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.wait(t, from, "bolt", bolt(lock.BoltThrown))
	if got := w.unlocks(); got != 0 {
		t.Errorf("unlocks on the wire: got %d, want 0", got)
	}
}
