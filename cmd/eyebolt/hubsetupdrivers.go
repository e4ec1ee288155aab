package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"strings"

	"eyebolt/hub/setup"
	"eyebolt/lock"
	"eyebolt/lock/homeassistant"
	"eyebolt/lock/matter"
	"eyebolt/lock/mqtt"
	"eyebolt/lock/zwavejs"

	"github.com/goccy/go-yaml"
)

// setupDrivers are the lock drivers as a set-up sees them, a row each: how their peers are found, how they are asked, and what of them
// stands in hub.yaml.
func setupDrivers() []setup.Driver {
	return []setup.Driver{
		{
			Key: "mqtt", Name: "Zigbee2MQTT or MQTT", Service: "_mqtt._tcp", Port: 1883, Scheme: "mqtt", Secure: "mqtts", Login: setup.Password,
			List: listBroker, Open: mqtt.Open, Settings: mqttSettings, Families: mqttFamilies(),
		},
		{
			Key: "zwavejs", Name: "Z-Wave JS", Service: "_zwave-js-server._tcp", Port: 3000, Scheme: "ws", Secure: "wss", List: zwavejs.List, Open: zwavejs.Open,
			Settings: func(a setup.Access, p setup.Pick) any {
				return zwavejs.Settings{URL: a.Address, Lock: p.Lock, Contact: p.Contact, Smoke: p.Smoke, DoorSense: p.DoorSense}
			},
		},
		{
			Key: "matter", Name: "Matter server", Port: 5580, Scheme: "ws", Secure: "wss", Path: "/ws", List: matter.List, Open: matter.Open, Asks: matterAsks,
			Settings: func(a setup.Access, p setup.Pick) any {
				return matter.Settings{URL: a.Address, Lock: p.Lock, Contact: p.Contact, Smoke: p.Smoke, DoorSense: p.DoorSense, PINFile: p.Answers["pin"]}
			},
		},
		{
			Key: "homeassistant", Name: "Home Assistant", Service: "_home-assistant._tcp", Port: 8123, Scheme: "ws", Secure: "wss", Path: "/api/websocket", Login: setup.Token,
			List: homeassistant.List, Open: homeassistant.Open, Asks: homeAssistantAsks, Settings: homeAssistantSettings,
			LoginHelp: []string{
				"In Home Assistant, make a user for the hub: Settings, People, Users. Sign in as that user.",
				"Open its profile (its name, at the bottom left), then Security, and there Long-lived access tokens: Create token.",
				"Copy the token and paste it here. Home Assistant shows it once.",
			},
			About: "Here are the locks whose own word reaches Home Assistant with its time, as Zigbee2MQTT gives it. One of Z-Wave or Matter is better paired at Z-Wave JS or the Matter server, which may run as add-ons of Home Assistant: type their address below.",
		},
	}
}

// listBroker lists what Zigbee2MQTT has. A broker without it is one all the same: locks that speak for themselves are in no list.
func listBroker(ctx context.Context, settings any, log *slog.Logger) ([]lock.Device, error) {
	all, err := mqtt.List(ctx, settings, log)
	if errors.Is(err, mqtt.ErrNoBridge) {
		return nil, nil
	}
	return all, err
}

// matterAsks asks for the PIN of a lock that takes orders with one only.
func matterAsks(l lock.Device) []setup.Question {
	if !l.PIN {
		return nil
	}
	return []setup.Question{{
		Key: "pin", Label: "A PIN code of this lock", Secret: true, Fits: matter.CheckPIN,
		Hint: "This lock opens from afar with a PIN only. Best is one that you make for the hub alone, in the lock’s own app: then the lock’s log tells it apart, and it can be deleted alone. It must be valid at all times.",
	}}
}

// homeAssistantAsks asks how a lock of Home Assistant is asked where its bolt is, and what else it cannot tell.
func homeAssistantAsks(l lock.Device) []setup.Question {
	name := l.Name
	if checkTopic(name) != nil {
		name = ""
	}
	return []setup.Question{
		{
			Key: "name", Label: "Its name in Zigbee2MQTT", Propose: name, Fits: checkTopic,
			Hint: "The hub has Home Assistant ask the lock where its bolt is. Zigbee2MQTT may call it otherwise than Home Assistant: look at its own page, Devices, Friendly name. Then press Ask the lock.",
		},
		{Key: "base", Label: "Base topic of Zigbee2MQTT", Propose: "zigbee2mqtt", More: true, Fits: checkTopic, Hint: "It stands in Zigbee2MQTT’s settings, MQTT."},
		{Key: "battery", Label: "Its battery’s entity", More: true, Optional: true, Hint: "For example sensor.front_lock_battery: an empty battery is then told days ahead.", Fits: func(v string) error {
			if !entityName.MatchString(v) || !strings.HasPrefix(v, "sensor.") {
				return errors.New("write an entity such as sensor.front_lock_battery")
			}
			return nil
		}},
		{
			Key: "service", Label: "Another action that asks it", More: true, Optional: true,
			Hint: "For a lock that is not behind Zigbee2MQTT: the action that has it tell its state. Left empty: mqtt.publish.", Fits: func(v string) error {
				if !entityName.MatchString(v) {
					return errors.New("write an action such as mqtt.publish")
				}
				if strings.HasPrefix(v, "lock.") {
					return errors.New("an action of locks moves the bolt: write one that asks")
				}
				return nil
			},
		},
		{Key: "data", Label: "What that action is called with", More: true, Optional: true, Hint: `As JSON, for example {"topic": "home/front/get", "payload": "?"}`, Fits: func(v string) error {
			_, err := actionData(v)
			return err
		}},
	}
}

var entityName = regexp.MustCompile(`^[a-z0-9_]+\.[a-z0-9_]+$`)

// actionData reads what an action of Home Assistant is called with.
func actionData(v string) (map[string]any, error) {
	wrong := errors.New(`write it as JSON, for example {"topic": "home/front/get", "payload": "?"}`)
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(v), &object) != nil {
		return nil, wrong
	}
	var out map[string]any
	if yaml.Unmarshal([]byte(v), &out) != nil { // JSON is YAML too, and its whole numbers stay whole
		return nil, wrong
	}
	return out, nil
}

func homeAssistantSettings(a setup.Access, p setup.Pick) any {
	s := homeassistant.Settings{URL: a.Address, TokenFile: a.SecretFile, Lock: p.Lock, Contact: p.Contact, Smoke: p.Smoke, Battery: p.Answers["battery"]}
	if service := p.Answers["service"]; service != "" {
		s.Ask.Service = service
		s.Ask.Data, _ = actionData(p.Answers["data"]) // it fits, or there is none
		return s
	}
	s.Ask = homeassistant.Ask{Service: "mqtt.publish", Data: map[string]any{"topic": p.Answers["base"] + "/" + p.Answers["name"] + "/get", "payload": `{"state": ""}`}}
	return s
}

// checkTopic refuses what is no topic that a message can be sent to (MQTT 5, section 4.7).
func checkTopic(v string) error {
	switch {
	case strings.ContainsAny(v, "+#"):
		return errors.New("+ and # cannot stand in a topic")
	case strings.HasPrefix(v, "/") || strings.HasSuffix(v, "/"):
		return errors.New("it begins or ends with /: leave that out")
	case strings.TrimSpace(v) == "":
		return errors.New("this must be answered")
	}
	return nil
}
