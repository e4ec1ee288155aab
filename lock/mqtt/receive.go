package mqtt

import (
	"bytes"
	"context"
	"sync"
	"time"

	"eyebolt/lock"

	"github.com/eclipse/paho.golang/paho"
)

// topics are what the driver listens to.
func (p plan) topics() map[string]about {
	if p.shape != nil {
		return p.shape.topics()
	}
	below := p.zigbee()
	t := make(map[string]about, len(below))
	for topic, what := range below { // no order in it
		t[p.Base+"/"+topic] = what
	}
	return t
}

// zigbee is what Zigbee2MQTT says that is of interest, below its base topic.
func (p plan) zigbee() map[string]about {
	t := map[string]about{
		"bridge/state":   bridgeState,
		"bridge/info":    bridgeInfoSays,
		"bridge/devices": bridgeDevices,
		"bridge/logging": bridgeLog,

		"bridge/response/health_check": bridgeAnswers,
		p.Lock:                         lockState,
		p.Lock + "/availability":       lockAvailable,
		p.Lock + "/set":                lockSet,
		p.Lock + "/get":                lockGet,
	}
	if p.Contact != "" {
		t[p.Contact] = contactState
	}
	if p.Smoke != "" {
		t[p.Smoke] = smokeState
	}
	return t
}

func (d *driver) subscriptions() []paho.SubscribeOptions {
	var s []paho.SubscribeOptions
	for t, what := range d.plan.topics() {
		// Of an order it matters whether its sender had it retained; of a state, whether the broker kept it.
		s = append(s, paho.SubscribeOptions{Topic: t, RetainAsPublished: what == lockSet || what == plainOrder})
	}
	return s
}

// receive sorts one publication into the inbox; it runs in the connection's reader and never waits.
func (d *driver) receive(p paho.PublishReceived) (bool, error) {
	what, known := d.topicAbout(p.Packet.Topic)
	if !known {
		return false, nil
	}
	topic := ""
	payload := p.Packet.Payload
	switch what {
	case bridgeLog:
		// At its usual level the bridge logs every publication; only errors are of interest.
		if !bytes.Contains(payload, []byte(`"error"`)) {
			return true, nil
		}
		payload = head(payload, maxState)
	case bridgeAnswers: // awaited by an order, which must not wait behind what the witness has not read
		if !p.Packet.Retain {
			d.proofs.take(payload)
		}
		return true, nil
	case bridgeInfoSays, bridgeDevices: // up to maxPacket: of each only the newest is kept
		d.newest.put(what, payload)
		payload = nil
	case connectionUp, connectionDown, plainAsked, plainOrdered: // not from a topic
	case plainOnline, plainSays, plainOrder:
		topic, payload = p.Packet.Topic, head(payload, maxState+1)
	case bridgeState, lockState, lockAvailable, lockSet, lockGet, contactState, smokeState:
		payload = head(payload, maxState+1) // enough to see that it is too long
	}
	d.put(message{about: what, topic: topic, payload: payload, retained: p.Packet.Retain})
	return true, nil
}

// head is the payload, or a copy of its beginning: a part of it would keep the whole packet in memory while it waits.
func head(payload []byte, limit int) []byte {
	if len(payload) <= limit {
		return payload
	}
	return bytes.Clone(payload[:limit])
}

// newest holds what may be large and of which only the newest counts, until the witness takes it: a flood of it costs the memory of one.
type newest struct {
	mu sync.Mutex
	of map[about][]byte
}

func (n *newest) put(what about, payload []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.of == nil {
		n.of = map[about][]byte{}
	}
	n.of[what] = payload
}

// take gives it once; ok is false when it was taken before.
func (n *newest) take(what about) (payload []byte, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	payload, ok = n.of[what]
	delete(n.of, what)
	return payload, ok
}

func (d *driver) topicAbout(topic string) (about, bool) {
	d.once.Do(func() { d.about = d.plan.topics() })
	a, ok := d.about[topic]
	return a, ok
}

// believer turns messages into reports: a witness of Zigbee2MQTT, or of a plain convention. It has no clock; listen owns it.
type believer interface {
	take(message)
	// overflow says that messages were lost.
	overflow(at time.Duration)
	// asks says whether the lock is to be polled now, and otherwise when this is to be called again; 0: when a message came.
	asks(at time.Duration) (now bool, again time.Duration)
	// sensesDoor says that the lock has shown a door sense of its own.
	sensesDoor() bool
}

// listen owns the witness: it takes what the inbox holds and passes on what may be believed.
func (d *driver) listen(ctx context.Context) {
	defer close(d.done)
	s := lock.Speaker{Out: func(r lock.Report) {
		if r.What == lock.OfHealth {
			d.mu.Lock()
			d.healthy = r.Err
			d.mu.Unlock()
		}
		if r.What == lock.OfBolt && r.Bolt != lock.BoltUnknown {
			d.mu.Lock()
			d.spoke = r.At
			d.mu.Unlock()
		}
		if ctx.Err() == nil {
			d.report(r)
		}
	}}
	var w believer = newWitness(d.plan.Settings, d.log, s.Say)
	if d.plan.shape != nil {
		w = newPlain(d.plan.shape, d.log, s.Say)
	}
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.inbox.Ready():
		case <-again.C:
		}
		queue, lost := d.inbox.Take()
		if lost {
			w.overflow(d.now())
		}
		for i := range queue {
			if what := queue[i].about; what == bridgeInfoSays || what == bridgeDevices {
				payload, ok := d.newest.take(what)
				if !ok {
					continue
				}
				queue[i].payload = payload
			}
			w.take(queue[i])
		}
		waits := s.Flush(d.now())
		now, pause := w.asks(d.now())
		if now {
			if err := d.Poll(ctx); err != nil {
				d.log.Debug("poll", "err", err) // asked again after the pause
			}
		}
		if w.sensesDoor() {
			d.mu.Lock()
			d.senses = true
			d.mu.Unlock()
		}
		switch {
		case waits:
			again.Reset(lock.SpeakerGap)
		case pause > 0:
			again.Reset(pause)
		}
	}
}
