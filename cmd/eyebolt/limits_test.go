package main

import (
	"testing"
	"time"
)

// A door's configuration moves a limit; it does not turn a rule off (S1, S8, S9, S12).
func TestLimitsTurnNoRuleOff(t *testing.T) {
	for what, c := range map[string]LimitConfig{
		"S1: a watch live for an instant":                  {Arming: time.Millisecond},
		"S8: a door open for a day":                        {Open: 24 * time.Hour},
		"S8: no alarm for a day":                           {Close: 24 * time.Hour},
		"S8: a visit that waits for a day":                 {Wait: 24 * time.Hour},
		"S9: Lock not repeated":                            {LockWait: 24 * time.Hour},
		"S9: Lock repeated when the alarm is long given":   {Close: 5 * time.Second, LockWait: 10 * time.Second},
		"S10: no tail":                                     {Tail: time.Millisecond},
		"S12: an answer for a day":                         {Answer: 24 * time.Hour},
		"S12, T26: a bolt's report of yesterday":           {BoltOld: 24 * time.Hour},
		"S18: a bolt that is stale before it is asked":     {Poll: 20 * time.Second},
		"S19: nobody asks for a day who is still inside":   {Out: 24 * time.Hour},
		"S9: a lock that is asked every hour, believed so": {Poll: time.Hour, BoltOld: 2 * time.Hour},
	} {
		if l, err := c.limits(); err == nil {
			t.Errorf("%s: taken: %+v", what, l)
		}
	}
	for _, c := range []LimitConfig{{}, {Tail: time.Second, Out: 2 * time.Second}, {Poll: 20 * time.Second, BoltOld: 50 * time.Second}, {DoorOld: 24 * time.Hour}, {Open: 10 * time.Minute}} {
		if _, err := c.limits(); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
