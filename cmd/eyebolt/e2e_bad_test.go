package main

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"eyebolt/camera/cameratest"
	"eyebolt/interlock"
	"eyebolt/virtual"
	"eyebolt/virtual/broker"
	"eyebolt/virtual/home"
	"eyebolt/virtual/spy"

	"github.com/pion/rtp"
)

// row is a line of the table "what was wrong, who reads what, unlocks on the wire", which make bad-input prints.
func row(t *testing.T, wrong, who, reads string, unlocks int) {
	t.Helper()
	t.Logf("told: | %s | %s: %s | %d |", wrong, who, strings.ReplaceAll(strings.TrimSpace(reads), "|", "\\|"), unlocks)
}

// Whatever is wrong with a camera, a broker or the configuration, whoever set it up reads what it is and what to do next, the
// courier with a good grant reads why the door stays shut, and no Unlock reaches the MQTT wire, also not later, when what was
// broken is mended (S1, S12, S13).
func TestBadInputOnTheHouse(t *testing.T) {
	noise := cameratest.Serve(t, cameratest.Setup{Alter: func(all []*rtp.Packet) []*rtp.Packet {
		for _, p := range all {
			for i := range p.Payload {
				p.Payload[i] ^= 0xa5
			}
		}
		return all
	}})
	noise.Run()
	dead, err := broker.Start(t.Context(), broker.Config{Persist: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dead.Stop)
	begin := time.Now()
	lateHome, err := home.Start(t.Context(), home.Config{Broker: dead.URL(), Base: "zigbee2mqtt", Now: func() time.Duration { return time.Since(begin) }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lateHome.Close)

	log := &said{}
	cases := []struct {
		name   string
		set    func(*DoorConfig)
		log    string // whoever set it up
		reason interlock.Reason
	}{
		{"nothing", func(*DoorConfig) {}, "", interlock.NoReason},
		{
			"wrong RTSP address", func(d *DoorConfig) { d.Cameras[0].URL = "rtsp://eyebolt:hallway@" + closedPort(t) + "/door" },
			"camera does not answer: check its power, cable or Wi-Fi, and the address", interlock.NotLive,
		},
		{
			"wrong camera password", func(d *DoorConfig) { d.Cameras[0].URL = strings.Replace(d.Cameras[0].URL, "hallway", "wr0ng", 1) },
			"camera refuses the user name or password: correct them in its URL", interlock.NotLive,
		},
		{
			"wrong path at the camera", func(d *DoorConfig) { d.Cameras[0].URL = strings.Replace(d.Cameras[0].URL, "/door", "/garden", 1) },
			"camera offers no H.264 or H.265 stream at this path: check the path", interlock.NotLive,
		},
		{
			"camera that answers garbage", func(d *DoorConfig) { d.Cameras[0].URL = "rtsp://eyebolt:hallway@" + garbage(t) + "/door" },
			"camera sends what is not RTSP or not video: check the port, and restart the camera", interlock.NotLive,
		},
		{
			"camera that streams garbage", func(d *DoorConfig) { d.Cameras[0].URL = noise.URL() },
			"camera sends what is not RTSP or not video: check the port, and restart the camera (packets arrive, but no picture is complete)", interlock.NotLive,
		},
		{
			"MQTT broker down", func(d *DoorConfig) { d.Lock.MQTT.Broker, d.Lock.MQTT.Base = dead.URL(), "zigbee2mqtt" },
			"lock or its broker is offline: check the bridge and its power: the broker cannot be reached", interlock.LockOffline,
		},
	}
	e := newTown(t, func(c *townConfig) {
		c.Strangers, c.Doors = false, len(cases)
		c.Log = slog.New(slog.NewTextHandler(log, nil))
		c.Hub = func(h *HubConfig) {
			dead.Halt(true)
			for i := range h.Doors {
				cases[i].set(&h.Doors[i])
			}
		}
	})
	all := &wire{}
	listen, err := spy.Start(e.ctx, e.house.broker.URL(), "+/front_lock/set", e.now, all.heard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(listen.Close)

	for i, c := range cases[1:] {
		t.Run(c.name, func(t *testing.T) {
			outer := e.t
			e.t = t
			defer func() { e.t = outer }()
			door := doorName(i + 1)
			e.until("the log to name it", func() bool { return line(log.String(), door, c.log) != "" })
			delivery, err := e.cast.BookAt(e.ctx, door, "BAD-1")
			if err != nil {
				t.Fatal(err)
			}
			e.until("the courier to arrive", func() bool { _, err := e.cast.Arrive(e.ctx, delivery, "BAD-1"); return err == nil })
			v, err := virtual.Watch(e.ctx, e.cast.Courier, hubID, door).Until(e.ctx, "the reason", patience, func(v virtual.View) bool {
				return v.Phase == "arming" && v.Reason == c.reason.String()
			})
			if err != nil {
				t.Fatal(err)
			}
			if v.Nonce != "" || v.Sentence != c.reason.Sentence() {
				t.Errorf("the courier is shown %+v", v)
			}
			// He slides all the same, over a nonce of his own.
			credential, err := e.cast.Courier.SignText("YW4gb2xkZXIgbm9uY2UsIG9mIDMyIGJ5dGVzIGluIGFsbA")
			if err != nil {
				t.Fatal(err)
			}
			var a virtual.Answer
			got := told(t, a, e.cast.Courier.Call(e.ctx, http.MethodPost, "/api/stops/"+delivery+"/slide", map[string]any{"credential": credential}, &a))
			if got == (refused{}) && a.OK {
				t.Error("the slide was taken")
			}
			arrived := e.now()
			e.until("longer than a good door takes to arm", func() bool { return e.now()-arrived > 4*time.Second })
			e.do(func() error {
				return e.cast.Courier.Call(e.ctx, http.MethodPost, "/api/stops/"+delivery+"/cannot", map[string]string{"why": "other"}, nil)
			})
			row(t, c.name, "hub's log", line(log.String(), door, c.log), all.unlocks())
			row(t, "", "courier", v.Sentence, all.unlocks())
			if n := all.unlocks(); n != 0 {
				t.Errorf("%d unlocks on the wire", n)
			}
			for _, secret := range []string{"hallway", "wr0ng"} {
				if strings.Contains(log.String(), secret) {
					t.Errorf("the log holds the camera's password:\n%s", log)
				}
			}
		})
	}

	t.Run("the broker comes back", func(t *testing.T) {
		if err := dead.Resume(e.ctx); err != nil {
			t.Fatal(err)
		}
		later := &wire{}
		listen, err := spy.Start(e.ctx, dead.URL(), "+/front_lock/set", e.now, later.heard)
		if err != nil {
			t.Fatal(err)
		}
		defer listen.Close()
		door := doorName(len(cases) - 1)
		e.until("the hub to reach the lock", func() bool { return line(log.String(), door, "the lock can be reached again") != "" })
		watch := e.now()
		e.until("the lock to be asked, and three seconds more", func() bool { return e.now()-watch > 3*time.Second })
		row(t, "MQTT broker down, and back", "hub's log", line(log.String(), door, "the lock can be reached again"), later.unlocks())
		if n := later.unlocks(); n != 0 || lateHome.Truth().Bolt != home.Thrown {
			t.Errorf("%d unlocks on the wire, the bolt %v", n, lateHome.Truth().Bolt)
		}
	})

	t.Run("unknown key in the configuration", func(t *testing.T) {
		raw, err := yaml.Marshal(e.house.hub)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "hub.yaml")
		if err := os.WriteFile(path, []byte(strings.Replace(string(raw), "cameras:", "camras:", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		err = (&HubCmd{Config: path}).Run(e.ctx)
		if err == nil || !strings.Contains(err.Error(), `unknown field "camras": did you mean "cameras"?`) {
			t.Fatalf("got %v", err)
		}
		first, _, _ := strings.Cut(err.Error(), "\n")
		row(t, "unknown key in the configuration", "hub's terminal", strings.ReplaceAll(first, path, "hub.yaml"), all.unlocks())
	})

	// The wire is heard: at the one door where nothing is wrong the same courier gets in, once.
	if story := e.world.Honest(e.ctx, e.cast, "GOOD-1"); story.Err != nil {
		t.Fatal(story.Err)
	}
	row(t, "nothing (the same town, the door beside)", "courier", "The visit ended as it should.", all.unlocks())
	if n := all.unlocks(); n != 1 {
		t.Errorf("%d unlocks on the wire, want the honest visit's one", n)
	}
}

// line is the newest line of a log that names a door and says something; "" if there is none.
func line(log, door, says string) string {
	lines := strings.Split(log, "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if _, event, ok := strings.Cut(lines[i], " msg="); ok && slices.Contains(strings.Fields(event), "door="+door) && strings.Contains(strings.ReplaceAll(lines[i], `\"`, `"`), says) {
			return event
		}
	}
	return ""
}

// wire counts the unlocks that a broker passed on.
type wire struct {
	mu sync.Mutex
	n  int
}

func (w *wire) heard(m spy.Message) {
	if strings.Contains(m.Payload, "UNLOCK") {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.n++
	}
}

func (w *wire) unlocks() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n
}
