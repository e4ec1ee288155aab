package grant_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"eyebolt/grant"
	"eyebolt/grant/granttest"
	"eyebolt/interlock"
)

func TestConsentDocument(t *testing.T) {
	h := granttest.New("a", noon)
	berlin := time.FixedZone("", 3600)
	h.Consent.From = h.Consent.From.In(berlin).Add(999 * time.Nanosecond)
	doc, err := grant.MarshalConsent(h.Consent)
	if err != nil {
		t.Fatal(err)
	}
	c, err := grant.ParseConsent(doc)
	if err != nil || !c.From.Equal(h.Consent.From.Truncate(time.Microsecond)) || c.From.Location() != time.UTC {
		t.Fatalf("ParseConsent: %v, %v", c.From, err)
	}
	challenge, err := c.Challenge()
	if err != nil || !bytes.Equal(challenge, grant.ConsentChallenge(doc)) || len(challenge) != 32 {
		t.Errorf("Challenge: %x, %v", challenge, err)
	}
	for name, bad := range map[string]string{
		"unknown member": strings.Replace(string(doc), `{"id"`, `{"x":1,"id"`, 1),
		"another order":  strings.Replace(string(doc), `"epoch":1`, `"epoch":1,"epoch":1`, 1),
		"blank":          string(doc) + " ",
		"another zone":   strings.Replace(string(doc), `Z","until"`, `+00:00","until"`, 1),
		"other number":   strings.Replace(string(doc), `"days":127`, `"days":1.27e2`, 1),
		"too long":       strings.Repeat(" ", 9000),
		"not JSON":       "consent",
	} {
		if bad == string(doc) {
			t.Fatalf("%s changes nothing", name)
		}
		if _, err := grant.ParseConsent([]byte(bad)); !errors.Is(err, grant.ErrMalformed) {
			t.Errorf("%s: %v, want ErrMalformed", name, err)
		}
	}
	for name, change := range map[string]func(*grant.Consent){
		"no household":   func(c *grant.Consent) { c.Household = "" },
		"no day":         func(c *grant.Consent) { c.Days = 0 },
		"eighth day":     func(c *grant.Consent) { c.Days = 128 },
		"over midnight":  func(c *grant.Consent) { c.StartMin, c.EndMin = 1300, 200 },
		"a 25th hour":    func(c *grant.Consent) { c.EndMin = 1441 },
		"short key":      func(c *grant.Consent) { c.CarrierKey = c.CarrierKey[:31] },
		"ends at once":   func(c *grant.Consent) { c.Until = c.From },
		"no zone":        func(c *grant.Consent) { c.Zone = "" },
		"name of 129 B":  func(c *grant.Consent) { c.Door = strings.Repeat("d", 129) },
		"year 10000":     func(c *grant.Consent) { c.Until = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"no carrier key": func(c *grant.Consent) { c.CarrierKey = nil },
	} {
		c := granttest.New("a", noon).Consent
		change(&c)
		if _, err := grant.MarshalConsent(c); !errors.Is(err, grant.ErrMalformed) {
			t.Errorf("%s: %v, want ErrMalformed", name, err)
		}
	}
}

// The household's own hours, on its own clock: days, minutes, summer time, zones that are unknown.
func TestConsentHours(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	const weekdays, sunday = 0b0011111, 0b1000000
	for _, c := range []struct {
		name       string
		days       uint8
		start, end uint16
		zone, now  string
		want       interlock.Reason
	}{
		{"inside", weekdays, 9 * 60, 17 * 60, "UTC", "2026-11-24T12:00:00Z", interlock.NoReason},
		{"first minute", weekdays, 9 * 60, 17 * 60, "UTC", "2026-11-24T09:00:00Z", interlock.NoReason},
		{"before it", weekdays, 9 * 60, 17 * 60, "UTC", "2026-11-24T08:59:59Z", interlock.NoConsent},
		{"last second", weekdays, 9 * 60, 17 * 60, "UTC", "2026-11-24T16:59:59Z", interlock.NoReason},
		{"after it", weekdays, 9 * 60, 17 * 60, "UTC", "2026-11-24T17:00:00Z", interlock.NoConsent},
		{"Saturday", weekdays, 9 * 60, 17 * 60, "UTC", "2026-11-28T12:00:00Z", interlock.NoConsent},
		{"Sunday", sunday, 0, 1440, "UTC", "2026-11-29T23:59:59Z", interlock.NoReason},
		{"Monday", sunday, 0, 1440, "UTC", "2026-11-30T00:00:00Z", interlock.NoConsent},
		{"Monday here, Sunday there", sunday, 0, 1440, "America/New_York", "2026-11-30T04:59:59Z", interlock.NoReason},
		{"09:00 in Berlin, winter", 127, 9 * 60, 10 * 60, "Europe/Berlin", "2026-11-24T08:00:00Z", interlock.NoReason},
		{"08:59 in Berlin, winter", 127, 9 * 60, 10 * 60, "Europe/Berlin", "2026-11-24T07:59:00Z", interlock.NoConsent},
		{"09:00 in Berlin, summer", 127, 9 * 60, 10 * 60, "Europe/Berlin", "2027-07-01T07:00:00Z", interlock.NoReason},
		{"10:00 in Berlin, summer", 127, 9 * 60, 10 * 60, "Europe/Berlin", "2027-07-01T08:00:00Z", interlock.NoConsent},
		{"unknown zone", 127, 0, 1440, "Nowhere/Here", "2026-11-24T12:00:00Z", interlock.NoConsent},
		{"the machine's own zone", 127, 0, 1440, "Local", "2026-11-24T12:00:00Z", interlock.NoConsent},
		{"a path for a zone", 127, 0, 1440, "../../etc/localtime", "2026-11-24T12:00:00Z", interlock.NoConsent},
		{"consent is over", 127, 0, 1440, "UTC", "2027-11-24T12:00:00Z", interlock.NoConsent},
		{"consent has not begun", 127, 0, 1440, "UTC", "2026-10-24T11:59:59Z", interlock.NoConsent},
	} {
		h := granttest.New("a", noon)
		now := at(c.now)
		h.Consent.Days, h.Consent.StartMin, h.Consent.EndMin, h.Consent.Zone = c.days, c.start, c.end, c.zone
		h.Delivery.From, h.Delivery.Until = now.Add(-time.Hour), now.Add(time.Hour)
		h.Issued = now.AddDate(0, 0, -1)
		h.Credential.Screened = now.AddDate(1, 0, 0)
		if got := grant.Reason(h.Grant().Check(h.Attempt(now))); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// The bytes that passkeys sign are a contract with the pages: they never change.
func TestChallengesAreFixed(t *testing.T) {
	nonce := bytes.Repeat([]byte{7}, 32)
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"consent", grant.ConsentChallenge([]byte("{}")), "7be6f90f397624dbf13dd94d58562f9ef029630a6136e602ab21d5bc3e0503f0"},
		{"slide", grant.SlideChallenge("front", "visit-1", nonce), "a76871af7c6a850005dbb2b581e42432c8a586a5fb9954161d1eeff9b89cc7ac"},
		{"out", grant.OutChallenge("front", "visit-1", nonce), "66fc8a9981ac3db499a682fb6a5ef7bab980a131a168c7430a6cc04fa8cb020f"},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s = %s, want %s", c.name, got, c.want)
		}
	}
	seen := map[string]string{}
	for name, b := range map[string][]byte{
		"slide":         grant.SlideChallenge("front", "visit-1", nonce),
		"out":           grant.OutChallenge("front", "visit-1", nonce),
		"other door":    grant.SlideChallenge("back", "visit-1", nonce),
		"other visit":   grant.SlideChallenge("front", "visit-2", nonce),
		"other nonce":   grant.SlideChallenge("front", "visit-1", nonce[1:]),
		"shifted words": grant.SlideChallenge("frontv", "isit-1", nonce),
		"no words":      grant.SlideChallenge("", "", nil),
	} {
		if other, ok := seen[string(b)]; ok {
			t.Errorf("%s and %s are the same challenge", name, other)
		}
		seen[string(b)] = name
	}
}

func FuzzConsent(f *testing.F) {
	doc, err := grant.MarshalConsent(granttest.New("a", noon).Consent)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(doc)
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := grant.ParseConsent(b)
		if err != nil {
			return
		}
		again, err := grant.MarshalConsent(c)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("parsed but not canonical: %q, %v", again, err)
		}
	})
}
