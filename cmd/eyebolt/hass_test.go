package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/hub/hass"
	"eyebolt/interlock"
	"eyebolt/virtual"
	ha "eyebolt/virtual/hass"
	"eyebolt/virtual/home"
)

// realHA starts the real Home Assistant on the house's broker. Where it was never installed the test skips, but not under make
// locks.
func realHA(t *testing.T, broker string) *ha.HA {
	t.Helper()
	h, err := ha.Start(t.Context(), ha.Config{Root: "../..", Dir: t.TempDir()})
	if errors.Is(err, ha.ErrMissing) && os.Getenv("EYEBOLT_PEERS") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Kill)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Home Assistant said:\n%s", h.Said())
		}
	})
	host, port, err := net.SplitHostPort(broker)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.UseBroker(t.Context(), host, n, "", ""); err != nil {
		t.Fatal(err)
	}
	return h
}

// dashboard follows a door in Home Assistant, as a dashboard does.
type dashboard struct {
	e    *e2e
	h    *ha.HA
	door string // as in entity IDs

	mu   sync.Mutex
	seen map[string][]string // entity → its states, as they changed
}

func (e *e2e) dashboard(h *ha.HA, door string) *dashboard {
	d := &dashboard{e: e, h: h, door: door, seen: map[string][]string{}}
	done := make(chan struct{})
	e.t.Cleanup(func() { <-done })
	go func() {
		defer close(done)
		again := time.NewTicker(50 * time.Millisecond)
		defer again.Stop()
		for {
			select {
			case <-e.ctx.Done():
				return
			case <-again.C:
			}
			states, err := h.States(e.ctx)
			if err != nil {
				continue
			}
			d.mu.Lock()
			for id, s := range states {
				if was := d.seen[id]; len(was) == 0 || was[len(was)-1] != s.State {
					d.seen[id] = append(was, s.State)
				}
			}
			d.mu.Unlock()
		}
	}()
	return d
}

func (d *dashboard) id(component, key string) string {
	return component + ".eyebolt_" + d.door + "_" + key
}

// shows waits until the entity has the state.
func (d *dashboard) shows(component, key, want string) ha.State {
	d.e.t.Helper()
	var last ha.State
	err := waitEvery(d.e.ctx, patience, 50*time.Millisecond, func() bool {
		all, err := d.h.States(d.e.ctx)
		last = all[d.id(component, key)]
		return err == nil && last.State == want
	})
	if err != nil {
		d.e.t.Fatalf("%s: got %+v, want %q; it was %v", d.id(component, key), last, want, d.changes(component, key))
	}
	return last
}

func (d *dashboard) changes(component, key string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.seen[d.id(component, key)])
}

