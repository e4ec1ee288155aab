package setup_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"eyebolt/hub/setup"
	"eyebolt/lock"
)

// ${NAME} in the configuration stands for a secret of this machine. A camera that writes it into its stream's address, or a bridge that
// calls a lock so, would be told that secret at each start of the hub: what a device says never stands for one (S13).
func TestDevicesCannotNameSecrets(t *testing.T) {
	t.Run("camera", func(t *testing.T) {
		h := newHouse(t)
		h.look = func(setup.CameraAsk) (setup.Look, error) {
			return setup.Look{
				ONVIF:   "http://192.0.2.30/onvif?x=${EYEBOLT_BACK_HALL_PASSWORD}",
				Streams: []setup.Stream{{ID: "main", Text: "H264", URL: "rtsp://eye:" + setup.Secret + "@192.0.2.30/main?a=${EYEBOLT_BACK_HALL_PASSWORD}&b=${HOME}", Watch: true}},
			}, nil
		}
		c := h.start()
		c.post("draft", c.full())
		c.post("write", struct{}{})
		got := h.files()["hub.yaml"]
		for _, name := range []string{"${EYEBOLT_BACK_HALL_PASSWORD}", "${HOME}"} {
			if strings.Contains(got, name) {
				t.Errorf("the camera is told %s:\n%s", name, got)
			}
		}
		if want := "rtsp://eye:${EYEBOLT_FRONT_HALL_PASSWORD}@192.0.2.30/main?a=%24%7BEYEBOLT_BACK_HALL_PASSWORD}&b=%24%7BHOME}"; !strings.Contains(got, want) {
			t.Errorf("it lacks %s:\n%s", want, got)
		}
	})
	for _, kind := range []string{"lock", "contact", "smoke"} {
		t.Run(kind, func(t *testing.T) {
			h := newHouse(t)
			const name = "x/${EYEBOLT_BACK_HALL_PASSWORD}"
			h.devices[bridgeAt] = append([]lock.Device{
				{ID: name, Kind: lock.KindLock, Can: lock.Can{Bolt: true}}, {ID: name, Kind: lock.KindContact}, {ID: name, Kind: lock.KindSmoke},
			}, bridgeDevices...)
			c := h.start()
			d := c.full()
			*map[string]*string{"lock": &d.Lock, "contact": &d.Contact, "smoke": &d.Smoke}[kind] = name
			if p := c.post("draft", d); len(p.Problems) != 1 || !strings.Contains(p.Problems[0].Text, "Rename it at Zigbee2MQTT") {
				t.Errorf("%+v", p.Problems)
			}
			if code, _ := c.call(http.MethodPost, "/setup/api/write", struct{}{}); code != http.StatusConflict {
				t.Errorf("%d:\n%s", code, h.files()["hub.yaml"])
			}
		})
	}
}

// A network that announces more than a home has does not keep its resident from typing an address (T20).
func TestAFloodLeavesRoomForWhatIsTyped(t *testing.T) {
	h := newHouse(t)
	for i := range 300 {
		at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, byte(2 + i/250), byte(1 + i%250)}), 1884)
		h.seen = append(h.seen, setup.Seen{Service: "_mqtt._tcp", Addr: at})
		h.cameras = append(h.cameras, setup.SeenCamera{Address: fmt.Sprintf("http://%s/onvif", at)})
	}
	c := h.start()
	c.until("the search", func(p page) bool { return p.Search.Done > 0 })
	p := c.post("peer", map[string]string{"Driver": "mqtt", "Address": "192.168.7.1"})
	if last := p.Peers[len(p.Peers)-1]; !strings.Contains(last.Address, "192.168.7.1") {
		t.Errorf("%+v", last)
	}
	p = c.post("camera", map[string]string{"Address": "192.168.7.2"})
	if last := p.Cameras[len(p.Cameras)-1]; last.Address != "http://192.168.7.2" {
		t.Errorf("%+v", last)
	}
}

// A password in the midst of a typed address is kept like every other: in a file of its own, and nowhere else.
func TestAPasswordInAnAddressIsOne(t *testing.T) {
	for typed, want := range map[string]string{
		"rtsp://192.0.2.31/user=admin&password=Tlp%2B9x&channel=1&stream=0.sdp?": "rtsp://192.0.2.31/user=admin&password=${EYEBOLT_FRONT_HALL_PASSWORD}&channel=1&stream=0.sdp?",
		"rtsp://192.0.2.31/live?user=admin&pwd=Tlp%2B9x":                         "rtsp://192.0.2.31/live?user=admin&pwd=${EYEBOLT_FRONT_HALL_PASSWORD}",
	} {
		h := newHouse(t)
		h.look = func(a setup.CameraAsk) (setup.Look, error) {
			if a.At() != typed || a.Password != "Tlp+9x" {
				t.Errorf("asked at %s with %q", a.At(), a.Password)
			}
			return setup.Look{Streams: []setup.Stream{{ID: "stream", Text: "H264", URL: a.Address, Watch: true}}}, nil
		}
		c := h.start()
		c.until("the search", func(p page) bool { return p.Search.Done > 0 && p.Peers[0].State == "listed" })
		c.post("camera", map[string]string{"Address": typed})
		p := c.until("the stream", func(p page) bool { return p.Cameras[len(p.Cameras)-1].State == "listed" })
		c.post("draft", setup.Draft{
			Hub: "oak-street", App: "https://eyebolt.example.org", Door: "front", Peer: p.Peers[0].ID, Lock: "front_lock", Contact: "front_door",
			Cameras: []setup.DraftCamera{{Camera: p.Cameras[len(p.Cameras)-1].ID, Name: "hall", Stream: "stream", Link: "wired", Seen: true}},
		})
		draft := h.files()[".hub.yaml.setup"]
		c.post("write", struct{}{})
		_, view := c.call(http.MethodGet, "/setup/api/state", nil)
		got := h.files()
		if strings.Contains(strings.Join(h.told, "")+view+draft+got["hub.yaml"], "Tlp") {
			t.Errorf("it can be read again: %v\n%s\n%s\n%s", h.told, view, draft, got["hub.yaml"])
		}
		if !strings.Contains(got["hub.yaml"], want) || got["hub.env"] != "EYEBOLT_FRONT_HALL_PASSWORD=Tlp%2B9x\n" {
			t.Errorf("want %s:\n%s%s", want, got["hub.yaml"], got["hub.env"])
		}
	}
}
