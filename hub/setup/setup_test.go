package setup_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"eyebolt/hub/setup"
	"eyebolt/lock"
)

// Each thing that is missing is named, with the step on which it is put right.
func TestWhatIsMissingIsNamed(t *testing.T) {
	h := newHouse(t)
	c := h.start()
	good := c.full()
	for want, spoil := range map[string]func(*setup.Draft){
		"door: Choose the door's lock.":          func(d *setup.Draft) { d.Lock = "" },
		"door: Give the door a name":             func(d *setup.Draft) { d.Door = "Front door" },
		"door: Zigbee2MQTT does not know the lo": func(d *setup.Draft) { d.Lock = "front_door" },
		"door: Cellar lock cannot be used: its":  func(d *setup.Draft) { d.Lock = "old_lock" },
		"door: Choose the contact that tells":    func(d *setup.Draft) { d.Contact = "" },
		"door: Zigbee2MQTT does not know the co": func(d *setup.Draft) { d.Contact = "hall_smoke" },
		"camera: Choose the camera that sees":    func(d *setup.Draft) { d.Cameras = nil },
		"camera: A camera that was chosen is no": func(d *setup.Draft) { d.Cameras = []setup.DraftCamera{{Camera: "c99"}} },
		"camera: Look at the picture of hall, a": func(d *setup.Draft) { d.Cameras = change(d.Cameras, func(k *setup.DraftCamera) { k.Seen = false }) },
		"camera: Say whether hall is on a cable": func(d *setup.Draft) { d.Cameras = change(d.Cameras, func(k *setup.DraftCamera) { k.Link = "" }) },
		"camera: Choose a stream of the camera ": func(d *setup.Draft) { d.Cameras = change(d.Cameras, func(k *setup.DraftCamera) { k.Stream = "x" }) },
		"service: The apps need a name, not a n": func(d *setup.Draft) { d.App = "https://192.0.2.1" },
		"service: The apps must be served by ht": func(d *setup.Draft) { d.App = "http://eyebolt.example.org" },
		"service: Type the address at which the": func(d *setup.Draft) { d.App = "" },
		"service: Give the hub a name of the le": func(d *setup.Draft) { d.Hub = "" },
	} {
		d := good
		spoil(&d)
		p := c.post("draft", d)
		found := false
		for _, x := range p.Problems {
			found = found || strings.HasPrefix(x.Step+": "+x.Text, want)
		}
		if !found {
			t.Errorf("%q is not said: %v", want, p.Problems)
		}
		if code, _ := c.call(http.MethodPost, "/setup/api/write", struct{}{}); code != http.StatusConflict {
			t.Errorf("%q: written all the same (%d)", want, code)
		}
	}
	// No contact at all is possible once its cost was read.
	d := good
	d.Contact, d.NoContact = "", true
	if p := c.post("draft", d); len(p.Problems) > 0 {
		t.Errorf("no contact, known: %v", p.Problems)
	}
}

func change(all []setup.DraftCamera, f func(*setup.DraftCamera)) []setup.DraftCamera {
	out := append([]setup.DraftCamera(nil), all...)
	f(&out[0])
	return out
}

// A peer that went away is shown as gone, with its devices, and nothing is written against it; when it is back it is as before.
func TestAPeerThatWentAway(t *testing.T) {
	h := newHouse(t)
	c := h.start()
	c.post("draft", c.full())
	h.set(func() { delete(h.devices, bridgeAt) })
	p := c.until("gone", func(p page) bool { return p.Peers[0].State == "gone" })
	if len(p.Peers[0].Devices) != 4 || len(p.Problems) != 1 || !strings.Contains(p.Problems[0].Text, "does not answer now") {
		t.Errorf("%+v", p)
	}
	h.set(func() { h.devices[bridgeAt] = bridgeDevices })
	c.until("back", func(p page) bool { return p.Peers[0].State == "listed" && len(p.Problems) == 0 })
}

// Half finished, ended, and begun again: what was chosen is there, what was secret is asked for again.
func TestComingBack(t *testing.T) {
	h := newHouse(t)
	c := h.start()
	d := c.full()
	d.Step = "camera"
	c.post("login", map[string]any{"Peer": d.Peer, "User": "eyebolt", "Password": "", "Again": false})
	c.until("the list for eyebolt", func(p page) bool { return p.Peers[0].State == "listed" })
	c.post("draft", d)
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}
	h.set(func() { h.asked = nil })
	c = h.start()
	p := c.until("the bridge", func(p page) bool { return len(p.Peers) == 1 && p.Peers[0].State == "listed" && p.Search.Done == 1 })
	if p.Draft.Step != "camera" || p.Draft.Lock != "front_lock" || p.Draft.Peer != p.Peers[0].ID || len(p.Cameras) != 1 || p.Draft.Cameras[0].Camera != p.Cameras[0].ID || p.Cameras[0].State != "login" {
		t.Errorf("%+v", p)
	}
	if len(p.Problems) != 1 || !strings.Contains(p.Problems[0].Text, "wants its password again") {
		t.Errorf("%v", p.Problems)
	}
	// From the first question on it is the known name that asks: a broker may shut out who comes without one.
	h.set(func() {
		if h.asked[0] != "eyebolt" {
			t.Errorf("the bridge was asked by %q", h.asked)
		}
	})
}

