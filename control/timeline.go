package control

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"eyebolt/bus"
	"eyebolt/interlock"
	"eyebolt/ledger"
)

// VisitPage is a visit as its resident reads it.
type VisitPage struct {
	VisitSummary
	HouseholdID string         `json:"household"`
	Timeline    []Moment       `json:"timeline"`
	Gaps        []Gap          `json:"gaps"`
	Clip        *Clip          `json:"clip,omitempty"`
	Incident    *bus.Incident  `json:"incident,omitempty"`
	Closed      *time.Time     `json:"closed,omitempty"` // when the incident was read and closed
	Checkpoint  *CheckpointRef `json:"checkpoint,omitempty"`
}

// CheckpointRef says how much of the hub's record the service holds under the hub's signature.
type CheckpointRef struct {
	Size uint64 `json:"size"`
	Note string `json:"note"`
}

// Moment is one line of a timeline.
type Moment struct {
	I      int       `json:"i"`
	T      time.Time `json:"t"`
	Kind   string    `json:"kind"`
	Word   string    `json:"word"`
	Reason string    `json:"reason"`
	Text   string    `json:"text"`
	Entry  uint64    `json:"entry"` // ledger index
	In     float64   `json:"in"`    // seconds since the visit began

	// Evidence is what the camera's detectors found, with a lapse (ledger.WatchData).
	Evidence []ledger.Evidence `json:"evidence,omitempty"`
}

// maxTimeline bounds a page: a visit that wrote more is cut, its record is not.
const maxTimeline = 2000

// Visit gives a visit with its timeline, to its household alone.
func (s *Service) Visit(ctx context.Context, who Account, id string) (VisitPage, error) {
	if err := who.as(Resident); err != nil {
		return VisitPage{}, err
	}
	var p VisitPage
	err := s.store.Read(ctx, func(tx Tx) error {
		v, err := own(tx, id, func(v Visit) bool { return v.Household == who.Household })
		if err != nil {
			return err
		}
		p = VisitPage{VisitSummary: v.summary(), HouseholdID: v.Household, Timeline: []Moment{}, Gaps: v.Gaps, Clip: v.Clip}
		if p.Gaps == nil {
			p.Gaps = []Gap{}
		}
		if i, err := get[Incident](tx, id); err == nil {
			pub := i.public()
			p.Incident = &pub
			if !i.Closed.IsZero() {
				p.Closed = &i.Closed
			}
		}
		rows, err := tx.Entries(v.Hub, v.ID, 0, maxTimeline)
		if err != nil {
			return err
		}
		var began int64
		for i, r := range rows {
			e, err := ledger.Decode(r.Leaf)
			if err != nil {
				return err
			}
			if i == 0 {
				began = e.Mono
			}
			text := Tell(e, v.CourierName)
			if text == "" {
				continue
			}
			in := time.Duration(e.Mono-began) * time.Microsecond
			if e.Mono < began { // the hub restarted in between: its clock began anew
				in = e.Time.Sub(v.Began)
			}
			p.Timeline = append(p.Timeline, Moment{
				I: len(p.Timeline), T: e.Time, Kind: string(e.Kind), Word: e.Word, Reason: e.Reason, Text: text, Entry: e.Index, In: tenth(in), Evidence: evidence(e),
			})
		}
		h, err := get[Hub](tx, v.Hub)
		if err == nil && len(h.Note) > 0 {
			if cp, err := ledger.ParseKey(h.LedgerKey); err == nil {
				if held, err := ledger.Open(h.Note, cp); err == nil {
					p.Checkpoint = &CheckpointRef{Size: held.Size, Note: string(h.Note)}
				}
			}
		}
		return err
	})
	return p, err
}

