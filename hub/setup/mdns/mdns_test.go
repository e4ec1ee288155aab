package mdns

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/net/dns/dnsmessage"
)

func name(s string) dnsmessage.Name { return dnsmessage.MustNewName(s) }

func head(n string, t dnsmessage.Type) dnsmessage.ResourceHeader {
	return dnsmessage.ResourceHeader{Name: name(n), Type: t, Class: dnsmessage.ClassINET, TTL: 120}
}

func pack(t testing.TB, answers ...dnsmessage.Resource) []byte {
	t.Helper()
	m := dnsmessage.Message{Header: dnsmessage.Header{Response: true, Authoritative: true}, Answers: answers}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func ptr(kind, instance string) dnsmessage.Resource {
	return dnsmessage.Resource{Header: head(kind+".local.", dnsmessage.TypePTR), Body: &dnsmessage.PTRResource{PTR: name(instance + "." + kind + ".local.")}}
}

func srv(full, host string, port uint16) dnsmessage.Resource {
	return dnsmessage.Resource{Header: head(full, dnsmessage.TypeSRV), Body: &dnsmessage.SRVResource{Target: name(host), Port: port}}
}

func txt(full string, s ...string) dnsmessage.Resource {
	return dnsmessage.Resource{Header: head(full, dnsmessage.TypeTXT), Body: &dnsmessage.TXTResource{TXT: s}}
}

func a(host string, ip [4]byte) dnsmessage.Resource {
	return dnsmessage.Resource{Header: head(host, dnsmessage.TypeA), Body: &dnsmessage.AResource{A: ip}}
}

// responder answers questions on the loopback, each alone, as a lean device does that adds nothing of its own.
func responder(t *testing.T, records []dnsmessage.Resource, extra ...[]byte) netip.AddrPort {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		b := make([]byte, 9000)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(b[:n]) != nil {
				continue
			}
			for _, e := range extra {
				_, _ = c.WriteTo(e, from)
			}
			for _, q := range m.Questions {
				for _, r := range records {
					if r.Header.Type == q.Type && strings.EqualFold(r.Header.Name.String(), q.Name.String()) {
						_, _ = c.WriteTo(pack(t, r), from)
					}
				}
			}
		}
	}()
	return netip.MustParseAddrPort(c.LocalAddr().String())
}

// loopback is its name on this machine.
func loopback(t *testing.T) string {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.Flags&net.FlagLoopback != 0 {
			return f.Name
		}
	}
	t.Skip("no loopback")
	return ""
}

// A service that is told piece by piece is found whole; what was not asked for, and what lies beyond the link, is not (T25).
func TestFindOnALink(t *testing.T) {
	full := "Home broker._mqtt._tcp.local."
	at := responder(t, []dnsmessage.Resource{
		ptr("_mqtt._tcp", "Home broker"), srv(full, "pi.local.", 1883), txt(full, "Version=5", "version=6", "junk\x1b[2J=\x07x"), a("pi.local.", [4]byte{127, 0, 0, 9}),
		ptr("_mqtt._tcp", "Far"), srv("Far._mqtt._tcp.local.", "far.local.", 1883), a("far.local.", [4]byte{8, 8, 8, 8}),
		ptr("_mqtt._tcp", "Nowhere"), srv("Nowhere._mqtt._tcp.local.", "nowhere.local.", 1883),
	}, pack(t, ptr("_ssh._tcp", "Shell"), srv("Shell._ssh._tcp.local.", "pi.local.", 22)), []byte("garbage"))
	began := time.Now()
	got, err := Find(t.Context(), Search{Types: []string{"_mqtt._tcp", "_home-assistant._tcp"}, Interfaces: []string{loopback(t)}, Wait: 400 * time.Millisecond, to: at})
	if err != nil {
		t.Fatal(err)
	}
	want := `[{_mqtt._tcp Home broker 127.0.0.9:1883 map[junk[2j:x version:5] ` + loopback(t) + `}]`
	if s := fmt.Sprint(got); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestFindNobody(t *testing.T) {
	got, err := Find(t.Context(), Search{Types: []string{"_mqtt._tcp"}, Interfaces: []string{loopback(t)}, Wait: 100 * time.Millisecond, to: responder(t, nil)})
	if err != nil || len(got) > 0 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := Find(t.Context(), Search{Interfaces: []string{"nowhere7"}}); err == nil || !strings.Contains(err.Error(), loopback(t)) {
		t.Errorf("an interface that is not there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	began := time.Now()
	if _, err := Find(ctx, Search{Types: []string{"_mqtt._tcp"}, Interfaces: []string{loopback(t)}, to: responder(t, nil)}); err != nil || time.Since(began) > time.Second {
		t.Errorf("given up: %v after %v", err, time.Since(began))
	}
}

// T20: whatever comes, what is kept of it is bounded, printable and of this link.
func FuzzAnswers(f *testing.F) {
	full := "Home._mqtt._tcp.local."
	f.Add(pack(f, ptr("_mqtt._tcp", "Home"), srv(full, "pi.local.", 1883), txt(full, "a=b", "c"), a("pi.local.", [4]byte{127, 0, 0, 1})))
	f.Add(pack(f, ptr("_mqtt._tcp", "Home"), a("pi.local.", [4]byte{10, 0, 0, 1})))
	f.Add([]byte("\x00\x00\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00\xc0\x0c\x00\x0c\x00\x01"))
	w := way{&net.Interface{Name: "lo"}, netip.MustParsePrefix("127.0.0.1/8")}
	f.Fuzz(func(t *testing.T, b []byte) {
		h := newHearsay([]string{"_mqtt._tcp", "_matter._tcp"})
		_ = h.take(b)
		_ = h.take(b)
		if n := len(h.open()) + len(h.open()); n > asksMost || len(h.instances) > servicesMost || len(h.hosts) > servicesMost {
			t.Fatalf("%d questions, %d instances, %d hosts", n, len(h.instances), len(h.hosts))
		}
		for _, s := range h.services(w) {
			texts := []string{s.Name}
			for k, v := range s.Text {
				texts = append(texts, k, v)
			}
			for _, x := range texts {
				if len(x) > 255 || strings.ContainsFunc(x, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Fatalf("%q", x)
				}
			}
			if !s.Addr.Addr().IsLoopback() || s.Addr.Port() == 0 || len(s.Text) > textMost {
				t.Fatalf("%+v", s)
			}
		}
	})
}
