package main

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"eyebolt/sim"
)

// TestTradeoffBoundHolds: over every link and for every A1, no cut stays unnoticed for longer than A1, and no picture older than
// A1 is called live (S6); a longer bound never costs more false laggings; the same seed gives the same curve.
func TestTradeoffBoundHolds(t *testing.T) {
	for _, l := range sim.Links {
		got, again := trade(context.Background(), l, 0.5, 7), trade(context.Background(), l, 0.5, 7)
		before := int(1e9)
		for i, p := range got.Points {
			if p.Cuts < 1000 {
				t.Errorf("%s, A1 %d ms: only %d cuts", l.Name, p.A1, p.Cuts)
			}
			if limit := float64(p.A1) + 0.001; p.DetectMax > limit || p.OldestMs > limit {
				t.Errorf("%s, A1 %d ms: a cut was unnoticed for %v ms, the oldest live picture %v ms old", l.Name, p.A1, p.DetectMax, p.OldestMs)
			}
			if p.Laggings > before {
				t.Errorf("%s: A1 %d ms has %d false laggings, more than a shorter bound's %d", l.Name, p.A1, p.Laggings, before)
			}
			before = p.Laggings
			if p != again.Points[i] {
				t.Errorf("%s: a second run gave %+v, the first %+v", l.Name, again.Points[i], p)
			}
		}
	}
}

// TestArrivalsKeepOrder: TCP gives pictures in order, each after it was taken.
func TestArrivalsKeepOrder(t *testing.T) {
	for _, l := range sim.Links {
		a := sim.NewArrivals(l, 3)
		last := 0.0
		for range 100_000 {
			media, at := a.Next()
			if at < last || at < media {
				t.Fatalf("%s: the picture of %v s arrived at %v s, after one at %v s", l.Name, media, at, last)
			}
			last = at
		}
	}
}

func TestTradeoffDrawsWhatItCounted(t *testing.T) {
	r := tradeoffReport{FPS: sim.FPS, Peers: peerBounds}
	for _, l := range sim.Links {
		k := tradeoffLink{Name: l.Name, Hours: 1}
		for _, a1 := range tradeoffBounds {
			k.Points = append(k.Points, tradeoffPoint{A1: a1, Laggings: 1, PerHour: float64(1000 / a1), Below: 3})
		}
		r.Links = append(r.Links, k)
	}
	svg := string(tradeoffSVG(r))
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal("the drawing is no XML: ", err)
		}
	}
	for _, want := range []string{"MediaMTX", "go2rtc", "Frigate", "ZoneMinder", "congested Wi-Fi", "cable"} {
		if !strings.Contains(svg, want) {
			t.Errorf("%q is not in the drawing", want)
		}
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Error("a point is nowhere")
	}
}

func TestPoissonBound(t *testing.T) {
	for _, c := range []struct {
		n    int
		want float64
	}{{0, 2.996}, {1, 4.744}, {3, 7.754}, {10, 16.96}} { // chi-squared quantiles
		if got := poissonAbove(c.n); got < c.want*0.985 || got > c.want*1.015 {
			t.Errorf("%d seen: bound %v, want %v", c.n, got, c.want)
		}
	}
}
