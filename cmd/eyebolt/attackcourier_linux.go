package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"eyebolt/sim"
	"eyebolt/virtual/home"
)

// courier plays the visit's courier: what his phone shows is what he does, with the town's spans (sim/courier.go).
func (r *attackRun) courier(ctx context.Context) error {
	h, w := r.home, r.home.town.world
	w.Knock()
	var last error
	err := waitEvery(ctx, 90*time.Second, 500*time.Millisecond, func() bool {
		a, err := h.town.cast.Arrive(ctx, r.delivery, r.parcel)
		if last = err; err != nil {
			return false
		}
		r.mu.Lock()
		r.id = a.Visit
		r.mu.Unlock()
		return true
	})
	if err != nil {
		return errors.Join(err, last)
	}
	slow := time.Duration(1)
	if r.visit.Courier == sim.Slow {
		slow = 4
	}
	slid, out, in, inside, gone := "", "", false, false, false
	var leaves, patience time.Duration // when he means to go out; when he waits no longer for his release
	for !gone {
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
		v, now := h.mine.Now(), h.now()
		truth := h.truth()
		switch {
		case v.Visit != r.id:
			gone = in && !inside && now-r.began > 20*time.Second || now-r.began > 5*time.Minute
		case inside && (now >= leaves || v.Leave && now+4*time.Second < leaves):
			if v.Leave && now < leaves {
				leaves = now + r.span(time.Second, 4*time.Second)
				continue
			}
			if !truth.DoorOpen {
				w.Knob()
				_ = sleep(ctx, time.Second)
			}
			if w.Leave() != nil {
				continue
			}
			inside, patience = false, h.now()+90*time.Second
			r.goes(func() error { return r.shuts(ctx) })
		case patience > 0 && now >= patience:
			gone = true
		case v.Nonce != "" && v.Nonce != slid && !in:
			slid = v.Nonce
			if err := sleep(ctx, slow*r.span(500*time.Millisecond, 3*time.Second)); err != nil {
				return err
			}
			_ = h.town.cast.Slide(ctx, r.delivery, slid) // a no is shown, and the hub asks anew
		case v.Phase == "unlocked" && !in && truth.Bolt == home.Drawn:
			if err := sleep(ctx, slow*r.span(600*time.Millisecond, 4*time.Second)); err != nil {
				return err
			}
			if w.Open() != nil || w.Enter() != nil {
				continue
			}
			w.Place()
			in, inside = true, true
			stay := slow * r.span(3*time.Second, 15*time.Second)
			if r.visit.Courier == sim.Stays {
				stay = r.span(time.Minute, 2*time.Minute)
				r.goes(func() error { _ = sleep(ctx, 2*time.Second); _ = w.Shut(); return nil })
			}
			r.mu.Lock()
			stay += r.stay
			r.mu.Unlock()
			leaves = h.now() + stay
		case v.OutNonce != "" && v.Secured && v.OutNonce != out && in && !inside:
			out = v.OutNonce
			if err := sleep(ctx, r.span(500*time.Millisecond, 5*time.Second)); err != nil {
				return err
			}
			_ = h.town.cast.Out(ctx, r.delivery, out)
		case (v.Released || v.Phase == "tail") && in && !inside:
			if err := sleep(ctx, r.span(time.Second, 3*time.Second)); err != nil {
				return err
			}
			r.mu.Lock()
			thief := r.thief || r.visit.Courier == sim.Thief
			r.mu.Unlock()
			if thief {
				r.lurks(ctx)
			}
			gone = true
		case v.Phase == "idle" && in && !inside, now-r.began > 6*time.Minute:
			gone = true
		}
	}
	w.Depart()
	if v := h.mine.Now(); v.Visit == r.id && (v.Phase == "arming" || v.Phase == "ready") { // of a door that opened and was never seen open (T27)
		err := h.town.cast.Courier.Call(ctx, http.MethodPost, "/api/stops/"+r.delivery+"/cannot", map[string]any{"why": "nobody"}, nil)
		if err != nil {
			return fmt.Errorf("the courier says that he cannot deliver: %w", err)
		}
	}
	return nil
}

// shuts pulls the door shut, again and again while a bolt stands out, unless somebody props it.
func (r *attackRun) shuts(ctx context.Context) error {
	for range 20 {
		r.mu.Lock()
		propped := r.propped
		r.mu.Unlock()
		if propped {
			return nil
		}
		if err := sleep(ctx, r.span(500*time.Millisecond, 2*time.Second)); err != nil {
			return err
		}
		if r.home.town.world.Shut() == nil {
			return nil
		}
	}
	return nil
}

// lurks is the thief who tries the door for half a minute. If it gives way he is inside, and the home has been robbed.
func (r *attackRun) lurks(ctx context.Context) {
	end := r.home.now() + 30*time.Second
	for r.home.now() < end && r.home.door.Now().Visit == r.id {
		if r.home.town.world.Open() == nil {
			r.mu.Lock()
			r.errs = append(r.errs, errors.New("the thief opens the door a second time (S10)"))
			r.mu.Unlock()
			return
		}
		if sleep(ctx, r.span(200*time.Millisecond, time.Second)) != nil {
			return
		}
	}
}
