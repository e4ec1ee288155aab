package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/onvif"
	"eyebolt/camera/signed"
	"eyebolt/camera/still"
	"eyebolt/hub/run"
	"eyebolt/liveness"
)

// SignedConfig is what is known of a camera that signs its pictures (ONVIF Media Signing, Axis Signed Video).
type SignedConfig struct {
	// Expect makes what no signature vouches for a lapse: untrusted. Default true; false checks those that come, and no more.
	Expect *bool `yaml:"expect"`
	// Root is a file with the certificate authority of the camera's maker, PEM.
	Root string `yaml:"root"`
	// Key pins the camera's own key: the hex SHA-256 of its SubjectPublicKeyInfo.
	Key string `yaml:"key"`
	// Untimed is for a camera that signs without the time of day: an old stream is then told by its counter alone.
	Untimed bool `yaml:"untimed"`
	// Within is how long a picture may go unvouched for: its GOP, the camera's signing and a margin. Default 10s.
	Within time.Duration `yaml:"within"`
}

// besides wires what judges one camera's pictures beside its Judge: decoded stills, signatures, the camera's own alarms.
func (c CameraConfig) besides(k *run.Camera, opt hubOptions) error {
	remote, err := c.remote(opt)
	if err != nil {
		return err
	}
	if err := c.sensor(k, remote, opt); err != nil {
		return err
	}
	if remote != nil {
		k.Beside = append(k.Beside, func(h run.Hears) (run.Watcher, error) { return watchTampers(remote, h, opt), nil })
		k.Refill = refill(remote)
		if k.Challenge != nil && c.Challenge == "onvif" {
			k.Challenge.By = remote
		}
	}
	if c.Signed != nil {
		cfg, err := c.Signed.config()
		if err != nil {
			return fmt.Errorf("camera %s: signed: %w", c.Name, err)
		}
		v, err := signed.New(cfg)
		if err != nil {
			return fmt.Errorf("camera %s: signed: %w", c.Name, err)
		}
		if cfg.Expect { // no signature, no unattended entry (S1)
			k.Judge.Need = append(k.Judge.Need, liveness.Need{By: bySignature, Within: cfg.Within + signedSlack})
		}
		k.Beside = append(k.Beside, func(h run.Hears) (run.Watcher, error) {
			return &signatures{v: v, found: h.Found, within: cfg.Within}, nil
		})
	}
	return nil
}

// remote is the camera's ONVIF side; nil if none is configured.
func (c CameraConfig) remote(opt hubOptions) (*onvif.Remote, error) {
	if c.ONVIF == "" {
		return nil, nil
	}
	cfg := onvif.Config{Name: c.Name, URL: c.ONVIF, CertHash: c.CertHash, Now: opt.Now, Log: opt.Log}
	if u, err := url.Parse(c.URL); err == nil && u.User != nil { // the stream's password is the camera's
		cfg.User = u.User.Username()
		cfg.Password, _ = u.User.Password()
	}
	r, err := onvif.NewRemote(cfg)
	if err != nil {
		return nil, fmt.Errorf("camera %s: onvif: %w", c.Name, err)
	}
	return r, nil
}

