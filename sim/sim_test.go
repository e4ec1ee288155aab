package sim

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// TestHonestDay is one home on an honest day.
func TestHonestDay(t *testing.T) {
	r := Run(Scenario{Seed: 1, Homes: []Plan{{Visit: make([]Visit, 2)}}}, Options{Story: true})
	if os.Getenv("STORY") != "" {
		t.Log("\n" + r.Story)
	}
	t.Logf("%+v", r.Tally)
	for _, v := range r.Violations {
		t.Error(v)
	}
}

func TestSeeds(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("N"))
	from, _ := strconv.Atoi(os.Getenv("FROM"))
	calm, _ := strconv.ParseFloat(os.Getenv("CALM"), 64)
	var sum Tally
	began := time.Now()
	bad := map[string]int{}
	for i := range n {
		sc := Generate(uint64(from+i), Profile{Homes: 2, Visits: 8, Calm: calm})
		r := Run(sc, Options{Story: os.Getenv("STORY") != "", Pictures: os.Getenv("PICTURES") != ""})
		sum.Add(r.Tally)
		for _, v := range r.Violations {
			k := v.Rule + " " + v.Say[:min(40, len(v.Say))]
			if bad[k]++; bad[k] <= 2 {
				t.Errorf("seed %d: %v", from+i, v)
			}
		}
		if os.Getenv("STORY") != "" {
			t.Log("\n" + r.Story)
		}
	}
	d := time.Since(began)
	t.Logf("%v", bad)
	sum.Moves = nil
	t.Logf("%d seeds, %d visits, %v, %v a visit; %+v", n, sum.Visits, d, d/time.Duration(max(1, sum.Visits)), sum)
}
