package mqtt_test

import (
	"net"
	"os/exec"
	"testing"
	"time"

	"eyebolt/lock"
	"eyebolt/lock/locktest"
	"eyebolt/lock/mqtt"
)

// peerWorld is the house behind the real Zigbee2MQTT, with a path between broker and driver that can be cut. Its wire is what
// mosquitto_sub hears at the broker.
type peerWorld struct {
	*world
	p     *peer
	start time.Time
}

func newPeerWorld(t testing.TB, s setup) *peerWorld {
	t.Helper()
	p := thePeer(t, s)
	w := &peerWorld{p: p, start: time.Now()}
	w.world = &world{t: t, b: p.b, base: "zigbee2mqtt", now: func() time.Duration { return time.Since(w.start) }}
	w.pipe = locktest.NewPipe(t, p.b.Addr())
	w.spy = newSpy(t, p.b, w.base, w.now)
	w.publish("front_lock", "", "-r", "-n") // what a test before has planted
	w.knowsItself()
	t.Cleanup(func() {
		if sent, heard := w.unlocks(), p.house.unlocks(); heard > sent {
			t.Errorf("S12: the lock heard %d unlocks, %d were on the wire", heard, sent)
		}
	})
	return w
}

// knowsItself sees to it that Zigbee2MQTT's description of itself is at the broker: to one that lost it with its power, Zigbee2MQTT
// does not give it anew before it is started again, and a driver that starts meanwhile believes less.
func (w *peerWorld) knowsItself() {
	w.t.Helper()
	host, port, _ := net.SplitHostPort(w.b.Addr())
	for range 2 {
		if exec.Command("mosquitto_sub", "-h", host, "-p", port, "-t", w.base+"/bridge/info", "-C", "1", "-W", "3").Run() == nil {
			return
		}
		w.Peer(false)
		w.Peer(true)
	}
	w.t.Fatal("Zigbee2MQTT does not tell of itself")
}

func (w *peerWorld) harness() locktest.Harness {
	return locktest.Harness{
		Open:     mqtt.Open,
		Config:   lock.Config{Name: "front", Now: w.now, Settings: w.settings()},
		World:    w,
		Patience: 60 * time.Second, // a Zigbee2MQTT that was killed needs some five seconds, and more where it is starved
		Refusals: 5,                // likewise: it must answer within half a second before an order
	}
}

func (w *peerWorld) Truth() (lock.Bolt, lock.Door) { return w.p.house.truth() }
func (w *peerWorld) Hand(to lock.Bolt)             { w.p.house.hand(to) }
func (w *peerWorld) Door(open bool)                { w.p.house.door(open) }
func (w *peerWorld) Lie(l locktest.Lie)            { w.p.house.do(func() { w.p.house.lie = l }) }

func (w *peerWorld) Battery(percent int) {
	w.p.house.do(func() {
		w.p.house.battery = percent
		w.p.house.attribute(lockIEEE, clusterPower, 33, "uint8", 2*percent)
	})
}

func (w *peerWorld) Peer(up bool) {
	w.t.Helper()
	if !up {
		w.p.kill()
		return
	}
	if err := w.p.start(); err != nil {
		w.t.Fatal(err)
	}
}
