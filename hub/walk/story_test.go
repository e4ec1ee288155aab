package walk_test

import (
	"strings"
	"testing"
	"time"

	"eyebolt/hub/walk"
	"eyebolt/hub/walk/walktest"
)

// Every step of an honest door passes, and what was measured is what the house took.
func TestHonestDoor(t *testing.T) {
	for name, h := range map[string]walktest.House{"bolted": {}, "drawn": {Drawn: true}, "speaks": {Speaks: 3 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			c, err := h.Walk(walk.Config{Door: "front", For: "x", Cameras: []string{"hall", "porch"}, Can: walktest.Honest, Smoke: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Log(walktest.Say(c))
			if !c.Passed || c.Proven != (walk.Proven{Bolt: true, Door: true, Jam: true, By: true}) {
				t.Errorf("an honest door failed")
			}
			if d := c.Delays[0]; d.Of != "thrown" || d.N < 3 || d.MinMs < 300 || d.MaxMs > 500 {
				t.Errorf("thrown: %+v, want three of 300 to 500 ms", d)
			}
			if got, want := c.DoorStale() > 0, h.Speaks > 0; got != want {
				t.Errorf("a contact's own words: %v, want %v", c.DoorStale(), want)
			}
		})
	}
}

// S9, T3: a lock that does not say that it is jammed passes by an answer that it gave after its order, and by the word of the person, who
// saw it try; the certificate says whose word that is.
func TestAQuietLockPassesByWhatWasSeen(t *testing.T) {
	c, err := (&walktest.House{Mute: true}).Walk(walk.Config{Door: "front", For: "x", Cameras: []string{"hall"}, Can: walktest.Honest})
	if err != nil {
		t.Fatal(err)
	}
	if !c.Passed || c.Proven.Jam {
		t.Errorf("passed %v, proven %+v", c.Passed, c.Proven)
	}
	for _, r := range c.Steps {
		if r.Step == "jam" && !strings.Contains(r.Say, "is your word") {
			t.Errorf("it says %q", r.Say)
		}
	}
}

// S9, S11, T17, T27: each way in which a door fails fails its step, says what to do, and the certificate does not hold; all other
// steps are tried all the same.
func TestDoorsThatFail(t *testing.T) {
	for name, k := range map[string]struct {
		house walktest.House
		step  string
		say   string
	}{
		"S9 deaf":                       {walktest.House{Deaf: true, Drawn: true}, "ready", "has not said"},
		"S9 T3 says thrown":             {walktest.House{SaysThrown: true}, "jam", "another lock"},
		"S9 T3 the order was lost":      {walktest.House{Drops: true}, "jam", "did not try"},
		"S9 T3 a dead radio":            {walktest.House{Drops: true, Dead: true}, "jam", "did not answer"},
		"S10 tells nothing by hand":     {walktest.House{Hand: true}, "", ""},
		"T27 magnet":                    {walktest.House{Magnet: true}, "ajar", "Move the magnet"},
		"S13 contact that never moves":  {walktest.House{Stuck: true}, "open", "battery"},
		"S11 locks in":                  {walktest.House{LocksIn: true}, "inside", "locked in"},
		"S6 one plug for both":          {walktest.House{Shared: true}, "plug", "together with the camera"},
		"S8 slow":                       {walktest.House{Slow: 11 * time.Second}, "draw", "within 5s"},
		"S11 smoke is not heard":        {walktest.House{Smoky: true}, "smoke", "test button"},
		"S6 a plug that changes little": {walktest.House{Wireless: true}, "plug", "still sent pictures"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := k.house.Walk(walk.Config{Door: "front", For: "x", Cameras: []string{"hall"}, Can: walktest.Honest, Smoke: true})
			if k.step == "ready" {
				if err == nil {
					t.Errorf("the walk began")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Log(walktest.Say(c))
			if k.step == "" { // it is asked instead, as in a visit: that is enough
				if !c.Passed {
					t.Error("failed, though the lock answers when it is asked")
				}
				return
			}
			if c.Passed {
				t.Fatal("passed")
			}
			if standing, _ := c.Worth("front", "x"); standing != walk.Failed {
				t.Errorf("it is worth %v, want failed", standing)
			}
			for _, r := range c.Steps {
				if r.Step == k.step && !r.OK {
					if !strings.Contains(r.Say, k.say) {
						t.Errorf("%s says %q, want %q in it", r.Step, r.Say, k.say)
					}
					return
				}
			}
			t.Errorf("%s did not fail", k.step)
		})
	}
}
