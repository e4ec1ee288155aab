package modbus

import (
	"context"
	"fmt"
	"time"
)

// serve runs one connection to its end. up says whether the inputs were read.
func (d *driver) serve(ctx context.Context) (up bool, err error) {
	s, err := dial(ctx, d.plan)
	if err != nil {
		return false, err
	}
	read := make(chan struct{})
	go func() { defer close(read); s.read() }()
	d.attach(s)
	defer func() {
		d.detach()
		s.end(errBroken)
		<-read
		for _, err := range s.failures() {
			d.witness.failed(err, d.now())
		}
	}()
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return up, nil
		case <-s.over:
			return up, s.reason(ctx)
		case <-s.kick:
		case <-next.C:
		}
		well, err := d.round(ctx, s)
		if err != nil {
			return up, err
		}
		up = up || well
		next.Reset(pollEvery)
	}
}

// attach makes s the one on which commands leave. What its outputs do is not known: they are looked at when a pulse of before is over.
func (d *driver) attach(s *session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.session = s
	if d.polled {
		d.polled = false
		s.want(nil)
	}
	for i := range d.pulses {
		if !d.pulses[i].look && (i == 0 || d.plan.throws) {
			d.pulses[i] = pulse{look: true, due: d.now() + d.plan.openFor + pulseSlack}
		}
	}
}

func (d *driver) detach() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.session = nil
}

// round asks for the inputs once, tells what they say, and looks at outputs that are due.
func (d *driver) round(ctx context.Context, s *session) (well bool, err error) {
	proofs, polled := s.wanted()
	sent := d.now() // before the question leaves, so that no reading is younger than it says
	a, err := s.ask(ctx, d.plan.inputs, d.next())
	if err != nil {
		return false, err
	}
	at := d.now()
	for _, err := range s.failures() {
		d.witness.failed(err, at)
	}
	err = a.err
	var r reading
	if err == nil {
		r, err = d.plan.read(a.bits)
	}
	if err != nil {
		d.witness.refuse(err, at)
	} else {
		d.witness.took(r, sent, at, polled)
	}
	for _, proof := range proofs {
		proof <- err
	}
	return err == nil, d.outputs(ctx, s)
}

// outputs looks at those whose pulse must be over. One of ours that is on is switched off and never trusted again: its board does not
// end a pulse by itself. One that somebody else switched on is told of.
func (d *driver) outputs(ctx context.Context, s *session) error {
	for i, output := range []uint16{d.plan.draw, d.plan.throw} {
		d.mu.Lock()
		p := d.pulses[i]
		d.mu.Unlock()
		if !p.look || d.now() < p.due {
			continue
		}
		a, err := s.ask(ctx, question{readCoils, output, 1}, d.next())
		if err != nil {
			return err
		}
		found := a.err // an output that cannot be looked at is not known to be off
		switch on := found == nil && a.bits[0]; {
		case found != nil:
			found = fmt.Errorf("%w: %w", errUnseen, found)
		case on && p.ours:
			if _, err := s.ask(ctx, question{writeCoil, output, coilOff}, d.next()); err != nil {
				return err
			}
			found = errHeld
		case on:
			found = errOn
		}
		d.witness.looked(i, found, d.now())
		d.mu.Lock()
		if d.pulses[i] == p {
			// Looked at again while it is wrong.
			d.pulses[i].look, d.pulses[i].due = found != nil, d.now()+pulseSlack
		}
		d.mu.Unlock()
	}
	return nil
}
