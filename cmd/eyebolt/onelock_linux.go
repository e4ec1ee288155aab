package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// holdName takes a name in Linux's abstract socket namespace (unix(7)): one for all users of this machine's network, gone with its
// process, and seen in spite of a private /tmp. Nobody is answered there.
func holdName(name string) (release func() error, err error) {
	at := &net.UnixAddr{Name: "@" + name, Net: "unix"}
	l, err := net.ListenUnix("unix", at)
	if errors.Is(err, syscall.EADDRINUSE) {
		if pid := holder(at); pid > 0 {
			return nil, fmt.Errorf("%w (process %d)", errHeld, pid)
		}
		return nil, errHeld
	}
	if err != nil {
		return nil, fmt.Errorf("its lock cannot be kept from others: %w", err)
	}
	return l.Close, nil
}

// holder is the process that holds a name; 0: not known.
func holder(at *net.UnixAddr) (pid int) {
	c, err := net.DialUnix("unix", nil, at)
	if err != nil {
		return 0
	}
	defer func() { _ = c.Close() }()
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) { // of no harm: the message goes without a number
		if u, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			pid = int(u.Pid)
		}
	})
	return pid
}
