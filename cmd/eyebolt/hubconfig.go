package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"time"

	"eyebolt/hub/hass"
	"eyebolt/hub/run"
	"eyebolt/interlock"
	"eyebolt/lock/homeassistant"
	"eyebolt/lock/matter"
	"eyebolt/lock/modbus"
	"eyebolt/lock/mqtt"
	"eyebolt/lock/zwavejs"
)

// HubConfig is the hub's configuration file. Every key is documented here; unknown keys are refused.
type HubConfig struct {
	// ID names the hub on the bus and in every grant: 1 to 64 of a-z, 0-9 and -.
	ID string `yaml:"id"`
	// State is the folder of the record, the keys and the clips. Back it up; never run two hubs on copies of it (T29).
	State string `yaml:"state"`
	// Epoch is raised by one after a restore from a backup: grants of another epoch are refused. Default 1.
	Epoch uint32 `yaml:"epoch"`
	// Service says where the service is; without it the hub bolts and watches, and opens to nobody.
	Service ServiceConfig `yaml:"service"`
	// Passkeys is the name that residents' and couriers' passkeys were made for.
	Passkeys PasskeyConfig `yaml:"passkeys"`
	// Doors are the home's doors, 1 to 64.
	Doors []DoorConfig `yaml:"doors"`
	// Clips says how long films stay.
	Clips ClipConfig `yaml:"clips"`
	// Live says how a phone reaches the picture.
	Live LiveConfig `yaml:"live"`
	// HomeAssistant shows the doors in Home Assistant, through its MQTT broker, and lets visits be blocked there. Default: not.
	HomeAssistant *hass.Settings `yaml:"home_assistant"`
	// Radio says where signs of an attack on the Wi-Fi are heard. Default: nowhere.
	Radio RadioConfig `yaml:"radio"`
	// Log is debug, info, warn or error. Default info.
	Log string `yaml:"log"`
}

// ServiceConfig is the way to the service.
type ServiceConfig struct {
	// URL is nats://, tls://, ws:// or wss://, with host and port.
	URL string `yaml:"url"`
	// CA is a file with the service's certificate authority, for tls and wss; empty: the system's.
	CA string `yaml:"ca"`
	// Plain allows nats:// and ws:// to another machine, as over a tunnel of your own. Whoever sits on such a wire can hold a
	// resident's block back (S4).
	Plain bool `yaml:"plain"`
}