// sensor wires the detectors that must see the sensor's noise.
func (c CameraConfig) sensor(k *run.Camera, remote *onvif.Remote, opt hubOptions) error {
	way, needed := c.Stills, true
	switch way {
	case "", "off":
		return nil
	case "auto":
		if _, err := exec.LookPath("ffmpeg"); err != nil && remote == nil {
			opt.Log.Warn("a picture that is frozen before it is coded cannot be noticed: install ffmpeg, or give the camera's onvif address",
				"camera", c.Name)
			return nil
		}
		way, needed = "keyframes", false
		if _, err := exec.LookPath("ffmpeg"); err != nil {
			way = "snapshot"
		}
	case "keyframes", "mjpeg", "snapshot":
	default:
		return fmt.Errorf("camera %s: stills %q: use auto, keyframes, snapshot, mjpeg or off", c.Name, way)
	}
	var open func(still.Sink) (run.Stills, error)
	switch way {
	case "keyframes":
		if _, err := exec.LookPath("ffmpeg"); err != nil {
			return fmt.Errorf("camera %s: stills: %w", c.Name, still.ErrNoFFmpeg)
		}
		open = func(sink still.Sink) (run.Stills, error) {
			return still.NewKeyframes(still.KeyframesConfig{Name: c.Name, Log: opt.Log}, sink)
		}
	case "mjpeg":
		if c.StillsURL == "" {
			return fmt.Errorf("camera %s: stills: mjpeg needs stills_url, the address of its motion JPEG", c.Name)
		}
		cfg := still.MotionConfig{Name: c.Name, URL: c.StillsURL, CertHash: c.CertHash, Now: opt.Now, Log: opt.Log}
		m, err := still.NewMotion(cfg, func(camera.Still) {}, nil) // is the configuration one that can work?
		if err != nil {
			return fmt.Errorf("camera %s: stills: %w", c.Name, err)
		}
		if err := m.Close(); err != nil {
			return fmt.Errorf("camera %s: stills: %w", c.Name, err)
		}
		open = func(sink still.Sink) (run.Stills, error) { return &motions{cfg: cfg, sink: sink}, nil }
	case "snapshot":
		if remote == nil {
			return fmt.Errorf("camera %s: stills: snapshot needs onvif, the camera's address", c.Name)
		}
		open = func(sink still.Sink) (run.Stills, error) {
			return &snapshots{name: c.Name, get: remote.Snapshot, sink: sink, now: opt.Now, log: opt.Log}, nil
		}
	}
	s := run.NewSensor(liveness.PrintsConfig{})
	k.Prints = s
	k.Learned = map[string]run.Learned{"sensor": s}
	if needed {
		for _, by := range []string{"freeze", "loop", "scene"} {
			k.Judge.Need = append(k.Judge.Need, liveness.Need{By: by, Within: run.SensorWithin})
		}
	}
	k.Beside = append(k.Beside, func(h run.Hears) (run.Watcher, error) {
		src, err := open(h.Still)
		if err != nil {
			return nil, err
		}
		return run.Sparing(src, s, opt.Now), nil
	})
	return nil
}

// motions reads a camera's motion JPEG while it is wanted.
type motions struct {
	cfg  still.MotionConfig
	sink still.Sink

	mu sync.Mutex
	m  *still.Motion
}

func (s *motions) Opened(camera.Params)   {}
func (s *motions) Picture(camera.Picture) {}
func (s *motions) Closed()                {}

func (s *motions) Begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m != nil {
		return
	}
	m, err := still.NewMotion(s.cfg, s.sink, nil)
	if err != nil {
		s.cfg.Log.Error("motion JPEG cannot be read", "camera", s.cfg.Name, "err", err)
		return
	}
	s.m = m
}

func (s *motions) End() { _ = s.Close() }

func (s *motions) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		return nil
	}
	m := s.m
	s.m = nil
	return m.Close()
}

// snapshotEvery is how often a snapshot is asked for: the prints want them 400 ms apart, and a camera takes 0.1 to 1 s for one.
const snapshotEvery = 500 * time.Millisecond

// snapshots asks a camera for JPEGs while they are wanted.
type snapshots struct {
	name string
	get  func(context.Context) ([]byte, error)
	sink still.Sink
	now  func() time.Duration
	log  *slog.Logger

	mu   sync.Mutex
	end  context.CancelFunc
	done chan struct{}
}

func (s *snapshots) Opened(camera.Params)   {}
func (s *snapshots) Picture(camera.Picture) {}
func (s *snapshots) Closed()                {}

func (s *snapshots) Begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil {
		return
	}
	ctx, end := context.WithCancel(context.Background())
	s.end, s.done = end, make(chan struct{})
	go s.run(ctx, s.done)
}

func (s *snapshots) End() { _ = s.Close() }

func (s *snapshots) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end == nil {
		return nil
	}
	s.end()
	<-s.done
	s.end = nil
	return nil
}

