package homeassistant_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/homeassistant"
	"eyebolt/lock/locktest"
)

func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// start opens a driver and waits until it knows the bolt.
func start(t testing.TB, w *world) (lock.Lock, *locktest.Ears) {
	t.Helper()
	l, e := open(t, w.now, w.settings())
	e.Wait(t, 0, "bolt", bolt(lock.BoltThrown))
	e.Wait(t, 0, "health", well)
	return l, e
}

// unlock draws the bolt; a refusal of a starved peer is asked anew.
func (w *world) unlock(l lock.Lock) (at time.Duration) {
	w.t.Helper()
	for range 20 {
		at = w.now()
		err := l.Unlock(w.t.Context(), lock.Order{Visit: lock.VisitID(at.String()), NotAfter: at + time.Second})
		if err == nil {
			return at
		}
		if !errors.Is(err, lock.ErrNotSent) && !errors.Is(err, lock.ErrTooLate) {
			w.t.Fatalf("unlock: %v", err)
		}
		w.t.Logf("refused: %v", err)
		time.Sleep(300 * time.Millisecond)
	}
	w.t.Fatal("unlock: refused again and again")
	return 0
}

func (w *world) unlocks() (n int) {
	for _, s := range w.Wire() {
		if s.Unlock {
			n++
		}
	}
	return n
}

// How long a Lock takes to the wire behind Home Assistant, and to the report that says thrown. The bolt travels 30 ms.
func TestLatency(t *testing.T) {
	w := newWorld(t)
	l, e := start(t, w)
	n := 30
	if testing.Short() {
		n = 3
	}
	var drawing, wire, report []time.Duration
	for range n {
		from := e.Count()
		given := w.unlock(l)
		d, _ := e.Wait(t, from, "drawn", bolt(lock.BoltDrawn))
		drawing = append(drawing, d.At-given)
		from = e.Count()
		before := len(w.Wire())
		at := w.now()
		if err := l.Lock(t.Context()); err != nil {
			t.Fatal(err)
		}
		r, _ := e.Wait(t, from, "thrown", func(r lock.Report) bool { return bolt(lock.BoltThrown)(r) && r.At-r.Age > at })
		report = append(report, r.At-at)
		wire = append(wire, w.Wire()[before].At-at)
	}
	for _, x := range []struct {
		what string
		took []time.Duration
	}{{"Unlock to the report drawn", drawing}, {"Lock to Zigbee2MQTT's topic", wire}, {"Lock to the report thrown", report}} {
		slices.Sort(x.took)
		t.Logf("%s: n %d, median %v, p99 %v, max %v", x.what, n, x.took[n/2], x.took[n*99/100], x.took[n-1])
	}
}

// S12, S13: Home Assistant is killed in each state of a visit. Everything is unknown, nothing is sent and nothing is repeated; when it
// comes back, the first word of the bolt is an answer to a question.
func TestKilledInEachState(t *testing.T) {
	for _, state := range []struct {
		name  string
		want  lock.Bolt
		setUp func(*world, lock.Lock, *locktest.Ears)
	}{
		{"bolted", lock.BoltThrown, func(*world, lock.Lock, *locktest.Ears) {}},
		{"unlocked", lock.BoltDrawn, func(w *world, l lock.Lock, e *locktest.Ears) {
			from := e.Count()
			w.unlock(l)
			e.Wait(w.t, from, "drawn", bolt(lock.BoltDrawn))
		}},
		{"an order just sent", lock.BoltDrawn, func(w *world, l lock.Lock, _ *locktest.Ears) {
			w.unlock(l)
			w.until("the order on the wire", func() bool { return w.unlocks() > 0 })
		}},
		{"the door open", lock.BoltDrawn, func(w *world, l lock.Lock, e *locktest.Ears) {
			from := e.Count()
			w.unlock(l)
			e.Wait(w.t, from, "drawn", bolt(lock.BoltDrawn))
			w.Door(true)
			e.Wait(w.t, from, "open", func(r lock.Report) bool { return r.What == lock.OfDoor && r.Door == lock.DoorOpen })
		}},
		{"a Lock just sent", lock.BoltThrown, func(w *world, l lock.Lock, e *locktest.Ears) {
			from := e.Count()
			w.unlock(l)
			e.Wait(w.t, from, "drawn", bolt(lock.BoltDrawn))
			n := len(w.Wire())
			if err := l.Lock(w.t.Context()); err != nil {
				w.t.Fatal(err)
			}
			w.until("the Lock on the wire", func() bool { return len(w.Wire()) > n })
		}},
	} {
		t.Run(state.name, func(t *testing.T) {
			w := newWorld(t)
			l, e := start(t, w)
			state.setUp(w, l, e)
			orders, from, killed := w.unlocks(), e.Count(), w.now()
			w.Peer(false)
			off, _ := e.Wait(t, from, "health off", func(r lock.Report) bool { return r.What == lock.OfHealth && !r.OK })
			if err := l.Unlock(t.Context(), lock.Order{Visit: "dead", NotAfter: w.now() + time.Second}); !errors.Is(err, lock.ErrNotSent) {
				t.Errorf("unlock without Home Assistant: got %v, want ErrNotSent", err)
			}
			w.until("the bolt at rest", func() bool { b, _ := w.Truth(); return b == state.want })
			from = e.Count()
			w.Peer(true)
			back := w.now()
			told, _ := e.Wait(t, from, "the bolt", func(r lock.Report) bool { return r.What == lock.OfBolt && r.Bolt != lock.BoltUnknown })
			on, _ := e.Wait(t, from, "health", well)
			t.Logf("%s: told %v after the kill; well %v and the bolt %v after its API answers again", state.name, off.At-killed, on.At-back, told.At-back)
			if told.Bolt != state.want || !told.Solicited {
				t.Errorf("first word of the bolt: got %+v, want bolt %d, as asked", told, state.want)
			}
			if got := w.unlocks(); got != orders {
				t.Errorf("S12: an unlock was repeated: %d on the wire, %d before", got, orders)
			}
		})
	}
}

