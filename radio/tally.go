package radio

import (
	"slices"
	"time"
)

// Five in a second make a flood. One frame alone is a sign already: measured in docs/LAB.md, it takes the picture away for
// seconds, and a rule by rate alone would not see it.
const (
	FloodFrames = 5
	FloodWithin = time.Second
)

// maxReason is the largest reason code that IEEE 802.11-2020 gives out (table 9-49).
const maxReason = 66

// Frame is a management frame that ends a connection, as it was heard.
type Frame struct {
	Disassociation bool // else deauthentication
	Protected      bool // encrypted: its reason cannot be read
	Retry          bool // sent again because nobody answered
	Reason         uint16
	To, From       Addr
	Network        Addr   // the access point's address (BSSID)
	Sequence       uint16 // 0 to 4095
}

// Tally makes signs of frames: each frame is one, five in a second are a flood, which is told again each second.
type Tally struct {
	source   string
	networks []Addr

	recent  [FloodFrames]time.Duration // newest frames, a ring
	next    int
	full    bool
	last    Frame
	heard   bool
	flood   bool
	began   time.Duration // of the flood
	newest  time.Duration // its newest frame
	frames  int           // of the flood
	toldAt  time.Duration
	station Addr
}

// NewTally counts frames of these networks; of all, if none is named.
func NewTally(source string, networks ...Addr) *Tally {
	return &Tally{source: source, networks: slices.Clone(networks)}
}

// Frame takes a frame and gives its sign, if there is something new to tell. at never goes back.
func (t *Tally) Frame(at time.Duration, f Frame) (Sign, bool) {
	if len(t.networks) > 0 && !slices.Contains(t.networks, f.Network) {
		return Sign{}, false
	}
	if t.heard && f.Retry && f.From == t.last.From && f.To == t.last.To && f.Sequence == t.last.Sequence {
		return Sign{}, false // one frame, sent until somebody answers: a device that has gone does not
	}
	t.last, t.heard = f, true
	s := Sign{Kind: Deauthentication, From: at, At: at, Count: 1, Source: t.source, Station: f.station(), Reason: f.Reason, Protected: f.Protected}
	if f.Disassociation {
		s.Kind = Disassociation
	}
	if f.Protected {
		s.Reason = 0
		return s, true // it does not count into a flood: a stranger's would be dropped
	}
	if f.Reason == 0 || f.Reason > maxReason {
		s.Kind = WrongReason
	}
	s.Leaving = f.From != f.Network && (f.Reason == 3 || f.Reason == 8) // "leaving": its own word, in either kind of frame
	return t.count(at, s)
}

// count looks whether a sign is part of a flood.
func (t *Tally) count(at time.Duration, s Sign) (Sign, bool) {
	if t.flood && at-t.newest <= FloodWithin {
		t.frames++
		t.newest = at
		if s.Station != t.station {
			t.station = Addr{}
		}
		if at-t.toldAt < FloodWithin {
			return Sign{}, false
		}
		t.toldAt = at
		return t.flooded(s), true
	}
	t.flood = false
	t.recent[t.next] = at
	t.next = (t.next + 1) % FloodFrames
	t.full = t.full || t.next == 0
	oldest := t.recent[t.next]
	if !t.full || at-oldest > FloodWithin {
		return s, true
	}
	t.flood, t.began, t.newest, t.frames, t.toldAt, t.station = true, oldest, at, FloodFrames, at, s.Station
	t.full, t.next = false, 0
	return t.flooded(s), true
}

func (t *Tally) flooded(s Sign) Sign {
	return Sign{Kind: Flood, From: t.began, At: t.newest, Count: t.frames, Source: t.source, Station: t.station, Reason: s.Reason}
}

// station is the side of a frame that is not the access point; zero for everybody.
func (f Frame) station() Addr {
	a := f.To
	if f.From != f.Network {
		a = f.From
	}
	if a[0]&1 == 1 { // a group's address
		return Addr{}
	}
	return a
}

// Three times in a minute is a device that goes and comes again.
const (
	ChurnTimes  = 3
	ChurnWithin = time.Minute
	// maxStations bounds what is remembered of devices that an access point told of; the longest silent one is forgotten.
	maxStations = 64
)

// Coming counts how often devices leave their access point.
type Coming struct {
	source   string
	stations []coming
}

type coming struct {
	addr Addr
	at   [ChurnTimes]time.Duration // newest departures, a ring
	n    int
}

// NewComing counts for one access point.
func NewComing(source string) *Coming { return &Coming{source: source} }

// Left takes a departure and gives its sign: a connection that ended, or a device that comes and goes.
func (c *Coming) Left(at time.Duration, a Addr) Sign {
	s := Sign{Kind: Disconnected, From: at, At: at, Count: 1, Source: c.source, Station: a}
	k := c.of(a)
	k.at[k.n%ChurnTimes] = at
	k.n++
	if oldest := k.at[k.n%ChurnTimes]; k.n >= ChurnTimes && at-oldest <= ChurnWithin {
		s.Kind, s.From, s.Count = Churn, oldest, ChurnTimes
	}
	return s
}

// of finds what is known of a device.
func (c *Coming) of(a Addr) *coming {
	old := 0
	for i := range c.stations {
		k := &c.stations[i]
		if k.addr == a {
			return k
		}
		if k.newest() < c.stations[old].newest() {
			old = i
		}
	}
	if len(c.stations) < maxStations {
		c.stations = append(c.stations, coming{addr: a})
		return &c.stations[len(c.stations)-1]
	}
	c.stations[old] = coming{addr: a}
	return &c.stations[old]
}

func (k *coming) newest() time.Duration { return k.at[(k.n+ChurnTimes-1)%ChurnTimes] }
