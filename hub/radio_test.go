package hub

import (
	"slices"
	"strings"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/ledger"
	"eyebolt/liveness"
	"eyebolt/lock"
	"eyebolt/radio"
)

func flood(from, at time.Duration, n int) Sign {
	return Sign{Sign: radio.Sign{Kind: radio.Flood, From: from, At: at, Count: n, Source: "monitor wlan1", Reason: 7, Station: radio.Addr{2, 0, 0, 0, 1, 0}}}
}

// blinded is a visit in which the camera is lost as the door is open; signs are told at the moments of the map.
func blinded(t *testing.T, signs map[time.Duration]func(h *home) Sign) *home {
	h := ready(t)
	h.slide()
	h.until("unlocked")
	h.move(true)
	h.until("open")
	h.run(100 * time.Millisecond)
	h.cams["hall"].blind = true
	for at := range time.Duration(150) {
		if s, ok := signs[at*20*time.Millisecond]; ok {
			h.in(s(h))
		}
		h.run(20 * time.Millisecond)
	}
	return h
}

func alarmOf(h *home, reason string, notice bool) string {
	for _, a := range h.alarms {
		if a.Reason == reason && a.Notice == notice {
			return a.Text
		}
	}
	return ""
}

// T1, S6: a flood that was heard names the cause in the alarm, on the page and in the incident; what is done to the bolt, and
// when, is the same as if nobody had heard it.
func TestASignNamesTheCauseAndDecidesNothing(t *testing.T) {
	deaf := blinded(t, nil)
	h := blinded(t, map[time.Duration]func(*home) Sign{0: func(h *home) Sign { return flood(h.mono-300*time.Millisecond, h.mono, 40) }})
	if !slices.Equal(h.wire, deaf.wire) || h.view.Phase != deaf.view.Phase || h.view.Watch != deaf.view.Watch || h.view.Reason != deaf.view.Reason {
		t.Errorf("a sign decided: %v, %s, %s; without it %v, %s, %s", h.wire, h.view.Phase, h.view.Watch, deaf.wire, deaf.view.Phase, deaf.view.Watch)
	}
	const cause = "Someone is attacking the Wi-Fi: a flood of forged frames began 0.3 s before the last picture."
	if text := alarmOf(h, "lapse-lost", false); !strings.HasSuffix(text, " "+cause) {
		t.Errorf("the alarm says %q", text)
	}
	if text := alarmOf(deaf, "lapse-lost", false); text == "" || strings.Contains(text, "Wi-Fi") {
		t.Errorf("without a sign it says %q", text)
	}
	if !strings.HasSuffix(h.view.AlarmText, cause) {
		t.Errorf("the page says %q", h.view.AlarmText)
	}
	if in := h.view.Incidents; len(in) == 0 || !strings.HasSuffix(in[len(in)-1].Text, cause) {
		t.Errorf("the incident says %+v", in)
	}
	if !h.wrote("report radio-flood") {
		t.Errorf("not on record: %v", h.words(ledger.KindReport))
	}
}

// The access point tells of it later than the alarm went out: a notice of its own says why.
func TestASignThatComesLate(t *testing.T) {
	h := blinded(t, map[time.Duration]func(*home) Sign{2600 * time.Millisecond: func(h *home) Sign { return flood(h.mono-2500*time.Millisecond, h.mono, 400) }})
	if text := alarmOf(h, "lapse-lost", false); text == "" || strings.Contains(text, "Wi-Fi") {
		t.Errorf("the alarm says %q", text)
	}
	if text := alarmOf(h, "lapse-lost", true); !strings.Contains(text, "Someone is attacking the Wi-Fi") {
		t.Errorf("the notice says %q; told: %+v", text, h.alarms)
	}
	n := len(h.alarms)
	for range 20 { // it goes on: nobody is told again
		h.in(flood(h.mono-3*time.Second, h.mono, 500))
		h.run(100 * time.Millisecond)
	}
	for _, a := range h.alarms[n:] {
		if a.Notice {
			t.Errorf("told again: %+v", a)
		}
	}
}

