package zwavejs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"eyebolt/lock"
	"eyebolt/lock/ws"
)

var _ lock.List = List

// List is a [lock.List]: the nodes that Z-Wave JS knows, without its stick, locks first. settings is a Settings or a *Settings of
// which URL and CAFile are used. The server is asked what it knows: no device is woken. It may take ws.ConnectLimit and handshakeLimit.
func List(ctx context.Context, settings any, _ *slog.Logger) ([]lock.Device, error) {
	s, ok := settings.(Settings)
	if p, isPointer := settings.(*Settings); isPointer && p != nil {
		s, ok = *p, true
	}
	if !ok {
		return nil, fmt.Errorf("lock/zwavejs: settings are a %T, want zwavejs.Settings", settings)
	}
	target, err := ws.Aim(s.URL, s.CAFile, "ws://127.0.0.1:3000")
	if err != nil {
		return nil, fmt.Errorf("lock/zwavejs: %w", err)
	}
	conn, err := ws.Open(ctx, target, maxState)
	if err != nil {
		return nil, fmt.Errorf("Z-Wave JS %w", err)
	}
	defer conn.Close()
	greet, enough := context.WithTimeout(ctx, handshakeLimit)
	defer enough()
	stop := context.AfterFunc(greet, conn.Close) // a peer that says nothing must not hold the caller
	defer stop()
	n, err := handshake(greet, conn)
	if err != nil {
		if greet.Err() != nil {
			return nil, errors.New("Z-Wave JS cannot be reached: no answer")
		}
		return nil, explain(err)
	}
	return n.devices(), nil
}

// devices are the nodes as a set-up shows them.
func (n network) devices() []lock.Device {
	var all []lock.Device
	for _, k := range n.nodes {
		if k.Controller || k.ID <= 1 || k.ID > maxNode || len(all) == lock.MostDevices {
			continue
		}
		d := lock.Device{ID: strconv.Itoa(k.ID), Name: short(k.Name), Kind: k.kind()}
		d.Make = short(strings.TrimSpace(k.Config.Maker + " " + cmp.Or(k.Config.Say, k.Config.Label)))
		if d.Name == "" {
			d.Name = short(strings.TrimSpace("Node " + d.ID + " " + k.Location))
		}
		if d.Kind == lock.KindLock {
			d.Can = lock.Can{Bolt: true, Jam: true, By: true, Battery: true, Poll: true, Door: k.has(ccDoorLock, "doorStatus", "")}
		}
		d.Why = k.unfit(d.Kind)
		all = append(all, d)
	}
	// Those that a door can use come first, locks before sensors; otherwise as the server lists them.
	rank := func(d lock.Device) int {
		r := map[lock.Kind]int{lock.KindLock: 0, lock.KindContact: 1, lock.KindSmoke: 2, lock.KindOther: 8}[d.Kind]
		if d.Why != "" {
			r += 4
		}
		return r
	}
	slices.SortStableFunc(all, func(a, b lock.Device) int { return rank(a) - rank(b) })
	return all
}

// kind says what a node is for a door, by the values that the witness reads of it.
func (k node) kind() lock.Kind {
	switch {
	case k.has(ccDoorLock, "currentMode", ""):
		return lock.KindLock
	case k.has(ccNotification, "Access Control", "Door state"), k.has(ccBinarySensor, "Door/Window", ""):
		return lock.KindContact
	case k.has(ccNotification, "Smoke Alarm", "Sensor status"), k.has(ccNotification, "CO Alarm", "Sensor status"):
		return lock.KindSmoke
	}
	return lock.KindOther
}

// has says whether a node has a value; an empty key stands for any.
func (k node) has(class int, property, key string) bool {
	return slices.ContainsFunc(k.Values, func(v value) bool {
		return v.Class == class && v.Endpoint == 0 && word(v.Property) == property && (key == "" || strings.HasPrefix(word(v.Key), key))
	})
}

// unfit says why no door can be paired to a node. A sensor that sleeps is as it should be.
func (k node) unfit(kind lock.Kind) string {
	switch {
	case k.Status == statusDead:
		return "Z-Wave JS calls it dead: check its batteries and its distance, then have Z-Wave JS ping it"
	case !k.Ready:
		return "Z-Wave JS does not know it yet: wait for its interview; a battery sensor must be woken for that"
	case kind == lock.KindLock && k.Status == statusAsleep:
		return "it sleeps, and a command would wait until it wakes: no door lock does that"
	}
	return ""
}

// short bounds a text of the server as lock.Device wants it.
func short(s string) string {
	const most = 256
	s = strings.TrimSpace(strings.ToValidUTF8(s, ""))
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
