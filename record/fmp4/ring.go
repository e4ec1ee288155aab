package fmp4

import "time"

// pictureCost is what a picture takes beside its bytes: its entry, twice while the slice grows, and the allocator's rounding.
const pictureCost = 320

// ring is the pictures in memory, oldest first: the pre-roll, and behind it what waits for the disk. It is not safe
// for concurrent use.
type ring struct {
	pics  []picture
	next  uint64 // seq of the next picture
	bytes int64
}

// first is the seq of the oldest picture in memory, or next if there is none.
func (r *ring) first() uint64 { return r.next - uint64(len(r.pics)) }

// from gives the pictures with seq in [a, b), as far as they are in memory. The slice must not be kept past the next drop.
func (r *ring) from(a, b uint64) []picture {
	a, b = min(max(a, r.first()), r.next), min(b, r.next)
	if a >= b {
		return nil
	}
	return r.pics[a-r.first() : b-r.first()]
}

func (r *ring) push(p picture) {
	p.seq = r.next
	r.next++
	r.bytes += int64(len(p.data)) + pictureCost
	r.pics = append(r.pics, p)
}

// drop forgets the n oldest pictures.
func (r *ring) drop(n int) {
	for i := range n {
		r.bytes -= int64(len(r.pics[i].data)) + pictureCost
		r.pics[i] = picture{} // its bytes are free now, not when the slice moves
	}
	r.pics = r.pics[n:]
}

// trim forgets what no pre-roll will need: everything before the newest key picture that is at least span older than
// the newest picture; but nothing from seq held on.
func (r *ring) trim(span time.Duration, held uint64) {
	if len(r.pics) == 0 {
		return
	}
	limit := r.pics[len(r.pics)-1].arrival - span
	n := 0
	for i, p := range r.pics {
		if p.arrival > limit || p.seq > held {
			break
		}
		if p.key {
			n = i
		}
	}
	r.drop(n)
}

// shrink forgets pictures until memory holds no more than limit: first those before seq held, which are on disk or
// wanted by nobody; then, GOP by GOP, those that were still wanted, from seq lost up to the new first. What is left of
// the wanted begins with a key picture; keyless says that none is left, so that decoding must wait for the next one.
func (r *ring) shrink(limit int64, held uint64) (lost uint64, keyless bool) {
	for r.bytes > limit && r.first() < min(held, r.next) {
		r.drop(1)
	}
	lost = r.first()
	for r.bytes > limit && len(r.pics) > 0 {
		n := 1
		for n < len(r.pics) && !r.pics[n].key {
			n++
		}
		r.drop(n)
		keyless = len(r.pics) == 0
	}
	return lost, keyless
}

// preroll is the seq at which a recording that is started at time now begins: the key picture that the oldest picture of the
// last span needs. open says that the newest connection still lives: its pictures to come may need their key picture.
func (r *ring) preroll(now, span time.Duration, conn uint64, open bool) uint64 {
	at := len(r.pics)
	for at > 0 && r.pics[at-1].arrival >= now-span {
		at--
	}
	if at == len(r.pics) && (!open || at == 0 || r.pics[at-1].conn != conn) {
		return r.next
	}
	if at == len(r.pics) {
		at--
	}
	for i := at; i >= 0; i-- {
		if r.pics[i].key {
			return r.pics[i].seq
		}
	}
	for i := at; i < len(r.pics); i++ {
		if r.pics[i].key {
			return r.pics[i].seq
		}
	}
	return r.next
}
