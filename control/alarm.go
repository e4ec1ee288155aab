package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"eyebolt/bus"
)

// Alarm stores what a hub tells, before it is acknowledged to the hub (S16). The same alarm again is stored once, and told
// again as long as nobody has acknowledged it.
func (s *Service) Alarm(ctx context.Context, now time.Time, hub string, a bus.Alarm) error {
	if a.Hub != hub || a.ID == "" || len(a.ID) > maxAlarmID || len(a.Reason) > 100 || len(a.Text) > 2000 || len(a.Door) > 64 || len(a.Visit) > 128 {
		return fmt.Errorf("alarm of hub %q: not from there, or malformed", hub)
	}
	var events []event
	err := s.store.Write(ctx, func(tx Tx) error {
		events = nil
		h, err := get[Hub](tx, hub)
		if err != nil {
			return err
		}
		old, err := get[StoredAlarm](tx, alarmID(hub, a.ID))
		switch {
		case errors.Is(err, ErrNotFound):
			old = StoredAlarm{Alarm: a, Household: h.Household, Stored: now}
			if err := put(tx, old); err != nil {
				return err
			}
		case err != nil:
			return err
		case !old.AckedAt.IsZero() || a.Notice:
			return nil
		}
		events = []event{old.event()}
		return nil
	})
	if err == nil {
		s.feed.add(events...)
	}
	return err
}

func (a StoredAlarm) event() event {
	kind := EventAlarm
	if a.Notice {
		kind = EventNotice
	}
	return event{kind: kind, household: a.Household, data: a.Alarm}
}

// raise makes an alarm or a notice of the service's own.
func (s *Service) raise(tx Tx, now time.Time, h Hub, door, visit, reason, text string, notice bool) ([]event, error) {
	id, err := s.newID("svc")
	if err != nil {
		return nil, err
	}
	a := StoredAlarm{
		Alarm:     Alarm{ID: id, Hub: h.ID, Door: door, Visit: visit, Reason: reason, Text: text, At: now.UTC(), Notice: notice},
		Household: h.Household, Stored: now,
	}
	return []event{a.event()}, put(tx, a)
}

// maxAcked bounds the IDs that one acknowledgement names, maxAlarmID each of them.
const maxAcked, maxAlarmID = 32, 200

// Acked is that somebody has seen alarms: those of his household who look at them need not any more.
type Acked struct {
	IDs []string `json:"ids"`
}

// ackAlarms marks alarms of a door, and of its hub as a whole, as seen by somebody: those that he names, who alone knows what he was shown
// (S16). What is not his, does not stand, or has not come yet is passed over.
func ackAlarms(tx Tx, now time.Time, who Account, hub, door string, ids []string) ([]event, error) {
	acked := Acked{}
	for _, id := range ids {
		a, err := get[StoredAlarm](tx, alarmID(hub, id))
		switch {
		case errors.Is(err, ErrNotFound):
			continue
		case err != nil:
			return nil, err
		case a.Household != who.Household || a.Door != "" && a.Door != door || a.Notice || !a.AckedAt.IsZero():
			continue
		}
		a.AckedAt, a.AckedBy = now, who.ID
		if err := put(tx, a); err != nil {
			return nil, err
		}
		acked.IDs = append(acked.IDs, id)
	}
	if len(acked.IDs) == 0 {
		return nil, nil
	}
	return []event{{kind: EventAcked, household: who.Household, data: acked}}, nil
}

// Standing gives the alarms that nobody has acknowledged, oldest first: for whoever escalates them.
func (s *Service) Standing(ctx context.Context) (all []StoredAlarm, err error) {
	err = s.store.Read(ctx, func(tx Tx) error {
		all, err = find[StoredAlarm](tx, Query{Keys: Keys{State: stateOpen}, Limit: 1000})
		return err
	})
	return all, err
}
