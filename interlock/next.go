package interlock

// Next is for how long time alone changes nothing: a [Step] that lets less time pass, and takes no news, gives no command and
// leaves what every method but Left tells as it is. It is never 0, and at most the longest limit.
//
// Like pass, it looks at every span that the phase counts, and at every value that gives one a meaning, whether or not anything
// waits for it: Next may be too short, which costs a look at the clock, and never too long.
func (s *State) Next() Millis {
	l, next := &s.lim, longest
	until := func(span, means Millis) {
		if span < means {
			next = min(next, means-span)
		}
	}
	until(s.live, l.Arming)
	until(s.service, past(l.Service))
	until(s.boltAge, past(l.BoltStale))
	until(s.doorAge, past(l.DoorStale))
	until(s.mark, l.RetryLock)
	until(s.told, l.AlarmAgain)
	until(s.polled, l.Poll)
	until(0, s.owed)
	switch s.phase {
	case Arming:
		until(s.waited, l.Wait)
	case Ready:
		until(s.waited, l.Wait)
		until(s.nonce, l.Slide)
	case Held:
		until(s.held, l.Hold)
	case Deciding:
		until(s.waited, l.Wait)
		until(s.nonce, past(l.Slide))
		until(s.in, past(l.Durable))
	case Unlocked, Unproven:
		until(s.in, l.Enter)
	case Opened:
		until(s.opened, l.Open)
	case Closing:
		until(s.in, l.Close)
		until(s.opened, l.Open)
	case Secured:
		until(s.outIn, l.Out)
	case Tail:
		until(s.in, l.Tail)
	}
	return next
}
