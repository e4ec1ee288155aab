package main

import (
	"strings"
	"testing"
)

func TestRadioConfig(t *testing.T) {
	bssid := []string{"02:00:00:00:00:00"}
	for _, k := range []struct {
		name string
		cfg  RadioConfig
		want int
		err  string
	}{
		{"none", RadioConfig{}, 0, ""},
		{"all", RadioConfig{Interface: "wlan0", Hostapd: "/run/hostapd/wlan0", Monitor: "wlan1", Networks: bssid}, 3, ""},
		{"no networks", RadioConfig{Monitor: "wlan1"}, 0, "name your access points"},
		{"a neighbour's notation", RadioConfig{Monitor: "wlan1", Networks: []string{"02-00-00-00-00-00"}}, 0, "write it as"},
		{"one radio for both", RadioConfig{Interface: "wlan0", Monitor: "wlan0", Networks: bssid}, 0, "a radio of its own"},
		{"a log", RadioConfig{HostapdLog: "/var/log/hostapd.log"}, 1, ""},
		{"a log somewhere", RadioConfig{HostapdLog: "hostapd.log"}, 0, "the whole path"},
		{"a folder", RadioConfig{Hostapd: "run/hostapd"}, 0, "the whole path"},
		{"a path", RadioConfig{Interface: "/dev/wlan0"}, 0, "no interface's name"},
		{"too long", RadioConfig{Monitor: "wlan0123456789ab", Networks: bssid}, 0, "no interface's name"},
		{"nothing hears", RadioConfig{Networks: bssid}, 0, "hear nothing"},
		{"too many", RadioConfig{Monitor: "wlan1", Networks: make([]string, 65)}, 0, "at most 64"},
	} {
		got, err := k.cfg.radios()
		if len(got) != k.want || (err == nil) != (k.err == "") || err != nil && !strings.Contains(err.Error(), k.err) {
			t.Errorf("%s: %d places, %v; want %d, %q", k.name, len(got), err, k.want, k.err)
		}
	}
}
