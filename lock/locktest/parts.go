package locktest

import (
	"errors"
	"sync"
	"time"

	"eyebolt/lock"
)

func isBolt(b lock.Bolt) func(lock.Report) bool {
	return func(r lock.Report) bool { return r.What == lock.OfBolt && r.Bolt == b }
}

// slack is by how much a bridge's clock and the hub's may disagree about when something was true.
const slack = 50 * time.Millisecond

func commands(d *door) {
	from := d.mark()
	_, at := d.mustUnlock()
	r, from := d.waitBolt(from, lock.BoltDrawn)
	if got := evidence(r); got < at-slack {
		d.Errorf("drawn was true at %v, before the unlock at %v", got, at)
	}
	d.truth(lock.BoltDrawn)
	at = d.mustLock()
	r, _ = d.waitBolt(from, lock.BoltThrown)
	if got := evidence(r); got < at-slack {
		d.Errorf("thrown was true at %v, before the lock at %v", got, at)
	}
	d.truth(lock.BoltThrown)
	d.mustLock() // may be repeated
	d.unlocks(1)
}

// The lock drew its bolt in silence, so whoever remembers its state remembers "thrown"; then a Lock is acknowledged and
// not done. Nothing may now be told as thrown.
func ackedNotDone(d *door) {
	d.h.World.Lie(DoneNotAcked)
	d.mustUnlock()
	d.truth(lock.BoltDrawn)
	d.h.World.Lie(AckedNotDone)
	from, at := d.mark(), d.mustLock()
	d.until("the lock command on the wire", func() bool {
		for _, s := range d.h.World.Wire() {
			if !s.Unlock && s.At >= at {
				return true
			}
		}
		return false
	})
	if got := d.fresh().Bolt; got != lock.BoltDrawn {
		d.Errorf("asked: got bolt %d, want drawn", got)
	}
	d.never(from, "thrown, which it never was", isBolt(lock.BoltThrown))
	d.truth(lock.BoltDrawn)
}

func doneInSilence(d *door) {
	d.h.World.Lie(DoneNotAcked)
	from := d.mark()
	d.mustUnlock()
	d.truth(lock.BoltDrawn)
	d.never(from, "drawn, which nobody said", isBolt(lock.BoltDrawn))
	d.h.World.Lie(Honest)
	if got := d.fresh().Bolt; got != lock.BoltDrawn {
		d.Errorf("asked: got bolt %d, want drawn", got)
	}
}

func failure(d *door) {
	d.h.World.Lie(Failed)
	from := d.mark()
	d.mustUnlock()
	r, _ := d.wait(from, "a failure", func(r lock.Report) bool { return r.What == lock.OfFailure })
	if r.Err == nil || r.Err.Error() == "" {
		d.Error("the failure says nothing")
	}
	d.h.World.Lie(Honest)
	if got := d.fresh().Bolt; got != lock.BoltThrown {
		d.Errorf("asked: got bolt %d, want thrown", got)
	}
	d.never(from, "drawn, which it never was", isBolt(lock.BoltDrawn))
	d.unlocks(1)
}

func jam(d *door) {
	d.mustUnlock()
	d.waitBolt(0, lock.BoltDrawn)
	d.h.World.Lie(Jammed)
	from := d.mark()
	d.mustLock()
	d.waitBolt(from, lock.BoltJammed)
	d.never(from, "thrown, although jammed", isBolt(lock.BoltThrown))
	d.h.World.Lie(Honest)
	d.mustLock()
	d.waitBolt(from, lock.BoltThrown)
}

// The hub bolts again what draws late, so it must hear of it.
func late(d *door) {
	d.h.World.Lie(Late)
	from := d.mark()
	d.mustUnlock()
	if got := d.fresh().Bolt; got != lock.BoltThrown {
		d.Errorf("asked before the late effect: got bolt %d, want thrown", got)
	}
	_, from = d.waitBolt(from, lock.BoltDrawn)
	d.h.World.Lie(Honest)
	d.mustLock()
	d.waitBolt(from, lock.BoltThrown)
	d.unlocks(1)
}

func twice(d *door) {
	d.h.World.Lie(Twice)
	from := d.mark()
	d.mustUnlock()
	_, from = d.waitBolt(from, lock.BoltDrawn)
	d.h.World.Lie(Honest)
	d.mustLock()
	_, from = d.waitBolt(from, lock.BoltThrown)
	_, from = d.waitBolt(from, lock.BoltDrawn) // the second effect
	d.mustLock()
	d.waitBolt(from, lock.BoltThrown)
	d.unlocks(1)
}

func byHand(d *door) {
	from := d.mark()
	d.h.World.Hand(lock.BoltDrawn)
	d.wait(from, "drawn from inside", func(r lock.Report) bool {
		return r.What == lock.OfBolt && r.Bolt == lock.BoltDrawn && r.By == lock.ByInside
	})
	d.unlocks(0)
}

func doorReports(d *door) {
	is := func(w lock.Door) func(lock.Report) bool {
		return func(r lock.Report) bool { return r.What == lock.OfDoor && r.Door == w }
	}
	from := d.mark()
	// The first movement may be news only by its second half: a driver that joined late knows no value to compare.
	d.h.World.Door(true)
	d.h.World.Door(false)
	_, from = d.wait(from, "door closed", is(lock.DoorClosed))
	at := d.now()
	d.h.World.Door(true)
	r, from := d.wait(from, "door open", is(lock.DoorOpen))
	if got := evidence(r); got < at-slack {
		d.Errorf("open was true at %v, before it opened at %v", got, at)
	}
	d.h.World.Door(false)
	d.wait(from, "door closed", is(lock.DoorClosed))
}

func battery(d *door) {
	from := d.mark()
	d.h.World.Battery(17)
	d.wait(from, "battery 17", func(r lock.Report) bool { return r.What == lock.OfBattery && r.Percent == 17 })
	d.never(from, "a bolt, which said nothing", func(r lock.Report) bool { return r.What == lock.OfBolt && !r.Solicited })
}

func tooLate(d *door) {
	for _, by := range []time.Duration{time.Nanosecond, time.Millisecond, time.Hour} {
		o := lock.Order{Visit: "late", NotAfter: d.now() - by}
		if err := d.l.Unlock(d.Context(), o); !errors.Is(err, lock.ErrTooLate) {
			d.Errorf("unlock %v too late: got %v, want ErrTooLate", by, err)
		}
		o.Visit = "late retract"
		if err := d.l.Retract(d.Context(), o); !errors.Is(err, lock.ErrTooLate) {
			d.Errorf("retract %v too late: got %v, want ErrTooLate", by, err)
		}
	}
	d.fresh() // everything sent before is through
	d.unlocks(0)
}

func usedOrder(d *door) {
	o, _ := d.mustUnlock()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := d.l.Unlock(d.Context(), o); err == nil {
				d.Error("the same order was taken twice")
			}
		})
	}
	wg.Wait()
	d.waitBolt(0, lock.BoltDrawn)
	d.fresh()
	d.unlocks(1)
}
