package virtual

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"eyebolt/virtual/person"
)

// Cast are the people of a story and the door it is about. Everybody has registered; the hub is paired and has the
// household's consent.
type Cast struct {
	Resident, Courier, Operator *person.Person
	CourierID                   string
	Household, Hub, Door        string
	Parcel                      string // code of the next delivery's parcel
}

// View is what a phone is told of a door: the parts that people act on.
type View struct {
	Hub      string `json:"hub"`
	Door     string `json:"door"`
	Phase    string `json:"phase"`
	Reason   string `json:"reason"`
	Sentence string `json:"sentence"`
	Visit    string `json:"visit"`
	Watch    string `json:"watch"`
	Bolt     string `json:"bolt"`
	DoorIs   string `json:"door_is"`
	Secured  bool   `json:"secured"`
	Nonce    string `json:"nonce"`
	OutNonce string `json:"out_nonce"`
	Released bool   `json:"released"`
	Leave    bool   `json:"leave"`
	Alarm    string `json:"alarm"`
}

// Watcher follows one door through a person's server events.
type Watcher struct {
	mu    sync.Mutex
	view  View
	seen  bool
	bell  chan struct{}
	ended error
}

// Watch follows a door until the context ends.
func Watch(ctx context.Context, p *person.Person, hub, door string) *Watcher {
	w := &Watcher{bell: make(chan struct{}, 1)}
	go func() {
		for ctx.Err() == nil {
			err := p.Events(ctx, "/api/events", func(e person.Event) {
				var v View
				if e.Type != "view" || json.Unmarshal(e.Data, &v) != nil || v.Hub != hub || v.Door != door {
					return
				}
				w.mu.Lock()
				w.view, w.seen = v, true
				w.mu.Unlock()
				w.ring()
			})
			w.mu.Lock()
			w.ended = err
			w.mu.Unlock()
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond): // the service is restarting
			}
		}
	}()
	return w
}

func (w *Watcher) ring() {
	select {
	case w.bell <- struct{}{}:
	default:
	}
}

// Now is the newest view.
func (w *Watcher) Now() View {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.view
}

// Until waits until ok says yes to a view, and names what was waited for if it does not come in time. Only one goroutine
// may wait.
func (w *Watcher) Until(ctx context.Context, what string, limit time.Duration, ok func(View) bool) (View, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		w.mu.Lock()
		v, seen, ended := w.view, w.seen, w.ended
		w.mu.Unlock()
		if seen && ok(v) {
			return v, nil
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-timer.C:
			err := fmt.Errorf("waited %v for %s; the door says %s, %s: %s", limit.Round(time.Second), what, v.Phase, v.Reason, v.Sentence)
			if ended != nil {
				err = fmt.Errorf("%w (events: %w)", err, ended)
			}
			return v, err
		case <-w.bell:
		}
	}
}

// Answer is a hub's answer to what a person asked.
type Answer struct {
	OK       bool   `json:"ok"`
	Reason   string `json:"reason"`
	Sentence string `json:"sentence"`
	Visit    string `json:"visit"`
}

// ask posts and wants a yes.
func ask(ctx context.Context, p *person.Person, path string, in any) (Answer, error) {
	var a Answer
	if err := p.Call(ctx, http.MethodPost, path, in, &a); err != nil {
		return a, err
	}
	if !a.OK {
		return a, fmt.Errorf("%s: %s: %s", path, a.Reason, a.Sentence)
	}
	return a, nil
}

// Book books and assigns a delivery of one parcel at the cast's door for the next hour, and gives its name.
func (c *Cast) Book(ctx context.Context, parcel string) (string, error) {
	return c.BookAt(ctx, c.Door, parcel)
}

// BookAt is Book for another door of the same home.
func (c *Cast) BookAt(ctx context.Context, door, parcel string) (string, error) {
	var d struct {
		ID string `json:"id"`
	}
	now := time.Now().UTC()
	err := c.Operator.Call(ctx, http.MethodPost, "/api/ops/deliveries", map[string]any{
		"household": c.Household, "hub": c.Hub, "door": door, "from": now.Add(-time.Minute), "until": now.Add(time.Hour),
		"parcels": []string{parcel}, "instructions": "Just inside, on the floor to the right.",
	}, &d)
	if err != nil {
		return "", err
	}
	return d.ID, c.Operator.Call(ctx, http.MethodPost, "/api/ops/deliveries/"+d.ID+"/assign", map[string]string{"courier": c.CourierID}, nil)
}

