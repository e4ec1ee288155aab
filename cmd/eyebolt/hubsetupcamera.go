package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/onvif"
	"eyebolt/camera/rtsp"
	"eyebolt/camera/still"
	"eyebolt/hub/setup"
)

const (
	// photoWidth is enough to know a door by.
	photoWidth = 960
	// photoMost bounds a camera's own still picture, as it goes to the page.
	photoMost = 4 << 20
	// firstKey is how long a key picture may take: cameras send one every 1 to 10 s.
	firstKey = 20 * time.Second
)

// lookCamera asks a camera what it offers and what it sees: by ONVIF, or, for an rtsp address, by that stream alone.
func lookCamera(ctx context.Context, ask setup.CameraAsk) (setup.Look, error) {
	l, err := lookBoth(ctx, ask)
	switch {
	case errors.Is(err, camera.ErrCredentials) && ask.User == "":
		return l, fmt.Errorf("%w: the camera asks for a name and a password", setup.ErrLogin)
	case errors.Is(err, camera.ErrCredentials):
		return l, fmt.Errorf("%w: the camera refuses them. Many cameras have users for ONVIF apart from those of their own page", setup.ErrLogin)
	case errors.Is(err, onvif.ErrDisabled):
		return l, fmt.Errorf("%w. If you know its stream, type that address instead: rtsp://…", err)
	}
	return l, err
}

func lookBoth(ctx context.Context, ask setup.CameraAsk) (setup.Look, error) {
	if u, err := url.Parse(ask.At()); err == nil && (u.Scheme == "rtsp" || u.Scheme == "rtsps") {
		return lookStream(ctx, ask)
	}
	c, err := onvif.Dial(ctx, onvif.Config{Name: "camera", URL: ask.At(), User: ask.User, Password: ask.Password})
	if err != nil {
		return setup.Look{}, err
	}
	defer c.Close()
	s, err := c.Survey(ctx)
	if err != nil {
		return setup.Look{}, err
	}
	l := setup.Look{Name: plain(strings.TrimSpace(s.Information.Manufacturer + " " + s.Information.Model)), Advice: advise(s)}
	if u, err := url.Parse(s.Address); err == nil {
		// The usual path is left out, as in the example.
		if u.User = nil; u.Path == "/onvif/device_service" && u.Scheme == "http" {
			l.ONVIF = u.Host
		} else {
			l.ONVIF = u.String()
		}
	}
	var watched string // with the password: it does not leave this function
	for _, o := range s.Offers {
		if o.Err != nil || o.Codec == camera.NoCodec {
			continue
		}
		st := setup.Stream{
			ID: o.Token, Text: plain(o.Profile.String()), URL: c.Redact(o.Stream, setup.Secret, o.Token),
			Watch: o.Token == s.Choice.Watch.Token, Plays: o.Codec == camera.H264,
		}
		if v := s.Choice.View; !st.Plays && v.Codec == camera.H264 && v.Token != o.Token {
			st.View = v.Token
		}
		if st.Watch {
			watched = o.Stream.String()
		}
		l.Streams = append(l.Streams, st)
	}
	if len(l.Streams) == 0 {
		return l, camera.ErrNoVideo
	}
	if src, err := c.Still(ctx, s.Choice.Watch); err == nil {
		if b, err := src.Snapshot(ctx); err == nil && isPhoto(b) {
			l.Picture = b
			return l, nil
		}
	}
	if watched == "" {
		l.Said = "The camera gives no still picture."
		return l, nil
	}
	_, l.Picture, err = photo(ctx, watched)
	l.Said = aboutPhoto(err)
	return l, nil
}

