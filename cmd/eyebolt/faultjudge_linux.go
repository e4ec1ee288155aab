package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"eyebolt/ledger"
	"eyebolt/ledger/sqlite"
	"eyebolt/proof"
	"eyebolt/virtual/home"
)

// What the judges allow.
const (
	orderLife  = 2200 * time.Millisecond // from a decision: 1 s to be written, 1 s to be sent (S5, S12), and what a message takes
	seenWithin = 50 * time.Millisecond   // by which two clocks of this machine may differ
	silentIn   = 3200 * time.Millisecond // the dead man's switch of 2 s, 1 s to tell (S14, S6), and how often the page is read
	// serviceLate is from when on the service restarts its timers because it stood still itself (S14), and what one look takes.
	serviceLate = 550 * time.Millisecond
	wakesIn     = 1500 * time.Millisecond // from SIGCONT: late, and a bolt ordered (S6)
)

// verdict is what verify says.
type verdict struct {
	ok     bool
	say    string
	report proof.Report
}

// verify checks the record as a stranger does who has the newest checkpoint that the service holds (T19).
func (r *faultRun) verify(ctx context.Context) verdict { return r.home.stranger(ctx, r.home.state) }

// stranger checks the record in dir against the newest checkpoint that the service holds (T19).
func (h *faultHome) stranger(ctx context.Context, dir string) verdict {
	v := &VerifyCmd{Dir: dir}
	var held struct{ Note string }
	if err := h.town.cast.Resident.Call(ctx, http.MethodGet, "/api/home/checkpoint/"+hubID, nil, &held); err == nil && held.Note != "" {
		name := filepath.Join(h.dir, "held")
		if err := os.WriteFile(name, []byte(held.Note), 0o600); err != nil {
			return verdict{say: err.Error()}
		}
		v.Checkpoint = []string{name}
	}
	report, err := v.check(ctx)
	switch {
	case err != nil:
		return verdict{say: "unreadable: " + err.Error()}
	case !report.OK:
		return verdict{say: "NOT OK: " + sentence(*report.First, report), report: report}
	case report.Held == 0:
		return verdict{ok: true, say: fmt.Sprintf("OK, %d, none held", report.Entries), report: report}
	}
	return verdict{ok: true, say: fmt.Sprintf("OK, %d entries", report.Entries), report: report}
}

// entries is the record as it lies on the disk.
func (h *faultHome) entries(ctx context.Context) (all []ledger.Entry, err error) {
	source, err := sqlite.Read(h.state)
	if err != nil {
		return nil, err
	}
	defer func() { _ = source.Close() }()
	err = source.Rows(ctx, func(row ledger.Row) error {
		e, err := ledger.Decode(row.Leaf)
		e.Data = slices.Clone(e.Data)
		all = append(all, e)
		return err
	})
	return all, err
}

// judge holds a run to the rules, from outside. The hub has been restarted.
func (r *faultRun) judge(ctx context.Context, k *faultReport, before verdict) {
	h := r.home
	h.mu.Lock()
	died, downs := h.died, slices.Clone(h.downs)
	h.mu.Unlock()
	if died != "" {
		k.Broke = append(k.Broke, "the hub ended by itself: "+died)
	}
	r.judgeRecord(k, before)
	entries, err := h.entries(ctx)
	if err != nil && !r.fault.lies {
		k.Broke = append(k.Broke, "the record cannot be read: "+err.Error())
	}
	r.rules(k, entries, downs)
}

// judgeRecord: the record is whole (S7, T19). Where the disk has dropped what it said to be durable, it cannot be, and verify must say
// which entries are missing.
func (r *faultRun) judgeRecord(k *faultReport, v verdict) {
	switch {
	case v.ok:
	case !r.fault.lies:
		k.Broke = append(k.Broke, "S7, T19: the record was "+v.say)
	case v.report.First == nil || v.report.First.What != proof.Cut:
		k.Broke = append(k.Broke, "T19: a disk that lies has cost entries, and verify does not say which: "+v.say)
	default:
		r.note("the disk has dropped what it said to be durable, and verify names it: " + v.say)
	}
}

