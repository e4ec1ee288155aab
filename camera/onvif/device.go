package onvif

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"eyebolt/camera"
)

// Clock is a camera's clock beside ours.
type Clock struct {
	Offset time.Duration // camera's minus ours
	Error  time.Duration // Offset is true within this, either way: a camera tells whole seconds
}

func (k Clock) String() string {
	switch off := k.Offset.Round(time.Second); {
	case off.Abs() <= 1*time.Second:
		return "camera's clock agrees with ours"
	case off > 0:
		return fmt.Sprintf("camera's clock is %v ahead of ours", off)
	default:
		return fmt.Sprintf("camera's clock is %v behind ours", -off)
	}
}

// Clock gives the camera's clock as it was when last read.
func (c *Client) Clock() Clock {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clock
}

// toCamera is our wall time on the camera's clock; toOurs is the way back.
func (k Clock) toCamera(t time.Time) time.Time { return t.Add(k.Offset) }
func (k Clock) toOurs(t time.Time) time.Time   { return t.Add(-k.Offset) }

// readClock asks for the camera's time, which every camera must tell without a password (ONVIF Core, pre-authenticated): the
// digest of the password needs it.
func (c *Client) readClock(ctx context.Context) error {
	began := c.cfg.Now()
	body, err := c.ask(ctx, question{
		path: c.at.url.RequestURI(), action: nsDevice + "/GetSystemDateAndTime",
		body: operation(nsDevice, "GetSystemDateAndTime", ""), open: true,
	})
	took := c.cfg.Now() - began
	ended := c.cfg.Wall()
	if err != nil {
		return fmt.Errorf("GetSystemDateAndTime: %w", err)
	}
	t := body.at("GetSystemDateAndTimeResponse", "SystemDateAndTime")
	if t == nil {
		return c.fault(ErrDisabled, "it answers, but not about its time")
	}
	at, ok := readDateTime(t.kid("UTCDateTime"))
	if !ok {
		// Some tell local time alone: without the zone's rules it is taken as UTC, and the digest may fail.
		if at, ok = readDateTime(t.kid("LocalDateTime")); !ok {
			return nil // the device is what it says it is; it has no clock to tell
		}
	}
	// It said whole seconds: the middle of that second, at the middle of the exchange.
	k := Clock{Offset: at.Add(500 * time.Millisecond).Sub(ended.Add(-took / 2)), Error: 500*time.Millisecond + took/2}
	c.mu.Lock()
	c.clock = k
	c.mu.Unlock()
	return nil
}

func readDateTime(n *node) (time.Time, bool) {
	var v [6]int
	for i, path := range [][2]string{{"Date", "Year"}, {"Date", "Month"}, {"Date", "Day"}, {"Time", "Hour"}, {"Time", "Minute"}, {"Time", "Second"}} {
		x, err := strconv.Atoi(n.text(path[0], path[1]))
		if err != nil {
			return time.Time{}, false
		}
		v[i] = x
	}
	if v[0] < 1970 || v[0] > 2200 || v[1] < 1 || v[1] > 12 || v[2] < 1 || v[2] > 31 || v[3] < 0 || v[3] > 23 || v[4] < 0 || v[4] > 59 || v[5] < 0 || v[5] > 61 {
		return time.Time{}, false
	}
	return time.Date(v[0], time.Month(v[1]), v[2], v[3], v[4], v[5], 0, time.UTC), true
}

// servicesMost bounds what a camera can make us remember.
const servicesMost = 64

// readServices asks where each service is: GetServices, and GetCapabilities where that is not known.
func (c *Client) readServices(ctx context.Context) error {
	device := c.at.url.RequestURI()
	found := map[string]string{nsDevice: device}
	body, err := c.ask(ctx, question{
		path: device, action: nsDevice + "/GetServices",
		body: operation(nsDevice, "GetServices", "<IncludeCapability>false</IncludeCapability>"), open: true,
	})
	if err == nil {
		for _, s := range body.at("GetServicesResponse").all("Service") {
			c.found(found, s.text("Namespace"), s.text("XAddr"))
		}
	}
	if len(found) == 1 {
		body, err = c.ask(ctx, question{
			path: device, action: nsDevice + "/GetCapabilities",
			body: operation(nsDevice, "GetCapabilities", "<Category>All</Category>"),
		})
		if err != nil {
			return fmt.Errorf("GetCapabilities: %w", err)
		}
		all := body.at("GetCapabilitiesResponse", "Capabilities")
		for name, namespace := range map[string]string{"Media": nsMedia, "Events": nsEvents} {
			c.found(found, namespace, all.text(name, "XAddr"))
		}
		for name, namespace := range map[string]string{"Recording": nsRecording, "Search": nsSearch, "Replay": nsReplay} {
			c.found(found, namespace, all.text("Extension", name, "XAddr"))
		}
	}
	c.mu.Lock()
	c.services = found
	c.mu.Unlock()
	if found[nsMedia] == "" && found[nsMedia2] == "" {
		return c.fault(camera.ErrNoVideo, "it names no media service")
	}
	return nil
}

func (c *Client) found(all map[string]string, namespace, address string) {
	if namespace == "" || address == "" || all[namespace] != "" || len(all) == servicesMost {
		return
	}
	if path, err := c.pathOf(address); err == nil {
		all[namespace] = path
	}
}

// pathOf makes of an address of a service what ask takes: a path if it is at the same port, else the whole address, on the
// camera's own host in either case.
func (c *Client) pathOf(address string) (string, error) {
	u, moved, err := c.at.ours(address, "http", "https")
	if err != nil {
		return "", c.fault(camera.ErrGarbage, "%v", err)
	}
	if moved {
		// Behind a router its own port is not the one it is reached at, nor is its own way to encrypt.
		c.log.Debug("the camera names another host for its service: the one that was asked is used")
		return u.RequestURI(), nil
	}
	if u.Scheme != c.at.url.Scheme || u.Host == c.at.url.Host {
		return u.RequestURI(), nil // never back to clear text, nor to a certificate that nobody pinned
	}
	return u.String(), nil
}

// Information is what a camera says it is. Each is at most 64 characters and printable; the camera may lie.
type Information struct {
	Manufacturer, Model, Firmware, Serial string
}

// Information asks what the camera is. It is the first request that proves the password.
func (c *Client) Information(ctx context.Context) (Information, error) {
	n, err := c.call(ctx, nsDevice, "GetDeviceInformation", "")
	if err != nil {
		return Information{}, err
	}
	tidy := func(name string) string { return strings.TrimSpace(plain(clip(n.text(name), 64))) }
	return Information{tidy("Manufacturer"), tidy("Model"), tidy("FirmwareVersion"), tidy("SerialNumber")}, nil
}
