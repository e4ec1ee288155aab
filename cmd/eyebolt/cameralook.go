package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/onvif"
)

// CameraLookCmd asks one camera.
type CameraLookCmd struct {
	Address      string `arg:"" help:"Host, http(s) address of its ONVIF service, or its rtsp address."`
	User         string `help:"The camera's ONVIF user, if the address holds none." placeholder:"NAME"`
	PasswordFile string `help:"File with the password. Without it, the variable EYEBOLT_CAMERA_PASSWORD is read." type:"path" placeholder:"FILE"`
	CertHash     string `help:"https: the SHA-256 of the camera's certificate, in hexadecimal, pinned." placeholder:"HEX"`
	Name         string `help:"What the camera is to be called in the configuration." default:"door"`
}

// passwordMost bounds a password file.
const passwordMost = 4 << 10

// Run looks and prints.
func (l *CameraLookCmd) Run(ctx context.Context) error { return l.run(ctx, os.Stdout) }

func (l *CameraLookCmd) run(ctx context.Context, out io.Writer) error {
	cfg := onvif.Config{Name: l.Name, URL: l.Address, User: l.User, CertHash: l.CertHash}
	if u, err := url.Parse(l.Address); err == nil && (u.Scheme == "rtsp" || u.Scheme == "rtsps") && u.Hostname() != "" {
		// Its ONVIF service is another one, at the same host.
		at := url.URL{Scheme: "http", Host: u.Hostname(), User: u.User}
		if strings.Contains(at.Host, ":") {
			at.Host = "[" + at.Host + "]"
		}
		cfg.URL = at.String()
	}
	var err error
	if cfg.Password, err = l.password(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c, err := onvif.Dial(ctx, cfg)
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := c.Survey(ctx)
	if err != nil {
		return err
	}
	return printSurvey(out, l.Name, c, s)
}

func (l *CameraLookCmd) password() (string, error) {
	if l.PasswordFile == "" {
		return os.Getenv("EYEBOLT_CAMERA_PASSWORD"), nil
	}
	f, err := os.Open(l.PasswordFile)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, passwordMost+1))
	if err != nil {
		return "", err
	}
	if len(b) > passwordMost {
		return "", fmt.Errorf("%s holds more than %d bytes: is it the file with the camera's password?", l.PasswordFile, passwordMost)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// hidden stands for a password on a screen; written is what the configuration has in its place.
const (
	hidden  = "***"
	written = "${CAMERA_PASSWORD}"
)

func printSurvey(out io.Writer, name string, c *onvif.Client, s onvif.Survey) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	line := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	i := s.Information
	line("camera\t%s", dash(strings.TrimSpace(strings.Join([]string{i.Manufacturer, i.Model, i.Firmware}, " "))))
	line("ONVIF\t%s (%s)", plain(s.Address), strings.Join(s.Services, ", "))
	line("clock\t%v", s.Clock)
	line("")
	line("profile\tpicture\tkey picture\tsigned\tuse\tstream")
	for _, o := range s.Offers {
		stream := c.Redact(o.Stream, hidden, o.Token)
		if o.Err != nil {
			stream = plain(o.Err.Error())
		}
		key, signed := "-", "no"
		if k := o.KeyEvery(); k > 0 {
			key = fmt.Sprintf("every %.1f s", k)
		}
		if o.Signed {
			signed = "yes"
		}
		line("%s\t%s\t%s\t%s\t%s\t%s", dash(plain(o.Name)), plain(o.Profile.String()), key, signed, use(s.Choice, o.Profile), stream)
	}
	line("")
	line("choice\t%s", s.Choice.Why)
	if s.StillErr != nil {
		line("still picture\tnone: %s", plain(s.StillErr.Error()))
	} else {
		line("still picture\t%s (%d kB in %d ms)", c.Redact(s.Still, hidden, s.Choice.Watch.Token), (s.StillBytes+999)/1000, s.StillTook.Milliseconds())
	}
	switch {
	case s.TopicsErr != nil:
		line("own alarms\tnone: %s", plain(s.TopicsErr.Error()))
	case len(s.Topics) == 0:
		line("own alarms\tit names none about its picture")
	default:
		line("own alarms\t%s", strings.Join(s.Topics, ", "))
	}
	switch {
	case errors.Is(s.RecordingsErr, onvif.ErrUnsupported):
		line("storage\tnone that can be read: minutes that the network loses cannot be fetched afterwards")
	case s.RecordingsErr != nil:
		line("storage\t%s", plain(s.RecordingsErr.Error()))
	case len(s.Recordings) == 0:
		line("storage\tit has recorded nothing: switch its own recording on, and lost minutes can be fetched afterwards")
	default:
		for _, r := range s.Recordings {
			line("storage\t%s", recording(r))
		}
	}
	for _, a := range advise(s) {
		line("advice\t%s", a)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return printConfig(out, name, c, s)
}

func use(c onvif.Choice, p onvif.Profile) string {
	var uses []string
	if p.Token == c.Watch.Token {
		uses = append(uses, "watch, record")
	}
	if p.Token == c.View.Token && c.View.Codec != camera.NoCodec {
		uses = append(uses, "live view")
	}
	return dash(strings.Join(uses, ", "))
}

func recording(r onvif.Recording) string {
	s := dash(plain(r.Name))
	if !r.From.IsZero() {
		s += " from " + r.From.Format("2006-01-02 15:04")
	}
	if r.Going {
		return s + ", going on"
	}
	if !r.To.IsZero() {
		s += " to " + r.To.Format("2006-01-02 15:04")
	}
	return s
}

// advise says what to change in the camera's own settings.
func advise(s onvif.Survey) []string {
	var a []string
	p := s.Choice.Watch
	if k := p.KeyEvery(); k > 4 {
		a = append(a, fmt.Sprintf("set the key frame interval (GOP) of %q to 2 s, %d pictures: it is %.1f s, and nothing can be judged before the first one", plain(p.Name), int(2*p.FPS), k))
	}
	if p.FPS > 0 && p.FPS < 10 {
		a = append(a, fmt.Sprintf("set %q to 15 pictures a second: at %.3g, a missing one is noticed late", plain(p.Name), p.FPS))
	}
	if off := s.Clock.Offset.Abs(); off > 5*time.Second {
		a = append(a, "set the camera's clock by NTP: "+s.Clock.String())
	}
	if len(onvif.Sources(profilesOf(s))) > 1 {
		a = append(a, "it has several lenses: choose the stream that sees the door")
	}
	return a
}

func profilesOf(s onvif.Survey) []onvif.Profile {
	var all []onvif.Profile
	for _, o := range s.Offers {
		all = append(all, o.Profile)
	}
	return all
}

// printConfig prints what to write into the hub's configuration.
func printConfig(out io.Writer, name string, c *onvif.Client, s onvif.Survey) error {
	var stream *url.URL
	for _, o := range s.Offers {
		if o.Token == s.Choice.Watch.Token {
			stream = o.Stream
		}
	}
	if stream == nil {
		return fmt.Errorf("the chosen profile %q gives no stream", plain(s.Choice.Watch.Name))
	}
	address := c.Redact(stream, written, s.Choice.Watch.Token)
	text := fmt.Sprintf("\nWrite into the hub's configuration:\n\ncameras:\n  - name: %s\n    url: %s\n", yamlWord(name), yamlWord(address))
	if strings.Contains(address, written) {
		text += "\nand the password into the hub's environment, with what an address may not hold as %XX: CAMERA_PASSWORD=…\n"
	}
	_, err := io.WriteString(out, text)
	return err
}

// yamlWord quotes what YAML would not take as one plain text.
func yamlWord(s string) string {
	if s != "" && !strings.ContainsAny(s, "#'\"\\ \t&*!|>%@`[]{},?") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}
