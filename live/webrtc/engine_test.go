package webrtc

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/pion/turn/v5"

	"eyebolt/live"
)

// With Listen every viewer comes through one port, which is free again after Close.
func TestOnePort(t *testing.T) {
	f := load(t, hall)
	for _, host := range []string{"127.0.0.1", ""} {
		free, err := net.ListenPacket("udp", host+":0")
		if err != nil {
			t.Fatal(err)
		}
		port := free.LocalAddr().(*net.UDPAddr).Port
		_ = free.Close()
		listen := fmt.Sprintf("%s:%d", host, port)
		s := set(t, func(c *Config) { c.Listen = listen })
		s.Opened("front", f.params)
		s.show(f.pics[:20])
		for _, who := range []string{"a", "b"} {
			p := look(t, s, who)
			until(t, "pictures", func() bool { st, _ := p.shown(); return len(st) == 5 })
			for line := range strings.Lines(p.pc.RemoteDescription().SDP) {
				if strings.HasPrefix(line, "a=candidate:") && strings.Fields(line)[5] != fmt.Sprint(port) {
					t.Errorf("listening on %s, offers %s", listen, line)
				}
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		again, err := net.ListenPacket("udp", listen)
		if err != nil {
			t.Errorf("after Close: %v", err)
		} else {
			_ = again.Close()
		}
	}
	for _, bad := range []string{"here", ":0", ":70000", "127.0.0.1"} {
		if _, _, err := newEngine(Config{Listen: bad}); err == nil {
			t.Errorf("listens on %q", bad)
		}
	}
}

// A viewer that is nowhere near comes through the relay that the hub was given.
func TestRelay(t *testing.T) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	relay, err := turn.NewServer(turn.ServerConfig{
		Realm: "test",
		AuthHandler: func(a *turn.RequestAttributes) (string, []byte, bool) {
			return a.Username, turn.GenerateAuthKey(a.Username, "test", "secret"), true
		},
		PacketConnConfigs: []turn.PacketConnConfig{{
			PacketConn:            conn,
			RelayAddressGenerator: &turn.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	f := load(t, hall)
	s := set(t, func(c *Config) {
		c.Relays = []string{"turn:" + conn.LocalAddr().String() + "?transport=udp"}
	})
	s.relay = &live.Relay{Username: "hub", Credential: "secret"}
	s.Opened("front", f.params)
	s.show(f.pics[:20])
	p := look(t, s, "a")
	var candidate string
	for line := range strings.Lines(p.pc.RemoteDescription().SDP) {
		if strings.Contains(line, "typ relay") {
			candidate = line
		}
	}
	if candidate == "" {
		t.Errorf("no relayed candidate in the answer:\n%s", p.pc.RemoteDescription().SDP)
	}
	until(t, "pictures", func() bool { st, _ := p.shown(); return len(st) == 5 })
}

// A relay that does not answer costs those in the home nothing but a moment; and credentials alone, without a relay in the hub's own
// configuration, send the hub nowhere (T25).
func TestDeadRelay(t *testing.T) {
	dead, err := net.ListenPacket("udp4", "127.0.0.1:0") // hears everything, says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Close()
	f := load(t, hall)
	s := set(t, func(c *Config) { c.Relays = []string{"turn:" + dead.LocalAddr().String() + "?transport=udp"} })
	s.relay = &live.Relay{Username: "hub", Credential: "secret"}
	s.Opened("front", f.params)
	s.show(f.pics[:20])
	p := look(t, s, "a")
	until(t, "pictures", func() bool { st, _ := p.shown(); return len(st) == 5 })

	if _, err := New(Config{Key: make([]byte, 64), Now: s.clock, Admit: s.cfg.Admit, Log: s.cfg.Log, Relays: []string{"turn.example.org"}}); err == nil {
		t.Error("an address that is no relay's was taken")
	}
	s = set(t, nil)
	s.relay = &live.Relay{Username: "hub", Credential: "secret"}
	s.Opened("front", f.params)
	s.show(f.pics[:20])
	p = look(t, s, "b")
	if sdp := p.pc.RemoteDescription().SDP; strings.Contains(sdp, "typ relay") || strings.Contains(sdp, "typ srflx") {
		t.Errorf("the hub went to a relay that it was not configured for:\n%s", sdp)
	}
}
