package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// place names the lock that a door's orders go to, as far as its configuration says: the same words for the same lock, whichever state
// folder or door names it. One lock that is named once by its number and once by its name, or reached through two bridges, has two.
func (c LockConfig) place() string {
	switch {
	case c.MQTT != nil:
		m := c.MQTT
		to := or(m.Base, "zigbee2mqtt") + "/" + m.Lock + "/set"
		switch {
		case m.Convention == "homeassistant" && m.HomeAssistant != nil:
			to = m.HomeAssistant.CommandTopic
		case m.Convention == "template" && m.Template != nil:
			to = m.Template.Unlock.Topic + " " + m.Template.Unlock.Payload
		}
		return "mqtt " + server(m.Broker, "1883", "8883") + " " + to
	case c.ZWaveJS != nil:
		return "zwavejs " + server(c.ZWaveJS.URL, "80", "443") + " " + c.ZWaveJS.Lock
	case c.Matter != nil:
		return "matter " + server(c.Matter.URL, "80", "443") + " " + c.Matter.Lock
	case c.Modbus != nil:
		return fmt.Sprintf("modbus %s %d %s", server("tcp://"+c.Modbus.Address, "502", "502"), max(c.Modbus.Unit, 1), strings.TrimSpace(c.Modbus.Draw))
	case c.HomeAssistant != nil:
		return "homeassistant " + server(c.HomeAssistant.URL, "80", "443") + " " + c.HomeAssistant.Lock
	}
	return ""
}

// server is the host and port of an address, the same with and without TLS; every name of this machine's loopback is one.
func server(address, port, secure string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.Unmap().IsLoopback() {
		host = "localhost"
	}
	if p := u.Port(); p != "" {
		port = p
	} else if strings.HasSuffix(u.Scheme, "s") {
		port = secure
	}
	return host + ":" + port
}

// oneLockEach refuses two doors that name one lock: what one of them bolts, the other would draw, and each would take the other's orders
// for somebody's.
func (cfg HubConfig) oneLockEach() error {
	by := map[string]string{}
	for _, d := range cfg.Doors {
		at := d.Lock.place()
		if at == "" {
			continue
		}
		if other, ok := by[at]; ok {
			return fmt.Errorf("hub: the doors %s and %s name one lock: give each door its own, or remove one of them", other, d.Name)
		}
		by[at] = d.Name
	}
	return nil
}

// holdLocks keeps every other Eyebolt of this machine away from the locks of these doors until release, whatever its state folder. The
// system releases them when this process ends, however it ends. Another machine, or a container with a network of its own, is not seen.
func holdLocks(doors []DoorConfig) (release func() error, err error) {
	var held []func() error
	release = func() error {
		var errs []error
		for _, r := range held {
			errs = append(errs, r())
		}
		return errors.Join(errs...)
	}
	for _, d := range doors {
		at := d.Lock.place()
		if at == "" {
			continue
		}
		sum := sha256.Sum256([]byte(at))
		r, err := holdName("eyebolt-lock-" + hex.EncodeToString(sum[:16]))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("door %s: %w", d.Name, err), release())
		}
		held = append(held, r)
	}
	return release, nil
}

// errHeld says that a lock is driven already. The state folder need not be the same.
var errHeld = errors.New("another hub, set-up or walk test of this machine drives this lock, with another state folder: stop it first, or give this door its own lock")
