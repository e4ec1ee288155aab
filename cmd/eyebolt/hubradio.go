package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"eyebolt/hub/run"
	"eyebolt/radio"
	"eyebolt/radio/hostapd"
	"eyebolt/radio/monitor"
	"eyebolt/radio/nl80211"
)

// RadioConfig says where signs of an attack on the Wi-Fi are heard. Each is optional; none decides anything: a sign names the
// cause in the words that tell of a lapse.
type RadioConfig struct {
	// Interface is the hub's own Wi-Fi interface: Linux then tells of forged frames that it dropped, of connections that ended
	// and of beacons that stopped. It needs no privileges; forged frames are told of in networks that protect theirs (802.11w).
	Interface string `yaml:"interface"`
	// Hostapd is the control socket of an access point on this machine, as /run/hostapd/wlan0; the hub's user must be in its
	// ctrl_interface_group.
	Hostapd string `yaml:"hostapd"`
	// HostapdLog is a log that an access point's events are written into: hostapd's own on this machine (hostapd -f), or the one
	// into which a syslog server of this machine writes what your router sends. The hub's user must be able to read it.
	HostapdLog string `yaml:"hostapd_log"`
	// Monitor is an interface in monitor mode on the camera's channel, for a radio of its own. It needs CAP_NET_RAW.
	Monitor string `yaml:"monitor"`
	// Networks are the addresses of your access points (BSSIDs), so that a neighbour's frames count for nothing. Monitor needs
	// them.
	Networks []string `yaml:"networks"`
}

// maxNetworks bounds a home's access points; each has an address a band and network.
const maxNetworks = 64

// radios are the places that the configuration names. The list of technologies is here and nowhere else.
func (c RadioConfig) radios() ([]run.Radio, error) {
	var networks []radio.Addr
	if len(c.Networks) > maxNetworks {
		return nil, fmt.Errorf("radio: networks: %d of them: name at most %d", len(c.Networks), maxNetworks)
	}
	for _, n := range c.Networks {
		a, err := radio.ParseAddr(n)
		if err != nil {
			return nil, fmt.Errorf("radio: networks: %w: it is the access point's address (BSSID), as `iw dev` shows it", err)
		}
		networks = append(networks, a)
	}
	var out []run.Radio
	if c.Interface != "" {
		if err := interfaceOK("interface", c.Interface); err != nil {
			return nil, err
		}
		out = append(out, run.Radio{Name: "nl80211 " + c.Interface, Follow: nl80211.Follow, Config: radio.Config{Device: c.Interface, Networks: networks}})
	}
	if c.Hostapd != "" {
		if !filepath.IsAbs(c.Hostapd) || len(c.Hostapd) > 107 { // sun_path, unix(7)
			return nil, fmt.Errorf("radio: hostapd %q: write the whole path of its control socket, as /run/hostapd/wlan0", c.Hostapd)
		}
		out = append(out, run.Radio{Name: "hostapd " + c.Hostapd, Follow: hostapd.Follow, Config: radio.Config{Device: c.Hostapd, Networks: networks}})
	}
	if c.HostapdLog != "" {
		if !filepath.IsAbs(c.HostapdLog) {
			return nil, fmt.Errorf("radio: hostapd_log %q: write the whole path of the log, as /var/log/hostapd.log", c.HostapdLog)
		}
		out = append(out, run.Radio{Name: "log " + c.HostapdLog, Follow: hostapd.FollowLog, Config: radio.Config{Device: c.HostapdLog, Networks: networks}})
	}
	if c.Monitor != "" {
		if err := interfaceOK("monitor", c.Monitor); err != nil {
			return nil, err
		}
		if len(networks) == 0 {
			return nil, errors.New("radio: monitor: name your access points under networks, else a neighbour's frames are taken for an attack on you")
		}
		if c.Monitor == c.Interface {
			return nil, fmt.Errorf("radio: monitor: %s is the hub's own interface: a monitor needs a radio of its own", c.Monitor)
		}
		out = append(out, run.Radio{Name: "monitor " + c.Monitor, Follow: monitor.Follow, Config: radio.Config{Device: c.Monitor, Networks: networks}})
	}
	if len(out) == 0 && len(networks) > 0 {
		return nil, errors.New("radio: networks alone hear nothing: name an interface, a hostapd socket or log, or a monitor")
	}
	return out, nil
}

// interfaceOK checks an interface's name as Linux takes it: at most 15 bytes (IFNAMSIZ).
func interfaceOK(key, name string) error {
	if len(name) > 15 || strings.ContainsAny(name, "/ :\t\n") {
		return fmt.Errorf("radio: %s: %q is no interface's name: see `ip link`", key, name)
	}
	return nil
}
