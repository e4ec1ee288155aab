package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"

	"eyebolt/virtual/home"
)

// faultRun is one visit with one fault in the middle of it.
type faultRun struct {
	home  *faultHome
	fault fault
	seed  uint64

	rng     *rand.Rand // play's
	moment  string
	jitter  time.Duration
	stepped time.Duration // of the hub's clock; play's
	cutOff  bool          // the disk has lost its power; play's

	afterCut verdict       // of the record as a disk that lies has left it; play's
	begun    chan struct{} // closed by hit
	gone     chan struct{} // closed when the courier is gone
	played   chan struct{} // closed when the fault is over and the hub is up
	playErr  error         // then

	mu       sync.Mutex // guards what follows
	fired    bool
	began    time.Duration // of the run, on the town's clock
	hitAt    time.Duration
	overAt   time.Duration
	wokeAt   time.Duration
	woken    home.Truth // at wokeAt
	phase    string     // at hitAt
	visit    string
	slides   []time.Duration // when the courier slid
	released bool            // a phone showed the courier's release
	stalled  time.Duration   // when this process, and the service in it, last stood still; 0: never
	silentAt time.Duration   // when the service alarmed of the hub's silence; 0: never
	never    string          // why no visit could begin
	notes    []string
	story    []faultLine
}

// faultReport is one run's outcome.
type faultReport struct {
	Run         int      `json:"run"`
	Seed        uint64   `json:"seed"`
	Fault       string   `json:"fault"`
	Moment      string   `json:"moment"`
	Phase       string   `json:"phase"`
	Record      string   `json:"record"`
	Unlocks     int      `json:"unlocks"`
	SilentAlarm float64  `json:"silent_alarm_s,omitempty"` // from the hub's silence to the service's alarm
	Outcome     string   `json:"outcome"`
	Door        string   `json:"door"`
	Notes       []string `json:"notes,omitempty"`
	Broke       []string `json:"broke,omitempty"`
	Spent       bool     `json:"spent,omitempty"` // the home is not fit for another run
}

// run plays it. It ends with the hub up and the door idle, or with what was broken.
func (r *faultRun) run(ctx context.Context, n int) *faultReport {
	r.rng = rand.New(rand.NewPCG(r.seed, 9))
	at := faultMoments
	if !r.fault.quick {
		at = at[1:]
	}
	r.moment = or(r.moment, at[r.rng.IntN(len(at))])
	r.jitter = time.Duration(r.rng.IntN(800)) * time.Millisecond
	if r.fault.silent && r.moment == "arming" {
		r.jitter += 300 * time.Millisecond // the service has heard of the visit by then
	}
	r.begun, r.gone, r.played = make(chan struct{}), make(chan struct{}), make(chan struct{})
	r.began = r.home.now()
	k := &faultReport{Run: n, Seed: r.seed, Fault: r.fault.name, Moment: r.moment}
	follow, stop := context.WithCancel(ctx)
	defer stop()
	go r.follow(follow)
	go r.pulse(follow)
	go func() {
		defer close(r.gone)
		r.courier(ctx)
	}()
	<-r.gone
	if r.arrived() || r.hitTime() > 0 {
		r.at(ctx, r.moment) // a visit that has ended before its moment came: at its end
		select {
		case <-r.played:
		case <-ctx.Done():
			return k
		}
		if r.playErr != nil {
			k.Broke = append(k.Broke, r.playErr.Error())
		}
		r.end(ctx, k)
	} else if k.Outcome, k.Spent = "refused", true; n == 1 || r.fault.family == "none" {
		k.Broke = append(k.Broke, "no visit could begin: "+r.never)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	k.Phase, k.Notes = r.phase, r.notes
	k.Spent = k.Spent || len(k.Broke) > 0 || r.fault.lies
	return k
}

func (r *faultRun) arrived() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.visit != ""
}

// line adds to the story.
func (r *faultRun) line(who, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.story = append(r.story, faultLine{r.home.now(), who, text})
}

func (r *faultRun) note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, text)
}

// at has the fault begin if this is its moment.
func (r *faultRun) at(ctx context.Context, moment string) {
	r.mu.Lock()
	mine := moment == r.moment && !r.fired
	r.fired = r.fired || mine
	r.mu.Unlock()
	if !mine {
		return
	}
	go func() {
		defer close(r.played)
		if !r.fault.ahead {
			if err := sleep(ctx, r.jitter); err != nil {
				r.playErr = err
				return
			}
		}
		r.playErr = r.fault.play(ctx, r)
		r.mu.Lock()
		r.overAt = r.home.now()
		r.mu.Unlock()
		r.line("fault", "is over")
	}()
	if r.fault.ahead {
		select {
		case <-r.begun:
		case <-r.played: // it could not begin
		case <-ctx.Done():
		}
	}
}

