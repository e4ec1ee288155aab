package mqtt_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/mqtt"
	"eyebolt/virtual/broker"
	"eyebolt/virtual/home"

	"github.com/eclipse/paho.golang/paho"
)

// BenchmarkDoors: 25 doors on one broker; a command of each in turn, from the call until another client of the broker
// has it.
func BenchmarkDoors(b *testing.B) {
	const doors = 25
	br := startBroker(b, broker.Config{})
	begin := time.Now()
	now := func() time.Duration { return time.Since(begin) }
	heard := make(chan string, 1000)
	ear := client(b, br.URL(), func(p *paho.Publish) { heard <- p.Topic })
	if _, err := ear.Subscribe(b.Context(), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "+/front_lock/set"}}}); err != nil {
		b.Fatal(err)
	}
	locks := make([]lock.Lock, doors)
	for i := range locks {
		base := fmt.Sprintf("home%d", i)
		h, err := home.Start(b.Context(), home.Config{Broker: br.URL(), Base: base, Now: now})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(h.Close)
		var e *ears
		locks[i], e = open(b, now, mqtt.Settings{Broker: br.URL(), Base: base, Lock: "front_lock", Contact: "front_door"})
		e.wait(b, 0, "bolt", bolt(lock.BoltThrown))
	}
	await := func(b *testing.B, i int) {
		want := fmt.Sprintf("home%d/", i)
		for !strings.HasPrefix(<-heard, want) {
		}
	}
	b.Run("lock", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			if err := locks[n%doors].Lock(b.Context()); err != nil {
				b.Fatal(err)
			}
			await(b, n%doors)
		}
	})
	b.Run("unlock", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			o := lock.Order{Visit: lock.VisitID(fmt.Sprint(n)), NotAfter: now() + time.Second}
			if err := locks[n%doors].Unlock(b.Context(), o); err != nil {
				b.Fatal(err)
			}
			await(b, n%doors)
		}
	})
}
