package liveness

import (
	"math/bits"
	"time"
)

// keyReach bounds how many entries of one chain are looked at: with a bucket for each entry, eight is the longest chain that
// random hashes make, and nobody can choose them without choosing the pictures.
const keyReach = 64

// keys remembers key pictures for hours: 65536 of them are 36.4 h with one every 2 s, so that a clip recorded yesterday at this
// time is known by its first one. It is exact: the newest n are all found, whatever their hashes. An entry takes 16 bytes: 1 MiB
// for 65536, and never more.
//
// Two different key pictures meet by chance with 63 bits of hash: 65536/2^63 = 7.1e-15 a key picture, one in 9 million years of
// a camera that gives one every 2 s.
// The zero one remembers nothing.
type keys struct {
	ring []keyMark // in order of arrival, the n-th at n&(len-1)
	head []uint32  // the newest of each bucket, counted from 1; 0: none
	n    uint32    // how many were ever added. It wraps after 272 years
	mask uint32
}

type keyMark struct {
	hash uint64
	prev uint32 // the one before it in its bucket, counted from 1
	at   uint32 // when it arrived, in seconds of the hub's clock
}

// init makes room for n key pictures, rounded up to a power of two.
func (k *keys) init(n int) {
	const most = 1 << 22 // 64 MiB: past that the number is a mistake
	n = 1 << bits.Len(uint(min(max(n, 16), most)-1))
	k.ring, k.head, k.mask = make([]keyMark, n), make([]uint32, n), uint32(n-1)
}

// seen says whether a key picture is remembered and when it was last seen, and remembers it as the newest.
func (k *keys) seen(h uint64, at time.Duration) (before time.Duration, was bool) {
	if len(k.ring) == 0 {
		return 0, false
	}
	b := uint32(h>>32) & k.mask
	k.n++
	for i, tries := k.head[b], 0; i != 0 && k.n-i < uint32(len(k.ring)) && tries < keyReach; tries++ {
		m := &k.ring[i&k.mask]
		if m.hash == h {
			before, was = time.Duration(m.at)*time.Second, true
			break
		}
		i = m.prev
	}
	k.ring[k.n&k.mask] = keyMark{hash: h, prev: k.head[b], at: uint32(max(0, at/time.Second))}
	k.head[b] = k.n
	return before, was
}
