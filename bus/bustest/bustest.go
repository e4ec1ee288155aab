// Package bustest holds every bus to bus.Conn's contract.
package bustest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/bus"
)

// Net is a bus under test: a service, hubs, and a way to cut a hub off.
type Net struct {
	Service bus.Conn
	Hub     func(id string) bus.Conn // the same id may be connected once
	// Cut takes the line between bus and hub away; Mend gives it back. Both return when Connected says so.
	Cut, Mend func(id string)
}

const patience = 10 * time.Second

// Run checks a bus; open gives a fresh one.
func Run(t *testing.T, open func(t *testing.T) Net) {
	for _, c := range []struct {
		name string
		f    func(*testing.T, Net)
	}{
		{"messages arrive in order", order},
		{"subjects match by token", patterns},
		{"a request gets its answer", request},
		{"an answer to a wildcard names the subject asked", wildcard},
		{"nobody answers", noAnswer},
		{"too large is refused before it is sent", tooLarge},
		{"a cancelled subscription hears nothing more", cancelled},
		{"disconnected: sending fails and is never made up for (S12, T23)", disconnected},
		{"subscriptions survive a reconnect", resubscribed},
		{"a hub neither reads nor writes another's subjects (T24)", strangers},
		{"requests at once each get their own answer", together},
		{"a closed connection says so", closed},
	} {
		t.Run(c.name, func(t *testing.T) { c.f(t, open(t)) })
	}
}

func ctx(t *testing.T) context.Context {
	t.Helper()
	c, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return c
}

// box collects messages.
type box struct {
	mu  sync.Mutex
	got []string
	ch  chan struct{}
}

func newBox() *box { return &box{ch: make(chan struct{}, 1<<16)} }

func (b *box) take(m bus.Message) {
	b.mu.Lock()
	b.got = append(b.got, m.Subject+" "+string(m.Body))
	b.mu.Unlock()
	b.ch <- struct{}{}
}