// Issue A3: on the day of installation a real Home Assistant shows the door by itself; its states follow an honest visit and an
// incident, and what is pressed there blocks the next visit as the resident's block does (S4), and does no more.
func TestHomeAssistantShowsTheDoor(t *testing.T) {
	var broker string
	e := newTown(t, func(c *townConfig) {
		c.Strangers, c.Width, c.Height = false, 320, 180
		c.Limits = LimitConfig{Tail: 2 * time.Second, Close: 5 * time.Second}
		c.Hub = func(h *HubConfig) {
			broker = h.Doors[0].Lock.MQTT.Broker
			h.HomeAssistant = &hass.Settings{Broker: broker}
		}
	})
	h := realHA(t, strings.TrimPrefix(broker, "mqtt://"))
	d := e.dashboard(h, "front")
	d.shows("sensor", "watch", "live")
	d.shows("sensor", "visit", "idle")
	d.shows("switch", "block_visits", "off")
	d.shows("binary_sensor", "alarm", "off")
	d.shows("sensor", "last_incident", "unknown")
	if s := d.shows("binary_sensor", "secured", "unknown"); s.Attributes["device_class"] != "lock" {
		t.Errorf("secured: %+v", s)
	}
	all, err := h.States(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ours []string
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if strings.Contains(id, "eyebolt") {
			ours = append(ours, id)
			t.Logf("listed: %-40s %-10s %v", id, all[id].State, all[id].Attributes["friendly_name"])
		}
	}
	if want := []string{
		"binary_sensor.eyebolt_front_alarm", "binary_sensor.eyebolt_front_bolt", "binary_sensor.eyebolt_front_door", "binary_sensor.eyebolt_front_secured",
		"sensor.eyebolt_front_last_incident", "sensor.eyebolt_front_visit", "sensor.eyebolt_front_watch", "switch.eyebolt_front_block_visits",
	}; !slices.Equal(ours, want) {
		t.Errorf("listed: %v, want %v", ours, want)
	}

	// An honest visit.
	door := e.watcher()
	delivery, visit := e.openDoor(door, "EB-1")
	d.shows("sensor", "visit", "open")
	d.shows("binary_sensor", "secured", "on") // Home Assistant's word for not locked
	d.shows("binary_sensor", "bolt", "on")
	d.shows("binary_sensor", "door", "on")
	e.do(e.world.Shut)
	d.shows("binary_sensor", "secured", "off")
	d.shows("binary_sensor", "door", "off")
	d.shows("binary_sensor", "bolt", "off")
	e.goes(door, delivery, visit)
	d.shows("sensor", "visit", "idle")
	d.shows("binary_sensor", "secured", "unknown") // nobody asks the lock between visits (S9)
	if s := d.shows("sensor", "last_incident", "unknown"); s.Attributes["reason"] != nil {
		t.Errorf("an honest visit left an incident: %+v", s)
	}
	t.Logf("an honest visit: visit %v; secured %v; door %v", d.changes("sensor", "visit"), d.changes("binary_sensor", "secured"), d.changes("binary_sensor", "door"))

	// An incident: the camera is unplugged while the door stands open (T8).
	delivery, visit = e.openDoor(door, "EB-2")
	at := time.Now()
	e.do(func() error { return e.world.Attack("unplug", true) })
	d.shows("sensor", "watch", "lost")
	s := d.shows("binary_sensor", "alarm", "on")
	t.Logf("the alarm shows %.1f s after the plug was pulled: %v", time.Since(at).Seconds(), s.Attributes)
	if s.Attributes["reason"] != "lapse-lost" || s.Attributes["text"] == "" {
		t.Errorf("alarm: %+v", s)
	}
	var in ha.State
	e.until("the incident to be shown with its time", func() bool {
		all, err := h.States(t.Context())
		in = all[d.id("sensor", "last_incident")]
		_, parse := time.Parse(time.RFC3339, in.State)
		return err == nil && parse == nil
	})
	if when, _ := time.Parse(time.RFC3339, in.State); when.Before(at.Add(-2*time.Second)) || when.After(time.Now().Add(time.Second)) || in.Attributes["reason"] != "lapse-lost" || in.Attributes["open"] != true || in.Attributes["visit"] != visit {
		t.Errorf("last incident: %+v", in)
	}
	e.do(e.world.Shut)
	e.world.Calm()
	d.shows("sensor", "watch", "live")
	e.goes(door, delivery, visit)
	e.do(func() error { return e.forgiven(visit) })
	d.shows("binary_sensor", "alarm", "off")
	e.until("the incident to be shown as read", func() bool {
		all, err := h.States(t.Context())
		s := all[d.id("sensor", "last_incident")]
		return err == nil && s.State == in.State && s.Attributes["open"] == false && s.Attributes["unwatched_s"] != 0.0
	})

	// The switch blocks, also a courier who has been let as far as the slide (S4).
	opened := len(e.sent("UNLOCK"))
	delivery, err = e.cast.Book(e.ctx, "EB-3")
	if err != nil {
		t.Fatal(err)
	}
	e.until("the courier to arrive", func() bool { _, err = e.cast.Arrive(e.ctx, delivery, "EB-3"); return err == nil })
	mine := virtual.Watch(e.ctx, e.cast.Courier, hubID, doorName(0))
	var nonce string
	e.until("the slide", func() bool { nonce = mine.Now().Nonce; return nonce != "" })
	pressed := time.Now()
	if err := h.Call(t.Context(), "switch", "turn_on", map[string]string{"entity_id": d.id("switch", "block_visits")}); err != nil {
		t.Fatal(err)
	}
	d.shows("switch", "block_visits", "on")
	t.Logf("pressed in Home Assistant, blocked and shown there %.2f s later", time.Since(pressed).Seconds())
	if err := e.cast.Slide(e.ctx, delivery, nonce); err == nil {
		t.Error("S4: a slide is taken after the block")
	}
	e.until("the resident's app to show the block", func() bool { return e.blocked() })
	again, err := e.cast.Book(e.ctx, "EB-4")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.cast.Arrive(e.ctx, again, "EB-4"); err == nil || !strings.Contains(err.Error(), interlock.Blocked.String()) {
		t.Errorf("an arrival at a door that was blocked in Home Assistant: %v", err)
	}

	// It does not lift the block: a broker does not prove who presses.
	if err := h.Call(t.Context(), "switch", "turn_off", map[string]string{"entity_id": d.id("switch", "block_visits")}); err != nil {
		t.Fatal(err)
	}
	e.until("the switch to say why it stays on", func() bool {
		all, err := h.States(t.Context())
		s := all[d.id("switch", "block_visits")]
		return err == nil && s.State == "on" && strings.Contains(fmt.Sprint(s.Attributes["note"]), "Not lifted")
	})
	if !e.blocked() {
		t.Error("S4: the block was lifted over the broker")
	}
	if n := len(e.sent("UNLOCK")) - opened; n != 0 {
		t.Errorf("S4: %d unlocks on the wire after the block", n)
	}

	// The resident lifts it in the app, and a courier is let in again.
	e.do(func() error {
		return e.cast.Resident.Call(e.ctx, http.MethodPost, "/api/doors/"+hubID+"/"+doorName(0)+"/unblock", map[string]any{}, nil)
	})
	d.shows("switch", "block_visits", "off")
	delivery, visit = e.openDoor(door, "EB-5")
	e.do(e.world.Shut)
	e.goes(door, delivery, visit)

	// The hub goes: nothing is claimed any more.
	e.house.mu.Lock()
	running := e.house.running
	e.house.running = nil
	e.house.mu.Unlock()
	if err := running.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, k := range [][2]string{{"binary_sensor", "secured"}, {"binary_sensor", "bolt"}, {"sensor", "watch"}, {"switch", "block_visits"}} {
		d.shows(k[0], k[1], "unavailable")
	}
	if got := e.truth(); got.Bolt != home.Thrown {
		t.Errorf("the bolt is %v", got.Bolt)
	}
}

// blocked says whether the resident's app shows the door blocked.
func (e *e2e) blocked() bool {
	var h struct {
		Doors []struct {
			View struct{ Blocked bool } `json:"view"`
		}
	}
	err := e.cast.Resident.Call(e.ctx, http.MethodGet, "/api/home", nil, &h)
	return err == nil && len(h.Doors) == 1 && h.Doors[0].View.Blocked
}