// Arrive is the courier at the door with the parcel in his hand.
func (c *Cast) Arrive(ctx context.Context, delivery, parcel string) (Answer, error) {
	return ask(ctx, c.Courier, "/api/stops/"+delivery+"/arrive", map[string]any{"parcel": parcel})
}

// Slide is the courier's slide over the hub's nonce.
func (c *Cast) Slide(ctx context.Context, delivery, nonce string) error {
	credential, err := c.Courier.SignText(nonce)
	if err != nil {
		return err
	}
	_, err = ask(ctx, c.Courier, "/api/stops/"+delivery+"/slide", map[string]any{"credential": credential})
	return err
}

// Out is the courier's signed "I am out" over the hub's nonce (S19).
func (c *Cast) Out(ctx context.Context, delivery, nonce string) error {
	credential, err := c.Courier.SignText(nonce)
	if err != nil {
		return err
	}
	_, err = ask(ctx, c.Courier, "/api/stops/"+delivery+"/out", map[string]any{"credential": credential})
	return err
}

// Acknowledge is the resident who has seen the alarms that his page shows of a door. Where there is none he presses nothing.
func (c *Cast) Acknowledge(ctx context.Context, door string) error {
	var home struct {
		Doors []struct {
			Hub, Door string
			View      *struct {
				AlarmID string `json:"alarm_id"`
			}
		}
		Alarms []struct {
			ID, Hub, Door string
			Notice        bool
		}
	}
	if err := c.Resident.Call(ctx, http.MethodGet, "/api/home", nil, &home); err != nil {
		return err
	}
	var ids []string
	for _, a := range home.Alarms {
		if !a.Notice && a.Hub == c.Hub && (a.Door == "" || a.Door == door) {
			ids = append(ids, a.ID)
		}
	}
	for _, d := range home.Doors {
		if d.Hub == c.Hub && d.Door == door && d.View != nil && d.View.AlarmID != "" && !slices.Contains(ids, d.View.AlarmID) {
			ids = append(ids, d.View.AlarmID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	_, err := ask(ctx, c.Resident, "/api/doors/"+c.Hub+"/"+door+"/ack", map[string]any{"alarms": ids[:min(len(ids), 32)]})
	return err
}

// Forgive is the resident who acknowledges a door's alarm and closes a visit's incident.
func (c *Cast) Forgive(ctx context.Context, door, visit string) error {
	if err := c.Acknowledge(ctx, door); err != nil {
		return err
	}
	_, err := ask(ctx, c.Resident, "/api/visits/"+visit+"/close", map[string]any{})
	return err
}

// Standing counts the incidents that the resident has not closed.
func (c *Cast) Standing(ctx context.Context) (int, error) {
	var home struct{ Incidents []struct{ ID string } }
	err := c.Resident.Call(ctx, http.MethodGet, "/api/home", nil, &home)
	return len(home.Incidents), err
}

// Pair ties the resident's passkey to the hub.
func (c *Cast) Pair(ctx context.Context, code string) error {
	_, err := ask(ctx, c.Resident, "/api/home/pair", map[string]string{"hub": c.Hub, "code": code})
	return err
}

// Consent is the resident who signs that a carrier may deliver at a door.
func (c *Cast) Consent(ctx context.Context, door, carrier string) error {
	var draft struct{ Document, Challenge string }
	q := url.Values{"hub": {c.Hub}, "door": {door}, "carrier": {carrier}}
	if err := c.Resident.Call(ctx, http.MethodGet, "/api/home/consent?"+q.Encode(), nil, &draft); err != nil {
		return err
	}
	credential, err := c.Resident.SignText(draft.Challenge)
	if err != nil {
		return err
	}
	return c.Resident.Call(ctx, http.MethodPost, "/api/home/consent", map[string]any{"document": draft.Document, "credential": credential}, nil)
}