// T20: an address that is typed is taken as a person writes it; a name and password in it are not.
func TestTypedAddresses(t *testing.T) {
	h := newHouse(t)
	h.seen = nil
	c := h.start()
	for typed, want := range map[string]string{
		"": "Type an address", "a b": "Type an address", "mqtt://u:hush@h": "asked for separately", "http://h": "mqtt:// or mqtts://", "://": "no address", strings.Repeat("x", 300): "Type an address",
	} {
		if code, text := c.call(http.MethodPost, "/setup/api/peer", map[string]string{"Driver": "mqtt", "Address": typed}); code != http.StatusBadRequest || !strings.Contains(text, want) || strings.Contains(text, "hush") {
			t.Errorf("%q: %d %s", typed, code, text)
		}
	}
	c.post("peer", map[string]string{"Driver": "mqtt", "Address": " 192.0.2.10:1883 "})
	c.until("its list", func(p page) bool {
		return len(p.Peers) == 1 && p.Peers[0].Address == bridgeAt && p.Peers[0].State == "listed"
	})
	// A server's page is typed as it stands in the browser; a host without more gets the driver's port and path.
	for typed, want := range map[string]string{
		"192.0.2.40": "ws://192.0.2.40:8123/api/websocket", "http://192.0.2.41:8124/": "ws://192.0.2.41:8124/api/websocket",
		"https://home.example.org": "wss://home.example.org/api/websocket", "HTTPS://home.example.net/api/websocket": "wss://home.example.net/api/websocket",
		"wss://home.example.com": "wss://home.example.com/api/websocket", "mqtt://h": "", "https://u:hush@h": "",
	} {
		code, text := c.call(http.MethodPost, "/setup/api/peer", map[string]string{"Driver": "ws", "Address": typed})
		if want == "" && (code != http.StatusBadRequest || strings.Contains(text, "hush")) || want != "" && !strings.Contains(text, `"address":"`+want+`"`) {
			t.Errorf("%q: %d %s", typed, code, text)
		}
	}
	for typed, want := range map[string]int{"": 400, "ftp://h": 400, "rtsp://192.0.2.31/a": 200, "192.0.2.32": 200, "a b": 400} {
		if code, text := c.call(http.MethodPost, "/setup/api/camera", map[string]string{"Camera": "", "Address": typed, "User": "", "Password": ""}); code != want {
			t.Errorf("camera %q: %d %s", typed, code, text)
		}
	}
	if code, text := c.call(http.MethodPost, "/setup/api/camera", map[string]string{"Address": "rtsp://u:hush@192.0.2.31/b"}); code != 200 || strings.Contains(text, "hush") {
		t.Errorf("%d %s", code, text)
	}
}

// What no driver speaks to is shown with what to do; what says nothing and what is new is told on the terminal.
func TestFoundIsTold(t *testing.T) {
	h := newHouse(t)
	h.seen = append(h.seen, setup.Seen{Service: "_home-assistant._tcp", Name: "Home", Addr: netip.MustParseAddrPort("192.0.2.11:8123")})
	c := h.start()
	p := c.until("both", func(p page) bool {
		return len(p.Peers) == 2 && p.Peers[0].State == "listed" && p.Peers[1].State == "none" && !p.Search.Running
	})
	if p.Peers[1].Said != "No driver yet." || len(p.Search.Where) != 1 {
		t.Errorf("%+v", p)
	}
	h.set(func() {
		all := strings.Join(h.told, "\n")
		for _, want := range []string{"Zigbee2MQTT at " + bridgeAt + ": 2 locks, 1 contacts, 1 smoke sensors", "Home Assistant at http://192.0.2.11:8123: No driver yet.", "camera Hall Acme C1 at http://192.0.2.30"} {
			if !strings.Contains(all, want) {
				t.Errorf("the terminal lacks %q:\n%s", want, all)
			}
		}
	})
	// The door may be told by the lock itself.
	h.set(func() {
		h.devices[bridgeAt] = []lock.Device{{ID: "l", Name: "Lock", Kind: lock.KindLock, Can: lock.Can{Door: true}}}
	})
	c.until("the new list", func(p page) bool { return len(p.Peers[0].Devices) == 1 })
	p = c.post("draft", setup.Draft{Door: "front", Peer: p.Peers[0].ID, Lock: "l"})
	for _, x := range p.Problems {
		if x.Step == "door" {
			t.Errorf("a lock that senses its door: %v", x)
		}
	}
}

// A password that a camera refused is not shown to it again: many lock an account after a few.
func TestAWrongPasswordIsNotKept(t *testing.T) {
	h := newHouse(t)
	var asked []string
	look := h.look
	h.look = func(a setup.CameraAsk) (setup.Look, error) {
		h.set(func() { asked = append(asked, a.Password) })
		return look(a)
	}
	c := h.start()
	p := c.until("a camera", func(p page) bool { return len(p.Cameras) == 1 && !p.Search.Running })
	for i, typed := range []string{"wrong", "", "s3cret p@ss", ""} {
		c.post("camera", map[string]string{"Camera": p.Cameras[0].ID, "Address": "", "User": "eye", "Password": typed})
		c.until("an answer", func(p page) bool { return p.Cameras[0].State != "asking" })
		h.set(func() {
			want := []string{"wrong", "", "s3cret p@ss", "s3cret p@ss"}[i]
			if len(asked) != i+1 || asked[i] != want {
				t.Errorf("after %d: asked with %q, want %q", i, asked, want)
			}
		})
	}
}
