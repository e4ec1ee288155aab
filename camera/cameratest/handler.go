package cameratest

import (
	"strings"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
)

// Plays says how many sessions play now.
func (s *Server) Plays() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.plays
}

// Opens says how many connections were ever taken.
func (s *Server) Opens() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opens
}

// OnConnOpen is the RTSP library\'s.
func (s *Server) OnConnOpen(ctx *gortsplib.ServerHandlerOnConnOpenCtx) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[ctx.Conn] = true
	s.opens++
}

// OnConnClose is the RTSP library\'s.
func (s *Server) OnConnClose(ctx *gortsplib.ServerHandlerOnConnCloseCtx) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, ctx.Conn)
}

// OnSessionClose is the RTSP library\'s.
func (s *Server) OnSessionClose(ctx *gortsplib.ServerHandlerOnSessionCloseCtx) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Session.UserData() != nil {
		s.plays--
	}
}

// allowed says whether a request carries the password.
func (s *Server) allowed(c *gortsplib.ServerConn, r *base.Request) bool {
	s.mu.Lock()
	user, pass := s.set.User, s.set.Pass
	s.mu.Unlock()
	return user == "" || c.VerifyCredentials(r, user, pass)
}

// OnDescribe is the RTSP library\'s.
func (s *Server) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if !s.allowed(ctx.Conn, ctx.Request) {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	if strings.Trim(ctx.Path, "/") != "door" {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	return s.ok()
}

// OnSetup is the RTSP library\'s.
func (s *Server) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if !s.allowed(ctx.Conn, ctx.Request) {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	return s.ok()
}

func (s *Server) ok() (*base.Response, *gortsplib.ServerStream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stream == nil {
		return &base.Response{StatusCode: base.StatusServiceUnavailable}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, s.stream, nil
}

// OnPlay is the RTSP library\'s.
func (s *Server) OnPlay(ctx *gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plays++
	ctx.Session.SetUserData(true)
	return &base.Response{StatusCode: base.StatusOK}, nil
}
