package mem_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"eyebolt/bus"
	"eyebolt/bus/bustest"
	"eyebolt/bus/mem"
)

func TestConformance(t *testing.T) {
	bustest.Run(t, func(t *testing.T) bustest.Net {
		b := mem.New()
		hubs := map[string]*mem.Conn{}
		n := bustest.Net{
			Service: b.Conn("service"),
			Hub: func(id string) bus.Conn {
				if hubs[id] == nil {
					hubs[id] = b.Hub(id)
				}
				return hubs[id]
			},
			Cut:  func(id string) { hubs[id].SetOnline(false) },
			Mend: func(id string) { hubs[id].SetOnline(true) },
		}
		t.Cleanup(func() {
			_ = n.Service.Close()
			for _, h := range hubs {
				_ = h.Close()
			}
		})
		return n
	})
}

// T23: what is lost, doubled, held back and reordered is what the test says, in the order that it says.
func TestManualFaults(t *testing.T) {
	run := func() []string {
		b := mem.NewManual()
		service, hub := b.Conn("service"), b.Hub("a")
		var got []string
		if _, err := hub.Subscribe("hub.a.ask", func(m bus.Message) {
			got = append(got, string(m.Body))
			if err := m.Reply([]byte("re " + string(m.Body))); err != nil {
				t.Fatal(err)
			}
		}); err != nil {
			t.Fatal(err)
		}
		b.Faults(func(e mem.Envelope) mem.Fate {
			switch {
			case e.Answer && bytes.Equal(e.Body, []byte("re 4")):
				return mem.Fate{Drop: true}
			case e.Answer:
				return mem.Fate{}
			case bytes.Equal(e.Body, []byte("0")):
				return mem.Fate{Drop: true}
			case bytes.Equal(e.Body, []byte("1")):
				return mem.Fate{Copies: 1}
			case bytes.Equal(e.Body, []byte("2")), bytes.Equal(e.Body, []byte("3")):
				return mem.Fate{Hold: true}
			}
			return mem.Fate{}
		})
		for i := range 5 {
			if err := service.Send("hub.a.ask", fmt.Append(nil, i), func(re []byte) { got = append(got, string(re)) }); err != nil {
				t.Fatal(err)
			}
		}
		if got != nil {
			t.Fatalf("before Deliver: got %q", got)
		}
		b.Deliver(100)
		if b.Held() != 2 {
			t.Fatalf("held %d, want 2", b.Held())
		}
		b.Release(func(held []mem.Envelope) []int { return []int{1, 0} })
		b.Deliver(100)
		return got
	}
	got := run()
	want := []string{"1", "1", "4", "re 1", "3", "2", "re 3", "re 2"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if again := run(); !slices.Equal(got, again) {
		t.Errorf("a second run differs: %q", again)
	}
}