// S18: signs alone, of every kind and as many as anybody likes, hold no door, raise no alarm and do not fill the record.
func TestSignsAloneChangeNothing(t *testing.T) {
	h := ready(t)
	before := len(h.disk)
	rain := func(d time.Duration) {
		for end := h.mono + d; h.mono < end; h.run(20 * time.Millisecond) {
			for k := range radio.Kind(radio.Kinds + 3) {
				h.in(Sign{Sign: radio.Sign{Kind: k, From: h.mono + time.Hour, At: h.mono + 2*time.Hour, Count: -3, Source: strings.Repeat("\xff", 5000)}})
				h.in(Sign{Door: "no such door", Sign: radio.Sign{Kind: k, At: -time.Hour}})
			}
		}
	}
	rain(time.Second)
	if r := h.slide(); !r.OK {
		t.Fatalf("refused: %+v", r)
	}
	h.until("unlocked")
	h.move(true)
	h.until("open")
	rain(5 * time.Second)
	h.move(false)
	h.until("secured")
	rain(2 * time.Second)
	if r := h.out(); !r.OK {
		t.Fatalf("refused: %+v", r)
	}
	h.until("idle")
	if len(h.alarms) != 0 || len(h.view.Incidents) != 0 {
		t.Errorf("alarms %+v, incidents %+v", h.alarms, h.view.Incidents)
	}
	if n := len(h.disk) - before; n > 100 {
		t.Errorf("%d entries", n)
	}
	if h.count("lock") != 1 || h.count("unlock") != 1 {
		t.Errorf("wire %v", h.wire)
	}
}

// Another visit's lapse is not blamed on what was heard in an earlier one.
func TestACauseIsForgottenWithItsVisit(t *testing.T) {
	h := blinded(t, map[time.Duration]func(*home) Sign{0: func(h *home) Sign { return flood(h.mono, h.mono, 5) }})
	h.cams["hall"].blind = false
	h.run(time.Second)
	h.move(false)
	h.until("idle")
	h.must(bus.Ask{What: bus.AskAck})
	h.cams["hall"].blind = true
	h.run(3 * time.Second)
	if h.view.Watch != "lost" {
		t.Fatalf("watch %s", h.view.Watch)
	}
	if c := h.c.doors[0].cause; c.Kind != radio.NoKind {
		t.Errorf("still blamed: %+v", c)
	}
}

// S16: whoever jams again and again while an alarm stands brings one notice of its cause, and no more: notices must not push an
// alarm that the service has not stored yet out of its place.
func TestJammingAgainTellsItsCauseOnce(t *testing.T) {
	h := blinded(t, nil)
	h.cams["hall"].blind = false
	h.run(time.Second)
	h.move(false)
	h.run(5 * time.Second)
	if r := h.out(); !r.OK {
		t.Fatalf("refused: %+v", r)
	}
	h.until("idle")
	if h.view.Alarm != "lapse-lost" {
		t.Fatalf("alarm %q", h.view.Alarm)
	}
	n, entries := len(h.alarms), len(h.disk)
	for range 30 {
		h.cams["hall"].blind = true
		h.run(2 * time.Second)
		h.in(flood(h.mono-time.Second, h.mono, 50))
		h.run(100 * time.Millisecond)
		h.cams["hall"].blind = false
		h.run(2 * time.Second)
	}
	notices := 0
	for _, a := range h.alarms[n:] {
		if a.Notice && strings.Contains(a.Text, "Wi-Fi") {
			notices++
		}
	}
	if notices != 1 {
		t.Errorf("%d notices, %d entries", notices, len(h.disk)-entries)
	}
}

