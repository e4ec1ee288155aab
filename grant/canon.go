package grant

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Bounds of what a permission may hold. They are far above any honest use and small enough that a chain stays under
// [MaxChain] and a check stays under a millisecond.
const (
	maxName     = 128  // bytes of an ID or a name
	maxParcels  = 64   // a courier scans one; a household rarely gets ten
	maxPasskeys = 16   // phones that a person may sign in with
	maxCredID   = 1023 // WebAuthn section 4: a credential ID is at most 1,023 bytes
	maxCOSE     = 2048 // an RSA-4096 COSE key is about 520 bytes
	maxMetres   = 10_000
)

// ErrMalformed means that bytes are not what this package writes: refuse them, and ask the sender for a new document.
var ErrMalformed = errors.New("malformed permission: refuse it and ask its sender for a new one")

// marshal writes v as JSON in the one form that unmarshal takes: fields in the order of the struct, no blanks, Go's HTML
// escapes (PASETO's library writes them too).
func marshal(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return b, nil
}

// unmarshal reads b into v and refuses every b that marshal would not have written for the same value. So a document has
// exactly one spelling: no unknown, doubled or differently cased member, no second way to write a number or a time.
// normal brings *v into the form that is marshalled.
func unmarshal[T any](b []byte, v *T, normal func(*T)) error {
	if json.Unmarshal(b, v) == nil {
		if normal != nil {
			normal(v)
		}
		// What marshal writes has no member but v's, so nothing unknown was in b either.
		if again, err := marshal(v); err == nil && bytes.Equal(again, b) {
			return nil
		}
	}
	// It is refused: once more, to say why.
	var none T
	*v = none
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if normal != nil {
		normal(v)
	}
	if _, err := marshal(v); err != nil {
		return err
	}
	return fmt.Errorf("%w: not in canonical form", ErrMalformed)
}

// canonTime is the form in which times are signed: UTC, whole microseconds.
func canonTime(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond).Round(0) }

// named says which of the names is empty or too long. Pairs are label, value.
func named(pairs ...string) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		if v := pairs[i+1]; v == "" || len(v) > maxName {
			return fmt.Errorf("%w: %s must have 1 to %d bytes, has %d", ErrMalformed, pairs[i], maxName, len(v))
		}
	}
	return nil
}
