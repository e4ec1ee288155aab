package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"sync"
	"time"

	"eyebolt/hub/gate"
	"eyebolt/hub/setup"
	"eyebolt/hub/setup/mdns"
	"eyebolt/web"
)

// HubSetupCmd pairs a door's devices in the browser.
type HubSetupCmd struct {
	Config    string   `required:"" type:"path" help:"The hub's configuration. It is made, or a door is added to it; it is never overwritten without a backup." placeholder:"hub.yaml"`
	Listen    string   `default:"127.0.0.1:8423" help:"Where the page is. An address of a network, such as 192.168.1.5:8423, opens it to that network, encrypted."`
	Interface []string `help:"Search on this network interface only; may be repeated. Default: every one that is up." placeholder:"NAME"`
	State     string   `type:"path" help:"The folder for the record, the keys and the clips of a new hub. Default: hub-state beside the configuration." placeholder:"DIR"`
	Unit      bool     `help:"Print a systemd unit for the hub of this configuration, and end."`

	out     io.Writer // os.Stdout when nil
	command string    // os.Args[0] when empty
}

// Run serves the page until the context ends.
func (c *HubSetupCmd) Run(ctx context.Context) error {
	if c.out == nil {
		c.out = os.Stdout
	}
	path, err := filepath.Abs(c.Config)
	if err == nil {
		path, err = followLink(path)
	}
	if err != nil {
		return fmt.Errorf("--config %s: %w", c.Config, err)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return fmt.Errorf("--config %s: its folder is not there: make it first", c.Config)
	}
	state := or(c.State, filepath.Join(filepath.Dir(path), "hub-state"))
	program, who := "eyebolt", "eyebolt"
	if p, err := os.Executable(); err == nil {
		program = p
	}
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	if c.Unit {
		had, err := existingHub(path)
		if err != nil {
			return err
		}
		_, err = io.WriteString(c.out, setup.Unit(program, path, or(had.State, state), who))
		return err
	}
	kept := state
	if had, err := existingHub(path); err == nil {
		kept = had.State
	}
	if err := asOwner(os.Geteuid(), os.Args, path, kept); err != nil {
		return err
	}
	log, err := logger("warn")
	if err != nil {
		return err
	}
	l, err := gate.Listen(c.Listen)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	t := &terminal{out: c.out}
	host, _ := os.Hostname() // a machine without a name: the hub is proposed to be called home
	s, err := setup.New(ctx, setup.Config{
		Path: path, Drivers: setupDrivers(), Look: lookCamera, Read: existingHub, Identity: identity, Log: log, Host: host, State: state,
		Search:  func(ctx context.Context) ([]setup.Seen, []string, error) { return c.search(ctx) },
		Cameras: func(ctx context.Context) ([]setup.SeenCamera, error) { return findCameras(ctx, c.Interface) },
		Check: func(ctx context.Context, staged string, secrets map[string]string) error {
			beside, err := readEnv(setup.EnvPath(path))
			if err != nil {
				return err
			}
			all := map[string]string{}
			for _, m := range []map[string]string{beside, secrets} {
				for k, v := range m {
					all[k] = v
				}
			}
			return checkHub(ctx, staged, all)
		},
		Walk: func(ctx context.Context, door string) (http.Handler, func() error, error) {
			return walkBeside(ctx, path, door, log)
		},
		Command: c.called(program), Program: program, User: who, Phone: phoneAddress(), Tell: func(line string) { t.say("  found: %s", plain(line)) },
	})
	if err != nil {
		return err
	}
	t.say("Eyebolt: pairing a door's devices into %s", path)
	if l.Fingerprint != "" {
		t.say("\nThe page is open to the network of %s, encrypted with a certificate that was made just now.\nYour browser warns of it: go on only if it shows this SHA-256 fingerprint:\n  %s", l.At, l.Fingerprint)
	} else if _, port, err := net.SplitHostPort(l.At); err == nil {
		t.say("\nThe page is open to this machine alone. From another one: ssh -L %s:%s %s@%s, and open the link there.", port, l.At, who, or(host, "HUB"))
	}
	g := gate.New(gate.Config{Addr: l.At, Scheme: l.Scheme, Page: "/setup", Say: t.link})
	server := gate.Server(g.Mux(web.Handler(web.WithHub()), map[string]http.Handler{"/setup/api/": s.Handler(), "/walk/api/": s.Walked()}))
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case <-ctx.Done():
		err = nil
	case err = <-failed:
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if errors.Is(server.Shutdown(end), context.DeadlineExceeded) {
		_ = server.Close()
	}
	return errors.Join(err, s.Close())
}

// called is how a command of this program is written, so that it works from any folder.
func (c *HubSetupCmd) called(program string) string {
	as := or(c.command, os.Args[0])
	if as == filepath.Base(as) {
		return as // found by the shell's path
	}
	return program
}

// search asks the chosen interfaces which brokers and servers there are.
func (c *HubSetupCmd) search(ctx context.Context) ([]setup.Seen, []string, error) {
	var types []string
	for _, d := range setupDrivers() {
		if d.Service != "" {
			types = append(types, d.Service)
		}
	}
	where := c.Interface
	if len(where) == 0 {
		all, err := net.Interfaces()
		if err != nil {
			return nil, nil, err
		}
		for _, f := range all {
			if f.Flags&net.FlagUp != 0 && f.Flags&net.FlagMulticast != 0 && f.Flags&net.FlagLoopback == 0 {
				where = append(where, f.Name)
			}
		}
	}
	found, err := mdns.Find(ctx, mdns.Search{Types: types, Interfaces: c.Interface})
	var all []setup.Seen
	for _, f := range found {
		all = append(all, setup.Seen{Service: f.Type, Name: f.Name, Addr: f.Addr, Text: f.Text})
	}
	return all, where, err
}

// followLink gives the file that a link stands for, so that the link stays.
func followLink(path string) (string, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return path, nil
	}
	if err != nil {
		return "", err
	}
	if info.Mode()&os.ModeSymlink != 0 {
		return filepath.EvalSymlinks(path)
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("is no file")
	}
	return path, nil
}

// hostOf is the address of a peer, without its port.
func hostOf(remote string) string {
	if host, _, err := net.SplitHostPort(remote); err == nil {
		return host
	}
	return remote
}

// phoneAddress is where a phone of the home's network reaches the walk test's page; empty: this machine is in no such network, or in several.
func phoneAddress() string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	found := ""
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok || n.IP.To4() == nil || !n.IP.IsPrivate() {
			continue
		}
		if found != "" {
			return "" // which of them is the home's is not ours to guess
		}
		found = net.JoinHostPort(n.IP.String(), "8431")
	}
	return found
}

// terminal is what the household reads.
type terminal struct {
	mu  sync.Mutex
	out io.Writer
}

func (t *terminal) say(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = fmt.Fprintf(t.out, format+"\n", args...) // nobody reads it any more
}

// link shows the newest link, which opens once.
func (t *terminal) link(link, from string) {
	if from != "" {
		t.say("\nThe link was opened from %s. If that was not you, press Ctrl-C now. For another browser:", hostOf(from))
	} else {
		t.say("\nOpen this link. It works once; whoever has it can pair devices.")
	}
	t.say("\n    %s\n\nCtrl-C ends the set-up; what was chosen so far is kept.\n", link)
}
