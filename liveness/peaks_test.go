package liveness

import "testing"

// S18: wind makes a still like one of hundreds by chance, once, and twice at one distance now and then; that is no loop. T5: a loop
// comes again at one distance, key after key, and need be less alike the more often it does.
func TestChanceIsNoLoop(t *testing.T) {
	type peak struct {
		like float64
		lag  int
	}
	for _, c := range []struct {
		name string
		all  []peak // the oldest first
		want bool
	}{
		{"alike once", []peak{{0.9, 5}}, false},
		{"strongly, twice at one distance", []peak{{0.6, 5}, {0.6, 5}}, true},
		{"strongly, twice with one between", []peak{{0.6, 5}, {0, 9}, {0.6, 6}}, true},
		{"strongly, twice at two distances", []peak{{0.6, 5}, {0.6, 50}}, false},
		{"by chance, twice at one distance", []peak{{0.42, 5}, {0.45, 5}}, false},
		{"well, three of four", []peak{{0.42, 5}, {0.1, 7}, {0.45, 5}, {0.41, 5}}, true},
		{"barely, three of four", []peak{{0.35, 5}, {0.1, 7}, {0.35, 5}, {0.35, 5}}, false},
		{"barely, four of five", []peak{{0.35, 5}, {0.35, 5}, {0.1, 7}, {0.35, 5}, {0.35, 5}}, true},
		{"barely, at five distances", []peak{{0.39, 5}, {0.39, 9}, {0.39, 13}, {0.39, 17}, {0.39, 21}}, false},
		{"and the newest is not alike", []peak{{0.6, 5}, {0.6, 5}, {0.1, 5}}, false},
	} {
		var k peaks
		for _, p := range c.all {
			k.add(p.like, p.lag)
		}
		if got := k.again(0.33) >= 0; got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}
