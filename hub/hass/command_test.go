package hass

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/eclipse/paho.golang/packets"
)

var twoDoors = newEars(ourNames, []string{"front", "side"})

// S4, S12: only a live ON at a door of this hub blocks, nothing lifts a block, and everything else asks nothing.
func TestRead(t *testing.T) {
	for _, c := range []struct {
		topic, body string
		retained    bool
		what        asked
		door        string
	}{
		{"eyebolt/home-1/front/block/set", "ON", false, askedBlock, "front"},
		{"eyebolt/home-1/side/block/set", "ON", false, askedBlock, "side"},
		{"eyebolt/home-1/front/block/set", "ON", true, askedNothing, ""},
		{"eyebolt/home-1/front/block/set", "OFF", false, askedUnblock, "front"},
		{"eyebolt/home-1/front/block/set", "OFF", true, askedNothing, ""},
		{"eyebolt/home-1/front/block/set", "on", false, askedNothing, ""},
		{"eyebolt/home-1/front/block/set", "", false, askedNothing, ""},
		{"eyebolt/home-1/garage/block/set", "ON", false, askedNothing, ""},
		{"eyebolt/home-2/front/block/set", "ON", false, askedNothing, ""},
		{"eyebolt/home-1/front/unblock/set", "ON", false, askedNothing, ""},
		{"homeassistant/status", "online", false, askedAgain, ""},
		{"homeassistant/status", "online", true, askedNothing, ""},
		{"homeassistant/status", "offline", false, askedNothing, ""},
		{"homeassistant/switch/eyebolt-home-1/front_block/config", "{}", true, askedNothing, ""},
		{"homeassistant/switch/eyebolt-home-1/garage_block/config", "{}", true, askedOld, ""},
		{"homeassistant/switch/eyebolt-home-1/garage_block/config", "{}", false, askedNothing, ""},
		{"homeassistant/switch/eyebolt-home-1/garage_block/config", "", true, askedNothing, ""},
		{"homeassistant/switch/eyebolt-home-12/garage_block/config", "{}", true, askedNothing, ""},
		{"homeassistant/switch/zigbee/garage/config", "{}", true, askedNothing, ""},
		{"", "", false, askedNothing, ""},
	} {
		what, door := twoDoors.read(c.topic, []byte(c.body), c.retained)
		if what != c.what || door != c.door {
			t.Errorf("%s %q retained %v: got %d %q, want %d %q", c.topic, c.body, c.retained, what, door, c.what, c.door)
		}
	}
}

// T20: whatever a broker sends asks for nothing but a block at a door of this hub, and never out of the past.
func FuzzRead(f *testing.F) {
	f.Add("eyebolt/home-1/front/block/set", []byte("ON"), false)
	f.Add("homeassistant/switch/eyebolt-home-1/garage_block/config", []byte("{}"), true)
	f.Add("homeassistant/status", []byte("online"), false)
	f.Add("homeassistant/", []byte{}, true)
	f.Fuzz(func(t *testing.T, topic string, body []byte, retained bool) {
		what, door := twoDoors.read(topic, body, retained)
		switch what {
		case askedBlock, askedUnblock:
			if retained || topic != "eyebolt/home-1/"+door+"/block/set" || door != "front" && door != "side" || what == askedBlock && string(body) != "ON" {
				t.Errorf("%q %q %v: %d %q", topic, body, retained, what, door)
			}
		case askedOld:
			if !retained || twoDoors.known[topic] {
				t.Errorf("%q would be taken away", topic)
			}
		default:
			if door != "" {
				t.Errorf("%q: a door without an order: %q", topic, door)
			}
		}
	})
}

// T20: a packet beyond the limit ends the connection before room is made for it; others pass, however they are cut.
func TestFrames(t *testing.T) {
	var stream bytes.Buffer
	for _, n := range []int{0, 1, 200, 60_000} {
		if _, err := (&packets.Publish{Topic: "t", Payload: make([]byte, n), Properties: &packets.Properties{}}).WriteTo(&stream); err != nil {
			t.Fatal(err)
		}
	}
	want := stream.Bytes()
	for _, cut := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, func(r io.Reader) io.Reader { return r }} {
		got, err := io.ReadAll(&frames{r: cut(bytes.NewReader(want))})
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
		}
		huge := append(bytes.Clone(want), 0x30, 0xFF, 0xFF, 0xFF, 0x7F) // 256 MiB are announced
		if _, err := io.ReadAll(&frames{r: cut(bytes.NewReader(huge))}); !errors.Is(err, errHuge) {
			t.Errorf("a huge packet: got %v", err)
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte{0x30, 0x02, 'a', 'b'}, 1)
	f.Add([]byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F}, 2)
	f.Add([]byte{0x30, 0x80, 0x80, 0x80, 0x80, 0x01}, 3)
	f.Fuzz(func(t *testing.T, raw []byte, step int) {
		r := &frames{r: bytes.NewReader(raw)}
		buf := make([]byte, 1+uint(step)%4096)
		for {
			n, err := r.Read(buf)
			if r.left > maxPacket || r.length > maxPacket && err == nil {
				t.Fatalf("a packet of %d bytes passes", max(r.left, r.length))
			}
			if n > len(buf) {
				t.Fatal("too much read")
			}
			if err != nil {
				return
			}
		}
	})
}
