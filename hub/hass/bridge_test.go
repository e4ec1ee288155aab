package hass

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/lock/locktest"
	"eyebolt/virtual/broker"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
)

// stage is a bridge on a real mosquitto, with a path that can be cut, a client beside it, and a hub that counts presses.
type stage struct {
	*testing.T
	broker *broker.Broker
	pipe   *locktest.Pipe
	bridge *Bridge
	client *autopaho.ConnectionManager
	start  time.Time
	log    *lines

	mu      sync.Mutex
	now     map[string]string // topic → newest body, as passed on live or retained
	held    map[string]bool   // topics that came retained to the newest listener
	pressed []string
	fail    int    // so many presses fail
	hang    string // the door whose presses never end
	hung    int
}

// lines is a log.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, string(p))
	return len(p), nil
}

func (l *lines) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(strings.Join(l.all, ""), text)
}

func newStage(t *testing.T, with ...func(*Settings, *broker.Config)) *stage {
	t.Helper()
	s := &stage{T: t, start: time.Now(), now: map[string]string{}, log: &lines{}}
	set, conf := Settings{}, broker.Config{}
	for _, w := range with {
		w(&set, &conf)
	}
	var err error
	if s.broker, err = broker.Start(t.Context(), conf); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.broker.Stop)
	s.pipe = locktest.NewPipe(t, s.broker.Addr())
	if set.Broker == "" {
		set.Broker = "mqtt://" + s.pipe.Addr()
	}
	s.bridge = s.open(set)
	s.client = s.listen()
	return s
}

func (s *stage) open(set Settings) *Bridge {
	s.Helper()
	b, err := New(Config{Hub: "home-1", Doors: []string{"front", "side"}, Settings: set, Now: func() time.Duration { return time.Since(s.start) }, Log: slog.New(slog.NewTextHandler(s.log, nil))})
	if err != nil {
		s.Fatal(err)
	}
	if err := b.Start(context.Background(), s.block); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = b.Stop() })
	return b
}

func (s *stage) block(ctx context.Context, door, by string) (bus.AskReply, error) {
	s.mu.Lock()
	if door == s.hang {
		s.hung++
		s.mu.Unlock()
		<-ctx.Done()
		return bus.AskReply{}, ctx.Err()
	}
	defer s.mu.Unlock()
	if s.fail > 0 {
		s.fail--
		return bus.AskReply{}, errors.New("the disk is full")
	}
	s.pressed = append(s.pressed, door+" by "+by)
	return bus.AskReply{OK: true}, nil
}

// listen is a client beside the bridge that hears everything, retained or not.
func (s *stage) listen() *autopaho.ConnectionManager {
	s.Helper()
	u, err := url.Parse(s.broker.URL())
	if err != nil {
		s.Fatal(err)
	}
	s.mu.Lock()
	s.held = map[string]bool{}
	s.mu.Unlock()
	ready := make(chan struct{}, 8)
	m, err := autopaho.NewConnection(s.Context(), autopaho.ClientConfig{
		ServerUrls: []*url.URL{u}, KeepAlive: 20, CleanStartOnInitialConnection: true, ReconnectBackoff: autopaho.NewConstantBackoff(200 * time.Millisecond),
		ConnectUsername: s.bridge.plan.Username, ConnectPassword: s.bridge.plan.password,
		OnConnectionUp: func(m *autopaho.ConnectionManager, _ *paho.Connack) {
			_, _ = m.Subscribe(s.Context(), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "#"}}})
			ready <- struct{}{}
		},
		ClientConfig: paho.ClientConfig{OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(r paho.PublishReceived) (bool, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.now[r.Packet.Topic] = string(r.Packet.Payload)
			if r.Packet.Retain {
				s.held[r.Packet.Topic] = true
			}
			return true, nil
		}}},
	})
	if err != nil {
		s.Fatal(err)
	}
	<-ready
	return m
}

func (s *stage) say(topic, body string, retain bool) {
	s.Helper()
	if _, err := s.client.Publish(s.Context(), &paho.Publish{Topic: topic, Payload: []byte(body), Retain: retain, QoS: 1}); err != nil {
		s.Fatal(err)
	}
}

