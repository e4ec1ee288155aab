package setup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Written is what became of a set-up.
type Written struct {
	Path      string   `json:"path"`
	Backup    string   `json:"backup"` // of the configuration before; empty: there was none
	Files     []string `json:"files"`  // with secrets
	Door      string   `json:"door"`
	First     bool     `json:"first"` // the hub is new
	ID        string   `json:"id"`
	Key       string   `json:"key"`
	RecordKey string   `json:"recordKey"`
	Command   string   `json:"command"`
	Unit      string   `json:"unit"` // a systemd unit
	Walk      string   `json:"walk"` // the walk test's command
	CanWalk   bool     `json:"canWalk"`
}

// plan is what is to be written.
type plan struct {
	old     []byte // what Path holds; nil: there is no such file
	text    string
	door    string            // its own part, for adding it by hand
	secrets map[string]string // NAME → value, for the environment's file
	files   map[string]string // path → password, token or PIN, one file each
}

// EnvPath is the file beside a configuration from which ${NAME} is taken where the environment has none: hub.env for hub.yaml.
func EnvPath(config string) string {
	return strings.TrimSuffix(config, filepath.Ext(config)) + ".env"
}

// name of a variable for a camera's password.
func variable(door, camera string) string {
	return "EYEBOLT_" + strings.ToUpper(strings.ReplaceAll(door+"_"+camera, "-", "_")) + "_PASSWORD"
}

// plan makes the files' texts. s.mu is held.
func (s *Setup) plan(c chosen) (plan, error) {
	p := plan{secrets: map[string]string{}, files: map[string]string{}}
	var err error
	if p.old, err = os.ReadFile(s.cfg.Path); errors.Is(err, fs.ErrNotExist) {
		p.old = nil
	} else if err != nil {
		return p, err
	}
	if (p.old == nil) != (s.existing == nil) {
		return p, errors.New("the configuration came or went meanwhile: begin anew")
	}
	dir := filepath.Dir(s.cfg.Path)
	stem := strings.TrimSuffix(filepath.Base(s.cfg.Path), filepath.Ext(s.cfg.Path))
	a := Access{Address: c.peer.address, User: c.peer.user}
	if c.peer.secret != "" {
		what := "-password"
		if c.peer.driver.Login == Token {
			what = "-token"
		}
		if a.SecretFile, err = unused(dir, stem+"."+s.draft.Door+"."+c.peer.driver.Key+what); err != nil {
			return p, err
		}
		p.files[a.SecretFile] = c.peer.secret
	}
	for key, secret := range c.secrets {
		path, err := unused(dir, stem+"."+s.draft.Door+"."+c.peer.driver.Key+"-"+key)
		if err != nil {
			return p, err
		}
		p.files[path], c.pick.Answers[key] = secret, path
	}
	env, err := os.ReadFile(EnvPath(s.cfg.Path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return p, err
	}
	var cameras []yaml.MapSlice
	for i, k := range s.draft.Cameras {
		look := c.cameras[i].look
		at := func(id string) (Stream, string) {
			for _, st := range look.Streams {
				if st.ID != id {
					continue
				}
				address := literal(st.URL)
				if strings.Contains(address, Secret) {
					v := variable(s.draft.Door, k.Name)
					for n := 2; strings.Contains("\n"+string(env), "\n"+v+"="); n++ {
						v = fmt.Sprintf("%s_%d", variable(s.draft.Door, k.Name), n)
					}
					p.secrets[v] = escape(c.cameras[i].password)
					address = strings.ReplaceAll(address, Secret, "${"+v+"}")
				}
				return st, address
			}
			return Stream{}, ""
		}
		st, address := at(k.Stream)
		m := yaml.MapSlice{{Key: "name", Value: k.Name}, {Key: "url", Value: address}, {Key: "link", Value: k.Link}}
		if st.View != "" {
			if _, live := at(st.View); live != "" {
				m = append(m, yaml.MapItem{Key: "live_url", Value: live})
			}
		}
		if look.ONVIF != "" {
			m = append(m, yaml.MapItem{Key: "onvif", Value: strings.ReplaceAll(look.ONVIF, "${", "%24%7B")})
		}
		cameras = append(cameras, m)
	}
	if p.door, err = doorText(s.draft.Door, c.peer.driver.Key, c.peer.driver.Settings(a, c.pick), cameras); err != nil {
		return p, err
	}
	if p.old == nil {
		p.text, err = fresh(s.draft.Hub, s.cfg.State, filepath.Base(EnvPath(s.cfg.Path)), c.service, p.door)
	} else {
		p.text, err = addDoor(string(p.old), p.door)
	}
	return p, err
}

// literal is a camera's address in which ${ stands for itself, but for Secret: what ${NAME} stands for in the configuration is a secret of
// this machine, and no camera is to be told one that is not its own.
func literal(address string) string {
	parts := strings.Split(address, Secret)
	for i := range parts {
		parts[i] = strings.ReplaceAll(parts[i], "${", "%24%7B")
	}
	return strings.Join(parts, Secret)
}

// escape writes a password as an address may hold it (RFC 3986 section 2.1): everything but letters and digits as %XX, so that it
// means the same in an address, in a query, and to a shell that reads the file.
func escape(s string) string {
	return strings.NewReplacer("+", "%20", "-", "%2D", "_", "%5F", ".", "%2E", "~", "%7E").Replace(url.QueryEscape(s))
}

// Write holds the draft to the hub's own checks and writes it. What it changed before a check failed is taken back.
func (s *Setup) Write(ctx context.Context) (*Written, error) {
	s.mu.Lock()
	if s.busy {
		s.mu.Unlock()
		return nil, errors.New("it is being written")
	}
	c, problems := s.problems()
	if len(problems) > 0 {
		s.mu.Unlock()
		return nil, errors.New(problems[0].Text)
	}
	p, err := s.plan(c)
	first, door := s.existing == nil, s.draft.Door
	s.busy = err == nil
	s.mu.Unlock()
	if errors.Is(err, errShape) {
		return nil, fmt.Errorf("%w. It is left as it is. Add this door to it yourself:\n%s", err, p.door)
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	backup, err := s.write(ctx, p)
	var who Identity
	if err == nil {
		who, err = s.cfg.Identity(s.cfg.Path)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
	if err != nil {
		return nil, err
	}
	w := &Written{
		Path: s.cfg.Path, Backup: backup, Door: door, First: first, ID: who.ID, Key: who.Key, RecordKey: who.RecordKey,
		Command: s.cfg.Command + " hub --config " + shellWord(s.cfg.Path), Walk: s.cfg.Command + " hub walk --config " + shellWord(s.cfg.Path) + " --door " + door,
		CanWalk: s.cfg.Walk != nil, Files: slices.Sorted(maps.Keys(p.files)),
	}
	if s.cfg.Phone != "" {
		w.Walk += " --listen " + s.cfg.Phone
	}
	state := s.cfg.State
	if !first {
		state = s.existing.State
	}
	w.Unit = Unit(s.cfg.Program, s.cfg.Path, state, s.cfg.User)
	if len(p.secrets) > 0 {
		w.Files = append(w.Files, EnvPath(s.cfg.Path))
	}
	s.written = w
	c.peer.secrets = nil // each is in its file now
	if err := os.Remove(s.draftPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.cfg.Log.Warn("the draft of the set-up stays", "err", err)
	}
	return w, nil
}

// write puts the secrets in place, holds the new text to the hub's checks, and only then lets it take the configuration's place.
func (s *Setup) write(ctx context.Context, p plan) (backup string, err error) {
	made := []string{}
	defer func() {
		for _, path := range made {
			if err != nil {
				err = errors.Join(err, os.Remove(path))
			}
		}
	}()
	for path, secret := range p.files {
		if err := create(path, []byte(secret+"\n")); err != nil {
			return "", err
		}
		made = append(made, path)
	}
	staged, err := stage(s.cfg.Path, []byte(p.text))
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(staged))
		}
	}()
	if err := s.cfg.Check(ctx, staged, p.secrets); err != nil {
		return "", fmt.Errorf("the hub would not start with this: %w", err)
	}
	now, err := os.ReadFile(s.cfg.Path)
	if p.old == nil && errors.Is(err, fs.ErrNotExist) {
		err = nil
	} else if err == nil && (p.old == nil || string(now) != string(p.old)) {
		err = errors.New("the configuration was changed meanwhile, and is left as it is: begin anew")
	}
	if err != nil {
		return "", err
	}
	if p.old != nil {
		backup = s.cfg.Path + "." + s.cfg.Now().Format("20060102-150405") + ".bak"
		if err := create(backup, p.old); err != nil {
			return "", err
		}
	}
	if len(p.secrets) > 0 {
		if err := s.addSecrets(p.secrets); err != nil {
			return "", err
		}
	}
	if p.old == nil {
		// A file that came this instant is not replaced.
		if err := os.Link(staged, s.cfg.Path); err == nil {
			_ = os.Remove(staged)
			return backup, syncDir(filepath.Dir(s.cfg.Path))
		} else if errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("%s is there now, and is left as it is: begin anew", s.cfg.Path)
		}
	}
	if err := os.Rename(staged, s.cfg.Path); err != nil {
		return "", err
	}
	return backup, syncDir(filepath.Dir(s.cfg.Path))
}

