package still

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"eyebolt/camera"
)

// http reads one connection's pictures until it ends.
func (m *Motion) http(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watchdog := time.AfterFunc(silence, cancel)
	defer watchdog.Stop()
	t := &http.Transport{DialContext: m.dial, TLSClientConfig: m.tls(), DisableCompression: true, MaxResponseHeaderBytes: 16 << 10}
	defer t.CloseIdleConnections()
	c := &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	u := *m.url
	u.User = nil
	get := func(challenges []string) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("User-Agent", "eyebolt")
		if challenges != nil {
			pass, _ := m.url.User.Password()
			if err := authorize(req, challenges, m.url.User.Username(), pass); err != nil {
				return nil, fmt.Errorf("%w: %w", camera.ErrCredentials, err)
			}
		}
		return c.Do(req)
	}
	res, err := get(nil)
	if err == nil && res.StatusCode == http.StatusUnauthorized && m.url.User != nil {
		_ = res.Body.Close()
		res, err = get(res.Header.Values("WWW-Authenticate"))
	}
	if err != nil {
		return err
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
		return camera.ErrCredentials
	case res.StatusCode != http.StatusOK:
		return fmt.Errorf("%w: it answers %d", camera.ErrNoVideo, res.StatusCode)
	}
	p, err := newParts(res.Body, res.Header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotJPEG, err)
	}
	for {
		b, err := p.next()
		if err != nil {
			if ctx.Err() != nil || !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrNotJPEG) {
				err = fmt.Errorf("%w: %w", camera.ErrStreamEnded, err)
			}
			return err
		}
		watchdog.Reset(silence)
		if err := m.picture(b); err != nil {
			return err
		}
	}
}
