package setup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"eyebolt/lock"
)

// Draft is what was chosen so far: the page sends it whole. It holds no secret.
type Draft struct {
	Step      string            `json:"step"` // where the page was left
	Hub       string            `json:"hub"`
	App       string            `json:"app"` // where the apps are served: https://eyebolt.example.org
	Bus       string            `json:"bus"` // of the service; empty: tls:// at App's host
	Door      string            `json:"door"`
	Peer      string            `json:"peer"`
	Lock      string            `json:"lock"`
	Contact   string            `json:"contact"`
	Smoke     string            `json:"smoke"`
	Family    string            `json:"family"`    // of a lock that is in no list
	Answers   map[string]string `json:"answers"`   // about the lock; no secret is among them
	NoContact bool              `json:"noContact"` // what it costs was read
	Cameras   []DraftCamera     `json:"cameras"`
}

// DraftCamera is one of the door's cameras.
type DraftCamera struct {
	Camera string `json:"camera"`
	Name   string `json:"name"`
	Stream string `json:"stream"`
	Link   string `json:"link"` // wired or wifi
	Seen   bool   `json:"seen"` // somebody looked at its picture and said that it is this door's
}

// doorCameras bounds the cameras of one door.
const doorCameras = 8

var word = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// begin reads the configuration, if there is one. s.mu is held, or nobody else is there yet.
func (s *Setup) begin() error {
	existing, err := s.cfg.Read(s.cfg.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.existing = nil
	case err != nil:
		return err
	default:
		s.existing = &existing
	}
	s.draft = Draft{Hub: s.hubName(), Door: s.doorName()}
	return nil
}

// hubName proposes a name for the hub from the machine's.
func (s *Setup) hubName() string {
	if s.existing != nil {
		return s.existing.ID
	}
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(s.cfg.Host))
	if name = strings.Trim(name, "-"); !word.MatchString(name) || name == "localhost" {
		return "home"
	}
	return name
}

func (s *Setup) doorName() string {
	for _, n := range []string{"front", "back", "side", "garage"} {
		if s.existing == nil || !slices.Contains(s.existing.Doors, n) {
			return n
		}
	}
	return ""
}

// service is what the configuration says of the way to the service.
type service struct {
	id, origin, bus string
	loopback        bool
}

// service reads what was typed of the service.
func (d Draft) service() (service, error) {
	typed := strings.TrimRight(strings.TrimSpace(d.App), "/")
	if typed != "" && !strings.Contains(typed, "://") {
		typed = "https://" + typed
	}
	u, err := url.Parse(typed)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return service{}, errors.New("type the address at which the apps are opened, such as https://eyebolt.example.org")
	}
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err == nil {
		return service{}, errors.New("the apps need a name, not a number: passkeys do not work on an IP address")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || host != "localhost") {
		return service{}, errors.New("the apps must be served by https: passkeys need it. Only localhost goes without")
	}
	out := service{id: host, origin: u.Scheme + "://" + u.Host, bus: strings.TrimSpace(d.Bus), loopback: host == "localhost"}
	if out.bus == "" {
		out.bus = "tls://" + net.JoinHostPort(host, "4222")
		if out.loopback {
			out.bus = "nats://127.0.0.1:4222"
		}
	}
	return out, nil
}

// chosen is a draft with what it points at.
type chosen struct {
	service service
	peer    *peer
	pick    Pick
	secrets map[string]string // question → its secret answer
	cameras []*cam
}

// Problem is something that is missing, or cannot be so.
type Problem struct {
	Step string `json:"step"` // of the page on which it is put right
	Text string `json:"text"`
}

