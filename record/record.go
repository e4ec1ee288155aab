// Package record says what is kept, for how long, and where it lies. Sub-folders write and read it.
package record

import "time"

// Segment is one file of a recording: fMP4, playable behind its recording's init segment.
type Segment struct {
	Path   string        // relative to the store
	From   time.Duration // media time of its first picture, since the connection's first
	To     time.Duration // media time after its last picture
	Wall   time.Time     // when its first picture arrived
	Bytes  int64
	SHA256 [32]byte
}

// Clip is one visit's film: an init segment and its segments in order. Holes between them are real.
type Clip struct {
	Visit    string
	Door     string
	Camera   string
	Path     string // of the whole clip, relative to the store: one playable fMP4 file
	SHA256   [32]byte
	Bytes    int64
	From, To time.Time
	Segments []Segment
}

// Retention is how long clips stay: the older of both limits goes first. A clip that Keep names stays until told otherwise
// (an open incident's).
type Retention struct {
	Age   time.Duration // 0: no limit
	Bytes int64         // 0: no limit
}
