package eye

import (
	"testing"
	"time"
)

func TestNoTwoPicturesOfAQuietHallwayAreEqual(t *testing.T) {
	s := NewScene(1)
	a, b := newFrame(640, 360), newFrame(640, 360)
	s.paint(a, 0, time.Unix(0, 0))
	s.paint(b, 0, time.Unix(0, 0))
	same := 0
	for i := range a.y {
		if a.y[i] == b.y[i] {
			same++
		}
	}
	if same > len(a.y)/2 {
		t.Errorf("%d of %d pixels are equal: the sensor has no noise", same, len(a.y))
	}
}

func TestTheDoorCanBeSeenToOpen(t *testing.T) {
	s := NewScene(1)
	f := newFrame(640, 360)
	light := func() (sum int) {
		s.paint(f, 0, time.Unix(0, 0))
		for y := 100; y < 200; y++ {
			for x := 300; x < 370; x++ {
				sum += int(f.y[y*f.w+x])
			}
		}
		return sum
	}
	shut := light()
	s.Door(true)
	for i := range 20 {
		s.paint(f, time.Duration(i)*100*time.Millisecond, time.Unix(0, 0))
	}
	if open := light(); open < shut*5/4 {
		t.Errorf("daylight through the open door: %d, closed %d", open, shut)
	}
}

func BenchmarkPaint(b *testing.B) {
	s := NewScene(1)
	f := newFrame(1280, 720)
	for i := 0; b.Loop(); i++ {
		s.paint(f, time.Duration(i)*66*time.Millisecond, time.Time{})
	}
}
