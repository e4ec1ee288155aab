package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"eyebolt/sim"
	"eyebolt/virtual"
	"eyebolt/virtual/home"
)

// attackRun is one visit of a scenario in a pretend home, in real time. Its people behave as the town's do, by the same rules and spans.
type attackRun struct {
	home     *faultHome
	plan     sim.Plan
	visit    sim.Visit
	rng      *rand.Rand
	parcel   string
	delivery string
	before   string // the delivery of the visit before this one; empty: none
	moves    sync.WaitGroup

	mu       sync.Mutex // guards what follows
	thief    bool
	stay     time.Duration
	propped  bool
	id       string
	began    time.Duration
	movedAt  time.Duration // 0: no move has begun
	fired    []bool
	errs     []error
	restored time.Duration // when the hub was up again on a disk of an earlier day; 0: it was not
	result   sim.Ending

	slept, behind time.Duration // by which this process, and the camera, were late at most
	blinded       bool          // the camera is late by an attack
}

func (r *attackRun) span(least, most time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return least + time.Duration(r.rng.Int64N(int64(most-least)+1))
}

func (r *attackRun) turnsThief() { r.mu.Lock(); r.thief = true; r.mu.Unlock() }

func (r *attackRun) staysFor(d time.Duration, propped bool) {
	r.mu.Lock()
	r.stay, r.propped = r.stay+d, propped
	r.mu.Unlock()
}

// goes does something beside the rest; its error fails the run.
func (r *attackRun) goes(do func() error) {
	r.moves.Go(func() {
		if err := do(); err != nil {
			r.mu.Lock()
			r.errs = append(r.errs, err)
			r.mu.Unlock()
		}
	})
}

// play plays the visit and gives what came of it.
func (r *attackRun) play(ctx context.Context) (sim.Ending, error) {
	h := r.home
	r.fired = make([]bool, len(r.visit.Moves))
	r.began = h.now()
	var err error
	if r.delivery, err = h.town.cast.Book(ctx, r.parcel); err != nil {
		return r.result, err
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	var watchers sync.WaitGroup
	watchers.Go(func() { r.watch(watching) })
	for i, m := range r.visit.Moves { // before anybody is at the door, as in the town
		if m.Attack == 12 || m.Attack == 14 || m.Attack == 16 {
			r.begin(ctx, i, "idle")
		}
	}
	r.moves.Wait()
	if err := r.courier(ctx); err != nil {
		return r.result, err
	}
	err = waitEvery(ctx, 8*time.Minute, 200*time.Millisecond, func() bool { return r.over(ctx) })
	r.moves.Wait()
	h.town.world.Depart()
	_ = sleep(ctx, 300*time.Millisecond)
	stop()
	watchers.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		v := h.door.Now()
		return r.result, fmt.Errorf("the visit does not end: %s, %s, alarm %q", v.Phase, v.Reason, v.Alarm)
	}
	for _, e := range r.errs {
		return r.result, e
	}
	for i, m := range r.visit.Moves {
		if !r.fired[i] {
			return r.result, fmt.Errorf("attack T%d waited for the phase %q, to which the pretend home did not come", m.Attack, m.At)
		}
	}
	return r.result, nil
}

// begin begins move i, once.
func (r *attackRun) begin(ctx context.Context, i int, phase string) {
	r.mu.Lock()
	again := r.fired[i]
	r.fired[i] = true
	r.mu.Unlock()
	if again {
		return
	}
	m := r.visit.Moves[i]
	r.goes(func() error {
		if err := sleep(ctx, m.After); err != nil {
			return err
		}
		r.mu.Lock()
		if r.movedAt == 0 {
			r.movedAt, r.result.Attack, r.result.Phase = r.home.now(), m.Attack, phase
		}
		r.mu.Unlock()
		return r.begins(ctx, m)
	})
}

