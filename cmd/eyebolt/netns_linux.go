package main

import (
	"fmt"
	"net"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// listenIn gives a Listen whose sockets are in a named network namespace (ip-netns(8)); empty: in this process's own. Sockets stay
// in the namespace they were made in, whoever uses them.
func listenIn(namespace string) (func(network, address string) (net.Listener, error), error) {
	if namespace == "" {
		return net.Listen, nil
	}
	path := filepath.Join("/run/netns", namespace)
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return nil, fmt.Errorf("network namespace %s: %w: make it with `ip netns add %s`", namespace, err, namespace)
	}
	return func(network, address string) (net.Listener, error) {
		type opened struct {
			l   net.Listener
			err error
		}
		got := make(chan opened, 1)
		go func() {
			// The thread comes back and lives on: children that are to die with the thread that started them (Pdeathsig) would
			// die with it else.
			runtime.LockOSThread()
			home, err := enter("/proc/thread-self/ns/net", path)
			if err != nil {
				runtime.UnlockOSThread()
				got <- opened{nil, fmt.Errorf("network namespace %s: %w", namespace, err)}
				return
			}
			l, err := net.Listen(network, address)
			got <- opened{l, err}
			if err := unix.Setns(home, unix.CLONE_NEWNET); err != nil {
				select {} // nobody else may run in that namespace, and the thread must not end
			}
			_ = unix.Close(home)
			runtime.UnlockOSThread()
		}()
		o := <-got
		return o.l, o.err
	}, nil
}

// enter moves this thread into the namespace at path and gives the way back.
func enter(own, path string) (home int, err error) {
	home, err = unix.Open(own, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		err = unix.Setns(fd, unix.CLONE_NEWNET)
		_ = unix.Close(fd)
	}
	if err != nil {
		_ = unix.Close(home)
	}
	return home, err
}