// addSecrets adds lines to the environment's file; what is in it stays.
func (s *Setup) addSecrets(secrets map[string]string) error {
	path := EnvPath(s.cfg.Path)
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text := string(old)
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		text += name + "=" + secrets[name] + "\n"
	}
	return replace(path, []byte(text))
}

// shellWord quotes what a shell would not take as one word.
func shellWord(s string) string {
	for _, r := range s {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:/_-,@+", r) {
			return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
		}
	}
	return s
}

// Unit is a systemd unit for a hub. At a reboot it is stopped before what it bolts doors with, where that runs on this machine (S8), and it is
// started again however often it ended: a door without its hub is nobody's (S14).
func Unit(program, config, state, user string) string {
	return `# /etc/systemd/system/eyebolt-hub.service
[Unit]
Description=Eyebolt hub
Wants=network-online.target
After=network-online.target mosquitto.service zigbee2mqtt.service zwave-js-server.service zwave-js-ui.service matter-server.service
StartLimitIntervalSec=0

[Service]
ExecStart=` + unitWord(program) + ` hub --config ` + unitWord(config) + `
User=` + user + `
Restart=always
RestartSec=1
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=` + unitWord(state) + `
PrivateTmp=yes

[Install]
WantedBy=multi-user.target
`
}

// unitWord writes a path as systemd reads it (systemd.syntax, systemd.unit: % and $ stand for more).
func unitWord(s string) string {
	s = strings.NewReplacer("%", "%%", "$", "$$", `\`, `\\`, `"`, `\"`).Replace(s)
	if strings.ContainsAny(s, " \t'\"\\;") {
		return `"` + s + `"`
	}
	return s
}
