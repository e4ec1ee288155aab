package main

import (
	"eyebolt/hub/setup"
	"eyebolt/lock/matter"
	"eyebolt/lock/mqtt"
	"eyebolt/lock/zwavejs"
)

// setupDrivers are the lock drivers as a set-up sees them, a row each: how their peers are found, how they are asked, and what of them
// stands in hub.yaml. One without a List is shown with what to do instead.
func setupDrivers() []setup.Driver {
	return []setup.Driver{
		{
			Key: "mqtt", Name: "Zigbee2MQTT", Service: "_mqtt._tcp", Port: 1883, Scheme: "mqtt", Secure: "mqtts", Login: setup.Password, List: mqtt.List,
			Settings: func(a setup.Access, p setup.Pick) any {
				return mqtt.Settings{Broker: a.Address, Username: a.User, PasswordFile: a.SecretFile, Lock: p.Lock, Contact: p.Contact, Smoke: p.Smoke}
			},
		},
		{
			Key: "zwavejs", Name: "Z-Wave JS", Service: "_zwave-js-server._tcp", Port: 3000, Scheme: "ws", Secure: "wss", List: zwavejs.List,
			Settings: func(a setup.Access, p setup.Pick) any {
				return zwavejs.Settings{URL: a.Address, Lock: p.Lock, Contact: p.Contact, Smoke: p.Smoke, DoorSense: p.DoorSense}
			},
		},
		{
			Key: "matter", Name: "Matter server", Port: 5580, Scheme: "ws", Secure: "wss", Path: "/ws", List: matter.List,
			Settings: func(a setup.Access, p setup.Pick) any {
				return matter.Settings{URL: a.Address, Lock: p.Lock, Contact: p.Contact, Smoke: p.Smoke, DoorSense: p.DoorSense}
			},
		},
		{
			Key: "homeassistant", Name: "Home Assistant", Service: "_home-assistant._tcp", Port: 8123, Scheme: "http", Secure: "https", Login: setup.Token,
			None: "A lock is paired at what drives it: Zigbee2MQTT, Z-Wave JS or the Matter server, which may run as add-ons of Home Assistant: type their address below. One that Home Assistant alone drives is written by hand, as docs/OPERATING.md says.",
		},
	}
}
