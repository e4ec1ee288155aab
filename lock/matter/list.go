package matter

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"eyebolt/lock"
	"eyebolt/lock/ws"
)

var _ lock.List = List

// maxDeviceText is lock.Device's bound of a text.
const maxDeviceText = 256

// List asks the Matter server for its nodes (lock.List). given is a Settings or a *Settings, of which url and ca_file are used.
func List(ctx context.Context, given any, _ *slog.Logger) ([]lock.Device, error) {
	s, err := settings(given)
	if err != nil {
		return nil, err
	}
	target, err := ws.Aim(s.URL, s.CAFile, "ws://127.0.0.1:5580/ws")
	if err != nil {
		return nil, fmt.Errorf("lock/matter: %w", err)
	}
	conn, err := ws.Open(ctx, target, maxState)
	if err != nil {
		return nil, fmt.Errorf("lock/matter: the Matter server %w", err)
	}
	defer conn.Close()
	greet, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	n, err := handshake(greet, conn)
	if err != nil {
		return nil, fmt.Errorf("lock/matter: %w", ws.Explain("the Matter server", err))
	}
	return n.devices(), nil
}

// devices are what can be told of each node, those first that a door can use.
func (n network) devices() []lock.Device {
	kinds := []struct {
		kind    lock.Kind
		cluster uint32
	}{{lock.KindLock, clusterLock}, {lock.KindContact, clusterBoolean}, {lock.KindSmoke, clusterSmoke}}
	var all, others []lock.Device
	for _, k := range n.nodes {
		used := false
		for _, kind := range kinds {
			has := k.endpoints(kind.cluster)
			for _, endpoint := range has {
				used = true
				d := k.device(kind.kind)
				if len(has) > 1 {
					d.ID += fmt.Sprintf("/%d", endpoint)
				}
				if kind.kind == lock.KindLock {
					d.Can = lock.Can{Bolt: true, Jam: true, By: true, Battery: true, Poll: true}
					_, d.Can.Door = k.Attributes[path{endpoint, clusterLock, attrDoorState}.String()]
					d.PIN = k.needsPIN(endpoint)
					if k.bridges(endpoint) {
						d.Why = "a bridge answers for it from memory: pair the lock itself, or use the driver of its own radio"
					}
				}
				all = append(all, k.judged(d))
			}
		}
		if !used {
			others = append(others, k.judged(k.device(lock.KindOther)))
		}
	}
	slices.SortStableFunc(all, func(a, b lock.Device) int { return rank(a) - rank(b) })
	return append(all, others...)[:min(len(all)+len(others), lock.MostDevices)]
}

func rank(d lock.Device) int {
	if d.Why != "" {
		return int(lock.KindSmoke) + 1
	}
	return int(d.Kind)
}

func (k node) device(kind lock.Kind) lock.Device {
	clip := func(s string) string { return s[:min(len(s), maxDeviceText)] }
	make := k.text(attrVendorName) + " " + k.text(attrProductName)
	return lock.Device{ID: fmt.Sprint(k.ID), Name: clip(k.label()), Make: clip(make), Kind: kind}
}

// judged says why no door can be paired to a device, if so.
func (k node) judged(d lock.Device) lock.Device {
	switch {
	case d.Why != "":
	case k.ID >= testNodes:
		d.Why = "an imported test node, which answers from a file"
	case d.Kind == lock.KindOther:
		d.Why = "neither a lock, nor a contact, nor a smoke alarm"
	}
	return d
}
