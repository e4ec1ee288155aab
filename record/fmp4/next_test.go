package fmp4

import (
	"testing"
	"time"
)

// While a visit is recorded, memory holds what is not yet written and the newest group of pictures, whatever the pre-roll is. A
// visit that follows at once loses nothing by it: its film begins with a key picture before the end of the other's.
func TestVisitAfterVisit(t *testing.T) {
	f := load(t, "hall.h264")
	b := start(t, t.TempDir(), osDisk{}, func(c *Config) { c.PreRoll = 10 * time.Second })
	b.Opened(f.params)
	half := len(f.pics)/2 + 7
	b.show(f.pics[:20])
	if err := b.Start("v1"); err != nil {
		t.Fatal(err)
	}
	gop, newest := 0, 0
	for i, p := range f.pics[:half] {
		if p.Key {
			gop, newest = max(gop, i-newest), i
		}
	}
	for i := 20; i < half; i += 5 {
		few := f.pics[i:min(i+5, half)]
		b.show(few)
		b.confirmed(few[len(few)-1].Media - partLength - frame)
	}
	b.Recorder.mu.Lock()
	held := len(b.ring.pics)
	b.Recorder.mu.Unlock()
	// What waits for the disk is half a second at the most here; it may lie across a key picture.
	if most := 2*gop + 8; held > most {
		t.Errorf("%d pictures in memory while a visit is recorded, want %d at the most (a group has %d)", held, most, gop)
	}
	one, err := b.finish("v1")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Start("v2"); err != nil {
		t.Fatal(err)
	}
	b.show(f.pics[half:])
	two, err := b.finish("v2")
	if err != nil {
		t.Fatal(err)
	}
	if one.Lost+two.Lost != 0 {
		t.Errorf("%d and %d pictures lost", one.Lost, two.Lost)
	}
	if !two.Segments[0].Key || two.From.After(one.To) {
		t.Errorf("the first film ends at %v, the next begins at %v (with a key picture: %t)", one.To, two.From, two.Segments[0].Key)
	}
	if got, want := len(b.check(two)[0].times), len(f.pics)-newest; got != want {
		t.Errorf("the next film has %d pictures, want the %d from the newest key picture on", got, want)
	}
}
