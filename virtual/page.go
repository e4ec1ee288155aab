package virtual

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"eyebolt/virtual/home"
)

// state is what the world's page shows.
type state struct {
	Bolt    string   `json:"bolt"`
	Door    string   `json:"door"`
	Inside  []string `json:"inside"`
	Camera  camera   `json:"camera"`
	Uplink  bool     `json:"uplink"`
	Jam     bool     `json:"jam"`
	Playing string   `json:"playing"`
	Log     []Line   `json:"log"`
	Buttons []button `json:"buttons"`
	Logins  []Login  `json:"logins"`
}

type camera struct {
	Mode   string `json:"mode"`
	Jammed bool   `json:"jammed"`
}

type button struct {
	ID      string `json:"id"`
	Label   string `json:"label"`
	Group   string `json:"group"` // people, attack
	On      bool   `json:"on"`
	Enabled bool   `json:"enabled"`
}

func (w *World) state() state {
	truth := w.parts.Home.Truth()
	w.mu.Lock()
	defer w.mu.Unlock()
	s := state{
		Bolt: truth.Bolt.String(), Door: "closed", Inside: []string{}, Uplink: !w.on["uplink"], Jam: w.on["jam"],
		Playing: w.playing, Log: append([]Line{}, w.lines...), Logins: append([]Login{}, w.logins...),
		Camera: camera{Mode: "honest", Jammed: w.on["flood"] || w.on["unplug"]},
	}
	if truth.DoorOpen {
		s.Door = "open"
	}
	if truth.Inside > 0 {
		s.Inside = append(s.Inside, "courier")
	}
	for _, id := range []string{"lag", "replay", "frozen"} {
		if w.on[id] {
			s.Camera.Mode = id
		}
	}
	free := w.playing == ""
	people := []button{
		{ID: "knock", Label: "Knock", Enabled: w.courier == "away"},
		{ID: "open", Label: "Open the door", Enabled: !truth.DoorOpen && w.courier == "step"},
		{ID: "enter", Label: "Enter", Enabled: truth.DoorOpen && w.courier != "hall"},
		{ID: "place", Label: "Put the parcel down", Enabled: w.courier == "hall" && w.parcel == "carried"},
		{ID: "leave", Label: "Leave", Enabled: truth.DoorOpen && truth.Inside > 0},
		{ID: "close", Label: "Close the door", Enabled: truth.DoorOpen},
		{ID: "depart", Label: "Walk away", Enabled: w.courier == "step"},
		{ID: "knob", Label: "Open from inside", Enabled: !truth.DoorOpen && truth.Inside > 0 || truth.Bolt == home.Thrown && !truth.DoorOpen},
	}
	for _, b := range people {
		b.Group, b.Enabled = "people", b.Enabled && free
		s.Buttons = append(s.Buttons, b)
	}
	for _, a := range attacks {
		s.Buttons = append(s.Buttons, button{ID: a.id, Label: a.label, Group: "attack", On: w.on[a.id], Enabled: free})
	}
	return s
}

// do presses a button of the page.
func (w *World) do(id string) error {
	switch id {
	case "knock":
		w.Knock()
		return nil
	case "open":
		return w.Open()
	case "enter":
		return w.Enter()
	case "place":
		w.Place()
		return nil
	case "leave":
		return w.Leave()
	case "close":
		return w.Shut()
	case "depart":
		w.Depart()
		return nil
	case "knob":
		w.Knob()
		return nil
	}
	w.mu.Lock()
	on := w.on[id]
	w.mu.Unlock()
	return w.Attack(id, !on)
}

// Handler serves the world's API under /world/api/. play is asked to play "honest" or "rhino" and returns at once.
func (w *World) Handler(play func(what string) error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /world/api/state", func(rw http.ResponseWriter, _ *http.Request) { reply(rw, w.state()) })
	mux.HandleFunc("POST /world/api/do", func(rw http.ResponseWriter, r *http.Request) {
		var in struct {
			ID string `json:"id"`
		}
		if !read(rw, r, &in) {
			return
		}
		if err := w.do(in.ID); err != nil {
			problem(rw, http.StatusConflict, err)
			return
		}
		reply(rw, w.state())
	})
	mux.HandleFunc("POST /world/api/play", func(rw http.ResponseWriter, r *http.Request) {
		var in struct {
			What string `json:"what"`
		}
		if !read(rw, r, &in) {
			return
		}
		if in.What != "honest" && in.What != "rhino" {
			problem(rw, http.StatusBadRequest, fmt.Errorf("there is no story %q: honest or rhino", in.What))
			return
		}
		if err := play(in.What); err != nil {
			problem(rw, http.StatusConflict, err)
			return
		}
		reply(rw, w.state())
	})
	mux.HandleFunc("GET /world/api/events", w.events)
	return http.NewCrossOriginProtection().Handler(mux)
}

// pulse is how often the page is told what only physics changes: a bolt that travels makes no line.
const pulse = 500 * time.Millisecond

func (w *World) events(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "text/event-stream")
	rw.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(rw)
	_ = out.SetReadDeadline(time.Time{})  // else the server's limit on reading a request ends the stream
	_ = out.SetWriteDeadline(time.Time{}) // the stream has no end; a dead reader ends with its connection
	changed, back := w.Changed()
	defer back()
	beat := time.NewTicker(pulse)
	defer beat.Stop()
	last := ""
	for {
		raw, err := json.Marshal(w.state())
		if err != nil {
			return
		}
		if now := string(raw); now != last {
			last = now
			if _, err := fmt.Fprintf(rw, "event: state\ndata: %s\n\n", raw); err != nil {
				return
			}
			if err := out.Flush(); err != nil {
				return
			}
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		case <-beat.C:
		}
	}
}

func read(rw http.ResponseWriter, r *http.Request, into any) bool {
	dec := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 4096))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		problem(rw, http.StatusBadRequest, errors.New("send the JSON that docs/API.md shows"))
		return false
	}
	return true
}

func reply(rw http.ResponseWriter, v any) {
	rw.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(rw).Encode(v) // the reader has gone
}

func problem(rw http.ResponseWriter, status int, err error) {
	rw.Header().Set("Content-Type", "application/problem+json")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(map[string]any{"status": status, "title": http.StatusText(status), "detail": err.Error()})
}
