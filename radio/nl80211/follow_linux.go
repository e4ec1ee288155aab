package nl80211

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"eyebolt/radio"
)

// look is how long a read may wait before it looks whether it should end.
const look = 250 * time.Millisecond

// Generic netlink's controller (Linux, include/uapi/linux/genetlink.h).
const (
	controller    = 0x10
	ctrlGetFamily = 3
	ctrlAttrID    = 1
	ctrlAttrName  = 2
	ctrlAttrGroup = 7
	groupAttrName = 1
	groupAttrID   = 2
	familyName    = "nl80211"
	groupMLME     = "mlme"
	maxMessages   = 1 << 16 // bytes of one read: a kernel message is at most a page or two
)

// tellAgain bounds how often signs of one kind are told while they rain: the kernel itself lets ten a second through.
const tellAgain = 200 * time.Millisecond

// Follow hears the interface cfg.Device. It is a [radio.Follow].
func Follow(ctx context.Context, cfg radio.Config, tell func(radio.Sign)) error {
	dev, err := net.InterfaceByName(cfg.Device)
	if err != nil {
		return fmt.Errorf("nl80211 %s: %w", cfg.Device, err)
	}
	fd, family, err := listen()
	if err != nil {
		return fmt.Errorf("nl80211 %s: %w", cfg.Device, err)
	}
	defer func() { _ = unix.Close(fd) }()
	source := "nl80211 " + cfg.Device
	var held [radio.Kinds]radio.Sign
	buf := make([]byte, maxMessages)
	for ctx.Err() == nil {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR), errors.Is(err, unix.ENOBUFS): // ENOBUFS: some were lost, more come
			continue
		case err != nil:
			return fmt.Errorf("nl80211 %s: %w", cfg.Device, err)
		}
		now := cfg.Now()
		err = messages(buf[:n], func(kind uint16, b []byte) error {
			if kind != family {
				return nil
			}
			e, err := parse(b)
			if err != nil {
				return err
			}
			s, ok := e.sign()
			if !ok || e.ifindex != uint32(dev.Index) {
				return nil
			}
			s.Source, s.From, s.At = source, now, now
			h := &held[s.Kind]
			if now-h.At < tellAgain && h.Count > 0 {
				h.Count++
				return nil
			}
			if now-h.At < radio.FloodWithin && h.Count > 0 { // the same rain
				s.From, s.Count = h.From, h.Count+1
			}
			*h = s
			tell(s)
			return nil
		})
		if err != nil {
			cfg.Log.Debug("nl80211: a message was not understood", "err", err)
		}
	}
	return nil
}

// listen opens a socket that hears nl80211's events of connections.
func listen() (fd int, family uint16, err error) {
	fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_GENERIC)
	if err != nil {
		return 0, 0, err
	}
	defer func() {
		if err != nil {
			_ = unix.Close(fd)
		}
	}()
	if err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fd, 0, err
	}
	wait := unix.NsecToTimeval(look.Nanoseconds())
	if err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		return fd, 0, err
	}
	family, group, err := find(fd)
	if err != nil {
		return fd, 0, err
	}
	return fd, family, unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, int(group))
}

// find asks the kernel for nl80211's number and that of its group of events.
func find(fd int) (family uint16, group uint32, err error) {
	name := append([]byte(familyName), 0)
	b := make([]byte, nlmsgHeader+4+4+len(name))
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], controller)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST)
	binary.NativeEndian.PutUint32(b[8:], 1)
	b[nlmsgHeader], b[nlmsgHeader+1] = ctrlGetFamily, 1
	binary.NativeEndian.PutUint16(b[nlmsgHeader+4:], uint16(4+len(name)))
	binary.NativeEndian.PutUint16(b[nlmsgHeader+6:], ctrlAttrName)
	copy(b[nlmsgHeader+8:], name)
	if err := unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, 0, err
	}
	buf := make([]byte, maxMessages)
	n, _, err := unix.Recvfrom(fd, buf, 0)
	if err != nil {
		return 0, 0, err
	}
	err = messages(buf[:n], func(kind uint16, b []byte) error {
		if kind != controller || len(b) < 4 {
			return nil
		}
		return attributes(b[4:], func(kind uint16, v []byte) error {
			switch kind {
			case ctrlAttrID:
				if len(v) == 2 {
					family = binary.NativeEndian.Uint16(v)
				}
			case ctrlAttrGroup:
				return attributes(v, func(_ uint16, one []byte) error { return mlme(one, &group) })
			}
			return nil
		})
	})
	if err == nil && (family == 0 || group == 0) {
		err = errors.New("this kernel has no nl80211: no Wi-Fi driver is loaded")
	}
	return family, group, err
}

func mlme(b []byte, group *uint32) error {
	name, id := "", uint32(0)
	err := attributes(b, func(kind uint16, v []byte) error {
		switch {
		case kind == groupAttrName:
			name = strings.TrimRight(string(v), "\x00")
		case kind == groupAttrID && len(v) == 4:
			id = binary.NativeEndian.Uint32(v)
		}
		return nil
	})
	if name == groupMLME {
		*group = id
	}
	return err
}
