package rtsp

import (
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"eyebolt/camera"
)

// backoff says how long to wait before the next try: at first a moment, since most breaks are a moment's; then twice as long
// each time, so that a camera that is off is not hammered; and each time a part of that by chance, so that cameras that
// went off together do not come back in step.
type backoff struct{ n int }

func (b *backoff) reset() { b.n = 0 }

func (b *backoff) next(err error, lim limits, rng *rand.Rand) time.Duration {
	most := lim.most
	if errors.Is(err, camera.ErrCredentials) {
		most = lim.refused
	}
	span := lim.first << min(b.n, 20)
	if b.n++; span > most || span <= 0 {
		span = most
	}
	// Between half of it and all of it.
	return span/2 + time.Duration(rng.Int64N(int64(span/2)+1))
}

// steady is how long a connection must have lasted for the next break to count as the first.
func (l limits) steady() time.Duration { return l.most }

// jitter is a source of chance that differs from camera to camera and is the same in every run.
func jitter(parts ...string) *rand.Rand {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p)) // never fails
	}
	return rand.New(rand.NewPCG(h.Sum64(), 0))
}
