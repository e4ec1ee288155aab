// Package radio holds the words for signs of an attack on the air. A sign names a cause and how grave it is; it decides
// nothing: the watch stays with the age of the evidence, which is blind to causes (S6). Its sub-folders are the places where a
// machine can hear such signs.
//
// Everything here is pure: time is handed in, as a span on the hub's monotonic clock. Nothing is safe for several goroutines.
package radio

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Addr is an IEEE 802 address; the zero Addr is of nobody.
type Addr [6]byte

func (a Addr) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4], a[5])
}

// ParseAddr reads 02:00:00:00:01:00.
func ParseAddr(s string) (a Addr, err error) {
	if len(s) != 17 {
		return a, fmt.Errorf("address %q: write it as 02:00:00:00:01:00", s)
	}
	for i := range a {
		hi, lo := nibble(s[3*i]), nibble(s[3*i+1])
		if hi > 15 || lo > 15 || i < 5 && s[3*i+2] != ':' {
			return Addr{}, fmt.Errorf("address %q: write it as 02:00:00:00:01:00", s)
		}
		a[i] = hi<<4 | lo
	}
	return a, nil
}

func nibble(b byte) byte {
	switch {
	case b >= '0' && b <= '9':
		return b - '0'
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10
	case b >= 'A' && b <= 'F':
		return b - 'A' + 10
	}
	return 255
}

// Kind is what was noticed. The zero Kind is no sign.
type Kind uint8

// The kinds of signs.
const (
	NoKind Kind = iota
	// Deauthentication is a frame that ends a device's Wi-Fi connection (IEEE 802.11-2020, 9.3.3.12), heard alone. The access
	// point or the device may have sent it, or anybody in their name. One is enough for 1 to 9 s without a picture.
	Deauthentication
	// Disassociation is its older sister (9.3.3.4).
	Disassociation
	// Flood is FloodFrames of either within FloodWithin: no honest device sends so many.
	Flood
	// Unprotected is a frame of either kind that was dropped because the network protects its management frames (802.11w) and
	// this one was not: somebody forged it.
	Unprotected
	// WrongReason is a frame of either kind with a reason code that the standard does not give out (table 9-49).
	WrongReason
	// BeaconLoss is an access point that a device does not hear any more: its power is gone, or the air is noise.
	BeaconLoss
	// Churn is a device that its access point saw go and come again and again.
	Churn
	// Disconnected is a device whose connection ended, for whatever reason.
	Disconnected
	kinds
)

// Kinds is how many kinds there are, NoKind included: for arrays that have a place for each.
const Kinds = int(kinds)

var kindWords = [Kinds]string{"none", "deauth", "disassoc", "flood", "unprotected", "wrong-reason", "beacon-loss", "churn", "disconnected"}

// String is the kind's word in the record: a wire format.
func (k Kind) String() string {
	if int(k) >= Kinds {
		return kindWords[NoKind]
	}
	return kindWords[k]
}

// Severity is how grave a sign is.
type Severity uint8

// The severities, mildest first.
const (
	Info    Severity = iota // happens on honest days
	Warning                 // rare on honest days
	Attack                  // no honest device does it
)

func (s Severity) String() string { return [...]string{"info", "warning", "attack"}[min(s, Attack)] }

// Confidence is how sure it is that somebody does this on purpose.
type Confidence uint8

// The confidences, least sure first.
const (
	Low Confidence = iota
	Medium
	High
)

func (c Confidence) String() string { return [...]string{"low", "medium", "high"}[min(c, High)] }

// Sign is one thing that was noticed on the air.
type Sign struct {
	Kind Kind
	// From and At are when its first and its newest frame came, on the hub's monotonic clock.
	From, At time.Duration
	// Count is how many frames or events it stands for, 1 or more.
	Count int
	// Source is where it was noticed: "monitor wlan1".
	Source string
	// Station is whose connection it is about; zero: unknown, or everybody's.
	Station Addr
	// Reason is the frame's reason code; 0: none was heard.
	Reason uint16
	// Protected tells that the frame was encrypted as 802.11w wants it, so that a stranger cannot have made one that works.
	Protected bool
	// Leaving tells that the device itself said that it leaves.
	Leaving bool
}

// Severity is how grave the sign is.
func (s Sign) Severity() Severity {
	switch s.Kind {
	case Flood, Unprotected, WrongReason:
		return Attack
	case Deauthentication, Disassociation:
		if s.Protected || s.Leaving {
			return Info
		}
		return Warning
	case BeaconLoss, Churn:
		return Warning
	default:
		return Info
	}
}

// Confidence is how sure it is that somebody does this on purpose.
func (s Sign) Confidence() Confidence {
	switch {
	case s.Severity() == Attack:
		return High
	case s.Severity() == Info, s.Kind == BeaconLoss:
		return Low
	default:
		return Medium
	}
}

// Config is what a technology is given. Device is an interface's name or a socket's path, as the technology wants it.
type Config struct {
	Device   string
	Networks []Addr               // access points that are ours; frames of others are not looked at. Empty: all
	Now      func() time.Duration // the hub's monotonic clock
	Log      *slog.Logger
}

// Follow listens until the context ends (nil) or what it listens to goes away (an error, to be tried again later), and tells
// each sign from one goroutine. It never touches the air: it sends nothing.
type Follow func(ctx context.Context, cfg Config, tell func(Sign)) error