func (b *box) wait(t *testing.T, n int) []string {
	t.Helper()
	late := time.After(patience)
	for {
		b.mu.Lock()
		got := slices.Clone(b.got)
		b.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-b.ch:
		case <-late:
			t.Fatalf("got %d messages, want %d: %q", len(got), n, got)
		}
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func order(t *testing.T, n Net) {
	const count = 2000
	b := newBox()
	must(n.Service.Subscribe("hub.*.view", b.take))(t)
	a := n.Hub("a")
	for i := range count {
		if err := a.Publish(ctx(t), "hub.a.view", fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	for i, got := range b.wait(t, count) {
		if want := fmt.Sprintf("hub.a.view %d", i); got != want {
			t.Fatalf("message %d: got %q, want %q", i, got, want)
		}
	}
}

func patterns(t *testing.T, n Net) {
	all, one := newBox(), newBox()
	must(n.Service.Subscribe("hub.a.>", all.take))(t)
	must(n.Service.Subscribe("hub.*.log", one.take))(t)
	a := n.Hub("a")
	for _, s := range []string{"hub.a.view", "hub.a.log", "hub.a.x.y"} {
		if err := a.Publish(ctx(t), s, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := all.wait(t, 3); strings.Join(got, ",") != "hub.a.view ,hub.a.log ,hub.a.x.y " {
		t.Errorf("hub.a.> got %q", got)
	}
	if got := one.wait(t, 1); len(got) != 1 || got[0] != "hub.a.log " {
		t.Errorf("hub.*.log got %q", got)
	}
}

func echo(m bus.Message) {
	if m.Reply != nil {
		_ = m.Reply(append([]byte("re "), m.Body...))
	}
}

func request(t *testing.T, n Net) {
	a := n.Hub("a")
	must(a.Subscribe("hub.a.ask", echo))(t)
	got := must(n.Service.Request(ctx(t), "hub.a.ask", []byte("1")))(t)
	if string(got) != "re 1" {
		t.Errorf("service asked: got %q", got)
	}
	must(n.Service.Subscribe("hub.*.beat", echo))(t)
	got = must(a.Request(ctx(t), "hub.a.beat", []byte("2")))(t)
	if string(got) != "re 2" {
		t.Errorf("hub asked: got %q", got)
	}
}

func wildcard(t *testing.T, n Net) {
	must(n.Service.Subscribe("hub.*.beat", func(m bus.Message) { _ = m.Reply([]byte(m.Subject)) }))(t)
	for _, id := range []string{"a", "b"} {
		got := must(n.Hub(id).Request(ctx(t), bus.Subject(id, "beat"), nil))(t)
		if string(got) != "hub."+id+".beat" {
			t.Errorf("got %q", got)
		}
	}
}

func noAnswer(t *testing.T, n Net) {
	a := n.Hub("a")
	must(a.Subscribe("hub.a.ask", func(bus.Message) {}))(t)
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := n.Service.Request(short, "hub.a.ask", nil); !errors.Is(err, bus.ErrNoAnswer) {
		t.Errorf("a silent hub: got %v, want ErrNoAnswer", err)
	}
	short, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := n.Service.Request(short, "hub.nobody.ask", nil); !errors.Is(err, bus.ErrNoAnswer) {
		t.Errorf("no such hub: got %v, want ErrNoAnswer", err)
	}
}

func tooLarge(t *testing.T, n Net) {
	b := newBox()
	must(n.Service.Subscribe("hub.a.>", b.take))(t)
	a := n.Hub("a")
	if err := a.Publish(ctx(t), "hub.a.log", make([]byte, bus.MaxBody+1)); !errors.Is(err, bus.ErrTooLarge) {
		t.Errorf("publish: got %v, want ErrTooLarge", err)
	}
	if _, err := a.Request(ctx(t), "hub.a.log", make([]byte, bus.MaxBody+1)); !errors.Is(err, bus.ErrTooLarge) {
		t.Errorf("request: got %v, want ErrTooLarge", err)
	}
	if err := a.Publish(ctx(t), "hub.a.log", make([]byte, bus.MaxBody)); err != nil {
		t.Errorf("the largest allowed: %v", err)
	}
	if got := b.wait(t, 1); len(got) != 1 || len(got[0]) != len("hub.a.log ")+bus.MaxBody {
		t.Errorf("got %d messages", len(got))
	}
}

func cancelled(t *testing.T, n Net) {
	gone, stays := newBox(), newBox()
	cancel := must(n.Service.Subscribe("hub.a.view", gone.take))(t)
	must(n.Service.Subscribe("hub.a.view", stays.take))(t)
	a := n.Hub("a")
	if err := a.Publish(ctx(t), "hub.a.view", []byte("1")); err != nil {
		t.Fatal(err)
	}
	gone.wait(t, 1)
	stays.wait(t, 1)
	cancel()
	must(n.Service.Subscribe("hub.a.other", stays.take))(t) // comes behind the cancellation
	for i := range 3 {
		if err := a.Publish(ctx(t), "hub.a.view", fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	stays.wait(t, 4)
	if got := gone.wait(t, 1); len(got) != 1 {
		t.Errorf("cancelled, but got %q", got)
	}
}

func disconnected(t *testing.T, n Net) {
	b := newBox()
	must(n.Service.Subscribe("hub.a.>", b.take))(t)
	a := n.Hub("a")
	n.Cut("a")
	if a.Connected() {
		t.Fatal("cut off, but Connected")
	}
	if err := a.Publish(ctx(t), "hub.a.view", []byte("out of the past")); !errors.Is(err, bus.ErrDisconnected) {
		t.Errorf("publish: got %v, want ErrDisconnected", err)
	}
	short, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := a.Request(short, "hub.a.beat", []byte("out of the past")); !errors.Is(err, bus.ErrDisconnected) {
		t.Errorf("request: got %v, want ErrDisconnected", err)
	}
	n.Mend("a")
	if err := a.Publish(ctx(t), "hub.a.view", []byte("now")); err != nil {
		t.Fatal(err)
	}
	if got := b.wait(t, 1); got[0] != "hub.a.view now" {
		t.Errorf("got %q", got)
	}
}

func resubscribed(t *testing.T, n Net) {
	a := n.Hub("a")
	must(a.Subscribe("hub.a.ask", echo))(t)
	for range 3 {
		n.Cut("a")
		n.Mend("a")
		got, err := askUntil(t, n.Service, "hub.a.ask", "again")
		if err != nil || got != "re again" {
			t.Fatalf("after a reconnect: got %q, %v", got, err)
		}
	}
}

// askUntil asks until somebody answers: a subscription is made anew shortly after the connection is back.
func askUntil(t *testing.T, c bus.Conn, subject, body string) (string, error) {
	t.Helper()
	all := ctx(t)
	for {
		once, cancel := context.WithTimeout(all, 200*time.Millisecond)
		got, err := c.Request(once, subject, []byte(body))
		cancel()
		if err == nil || all.Err() != nil {
			return string(got), err
		}
	}
}

func strangers(t *testing.T, n Net) {
	toB, all := newBox(), newBox()
	a, b := n.Hub("a"), n.Hub("b")
	must(b.Subscribe("hub.b.ask", toB.take))(t)
	must(n.Service.Subscribe("hub.>", all.take))(t)

	stolen := newBox()
	for _, s := range []string{"hub.b.ask", "hub.b.>", "hub.*.ask", "hub.>", ">", "_INBOX.>"} {
		_, _ = a.Subscribe(s, stolen.take) // refused at once, or by silence
	}
	for _, s := range []string{"hub.b.ask", "hub.b.view", "hub.ab.view", "hub.b.beat"} {
		_ = a.Publish(ctx(t), s, []byte("forged"))
	}
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if got, err := a.Request(short, "hub.b.ask", []byte("forged")); err == nil {
		t.Errorf("hub a asked hub b and got %q", got)
	}
	// What comes after proves that what came before was refused, not late.
	if err := n.Service.Publish(ctx(t), "hub.b.ask", []byte("true")); err != nil {
		t.Fatal(err)
	}
	if _, err := askWith(t, a, n.Service); err != nil {
		t.Fatal(err)
	}
	if got := toB.wait(t, 1); len(got) != 1 || got[0] != "hub.b.ask true" {
		t.Errorf("hub b got %q", got)
	}
	for _, got := range all.wait(t, 1) {
		if strings.Contains(got, "forged") {
			t.Errorf("the service got %q", got)
		}
	}
	stolen.mu.Lock()
	defer stolen.mu.Unlock()
	for _, got := range stolen.got {
		if strings.HasPrefix(got, "hub.b.") {
			t.Errorf("hub a read %q", got)
		}
	}
}

// askWith makes a round trip on hub a's connection.
func askWith(t *testing.T, a, service bus.Conn) ([]byte, error) {
	t.Helper()
	cancel, err := service.Subscribe("hub.a.last", echo)
	if err != nil {
		return nil, err
	}
	defer cancel()
	return a.Request(ctx(t), "hub.a.last", nil)
}

func together(t *testing.T, n Net) {
	a := n.Hub("a")
	must(a.Subscribe("hub.a.ask", echo))(t)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			body := fmt.Sprint(i)
			got, err := n.Service.Request(ctx(t), "hub.a.ask", []byte(body))
			if err != nil || string(got) != "re "+body {
				t.Errorf("request %d: got %q, %v", i, got, err)
			}
		})
	}
	wg.Wait()
}

func closed(t *testing.T, n Net) {
	a := n.Hub("a")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if a.Connected() {
		t.Error("closed, but Connected")
	}
	if err := a.Publish(ctx(t), "hub.a.view", nil); !errors.Is(err, bus.ErrDisconnected) {
		t.Errorf("publish: got %v, want ErrDisconnected", err)
	}
}
