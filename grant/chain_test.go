package grant_test

import (
	"testing"
	"time"

	"eyebolt/grant"
	"eyebolt/grant/granttest"
	"eyebolt/interlock"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) // a Tuesday

// S2: an honest chain holds, and so does every check of an honest attempt.
func TestHonest(t *testing.T) {
	h := granttest.New("a", noon)
	c, err := grant.Decode(h.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	g, why, err := grant.Verify(c, h.Anchor())
	if err != nil || why != interlock.NoReason {
		t.Fatalf("Verify = %v, %v", why, err)
	}
	results := g.Check(h.Attempt(noon))
	if got := grant.Reason(results); got != interlock.NoReason {
		t.Fatalf("Check = %v: %+v", got, results)
	}
	if len(results) != 6 {
		t.Fatalf("%d checks, want 6", len(results))
	}
}
