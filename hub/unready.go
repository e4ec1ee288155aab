package hub

import (
	"fmt"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
)

// batteryEarly is when somebody is told that a lock's battery runs low, while couriers are still let in: common locks go from here to
// lowBattery in weeks, and a delivery is planned a day or two ahead.
const batteryEarly = 25

const nLackings = 7

// lack is one of them at a door; the zero value is none.
type lack struct {
	is    bool
	since time.Duration // monotonic
}

// lackings are what would keep the next courier out, and does not pass by itself.
var lackings = [nLackings]struct {
	reason interlock.Reason
	lacks  func(*door) bool
	say    func(*door) string
}{
	{interlock.NotWalked, func(d *door) bool { return d.held[walkCondition] }, func(d *door) string { return d.cfg.Walk.Say }},
	{interlock.StandingAlarm, func(d *door) bool {
		return d.state.Alarm() != interlock.NoReason || d.state.Incident() != interlock.NoReason
	}, func(*door) string {
		return "An alarm or an incident at this door is not closed, and until then nobody is let in. Read it and close it in the app."
	}},
	{interlock.NotLive, func(d *door) bool { return d.watch.Lapse() }, func(*door) string {
		return "The door's camera shows nothing that counts as watching. Check its power, its cable or Wi-Fi, and its lens."
	}},
	{interlock.LinkUnfit, func(d *door) bool { return d.held[linkCondition] }, func(d *door) string { return d.unfit() }},
	{interlock.BatteryLow, func(d *door) bool { return d.battery >= 0 && d.battery < batteryEarly }, func(d *door) string {
		return fmt.Sprintf("The lock's battery is at %d %%, and below %d %% nobody is let in. Change it.", d.battery, lowBattery)
	}},
	{interlock.LockOffline, func(d *door) bool { return !d.healthy }, func(*door) string {
		return "The lock does not answer. Check its power and its radio."
	}},
	{interlock.WentStale, func(d *door) bool { return d.healthy && d.state.Door() == interlock.DoorUnknown }, func(*door) string {
		return "The door's contact has said nothing for longer than it may. Check its battery, then open the door and close it once."
	}},
}

// lacking lists them, each with the time since which it has been so without a break, as far as views were made. It is counted
// monotonically, and said by the clock of now: the one that it began by may have been a machine's that was years wrong (T15).
func (d *door) lacking(mono time.Duration, now time.Time) (out []bus.Unready) {
	for i, k := range lackings {
		if !k.lacks(d) {
			d.lacks[i] = lack{}
			continue
		}
		if !d.lacks[i].is {
			d.lacks[i] = lack{true, mono}
		}
		out = append(out, bus.Unready{Reason: k.reason.String(), Say: k.say(d), Since: now.Add(d.lacks[i].since - mono)})
	}
	return out
}
