package control

import (
	"testing"

	"eyebolt/ledger"
)

// S7: a lapse on the visit's page says why, in what the camera's detectors measured.
func TestTellEvidence(t *testing.T) {
	data, err := ledger.Data(ledger.WatchData{Camera: "porch", Evidence: []ledger.Evidence{{Camera: "porch", By: "freeze", State: "frozen", Score: 0.41, Limit: 0.15, Say: "The noise repeats."}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		e    ledger.Entry
		text string
		n    int
	}{
		{ledger.Entry{Kind: ledger.KindWatch, Word: "camera-frozen", Data: data}, "Camera porch: the picture is frozen, while another one watches.", 1},
		{ledger.Entry{Kind: ledger.KindWatch, Word: "camera-live", Data: []byte(`{"camera":"porch"}`)}, "Camera porch watches again.", 0},
		{ledger.Entry{Kind: ledger.KindWatch, Word: "camera-lost"}, "One camera: the picture is lost, while another one watches.", 0},
		{ledger.Entry{Kind: ledger.KindWatch, Word: "frozen", Data: data}, "The picture is frozen.", 1},
		{ledger.Entry{Kind: ledger.KindWatch, Word: "lost", Data: []byte(`{"evidence":7}`)}, "The picture is lost.", 0},
		{ledger.Entry{Kind: ledger.KindReport, Word: "link-unfit", Data: data}, "The cameras' connection is too unsteady to let anybody in.", 0},
	} {
		if got := Tell(k.e, "Maria"); got != k.text {
			t.Errorf("%s: %q, want %q", k.e.Word, got, k.text)
		}
		if n := len(evidence(k.e)); n != k.n {
			t.Errorf("%s: %d findings, want %d", k.e.Word, n, k.n)
		}
	}
}
