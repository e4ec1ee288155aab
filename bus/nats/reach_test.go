package nats_test

import (
	"bytes"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"eyebolt/bus"
	"eyebolt/bus/nats"
)

// raw connects as a hub that speaks NATS by itself and keeps to none of our client's manners.
func raw(t *testing.T, s *nats.Server, id string) *natsgo.Conn {
	t.Helper()
	seed, pub := key(t, id)
	kp, err := nkeys.FromSeed(seed)
	if err != nil {
		t.Fatal(err)
	}
	nc, err := natsgo.Connect(s.URL(), natsgo.Nkey(pub, kp.Sign), natsgo.CustomInboxPrefix("_INBOX."+pub), natsgo.ErrorHandler(func(*natsgo.Conn, *natsgo.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// T24: a hub that was taken over asks itself something, with another hub's subject as the place for the answer. Being allowed to
// answer what it was asked must not let it speak to, or for, another hub.
func TestNoReachThroughAnswers(t *testing.T) {
	s := server(t, nats.ServerConfig{Addr: "127.0.0.1:0"}, "a", "b")
	service, err := s.Local(quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Close() })
	var forged atomic.Int32
	if _, err := service.Subscribe("hub.b.>", func(m bus.Message) {
		if bytes.Equal(m.Body, []byte("forged")) {
			forged.Add(1)
		}
	}); err != nil {
		t.Fatal(err)
	}
	evil := raw(t, s, "a")
	for _, own := range []string{"hub.a.x", "hub.a.beat", "hub.a.ask", "hub.a.>"} {
		for _, victim := range []string{"hub.b.beat", "hub.b.alarm", "hub.b.ask"} {
			if _, err := evil.Subscribe(own, func(m *natsgo.Msg) { _ = evil.Publish(victim, []byte("forged")) }); err != nil {
				t.Fatal(err)
			}
			for _, to := range []string{"hub.a.x", "hub.a.beat", "hub.a.ask"} {
				if err := evil.PublishRequest(to, victim, []byte("to myself")); err != nil {
					t.Fatal(err)
				}
			}
			if err := evil.Flush(); err != nil { // the server has handed out what it lets through
				t.Fatal(err)
			}
			if err := evil.Publish(victim, []byte("forged")); err != nil {
				t.Fatal(err)
			}
			if err := evil.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := service.Publish(t.Context(), "hub.b.done", nil); err != nil { // after everything that was let through
		t.Fatal(err)
	}
	settle(t, service)
	if n := forged.Load(); n > 0 {
		t.Errorf("hub a sent %d messages under hub b's name or to hub b, want 0", n)
	}
}

// T24: a hub names another hub's subject as the place for the service's own answer: the service answers into inboxes alone.
func TestServiceAnswersIntoInboxesAlone(t *testing.T) {
	s := server(t, nats.ServerConfig{Addr: "127.0.0.1:0"}, "a", "b")
	service, err := s.Local(quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Close() })
	var strayed, asked atomic.Int32
	if _, err := service.Subscribe("hub.*.beat", func(m bus.Message) {
		if m.Subject == "hub.b.beat" {
			strayed.Add(1)
			return
		}
		if m.Reply != nil {
			_ = m.Reply([]byte("answer"))
		}
		asked.Add(1)
	}); err != nil {
		t.Fatal(err)
	}
	if err := raw(t, s, "a").PublishRequest("hub.a.beat", "hub.b.beat", nil); err != nil {
		t.Fatal(err)
	}
	until(t, "beat is taken", func() bool { return asked.Load() == 1 })
	settle(t, service)
	if n := strayed.Load(); n > 0 {
		t.Errorf("the service sent %d answers under another hub's name, want 0", n)
	}
}

// settle waits until what was published before is handed to its readers: a request of our own passes the same way.
func settle(t *testing.T, c *nats.Conn) {
	t.Helper()
	done := make(chan struct{})
	cancel, err := c.Subscribe("settle", func(bus.Message) { close(done) })
	if err != nil {
		t.Fatal(err)
	}
	defer cancel()
	if err := c.Publish(t.Context(), "settle", nil); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal(errors.New("the bus does not settle"))
	}
}