// check refuses a way to the service on which a stranger could answer in its name.
func (c ServiceConfig) check() error {
	if c.URL == "" {
		return nil
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Hostname() == "" {
		return errors.New("service.url: write tls://host:4222, or wss://host")
	}
	ip, _ := netip.ParseAddr(u.Hostname())
	if u.Scheme == "tls" || u.Scheme == "wss" || u.Hostname() == "localhost" || ip.IsLoopback() || c.Plain {
		return nil
	}
	return fmt.Errorf("service.url %s is not encrypted, and the service is on another machine: whoever sits on the wire could hold a block back. "+
		"Give the service's bus a certificate (bus.tls) and write tls://%s; or write plain: true under service, if the wire is a tunnel of your own", u.Redacted(), u.Host)
}

// PasskeyConfig is the relying party (WebAuthn section 5.1.2).
type PasskeyConfig struct {
	// ID is a domain name, or localhost.
	ID string `yaml:"id"`
	// Origins are where the apps are served: https://eyebolt.example.org.
	Origins []string `yaml:"origins"`
}

// DoorConfig is one door.
type DoorConfig struct {
	// Name is 1 to 64 of a-z, 0-9 and -.
	Name string `yaml:"name"`
	// Lock is the bolt and, where there is one, the contact sensor.
	Lock LockConfig `yaml:"lock"`
	// Cameras watch the door; one is enough, the watch is live while either is.
	Cameras []CameraConfig `yaml:"cameras"`
	// Limits differ from the published ones only for a reason; see docs/SAFETY.md.
	Limits LimitConfig `yaml:"limits"`
}

// LockConfig names one driver.
type LockConfig struct {
	// MQTT is a Zigbee2MQTT lock and its contact sensor.
	MQTT *mqtt.Settings `yaml:"mqtt"`
	// ZWaveJS is a Z-Wave lock and its contact sensor, behind Z-Wave JS.
	ZWaveJS *zwavejs.Settings `yaml:"zwavejs"`
	// Matter is a Matter lock and its contact sensor, behind a Matter server.
	Matter *matter.Settings `yaml:"matter"`
	// Modbus is a wired lock and its contacts, behind a relay board.
	Modbus *modbus.Settings `yaml:"modbus"`
	// HomeAssistant is a lock that repeats its own word to Home Assistant, and its contact sensor there.
	HomeAssistant *homeassistant.Settings `yaml:"homeassistant"`
}

// CameraConfig is one camera.
type CameraConfig struct {
	Name string `yaml:"name"`
	// URL is rtsp:// or rtsps://. Write the password as ${NAME} and set it in the environment.
	URL string `yaml:"url"`
	// Transport is tcp (default) or udp.
	Transport string `yaml:"transport"`
	// CertHash pins an rtsps camera's certificate: the hex SHA-256 of its DER bytes.
	CertHash string `yaml:"cert_hash"`
	// LiveURL is a second stream of the same camera, in H.264 without B-frames, for the live picture alone: browsers do not play
	// H.265. It is neither judged nor recorded, and the page says that it is shown. Transport and CertHash are the same.
	LiveURL string `yaml:"live_url"`
	// Link is wired (A1 250 ms, and a stricter link certificate) or wifi (A1 500 ms, the default).
	Link string `yaml:"link"`
	// Certificate is measured (the default: a link that was measured to be unfit opens to nobody) or required (so does one that
	// was not watched for ten minutes yet).
	Certificate string `yaml:"certificate"`
	// SeesDoor is on (the picture must change when the door's contact says that it moves, and in time) or off (the default).
	SeesDoor string `yaml:"sees_door"`
	// DoorDelay is how long after the contact's report the picture may show an opening. Default 1s.
	DoorDelay time.Duration `yaml:"door_delay"`
	// Challenge asks the camera for key pictures at random moments of a visit, once it has proven that it answers: auto or pli
	// (RTCP, over the stream's own connection), onvif (SetSynchronizationPoint), or off. Default: auto, but off over udp.
	Challenge string `yaml:"challenge"`
	// ONVIF is the address of the camera's device service: a host, or http:// or https://. It has the stream's name and password
	// unless it holds others. With it the camera's own tamper alarms are heard, snapshots can be had, and what a gap
	// missed is fetched after the visit from the camera's own storage, if it has one (Profile G).
	ONVIF string `yaml:"onvif"`
	// Stills says how single pictures are decoded, in visits and once a minute besides, so that a frozen or looped picture is
	// known by its noise: keyframes (the stream's own, through ffmpeg), snapshot (by ONVIF), mjpeg (of stills_url) or off (the
	// default). With one of the first three the watch is not live before they have judged (S1). With auto (keyframes if ffmpeg is
	// installed, else snapshot) what they find is a lapse, but nobody waits for them.
	Stills string `yaml:"stills"`
	// StillsURL is the camera's motion JPEG: http, https, rtsp or rtsps.
	StillsURL string `yaml:"stills_url"`
	// Signed says that the camera signs its pictures. What it does not vouch for is then a lapse.
	Signed *SignedConfig `yaml:"signed"`
}

// LimitConfig overrides limits; zero keeps the published one.
type LimitConfig struct {
	Arming   time.Duration `yaml:"arming"`
	Slide    time.Duration `yaml:"slide"`
	Answer   time.Duration `yaml:"answer"`
	Enter    time.Duration `yaml:"enter"`
	Open     time.Duration `yaml:"open"`
	Close    time.Duration `yaml:"close"`
	Out      time.Duration `yaml:"out"`
	Tail     time.Duration `yaml:"tail"`
	Wait     time.Duration `yaml:"wait"`
	Hold     time.Duration `yaml:"hold"`
	Poll     time.Duration `yaml:"poll"`
	BoltOld  time.Duration `yaml:"bolt_stale"`
	DoorOld  time.Duration `yaml:"door_stale"`
	LockWait time.Duration `yaml:"retry_lock"`
}

// ClipConfig is the retention of films.
type ClipConfig struct {
	// KeepFor is how long a clip stays; 0: until the space is needed. Default 168h.
	KeepFor *time.Duration `yaml:"keep_for"`
	// KeepMB is how much space the clips of all cameras may take together, in MiB; each camera has an equal share. Default 10240.
	KeepMB *int64 `yaml:"keep_mb"`
	// PreRoll is how much is kept from before the courier's arrival. Default 10s.
	PreRoll time.Duration `yaml:"pre_roll"`
}

// LiveConfig is the live view's.
type LiveConfig struct {
	// Loopback offers 127.0.0.1 to viewers: for a hub and a browser on one machine.
	Loopback bool `yaml:"loopback"`
	// Listen is one UDP address for all viewers, such as :8555; empty: a free port a viewer.
	Listen string `yaml:"listen"`
	// Relays are the service's relay, for a phone that is not in the home: turn:turn.example.org:3478?transport=udp. The
	// hub goes to these and to no other. Default: none.
	Relays []string `yaml:"relays"`
}

// limits lays c over the published limits. Each has its bounds, so that a limit is moved and no rule is turned off.
func (c LimitConfig) limits() (interlock.Limits, error) {
	l := interlock.DefaultLimits()
	for _, set := range []struct {
		from        time.Duration
		to          *interlock.Millis
		name        string
		least, most time.Duration
	}{
		{c.Arming, &l.Arming, "arming", time.Second, 5 * time.Minute},
		{c.Slide, &l.Slide, "slide", time.Second, 30 * time.Second}, // S2
		{c.Answer, &l.Answer, "answer", time.Second, 15 * time.Second},
		{c.Enter, &l.Enter, "enter", 2 * time.Second, 5 * time.Minute},
		{c.Open, &l.Open, "open", 5 * time.Second, 30 * time.Minute}, // furniture is carried in
		{c.Close, &l.Close, "close", time.Second, time.Minute},
		{c.Out, &l.Out, "out", time.Second, 10 * time.Minute},
		{c.Tail, &l.Tail, "tail", time.Second, time.Hour},
		{c.Wait, &l.Wait, "wait", 10 * time.Second, time.Hour},
		{c.Hold, &l.Hold, "hold", time.Second, time.Hour},
		{c.Poll, &l.Poll, "poll", time.Second, 30 * time.Second},
		{c.BoltOld, &l.BoltStale, "bolt_stale", 2 * time.Second, time.Minute},
		{c.DoorOld, &l.DoorStale, "door_stale", time.Minute, 24 * time.Hour}, // contacts report themselves once an hour to once a day
		{c.LockWait, &l.RetryLock, "retry_lock", time.Second, 10 * time.Second},
	} {
		if set.from == 0 {
			continue
		}
		if set.from < set.least || set.from > set.most {
			return l, fmt.Errorf("limit %s: %v: give a span from %v to %v", set.name, set.from, set.least, set.most)
		}
		*set.to = interlock.Millis(set.from.Milliseconds())
	}
	switch {
	case l.Poll >= l.BoltStale:
		return l, errors.New("limit poll: must be shorter than bolt_stale, else the bolt is unknown between two questions")
	case l.RetryLock > l.Close:
		return l, errors.New("limit retry_lock: must not be longer than close: Lock is tried again before the alarm")
	}
	return l, nil
}

// a1 is the age past which a camera on this link is lagging (S6).
func (c CameraConfig) a1() (time.Duration, error) {
	switch c.Link {
	case "wired":
		return 250 * time.Millisecond, nil
	case "", "wifi":
		return 500 * time.Millisecond, nil
	}
	return 0, fmt.Errorf("camera %s: link %q: use wired or wifi", c.Name, c.Link)
}

// watching lays out what judges this camera beside its Judge.
func (c CameraConfig) watching(k *run.Camera) error {
	k.Wired = c.Link == "wired"
	switch c.Certificate {
	case "", "measured":
	case "required":
		k.NeedLink = true
	default:
		return fmt.Errorf("camera %s: certificate %q: use measured or required", c.Name, c.Certificate)
	}
	switch c.SeesDoor {
	case "on":
	case "", "off":
		k.NoDoor = true
	default:
		return fmt.Errorf("camera %s: sees_door %q: use on or off", c.Name, c.SeesDoor)
	}
	if c.DoorDelay != 0 && (c.DoorDelay < 200*time.Millisecond || c.DoorDelay > 3*time.Second) {
		return fmt.Errorf("camera %s: door_delay %v: give a span from 200ms to 3s", c.Name, c.DoorDelay)
	}
	k.Door.Delay = c.DoorDelay
	switch c.Challenge {
	case "":
		if c.Transport != "udp" { // where one lost packet would be an answer that never came
			k.Challenge = &run.Challenge{}
		}
	case "auto", "pli":
		k.Challenge = &run.Challenge{}
	case "onvif":
		if c.ONVIF == "" {
			return fmt.Errorf("camera %s: challenge onvif needs onvif, the camera's address", c.Name)
		}
		k.Challenge = &run.Challenge{}
	case "off":
	default:
		return fmt.Errorf("camera %s: challenge %q: use auto, pli, onvif or off", c.Name, c.Challenge)
	}
	return nil
}
