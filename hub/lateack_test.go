package hub

import (
	"testing"
	"time"

	"eyebolt/bus"
)

// forced opens and closes the door while everybody is away, which alarms.
func (h *home) forced() string {
	h.Helper()
	h.must(bus.Ask{What: bus.AskHome, On: false})
	h.move(true)
	h.run(time.Second)
	h.move(false)
	h.run(time.Second)
	if h.view.Alarm != "forced-open" || h.view.AlarmID == "" {
		h.Fatalf("alarm %q, ID %q", h.view.Alarm, h.view.AlarmID)
	}
	return h.view.AlarmID
}

// S16, T23: an acknowledgement that comes late, as one that was kept for a hub without power, ends no alarm that was raised meanwhile:
// it stands, no courier is let in, and it stands after a restart. One that names it ends it; an older service's, which names none, does not.
func TestLateAcknowledgementEndsNoNewerAlarm(t *testing.T) {
	h := newHome(t)
	h.prepare()
	old := h.forced()
	h.must(bus.Ask{What: bus.AskAck, Alarms: []string{old}})
	if h.view.Alarm != "" || h.view.AlarmID != "" {
		t.Fatalf("alarm %q stands though it was acknowledged", h.view.Alarm)
	}
	newer := h.forced()
	for _, seen := range [][]string{{old}, {}, {"", old, "x"}} {
		if r := h.ask(bus.Ask{What: bus.AskAck, Alarms: seen}); r.OK || r.Reason != "newer-alarm" || r.Sentence == "" {
			t.Errorf("acknowledging %q: %+v", seen, r)
		}
		if h.view.AlarmID != newer {
			t.Fatalf("alarm %q stands after %q, want %q", h.view.AlarmID, seen, newer)
		}
	}
	if r := h.ask(bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"}); r.OK || r.Reason != "standing-alarm" {
		t.Errorf("arriving under an alarm that nobody has seen: %+v", r)
	}
	h.boot([]string{"hall"}, 2)
	h.run(4 * time.Second)
	if h.view.AlarmID != newer {
		t.Errorf("alarm %q after the restart, want %q", h.view.AlarmID, newer)
	}
	h.must(bus.Ask{What: bus.AskAck, Alarms: []string{old, newer}})
	if h.view.Alarm != "" {
		t.Errorf("alarm %q stands though it was acknowledged", h.view.Alarm)
	}
}

// S16: whoever reads an incident acknowledges the alarm of its visit, and none that was raised since; nor does the record, read anew.
func TestReadingAnIncidentEndsNoOtherAlarm(t *testing.T) {
	for _, other := range []bool{false, true} {
		h := newHome(t)
		h.prepare()
		h.reach("open")
		h.cams["hall"].blind = true
		h.run(4 * time.Second)
		h.move(false)
		h.run(30 * time.Second)
		h.cams["hall"].blind = false
		h.run(3 * time.Minute)
		if len(h.view.Incidents) != 1 || h.view.Alarm == "" {
			t.Fatalf("%d incidents, alarm %q", len(h.view.Incidents), h.view.Alarm)
		}
		stands := ""
		if other {
			stands = h.forced()
		}
		h.must(bus.Ask{What: bus.AskClose, Visit: h.view.Incidents[0].Visit})
		h.run(time.Second)
		if h.view.AlarmID != stands || len(h.view.Incidents) != 0 {
			t.Errorf("other alarm %t: %q (%s) stands, %d incidents; want %q", other, h.view.AlarmID, h.view.Alarm, len(h.view.Incidents), stands)
		}
		h.boot([]string{"hall"}, 2)
		h.run(4 * time.Second)
		if h.view.AlarmID != stands || len(h.view.Incidents) != 0 {
			t.Errorf("other alarm %t, after a restart: %q (%s) stands, %d incidents; want %q", other, h.view.AlarmID, h.view.Alarm, len(h.view.Incidents), stands)
		}
	}
}
