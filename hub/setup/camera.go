package setup

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// cam is a camera. Setup.mu owns it.
type cam struct {
	id       string
	address  string
	name     string
	model    string
	user     string
	password string
	state    state
	said     string
	look     Look
	asks     bool
}

func (s *Setup) findCameras(ctx context.Context) string {
	found, err := s.cfg.Cameras(ctx)
	for _, f := range found {
		c := s.seenCamera(f.Address, f.Name, f.Model, foundMost)
		if c == nil {
			continue
		}
		s.mu.Lock()
		if c.state == login && f.Why != "" {
			c.state, c.said = none, f.Why
		}
		s.mu.Unlock()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// seenCamera takes a camera that was found or typed, once for each address. It is not asked before somebody chooses it: many
// cameras lock an account after a few questions without a password. nil: there are most already.
func (s *Setup) seenCamera(address, name, model string, most int) *cam {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.cameras, func(c *cam) bool { return c.address == address }); i >= 0 {
		return s.cameras[i]
	}
	if len(s.cameras) >= most {
		return nil
	}
	s.next++
	c := &cam{id: "c" + strconv.Itoa(s.next), address: address, name: clip(name), model: clip(model), state: login}
	s.cameras = append(s.cameras, c)
	s.cfg.Tell("camera " + strings.TrimSpace(name+" "+model) + " at " + bare(address))
	return c
}

// lookAt asks a camera with the login that it has, in the background.
func (s *Setup) lookAt(c *cam) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.asks || s.ctx.Err() != nil {
		return
	}
	c.asks, c.state = true, asking
	ask := CameraAsk{Address: c.address, User: c.user, Password: c.password}
	s.work.Go(func() {
		ctx, cancel := context.WithTimeout(s.ctx, lookLimit)
		defer cancel()
		l, err := s.cfg.Look(ctx, ask)
		s.mu.Lock()
		defer s.mu.Unlock()
		c.asks = false
		switch {
		case err == nil:
			c.state, c.said, c.look = listed, "", l
		case errors.Is(err, ErrLogin):
			c.state, c.said = login, strings.TrimPrefix(say(err), ErrLogin.Error()+": ")
			c.password = "" // a wrong one is not kept
		default:
			c.state, c.said = failed, say(err)
		}
	})
}

// cameraAddress reads what a person typed: a host, or an http, https, rtsp or rtsps address; name and password may be in it.
func cameraAddress(typed string) (address, user, password string, err error) {
	typed = strings.TrimSpace(typed)
	example := errors.New("type the camera's address, such as 192.168.1.30 or rtsp://192.168.1.30/stream")
	if typed == "" || strings.ContainsAny(typed, " \t\r\n") {
		return "", "", "", example
	}
	whole := typed
	if !strings.Contains(whole, "://") {
		whole = "http://" + whole
	}
	u, err := url.Parse(whole)
	if err != nil || u.Hostname() == "" {
		return "", "", "", example // and not what was typed: it may hold a password
	}
	switch u.Scheme {
	case "http", "https", "rtsp", "rtsps":
	default:
		return "", "", "", example
	}
	if u.User != nil {
		user = u.User.Username()
		password, _ = u.User.Password()
		u.User = nil
	}
	address = u.String()
	if m := inAddress.FindStringSubmatchIndex(address); m != nil && password == "" {
		if password, err = url.QueryUnescape(address[m[4]:m[5]]); err != nil {
			return "", "", "", example
		}
		address = address[:m[4]] + Secret + address[m[5]:]
	}
	return address, user, password, nil
}

// inAddress is a password in the midst of an address: rtsp://192.168.1.30/user=admin&password=x&channel=1.
var inAddress = regexp.MustCompile(`(?i)([?&/](?:password|passwd|pass|pwd)=)([^&?/#]+)`)

// At is the address that is asked, with the password where it stands in the midst of it.
func (a CameraAsk) At() string { return strings.ReplaceAll(a.Address, Secret, escape(a.Password)) }
