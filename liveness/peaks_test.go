package liveness

import "testing"

// S18: wind makes a still like one of hundreds by chance, once, and twice at one distance now and then; that is no loop. T5: a loop
// comes again at one distance, key after key, and need be less alike the more often it does.
func TestChanceIsNoLoop(t *testing.T) {
	type peak = likeness
	odd := likeness{lag: 5, peak: 0.9, unsure: true}
	for _, c := range []struct {
		name string
		all  []peak // the oldest first
		want bool
	}{
		{"alike once", []peak{{lag: 5, peak: 0.9}}, false},
		{"strongly, twice at one distance", []peak{{lag: 5, peak: 0.6}, {lag: 5, peak: 0.6}}, true},
		{"strongly, twice with one between", []peak{{lag: 5, peak: 0.6}, {lag: 9, peak: 0}, {lag: 6, peak: 0.6}}, true},
		{"strongly, twice at two distances", []peak{{lag: 5, peak: 0.6}, {lag: 50, peak: 0.6}}, false},
		{"by chance, twice at one distance", []peak{{lag: 5, peak: 0.42}, {lag: 5, peak: 0.45}}, false},
		{"well, three of four", []peak{{lag: 5, peak: 0.42}, {lag: 7, peak: 0.1}, {lag: 5, peak: 0.45}, {lag: 5, peak: 0.41}}, true},
		{"barely, three of four", []peak{{lag: 5, peak: 0.35}, {lag: 7, peak: 0.1}, {lag: 5, peak: 0.35}, {lag: 5, peak: 0.35}}, false},
		{"barely, four of five", []peak{{lag: 5, peak: 0.26}, {lag: 5, peak: 0.26}, {lag: 7, peak: 0.1}, {lag: 5, peak: 0.26}, {lag: 5, peak: 0.26}}, true},
		{"less, five of five", []peak{{lag: 5, peak: 0.24}, {lag: 5, peak: 0.24}, {lag: 5, peak: 0.24}, {lag: 5, peak: 0.24}, {lag: 5, peak: 0.24}}, false},
		{"barely, at five distances", []peak{{lag: 5, peak: 0.39}, {lag: 9, peak: 0.39}, {lag: 13, peak: 0.39}, {lag: 17, peak: 0.39}, {lag: 21, peak: 0.39}}, false},
		{"and the newest is not alike", []peak{{lag: 5, peak: 0.6}, {lag: 5, peak: 0.6}, {lag: 5, peak: 0.1}}, false},
		{"by a coder's error perhaps, three of four", []peak{odd, odd, {lag: 9}, odd}, false},
		{"by a coder's error perhaps, four of five", []peak{odd, odd, {lag: 9}, odd, odd}, true},
		{"by one earlier still's quantiser, at distances that grow", []peak{odd, {lag: 6, peak: 0.9, unsure: true}, {lag: 7, peak: 0.9, unsure: true}, {lag: 8, peak: 0.9, unsure: true}, {lag: 9, peak: 0.9, unsure: true}}, false},
	} {
		var k peaks
		for _, p := range c.all {
			k.add(p)
		}
		if got := k.again(0.33) >= 0; got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}
