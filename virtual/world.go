// Package virtual is the world of the demo: one pretend home on real protocols, the people who come to its door and the
// attacker in the bushes. Its parts are sub-folders; here they are joined, so that a door that opens is seen by the camera
// and felt by the contact sensor.
package virtual

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"eyebolt/virtual/eye"
	"eyebolt/virtual/home"
	"eyebolt/virtual/uplink"
)

// Parts are what a World moves.
type Parts struct {
	Scene  *eye.Scene
	Source *eye.Source
	Camera *eye.Camera
	Home   *home.Home
	Uplink *uplink.Uplink // nil: cannot be cut
	Log    *slog.Logger
}

// World is the truth about one home. Its methods may be called from several goroutines.
type World struct {
	parts Parts

	mu      sync.Mutex
	on      map[string]bool // attacks that are going on
	courier string          // away, step, hall
	parcel  string          // carried, placed, none
	playing string
	lines   []Line
	logins  []Login
	changed []chan struct{}
}

// Line is one thing that happened in the world.
type Line struct {
	At   time.Time `json:"t"`
	Who  string    `json:"who"`
	Text string    `json:"text"`
}

// Login is a phone of the demo.
type Login struct {
	Role string `json:"role"`
	Name string `json:"name"`
	URL  string `json:"url"`
}

// maxLines bounds the world's story; a visit has about 30.
const maxLines = 200

// NewWorld joins the parts. The courier is away and carries a parcel.
func NewWorld(p Parts) *World {
	p.Scene.Carries(true)
	return &World{parts: p, on: map[string]bool{}, courier: "away", parcel: "carried"}
}

// Tell adds a line to the story.
func (w *World) Tell(who, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, Line{At: time.Now(), Who: who, Text: fmt.Sprintf(format, args...)})
	if over := len(w.lines) - maxLines; over > 0 {
		w.lines = slices.Delete(w.lines, 0, over)
	}
	w.wake()
}

// Lines are the newest lines of the story, oldest first.
func (w *World) Lines() []Line {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.lines)
}

// wake needs w.mu.
func (w *World) wake() {
	for _, c := range w.changed {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Changed gives a channel that is written to after each change, and how to give it back.
func (w *World) Changed() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changed = append(w.changed, c)
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.changed = slices.DeleteFunc(w.changed, func(o chan struct{}) bool { return o == c })
	}
}

// SetLogins says which phones there are.
func (w *World) SetLogins(l []Login) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logins = l
	w.wake()
}

// Playing says which story is being played; empty: none. It refuses a second one.
func (w *World) Playing(what string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if what != "" && w.playing != "" {
		return false
	}
	w.playing = what
	w.wake()
	return true
}

func (w *World) move(courier, parcel string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if courier != "" {
		w.courier = courier
		w.parts.Scene.Courier(courier)
	}
	if parcel != "" {
		w.parcel = parcel
		w.parts.Scene.Carries(parcel == "carried")
		w.parts.Scene.Parcel(parcel == "placed")
	}
	w.wake()
}

// Knock is a courier who comes to the door and knocks.
func (w *World) Knock() {
	w.move("step", "")
	w.Tell("courier", "comes to the door and knocks")
}

// Open pushes the door from outside.
func (w *World) Open() error {
	if err := w.parts.Home.OpenDoor(); err != nil {
		w.Tell("courier", "pushes the door: it is held shut")
		return err
	}
	w.parts.Scene.Door(true)
	w.Tell("courier", "opens the door")
	return nil
}

// Enter walks in.
func (w *World) Enter() error {
	if err := w.parts.Home.Enter(); err != nil {
		w.Tell("courier", "cannot enter: the door is closed")
		return err
	}
	w.move("hall", "")
	w.Tell("courier", "steps inside")
	return nil
}

// Place lays the parcel down.
func (w *World) Place() {
	w.move("", "placed")
	w.Tell("courier", "puts the parcel down")
}

