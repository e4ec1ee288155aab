package run

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// allowance is what one hub may say, far above what an honest one of many doors does: one that was taken over must not keep the
// others from being heard (T20). What is above it is dropped; a hub says all that matters again.
var allowance = map[string]struct {
	each  rate.Limit // per second
	burst int
}{
	"beat":  {20, 50},   // an honest hub sends at most ten
	"log":   {50, 100},  // one after the other, each answered
	"view":  {200, 400}, // a watch that flaps at one door sends a hundred; a start shows every door
	"alarm": {10, 300},  // a restart tells 256 again
}

// floods counts what each hub says.
type floods struct {
	mu sync.Mutex
	by map[source]*rate.Limiter // bounded by the hubs that the bus lets in
}

type source struct{ hub, what string }

// pass says whether one more message is within a hub's allowance.
func (f *floods) pass(now time.Time, hub, what string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := source{hub, what}
	l := f.by[k]
	if l == nil {
		if f.by == nil {
			f.by = map[source]*rate.Limiter{}
		}
		a := allowance[what]
		l = rate.NewLimiter(a.each, a.burst)
		f.by[k] = l
	}
	return l.AllowN(now, 1)
}
