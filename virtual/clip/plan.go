package clip

import (
	"fmt"
	"hash/fnv"
	"slices"
)

const (
	fps        = 15
	liveFor    = 60 // seconds of a live clip: thirty keys at GOP 2 s, from which a camera is learned
	leadFor    = 10 // seconds of live before the sensor sticks
	frozenFor  = 30
	coverLead  = 8
	coveredFor = 12
	loopFor    = 30 // seconds of a loop's clip, its first pass included
)

// A Take is what is painted once and coded by several encoders.
type Take struct {
	Split    string
	View     View
	Encoders []string
	Kinds    []string
}

func (t Take) camera(e Encoder) string {
	return fmt.Sprintf("%s-%s-%dp-%s", t.View.Room, t.View.Condition, t.View.Height, e.Name)
}

// seed is a take's own, for one kind of it: no two paintings share noise.
func (t Take) seed(kind string) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %s %d %d %s", t.View.Room, t.View.Condition, t.View.Height, t.View.Seed, kind)
	return h.Sum64()
}

// Plan is the corpus of a split. A small one has one encoder of each program and no large pictures: a quick look. Else the
// encoders take turns, so that each room meets all of them and each pair of condition and encoder some rooms.
func Plan(split string, small bool, seed uint64) (takes []Take) {
	main := []string{"x264-crf26-g30", "openh264-cbr-g30", "x264-cbr-g30", "openh264-q28-g30"}
	add := func(room, condition string, high int, encoders []string, kinds ...string) {
		takes = append(takes, Take{
			Split: split, Encoders: encoders, Kinds: kinds,
			View: View{Room: room, Condition: condition, Width: high * 16 / 9, Height: high, Seed: seed},
		})
	}
	loops := []string{Live, Frozen, Copied, Aligned, Shifted, Replayed}
	for i, room := range Rooms(split) {
		a, b := main[:2], main[2:]
		if i%2 == 1 && !small {
			a, b = b, a
		}
		if small {
			b = a
		}
		add(room, "day", 720, a, slices.Concat(loops, Covers)...)
		add(room, "night", 720, b, slices.Concat(loops, Covers)...)
		add(room, "wind", 720, a, Live, Frozen, Copied, Aligned, Shifted, Replayed, "hand", "bag")
		add(room, "drift", 720, b, Live, Frozen, "defocus")
		if small {
			continue
		}
		add(room, []string{"indoor", "filter"}[i%2], 720, []string{[]string{"x264-cbr-g15", "x264-crf23-g60"}[i/2%2]}, Live, Frozen, Copied, Aligned, "hand", "black")
		add(room, []string{"night", "day", "indoor"}[i%3], 1080, []string{a[1], b[0]}[i%2:][:1], Live, Frozen, Copied, Aligned, "bag", "defocus")
		add(room, []string{"day", "night", "wind"}[i%3], 1080, []string{a[0], b[1]}[i%2:][:1], Live, Frozen, Copied, Shifted, "hand")
	}
	// Room by room in turn, so that a corpus that is not yet whole has all of them.
	each := len(takes) / len(Rooms(split))
	turns := make([]Take, 0, len(takes))
	for i := range each {
		for r := range len(Rooms(split)) {
			turns = append(turns, takes[r*each+i])
		}
	}
	return turns
}