// S9, S13: the six answers of ADDING-A-LOCK.md, seen on the real peer: what Home Assistant wished for, assumes, remembers or was told
// of another matter is never reported as thrown.
func TestWhatAStateIsWorth(t *testing.T) {
	w := newWorld(t)
	l, e := start(t, w)
	from := e.Count()
	w.unlock(l)
	e.Wait(t, from, "drawn", bolt(lock.BoltDrawn))
	entity := "lock." + w.name + "_lock"
	state := func() string {
		all, err := w.p.h.States(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return all[entity].State
	}

	t.Run("a service call succeeds although nothing moved", func(t *testing.T) {
		w.Lie(locktest.AckedNotDone)
		defer w.Lie(locktest.Honest)
		before := len(w.Wire())
		defer w.until("the command on the wire, and its acknowledgement", func() bool { time.Sleep(200 * time.Millisecond); return len(w.Wire()) > before })
		if err := w.p.h.Call(t.Context(), "lock", "lock", map[string]string{"entity_id": entity}); err != nil {
			t.Errorf("Home Assistant says of it: %v", err)
		}
	})
	t.Run("a state is written by whoever may write", func(t *testing.T) {
		from := e.Count()
		now := time.Now().UTC().Format(time.RFC3339Nano)
		if err := w.p.h.Post(t.Context(), "/api/states/"+entity, map[string]any{"state": "locked", "attributes": map[string]any{"last_seen": now}}, nil); err != nil {
			t.Fatal(err)
		}
		w.until("Home Assistant to show it", func() bool { return state() == "locked" })
		time.Sleep(300 * time.Millisecond)
		for _, r := range e.Since(from) {
			if r.Bolt == lock.BoltThrown {
				t.Errorf("S9: reported thrown: %+v", r)
			}
		}
	})
	t.Run("an old word that is told late", func(t *testing.T) {
		from := e.Count()
		w.publish(w.name+"/front_lock", fmt.Sprintf(`{"lock_state":"locked","state":"LOCK","last_seen":%q}`, time.Now().Add(-time.Minute).UTC().Format(time.RFC3339Nano)))
		w.until("Home Assistant to show it", func() bool { return state() == "locked" })
		time.Sleep(300 * time.Millisecond)
		for _, r := range e.Since(from) {
			if r.Bolt == lock.BoltThrown {
				t.Errorf("S13: reported thrown: %+v", r)
			}
		}
	})
	t.Run("the lock asked says the truth", func(t *testing.T) {
		from := e.Count()
		if err := l.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r, _ := e.Wait(t, from, "the answer", func(r lock.Report) bool { return r.What == lock.OfBolt && r.Solicited }); r.Bolt != lock.BoltDrawn {
			t.Errorf("got %+v, want drawn", r)
		}
	})
}

// A lock whose state Home Assistant assumes, or that has no word of its own, opens to nobody, and the reason says what to do (S13).
func TestUnprovableLocks(t *testing.T) {
	w := newWorld(t)
	w.describe("lock", "assumed", map[string]any{"command_topic": w.name + "/other/set", "optimistic": true})
	w.describe("lock", "bare", map[string]any{"command_topic": w.name + "/other/set", "state_topic": w.name + "/other"})
	t.Cleanup(func() {
		for _, key := range []string{"assumed", "bare"} {
			w.publish("homeassistant/lock/"+w.name+"/"+key+"/config", "", "-r")
		}
	})
	w.until("Home Assistant to hear them", func() bool {
		w.publish(w.name+"/other", "LOCKED")
		all, err := w.p.h.States(t.Context())
		return err == nil && all["lock."+w.name+"_assumed"].State != "" && all["lock."+w.name+"_bare"].State == "locked"
	})
	for entity, want := range map[string]string{"assumed": "assumed_state", "bare": "no time in its attribute last_seen"} {
		s := w.settings()
		s.Lock = "lock." + w.name + "_" + entity
		_, e := open(t, w.now, s)
		e.Wait(t, 0, "the reason", ill(want))
		for _, r := range e.Since(0) {
			if r.What == lock.OfBolt && r.Bolt != lock.BoltUnknown {
				t.Errorf("%s: reported %+v", entity, r)
			}
		}
	}

	s := w.settings()
	list, err := homeassistant.List(t.Context(), homeassistant.Settings{URL: s.URL, TokenFile: s.TokenFile}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]lock.Device{}
	for _, d := range list {
		got[d.ID] = d
		t.Logf("listed: %+v", d)
	}
	if d := got["lock."+w.name+"_lock"]; d.Kind != lock.KindLock || d.Why != "" || d.Name != w.name+" lock" {
		t.Errorf("the lock: %+v", d)
	}
	if d := got["binary_sensor."+w.name+"_door"]; d.Kind != lock.KindContact || d.Why != "" {
		t.Errorf("the contact: %+v", d)
	}
	for _, key := range []string{"assumed", "bare"} {
		if d := got["lock."+w.name+"_"+key]; d.Why == "" {
			t.Errorf("%s: listed as if it could be paired: %+v", key, d)
		}
	}
}

// What is wrong is said, with what is meant.
func TestWrongTokenAndNames(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name string
		set  func(*homeassistant.Settings)
		want string
	}{
		{"a wrong token", func(s *homeassistant.Settings) { s.TokenFile = writeFile(t, "token", "wrong\n") }, "make a long-lived access token"},
		{"a wrong lock", func(s *homeassistant.Settings) { s.Lock = "lock." + w.name + "_lok" }, `did you mean "lock.` + w.name + `_lock"?`},
		{"a wrong name", func(s *homeassistant.Settings) { s.Contact = w.name + " dor" }, `did you mean "` + w.name + ` door"?`},
		{"a contact for a lock", func(s *homeassistant.Settings) {
			s.Lock, s.Contact = "binary_sensor."+w.name+"_door", ""
		}, "is no lock"},
		{"another address", func(s *homeassistant.Settings) { s.URL = strings.TrimSuffix(s.URL, "websocket") }, "no WebSocket"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := w.settings()
			c.set(&s)
			l, e := open(t, w.now, s)
			e.Wait(t, 0, "the reason", ill(c.want))
			if err := l.Unlock(t.Context(), lock.Order{Visit: "v", NotAfter: w.now() + time.Second}); !errors.Is(err, lock.ErrNotSent) {
				t.Errorf("unlock: got %v, want ErrNotSent", err)
			}
		})
	}
}

