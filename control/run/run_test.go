package run_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/bus/nats"
	"eyebolt/control"
	"eyebolt/control/mem"
	"eyebolt/control/run"
	"eyebolt/grant"
	"eyebolt/ledger"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// town is a service on a real NATS server, with some hubs known.
type town struct {
	s      *control.Service
	server *nats.Server
	seeds  [][]byte
	home   string
	who    control.Account
}

func newTown(t testing.TB, hubs int) *town {
	t.Helper()
	ctx := context.Background()
	s, err := control.New(ctx, time.Now(), control.Config{
		Store: mem.New(), Random: rand.NewChaCha8([32]byte{1}), RP: grant.RP{ID: "localhost", Origins: []string{"http://localhost"}}, Log: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, c, err := s.Bootstrap(ctx, time.Now(), "Swallow")
	if err != nil {
		t.Fatal(err)
	}
	w := &town{s: s}
	h, code, err := s.CreateHousehold(ctx, time.Now(), control.Setup(c.ID), control.Household{Name: "Oak", Address: "Oak Street 1"})
	if err != nil {
		t.Fatal(err)
	}
	w.home = h.ID
	if w.who, err = s.Register(ctx, time.Now(), code, "acc-rosa", "Rosa", control.Passkey{ID: "k", Raw: []byte("k"), Key: []byte("k")}); err != nil {
		t.Fatal(err)
	}
	for i := range hubs {
		key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 16))
		pub := key.Public().(ed25519.PublicKey)
		nkey, err := nats.PublicKey(pub)
		if err != nil {
			t.Fatal(err)
		}
		seed, err := nats.Seed(key.Seed())
		if err != nil {
			t.Fatal(err)
		}
		w.seeds = append(w.seeds, seed)
		text, err := ledger.KeyText("eyebolt/hub", pub)
		if err != nil {
			t.Fatal(err)
		}
		id := fmt.Sprintf("hub-%d", i)
		if _, err := s.CreateHub(ctx, time.Now(), control.Setup(c.ID), control.Hub{ID: id, Household: h.ID, Nkey: nkey, LedgerKey: text}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CreateDoor(ctx, control.Setup(c.ID), control.Door{Hub: id, Name: "front"}); err != nil {
			t.Fatal(err)
		}
	}
	if w.server, err = nats.StartServer(nats.ServerConfig{Addr: "127.0.0.1:0", Hubs: s.HubOf, Log: quiet}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.server.Stop)
	conn, err := w.server.Local(quiet)
	if err != nil {
		t.Fatal(err)
	}
	r, err := run.New(run.Config{Service: s, Bus: conn, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Stop()
		_ = conn.Close()
	})
	return w
}

func (w *town) hub(t testing.TB, i int) *nats.Conn {
	t.Helper()
	c, err := nats.Connect(nats.Config{URL: w.server.URL(), Seed: w.seeds[i], Name: "hub", Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	for late := time.Now().Add(15 * time.Second); !f(); {
		if time.Now().After(late) {
			t.Fatalf("%s: not within 15 s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// T23: an order that was taken while the hub was away reaches it when it is there, and again until it answers; then no more.
func TestOrdersWaitForTheirHub(t *testing.T) {
	w := newTown(t, 1)
	ctx := context.Background()
	o, err := w.s.Order(ctx, time.Now(), w.who, "hub-0", "front", control.Wish{What: bus.AskBlock})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var came []string
	hub := w.hub(t, 0)
	if _, err := hub.Subscribe("hub.hub-0.ask", func(m bus.Message) {
		var a bus.Ask
		if err := json.Unmarshal(m.Body, &a); err != nil {
			t.Error(err)
		}
		mu.Lock()
		came = append(came, a.ID)
		n := len(came)
		mu.Unlock()
		if n >= 3 { // the first two answers are lost
			_ = m.Reply([]byte(`{"ok":true}`))
		}
	}); err != nil {
		t.Fatal(err)
	}
	until(t, "the answer is taken", func() bool {
		due, err := w.s.Due(ctx, time.Now())
		return err == nil && len(due) == 0
	})
	mu.Lock()
	defer mu.Unlock()
	if len(came) != 3 {
		t.Errorf("came %d times, want 3", len(came))
	}
	for _, id := range came {
		if id != o.ID {
			t.Errorf("came as %s, want %s", id, o.ID)
		}
	}
}

// Nonsense from a hub is dropped, and the next beat is answered (T20).
func TestNonsense(t *testing.T) {
	w := newTown(t, 1)
	hub := w.hub(t, 0)
	until(t, "connected", hub.Connected)
	for _, what := range []string{"beat", "log", "view", "alarm", "other"} {
		for _, body := range []string{"", "{", "[]", `{"hub":"hub-1"}`, `{"entries":["!"]}`, `{"from":18446744073709551615,"entries":["AAAA"]}`} {
			if err := hub.Publish(t.Context(), "hub.hub-0."+what, []byte(body)); err != nil {
				t.Fatal(err)
			}
		}
	}
	body, _ := json.Marshal(bus.Beat{Hub: "hub-0", Nonce: []byte("n")})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	b, err := hub.Request(ctx, "hub.hub-0.beat", body)
	var r bus.BeatReply
	if err != nil || json.Unmarshal(b, &r) != nil || string(r.Nonce) != "n" {
		t.Errorf("got %s, %v", b, err)
	}
}

// T20: a hub that floods is not taken beyond its allowance, and another's alarm is answered all the same (S16).
func TestFloodOfOneHub(t *testing.T) {
	w := newTown(t, 2)
	ctx := context.Background()
	evil, good := w.hub(t, 0), w.hub(t, 1)
	until(t, "both connected", func() bool { return evil.Connected() && good.Connected() })
	for i := range 3000 {
		a := bus.Alarm{ID: fmt.Sprint(i), Hub: "hub-0", Door: "front", Reason: "re-entry", Text: "x", At: time.Now()}
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if err := evil.Publish(ctx, "hub.hub-0.alarm", b); err != nil {
			t.Fatal(err)
		}
	}
	b, err := json.Marshal(bus.Alarm{ID: "1", Hub: "hub-1", Door: "front", Reason: "re-entry", Text: "x", At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the other hub's alarm is taken", func() bool {
		once, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		_, err := good.Request(once, "hub.hub-1.alarm", b)
		return err == nil
	})
	all, err := w.s.Standing(ctx)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, a := range all {
		if a.Hub == "hub-0" {
			n++
		}
	}
	if n == 0 || n > 900 {
		t.Errorf("%d alarms of a flood of 3,000 were stored, want at most its burst of 300 and ten a second", n)
	}
}
