package main

import (
	"math"
	"slices"
	"time"
)

// spread is how a measured span is told: in milliseconds.
type spread struct {
	N   int     `json:"n"`
	Min float64 `json:"min"`
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// spreadOf sorts ds. The percentiles are nearest-rank: each is a span that was measured.
func spreadOf(ds []time.Duration) spread {
	if len(ds) == 0 {
		return spread{}
	}
	slices.Sort(ds)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	rank := func(p float64) time.Duration {
		i := int(p*float64(len(ds))+0.9999999) - 1
		return ds[min(len(ds)-1, max(0, i))]
	}
	return spread{N: len(ds), Min: ms(ds[0]), P50: ms(rank(0.50)), P99: ms(rank(0.99)), Max: ms(ds[len(ds)-1])}
}

// poissonAbove is the 95 % upper bound of a count's expectation when n were seen: 3 for none (the rule of three), and for
// others the Wilson-Hilferty approximation of the chi-squared quantile, which is right to 1 %.
func poissonAbove(n int) float64 {
	if n == 0 {
		return 2.996
	}
	k := float64(n + 1)
	c := 1 - 1/(9*k) + 1.6449/(3*math.Sqrt(k))
	return k * c * c * c
}