// Tell is a ledger entry as a sentence that a resident reads; "" for what only a machine needs.
func Tell(e ledger.Entry, courier string) string {
	if courier == "" {
		courier = "The courier"
	}
	because := ""
	if s := sentenceOf(e.Reason); s != "" {
		because = ": " + lowerFirst(s)
	}
	switch e.Kind {
	case ledger.KindVisit:
		switch e.Word {
		case ledger.WordBegan:
			return courier + " arrived at the door."
		case ledger.WordEnded:
			return tellEnd(e)
		case "closed":
			return "The incident was read and closed."
		}
	case ledger.KindFact:
		return tellFact(e, courier, because)
	case ledger.KindDecision:
		return "All checks held. The decision to unlock was written down."
	case ledger.KindCommand:
		return tellCommand(e, courier, because)
	case ledger.KindReport:
		return reportTexts(e.Word)
	case ledger.KindWatch:
		if word, one := strings.CutPrefix(e.Word, "camera-"); one {
			return tellCamera(e, word)
		}
		return tellWatch(e.Word)
	case ledger.KindGap:
		var g ledger.GapData
		if json.Unmarshal(e.Data, &g) != nil {
			return "Nobody watched for a while."
		}
		if g.Open {
			return fmt.Sprintf("Nobody has watched for %.1f seconds, and it goes on.", g.Seconds)
		}
		return fmt.Sprintf("Nobody watched for %.1f seconds.", g.Seconds)
	case ledger.KindClip:
		switch e.Word {
		case ledger.WordFiled:
			return "The film of the visit was filed."
		case ledger.WordBackfilled:
			return "Film that nobody had watched was fetched from the camera's own storage afterwards. It closes no gap."
		case ledger.WordRemoved:
			return "The film of the visit was removed."
		}
		return "The film of the visit could not be kept" + stop(because)
	case ledger.KindConfig:
		switch e.Word {
		case "block":
			return "The door was blocked by a resident."
		case "unblock":
			return "The block was lifted by a resident."
		case "hold":
			return "The household is not ready" + stop(because)
		case "lift":
			return "The household is ready again."
		case "home":
			return "Somebody came home."
		case "away":
			return "Nobody is home any more."
		case "spent":
			return "The permission is used up."
		}
		return ""
	case ledger.KindBoot:
		return "The hub started again."
	}
	return ""
}

func stop(because string) string {
	if because == "" {
		return "."
	}
	return because
}

func tellEnd(e ledger.Entry) string {
	var d ledger.VisitData
	_ = json.Unmarshal(e.Data, &d) // an end without data is an incident below
	switch d.Outcome {
	case OutcomeDone:
		return "The visit ended well."
	case OutcomeNotDelivered:
		return "The visit ended without an opening" + stop(": "+lowerFirst(sentenceOf(e.Reason)))
	}
	if d.GapSeconds > 0 {
		return fmt.Sprintf("The visit ended as an incident: nobody watched for %.1f seconds while the door was not secured.", d.GapSeconds)
	}
	return "The visit ended as an incident."
}

func tellFact(e ledger.Entry, courier, because string) string {
	switch e.Word {
	case interlock.Arming.String():
		return "The camera and the checks are coming up."
	case interlock.Held.String():
		return "The door is held" + stop(because)
	case interlock.Ready.String():
		return "Everything was ready. " + courier + " may slide to open."
	case interlock.Deciding.String():
		return courier + " slid to open."
	case interlock.Unlocking.String():
		return "The bolt is being drawn."
	case interlock.Unlocked.String():
		return "The door is unlocked."
	case interlock.Opened.String():
		return "The door is open."
	case interlock.Closing.String():
		return "The door is closed; the bolt is being thrown."
	case interlock.Secured.String():
		return "The door is proven closed and bolted."
	case interlock.Tail.String():
		return "The camera goes on watching for a while."
	case interlock.Unproven.String():
		return "The door is possibly open" + stop(because)
	case "arrived-refused", "slide-refused", "out-refused":
		return courier + " was refused" + stop(because)
	case "out":
		return courier + " signed: \"I am out.\""
	case "cannot":
		return courier + " could not deliver."
	case "lock-asked":
		return "A resident asked for the bolt."
	case "leave-asked":
		return "A resident asked " + courier + " to leave."
	case "acknowledged":
		return "A resident acknowledged the alarm."
	}
	return ""
}

func tellCommand(e ledger.Entry, courier, because string) string {
	switch e.Word {
	case "lock":
		return "The hub ordered the bolt thrown" + stop(because)
	case "unlock":
		return "The hub ordered the bolt drawn, once."
	case "retract":
		return "The hub drew the bolt in so that the open door can close."
	case "hold":
		return courier + " must wait" + stop(because)
	case "refuse":
		return courier + " was refused" + stop(because)
	case "leave":
		return courier + " was told to leave" + stop(because)
	case "release":
		return courier + " was released to the next stop."
	case "alarm":
		return "Alarm" + stop(because)
	case "notice":
		return "Notice" + stop(because)
	case "incident":
		return "This visit became an incident" + stop(because)
	case "not-sent":
		return "The order to draw the bolt never left the hub."
	case "lock-error", "unlock-error", "retract-error":
		return "The lock's radio reported a fault with an order."
	}
	return ""
}