// problems are all that keep the draft from being written. s.mu is held.
func (s *Setup) problems() (chosen, []Problem) {
	d := s.draft
	var c chosen
	var all []Problem
	bad := func(step, format string, args ...any) { all = append(all, Problem{step, fmt.Sprintf(format, args...)}) }

	// The door's devices.
	if !word.MatchString(d.Door) {
		bad("door", "Give the door a name of the letters a to z, digits and hyphens.")
	} else if s.existing != nil && slices.Contains(s.existing.Doors, d.Door) {
		bad("door", "This hub has a door named %s already.", d.Door)
	}
	if i := slices.IndexFunc(s.peers, func(p *peer) bool { return p.id == d.Peer }); i >= 0 {
		c.peer = s.peers[i]
	}
	find := func(id string, kind lock.Kind) (lock.Device, bool) {
		i := slices.IndexFunc(c.peer.devices, func(v lock.Device) bool { return v.ID == id && v.Kind == kind })
		if i < 0 {
			return lock.Device{}, false
		}
		return c.peer.devices[i], true
	}
	switch {
	case c.peer == nil || d.Lock == "" && d.Family == "":
		bad("door", "Choose the door's lock.")
	case c.peer.state != listed:
		bad("door", "%s at %s does not answer now.", c.peer.driver.Name, c.peer.address)
	default:
		l, ok := find(d.Lock, lock.KindLock)
		switch {
		case d.Family != "" && (c.peer.driver.family(d.Family) < 0 || d.Lock != "" || d.Contact != "" || d.Smoke != ""):
			bad("door", "Choose the door's lock again.")
		case d.Family != "":
			l.Can.Door = true // it is among what is asked
		case !ok:
			bad("door", "%s does not know the lock %q any more.", c.peer.driver.Name, d.Lock)
		case l.Why != "":
			bad("door", "%s cannot be used: %s", l.Name, l.Why)
		}
		for _, id := range []string{d.Lock, d.Contact, d.Smoke} {
			if strings.Contains(id, "${") { // in the configuration it would stand for a secret of this machine
				bad("door", "The name %q holds ${, which the configuration reads as something else. Rename it at %s.", id, c.peer.driver.Name)
			}
		}
		c.pick = Pick{Lock: d.Lock, Contact: d.Contact, Smoke: d.Smoke, DoorSense: d.Contact == "" && l.Can.Door, Family: d.Family}
		var wrong []string
		c.pick.Answers, c.secrets, wrong = c.peer.answers(d, c.peer.questions(d.Family, l))
		for _, text := range wrong {
			bad("door", "%s", text)
		}
		if i := c.peer.driver.family(d.Family); i >= 0 && len(wrong) == 0 && c.peer.driver.Families[i].Fits != nil {
			if err := c.peer.driver.Families[i].Fits(c.pick.Answers); err != nil {
				bad("door", "%s", sentence(err))
			}
		}
		if d.Contact == "" && !l.Can.Door && !d.NoContact {
			bad("door", "Choose the contact that tells whether the door is closed, or say that there is none.")
		}
		if _, ok := find(d.Contact, lock.KindContact); d.Contact != "" && !ok {
			bad("door", "%s does not know the contact %q any more.", c.peer.driver.Name, d.Contact)
		}
		if _, ok := find(d.Smoke, lock.KindSmoke); d.Smoke != "" && !ok {
			bad("door", "%s does not know the smoke sensor %q any more.", c.peer.driver.Name, d.Smoke)
		}
	}

	// Its cameras.
	if len(d.Cameras) == 0 {
		bad("camera", "Choose the camera that sees the door: no eye, no bolt.")
	}
	names := map[string]bool{}
	for _, k := range d.Cameras {
		i := slices.IndexFunc(s.cameras, func(x *cam) bool { return x.id == k.Camera })
		switch {
		case i < 0:
			bad("camera", "A camera that was chosen is not there any more: choose again.")
			continue
		case s.cameras[i].state != listed:
			bad("camera", "The camera at %s does not answer, or wants its password again.", bare(s.cameras[i].address))
		case !word.MatchString(k.Name) || names[k.Name]:
			bad("camera", "Give each camera a name of its own, of the letters a to z, digits and hyphens.")
		case !slices.ContainsFunc(s.cameras[i].look.Streams, func(x Stream) bool { return x.ID == k.Stream }):
			bad("camera", "Choose a stream of the camera %s.", k.Name)
		case !k.Seen:
			bad("camera", "Look at the picture of %s, and say whether it is this door's.", k.Name)
		case k.Link != "wired" && k.Link != "wifi":
			bad("camera", "Say whether %s is on a cable or on Wi-Fi.", k.Name)
		}
		names[k.Name] = true
		c.cameras = append(c.cameras, s.cameras[i])
	}

	// The hub and its service.
	if s.existing == nil {
		if !word.MatchString(d.Hub) {
			bad("service", "Give the hub a name of the letters a to z, digits and hyphens.")
		}
		var err error
		if c.service, err = d.service(); err != nil {
			bad("service", "%s", sentence(err))
		}
	}
	return c, all
}