// asks asks at the door for what is not one's own, and notes the refusal.
func (r *attackRun) asks(ctx context.Context, delivery, parcel string) error {
	a, err := r.home.town.cast.Arrive(ctx, delivery, parcel)
	if err == nil {
		return fmt.Errorf("the hub says yes to delivery %s with parcel %q", delivery, parcel)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Refused = append(r.result.Refused, or(a.Reason, problemOf(err)))
	return nil
}

// watch notes from outside what is told and done, and begins the moves when their phase comes.
func (r *attackRun) watch(ctx context.Context) {
	h := r.home
	var asked time.Duration
	for last := h.now(); sleep(ctx, 10*time.Millisecond) == nil; last = h.now() {
		r.witness(h.now() - last)
		v := h.door.Now()
		for i, m := range r.visit.Moves {
			if v.Phase == m.At && v.Visit != "" {
				r.begin(ctx, i, v.Phase)
			}
		}
		r.notes(v)
		if now := h.now(); now-asked > 60*time.Millisecond {
			asked = now
			r.alarms(ctx)
		}
	}
}

// lateFrom is from when on it is written down that the camera or this process was late: well under the age at which a watch over Wi-Fi is
// lagging, and more than coding a picture takes.
const lateFrom = 200 * time.Millisecond

// witness sees how late this process is, which has slept so long for 10 ms, and how late the camera.
func (r *attackRun) witness(slept time.Duration) {
	h := r.home
	period := time.Second / 15
	camera := h.now() - h.town.house.cameras[0].Last().Shot - period
	r.mu.Lock()
	defer r.mu.Unlock()
	r.slept = max(r.slept, slept-10*time.Millisecond)
	if !r.blinded {
		r.behind = max(r.behind, camera)
	}
}

// late is who was late by himself in this visit.
func (r *attackRun) late() (l sim.Late) {
	by := func(d, from time.Duration) float64 {
		if d < from {
			return 0
		}
		return d.Round(10 * time.Millisecond).Seconds()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l.Hub, l.Camera, l.Process = by(r.home.lateSince(r.began), 0), by(r.behind, lateFrom), by(r.slept, lateFrom)
	return l
}

// notes takes the moments that show on a phone, on the wire and at the door.
func (r *attackRun) notes(v virtual.View) {
	h := r.home
	r.mu.Lock()
	defer r.mu.Unlock()
	from := r.movedAt
	if from == 0 {
		return
	}
	first := func(at *time.Duration, now time.Duration) {
		if *at == 0 && now >= from {
			*at = max(now-from, 1)
		}
	}
	if v.Watch != "live" || v.Alarm != "" {
		first(&r.result.Noticed, h.now())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, o := range h.orders {
		switch {
		case o.what == "LOCK":
			first(&r.result.Ordered, o.at)
		case o.what == "UNLOCK":
			first(&r.result.Unlocked, o.at)
		}
	}
	for _, e := range h.events {
		if e.What == home.BoltThrown && !openAt(h.events, e.At) {
			first(&r.result.Bolted, e.At)
		}
	}
}

// alarms notes the first alarm of this visit that the service has.
func (r *attackRun) alarms(ctx context.Context) {
	var page struct {
		Alarms []struct{ Reason, Visit string }
	}
	if r.home.town.cast.Resident.Call(ctx, http.MethodGet, "/api/home", nil, &page) != nil {
		return
	}
	now := r.home.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.movedAt == 0 || r.result.Told != 0 {
		return
	}
	for _, a := range slices.Backward(page.Alarms) { // newest first
		if a.Visit == r.id && r.id != "" {
			r.result.Alarm, r.result.Told = a.Reason, now-r.movedAt
			if r.result.Noticed == 0 {
				r.result.Noticed = r.result.Told
			}
			return
		}
	}
}

// over says whether the visit has ended; until then it is the household that acknowledges, and after minutes somebody who looks after it.
func (r *attackRun) over(ctx context.Context) bool {
	h := r.home
	r.mu.Lock()
	restored := r.restored
	r.mu.Unlock()
	if restored > 0 {
		return h.now()-restored > restoredFor && r.ended(ctx)
	}
	v, lasts := h.door.Now(), h.now()-r.began
	if lasts > 3*time.Minute || v.Alarm != "" && lasts > time.Minute+20*time.Second {
		h.town.world.Calm()
		if house := h.town.house.homes[0]; h.truth().DoorOpen && h.truth().Bolt == home.Thrown {
			house.TurnKnobInside() // the bolt stands in the air: somebody who lives there draws it by hand
		}
		_ = h.town.world.Shut()
	}
	ignores := slices.ContainsFunc(r.visit.Moves, func(m sim.Move) bool { return m.Attack == 22 }) || r.visit.Resident == sim.Ignores
	if told := h.told(ctx, r.id); told && v.Phase != "idle" && (!ignores || lasts > 2*time.Minute) {
		_ = h.town.cast.Acknowledge(ctx, doorName(0))
	}
	return v.Phase == "idle" && r.ended(ctx)
}

// restoredFor is how long a visit is waited for of which its hub's disk knows nothing any more: longer than a tail and what follows it take.
const restoredFor = 30 * time.Second

// ended notes how the service says that the visit has ended, and whether it says so. Of a visit that its hub has forgotten it says that it
// is going on.
func (r *attackRun) ended(ctx context.Context) bool {
	var page visitPage
	if r.home.town.cast.Resident.Call(ctx, http.MethodGet, "/api/visits/"+r.id, nil, &page) != nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if page.Outcome == "going" || page.Outcome == "" {
		return r.restored > 0
	}
	r.result.Outcome, r.result.Gap = page.Outcome, page.GapS
	return true
}

// told says whether an alarm of a visit stands for five seconds and more: so long a resident takes at the least.
func (h *faultHome) told(ctx context.Context, visit string) bool {
	var page struct {
		Alarms []struct {
			Visit   string
			Stored  time.Time `json:"stored"`
			AckedAt time.Time `json:"acked_at"`
		}
	}
	if h.town.cast.Resident.Call(ctx, http.MethodGet, "/api/home", nil, &page) != nil {
		return false
	}
	for _, a := range page.Alarms {
		if a.Visit == visit && a.AckedAt.IsZero() && time.Since(a.Stored) > 5*time.Second {
			return true
		}
	}
	return false
}

func problemOf(err error) string {
	text := err.Error()
	for _, f := range strings.Fields(text) {
		if w := strings.Trim(f, ":."); strings.Contains(w, "-") && !strings.Contains(w, "/") {
			return w
		}
	}
	return text
}
