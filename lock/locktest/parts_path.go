package locktest

import (
	"context"
	"errors"
	"sync"
	"time"

	"eyebolt/lock"
)

func unknown(what lock.What) func(lock.Report) bool {
	return func(r lock.Report) bool {
		return r.What == what && r.Bolt == lock.BoltUnknown && r.Door == lock.DoorUnknown
	}
}

// knowDoor moves the door until the driver knows it closed.
func (d *door) knowDoor() {
	d.Helper()
	if !d.l.Can().Door {
		return
	}
	from := d.mark()
	d.h.World.Door(true)
	d.h.World.Door(false)
	d.wait(from, "door closed", func(r lock.Report) bool { return r.What == lock.OfDoor && r.Door == lock.DoorClosed })
}

func cutPath(d *door) {
	d.knowDoor()
	from := d.mark()
	d.h.World.Path(false)
	r, _ := d.waitHealth(from, false)
	if !errors.Is(r.Err, lock.ErrOffline) {
		d.Errorf("health on a cut path: got %v, want ErrOffline", r.Err)
	}
	d.wait(from, "bolt unknown", unknown(lock.OfBolt))
	if d.l.Can().Door {
		d.wait(from, "door unknown", unknown(lock.OfDoor))
	}
	start := time.Now()
	if err := d.l.Unlock(d.Context(), d.order()); !errors.Is(err, lock.ErrNotSent) {
		d.Errorf("unlock on a cut path: got %v, want ErrNotSent", err)
	}
	if took := time.Since(start); took > time.Second {
		d.Errorf("unlock on a cut path took %v: it must fail at once", took)
	}
	if err := d.l.Retract(d.Context(), d.order()); !errors.Is(err, lock.ErrNotSent) {
		d.Errorf("retract on a cut path: got %v, want ErrNotSent", err)
	}
	if err := d.l.Lock(d.Context()); err == nil {
		d.Error("lock on a cut path: no error")
	}
	d.h.World.Hand(lock.BoltDrawn) // nobody hears it
	d.h.World.Door(true)           // nor this
	from = d.mark()
	d.h.World.Path(true)
	d.waitHealth(from, true)
	if got := d.fresh().Bolt; got != lock.BoltDrawn {
		d.Errorf("asked after the cut: got bolt %d, want drawn", got)
	}
	d.never(from, "thrown, which was before the cut", isBolt(lock.BoltThrown))
	d.never(from, "door closed, which was before the cut", func(r lock.Report) bool {
		return r.What == lock.OfDoor && r.Door == lock.DoorClosed
	})
	d.unlocks(0)
}

// cuts is how many moments around an unlock are tried.
const cuts = 12

// Whatever the moment of the cut, an unlock is on the wire once or never, and never if the driver said "not sent".
func cutAnyMoment(d *door) {
	seen := 0
	for i := range cuts {
		var wg sync.WaitGroup
		wait := time.Duration(i) * 150 * time.Microsecond
		wg.Go(func() {
			t := time.NewTimer(wait)
			defer t.Stop()
			<-t.C
			d.h.World.Path(false)
		})
		from := d.mark()
		o := d.order()
		err := d.l.Unlock(d.Context(), o)
		wg.Wait()
		d.waitHealth(from, false)
		from = d.mark()
		d.h.World.Path(true)
		d.waitHealth(from, true)
		d.fresh()
		switch got := d.countUnlocks() - seen; {
		case got > 1:
			d.Errorf("cut after %v: %d unlocks on the wire", wait, got)
		case got == 1 && errors.Is(err, lock.ErrNotSent):
			d.Errorf("cut after %v: said %v, but it is on the wire", wait, err)
		}
		seen = d.countUnlocks()
		if wire := d.h.World.Wire(); len(wire) > 0 {
			if w := wire[len(wire)-1]; w.Unlock && w.At > o.NotAfter+slack {
				d.Errorf("cut after %v: unlock on the wire at %v, not after %v", wait, w.At, o.NotAfter)
			}
		}
	}
}

func peerGone(d *door) {
	d.knowDoor()
	from := d.mark()
	d.h.World.Peer(false)
	d.waitHealth(from, false)
	d.wait(from, "bolt unknown", unknown(lock.OfBolt))
	if err := d.l.Unlock(d.Context(), d.order()); !errors.Is(err, lock.ErrNotSent) {
		d.Errorf("unlock without a peer: got %v, want ErrNotSent", err)
	}
	d.h.World.Hand(lock.BoltDrawn) // nobody hears it; a peer that starts remembers "thrown"
	from = d.mark()
	d.h.World.Peer(true)
	d.waitHealth(from, true)
	if got := d.fresh().Bolt; got != lock.BoltDrawn {
		d.Errorf("asked after the peer came back: got bolt %d, want drawn", got)
	}
	d.never(from, "thrown, as an old memory says", isBolt(lock.BoltThrown))
	d.unlocks(0)
}

func planted(d *door) {
	if err := d.l.Close(); err != nil {
		d.Fatal(err)
	}
	d.h.World.Hand(lock.BoltDrawn)
	d.h.World.Plant(lock.BoltThrown)
	d.open()
	d.never(0, "thrown, which is an old state", isBolt(lock.BoltThrown))
	if got := d.fresh().Bolt; got != lock.BoltDrawn {
		d.Errorf("asked: got bolt %d, want drawn", got)
	}
}

func restarted(d *door) {
	d.mustUnlock()
	if err := d.l.Close(); err != nil {
		d.Fatal(err)
	}
	d.open()
	d.fresh()
	if got := d.countUnlocks(); got > 1 {
		d.Errorf("unlocks on the wire after a restart: got %d, want at most 1", got)
	}
	seen := d.countUnlocks()
	from := d.mark()
	d.mustLock()
	d.waitBolt(from, lock.BoltThrown)
	d.fresh()
	if got := d.countUnlocks(); got != seen {
		d.Errorf("an unlock came after the restart: %d, before %d", got, seen)
	}
}

func silence(d *door) {
	if err := d.l.Close(); err != nil {
		d.Fatal(err)
	}
	from := d.mark()
	d.h.World.Hand(lock.BoltDrawn)
	if err := d.l.Unlock(d.Context(), d.order()); !errors.Is(err, lock.ErrNotSent) {
		d.Errorf("unlock after close: got %v, want ErrNotSent", err)
	}
	if err := d.l.Lock(d.Context()); err == nil {
		d.Error("lock after close: no error")
	}
	old := d.r
	d.open() // by the time that another driver knows the state, the first one would have told it
	old.mu.Lock()
	defer old.mu.Unlock()
	if got := len(old.all); got != from {
		d.Errorf("reports after close: %s", list(old.all[from:]))
	}
	d.unlocks(0)
}

func crowd(d *door) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if err := d.l.Lock(d.Context()); err != nil {
					d.Errorf("lock: %v", err)
				}
				_ = d.l.Can()
				_ = d.l.Poll(d.Context())
			}
		})
	}
	cancelled, cancel := context.WithCancel(d.Context())
	cancel()
	if err := d.l.Unlock(cancelled, d.order()); err == nil {
		d.Error("unlock with a cancelled context: no error")
	}
	wg.Wait()
	if got := d.fresh().Bolt; got != lock.BoltThrown {
		d.Errorf("asked: got bolt %d, want thrown", got)
	}
	d.unlocks(0)
}
