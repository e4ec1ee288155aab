package sim

import (
	"testing"

	"eyebolt/bus"
	"eyebolt/hub"
	"eyebolt/interlock"
)

// The judge of S4 blames a hub that says in a visit that there is none, and no hub that answers an ask of before the visit as it did then
// (T23).
func TestLeaveIsJudgedByTheVisitItCameIn(t *testing.T) {
	no := bus.AskReply{Reason: interlock.NoVisit.String()}
	ask := func(town *Town, id, visit string) int {
		h := town.homes[0]
		h.outside.before_ = stand{Visit: visit}
		h.outside.judge(h, hub.Asked{Ref: 7, Ask: bus.Ask{ID: id, What: bus.AskLeave}}, []hub.Effect{hub.Answer{Ref: 7, Reply: no}})
		return len(town.found)
	}
	fresh := func() *Town {
		town := newTown(Scenario{Homes: []Plan{{Visit: make([]Visit, 1)}}}, Options{})
		town.homes[0].outside.booted(town.homes[0])
		return town
	}
	town := fresh()
	if n := ask(town, "a", ""); n != 0 {
		t.Errorf("without a visit: %v", town.found)
	}
	if n := ask(town, "a", "v"); n != 0 {
		t.Errorf("asked again in a visit: %v", town.found)
	}
	if n := ask(town, "b", "v"); n != 1 || town.found[0].Rule != "S4" {
		t.Errorf("asked in a visit: %v", town.found)
	}
}
