package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"eyebolt/bus"
	"eyebolt/control"
)

// try is an order on its way.
type try struct {
	busy  bool
	next  time.Time
	pause time.Duration
	seen  bool // at the newest look
}

const (
	// maxSending bounds the orders that are sent at once.
	maxSending = 64
	// maxHubSending is how many of them may be for one hub: one that hears and never answers keeps no other waiting.
	maxHubSending = 8
	// askWait is how long a hub has to answer once before it is asked again under the same ID: a lost message costs a courier at
	// the door a second. A hub that is still writing answers both.
	askWait = time.Second
	// An order that is not answered is sent again after 0.5 s, then ever later up to 10 s: a hub that comes back hears of a block
	// within that time, and until then its beat's answers keep its doors shut (S1).
	pauseMin = 500 * time.Millisecond
	pauseMax = 10 * time.Second
	// lookEvery is how often owed orders are looked at.
	lookEvery = 500 * time.Millisecond
	// retryDo is the pause of somebody who waits for an answer.
	retryDo = 250 * time.Millisecond
	// doWait is how long anybody waits for a hub at most: shorter than the 10 s after which a page gives up by itself.
	doWait = 7 * time.Second
	// liveWait is how long a hub has to answer a viewer: it gathers its addresses.
	liveWait = 9 * time.Second
)

var _ control.Hubs = (*Runner)(nil)

// orders sends what hubs are owed until they answer (T23).
func (r *Runner) orders() {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-t.C:
		case <-r.s.Wake():
		}
		ctx, cancel := context.WithTimeout(r.ctx, handleWait)
		due, err := r.s.Due(ctx, r.now())
		cancel()
		if err != nil && r.ctx.Err() == nil {
			r.log.Error("control: orders that are owed", "err", err) // what was found is sent all the same
		}
		for _, o := range r.pick(due) {
			select {
			case r.slots <- struct{}{}:
			case <-r.ctx.Done():
				return
			}
			r.wg.Go(func() {
				defer func() { <-r.slots }()
				r.once(o)
			})
		}
	}
}

// pick takes the orders whose time has come, and forgets those that are owed no more.
func (r *Runner) pick(due []control.Order) []control.Order {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.tries {
		t.seen = false
	}
	busy := map[string]int{} // by hub
	for _, o := range due {
		if t := r.tries[o.ID]; t != nil && t.busy {
			busy[o.Hub]++
		}
	}
	var out []control.Order
	for _, o := range due {
		t := r.tries[o.ID]
		if t == nil {
			t = &try{}
			r.tries[o.ID] = t
		}
		t.seen = true
		if !t.busy && !now.Before(t.next) && busy[o.Hub] < maxHubSending {
			t.busy = true
			busy[o.Hub]++
			out = append(out, o)
		}
	}
	for id, t := range r.tries {
		if !t.seen && !t.busy {
			delete(r.tries, id)
		}
	}
	return out
}

// once sends one owed order once.
func (r *Runner) once(o control.Order) {
	_, err := r.ask(r.ctx, o)
	if err != nil && r.ctx.Err() == nil {
		r.log.Debug("control: order not answered yet", "hub", o.Hub, "what", o.Ask.What, "id", o.ID, "err", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.tries[o.ID]; t != nil {
		t.busy = false
		t.pause = min(max(2*t.pause, pauseMin), pauseMax)
		t.next = time.Now().Add(t.pause)
	}
}

// ask sends an order once, waits for the answer and has it taken.
func (r *Runner) ask(ctx context.Context, o control.Order) (control.AskReply, error) {
	body, err := json.Marshal(o.Ask)
	if err != nil {
		return control.AskReply{}, err
	}
	once, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	b, err := r.bus.Request(once, bus.Subject(o.Hub, "ask"), body)
	if err != nil {
		return control.AskReply{}, err
	}
	var reply control.AskReply
	if err := json.Unmarshal(b, &reply); err != nil {
		return reply, fmt.Errorf("hub %s answered nonsense: %w", o.Hub, err)
	}
	// Whoever asked may be gone; the answer counts all the same.
	taken, cancel := context.WithTimeout(context.WithoutCancel(ctx), handleWait)
	defer cancel()
	if err := r.s.Answered(taken, r.now(), o, reply); err != nil {
		return reply, fmt.Errorf("take the answer of hub %s: %w", o.Hub, err)
	}
	return reply, nil
}

// Do sends an order until it is answered or ctx ends.
func (r *Runner) Do(ctx context.Context, o control.Order) (control.AskReply, error) {
	if o.ID == "" {
		return control.AskReply{OK: true}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, doWait)
	defer cancel()
	if o.Kept {
		r.hold(o.ID, true)
		defer r.hold(o.ID, false)
	}
	for {
		reply, err := r.ask(ctx, o)
		if err == nil {
			return reply, nil
		}
		if !errors.Is(err, bus.ErrNoAnswer) && !errors.Is(err, bus.ErrDisconnected) && ctx.Err() == nil {
			return reply, err
		}
		select {
		case <-ctx.Done():
			return r.s.NoReply(o), nil
		case <-r.ctx.Done():
			return r.s.NoReply(o), nil
		case <-time.After(retryDo):
		}
	}
}

// hold keeps the loop of owed orders from sending what Do sends.
func (r *Runner) hold(id string, on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tries[id]
	if t == nil {
		t = &try{}
		r.tries[id] = t
	}
	t.busy = on
	t.next = time.Now().Add(pauseMin)
}

// Live forwards a viewer's offer.
func (r *Runner) Live(ctx context.Context, hub string, offer []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, liveWait)
	defer cancel()
	b, err := r.bus.Request(ctx, bus.Subject(hub, "live"), offer)
	if err != nil {
		return nil, &control.Error{Reason: "hub-silent", Sentence: "The hub does not answer: try again in a moment.", Class: control.Unavailable}
	}
	return b, nil
}
