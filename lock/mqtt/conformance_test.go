package mqtt_test

import (
	"testing"

	"eyebolt/lock/locktest"
	"eyebolt/virtual/broker"
	"eyebolt/virtual/home"
)

// With Zigbee2MQTT set up as the manual asks: every value is the device's own word.
func TestConformanceMQTT(t *testing.T) {
	b := startBroker(t, broker.Config{})
	locktest.Run(t, func(t *testing.T) locktest.Harness {
		return newWorld(t, b, topicOf(t), quick(home.Config{})).harness()
	})
}

// With Zigbee2MQTT as it comes: every message repeats what is remembered.
func TestConformanceMQTTCached(t *testing.T) {
	b := startBroker(t, broker.Config{})
	locktest.Run(t, func(t *testing.T) locktest.Harness {
		return newWorld(t, b, topicOf(t), quick(home.Config{Cache: true})).harness()
	})
}

// With device states retained as well, so that each newcomer is met by an old one.
func TestConformanceMQTTRetained(t *testing.T) {
	b := startBroker(t, broker.Config{})
	locktest.Run(t, func(t *testing.T) locktest.Harness {
		return newWorld(t, b, topicOf(t), quick(home.Config{Cache: true, Retain: true})).harness()
	})
}

// Against the real Zigbee2MQTT, in each of the three ways that it may be set up.
func TestConformanceZigbee2MQTT(t *testing.T) {
	locktest.Run(t, func(t *testing.T) locktest.Harness { return newPeerWorld(t, asAsked).harness() })
}

func TestConformanceZigbee2MQTTRemembered(t *testing.T) {
	locktest.Run(t, func(t *testing.T) locktest.Harness { return newPeerWorld(t, remembered).harness() })
}

func TestConformanceZigbee2MQTTAsItComes(t *testing.T) {
	locktest.Run(t, func(t *testing.T) locktest.Harness { return newPeerWorld(t, asItComes).harness() })
}

// A lock by Home Assistant's MQTT convention, and one of plain topics and words: a device of ours that lies, on a real broker.
func TestConformanceHomeAssistantTopics(t *testing.T) {
	b := startBroker(t, broker.Config{})
	locktest.Run(t, func(t *testing.T) locktest.Harness { return newPlainWorld(t, b, topicOf(t), asHomeAssistant).harness() })
}

func TestConformanceTemplate(t *testing.T) {
	b := startBroker(t, broker.Config{})
	locktest.Run(t, func(t *testing.T) locktest.Harness { return newPlainWorld(t, b, topicOf(t), asTemplate).harness() })
}
