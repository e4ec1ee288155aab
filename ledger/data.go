package ledger

import (
	"encoding/json"
	"fmt"
	"time"
)

// Words of entries that a stranger's check reads. Other words are the interlock's.
const (
	WordFiled = "filed" // KindClip: a clip was filed; Data is ClipData
	// WordBackfilled: pictures that nobody watched, fetched from the camera's own storage afterwards, were filed beside the film;
	// Data is ClipData. From and To say which time they are of, by the camera's clock. No gap is smaller for it (S7).
	WordBackfilled = "backfilled"
	WordRemoved    = "removed" // KindClip: retention or a resident removed a clip's file; Data is ClipData, at least its Path
	WordBegan      = "began"   // KindVisit: Data is VisitData
	WordEnded      = "ended"   // KindVisit: Data is VisitData with Outcome
)

// ClipData is the Data of a KindClip entry.
type ClipData struct {
	Path     string        `json:"path"`   // relative to the folder of the ledger's clips, with slashes
	SHA256   string        `json:"sha256"` // of the whole file, hex
	Bytes    int64         `json:"bytes"`
	Camera   string        `json:"camera,omitempty"`
	From     time.Time     `json:"from"`
	To       time.Time     `json:"to"`
	Segments []SegmentData `json:"segments,omitempty"`
}

// SegmentData is one segment of a clip, as it was first written.
type SegmentData struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"` // hex
	Bytes  int64  `json:"bytes"`
	FromUs int64  `json:"from_us"` // media time of the first picture, µs
	ToUs   int64  `json:"to_us"`   // media time after the last picture, µs
}

// GapData is the Data of a KindGap entry: nobody watched (S7).
type GapData struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Seconds float64   `json:"s"`   // to the tenth
	Why     string    `json:"why"` // the lapse's word
	Open    bool      `json:"open,omitempty"`
}

// WatchData is the Data of a KindWatch entry that tells of a lapse: what the detectors found, in numbers, so that "why did it say
// frozen?" has an answer as long as the record is kept.
type WatchData struct {
	Camera   string     `json:"camera,omitempty"` // the entry is about this camera alone; another one of the door watches
	Evidence []Evidence `json:"evidence,omitempty"`
}

// Evidence is what one detector found of one camera.
type Evidence struct {
	Camera string  `json:"camera"`
	By     string  `json:"by"`    // the detector: age, replay, freeze, loop, cover, tamper, key, signature, door, delay, clock
	State  string  `json:"state"` // what it says: live, or the lapse's word
	Score  float64 `json:"score"` // what was measured …
	Limit  float64 `json:"limit"` // … and from where on it is a lapse
	Say    string  `json:"say"`   // one sentence
	AgoMs  int64   `json:"ago_ms"`
}

// VisitData is the Data of a KindVisit entry.
type VisitData struct {
	Household   string  `json:"household,omitempty"`
	Carrier     string  `json:"carrier,omitempty"`
	Courier     string  `json:"courier,omitempty"`
	CourierName string  `json:"courier_name,omitempty"`
	Grant       string  `json:"grant,omitempty"`   // the delivery's ID
	Outcome     string  `json:"outcome,omitempty"` // done, not-delivered, incident
	GapSeconds  float64 `json:"gap_s,omitempty"`   // unwatched while unsecured, to the tenth
}

// HeldData is the Data of a KindCheckpoint entry: the service answered that it holds the ledger up to Size.
type HeldData struct {
	Size uint64 `json:"size"`
	Note []byte `json:"note,omitempty"`
}

// Data gives the JSON of one of the kinds' structs, as Entry.Data takes it.
func Data(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("ledger data: %w", err)
	}
	if len(b) > MaxData {
		return nil, fmt.Errorf("%w: data of %d bytes, at most %d: leave out the segments", ErrEntry, len(b), MaxData)
	}
	return b, nil
}
