package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"eyebolt/virtual"
	"eyebolt/virtual/home"
)

// settle is how long a story waits for the home to be quiet again: a camera that was thrown off the Wi-Fi takes its time.
const airSettle = 2 * time.Minute

// play plays one visit with its attack. A result comes with an error, too, as far as it got.
func (b *airBench) play(ctx context.Context, story string) (r airResult, err error) {
	r = airResult{Story: story, Label: b.Label}
	if err := b.until(ctx, "a quiet home", airSettle, func(v virtual.View, _ map[string]time.Duration) bool {
		return v.Watch == "live" && v.Phase == "idle"
	}); err != nil {
		return r, err
	}
	if err := b.calm(ctx, &r); err != nil {
		return r, err
	}
	b.line.reset()
	b.mu.Lock()
	clear(b.marks)
	b.from, b.drawn, b.gap = 0, 0, airGap{}
	b.mu.Unlock()
	for _, p := range b.peers {
		p.arm()
	}
	t := b.town
	parcel := fmt.Sprintf("AIR-%s-%d", story, time.Now().UnixNano())
	delivery, err := t.cast.Book(ctx, parcel)
	if err != nil {
		return r, err
	}
	var answer virtual.Answer
	if err := retryAsk(ctx, func() error {
		answer, err = t.cast.Arrive(ctx, delivery, parcel)
		return err
	}); err != nil {
		return r, err
	}
	r.Visit, r.delivery = answer.Visit, delivery
	if err := b.enter(ctx, delivery); err != nil {
		return r, err
	}
	b.mu.Lock()
	b.drawn = t.now()
	b.mu.Unlock()
	for _, part := range []func(context.Context, string, *airResult) error{b.before, b.attack, b.finish} {
		if err := part(ctx, story, &r); err != nil {
			b.tidy(ctx, r)
			return r, err
		}
	}
	return r, nil
}

// tidy leaves a home in which the next story can begin, after one that broke off: as well as it goes.
func (b *airBench) tidy(ctx context.Context, r airResult) {
	w := b.town.world
	_ = w.Leave()
	_ = w.Shut()
	w.Depart()
	_ = b.until(ctx, "the visit to end", airSettle, func(v virtual.View, _ map[string]time.Duration) bool { return v.Phase == "idle" })
	_ = b.town.cast.Forgive(ctx, b.town.cast.Door, r.Visit)
}

