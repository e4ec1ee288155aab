package virtual

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// stepLimit is how long a story waits for any one thing: longer than every limit of a visit but the courier's own.
const stepLimit = 45 * time.Second

// A Told story names the visit it made and says how far it got.
type Told struct {
	Visit string
	Err   error
}

// pause is a person who takes his time; the scene moves at a walking pace.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// steps runs one after the other until one fails.
func steps(all ...func() error) error {
	for _, step := range all {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// visit is one courier's way through a visit, a step a method.
type visit struct {
	ctx      context.Context
	w        *World
	cast     *Cast
	door     *Watcher
	delivery string
	parcel   string
	id       string
}

// begin books a delivery, walks up and waits until the door is ready.
func (w *World) begin(ctx context.Context, cast *Cast, parcel string) (*visit, error) {
	v := &visit{ctx: ctx, w: w, cast: cast, parcel: parcel, door: Watch(ctx, cast.Courier, cast.Hub, cast.Door)}
	var err error
	if v.delivery, err = cast.Book(ctx, parcel); err != nil {
		return v, err
	}
	w.Tell("operator", "books parcel %s for today", parcel)
	return v, nil
}

func (v *visit) wait(d time.Duration) func() error { return func() error { return pause(v.ctx, d) } }

func (v *visit) arrive() error {
	v.w.Knock()
	if err := pause(v.ctx, 1200*time.Millisecond); err != nil {
		return err
	}
	v.w.Tell("courier", "scans the parcel: I am at the door")
	for tries := 0; ; tries++ {
		a, err := v.cast.Arrive(v.ctx, v.delivery, v.parcel)
		v.id = a.Visit
		if err == nil || a.Reason != "clock-unsure" || tries == 20 { // a hub that has just started does not know the time yet
			return err
		}
		if err := pause(v.ctx, 500*time.Millisecond); err != nil {
			return err
		}
	}
}

// slide waits for ready, slides to open, and opens the door. A hub that was starved for a moment forbids the opening or bolts
// again (S1, S6); then he slides anew, as the hub lets him (S3), like anybody who stands there.
func (v *visit) slide() error {
	end := time.Now().Add(stepLimit)
	slid, refused := "", error(nil)
	for {
		view, err := v.door.Until(v.ctx, "every check to hold, and the bolt to draw", time.Until(end), func(d View) bool {
			return d.Nonce != "" && d.Nonce != slid || d.Bolt == "drawn" || d.Phase == "unlocked"
		})
		if err != nil {
			return errors.Join(err, refused)
		}
		if v.id == "" {
			v.id = view.Visit
		}
		if view.Nonce == "" || view.Nonce == slid {
			if err := pause(v.ctx, 600*time.Millisecond); err != nil {
				return err
			}
			if refused = v.w.Open(); refused == nil {
				return nil
			}
			continue
		}
		slid = view.Nonce
		credential, err := v.cast.Courier.SignText(view.Nonce)
		if err != nil {
			return err
		}
		v.w.Tell("courier", "slides to open, with his passkey")
		_, refused = ask(v.ctx, v.cast.Courier, "/api/stops/"+v.delivery+"/slide", map[string]any{"credential": credential})
	}
}

// carryIn enters, places the parcel and steps out; the door stays open.
func (v *visit) carryIn() error {
	return steps(v.wait(1200*time.Millisecond), v.w.Enter, v.wait(1500*time.Millisecond),
		func() error { v.w.Place(); return nil }, v.wait(time.Second), v.w.Leave, v.wait(1200*time.Millisecond))
}

func (v *visit) out() error {
	view, err := v.door.Until(v.ctx, "the door to be proven secured", stepLimit, func(d View) bool { return d.Secured && d.OutNonce != "" })
	if err != nil {
		return err
	}
	credential, err := v.cast.Courier.SignText(view.OutNonce)
	if err != nil {
		return err
	}
	v.w.Tell("courier", "signs: I am out")
	_, err = ask(v.ctx, v.cast.Courier, "/api/stops/"+v.delivery+"/out", map[string]any{"credential": credential})
	return err
}

// ended waits until the service knows how the visit ended.
func (v *visit) ended() error {
	limit := time.NewTimer(2 * stepLimit)
	defer limit.Stop()
	for {
		var got struct {
			Outcome string `json:"outcome"`
		}
		if err := v.cast.Resident.Call(v.ctx, http.MethodGet, "/api/visits/"+v.id, nil, &got); err != nil {
			return err
		}
		if got.Outcome != "" && got.Outcome != "going" {
			return nil
		}
		select {
		case <-limit.C:
			return fmt.Errorf("visit %s has not ended", v.id)
		case <-v.ctx.Done():
			return v.ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// Honest plays a visit as it should be.
func (w *World) Honest(ctx context.Context, cast *Cast, parcel string) Told {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v, err := w.begin(ctx, cast, parcel)
	if err == nil {
		err = steps(v.arrive, v.slide, v.carryIn, w.Shut, v.out,
			func() error {
				_, err := v.door.Until(ctx, "the courier's release", stepLimit, func(d View) bool { return d.Released })
				return err
			},
			func() error { w.Depart(); return nil }, v.ended)
	}
	return Told{Visit: v.id, Err: err}
}

// Rhino plays T1: a courier delivers, steps out, floods the Wi-Fi so that the camera keeps its last picture, walks back in
// unseen, comes out and closes the door, and ends the flood.
func (w *World) Rhino(ctx context.Context, cast *Cast, parcel string) Told {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer w.Calm()
	v, err := w.begin(ctx, cast, parcel)
	if err == nil {
		err = steps(v.arrive, v.slide, v.carryIn,
			func() error { return w.Attack("flood", true) },
			func() error {
				_, err := v.door.Until(ctx, "the watch to be lost", stepLimit, func(d View) bool { return d.Leave || d.Watch == "lost" })
				return err
			},
			w.Enter, v.wait(2*time.Second), w.Leave, v.wait(300*time.Millisecond), w.Shut,
			func() error {
				_, err := v.door.Until(ctx, "the bolt to be thrown by the hub", stepLimit, func(d View) bool { return d.Bolt == "thrown" })
				return err
			},
			func() error {
				if err := w.Open(); err == nil {
					return fmt.Errorf("the door opened a second time")
				}
				return nil
			},
			v.wait(time.Second), func() error { return w.Attack("flood", false) },
			func() error { w.Depart(); return nil }, v.ended)
	}
	return Told{Visit: v.id, Err: err}
}
