package main

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"eyebolt/ledger"
	"eyebolt/ledger/sqlite"
)

// S7: "why did it say frozen?" is answered from the record alone.
func TestWhy(t *testing.T) {
	dir := t.TempDir()
	log, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Origin: "example.org/hub/a", Key: ed25519.NewKeyFromSeed(make([]byte, 32))})
	if err != nil {
		t.Fatal(err)
	}
	data := func(d ledger.WatchData) []byte {
		b, err := ledger.Data(d)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	entry := func(door, visit, word string, d []byte) ledger.Entry {
		return ledger.Entry{Time: at, Door: door, Visit: visit, Kind: ledger.KindWatch, Word: word, Data: d}
	}
	log.Append(nil,
		entry("front", "", "live", nil),
		entry("front", "V1", "frozen", data(ledger.WatchData{Evidence: []ledger.Evidence{
			{Camera: "hall", By: "freeze", State: "frozen", Score: 0.4132, Limit: 0.15, Say: "The noise repeats\x1b[2J.", AgoMs: 120},
			{Camera: "hall", By: "age", State: "live", Score: 0.07, Limit: 0.25, Say: "The newest picture is 70 ms old."},
		}})),
		entry("back", "", "camera-lost", data(ledger.WatchData{Camera: "yard", Evidence: []ledger.Evidence{{Camera: "yard", By: "age", State: "lost", Score: 1.6, Limit: 1.5, Say: "Too old."}}})),
	)
	if err := log.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		cmd       WhyCmd
		want, not []string
	}{
		{WhyCmd{}, []string{"2026-05-04T12:00:00Z  #1  door front: frozen  visit V1", "! hall/freeze says frozen: measured 0.4132, limit 0.15, 120 ms before.", "  hall/age says live", "camera yard alone"}, []string{"\x1b"}},
		{WhyCmd{Door: "front"}, []string{"frozen"}, []string{"yard"}},
		{WhyCmd{Camera: "yard"}, []string{"yard/age says lost"}, []string{"freeze"}},
		{WhyCmd{Visit: "V2"}, []string{"No such lapse is on record."}, nil},
	} {
		var out bytes.Buffer
		k.cmd.State, k.cmd.out = dir, &out
		if err := k.cmd.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, w := range k.want {
			if !strings.Contains(out.String(), w) {
				t.Errorf("%+v lacks %q:\n%s", k.cmd, w, &out)
			}
		}
		for _, w := range k.not {
			if strings.Contains(out.String(), w) {
				t.Errorf("%+v has %q:\n%s", k.cmd, w, &out)
			}
		}
	}
	if err := (&WhyCmd{State: t.TempDir(), out: &bytes.Buffer{}}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "state folder") {
		t.Errorf("an empty folder: %v", err)
	}
}
