package walk

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	// Format is the certificate's. Another one is not read.
	Format = "eyebolt/walk/1"
	// maxFile bounds a certificate's file: a full one has 5 KiB.
	maxFile = 64 << 10
	// maxBefore bounds what is kept of a step's earlier failures.
	maxBefore = 5
)

// Result is how one step ended.
type Result struct {
	Step   string   `json:"step"`
	Camera string   `json:"camera,omitempty"`
	OK     bool     `json:"ok"`
	Say    string   `json:"say,omitempty"`   // in one or two sentences; of a failed step: what to do
	Tries  int      `json:"tries,omitempty"` // 0: it was not tried
	Before []string `json:"before,omitempty"`
}

// Proven is what S9 can rely on at this door.
type Proven struct {
	Bolt bool `json:"bolt"` // the bolt's reports follow what the bolt does
	Door bool `json:"door"` // likewise the contact's
	Jam  bool `json:"jam"`  // a blocked bolt is reported as jammed
	By   bool `json:"by"`   // the lock says who worked it
}

// Certificate is what a walk test proved of a door. It holds for what it was made for and for nothing else.
type Certificate struct {
	Format string    `json:"format"`
	Door   string    `json:"door"`
	For    string    `json:"for"` // names the configuration of lock and cameras; another one needs another walk
	Made   time.Time `json:"made"`
	Ended  bool      `json:"ended"`  // false: the walk was not finished
	Passed bool      `json:"passed"` // every step of it
	Proven Proven    `json:"proven"`
	Steps  []Result  `json:"steps"`
	Delays []Delay   `json:"delays"`
	// SpeaksMs is the longest that the contact was silent between two words of its own, DoorStaleMs how long its report stays good for
	// that (interlock.Limits.DoorStale). 0: it was not heard to speak by itself in the time of the walk; the hub's own limit stays.
	SpeaksMs    int64 `json:"speaks_ms,omitempty"`
	DoorStaleMs int64 `json:"door_stale_ms,omitempty"`
}

// Certificate is what has been proven so far, made at this moment.
func (w *Walk) Certificate(made time.Time) Certificate {
	c := Certificate{Format: Format, Door: w.cfg.Door, For: w.cfg.For, Made: made.UTC().Truncate(time.Second), Ended: w.stage == AtEnd, Proven: w.proven}
	c.Passed = c.Ended && len(w.parts) > 1
	for _, r := range w.results {
		c.Passed = c.Passed && r.OK
		r.Before = append([]string(nil), r.Before...)
		c.Steps = append(c.Steps, r)
	}
	for of := range w.delays {
		if d, ok := w.delays[of].delay(of); ok {
			c.Delays = append(c.Delays, d)
		}
	}
	if stale := w.spoke.stale(); stale > 0 {
		c.SpeaksMs, c.DoorStaleMs = w.spoke.longest.Milliseconds(), stale.Milliseconds()
	}
	return c
}

// Say is the certificate in one or two sentences.
func (c Certificate) Say() string {
	if c.Passed {
		return "The walk test was passed on " + c.Made.Format("2 January 2006") + "."
	}
	for _, r := range c.Steps {
		if !r.OK && r.Tries > 0 {
			return "The walk test failed at " + quote(Title(r.Step, r.Camera)) + ": " + r.Say
		}
	}
	return "The walk test was not finished."
}

func quote(s string) string { return "“" + s + "”" }

// signed is the file: the certificate's own bytes, and the hub's signature over them.
type signed struct {
	Certificate json.RawMessage `json:"certificate"`
	Signature   string          `json:"signature"` // base64url, Ed25519 over Format, a zero byte and the certificate's bytes
}

func message(body []byte) []byte { return append([]byte(Format+"\x00"), body...) }

// Encode makes the certificate's file, signed by the hub, so that one of another home, or one that was edited, is not taken for
// this hub's own.
func (c Certificate) Encode(key ed25519.PrivateKey) ([]byte, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	out, err := json.Marshal(signed{body, base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, message(body)))})
	if err != nil {
		return nil, err
	}
	return append(out, '\n'), nil
}

// ErrForged says that a file is no certificate that this hub made.
var ErrForged = errors.New("it is no certificate that this hub made: walk the door again")

// Parse reads a certificate's file and checks its signature.
func Parse(file []byte, hub ed25519.PublicKey) (Certificate, error) {
	var s signed
	if len(file) > maxFile {
		return Certificate{}, fmt.Errorf("walk: %d bytes, at most %d: %w", len(file), maxFile, ErrForged)
	}
	if err := strict(file, &s); err != nil {
		return Certificate{}, fmt.Errorf("walk: %w: %w", err, ErrForged)
	}
	sig, err := base64.RawURLEncoding.DecodeString(s.Signature)
	if err != nil || len(hub) != ed25519.PublicKeySize || !ed25519.Verify(hub, message(s.Certificate), sig) {
		return Certificate{}, fmt.Errorf("walk: its signature does not verify: %w", ErrForged)
	}
	var c Certificate
	if err := strict(s.Certificate, &c); err != nil {
		return Certificate{}, fmt.Errorf("walk: %w: %w", err, ErrForged)
	}
	if c.Format != Format {
		return Certificate{}, fmt.Errorf("walk: its format is %q, not %q: %w", plain(c.Format), Format, ErrForged)
	}
	return c, nil
}

func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

// Standing is what a certificate is worth for a door as it is configured now.
type Standing uint8

const (
	Missing  Standing = iota // there is none, or none that can be read
	Failed                   // a step failed, or the walk was not finished
	Outdated                 // it was made for other devices
	Holds
)

// Worth says what c is worth for this door and its present configuration, and why in a sentence for whoever set the hub up.
func (c Certificate) Worth(door, made string) (Standing, string) {
	switch {
	case c.Format == "":
		return Missing, "Nobody has walked this door yet: run eyebolt hub walk, at the door."
	case c.Door != door || c.For != made:
		return Outdated, "The lock or a camera of this door has been changed since its walk test: walk it again."
	case !c.Passed:
		return Failed, c.Say()
	}
	return Holds, c.Say()
}

// DoorStale is how long a contact's report stays good at this door, or 0 if the walk did not hear it speak by itself.
func (c Certificate) DoorStale() time.Duration {
	return time.Duration(c.DoorStaleMs) * time.Millisecond
}

// Sum names a certificate's file in the record.
func Sum(sum [32]byte) string { return hex.EncodeToString(sum[:]) }
