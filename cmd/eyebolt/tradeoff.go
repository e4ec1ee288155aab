package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"eyebolt/camera"
	"eyebolt/liveness"
	"eyebolt/sim"
)

// TradeoffCmd measures what a shorter detection bound costs in false alarms: the shipped Judge on simulated arrivals of honest
// cameras over four links, for bounds A1 from 100 ms to 2 s.
type TradeoffCmd struct {
	Hours float64 `default:"30" help:"Simulated camera-hours a link; 30 take about ten seconds, 300 about two minutes."`
	Seed  uint64  `default:"1" help:"Of the arrivals."`
	JSON  bool    `help:"Machine-readable."`
	SVG   string  `type:"path" help:"Draw the curve into this file, too."`
}

// tradeoffBounds are the values of A1, in milliseconds.
var tradeoffBounds = []int{100, 150, 200, 250, 300, 400, 500, 750, 1000, 1500, 2000}

// peerBounds are after how long others notice that a camera gives nothing any more, as shipped. The first two are measured by
// `eyebolt bench jam --peer`; the others are read in their sources.
var peerBounds = []tradeoffPeer{
	{"go2rtc", 5, "measured with bench jam: its RTSP client's time-out"},
	{"MediaMTX", 10, "measured with bench jam: readTimeout, 10 s by default"},
	{"Frigate", 20, "read in frigate/video.py at e3fa701: no frame for 20 s, then ffmpeg is started anew"},
	{"ZoneMinder", 45, "read at bde61e7: ZM_WATCH_MAX_DELAY, 45 s by default"},
}

type tradeoffPeer struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	Source  string  `json:"source"`
}

type tradeoffPoint struct {
	A1        int     `json:"a1_ms"`
	Laggings  int     `json:"false_laggings"`
	PerHour   float64 `json:"false_laggings_per_hour"`
	Below     float64 `json:"below_per_hour_95"` // 95 % upper bound
	DetectP99 float64 `json:"detect_p99_ms"`
	DetectMax float64 `json:"detect_max_ms"`
	Cuts      int     `json:"cuts"`
	OldestMs  float64 `json:"oldest_evidence_live_ms"` // the oldest that the newest picture was while the verdict was live
}

type tradeoffLink struct {
	Name   string          `json:"name"`
	Hours  float64         `json:"camera_hours"`
	Points []tradeoffPoint `json:"points"`
}

type tradeoffReport struct {
	FPS   int            `json:"fps"`
	Seed  uint64         `json:"seed"`
	Links []tradeoffLink `json:"links"`
	Peers []tradeoffPeer `json:"peers"`
}

// Run simulates, and prints.
func (c *TradeoffCmd) Run(ctx context.Context) error {
	if !(c.Hours >= 0.1 && c.Hours <= 10000) {
		return fmt.Errorf("--hours %g: take 0.1 to 10000", c.Hours)
	}
	fmt.Fprintf(os.Stderr, "simulating %g hours of honest arrivals over each of %d links, for %d bounds …\n", c.Hours, len(sim.Links), len(tradeoffBounds))
	r := tradeoffReport{FPS: sim.FPS, Seed: c.Seed, Links: make([]tradeoffLink, len(sim.Links)), Peers: peerBounds}
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i, l := range sim.Links {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			r.Links[i] = trade(ctx, l, c.Hours, c.Seed)
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if c.SVG != "" {
		if err := os.WriteFile(c.SVG, tradeoffSVG(r), 0o644); err != nil { //nolint:gosec // a picture for everybody
			return err
		}
	}
	if c.JSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	r.print()
	return nil
}

func (r tradeoffReport) print() {
	fmt.Printf("False laggings per camera-hour (95 %% bound where none was seen), and the longest that a cut stayed unnoticed, in ms\n%8s", "A1 ms")
	for _, l := range r.Links {
		fmt.Printf("  %22s", l.Name)
	}
	fmt.Println()
	for i, a1 := range tradeoffBounds {
		fmt.Printf("%8d", a1)
		for _, l := range r.Links {
			p := l.Points[i]
			rate := fmt.Sprintf("%.3g", p.PerHour)
			if p.Laggings == 0 {
				rate = fmt.Sprintf("0 (<%.2g)", p.Below)
			}
			fmt.Printf("  %14s %7.0f", rate, p.DetectMax)
		}
		fmt.Println()
	}
	fmt.Printf("%.4g camera-hours a link; peers notice after:", r.Links[0].Hours)
	for _, p := range r.Peers {
		fmt.Printf("  %s %g s", p.Name, p.Seconds)
	}
	fmt.Println()
}

// trader is one Judge with one bound.
type trader struct {
	judge   *liveness.Judge
	live    bool
	laggs   int
	detect  []time.Duration
	longest time.Duration
	oldest  time.Duration
}

// tradeWarm is left out at the beginning.
const tradeWarm = time.Minute

// trade feeds the arrivals of one link to a Judge for each bound. The hub's own ticks are in time and come at Deadline, as in
// the hub. A cut is imagined between two arrivals, twice a second: nothing arrives after it.
func trade(ctx context.Context, l sim.Link, hours float64, seed uint64) tradeoffLink {
	traders := make([]*trader, len(tradeoffBounds))
	for i, a1 := range tradeoffBounds {
		t := &trader{judge: liveness.New(liveness.Config{A1: time.Duration(a1) * time.Millisecond, LateTick: time.Hour, Replay: 16})}
		t.judge.Opened(0)
		traders[i] = t
	}
	from := sim.NewArrivals(l, seed)
	cuts := rand.New(rand.NewPCG(seed, 0xc07))
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	before, nextCut := time.Duration(0), tradeWarm
	end := tradeWarm + seconds(hours*3600)
	for before < end && ctx.Err() == nil {
		m, a := from.Next()
		at := seconds(a)
		cut := nextCut >= before && nextCut < at
		for _, t := range traders {
			if cut && t.live {
				if due := t.judge.Deadline(); due > nextCut && due != liveness.NoDeadline {
					t.detect = append(t.detect, due-nextCut)
					t.longest = max(t.longest, due-nextCut)
				}
			}
			for due := t.judge.Deadline(); due < at; {
				t.judge.Tick(due)
				t.see(due)
				next := t.judge.Deadline()
				if next <= due {
					break
				}
				due = next
			}
			t.judge.Tick(at)
			t.see(at)
			t.judge.Picture(camera.Picture{Media: seconds(m), Arrival: at, Key: from.Key()})
			t.see(at)
		}
		if nextCut < at {
			nextCut = at + seconds(cuts.Float64())
		}
		before = at
	}
	out := tradeoffLink{Name: l.Name, Hours: hours}
	for i, t := range traders {
		p := tradeoffPoint{
			A1: tradeoffBounds[i], Laggings: t.laggs, PerHour: float64(t.laggs) / hours, Below: poissonAbove(t.laggs) / hours,
			DetectMax: float64(t.longest.Microseconds()) / 1000, Cuts: len(t.detect), OldestMs: float64(t.oldest.Microseconds()) / 1000,
		}
		if n := len(t.detect); n > 0 {
			slices.Sort(t.detect)
			p.DetectP99 = float64(t.detect[min(n-1, n*99/100)].Microseconds()) / 1000
		}
		out.Points = append(out.Points, p)
	}
	return out
}

// see counts a verdict that ceases to be live.
func (t *trader) see(at time.Duration) {
	v := t.judge.Verdict()
	live := v.State == liveness.Live
	if at >= tradeWarm {
		if live {
			t.oldest = max(t.oldest, v.Age)
		}
		if t.live && !live {
			t.laggs++
		}
	}
	t.live = live
}
