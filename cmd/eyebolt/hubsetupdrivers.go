package main

import (
	"eyebolt/hub/setup"
	"eyebolt/lock/zwavejs"
)

// setupDrivers are the lock drivers as a set-up sees them, a row each: how their peers are found, how they are asked, and what of them
// stands in hub.yaml. One without a List is shown with what to do instead.
func setupDrivers() []setup.Driver {
	return []setup.Driver{
		{
			Key: "zwavejs", Name: "Z-Wave JS", Service: "_zwave-js-server._tcp", Port: 3000, Scheme: "ws", Secure: "wss", List: zwavejs.List,
			Settings: func(a setup.Access, p setup.Pick) any {
				return zwavejs.Settings{URL: a.Address, Lock: p.Lock, Contact: p.Contact, Smoke: p.Smoke, DoorSense: p.DoorSense}
			},
		},
		{
			Key: "matter", Name: "Matter server", Service: "_matter-server._tcp", Port: 5580, Scheme: "ws", Secure: "wss", Path: "/ws",
			None: "This hub has no driver for Matter yet.",
		},
		{
			Key: "homeassistant", Name: "Home Assistant", Service: "_home-assistant._tcp", Port: 8123, Scheme: "http", Secure: "https", Login: setup.Token,
			None: "This hub has no driver for Home Assistant yet. A lock that Home Assistant drives by Zigbee2MQTT or Z-Wave JS is paired with these directly.",
		},
	}
}
