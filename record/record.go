// Package record says what is kept, for how long, and where it lies. Sub-folders write and read it.
package record

import "time"

// Segment is a run of a clip file: whole fMP4 fragments, playable behind its file's init segment if Key is true.
type Segment struct {
	Path   string        `json:"path"`   // of the file that holds it, relative to the store
	Offset int64         `json:"offset"` // where in that file it begins, in bytes
	Bytes  int64         `json:"bytes"`
	SHA256 [32]byte      `json:"-"`     // of these bytes
	Key    bool          `json:"key"`   // it begins with a picture at which decoding can begin
	From   time.Duration `json:"from"`  // media time of its first picture, since the clip's first picture
	To     time.Duration `json:"to"`    // media time after its last picture; the next segment's From is later if nothing came between
	Wall   time.Time     `json:"wall"`  // when its first picture arrived
	Count  int           `json:"count"` // pictures
}

// Clip is one visit's film by one camera: playable fMP4 files in order. Holes between files, and between a file's segments, are
// real: nothing came, or nothing could be kept.
type Clip struct {
	Visit  string
	Door   string
	Camera string
	// Files has one file, unless the camera's parameter sets changed during the visit or the recorder was started again for
	// it: a file has one set of parameters.
	Files    []File
	From, To time.Time // wall time of its first picture, and after its last picture
	Segments []Segment // of every file, in order
	// Recovered says that the recorder ended before the visit did (a power cut, a crash): the film ends with
	// the last fragment that reached the disk whole.
	Recovered bool
	// Lost counts pictures that were handed in during the visit but could not be kept.
	Lost uint64
}

// File is one playable file of a clip: an init segment and segments in order.
type File struct {
	Path     string // relative to the store
	MIME     string // with its codecs (RFC 6381)
	SHA256   [32]byte
	Bytes    int64
	From, To time.Time // wall time of its first picture, and after its last picture
	// Backfilled says that nobody watched these pictures: the camera had kept them, and they were fetched afterwards, with times
	// by the camera's clock. They fill the picture, never the record (S7).
	Backfilled bool
}