// T20: a radio that flaps for hours, of all kinds and at a door as in the whole home, writes a bounded number of entries, in a
// visit and without one. It leaves room for what the lock tells, and the next visit's flood is on record all the same.
func TestARadioThatFlapsForHours(t *testing.T) {
	const hours = 4
	flap := func(h *home, span time.Duration) (entries int) {
		before := len(h.disk)
		for end := h.mono + span; h.mono < end; h.mono += 980 * time.Millisecond {
			for k := radio.Kind(1); int(k) < radio.Kinds; k++ {
				s := radio.Sign{Kind: k, From: h.mono, At: h.mono, Count: 1, Source: "test"}
				h.in(Sign{Sign: s})
				h.in(Sign{Door: h.who.Door, Sign: s})
			}
			h.reportDoor()
			h.reportBolt(lock.ByUnknown)
			h.run(20 * time.Millisecond)
		}
		for _, e := range h.disk[before:] {
			if strings.HasPrefix(e.Word, "radio-") {
				entries++
			}
		}
		return entries
	}
	const bound = slowMax + hours*int(time.Hour/slowEvery) + 1
	t.Run("in a visit", func(t *testing.T) {
		h := ready(t)
		h.slide()
		h.until("unlocked")
		h.move(true)
		h.until("open")
		if n := flap(h, hours*time.Hour); n > visitSigns+bound || n < slowMax || h.c.doors[0].visit == nil {
			t.Errorf("%d entries in %d hours, want at most %d; visit %v", n, hours, visitSigns+bound, h.view.Phase)
		}
	})
	t.Run("without one", func(t *testing.T) {
		h := newHome(t)
		h.prepare()
		if n := flap(h, hours*time.Hour); n > bound || n < slowMax {
			t.Errorf("%d entries in %d hours, want at most %d", n, hours, bound)
		}
		h.in(Reported{Door: h.who.Door, Report: lock.Report{What: lock.OfHealth, At: h.mono}})
		h.run(time.Second)
		if !slices.ContainsFunc(h.disk, func(e ledger.Entry) bool { return e.Word == "lock-offline" }) {
			t.Error("the record has no room for the lock's silence")
		}
	})
	t.Run("before one", func(t *testing.T) {
		h := newHome(t)
		h.prepare()
		flap(h, 20*time.Minute)
		h.run(5 * time.Second)
		h.must(bus.Ask{What: bus.AskArrive, GrantID: h.who.Delivery.ID, Parcel: "PARCEL-1"})
		h.run(signEvery)
		before := len(h.disk)
		h.in(flood(h.mono-time.Second, h.mono, 50))
		h.run(time.Second)
		if !slices.ContainsFunc(h.disk[before:], func(e ledger.Entry) bool { return e.Word == "radio-flood" }) {
			t.Error("the visit's own flood is not on record")
		}
	})
}

// T20, S18: a link that is fit and unfit by turns for hours holds the door by turns and writes a bounded number of entries; the
// last of them says how it is.
func TestALinkThatFlapsForHours(t *testing.T) {
	h := newHome(t)
	h.prepare()
	const hours = 4
	tell := func(unfit bool) {
		h.in(Linked{Door: h.who.Door, Camera: "hall", Certificate: liveness.Certificate{Grade: liveness.GradeD, Refused: unfit, Watched: time.Hour, Say: "37 gaps."}})
		if h.c.doors[0].held[linkCondition] != unfit {
			t.Fatal("S18: the certificate does not count")
		}
		h.run(20 * time.Millisecond)
	}
	for i := range hours * 360 {
		tell(i%2 == 0)
		h.mono += 9980 * time.Millisecond
	}
	for range 3 {
		h.mono += slowEvery
		tell(true)
	}
	h.run(time.Second)
	entries, last := 0, ""
	for _, e := range h.disk {
		if strings.HasPrefix(e.Word, "link-") {
			entries, last = entries+1, e.Word
		}
	}
	if bound := slowMax + hours*int(time.Hour/slowEvery) + 4; entries > bound || entries < slowMax {
		t.Errorf("%d entries in %d hours, want at most %d", entries, hours, bound)
	}
	if last != "link-unfit" {
		t.Errorf("the record ends with %s", last)
	}
}
