// Package home is a pretend home's lock side: one Zigbee2MQTT bridge with a lock and a contact sensor, speaking through
// a real MQTT broker, and behind them a physical truth: a bolt that takes time to travel, a door that opens only when
// nothing holds it, people who come and go. The topics, payload shapes and habits are those of Zigbee2MQTT 2.14.1.
package home

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"
)

// Config describes one home. Each home is one bridge with its own Base; any number may share a broker.
type Config struct {
	// Broker is the broker's URL, mqtt://127.0.0.1:1883; a name and password in it are used.
	Broker string
	// Base is the bridge's base topic. Default "zigbee2mqtt". Two homes on one broker need two.
	Base string
	// Lock and Contact are the devices' friendly names. Defaults "front_lock" and "front_door".
	Lock, Contact string
	// Smoke is a smoke sensor's friendly name; empty: the home has none.
	Smoke string
	// Travel is how long the bolt takes from one end to the other. Default 1.5 s, as a Danalock's; negative: no time.
	Travel time.Duration
	// ReportDelay is how long a device's message takes to the broker. Default 60 ms; negative: no time.
	ReportDelay time.Duration
	// RadioTimeout is how long the bridge tries to reach a dead device before it logs the failure. Default 2 s.
	RadioTimeout time.Duration
	// AutoLock throws the bolt by itself that long after it was drawn, door open or not. 0: never.
	AutoLock time.Duration
	// Supervision is how often both devices report bolt and contact unasked, as real sensors do every hour or so. 0: never,
	// and then a hub that has just started does not know the door until somebody moves it.
	Supervision time.Duration
	// Cache makes the bridge repeat old values in every payload, as Zigbee2MQTT does until a device's filtered_cache
	// setting names them. False: filtered_cache is set as Eyebolt's manual asks.
	Cache bool
	// DoorSense gives the lock its own door sense (door_state).
	DoorSense bool
	// Retain makes the bridge publish device states retained (the device's retain setting).
	Retain bool
	// Now is the monotonic clock of Events and Truth. Default: time since Start.
	Now func() time.Duration
	// Events, if set, hears of everything that happens, in order, from one goroutine at a time. It must not call back
	// into the Home and must not block.
	Events func(Event)
	// Log may be nil.
	Log *slog.Logger
}

func (c *Config) complete() (*url.URL, error) {
	u, err := url.Parse(c.Broker)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("home: broker %q is no URL such as mqtt://127.0.0.1:1883", c.Broker)
	}
	def := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	span := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
		*d = max(*d, 0)
	}
	def(&c.Base, "zigbee2mqtt")
	def(&c.Lock, "front_lock")
	def(&c.Contact, "front_door")
	if c.Lock == c.Contact || c.Lock == c.Smoke || c.Contact == c.Smoke {
		return nil, errors.New("home: lock, contact and smoke sensor need different names")
	}
	span(&c.Travel, 1500*time.Millisecond)
	span(&c.ReportDelay, 60*time.Millisecond)
	span(&c.RadioTimeout, 2*time.Second)
	if c.Now == nil {
		start := time.Now()
		c.Now = func() time.Duration { return time.Since(start) }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return u, nil
}
