// Package cameratest holds a camera driver to the contract of package camera: a suite of tests, and the RTSP cameras that it
// runs them against. Nothing outside tests imports it.
package cameratest

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/auth"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/pion/rtp"

	"eyebolt/camera"
)

// Setup is what a Server is to be. Its zero value is a camera without a password that sends noise in H.264.
type Setup struct {
	Codec      camera.Codec // H264 if not set
	User, Pass string       // none: no password
	Auth       auth.VerifyMethod
	TLS        bool
	NoUDP      bool // SETUP over UDP is answered 461
	Source     Source
	FPS        int // of media time, and of Run; 15 if not set
	// Alter may change what is sent of a picture: drop, double, reorder, mark otherwise.
	Alter func([]*rtp.Packet) []*rtp.Packet
}

// Server is an RTSP camera on a free port of the loopback. It sends when told to: Send for tests that count, Run for those
// that need time to pass.
type Server struct {
	tb   testing.TB
	set  Setup
	cert tls.Certificate
	Hash string // of its certificate, hexadecimal SHA-256

	mu     sync.Mutex
	addr   string // with port, kept over Unplug
	srv    *gortsplib.Server
	stream *gortsplib.ServerStream
	media  *description.Media
	pack   func([][]byte) ([]*rtp.Packet, error)
	conns  map[*gortsplib.ServerConn]bool
	plays  int // how many sessions play
	opens  int // connections taken, ever
	jammed bool
	keep   bool
	held   [][]*rtp.Packet
	sent   int // pictures made
	ts     uint32
	step   uint32
	stop   chan struct{}
	done   chan struct{}
}

// Serve starts a camera that lives as long as the test.
func Serve(tb testing.TB, set Setup) *Server {
	tb.Helper()
	if set.Codec == camera.NoCodec {
		set.Codec = camera.H264
	}
	if set.FPS == 0 {
		set.FPS = 15
	}
	if set.Source == nil {
		set.Source = Noise(set.Codec, 1)
	}
	s := &Server{tb: tb, set: set, conns: map[*gortsplib.ServerConn]bool{}, ts: rand.Uint32(), step: uint32(90000 / set.FPS), addr: "127.0.0.1:0"}
	if set.TLS {
		s.cert, s.Hash = certificate(tb)
	}
	s.Plug()
	tb.Cleanup(func() {
		s.Stop()
		s.Unplug()
	})
	return s
}

// URL is the camera's address, with its password if it has one.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := url.URL{Scheme: "rtsp", Host: s.addr, Path: "/door"}
	if s.set.TLS {
		u.Scheme = "rtsps"
	}
	if s.set.User != "" {
		u.User = url.UserPassword(s.set.User, s.set.Pass)
	}
	return u.String()
}

// Plug gives the camera power: it listens, at the same port as before, and its stream begins anew.
func (s *Server) Plug() {
	s.tb.Helper()
	var err error
	for range 50 { // until a pair of UDP ports is free
		if err = s.plug(); err == nil {
			return
		}
	}
	s.tb.Fatalf("camera does not start: %v", err)
}

func (s *Server) plug() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	srv := &gortsplib.Server{
		Handler: s, RTSPAddress: s.addr, WriteQueueSize: 4096,
		Listen: func(network, addr string) (net.Listener, error) {
			l, err := net.Listen(network, addr)
			if err == nil {
				s.addr = l.Addr().String()
			}
			return l, err
		},
	}
	if s.set.User != "" {
		srv.AuthMethods = []auth.VerifyMethod{s.set.Auth}
	}
	if s.set.TLS {
		srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{s.cert}}
	}
	if !s.set.NoUDP && !s.set.TLS {
		p := 20000 + 2*rand.IntN(20000)
		srv.UDPRTPAddress, srv.UDPRTCPAddress = fmt.Sprintf("127.0.0.1:%d", p), fmt.Sprintf("127.0.0.1:%d", p+1)
	}
	if err := srv.Start(); err != nil {
		return err
	}
	s.media = &description.Media{Type: description.MediaTypeVideo}
	p := s.set.Source.Params()
	if s.set.Codec == camera.H265 {
		f := &format.H265{PayloadTyp: 97, VPS: p.VPS, SPS: p.SPS, PPS: p.PPS}
		e, err := f.CreateEncoder()
		if err != nil {
			return err
		}
		s.media.Formats, s.pack = []format.Format{f}, e.Encode
	} else {
		f := &format.H264{PayloadTyp: 96, SPS: p.SPS, PPS: p.PPS, PacketizationMode: 1}
		e, err := f.CreateEncoder()
		if err != nil {
			return err
		}
		s.media.Formats, s.pack = []format.Format{f}, e.Encode
	}
	s.stream = &gortsplib.ServerStream{Server: srv, Desc: &description.Session{Medias: []*description.Media{s.media}}}
	if err := s.stream.Initialize(); err != nil {
		srv.Close()
		return err
	}
	s.srv, s.plays, s.held = srv, 0, nil
	return nil
}

// Unplug takes the power: every connection breaks and the port is closed.
func (s *Server) Unplug() {
	s.mu.Lock()
	srv, stream := s.srv, s.stream
	s.srv, s.stream = nil, nil
	s.mu.Unlock()
	if srv != nil {
		stream.Close()
		srv.Close()
	}
}

// Break closes every connection; the camera goes on.
func (s *Server) Break() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
}

// SetPassword changes the password from the next connection on.
func (s *Server) SetPassword(pass string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set.Pass = pass
}

// Jam lets no packet out. Those made in the meantime are kept for Resume, as a blocked TCP connection keeps them, or lost.
func (s *Server) Jam(keep bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jammed, s.keep = true, keep
}

// Resume ends a Jam; what was kept goes out at once.
func (s *Server) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jammed = false
	for _, pkts := range s.held {
		s.write(pkts)
	}
	s.held = nil
}

// Skip lets n pictures' time pass without a picture.
func (s *Server) Skip(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ts += uint32(n) * s.step
}

// Send makes and sends n pictures, one period of media time apart.
func (s *Server) Send(n int) {
	for range n {
		s.mu.Lock()
		s.picture()
		s.mu.Unlock()
	}
}

// Run sends pictures at their own pace until Stop.
func (s *Server) Run() {
	s.stop, s.done = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(s.done)
		t := time.NewTicker(time.Second / time.Duration(s.set.FPS))
		defer t.Stop()
		for {
			select {
			case <-s.stop:
				return
			case <-t.C:
				s.Send(1)
			}
		}
	}()
}

// Stop ends Run.
func (s *Server) Stop() {
	if s.stop != nil {
		close(s.stop)
		<-s.done
		s.stop = nil
	}
}

func (s *Server) picture() {
	au := s.set.Source.Next()
	s.sent++
	s.ts += s.step
	if s.stream == nil {
		return
	}
	pkts, err := s.pack(au)
	if err != nil {
		s.tb.Errorf("cannot pack a picture: %v", err)
		return
	}
	for _, p := range pkts {
		p.Timestamp = s.ts
	}
	if s.set.Alter != nil {
		pkts = s.set.Alter(pkts)
	}
	switch {
	case !s.jammed:
		s.write(pkts)
	case s.keep:
		s.held = append(s.held, pkts)
	}
}

func (s *Server) write(pkts []*rtp.Packet) {
	if s.stream == nil {
		return
	}
	for _, p := range pkts {
		_ = s.stream.WritePacketRTP(s.media, p) // a reader that is gone is no failure of the camera
	}
}
