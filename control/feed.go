package control

import (
	"strconv"
	"strings"
	"sync"
)

// The types of events.
const (
	EventView     = "view"
	EventAlarm    = "alarm"
	EventNotice   = "notice"
	EventAcked    = "acked" // to residents: Acked
	EventIncident = "incident"
	EventVisit    = "visit"
	EventDelivery = "delivery"
	EventReset    = "reset"
)

// event is something that people may have to hear, before anybody's eyes are considered.
type event struct {
	n         uint64
	kind      string
	household string
	carrier   string
	courier   string
	grant     string // for views: which grant's visit is shown
	data      any    // View, Alarm, Acked, Incident, Visit, Delivery
	size      int    // of data in bytes, about; 0: a few hundred
}

// maxEvents bounds what a reader may fall behind: at ten views a second, a minute and a half. One that is further behind is told to
// fetch everything anew.
const maxEvents = 1024

// maxFeed bounds what the newest events hold, in bytes: a hub that shows views of a megabyte takes no more of the service's memory (T20).
const maxFeed = 64 << 20

// feed is the newest events, for any number of readers at their own pace.
type feed struct {
	mu    sync.Mutex
	boot  string // names this feed: an ID of another one cannot be resumed
	next  uint64
	ring  []event // oldest first
	size  int     // of them
	fresh chan struct{}
}

func (f *feed) start(boot string) { f.boot, f.fresh = boot, make(chan struct{}) }

func (f *feed) add(events ...event) {
	if len(events) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range events {
		e.n = f.next
		f.next++
		f.ring = append(f.ring, e)
		f.size += e.size
	}
	over := max(0, len(f.ring)-maxEvents)
	for i := range f.ring {
		if i >= over && f.size <= maxFeed {
			break
		}
		f.size -= f.ring[i].size
		over = max(over, i+1)
	}
	if over > 0 {
		clear(f.ring[:over]) // what they held is free; append moves the rest only when its array is full, not at every event
		f.ring = f.ring[over:]
	}
	close(f.fresh)
	f.fresh = make(chan struct{})
}

// after gives the events behind an ID; whole is false if some of them are gone. wait is closed when there are more.
func (f *feed) after(id string) (events []event, newest string, whole bool, wait <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	newest = f.boot + "-" + strconv.FormatUint(f.next, 10)
	boot, num, ok := strings.Cut(id, "-")
	n, err := strconv.ParseUint(num, 10, 64)
	first := f.next - uint64(len(f.ring))
	if !ok || boot != f.boot || err != nil || n > f.next || n < first {
		return nil, newest, false, f.fresh
	}
	return append([]event(nil), f.ring[n-first:]...), newest, true, f.fresh
}

// Event is one event as an account may see it.
type Event struct {
	ID   string // resume after this one
	Type string
	Data any
}

// Events gives what this account may hear of behind an event's ID ("" is from now on). next is the ID to ask with again,
// once wait is closed. If the ID cannot be resumed, the one event is a reset: fetch everything anew.
func (s *Service) Events(who Account, after string) (events []Event, next string, wait <-chan struct{}) {
	all, newest, whole, wait := s.feed.after(after)
	if !whole {
		if after == "" {
			return nil, newest, wait
		}
		return []Event{{ID: newest, Type: EventReset, Data: struct{}{}}}, newest, wait
	}
	for _, e := range all {
		if data, ok := see(who, e); ok {
			events = append(events, Event{ID: s.feed.boot + "-" + strconv.FormatUint(e.n+1, 10), Type: e.kind, Data: data})
		}
	}
	return events, newest, wait
}