// walk takes one step after the other, each followed by a pause.
func walk(ctx context.Context, pause time.Duration, all ...func() error) error {
	for _, step := range all {
		if err := step(); err != nil {
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
	return nil
}

// deliver is an honest delivery through the unlocked door, which stays open.
func (b *airBench) deliver(ctx context.Context) error {
	w := b.town.world
	return walk(ctx, time.Second, w.Open, w.Enter, func() error { w.Place(); return nil }, w.Leave)
}

// before is what the courier does in a story before the air goes bad.
func (b *airBench) before(ctx context.Context, story string, _ *airResult) error {
	switch story {
	case "reentry", "bystander":
		return b.deliver(ctx)
	case "return":
		if err := b.deliver(ctx); err != nil {
			return err
		}
		return b.town.world.Shut()
	default: // the door stays closed and unlocked
		return nil
	}
}

// meanwhile is what the courier does while the air is bad.
func (b *airBench) meanwhile(ctx context.Context, story string, r *airResult) error {
	w := b.town.world
	if story == "bystander" { // T2: as soon as no picture comes any more, the door closes; a network that is protected goes on
		_ = waitEvery(ctx, 2*time.Second, time.Millisecond, func() bool {
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.town.now()-b.last > 250*time.Millisecond
		})
		if err := w.Shut(); err != nil {
			return err
		}
	}
	limit := b.For
	if b.Protected && story == "reentry" {
		limit = 3 * time.Second // a network that is protected shows nothing
	}
	lost := b.until(ctx, "the watch to be lost and the alarm", limit, func(_ virtual.View, at map[string]time.Duration) bool {
		return at["lost"] > 0 && at["alarm"] > 0 && (at["lock"] > 0 || story == "reentry") || b.Protected && (story == "bystander" || story == "return") && at["thrown"] > 0
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	switch story {
	case "reentry": // T1: in again, unseen or, if the network is protected, seen; and out
		if err := walk(ctx, time.Second, w.Enter, w.Leave, w.Shut); err != nil || lost == nil {
			return err
		}
		return b.out(ctx, r)
	case "return": // T1: he pushes the door that he has shut
		err := w.Open()
		r.Held = errors.Is(err, home.ErrBolted)
		b.line.add(b.town.now(), "courier", fmt.Sprintf("pushes the door: %v", cmp.Or(err, errOpens)))
		if err == nil {
			return walk(ctx, time.Second, w.Enter, w.Leave, w.Shut)
		}
		if b.Protected {
			return b.out(ctx, r)
		}
	case "bystander": // he is honest
		return b.out(ctx, r)
	}
	return nil
}

// errOpens is what the courier finds who pushes a door that nothing holds.
var errOpens = errors.New("it opens")

// enter slides until the bolt is drawn. A hub that was starved for a moment forbids the opening (S1, S6); then he slides anew.
func (b *airBench) enter(ctx context.Context, delivery string) error {
	slid := ""
	for end := time.Now().Add(time.Minute); ; {
		nonce := ""
		if err := b.until(ctx, "ready, and the bolt to draw", time.Until(end), func(v virtual.View, _ map[string]time.Duration) bool {
			nonce = v.Nonce
			return v.Nonce != "" && v.Nonce != slid || v.Phase == "unlocked" && b.town.house.homes[0].Truth().Bolt == home.Drawn
		}); err != nil {
			return err
		}
		if nonce == "" || nonce == slid {
			return nil
		}
		slid = nonce
		if err := b.town.cast.Slide(ctx, delivery, nonce); err != nil {
			b.line.add(b.town.now(), "courier", "the slide was refused: "+err.Error())
		}
	}
}

// calm measures the undisturbed stream.
func (b *airBench) calm(ctx context.Context, r *airResult) error {
	b.mu.Lock()
	b.gaps, b.quiet, b.calmed, b.lags, b.late = nil, true, b.town.now(), 0, 0
	b.mu.Unlock()
	err := sleep(ctx, b.Quiet)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.quiet = false
	r.Quiet, r.QuietLags, r.QuietLate = spreadOf(b.gaps), b.lags, b.late
	r.QuietS = b.Quiet.Seconds()
	return err
}

// honest measures the undisturbed stream once, after all stories.
func (b *airBench) honest(ctx context.Context) error {
	if b.Honest == 0 {
		return nil
	}
	if err := b.until(ctx, "a quiet home", airSettle, func(v virtual.View, _ map[string]time.Duration) bool {
		return v.Watch == "live" && v.Phase == "idle"
	}); err != nil {
		return err
	}
	r := airResult{Story: airHonest, Label: b.Label, Round: 1}
	quiet := b.Quiet
	b.Quiet = b.Honest
	err := b.calm(ctx, &r)
	b.Quiet = quiet
	if err != nil {
		return err
	}
	return b.save(r)
}

// attack makes the air bad, has the courier do what the story says, and waits until it is over.
func (b *airBench) attack(ctx context.Context, story string, r *airResult) error {
	begin := b.town.now()
	b.mu.Lock()
	b.from = begin
	b.mu.Unlock()
	r.begin = begin
	if err := b.onAir(ctx, "start", story); err != nil {
		return err
	}
	r.started = b.town.now()
	defer func() {
		r.stopped = b.town.now()
		if err := b.onAir(context.WithoutCancel(ctx), "stop", story); err != nil {
			b.line.add(b.town.now(), "air", err.Error())
		}
	}()
	if err := b.meanwhile(ctx, story, r); err != nil {
		return err
	}
	return sleep(ctx, b.For-(b.town.now()-begin))
}

// finish ends the visit as it ends: with the hub's Lock and an incident, or, if nothing was lost, as an honest one.
func (b *airBench) finish(ctx context.Context, story string, r *airResult) error {
	w := b.town.world
	b.mu.Lock()
	lapsed := b.marks["lost"] > 0
	b.mu.Unlock()
	if !lapsed {
		if story == "flood" || story == "outage" {
			if err := b.deliver(ctx); err != nil {
				return err
			}
		}
		if err := w.Shut(); err != nil {
			return err
		}
		if !r.Out {
			if err := b.out(ctx, r); err != nil {
				return err
			}
		}
	}
	w.Depart()
	err := b.until(ctx, "the visit to end and pictures to come again", airSettle, func(v virtual.View, _ map[string]time.Duration) bool {
		return v.Phase == "idle" && v.Watch == "live"
	})
	r.again = b.town.now()
	_ = waitFor(ctx, 30*time.Second, func() bool { // whoever reads the camera beside the hub gets pictures again, too
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.last > r.stopped
	})
	b.collect(ctx, r)
	if err != nil {
		return err
	}
	if r.Outcome == "incident" {
		return retryAsk(ctx, func() error { return b.town.cast.Forgive(ctx, b.town.cast.Door, r.Visit) })
	}
	return nil
}

// out is the courier's "I am out", once the door is secured.
func (b *airBench) out(ctx context.Context, r *airResult) error {
	nonce := ""
	if err := b.until(ctx, "the door to be proven secured", time.Minute, func(v virtual.View, _ map[string]time.Duration) bool {
		nonce = v.OutNonce
		return v.Secured && v.OutNonce != ""
	}); err != nil {
		return err
	}
	err := b.town.cast.Out(ctx, r.delivery, nonce)
	r.Out = err == nil
	return err
}
