package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"eyebolt/virtual/home"
)

// end waits for the door, has the resident read what there is to read, restarts the hub once more, and judges.
func (r *faultRun) end(ctx context.Context, k *faultReport) {
	h := r.home
	refused := errors.Is(r.playErr, errRefused)
	if refused && r.fault.lies {
		k.Broke, k.Door = nil, "the hub refuses to start"
		r.note(r.playErr.Error())
	}
	if !refused {
		k.Door = r.settles(ctx, k)
	}
	k.Outcome = r.outcome(ctx)
	h.kill()
	r.line("fault", "the hub is ended and started once more")
	before := r.verify(ctx)
	if r.fault.lies {
		before = r.afterCut
	}
	if !refused {
		if err := h.start(ctx); err != nil {
			k.Broke = append(k.Broke, "after a restart: "+err.Error())
		} else if !r.fault.lies {
			r.settlesAgain(ctx, k)
		}
	}
	k.Record = before.say
	r.judge(ctx, k, before)
	if after := r.verify(ctx); !after.ok && before.ok && !r.fault.lies {
		k.Broke = append(k.Broke, "S7, T19: after the restart the record was: "+after.say)
	}
}

// settles waits until the door is secured or in alarm, and then until it is idle with nothing left to read.
func (r *faultRun) settles(ctx context.Context, k *faultReport) (end string) {
	h := r.home
	_ = h.town.world.Shut() // it may be shut
	patience := 60 * time.Second
	if r.fault.lies {
		patience = 15 * time.Second
	}
	err := waitFor(ctx, patience, func() bool {
		v, truth := h.door.Now(), h.truth()
		switch {
		case v.Alarm != "":
			end = "alarm: " + v.Alarm
		case v.Phase == "idle" && truth.Bolt == home.Thrown && !truth.DoorOpen:
			end = "secured"
		default:
			return false
		}
		return true
	})
	if err != nil {
		v, truth := h.door.Now(), h.truth()
		k.Broke = append(k.Broke, fmt.Sprintf("S9: neither secured nor in alarm %v after the visit: phase %s, bolt %v, door open %v", patience, v.Phase, truth.Bolt, truth.DoorOpen))
		return "neither"
	}
	err = waitEvery(ctx, patience, 300*time.Millisecond, func() bool { return h.calms(ctx) })
	if err != nil && !r.fault.lies {
		v := h.door.Now()
		k.Broke = append(k.Broke, fmt.Sprintf("the door does not become idle again: phase %s, alarm %s, %s", v.Phase, v.Alarm, v.Sentence))
	}
	return end
}

// settlesAgain waits until the restarted hub knows its door, and the service the visit's end. What a resident has read and closed is
// not told again: then the record did not have it (T18).
func (r *faultRun) settlesAgain(ctx context.Context, k *faultReport) {
	told := ""
	err := waitEvery(ctx, 30*time.Second, 300*time.Millisecond, func() bool {
		v := r.home.door.Now()
		told = or(told, v.Alarm)
		return r.home.calms(ctx) && v.Bolt == "thrown" && r.outcome(ctx) != "going"
	})
	if told != "" {
		k.Broke = append(k.Broke, "T18, S7: all was read and closed, and after a restart the hub alarms again: "+told)
	}
	if err != nil {
		k.Broke = append(k.Broke, "the door of the restarted hub does not become idle, or its service does not know how the visit ended: "+r.outcome(ctx))
	}
}

// calms is the resident who acknowledges what alarms and closes what stands. It says whether nothing is left, and the door bolted.
func (h *faultHome) calms(ctx context.Context) bool {
	v := h.door.Now()
	if v.Alarm != "" {
		_ = h.town.cast.Acknowledge(ctx, doorName(0))
	}
	var page struct{ Incidents []struct{ Visit, ID string } }
	if err := h.town.cast.Resident.Call(ctx, http.MethodGet, "/api/home", nil, &page); err != nil {
		return false
	}
	for _, i := range page.Incidents {
		_ = h.town.cast.Resident.Call(ctx, http.MethodPost, "/api/visits/"+or(i.Visit, i.ID)+"/close", map[string]any{}, nil)
	}
	return len(page.Incidents) == 0 && v.Phase == "idle" && v.Alarm == "" && h.truth().Bolt == home.Thrown
}

func (r *faultRun) outcome(ctx context.Context) string {
	var page visitPage
	_ = waitEvery(ctx, 3*time.Second, 200*time.Millisecond, func() bool {
		err := r.home.town.cast.Resident.Call(ctx, http.MethodGet, "/api/visits/"+r.visit, nil, &page)
		return err == nil && page.Outcome != "going"
	})
	return or(page.Outcome, "unknown")
}
