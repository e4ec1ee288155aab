package onvif

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"eyebolt/camera"
)

// Profiles gives the camera's video streams: from Media2 where it is offered, since the older service does not name H.265, and
// from Media where Media2 has none.
func (c *Client) Profiles(ctx context.Context) ([]Profile, error) {
	var first error
	if c.offers(nsMedia2) {
		n, err := c.call(ctx, nsMedia2, "GetProfiles", "<Type>VideoSource</Type><Type>VideoEncoder</Type>")
		if errors.Is(err, camera.ErrCredentials) || errors.Is(err, ErrLocked) {
			return nil, err
		}
		if all := readProfiles(n, true); err == nil && len(all) > 0 {
			return all, nil
		}
		first = err
	}
	if c.offers(nsMedia) {
		n, err := c.call(ctx, nsMedia, "GetProfiles", "")
		if err != nil {
			return nil, err
		}
		if all := readProfiles(n, false); len(all) > 0 {
			return all, nil
		}
	} else if first != nil {
		return nil, first
	}
	return nil, c.fault(camera.ErrNoVideo, "it names no profile with video")
}

func profileToken(p Profile) string {
	return "<ProfileToken>" + escape(p.Token) + "</ProfileToken>"
}

func (p Profile) service() string {
	if p.Media2 {
		return nsMedia2
	}
	return nsMedia
}

// streamSetup asks for RTP in the RTSP connection: what passes every router, and what the hub reads by default.
const streamSetup = `<StreamSetup><Stream xmlns="` + nsSchema + `">RTP-Unicast</Stream><Transport xmlns="` + nsSchema + `"><Protocol>RTSP</Protocol></Transport></StreamSetup>`

// StreamURL gives a profile's RTSP address on the camera, with the credentials in it, as camera.Config takes it.
func (c *Client) StreamURL(ctx context.Context, p Profile) (*url.URL, error) {
	inside := streamSetup + profileToken(p)
	if p.Media2 {
		inside = "<Protocol>RTSP</Protocol>" + profileToken(p)
	}
	n, err := c.call(ctx, p.service(), "GetStreamUri", inside)
	if err != nil {
		return nil, err
	}
	return c.given(n, "rtsp", "rtsps")
}

// SnapshotURL gives the address of a profile's still picture, without credentials.
func (c *Client) SnapshotURL(ctx context.Context, p Profile) (*url.URL, error) {
	n, err := c.call(ctx, p.service(), "GetSnapshotUri", profileToken(p))
	if err != nil {
		return nil, err
	}
	u, err := c.given(n, "http", "https")
	if err != nil {
		return nil, err
	}
	u.User = nil
	return u, nil
}

// given reads the address in an answer: Media2 has it in Uri, Media in MediaUri/Uri. It is put on the camera's own host.
func (c *Client) given(n *node, schemes ...string) (*url.URL, error) {
	s := n.text("Uri")
	if s == "" {
		s = n.text("MediaUri", "Uri")
	}
	if s == "" {
		return nil, c.fault(camera.ErrNoVideo, "it gives no address")
	}
	u, moved, err := c.at.ours(s, schemes...)
	if err != nil {
		return nil, c.fault(camera.ErrGarbage, "%v", err)
	}
	if moved {
		c.log.Debug("the camera names another host for its pictures: the one that was asked is used")
	}
	if c.at.user != "" || c.at.pass != "" {
		u.User = url.UserPassword(c.at.user, c.at.pass)
	}
	return u, nil
}

// SyncPoint asks for a key picture on every stream of the profile, now (SetSynchronizationPoint).
func (c *Client) SyncPoint(ctx context.Context, p Profile) error {
	_, err := c.call(ctx, p.service(), "SetSynchronizationPoint", profileToken(p))
	return err
}

// Still is a source of still pictures: one profile's snapshot address, kept.
type Still struct {
	c *Client
	u *url.URL
}

// Still asks where the profile's still pictures are.
func (c *Client) Still(ctx context.Context, p Profile) (*Still, error) {
	u, err := c.SnapshotURL(ctx, p)
	if err != nil {
		return nil, err
	}
	return &Still{c, u}, nil
}

// Snapshot fetches one JPEG, of at most 8 MB, with Digest if the camera asks for it. The password goes nowhere in clear. It
// may be called from several goroutines; a camera takes 0.1 to 1 s for one.
func (s *Still) Snapshot(ctx context.Context) ([]byte, error) {
	b, refused, err := s.fetch(ctx)
	if err != nil || !refused {
		return b, err
	}
	if b, refused, err = s.fetch(ctx); refused && err == nil {
		err = s.c.fault(camera.ErrCredentials, "its still picture is refused")
	}
	return b, err
}

func (s *Still) fetch(ctx context.Context) (b []byte, refused bool, err error) {
	c := s.c
	ctx, cancel := context.WithTimeout(ctx, c.lim.request)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.u.String(), nil)
	if err != nil {
		return nil, false, c.fault(camera.ErrGarbage, "its still picture has no address")
	}
	req.Header.Set("User-Agent", "eyebolt")
	c.authorize(req, authDigest)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, false, c.explain(ctx, err)
	}
	defer res.Body.Close()
	b, err = io.ReadAll(io.LimitReader(res.Body, c.lim.snapshot+1))
	if err != nil {
		return nil, false, c.explain(ctx, err)
	}
	switch {
	case res.StatusCode == http.StatusUnauthorized:
		fresh, basic := bestDigest(res.Header.Values("WWW-Authenticate"))
		switch {
		case fresh == nil && basic:
			return nil, false, c.fault(camera.ErrCredentials, "for still pictures it wants the password in clear (Basic): allow Digest in its settings")
		case fresh == nil || c.at.user == "":
			return nil, false, c.fault(camera.ErrCredentials, "its still picture is refused")
		}
		c.mu.Lock()
		c.digest = fresh
		c.mu.Unlock()
		return nil, true, nil
	case res.StatusCode != http.StatusOK:
		return nil, false, c.fault(ErrUnsupported, "for a still picture it answers %d", res.StatusCode)
	case int64(len(b)) > c.lim.snapshot:
		return nil, false, c.fault(camera.ErrGarbage, "its still picture is larger than %d bytes", c.lim.snapshot)
	case len(b) < 4 || b[0] != 0xff || b[1] != 0xd8:
		return nil, false, c.fault(camera.ErrGarbage, "its still picture is no JPEG: %q", firstOf(b))
	}
	return b, false, nil
}

func (s *Still) String() string { return fmt.Sprintf("still pictures of %s", s.c.cfg.Name) }