func reportTexts(word string) string {
	switch word {
	case "bolt-thrown":
		return "The lock reports: bolted."
	case "bolt-drawn":
		return "The lock reports: bolt drawn."
	case "bolt-jammed":
		return "The lock reports: jammed."
	case "bolt-unknown":
		return "Nothing is known of the bolt."
	case "door-closed":
		return "The sensor reports: door closed."
	case "door-open":
		return "The sensor reports: door open."
	case "door-ajar":
		return "The sensor reports: door ajar."
	case "door-unknown":
		return "Nothing is known of the door."
	case "lock-online":
		return "The lock answers."
	case "lock-offline":
		return "The lock does not answer."
	case "battery-low":
		return "The lock's battery is low."
	case "link-unfit":
		return "The cameras' connection is too unsteady to let anybody in."
	case "link-fit":
		return "The cameras' connection is steady enough again."
	case "walked":
		return "The door has passed its walk test."
	case "not-walked":
		return "The door has not passed its walk test, so nobody is let in alone."
	case "camera-learned-anew":
		return "What a camera usually shows was forgotten by the operator's wish and learned anew."
	case "smoke":
		return "Smoke or CO alarm."
	case "smoke-over":
		return "The smoke or CO alarm is over."
	case "failure":
		return "The lock reports a failure."
	}
	return radioTexts(word)
}

// radioTexts are what was noticed on the air: they name a cause and decide nothing.
func radioTexts(word string) string {
	switch word {
	case "radio-flood":
		return "On the air: a flood of forged frames that throw devices off the Wi-Fi."
	case "radio-unprotected":
		return "On the air: a forged frame, which the Wi-Fi's protection dropped."
	case "radio-wrong-reason":
		return "On the air: a frame that no honest device sends."
	case "radio-deauth", "radio-disassoc":
		return "On the air: a frame that ends a device's Wi-Fi connection."
	case "radio-beacon-loss":
		return "The Wi-Fi's access point is not heard any more."
	case "radio-churn":
		return "A device leaves the Wi-Fi and comes back again and again."
	case "radio-disconnected":
		return "A device's Wi-Fi connection ended."
	}
	return ""
}

// evidence is what an entry of a lapse says of why.
func evidence(e ledger.Entry) []ledger.Evidence {
	var d ledger.WatchData
	if e.Kind != ledger.KindWatch || json.Unmarshal(e.Data, &d) != nil {
		return nil
	}
	return d.Evidence
}

// tellCamera tells of one camera of several, while another one watches.
func tellCamera(e ledger.Entry, word string) string {
	var d ledger.WatchData
	_ = json.Unmarshal(e.Data, &d) // without its name it is one of them
	name := "One camera"
	if d.Camera != "" {
		name = "Camera " + d.Camera
	}
	if word == interlock.WatchLive.String() {
		return name + " watches again."
	}
	what := strings.TrimSuffix(lowerFirst(tellWatch(word)), ".")
	return name + ": " + what + ", while another one watches."
}

func tellWatch(word string) string {
	switch word {
	case interlock.WatchLive.String():
		return "The camera shows the door live."
	case interlock.WatchLagging.String():
		return "The picture is late."
	case interlock.WatchLost.String():
		return "The picture is lost."
	case interlock.WatchLate.String():
		return "The picture shows the past."
	case interlock.WatchFrozen.String():
		return "The picture is frozen."
	case interlock.WatchReplayed.String():
		return "The picture is a recording."
	case interlock.WatchCovered.String():
		return "The camera is covered or turned."
	case interlock.WatchUnrecorded.String():
		return "The pictures are not being kept."
	case interlock.WatchUntrusted.String():
		return "The camera is not the one that was paired."
	case interlock.WatchHubLate.String():
		return "The hub was too busy to judge the picture."
	}
	return "Nothing is known of the camera."
}

// sentenceOf is the sentence of a reason's word: the interlock's, or the service's own.
func sentenceOf(word string) string {
	if r, ok := interlock.ParseReason(word); ok {
		return r.What()
	}
	return ""
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