// Leave walks out.
func (w *World) Leave() error {
	if err := w.parts.Home.Leave(); err != nil {
		w.Tell("courier", "cannot leave: %v", err)
		return err
	}
	w.move("step", "")
	w.Tell("courier", "steps outside")
	return nil
}

// Shut pulls the door shut.
func (w *World) Shut() error {
	if err := w.parts.Home.CloseDoor(); err != nil {
		w.Tell("courier", "pulls the door: %v", err)
		return err
	}
	w.parts.Scene.Door(false)
	w.Tell("courier", "closes the door")
	return nil
}

// Depart is the courier gone, with a new parcel for the next visit.
func (w *World) Depart() {
	w.move("away", "carried")
	w.Tell("courier", "walks away")
}

// Knob opens the door from inside.
func (w *World) Knob() {
	w.parts.Home.OpenFromInside()
	w.parts.Scene.Door(true)
	w.Tell("somebody inside", "turns the knob and opens the door")
}

// attacks are what can be done to the home, in the order of the page.
var attacks = []struct{ id, label, begins, ends string }{
	{"flood", "Wi-Fi flood", "floods the Wi-Fi: the camera is cut off", "stops the flood"},
	{"frozen", "Frozen picture", "stands in the middle and repeats the last picture", "lets new pictures through"},
	{"lag", "Slow lag", "delays the pictures, a little more with each", "stops delaying"},
	{"replay", "Replayed picture", "plays an earlier recording of the hallway", "ends the replay"},
	{"sensor", "Freeze sensor", "freezes the camera's sensor; its encoder runs on", "lets the sensor see again"},
	{"cover", "Cover lens", "holds a bag over the lens", "takes the bag off"},
	{"unplug", "Unplug camera", "pulls the camera's plug", "puts the plug back"},
	{"uplink", "Cut uplink", "cuts the home's internet", "mends the home's internet"},
	{"block", "Block bolt, fake sound", "blocks the bolt and plays the sound of a lock", "frees the bolt"},
	{"jam", "Jam all radio", "jams lock and sensor as well", "stops jamming"},
}

// Attack begins or ends an attack.
func (w *World) Attack(id string, on bool) error {
	i := slices.IndexFunc(attacks, func(a struct{ id, label, begins, ends string }) bool { return a.id == id })
	if i < 0 {
		return fmt.Errorf("no attack is called %q", id)
	}
	w.mu.Lock()
	if w.on[id] == on {
		w.mu.Unlock()
		return nil
	}
	w.on[id] = on
	trick := eye.Honest
	switch {
	case w.on["frozen"]:
		trick = eye.Repeated
	case w.on["replay"]:
		trick = eye.Replayed
	case w.on["lag"]:
		trick = eye.Lagged
	}
	w.mu.Unlock()
	switch id {
	case "flood":
		w.parts.Camera.Flood(on)
	case "frozen", "replay", "lag":
		w.parts.Camera.Trick(trick)
	case "sensor":
		w.parts.Source.Freeze(on)
	case "cover":
		w.parts.Scene.Cover(on)
	case "unplug":
		if on {
			w.parts.Camera.Unplug()
		} else if err := w.parts.Camera.Plug(); err != nil {
			return err
		}
	case "uplink":
		if w.parts.Uplink == nil {
			return fmt.Errorf("this home's uplink cannot be cut")
		}
		w.parts.Uplink.Cut(on)
	case "block":
		w.parts.Home.BlockQuietly(on)
	case "jam":
		w.parts.Home.Silence(on)
	}
	if on {
		w.Tell("attacker", "%s", attacks[i].begins)
	} else {
		w.Tell("attacker", "%s", attacks[i].ends)
	}
	return nil
}

// Calm ends every attack.
func (w *World) Calm() {
	for _, a := range attacks {
		_ = w.Attack(a.id, false) // what cannot be ended was not begun
	}
}
