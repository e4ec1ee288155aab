package liveness

import "time"

// Finding is what one detector says of a camera, with its reason in numbers: what `why did it say frozen?` prints. A detector
// that runs beside the Judge (one that needs decoded pictures, a signature, a door's report) hands its Findings to Judge.Found.
type Finding struct {
	By    string        // the detector: "age", "replay", "freeze", "loop", "cover", "tamper", "key", "signature", "door", "clock"
	State State         // the lapse that it would call; Live: it has judged, and all is well; Unknown: it cannot say (yet)
	At    time.Duration // of its newest evidence, on the hub's clock
	Score float64       // what was measured …
	Limit float64       // … and from where on it is a lapse
	Say   string        // one sentence for a person: what was seen, against what was expected
}
