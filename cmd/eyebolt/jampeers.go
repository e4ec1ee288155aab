package main

import (
	"context"
	"fmt"
	"time"
)

// forPeers says whether the peers watch this door's camera, too.
func (b *jamBench) forPeers(d *jamDoor) bool { return d.i == 0 && len(b.peers) > 0 }

// withPeers waits until every peer has read the camera for two seconds, and says whether this jam is one of theirs.
func (b *jamBench) withPeers(ctx context.Context, d *jamDoor) (bool, error) {
	b.mu.Lock()
	ours := b.forPeers(d) && b.peerRounds < b.PeerN
	if ours {
		b.peerRounds++
	}
	b.mu.Unlock()
	if !ours {
		return false, nil
	}
	if err := waitFor(ctx, 30*time.Second, func() bool { return d.cam.Readers() > len(b.peers) }); err != nil {
		return false, fmt.Errorf("a peer does not read the camera of door %s: %d of %d readers", d.name, d.cam.Readers(), len(b.peers)+1)
	}
	return true, sleep(ctx, 2*time.Second)
}

// peersNotice waits until every peer has noticed the jam that is still on.
func (b *jamBench) peersNotice(ctx context.Context, last time.Duration) error {
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	for _, p := range b.peers {
		select {
		case at := <-p.signs:
			b.mu.Lock()
			b.noticed[p.name] = append(b.noticed[p.name], at-last)
			b.mu.Unlock()
		case <-limit.C:
			return fmt.Errorf("peer %s had not noticed after a minute", p.name)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
