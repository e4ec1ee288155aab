package setup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"eyebolt/lock"
)

// state is how far a peer or a camera has come.
type state string

const (
	asking state = "asking" // an answer is awaited
	login  state = "login"  // it wants a name and a password, or a token
	listed state = "listed" // what it has is known
	failed state = "failed" // it was asked and gave nothing; said has why
	gone   state = "gone"   // it was listed and does not answer any more
	none   state = "none"   // no driver of this hub speaks to it
)

// peer is a lock's bridge or server. Setup.mu owns it.
type peer struct {
	id      string
	driver  *Driver
	name    string // as it calls itself
	address string
	user    string
	secret  string
	state   state
	said    string
	devices []lock.Device
	asks    bool                 // a list is under way
	secrets map[secretKey]string // answers about its locks
}

// findPeers tries this machine and asks the networks. It gives what to say of a search that could not be made.
func (s *Setup) findPeers(ctx context.Context) string {
	var here sync.WaitGroup
	for i := range s.cfg.Drivers {
		d := &s.cfg.Drivers[i]
		if d.Port == 0 {
			continue
		}
		here.Go(func() {
			at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(d.Port))
			var dial net.Dialer
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			if c, err := dial.DialContext(ctx, "tcp", at.String()); err == nil {
				_ = c.Close()
				s.seen(d, d.Scheme+"://"+at.String()+d.Path, "on this machine", "", foundMost)
			}
		})
	}
	found, where, err := s.cfg.Search(ctx)
	here.Wait()
	s.mu.Lock()
	s.search.Where = where
	s.mu.Unlock()
	for _, f := range found {
		for i := range s.cfg.Drivers {
			if d := &s.cfg.Drivers[i]; d.Service == f.Service {
				s.seen(d, d.Scheme+"://"+f.Addr.String()+d.Path, f.Name, "", foundMost)
			}
		}
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// seen takes a peer that was found or typed, once for each address, and asks it in the name of user. nil: there are most already.
func (s *Setup) seen(d *Driver, address, name, user string, most int) *peer {
	s.mu.Lock()
	i := slices.IndexFunc(s.peers, func(p *peer) bool { return p.driver == d && p.address == address })
	if i >= 0 || len(s.peers) >= most {
		defer s.mu.Unlock()
		if i >= 0 {
			return s.peers[i]
		}
		return nil
	}
	s.next++
	p := &peer{id: "p" + strconv.Itoa(s.next), driver: d, address: address, name: clip(name), user: user, state: asking}
	s.peers = append(s.peers, p)
	switch {
	case d.List == nil:
		p.state, p.said = none, d.None
		s.cfg.Tell(p.line())
	case d.Login == Token:
		p.state, p.said = login, "wants a token"
		s.cfg.Tell(p.line())
	}
	ask := p.state == asking
	s.mu.Unlock()
	if ask {
		s.list(p)
	}
	return p
}

// list asks a peer for its devices, in the background.
func (s *Setup) list(p *peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.asks || p.driver.List == nil || s.ctx.Err() != nil {
		return
	}
	p.asks = true
	if p.state != listed && p.state != gone {
		p.state = asking
	}
	access, secret := Access{Address: p.address, User: p.user}, p.secret
	s.work.Go(func() {
		devices, err := s.ask(p.driver, access, secret)
		s.mu.Lock()
		defer s.mu.Unlock()
		p.asks = false
		if p.user != access.User || p.secret != secret {
			s.work.Go(func() { s.list(p) }) // another login was typed meanwhile
			return
		}
		was := p.state
		switch {
		case err == nil:
			p.state, p.said, p.devices = listed, "", devices
		case p.state == listed || p.state == gone:
			p.state, p.said = gone, say(err)
		default:
			p.state, p.said = failed, say(err)
		}
		if p.state != was {
			s.cfg.Tell(p.line())
		}
	})
}

// line says what a peer is, for the terminal. Setup.mu is held.
func (p *peer) line() string {
	text := p.driver.Name + " at " + p.address + ": "
	if p.state != listed {
		return text + p.said
	}
	n := map[lock.Kind]int{}
	for _, d := range p.devices {
		n[d.Kind]++
	}
	return text + fmt.Sprintf("%d locks, %d contacts, %d smoke sensors", n[lock.KindLock], n[lock.KindContact], n[lock.KindSmoke])
}

// ask lists the devices at one address, with the secret in a file that is gone afterwards.
func (s *Setup) ask(d *Driver, a Access, secret string) ([]lock.Device, error) {
	ctx, cancel := context.WithTimeout(s.ctx, listLimit)
	defer cancel()
	if secret != "" {
		dir, err := os.MkdirTemp("", "eyebolt-setup-")
		if err != nil {
			return nil, err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		a.SecretFile = filepath.Join(dir, "secret")
		if err := os.WriteFile(a.SecretFile, []byte(secret+"\n"), 0o600); err != nil {
			return nil, err
		}
	}
	return d.List(ctx, d.Settings(a, Pick{}), s.cfg.Log)
}

// say makes an error a sentence for a page: the driver's own words, without its name.
func say(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer: is it switched on, and on this network?"
	}
	text := err.Error()
	if driver, rest, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(driver, "lock/") {
		text = rest
	}
	return clip(text)
}

// address reads what a person typed for a driver: a host, a host and port, or a whole address.
func (d *Driver) address(typed string) (string, error) {
	typed = strings.TrimSpace(typed)
	if typed == "" || len(typed) > textMost || strings.ContainsAny(typed, " \t\r\n") {
		return "", fmt.Errorf("type an address such as 192.168.1.20, or %s://192.168.1.20:%d%s", d.Scheme, d.Port, d.Path)
	}
	if !strings.Contains(typed, "://") {
		typed = d.Scheme + "://" + typed
	}
	if scheme, rest, _ := strings.Cut(typed, "://"); d.Scheme == "ws" { // it may stand as a browser has it
		switch strings.ToLower(scheme) {
		case "http":
			typed = "ws://" + rest
		case "https":
			typed = "wss://" + rest
		}
	}
	u, err := url.Parse(typed)
	switch {
	case err != nil || u.Hostname() == "":
		return "", fmt.Errorf("that is no address. Type one such as 192.168.1.20, or %s://192.168.1.20:%d%s", d.Scheme, d.Port, d.Path)
	case u.User != nil:
		return "", errors.New("leave name and password out of the address: they are asked for separately")
	case u.Scheme != d.Scheme && u.Scheme != d.Secure:
		return "", fmt.Errorf("%s is reached by %s:// or %s://", d.Name, d.Scheme, d.Secure)
	}
	if u.Port() == "" && u.Scheme == d.Scheme {
		u.Host = net.JoinHostPort(u.Hostname(), strconv.Itoa(d.Port))
	}
	if (u.Path == "" || u.Path == "/") && d.Path != "" {
		u.Path = d.Path
	}
	return u.String(), nil
}

// open says that a secret for this address would cross a network in clear.
func (d *Driver) open(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != d.Scheme || d.Scheme == d.Secure {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback())
}
