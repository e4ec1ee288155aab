//go:build !linux

package main

import (
	"errors"
	"net"
)

// listenIn needs Linux for a namespace.
func listenIn(namespace string) (func(network, address string) (net.Listener, error), error) {
	if namespace != "" {
		return nil, errors.New("--netns: network namespaces are Linux's: leave it out")
	}
	return net.Listen, nil
}
