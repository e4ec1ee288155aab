package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"eyebolt/virtual/home"
	"eyebolt/virtual/person"
)

// courier plays an honest courier who does what he can whatever his app says: he slides when he may, goes in when the bolt is drawn,
// comes out, shuts the door, and says that he is out when he is asked. He never waits inside for a hub that is silent.
func (r *faultRun) courier(ctx context.Context) {
	h, w := r.home, r.home.town.world
	defer w.Depart()
	parcel := fmt.Sprintf("FAULT-%d", r.seed)
	w.Knock()
	delivery, err := h.town.cast.Book(ctx, parcel)
	if err != nil {
		r.refused("booking: " + err.Error())
		return
	}
	r.at(ctx, "arrive")
	if !r.arrives(ctx, delivery, parcel) {
		return
	}
	r.mu.Lock()
	visit := r.visit
	r.mu.Unlock()
	r.at(ctx, "arming")
	slid, opened, wayOut := "", false, false
	var shut time.Duration // when; 0: not yet
	out, arrivedAt := "", h.now()
	for sleep(ctx, 20*time.Millisecond) == nil {
		v := h.mine.Now()
		switch truth := h.truth(); {
		case !opened && truth.Bolt == home.Drawn:
			r.at(ctx, "unlocked")
			if opened = w.Open() == nil; !opened {
				continue
			}
			r.goesIn(ctx)
			shut = h.now()
			r.at(ctx, "closed")
		case !opened && v.Visit == visit && v.Nonce != "" && v.Nonce != slid:
			slid = v.Nonce
			r.at(ctx, "ready")
			if err := sleep(ctx, 300*time.Millisecond); err != nil {
				return
			}
			r.at(ctx, "slide")
			if v = h.mine.Now(); v.Nonce != "" {
				slid = v.Nonce
			}
			r.slides1(ctx, delivery, slid)
			r.at(ctx, "deciding")
		case shut > 0 && v.Visit == visit && v.OutNonce != "" && v.OutNonce != out:
			r.at(ctx, "secured")
			out = v.OutNonce
			if wayOut = h.town.cast.Out(ctx, delivery, out) == nil; wayOut {
				r.at(ctx, "out")
			}
		case v.Visit == visit && v.Phase == "unlocking":
			r.at(ctx, "unlocking")
		case v.Visit == visit && v.Released:
			r.at(ctx, "tail")
		}
		switch since := h.now(); {
		case shut > 0 && v.Visit == visit && v.Phase == "idle", shut > 0 && v.Visit != visit && since-shut > time.Second:
			return
		case shut > 0 && since-shut > 8*time.Second:
			return
		case !opened && since-max(arrivedAt, r.hitTime()) > 12*time.Second:
			r.line("courier", "gives up")
			err := h.town.cast.Courier.Call(ctx, http.MethodPost, "/api/stops/"+delivery+"/cannot", map[string]any{"why": "door"}, nil)
			if err != nil {
				r.line("courier", "says that he cannot deliver, and is told "+err.Error())
			}
			return
		}
	}
}

// arrives is the courier at the door, who tries again for half a minute.
func (r *faultRun) arrives(ctx context.Context, delivery, parcel string) bool {
	why := ""
	err := waitEvery(ctx, 40*time.Second, 300*time.Millisecond, func() bool {
		if hit := r.hitTime(); hit > 0 && r.home.now()-hit > 6*time.Second {
			return true // what the fault has left behind must be read first
		}
		a, err := r.home.town.cast.Arrive(ctx, delivery, parcel)
		if err == nil {
			r.mu.Lock()
			r.visit = a.Visit
			r.mu.Unlock()
			return true
		}
		if text := err.Error(); text != why {
			why = text
			r.line("courier", "is refused: "+text)
		}
		return false
	})
	if err != nil {
		r.refused(why)
	}
	return r.arrived()
}

func (r *faultRun) refused(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.never = why
}

// hitTime is when the fault began; 0: it has not.
func (r *faultRun) hitTime() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hitAt
}

// slides1 slides, and does not wait for the answer: a hub that is gone gives none for 7 s.
func (r *faultRun) slides1(ctx context.Context, delivery, nonce string) {
	r.mu.Lock()
	r.slides = append(r.slides, r.home.now())
	r.mu.Unlock()
	r.line("courier", "slides")
	go func() {
		err := r.home.town.cast.Slide(ctx, delivery, nonce)
		var p *person.Problem
		switch {
		case err == nil, ctx.Err() != nil:
		case errors.As(err, &p):
			r.line("courier", "slid, and is told "+p.Detail)
		default:
			r.line("courier", "slid, and is told "+err.Error())
		}
	}()
}

// goesIn is the way through an open door: in, the parcel down, out, and the door shut as soon as no bolt is in its way.
func (r *faultRun) goesIn(ctx context.Context) {
	w := r.home.town.world
	_ = sleep(ctx, 300*time.Millisecond)
	_ = w.Enter()
	_ = sleep(ctx, 400*time.Millisecond)
	w.Place()
	r.at(ctx, "open")
	_ = sleep(ctx, 500*time.Millisecond)
	_ = w.Leave()
	_ = sleep(ctx, 200*time.Millisecond)
	r.at(ctx, "closing")
	if waitEvery(ctx, 6*time.Second, 100*time.Millisecond, func() bool { return w.Shut() == nil }) != nil {
		// The bolt is in the air, and by its rules the hub does not draw it (S11, S12: what drew it was not ordered, or the door was
		// secured before). The household is alarmed, comes, and does.
		r.note("the bolt was in the air: somebody drew it by hand")
		r.line("resident", "turns the knob inside")
		r.home.town.house.homes[0].TurnKnobInside()
		_ = w.Shut()
	}
}
