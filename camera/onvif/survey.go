package onvif

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"eyebolt/camera"
)

// Offer is one profile with the address of its stream.
type Offer struct {
	Profile
	Stream *url.URL // with credentials; nil if Err is set
	Err    error
}

// Survey is all that a camera offers, for whoever sets it up. What could not be had has its error beside it.
type Survey struct {
	Address       string // of the device service
	Information   Information
	Clock         Clock
	Services      []string // media2, events, …
	Offers        []Offer
	Choice        Choice
	Still         *url.URL
	StillBytes    int
	StillTook     time.Duration
	StillErr      error
	Topics        []string // of events about the picture
	TopicsErr     error
	Recordings    []Recording
	RecordingsErr error
}

// Survey asks for all of it. An error means that nothing can be used: the password is wrong, or there is no video.
func (c *Client) Survey(ctx context.Context) (Survey, error) {
	s := Survey{Address: c.at.url.String(), Clock: c.Clock()}
	var err error
	if s.Information, err = c.Information(ctx); err != nil && (errors.Is(err, camera.ErrCredentials) || errors.Is(err, ErrLocked) || errors.Is(err, ErrClock) || errors.Is(err, camera.ErrUnreachable)) {
		return s, err
	}
	for _, n := range []struct{ namespace, name string }{
		{nsMedia, "media"}, {nsMedia2, "media2"}, {nsEvents, "events"}, {nsRecording, "recording"}, {nsSearch, "search"}, {nsReplay, "replay"},
	} {
		if c.offers(n.namespace) {
			s.Services = append(s.Services, n.name)
		}
	}
	profiles, err := c.Profiles(ctx)
	if err != nil {
		return s, err
	}
	for _, p := range profiles {
		o := Offer{Profile: p}
		o.Stream, o.Err = c.StreamURL(ctx, p)
		s.Offers = append(s.Offers, o)
	}
	var ok bool
	if s.Choice, ok = Choose(profiles); !ok {
		return s, c.fault(camera.ErrNoVideo, "none of its %d profiles is H.264 or H.265", len(profiles))
	}
	still, err := c.Still(ctx, s.Choice.Watch)
	if s.StillErr = err; err == nil {
		began := c.cfg.Now()
		var b []byte
		b, s.StillErr = still.Snapshot(ctx)
		s.Still, s.StillBytes, s.StillTook = still.u, len(b), c.cfg.Now()-began
	}
	s.Topics, s.TopicsErr = c.TamperTopics(ctx)
	s.Recordings, s.RecordingsErr = c.Recordings(ctx)
	return s, ctx.Err()
}

// Redact writes an address without the camera's password, wherever it stands in it: put stands in its place, and in that of whatever
// goes by a secret's name. open are values that are none, whatever they are called: many cameras want the profile's token in its stream's
// address.
func (c *Client) Redact(u *url.URL, put string, open ...string) string {
	if u == nil {
		return ""
	}
	clean := *u
	user := ""
	if u.User != nil {
		user, clean.User = url.User(u.User.Username()).String()+":"+put+"@", nil
	}
	q := clean.Query()
	for name := range q {
		if v := q.Get(name); secret(name) && v != "" && !slices.Contains(open, v) {
			// What is beside the value stays as the camera wrote it: some compare the whole.
			clean.RawQuery = strings.ReplaceAll(clean.RawQuery, name+"="+url.QueryEscape(q.Get(name)), name+"="+put)
		}
	}
	s := clean.String()
	for _, p := range []string{c.at.pass, url.QueryEscape(c.at.pass), url.PathEscape(c.at.pass)} {
		if len(p) > 3 {
			s = strings.ReplaceAll(s, p, put)
		}
	}
	return plain(strings.Replace(s, "://", "://"+user, 1))
}

func secret(name string) bool {
	name = strings.ToLower(name)
	for _, w := range []string{"pass", "pwd", "auth", "token", "secret", "key"} {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}

// TamperTopics lists the events about its picture that the camera says it can tell (GetEventProperties). A camera may tell
// others, and may never tell these: vendors' defaults are off.
func (c *Client) TamperTopics(ctx context.Context) ([]string, error) {
	if !c.offers(nsEvents) {
		return nil, c.fault(ErrUnsupported, "it names no event service")
	}
	n, err := c.address(ctx, nsEvents+"/EventPortType/GetEventPropertiesRequest", "GetEventProperties", operation(nsEvents, "GetEventProperties", ""))
	if err != nil {
		return nil, err
	}
	return readTopics(n.kid("TopicSet")), nil
}

// readTopics gives the paths of a WS-Topics tree that are about the picture.
func readTopics(n *node) []string {
	var all []string
	var down func(n *node, path string)
	down = func(n *node, path string) {
		for _, k := range n.kids() {
			p := strings.TrimPrefix(path+"/"+k.Name, "/")
			leaf := k.attr("topic") == "true" || k.attr("topic") == "1" || k.kid("MessageDescription") != nil
			if leaf && kindOf(p) != NoKind && len(all) < trackedMost && !slices.Contains(all, plain(clip(p, 160))) {
				all = append(all, plain(clip(p, 160)))
			}
			if len(p) < 512 {
				down(k, p)
			}
		}
	}
	down(n, "")
	return all
}