// rules are those on what was on the wire, in the home, on the phones and in the record.
func (r *faultRun) rules(k *faultReport, entries []ledger.Entry, downs []faultSpan) {
	h := r.home
	broke := func(format string, args ...any) { k.Broke = append(k.Broke, fmt.Sprintf(format, args...)) }
	var unlocks []time.Duration
	h.mu.Lock()
	for _, o := range h.orders {
		// One at an open door is to let it close (S11): it opens nothing.
		if o.what == "UNLOCK" && o.at >= r.began && !openAt(h.events, o.at) {
			unlocks = append(unlocks, o.at)
		}
	}
	h.mu.Unlock()
	k.Unlocks = len(unlocks)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.fault.lies {
		r.judgeOrders(entries, unlocks, broke)
		r.judgeYes(entries, broke)
	}
	r.judgeUnlocks(unlocks, downs, broke)
	r.judgeSilence(k, broke)
	r.judgeWaking(broke)
}

// judgeOrders: an unlock on the wire has its own decision in the record, from before it and young (S5, S12).
func (r *faultRun) judgeOrders(entries []ledger.Entry, unlocks []time.Duration, broke func(string, ...any)) {
	var decided []time.Time
	for _, e := range entries {
		if e.Kind == ledger.KindDecision && e.Visit == r.visit {
			decided = append(decided, e.Time)
		}
	}
	if len(unlocks) > len(decided) {
		broke("S5: %d unlocks on the wire, %d decisions in the record", len(unlocks), len(decided))
	}
	for _, at := range unlocks {
		i := slices.IndexFunc(decided, func(t time.Time) bool {
			by := r.home.town.begin.Add(at).Sub(t)
			return r.stepped != 0 || by > -seenWithin && by < orderLife
		})
		if i < 0 {
			broke("S5, S12: the unlock at %.2f s has no decision from the %v before it", (at - r.began).Seconds(), orderLife)
			continue
		}
		decided = slices.Delete(decided, i, i+1)
	}
}

// judgeUnlocks: each unlock has a slide of its own (S2), none comes after a time in which the hub was dead or stood still and that
// slide was before it (S12), none after the door has opened (S3), none while nothing can be durable (S5), and the bolt is drawn by
// nothing else.
func (r *faultRun) judgeUnlocks(unlocks []time.Duration, downs []faultSpan, broke func(string, ...any)) {
	slides := slices.Clone(r.slides)
	opened, draws := time.Duration(0), 0
	r.home.mu.Lock()
	for _, e := range r.home.events {
		switch {
		case e.At < r.began:
		case e.What == home.DoorOpens && opened == 0:
			opened = e.At
		case e.What == home.BoltDrawn && !openAt(r.home.events, e.At):
			draws++
		}
	}
	r.home.mu.Unlock()
	if draws > len(unlocks) {
		broke("S12: the bolt of the closed door was drawn %d times, with %d unlocks on the wire", draws, len(unlocks))
	}
	for _, at := range unlocks {
		when := (at - r.began).Seconds()
		if opened > 0 && at > opened+seenWithin {
			broke("S3: an unlock at %.2f s, after the door had opened", when)
		}
		i := -1
		for j, s := range slides {
			if s < at {
				i = j
			}
		}
		if i < 0 {
			broke("S2: the unlock at %.2f s has no slide of its own", when)
			continue
		}
		slid := slides[i]
		slides = slices.Delete(slides, i, i+1)
		for _, d := range downs {
			if d.from > slid && d.to < at && d.to > 0 {
				broke("S12: the unlock at %.2f s is of a slide at %.2f s, and the hub was gone from %.2f s to %.2f s", when, (slid - r.began).Seconds(), (d.from - r.began).Seconds(), (d.to - r.began).Seconds())
			}
		}
		if r.fault.nothing && slices.Contains(before, r.moment) && at > r.hitAt && at < r.overAt {
			broke("S5: an unlock at %.2f s, while nothing could be made durable", when)
		}
	}
}