// bare is an address without credentials.
func bare(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.User == nil {
		return address
	}
	u.User = nil
	return u.String()
}

// take keeps a draft that the page sent.
func (s *Setup) take(d Draft) error {
	for _, text := range []string{d.Step, d.Hub, d.App, d.Bus, d.Door, d.Peer, d.Lock, d.Contact, d.Smoke, d.Family} {
		if len(text) > textMost {
			return errors.New("that is too long")
		}
	}
	if len(d.Cameras) > doorCameras {
		return fmt.Errorf("a door has at most %d cameras", doorCameras)
	}
	for _, c := range d.Cameras {
		if len(c.Camera)+len(c.Name)+len(c.Stream)+len(c.Link) > textMost {
			return errors.New("that is too long")
		}
	}
	if err := checkAnswers(d.Answers); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.existing != nil {
		d.Hub = s.existing.ID
	}
	d.Answers = s.asked(d)
	s.draft = d
	return s.save()
}

// saved is the draft's file: what a set-up that was left half-way goes on from. No secret is in it.
type saved struct {
	Draft   Draft      `json:"draft"`
	Peer    *savedPeer `json:"peer,omitempty"`
	Cameras []savedCam `json:"cameras,omitempty"`
}

type savedPeer struct {
	Driver, Address, Name, User string
}

type savedCam struct {
	ID, Address, Name, Model, User string
}

func (s *Setup) draftPath() string {
	dir, name := filepath.Split(s.cfg.Path)
	return filepath.Join(dir, "."+name+".setup")
}

// save keeps the draft over a restart. s.mu is held.
func (s *Setup) save() error {
	f := saved{Draft: s.draft}
	for _, p := range s.peers {
		if p.id == s.draft.Peer {
			f.Peer = &savedPeer{p.driver.Key, p.address, p.name, p.user}
		}
	}
	for _, k := range s.draft.Cameras {
		for _, c := range s.cameras {
			if c.id == k.Camera {
				f.Cameras = append(f.Cameras, savedCam{c.id, bare(c.address), c.name, c.model, c.user})
			}
		}
	}
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return replace(s.draftPath(), b)
}

// draftMost bounds the draft's file.
const draftMost = 64 << 10

// restore goes on from the draft's file; one that cannot be read is as if there were none.
func (s *Setup) restore() {
	info, err := os.Stat(s.draftPath())
	if err != nil || info.Size() > draftMost {
		return
	}
	b, err := os.ReadFile(s.draftPath())
	var f saved
	if err != nil || json.Unmarshal(b, &f) != nil || len(f.Cameras) > doorCameras || len(f.Draft.Cameras) > doorCameras || checkAnswers(f.Draft.Answers) != nil {
		return
	}
	d := f.Draft
	if s.existing != nil {
		d.Hub = s.existing.ID
		if slices.Contains(s.existing.Doors, d.Door) {
			return // of a door that was written since
		}
	}
	d.Peer = ""
	if f.Peer != nil {
		for i := range s.cfg.Drivers {
			if k := &s.cfg.Drivers[i]; k.Key == f.Peer.Driver {
				if p := s.seen(k, f.Peer.Address, f.Peer.Name, f.Peer.User, peersMost); p != nil {
					d.Peer = p.id
				}
			}
		}
	}
	ids := map[string]string{}
	for _, k := range f.Cameras {
		if c := s.seenCamera(k.Address, k.Name, k.Model, camerasMost); c != nil {
			c.user, ids[k.ID] = k.User, c.id
		}
	}
	d.Cameras = slices.DeleteFunc(d.Cameras, func(k DraftCamera) bool { return ids[k.Camera] == "" })
	for i := range d.Cameras {
		d.Cameras[i].Camera = ids[d.Cameras[i].Camera]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draft = d
}