func (s *stage) until(what string, ok func() bool) {
	s.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		s.mu.Lock()
		yes := ok()
		s.mu.Unlock()
		if yes {
			return
		}
		if time.Now().After(deadline) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.Fatalf("never: %s; now %v", what, s.now)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (s *stage) shows(topic, want string) {
	s.Helper()
	s.until(topic+" to be "+want, func() bool { return s.now[topic] == want })
}

func (s *stage) state(door string) (got state) {
	_ = json.Unmarshal([]byte(s.now[ourNames.state(door)]), &got)
	return got
}

// both shows both doors.
func (s *stage) both(v bus.View) {
	for _, door := range []string{"front", "side"} {
		v.Door = door
		s.bridge.Show(v)
	}
}

const statusTopic, setTopic = "eyebolt/home-1/status", "eyebolt/home-1/front/block/set"

// S13, S15: the hub is there only while its core tells of every door and its connection stands; what claims that a door is secured
// is never kept by the broker.
func TestNothingIsClaimedWithoutTheHub(t *testing.T) {
	s := newStage(t)
	s.shows(statusTopic, offline) // no door was told of yet
	s.both(bus.View{Phase: "ready", Secured: true, Bolt: "thrown", DoorIs: "closed", Watch: "live", LastIncident: &bus.LastIncident{At: time.Unix(1, 0)}})
	s.shows(statusTopic, online)
	s.until("the state", func() bool { return s.state("front").Bolt != nil })

	_ = s.client.Disconnect(t.Context())
	s.mu.Lock()
	clear(s.now)
	s.mu.Unlock()
	s.client = s.listen() // as Home Assistant that starts anew
	s.until("what is kept", func() bool {
		return s.held[statusTopic] && s.held[ourNames.incident("side")] && s.held[ourNames.config("switch", "side", "block")]
	})
	s.mu.Lock()
	for topic := range s.held {
		if strings.HasSuffix(topic, "/state") {
			t.Errorf("S13: %s is retained", topic)
		}
	}
	s.mu.Unlock()
	s.say("homeassistant/status", "online", false)
	s.until("the state, told again when Home Assistant says that it started", func() bool { return s.state("front").Watch == "live" })

	s.pipe.Set(false) // the hub's machine loses its power: no farewell
	s.shows(statusTopic, offline)
	s.pipe.Set(true)
	s.shows(statusTopic, online)
	_ = s.bridge.Stop()
	s.shows(statusTopic, offline)
}

// S15: a core that tells nothing any more is not there, however well the connection is.
func TestSilentCoreIsNotThere(t *testing.T) {
	s := newStage(t)
	s.both(bus.View{Phase: "idle"})
	s.shows(statusTopic, online)
	s.bridge.mu.Lock()
	s.bridge.doors["side"].heard -= Expire // twelve seconds pass in which one door is not told of
	s.bridge.mu.Unlock()
	s.shows(statusTopic, offline)
	s.both(bus.View{Phase: "idle"})
	s.shows(statusTopic, online)
}

// S4: a press is carried out; one that fails is tried until it is; what lifts, is retained or is no press changes nothing.
func TestPresses(t *testing.T) {
	s := newStage(t)
	s.say("eyebolt/home-1/side/block/set", "ON", true) // kept from the past: it was published before the bridge had listened, or after
	s.both(bus.View{Phase: "idle"})
	s.shows(statusTopic, online)
	s.mu.Lock()
	s.pressed, s.fail = nil, 2
	s.mu.Unlock()
	s.say(setTopic, "OFF", false)
	s.say(setTopic, "off", false)
	s.say(setTopic, "ON", false)
	s.until("what failed to stand beside the switch", func() bool { return strings.Contains(s.state("front").BlockMore.Note, "disk is full") })
	s.until("one press", func() bool { return len(s.pressed) == 1 && s.pressed[0] == "front by Home Assistant" })
	s.both(bus.View{Phase: "idle", Blocked: true})
	s.until("the switch", func() bool { return s.state("front").Block == on })
	s.say(setTopic, "OFF", false)
	s.until("why it is not lifted", func() bool { return s.state("front").BlockMore.Note == noteRefused && s.state("front").Block == on })

	s.pipe.Set(false) // what is kept at the broker is no press of now when the hub comes back (S12)
	s.shows(statusTopic, offline)
	s.say(setTopic, "ON", false) // nobody listens: nothing waits for the hub
	s.pipe.Set(true)
	s.shows(statusTopic, online)
	time.Sleep(500 * time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pressed) != 1 {
		t.Errorf("pressed %v, want once", s.pressed)
	}
}

// S4: a disk that hangs under one door's block holds no other door's up: each is the core's from the moment that it was pressed.
func TestPressesWaitForNoOtherDoor(t *testing.T) {
	s := newStage(t)
	s.both(bus.View{Phase: "idle"})
	s.shows(statusTopic, online)
	s.mu.Lock()
	s.hang = "front"
	s.mu.Unlock()
	s.say(setTopic, "ON", false)
	s.until("the block that hangs", func() bool { return s.hung > 0 })
	begun := time.Now()
	s.say("eyebolt/home-1/side/block/set", "ON", false)
	s.until("the other door's block", func() bool { return len(s.pressed) == 1 && s.pressed[0] == "side by Home Assistant" })
	if took := time.Since(begun); took > pressLimit/2 {
		t.Errorf("the other door's block took %v", took)
	}
}

// A door that was taken out of the configuration goes from Home Assistant, too; nobody else's entity does.
func TestForgottenDoor(t *testing.T) {
	s := newStage(t)
	gone, other := "homeassistant/switch/eyebolt-home-1/garage_block/config", "homeassistant/switch/zigbee/lamp/config"
	s.say(gone, "{}", true)
	s.say(other, "{}", true)
	s.both(bus.View{Phase: "idle"})
	s.shows(gone, "")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now[other] != "{}" {
		t.Error("another's entity was taken away")
	}
}

// T20: 10,000 messages a second, huge ones among them, cost bounded memory, and few presses reach the hub.
func TestFlood(t *testing.T) {
	s := newStage(t)
	s.both(bus.View{Phase: "idle"})
	s.shows(statusTopic, online)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const n = 20_000
	begun := time.Now()
	raw, err := net.Dial("tcp", s.broker.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	fmt.Fprintf(raw, "\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04spam") // MQTT 3.1.1, clean session
	if _, err := raw.Read(make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	packet := func(topic string, body int) []byte {
		length := 2 + len(topic) + body
		p := []byte{0x30}
		for {
			b := byte(length % 128)
			if length /= 128; length > 0 {
				p = append(p, b|0x80)
				continue
			}
			p = append(p, b)
			break
		}
		p = append(p, byte(len(topic)>>8), byte(len(topic)))
		p = append(p, topic...)
		p = append(p, make([]byte, body)...)
		if body == 2 {
			copy(p[len(p)-2:], on)
		}
		return p
	}
	press, huge := packet(setTopic, 2), packet(setTopic, 200_000)
	for i := range n {
		p := press
		if i%1000 == 0 {
			p = huge
		}
		if _, err := raw.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(begun)
	s.until("a press", func() bool { return len(s.pressed) > 0 })
	s.both(bus.View{Phase: "idle", Blocked: true})
	s.until("the state, beside the flood", func() bool { return s.state("front").Block == on })
	runtime.GC()
	runtime.ReadMemStats(&after)
	s.mu.Lock()
	defer s.mu.Unlock()
	most := int(time.Since(begun)/pressGap) + 2
	if len(s.pressed) > most {
		t.Errorf("%d of %d presses reached the hub in %v, want at most %d", len(s.pressed), n, time.Since(begun), most)
	}
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%.0f messages a second; %d presses reached the hub; %d KiB more on the heap", float64(n)/took.Seconds(), len(s.pressed), grown>>10)
	if grown > 8<<20 {
		t.Errorf("%d bytes more on the heap", grown)
	}
}

// Wrong names and certificates are said plainly; the right ones pass.
func TestNameAndPassword(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pw")
	if err := os.WriteFile(file, []byte("right\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newStage(t, func(set *Settings, c *broker.Config) {
		c.Username, c.Password = "eyebolt", "right"
		set.Username, set.PasswordFile = "eyebolt", file
	})
	s.both(bus.View{Phase: "idle"})
	s.shows(statusTopic, online)
	wrong := filepath.Join(t.TempDir(), "pw")
	if err := os.WriteFile(wrong, []byte("wrong\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.open(Settings{Broker: s.broker.URL(), Username: "eyebolt", PasswordFile: wrong})
	s.until("the refusal to be logged", func() bool { return s.log.has("check username and password_file under home_assistant") })
}

func TestTLS(t *testing.T) {
	s := newStage(t)
	mine, ca := certificate(t)
	_, other := certificate(t)
	front, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{mine}})
	if err != nil {
		t.Fatal(err)
	}
	defer front.Close()
	go func() {
		for {
			c, err := front.Accept()
			if err != nil {
				return
			}
			s.pipe.Carry(c)
		}
	}()
	s.shows(statusTopic, offline)
	_ = s.bridge.Stop()
	s.open(Settings{Broker: "mqtts://" + front.Addr().String(), CAFile: other})
	s.until("the certificate to be refused", func() bool { return s.log.has("certificate") })
	s.bridge = s.open(Settings{Broker: "mqtts://" + front.Addr().String(), CAFile: ca})
	s.both(bus.View{Phase: "idle"})
	s.shows(statusTopic, online)
}

func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, path
}