// openAt says whether the door stood open.
func openAt(events []home.Event, at time.Duration) (open bool) {
	for _, e := range events {
		if e.At >= at {
			break
		}
		switch e.What {
		case home.DoorOpens, home.DoorForced:
			open = true
		case home.DoorCloses:
			open = false
		}
	}
	return open
}

// judgeYes: what the hub said yes to, because it was on its disk, is there after the restart (T18).
func (r *faultRun) judgeYes(entries []ledger.Entry, broke func(string, ...any)) {
	has := func(kind ledger.Kind, word, visit string) bool {
		return slices.ContainsFunc(entries, func(e ledger.Entry) bool { return e.Kind == kind && e.Word == word && e.Visit == visit })
	}
	r.home.mu.Lock()
	acks := slices.Clone(r.home.acks)
	r.home.mu.Unlock()
	said, away := 0, 0
	for _, a := range acks {
		switch {
		case a.what == "home":
			said++
		case a.at < r.began:
		case a.what == "arrive" && !has(ledger.KindVisit, ledger.WordBegan, a.visit):
			broke("T18: the courier was told that his visit %s had begun, and the record has no such visit", a.visit)
		case a.what == "out" && !has(ledger.KindFact, "out", a.visit):
			broke("T18, S19: the courier's signed \"I am out\" of visit %s was taken, and is not in the record", a.visit)
		case a.what == "close" && !has(ledger.KindVisit, "closed", a.visit):
			broke("T18, S7: the incident of visit %s was closed, and the record does not say so", a.visit)
		}
	}
	for _, e := range entries {
		if e.Kind == ledger.KindConfig && e.Word == "away" {
			away++
		}
	}
	if said > away {
		broke("T18: %d times the hub has said yes to \"away\", and %d are in the record", said, away)
	}
	if r.released && !has(ledger.KindCommand, "release", r.visit) {
		broke("T18, S19: the courier was shown his release, and the record has none")
	}
}

// judgeSilence: the service alarms of a hub in a visit that is silent (S14).
func (r *faultRun) judgeSilence(k *faultReport, broke func(string, ...any)) {
	if r.silentAt > 0 {
		k.SilentAlarm = (r.silentAt - r.hitAt).Seconds()
	}
	switch {
	case !r.fault.silent && r.silentAt > 0:
		r.notes = append(r.notes, "the service alarmed of a silence that was shorter than its bound")
	case !r.fault.silent || r.phase == "idle":
	case r.silentAt == 0:
		broke("S14: the hub was silent in a visit, and the service did not alarm")
	case r.silentAt-max(r.hitAt, r.stalled) > silentIn: // a service that was itself late begins anew
		broke("S14: the service alarmed %.2f s after the hub fell silent", (r.silentAt - r.hitAt).Seconds())
	}
}

// judgeWaking: a hub that has stood still knows it, and throws the bolt of a closed door before anything else (S6).
func (r *faultRun) judgeWaking(broke func(string, ...any)) {
	if !r.fault.wakes {
		return
	}
	h := r.home
	h.mu.Lock()
	defer h.mu.Unlock()
	soon := func(at time.Duration) bool { return at >= r.wokeAt && at <= r.wokeAt+wakesIn }
	within := wakesIn
	for _, e := range h.events {
		if e.What == home.DoorCloses && e.At >= r.hitAt && e.At <= r.wokeAt {
			// It went to sleep with the door open, at which no bolt is thrown (S11), and bolts in the step that reports it closed: the
			// broker may have given it up meanwhile, and then that is the sensor's next report.
			within += checkInEvery + time.Second
		}
	}
	if !slices.ContainsFunc(h.says, func(l faultLine) bool {
		return soon(l.at) && strings.Contains(l.text, "clockwork came late")
	}) {
		broke("S6: the hub stood still and did not notice")
	}
	if r.woken.Bolt == home.Drawn && !r.woken.DoorOpen && !slices.ContainsFunc(h.orders, func(o faultOrder) bool {
		return o.what == "LOCK" && o.at >= r.wokeAt && o.at <= r.wokeAt+within
	}) {
		broke("S6: the hub stood still with the bolt of a closed door drawn, and did not throw it")
	}
}