// lookStream asks for one stream whose address is known.
func lookStream(ctx context.Context, ask setup.CameraAsk) (setup.Look, error) {
	u, err := url.Parse(ask.At())
	if err != nil {
		return setup.Look{}, camera.ErrUnreachable // and not the address: it may hold a password
	}
	u.User = nil
	shown := ask.Address // never with a name or a password in it
	if ask.User != "" {
		u.User = url.UserPassword(ask.User, ask.Password)
		shown = strings.Replace(shown, "://", "://"+url.User(ask.User).String()+":"+setup.Secret+"@", 1)
	}
	p, pic, err := photo(ctx, u.String())
	l := setup.Look{Picture: pic}
	if err != nil && p.Codec == camera.NoCodec {
		return l, err
	}
	l.Said = aboutPhoto(err)
	codec := map[camera.Codec]string{camera.H264: "H264", camera.H265: "H265"}[p.Codec]
	l.Streams = []setup.Stream{{ID: "stream", Text: fmt.Sprintf("%s %d×%d", codec, p.Width, p.Height), URL: shown, Watch: true, Plays: p.Codec == camera.H264}}
	return l, nil
}

// aboutPhoto says what a decoded picture is like, or why there is none.
func aboutPhoto(err error) string {
	switch {
	case err == nil:
		return "Shown without colour here; what is recorded has it."
	case errors.Is(err, still.ErrNoFFmpeg):
		return "Install ffmpeg on this machine to see the camera's picture here: apt-get install ffmpeg."
	}
	return "No picture could be made: " + plain(err.Error())
}

// isPhoto says whether a camera's still picture is one that a browser can show.
func isPhoto(b []byte) bool {
	c, err := jpeg.DecodeConfig(bytes.NewReader(b))
	return err == nil && len(b) <= photoMost && c.Width*c.Height <= still.PixelsMost
}

// photo waits for a stream's first key picture and decodes it. Params tell that the stream is there even if that fails.
func photo(ctx context.Context, address string) (camera.Params, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, firstKey)
	defer cancel()
	begin := time.Now()
	first := &firstPicture{done: make(chan struct{})}
	k, err := rtsp.Open(ctx, camera.Config{Name: "camera", URL: address, Now: func() time.Duration { return time.Since(begin) }, Log: slog.New(slog.DiscardHandler)}, first)
	if err != nil {
		return camera.Params{}, nil, err
	}
	select {
	case <-first.done:
	case <-ctx.Done():
	}
	if err := k.Close(); err != nil {
		return camera.Params{}, nil, err
	}
	first.mu.Lock()
	defer first.mu.Unlock()
	switch {
	case first.err != nil && first.params.Codec == camera.NoCodec:
		return camera.Params{}, nil, first.err
	case first.params.Codec == camera.NoCodec:
		return camera.Params{}, nil, camera.ErrUnreachable
	case first.key.NALs == nil:
		return first.params, nil, errors.New("the camera sends no key picture: set one every 2 s")
	}
	b, err := still.Photo(ctx, "", first.params, first.key, photoWidth)
	return first.params, b, err
}

// firstPicture is a camera.Sink that keeps the first key picture, or why there is none.
type firstPicture struct {
	mu     sync.Mutex
	params camera.Params
	key    camera.Picture
	err    error
	ended  bool
	done   chan struct{} // closed once there is something
}

func (f *firstPicture) Opened(p camera.Params) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		f.params = p
	}
}

func (f *firstPicture) Picture(p camera.Picture) {
	if !p.Key {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return
	}
	f.key = camera.Picture{Key: true}
	for _, n := range p.NALs {
		f.key.NALs = append(f.key.NALs, bytes.Clone(n))
	}
	f.ended = true
	close(f.done)
}

func (f *firstPicture) Closed(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return
	}
	f.err, f.ended = err, true
	close(f.done)
}

// findCameras asks the chosen interfaces.
func findCameras(ctx context.Context, interfaces []string) ([]setup.SeenCamera, error) {
	found, err := onvif.Find(ctx, onvif.Search{Interfaces: interfaces})
	var all []setup.SeenCamera
	for _, c := range found {
		s := setup.SeenCamera{Address: c.URL, Name: plain(c.Name), Model: plain(c.Model)}
		if c.OtherNet {
			s.Why = "It is not of this network: give it an address of it first, with its maker's tool."
		}
		all = append(all, s)
	}
	return all, err
}
