package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"eyebolt/virtual"
	"eyebolt/virtual/home"
	"eyebolt/virtual/spy"
)

// Kill9Cmd kills the hub, as a process of its own, at random moments of a visit, and starts it again at once. Each time: the
// record verifies as it lies after the kill and at the end, no second Unlock of the visit reaches the wire, and the visit
// ends secured or in alarm.
type Kill9Cmd struct {
	N    int    `short:"n" default:"20" help:"How many kills."`
	Dir  string `type:"path" help:"Keep the state here; default: a temporary folder, removed."`
	Seed uint64 `default:"1" help:"Of the random moments."`
}

// Run kills and checks.
func (c *Kill9Cmd) Run(ctx context.Context) error {
	dir, clean, err := workDir(c.Dir)
	if err != nil {
		return err
	}
	defer clean()
	fmt.Fprintln(os.Stderr, "starting the service, a pretend home and a hub …")
	t, err := startTown(ctx, townConfig{
		Dir: dir, Doors: 1, Child: true, Log: slog.New(slog.DiscardHandler),
		Limits: LimitConfig{Tail: time.Second, Out: 4 * time.Second, Enter: 8 * time.Second},
	})
	if err != nil {
		return err
	}
	defer t.Close()
	k := &killer{town: t, dir: dir, rng: rand.New(rand.NewPCG(c.Seed, 9))}
	wire, err := spy.Start(ctx, t.house.broker.URL(), "zigbee2mqtt/front_lock/set", t.now, func(m spy.Message) {
		if strings.Contains(m.Payload, "UNLOCK") {
			k.mu.Lock()
			k.unlocks = append(k.unlocks, m.At)
			k.mu.Unlock()
		}
	})
	if err != nil {
		return err
	}
	defer wire.Close()
	k.door = virtual.Watch(ctx, t.cast.Resident, hubID, doorName(0))
	fmt.Printf("%4s  %8s  %-10s  %-22s  %-8s  %-8s  %s\n", "kill", "after s", "phase", "record", "unlocks", "later", "ended")
	bad, between, phases := 0, 0, map[string]int{}
	for i := 0; i < c.N+between; i++ {
		phase, ok, err := k.once(ctx, i)
		if err != nil {
			return fmt.Errorf("kill %d: %w", i+1, err)
		}
		if !ok {
			bad++
		}
		if phase == "idle" { // the visit was over already: checked, and another kill is made in its place
			if between++; between > c.N+10 {
				return fmt.Errorf("%d kills found no visit: the visits are shorter than thought, or do not begin", between)
			}
		}
		phases[phase]++
	}
	fmt.Printf("%d kills in a visit", c.N)
	for _, phase := range slices.Sorted(maps.Keys(phases)) {
		fmt.Printf("  %s %d", phase, phases[phase])
	}
	fmt.Printf("; %d broke a rule\n", bad)
	if bad > 0 {
		return fmt.Errorf("%d kills broke a rule: see above", bad)
	}
	return nil
}

type killer struct {
	town *town
	dir  string
	rng  *rand.Rand
	door *virtual.Watcher

	mu      sync.Mutex
	unlocks []time.Duration
}

// between counts the unlocks on the wire in a span.
func (k *killer) between(from, to time.Duration) (n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, at := range k.unlocks {
		if at >= from && at < to {
			n++
		}
	}
	return n
}

func (k *killer) verify(ctx context.Context) string {
	r, err := (&VerifyCmd{Dir: k.dir}).check(ctx)
	switch {
	case err != nil:
		return "unreadable: " + err.Error()
	case !r.OK:
		return "NOT OK"
	}
	return fmt.Sprintf("OK, %d entries", r.Entries)
}

// visitLong is how long the honest visit of these limits takes, from the courier's arrival to the end of the tail.
const visitLong = 12 * time.Second

// once plays one visit and kills the hub at a random moment after it began. It says in which phase the door was.
func (k *killer) once(ctx context.Context, i int) (phase string, kept bool, err error) {
	t := k.town
	story, stop := context.WithCancel(ctx)
	defer stop()
	begin := t.now()
	ended := make(chan virtual.Told, 1)
	go func() { ended <- t.world.Honest(story, t.cast, fmt.Sprintf("KILL-%d", i)) }()
	if err := waitFor(ctx, 30*time.Second, func() bool { return k.door.Now().Phase != "idle" }); err != nil {
		select {
		case told := <-ended:
			return "", false, fmt.Errorf("the visit did not begin; the story ended with %+v", told)
		default:
		}
		return "", false, fmt.Errorf("the visit did not begin: door %+v", k.door.Now())
	}
	if err := sleep(ctx, time.Duration(k.rng.Int64N(int64(visitLong)))); err != nil {
		return "", false, err
	}
	phase = k.door.Now().Phase
	t.house.mu.Lock()
	child := t.house.child
	t.house.mu.Unlock()
	child.kill()
	killed := t.now()
	record := k.verify(ctx)
	if err := t.house.startChild(ctx, nil); err != nil {
		return phase, false, err
	}
	// A courier whose app says nothing any more goes out and shuts the door.
	if err := sleep(ctx, 2*time.Second); err != nil {
		return phase, false, err
	}
	stop()
	<-ended
	if truth := t.house.homes[0].Truth(); truth.Inside > 0 && truth.DoorOpen {
		_ = t.world.Leave() // he is out either way
	}
	_ = t.world.Shut() // it may be shut
	var end string
	err = waitFor(ctx, 60*time.Second, func() bool {
		v, truth := k.door.Now(), t.house.homes[0].Truth()
		switch {
		case v.Alarm != "":
			end = "alarm: " + v.Alarm
		case v.Phase == "idle" && truth.Bolt == home.Thrown && !truth.DoorOpen:
			end = "secured"
		default:
			return false
		}
		return true
	})
	if err != nil {
		end = "NEITHER secured nor in alarm: " + k.door.Now().Phase
	}
	// The visit is over when the door is idle again; a person reads the incident, and the next one can come. Closing is
	// refused until the visit has ended and the service knows that it is an incident.
	visit, closed := k.door.Now().Visit, end == "secured"
	idle := waitEvery(ctx, 90*time.Second, 500*time.Millisecond, func() bool {
		v := k.door.Now()
		if v.Visit != "" {
			visit = v.Visit
		}
		if !closed {
			closed = t.cast.Forgive(ctx, doorName(0), visit) == nil
		}
		standing, err := t.cast.Standing(ctx)
		return closed && err == nil && standing == 0 && v.Phase == "idle" && v.Alarm == "" && t.house.homes[0].Truth().Bolt == home.Thrown
	})
	t.world.Depart()
	before, later := k.between(begin, killed), k.between(killed, t.now())
	last := k.verify(ctx)
	fmt.Printf("%4d  %8.2f  %-10s  %-22s  %-8d  %-8d  %s\n", i+1, (killed - begin).Seconds(), phase, record, before, later, end)
	if !strings.HasPrefix(last, "OK") {
		fmt.Printf("      at the end the record was: %s\n", last)
	}
	if idle != nil {
		v := k.door.Now()
		return phase, false, fmt.Errorf("the door did not become idle again: phase %s, alarm %s, %s", v.Phase, v.Alarm, v.Sentence)
	}
	return phase, strings.HasPrefix(record, "OK") && strings.HasPrefix(last, "OK") && before+later <= 1 && (later == 0 || phase == "idle") && !strings.HasPrefix(end, "NEITHER"), nil
}
