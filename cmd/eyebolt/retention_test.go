package main

import (
	"testing"
	"time"
)

// What keep_mb allows is for the clips of all cameras together, or the disk fills behind the household's back (T18).
func TestClipSpaceIsShared(t *testing.T) {
	none, mb := time.Duration(0), int64(900)
	for _, c := range []struct {
		name  string
		doors []int // cameras of each
		clips ClipConfig
		age   time.Duration
		bytes int64
	}{
		{"one camera", []int{1}, ClipConfig{}, 168 * time.Hour, 10 << 30},
		{"three cameras at two doors", []int{1, 2}, ClipConfig{KeepFor: &none, KeepMB: &mb}, 0, 300 << 20},
		{"no limit", []int{2}, ClipConfig{KeepMB: new(int64)}, 168 * time.Hour, 0},
		{"no camera yet", nil, ClipConfig{}, 168 * time.Hour, 10 << 30},
	} {
		cfg := HubConfig{Clips: c.clips}
		for _, n := range c.doors {
			cfg.Doors = append(cfg.Doors, DoorConfig{Cameras: make([]CameraConfig, n)})
		}
		if got := cfg.retention(); got.Age != c.age || got.Bytes != c.bytes {
			t.Errorf("%s: %v and %d bytes, want %v and %d", c.name, got.Age, got.Bytes, c.age, c.bytes)
		}
	}
}
