package broker

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
)

func TestStartRestartStop(t *testing.T) {
	b, err := Start(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Stop()
	first := b.PID()
	addr := b.Addr()
	if err := b.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.Addr(); got != addr {
		t.Errorf("address after restart: got %s, want %s", got, addr)
	}
	if b.PID() == first || b.PID() == 0 {
		t.Errorf("pid after restart: got %d, first was %d", b.PID(), first)
	}
	b.Stop()
	if got := b.PID(); got != 0 {
		t.Errorf("pid after stop: got %d, want 0", got)
	}
	if c, err := net.Dial("tcp", addr); err == nil {
		_ = c.Close()
		t.Error("something still accepts after stop")
	}
}

func TestPassword(t *testing.T) {
	b, err := Start(t.Context(), Config{Username: "hub", Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Stop()
	if err := connect(t.Context(), b.URL(), "hub", "correct horse"); err != nil {
		t.Errorf("right password: %v", err)
	}
	var deny *autopaho.ConnackError
	if err := connect(t.Context(), b.URL(), "hub", "wrong"); !errors.As(err, &deny) {
		t.Errorf("wrong password: got %v, want a denied connection", err)
	}
	if err := connect(t.Context(), b.URL(), "", ""); !errors.As(err, &deny) {
		t.Errorf("no password: got %v, want a denied connection", err)
	}
}

func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	defer func() { _ = l.Close() }()
	b, err := Start(t.Context(), Config{Port: port})
	if err == nil {
		b.Stop()
		t.Fatal("started on a port that somebody else holds")
	}
	if want := "is taken, choose another"; !strings.Contains(err.Error(), want) {
		t.Errorf("got %q, want it to say %q", err, want)
	}
}

// connect makes one attempt and returns why it failed.
func connect(ctx context.Context, address, name, password string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	result := make(chan error, 1)
	tell := func(err error) {
		select {
		case result <- err:
		default:
		}
	}
	cm, err := autopaho.NewConnection(ctx, autopaho.ClientConfig{
		ServerUrls: []*url.URL{u}, CleanStartOnInitialConnection: true,
		ConnectUsername: name, ConnectPassword: []byte(password),
		OnConnectionUp: func(*autopaho.ConnectionManager, *paho.Connack) { tell(nil) },
		OnConnectError: tell,
	})
	if err != nil {
		return err
	}
	err = <-result
	cancel()
	<-cm.Done()
	return err
}
