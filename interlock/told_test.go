package interlock

import (
	"strings"
	"testing"
)

func TestNobodyAtHomeIsToldToLeave(t *testing.T) {
	for r := NoReason + 1; r < reasons; r++ {
		if r == ResidentAsked { // their own words to the courier
			continue
		}
		if got := r.ToResident(); strings.Contains(got, "leave and let") || got == "" {
			t.Errorf("%s: %q", r, got)
		}
		if got := r.What(); got == "" || strings.Contains(got, ": ") {
			t.Errorf("%s: what is: %q", r, got)
		}
	}
}
