package rtsp

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// What the network swaps comes in order; what it doubles comes once.
func TestReorderPutsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(t, "packets")
		first := rapid.Uint16().Draw(t, "first")
		// Pictures of 20 packets, in which each four are shuffled; any may be doubled. The very first one comes first.
		order := []int{0}
		for at := 1; at < n; at += 4 - at%4 {
			four := make([]int, 0, 4)
			for i := at; i < min(n, at+4-at%4); i++ {
				four = append(four, i)
			}
			order = append(order, rapid.Permutation(four).Draw(t, "four")...)
		}
		var r reorder
		var got []uint16
		for _, i := range order {
			for range rapid.IntRange(1, 2).Draw(t, "times") {
				r.push(packet{seq: first + uint16(i), ts: uint32(i / 20)}, func(p packet) { got = append(got, p.seq) })
			}
		}
		r.flush(func(p packet) { got = append(got, p.seq) })
		if len(got) != n {
			t.Fatalf("%d packets, want %d", len(got), n)
		}
		for i, s := range got {
			if s != first+uint16(i) {
				t.Fatalf("packet %d has number %d, want %d", i, s, first+uint16(i))
			}
		}
	})
}

// A lost packet holds the stream back for no longer than one picture.
func TestReorderGivesUpSoon(t *testing.T) {
	for _, size := range []int{1, 3, 10, 40} {
		var r reorder
		var got []uint16
		held := 0
		for i := range uint16(400) {
			if i == 100 {
				continue
			}
			before := len(got)
			r.push(packet{seq: i, ts: uint32(int(i) / size)}, func(p packet) { got = append(got, p.seq) })
			if len(got) == before {
				held++
			}
		}
		if len(got) != 399 || !slices.IsSorted(got) {
			t.Errorf("pictures of %d: %d packets, sorted %v; want 399 in order", size, len(got), slices.IsSorted(got))
		}
		if want := min(size, reorderMost-1); held > want {
			t.Errorf("pictures of %d: %d packets held back, want %d at the most", size, held, want)
		}
	}
}

// A sender that begins anew at another number is followed.
func TestReorderFollowsANewStart(t *testing.T) {
	for _, to := range []uint16{30_000, 65_000, 5, 4_000} {
		var r reorder
		var got []uint16
		for i := range uint16(50) {
			r.push(packet{seq: 10_000 + i, ts: uint32(i)}, func(p packet) { got = append(got, p.seq) })
		}
		for i := range uint16(200) {
			r.push(packet{seq: to + i, ts: 1000 + uint32(i)}, func(p packet) { got = append(got, p.seq) })
		}
		if len(got) < 50+200-2*reorderMost || got[len(got)-1] != to+199 {
			t.Errorf("to %d: %d packets, the last %d; want nearly 250, %d", to, len(got), got[len(got)-1], to+199)
		}
	}
}
