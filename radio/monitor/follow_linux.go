package monitor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"eyebolt/radio"
)

// look is how long a read may wait before it looks whether it should end.
const look = 250 * time.Millisecond

// Follow hears the interface cfg.Device, which must be in monitor mode already, on the network's channel. It needs CAP_NET_RAW.
// It is a [radio.Follow].
func Follow(ctx context.Context, cfg radio.Config, tell func(radio.Sign)) error {
	dev, err := net.InterfaceByName(cfg.Device)
	if err != nil {
		return fmt.Errorf("monitor %s: %w", cfg.Device, err)
	}
	const all = unix.ETH_P_ALL
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0) // bound below: nothing of other interfaces comes in between
	if err != nil {
		if errors.Is(err, unix.EPERM) {
			err = fmt.Errorf("%w: give the hub CAP_NET_RAW (AmbientCapabilities=CAP_NET_RAW in its unit)", err)
		}
		return fmt.Errorf("monitor %s: %w", cfg.Device, err)
	}
	defer func() { _ = unix.Close(fd) }()
	wait := unix.NsecToTimeval(look.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		return fmt.Errorf("monitor %s: %w", cfg.Device, err)
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all<<8&0xff00 | all>>8, Ifindex: dev.Index}); err != nil {
		return fmt.Errorf("monitor %s: %w", cfg.Device, err)
	}
	tally := radio.NewTally("monitor "+cfg.Device, cfg.Networks...)
	buf := make([]byte, 4096) // a management frame is at most 2304 bytes; of a longer one the begin is enough
	bad := 0
	for ctx.Err() == nil {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("monitor %s: %w", cfg.Device, err)
		}
		f, ok, err := Parse(buf[:n])
		if err != nil {
			if bad++; bad == 1000 {
				return fmt.Errorf("monitor %s: %d frames without a radiotap header: put the interface into monitor mode (iw dev %s set type monitor)", cfg.Device, bad, cfg.Device)
			}
			continue
		}
		if !ok {
			bad = 0
			continue
		}
		if s, ok := tally.Frame(cfg.Now(), f); ok {
			tell(s)
		}
	}
	return nil
}