// S12: Home Assistant hangs. An order that is given meanwhile is not sent, and none runs when it wakes.
func TestHang(t *testing.T) {
	w := newWorld(t)
	l, e := start(t, w)
	if err := w.p.h.Process().Signal(stop); err != nil {
		t.Skipf("a process cannot be stopped here: %v", err)
	}
	err := l.Unlock(t.Context(), lock.Order{Visit: "hangs", NotAfter: w.now() + time.Second})
	hung := w.now()
	off, from := e.Wait(t, 0, "that it does not answer", ill("does not answer pings"))
	if e := w.p.h.Process().Signal(goOn); e != nil {
		t.Fatal(e)
	}
	if !errors.Is(err, lock.ErrNotSent) {
		t.Errorf("unlock: got %v, want ErrNotSent", err)
	}
	e.Wait(t, from, "the bolt, when it wakes", bolt(lock.BoltThrown))
	t.Logf("told %v after the order was refused", off.At-hung)
	if n := w.unlocks(); n != 0 {
		t.Errorf("%d unlocks on the wire", n)
	}
}

// certificate makes a key and a certificate of its own for 127.0.0.1, and a file with the latter.
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
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, writeFile(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}

// Behind TLS: with its authority the commands pass; with another one nothing does.
func TestTLS(t *testing.T) {
	w := newWorld(t)
	mine, ca := certificate(t)
	_, other := certificate(t)
	front, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{mine}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = front.Close() })
	go func() {
		for {
			c, err := front.Accept()
			if err != nil {
				return
			}
			w.pipe.Carry(c)
		}
	}()
	s := w.settings()
	s.URL, s.CAFile = "wss://"+front.Addr().String()+"/api/websocket", ca
	l, e := open(t, w.now, s)
	_, from := e.Wait(t, 0, "bolt", bolt(lock.BoltThrown))
	e.Wait(t, 0, "health", well)
	w.unlock(l)
	e.Wait(t, from, "drawn", bolt(lock.BoltDrawn))
	s.CAFile = other
	_, e = open(t, w.now, s)
	e.Wait(t, 0, "untrusted", ill("certificate"))
}
