package mqtt_test

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/locktest"
	"eyebolt/lock/mqtt"
	"eyebolt/virtual/broker"
	"eyebolt/virtual/home"
)

// world is a pretend home behind a real broker, with a pipe that can be cut between broker and driver and an observer
// that is no code of ours: mosquitto_sub.
type world struct {
	t    testing.TB
	h    *home.Home
	b    *broker.Broker
	pipe *locktest.Pipe
	spy  *spy
	base string
	now  func() time.Duration
}

// quick are the spans of a home in a test.
func quick(cfg home.Config) home.Config {
	cfg.Travel, cfg.ReportDelay, cfg.RadioTimeout = 30*time.Millisecond, 2*time.Millisecond, 100*time.Millisecond
	return cfg
}

func newWorld(t testing.TB, b *broker.Broker, base string, cfg home.Config) *world {
	t.Helper()
	start := time.Now()
	w := &world{t: t, b: b, base: base, now: func() time.Duration { return time.Since(start) }}
	cfg.Broker, cfg.Base, cfg.Now = b.URL(), base, w.now
	var err error
	if w.h, err = home.Start(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.h.Close)
	w.pipe = locktest.NewPipe(t, b.Addr())
	w.spy = newSpy(t, b, base, w.now)
	return w
}

func (w *world) settings() mqtt.Settings {
	return mqtt.Settings{Broker: "mqtt://" + w.pipe.Addr(), Base: w.base, Lock: "front_lock", Contact: "front_door"}
}

func (w *world) harness() locktest.Harness {
	return locktest.Harness{
		Open:   mqtt.Open,
		Config: lock.Config{Name: w.base, Now: w.now, Settings: w.settings()},
		World:  w,
	}
}

func (w *world) Truth() (lock.Bolt, lock.Door) {
	t := w.h.Truth()
	bolt := map[home.Bolt]lock.Bolt{home.Thrown: lock.BoltThrown, home.Drawn: lock.BoltDrawn, home.Half: lock.BoltJammed}[t.Bolt]
	if t.DoorOpen {
		return bolt, lock.DoorOpen
	}
	return bolt, lock.DoorClosed
}

func (w *world) Hand(to lock.Bolt) {
	if b, _ := w.Truth(); b != to {
		w.h.TurnKnobInside()
	}
}

func (w *world) Door(open bool) {
	if open {
		w.h.ForceDoor()
		return
	}
	if w.h.Truth().Bolt != home.Drawn {
		w.h.TurnKnobInside()
	}
	if err := w.h.CloseDoor(); err != nil {
		w.t.Errorf("close the door: %v", err)
	}
	w.h.TurnKnobInside()
}

func (w *world) Battery(percent int) { w.h.Battery(percent) }

func (w *world) Lie(l locktest.Lie) {
	const some = 300 * time.Millisecond
	w.h.BlockQuietly(l == locktest.AckedNotDone)
	w.h.Mute(l == locktest.DoneNotAcked)
	w.h.Silence(l == locktest.Failed)
	w.h.Jam(l == locktest.Jammed)
	w.h.LateBy(map[bool]time.Duration{true: some}[l == locktest.Late])
	w.h.Twice(map[bool]time.Duration{true: some}[l == locktest.Twice])
}

func (w *world) Path(up bool) { w.pipe.Set(up) }

func (w *world) Peer(up bool) {
	if !up {
		w.h.CrashBridge()
		return
	}
	if err := w.h.StartBridge(w.t.Context()); err != nil {
		w.t.Errorf("bridge: %v", err)
	}
}

func (w *world) Plant(b lock.Bolt) {
	words := map[lock.Bolt]string{lock.BoltThrown: `"lock_state":"locked","state":"LOCK"`, lock.BoltDrawn: `"lock_state":"unlocked","state":"UNLOCK"`}
	w.publish("front_lock", fmt.Sprintf(`{"battery":90,"last_seen":%q,"linkquality":120,%s}`, time.Now().UTC().Format(time.RFC3339Nano), words[b]), "-r")
}

// publish says something with Debian's mosquitto_pub.
func (w *world) publish(topic, payload string, flags ...string) {
	w.t.Helper()
	host, port, _ := net.SplitHostPort(w.b.Addr())
	args := append([]string{"-h", host, "-p", port, "-V", "5", "-t", w.base + "/" + topic}, flags...)
	if payload != "" { // else -n is among the flags
		args = append(args, "-s")
	}
	c := exec.Command("mosquitto_pub", args...)
	c.Stdin = strings.NewReader(payload)
	if out, err := c.CombinedOutput(); err != nil {
		w.t.Fatalf("mosquitto_pub: %v: %s", err, out)
	}
}

func (w *world) Wire() []locktest.Sent {
	w.spy.mu.Lock()
	defer w.spy.mu.Unlock()
	return append([]locktest.Sent(nil), w.spy.sent...)
}

// spy is a mosquitto_sub that writes down every command to the lock with its flags.
type spy struct {
	mu    sync.Mutex
	sent  []locktest.Sent
	lines []string // everything, as it was written down
}

const spyReady = "spy ready"

func newSpy(t testing.TB, b *broker.Broker, base string, now func() time.Duration) *spy {
	t.Helper()
	host, port, _ := net.SplitHostPort(b.Addr())
	c := exec.Command("mosquitto_sub", "-h", host, "-p", port, "-V", "5", "-q", "2", "--retain-as-published",
		"-t", base+"/front_lock/set", "-t", base+"/front_lock/get", "-t", base+"/spy", "-F", "%q %r %t E%E %p")
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatalf("mosquitto_sub: %v (apt-get install mosquitto-clients)", err)
	}
	s := &spy{}
	ready, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		lines := bufio.NewScanner(out)
		var once sync.Once
		for lines.Scan() {
			line := lines.Text()
			if strings.HasSuffix(line, spyReady) {
				once.Do(func() { close(ready) })
				continue
			}
			s.mu.Lock()
			s.lines = append(s.lines, line)
			if strings.Contains(line, "/get ") {
				s.mu.Unlock()
				continue
			}
			s.sent = append(s.sent, locktest.Sent{
				At: now(), QoS: line[0] - '0', Retained: strings.HasPrefix(line[2:], "1"), Unlock: strings.Contains(line, "UNLOCK"),
			})
			s.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = c.Process.Kill()
		<-done
		_ = c.Wait()
	})
	w := &world{t: t, b: b, base: base}
	for tries := 0; ; tries++ {
		w.publish("spy", spyReady)
		select {
		case <-ready:
			return s
		case <-time.After(50 * time.Millisecond):
			if tries > 100 {
				t.Fatal("mosquitto_sub hears nothing")
			}
		}
	}
}

// topicOf makes a base topic of a test's name: no wildcards, no spaces.
func topicOf(t testing.TB) string {
	return "z2m-" + url.PathEscape(strings.NewReplacer("/", "-", " ", "_", "%", "").Replace(t.Name()))
}

func startBroker(t testing.TB, cfg broker.Config) *broker.Broker {
	t.Helper()
	b, err := broker.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	return b
}