func (s *snapshots) run(ctx context.Context, done chan struct{}) {
	defer close(done)
	tick := time.NewTicker(snapshotEvery)
	defer tick.Stop()
	var decode still.JPEG
	said := ""
	for {
		err := func() error {
			b, err := s.get(ctx)
			if err != nil {
				return err
			}
			at := s.now()
			k, err := decode.Decode(b)
			if err != nil {
				return err
			}
			k.Arrival = at
			s.sink(k)
			return nil
		}()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			said = ""
		case err.Error() != said: // once for each reason, not twice a second
			said = err.Error()
			s.log.Warn("the camera gives no snapshot, so it cannot be seen to be frozen", "camera", s.name, "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

const (
	bySignature = "signature"
	// signedWithin is SignedConfig.Within where it is not set, as in signed.Config.
	signedWithin = 10 * time.Second
	// signedSlack is how much older than that the newest word may be for a watch that needs signatures: by then the missing
	// one is a lapse of its own, with its reason.
	signedSlack = 5 * time.Second
)

func (c SignedConfig) config() (signed.Config, error) {
	cfg := signed.Config{Expect: c.Expect == nil || *c.Expect, Untimed: c.Untimed, Within: c.Within}
	if cfg.Within == 0 {
		cfg.Within = signedWithin
	}
	if cfg.Within < time.Second || cfg.Within > time.Minute {
		return cfg, fmt.Errorf("within %v: give a span from 1s to 1m", c.Within)
	}
	if c.Key != "" {
		key, err := signed.ParseKey(c.Key)
		if err != nil {
			return cfg, err
		}
		cfg.Key = key
	}
	if c.Root != "" {
		pool, err := readRoots(c.Root)
		if err != nil {
			return cfg, err
		}
		cfg.Roots = pool
	}
	return cfg, nil
}

func readRoots(path string) (*x509.CertPool, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return signed.ParseRoots(raw)
}

// signatures has a camera's own signatures checked.
type signatures struct {
	v      *signed.Verifier
	found  func(liveness.Finding)
	within time.Duration
	forget atomic.Bool // before the next picture
}

func (s *signatures) Opened(p camera.Params) { s.v.Opened(p) }

func (s *signatures) Picture(p camera.Picture) {
	if s.forget.CompareAndSwap(true, false) {
		s.v.Forget()
	}
	s.tell(s.v.Picture(p, time.Now()))
}

// Relearn takes the camera's counter back: who may say so says that it is the camera itself that began anew. Its key stays.
func (s *signatures) Relearn(what string) {
	if what == run.RelearnAll {
		s.forget.Store(true)
	}
}

func (s *signatures) Closed() { s.tell(s.v.Closed()) }

func (s *signatures) Visit(bool) {}

func (s *signatures) Close() error { return nil }

func (s *signatures) tell(results []signed.Result) {
	for i := range results {
		r := &results[i]
		f := liveness.Finding{By: bySignature, At: r.At, Score: max(0, r.At-r.Oldest).Seconds(), Limit: s.within.Seconds(), Say: r.Say}
		switch {
		case r.Lapse:
			f.State = liveness.Untrusted
		case r.OK():
			f.State = liveness.Live
		}
		s.found(f)
	}
}

// byTamper is the name of the camera's own alarms.
const byTamper = "tamper"

// tampers listens to the camera's own alarms about its picture. One that comes is a lapse; that none comes proves nothing.
type tampers struct {
	end  context.CancelFunc
	done chan struct{}
}

func watchTampers(r *onvif.Remote, h run.Hears, opt hubOptions) *tampers {
	ctx, end := context.WithCancel(context.Background())
	t := &tampers{end: end, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		defer r.Close()
		var a alarmsOf
		take := func(k onvif.Tamper) {
			for _, f := range a.take(k) {
				h.Found(f)
			}
		}
		err := r.Tampers(ctx, take, func(err error) { opt.Log.Debug("the camera's alarms are not heard", "err", err) })
		if err != nil && !errors.Is(err, context.Canceled) {
			opt.Log.Info("the camera tells no alarms of its own", "err", err)
		}
	}()
	return t
}

// alarmsOf keeps which of a camera's alarms stand, by kind and source.
type alarmsOf struct{ on map[string]onvif.Kind }

// tamperMost bounds them: a camera has a few.
const tamperMost = 64

// take gives what is found with one more.
func (a *alarmsOf) take(k onvif.Tamper) []liveness.Finding {
	if a.on == nil {
		a.on = map[string]onvif.Kind{}
	}
	key := k.Topic + "\x00" + k.Source
	bad := liveness.Finding{By: byTamper, State: liveness.Covered, At: k.Heard, Limit: 1, Say: "the camera itself says: " + k.Kind.String()}
	well := liveness.Finding{By: byTamper, State: liveness.Live, At: k.Heard, Limit: 1, Say: "the camera itself says that its picture is well"}
	if k.Gone {
		well.Say = "the camera itself no longer tells of " + k.Kind.String() + " at all, though it was asked twice: its rule was removed"
	}
	var out []liveness.Finding
	switch {
	case k.On && k.Moment: // its end is not told: it is a lapse, and then it is over
		bad.Score = 1
		out = append(out, bad)
	case k.On && len(a.on) < tamperMost:
		a.on[key] = k.Kind
	case !k.On:
		delete(a.on, key)
	}
	if len(a.on) == 0 {
		return append(out, well)
	}
	bad.Score = float64(len(a.on))
	return append(out, bad)
}

func (t *tampers) Opened(camera.Params)   {}
func (t *tampers) Picture(camera.Picture) {}
func (t *tampers) Closed()                {}
func (t *tampers) Visit(bool)             {}

func (t *tampers) Close() error {
	t.end()
	<-t.done
	return nil
}