// hit says that the fault has begun.
func (r *faultRun) hit(what string) {
	v := r.home.door.Now()
	r.line("fault", what)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hitAt, r.phase = r.home.now(), v.Phase
	close(r.begun)
}

func (r *faultRun) woke(at time.Duration) {
	truth := r.home.truth()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wokeAt, r.woken = at, truth
}

// lasts waits until the courier is gone, at most 15 s.
func (r *faultRun) lasts(ctx context.Context) {
	select {
	case <-r.gone:
	case <-time.After(15 * time.Second):
	case <-ctx.Done():
	}
}

// silence waits, and notes when the service alarms of the hub's silence.
func (r *faultRun) silence(ctx context.Context, d time.Duration) error {
	from := r.home.now()
	for last := from; r.home.now()-from < d; last = r.home.now() {
		var page struct {
			Alarms []struct{ Reason, Visit string }
		}
		if r.home.town.cast.Resident.Call(ctx, http.MethodGet, "/api/home", nil, &page) == nil {
			r.mu.Lock()
			for _, a := range page.Alarms {
				if a.Reason == "hub-silent" && a.Visit == r.visit && r.silentAt == 0 {
					r.silentAt = r.home.now()
				}
			}
			r.mu.Unlock()
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
		if late := r.home.now() - last; late > serviceLate {
			r.note(fmt.Sprintf("this process, the service in it, stood still for %.1f s: the dead man's switch begins anew (S14)", late.Seconds()))
			r.mu.Lock()
			r.stalled = r.home.now()
			r.mu.Unlock()
		}
	}
	return nil
}

// cut is a power cut of the whole machine.
func (r *faultRun) cut() error {
	r.home.expect(true)
	if err := r.home.process().cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	err := r.home.disk.dies()
	r.home.kill()
	r.cutOff = true
	return err
}

// remounted ends the hub and starts it with its disk mounted anew.
func (r *faultRun) remounted(ctx context.Context) error {
	r.home.kill()
	if err := r.home.disk.again(ctx); err != nil {
		return err
	}
	if r.fault.lies {
		r.afterCut = r.verify(ctx)
	}
	return r.home.start(ctx)
}

// traced lets the fault be while during lasts. With restart the hub is started anew then, on a disk that works.
func (r *faultRun) traced(ctx context.Context, during func() error, restart bool, inject string) error {
	t, err := trace(ctx, r.home.pid(), inject)
	if err != nil {
		return err
	}
	r.hit(inject)
	err = during()
	t.stop()
	switch {
	case err != nil || !restart:
		return err
	case r.cutOff:
		return r.remounted(ctx)
	}
	r.home.kill()
	return r.home.start(ctx)
}

// follow writes down what the resident's phone shows.
func (r *faultRun) follow(ctx context.Context) {
	last := ""
	for sleep(ctx, 10*time.Millisecond) == nil {
		v := r.home.door.Now()
		text := fmt.Sprintf("%s, watch %s, bolt %s, door %s", v.Phase, v.Watch, v.Bolt, v.DoorIs)
		for _, add := range []struct {
			is   bool
			text string
		}{{v.Reason != "", ", " + v.Reason}, {v.Alarm != "", ", ALARM " + v.Alarm}, {v.Released, ", released"}, {v.Leave, ", leave now"}} {
			if add.is {
				text += add.text
			}
		}
		if text != last {
			r.line("phone", text)
			last = text
		}
		r.mu.Lock()
		r.released = r.released || v.Released && v.Visit == r.visit && v.Visit != ""
		r.mu.Unlock()
	}
}

// pulse is a resident who says again and again that nobody is at home: answers that the hub gives only once they are on its disk.
func (r *faultRun) pulse(ctx context.Context) {
	for sleep(ctx, 400*time.Millisecond) == nil {
		_ = r.home.town.cast.Resident.Call(ctx, http.MethodPost, "/api/doors/"+hubID+"/"+doorName(0)+"/home", map[string]any{"on": false}, nil)
	}
}

// lines is the story of what everybody did and said, in the order of time.
func (r *faultRun) lines() []faultLine {
	h := r.home
	r.mu.Lock()
	all, from := slices.Clone(r.story), r.began
	r.mu.Unlock()
	for _, l := range h.town.world.Lines() {
		all = append(all, faultLine{h.town.since(l.At), l.Who, l.Text})
	}
	h.mu.Lock()
	for _, o := range h.orders {
		all = append(all, faultLine{o.at, "wire", o.what})
	}
	for _, e := range h.events {
		all = append(all, faultLine{e.At, "home", string(e.What)})
	}
	for _, a := range h.acks {
		if a.what != "home" {
			all = append(all, faultLine{a.at, "hub", "says yes to " + a.what})
		}
	}
	all = append(all, h.says...)
	h.mu.Unlock()
	all = slices.DeleteFunc(all, func(l faultLine) bool { return l.at < from })
	slices.SortStableFunc(all, func(a, b faultLine) int { return cmp.Compare(a.at, b.at) })
	return all
}
