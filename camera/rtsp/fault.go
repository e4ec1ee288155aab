package rtsp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"

	"eyebolt/camera"
)

// fault is an error that says what to do next (one of camera's words) and what was seen. The cause is kept as text alone,
// so that whatever is in it, a URL perhaps, passes hide first.
type fault struct {
	word   error
	detail string
}

func (f *fault) Error() string { return f.word.Error() + " (" + f.detail + ")" }
func (f *fault) Unwrap() error { return f.word }

// detailMost bounds what a camera can put into our logs.
const detailMost = 200

func (a *address) fault(word error, format string, args ...any) error {
	d := fmt.Sprintf(format, args...)
	for _, s := range a.secrets {
		if s != "" {
			d = strings.ReplaceAll(d, s, "***")
		}
	}
	if len(d) > detailMost {
		d = d[:detailMost] + "…"
	}
	return &fault{word, strings.ToValidUTF8(d, "?")}
}

var (
	errPin      = errors.New("certificate is not the pinned one")
	errRedirect = errors.New("camera sends us to another address")
	errBanner   = errors.New("not RTSP")
)

// explain gives the word for an error of the RTSP library. heard is what the peer sent first.
func (a *address) explain(err error, heard *hearing) error {
	var f *fault
	if errors.As(err, &f) {
		return err
	}
	if w := certificate(err); w != nil {
		return a.fault(camera.ErrCertificate, "%v", err)
	}
	var status liberrors.ErrClientBadStatusCode
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case errors.Is(err, errRedirect):
		return a.fault(camera.ErrNoVideo, "%v: give that address if it is right", err)
	case errors.As(err, &status):
		return a.status(status)
	case is[liberrors.ErrClientAuthSetup](err):
		return a.fault(camera.ErrCredentials, "its way of asking for a password is not known: %v", err)
	case errors.Is(err, errBanner), is[tls.RecordHeaderError](err):
		return a.fault(camera.ErrGarbage, "it answers %q", heard.first())
	case is[liberrors.ErrClientServerRequestedTCP](err), is[liberrors.ErrClientServerRequestedUDP](err),
		is[liberrors.ErrClientServerPortsNotProvided](err), is[liberrors.ErrClientTransportHeaderInvalidDelivery](err),
		is[liberrors.ErrClientTransportHeaderNoInterleavedIDs](err):
		return a.fault(camera.ErrUnsupported, "%v", err)
	case is[liberrors.ErrClientSDPInvalid](err), is[liberrors.ErrClientContentTypeMissing](err),
		is[liberrors.ErrClientContentTypeUnsupported](err), is[liberrors.ErrClientTransportHeaderInvalid](err),
		is[liberrors.ErrClientSessionHeaderInvalid](err):
		return a.fault(camera.ErrGarbage, "%v", err)
	case errors.As(err, &dns):
		return a.fault(camera.ErrUnreachable, "its name is not known: %v", err)
	case errors.As(err, &op) && op.Op == "dial":
		return a.fault(camera.ErrUnreachable, "%v", err)
	case is[liberrors.ErrClientRequestTimedOut](err), errors.Is(err, os.ErrDeadlineExceeded):
		if heard.any() && !heard.rtsp() {
			return a.fault(camera.ErrGarbage, "it answers %q", heard.first())
		}
		return a.fault(camera.ErrUnreachable, "no answer in time")
	case !heard.any():
		return a.fault(camera.ErrUnreachable, "it took the connection and said nothing: %v", err)
	case errors.Is(err, io.EOF), errors.As(err, &op), is[liberrors.ErrClientTCPTimeout](err), is[liberrors.ErrClientUDPTimeout](err),
		is[liberrors.ErrClientUnhandledMethod](err), errors.Is(err, net.ErrClosed):
		return a.fault(camera.ErrStreamEnded, "%v", err)
	default:
		return a.fault(camera.ErrGarbage, "%v", err)
	}
}

// status gives the word for a refusal (RFC 2326 section 7.1.1).
func (a *address) status(s liberrors.ErrClientBadStatusCode) error {
	word := camera.ErrStreamEnded
	if s.Code >= 300 && s.Code < 400 {
		return a.fault(camera.ErrNoVideo, "it answers %d: %v: give that address if it is right", s.Code, errRedirect)
	}
	switch s.Code {
	case base.StatusUnauthorized, base.StatusForbidden:
		word = camera.ErrCredentials
		if a.url.User == nil {
			return a.fault(word, "it answers %d, and its URL holds none", s.Code)
		}
	case base.StatusNotFound, base.StatusGone, base.StatusBadRequest, base.StatusNotAcceptable, base.StatusUnsupportedMediaType:
		word = camera.ErrNoVideo
	case base.StatusUnsupportedTransport:
		word = camera.ErrUnsupported
	}
	return a.fault(word, "it answers %d %q", s.Code, clip(s.Message, 64))
}

// certificate returns err if it is about the camera's identity.
func certificate(err error) error {
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	if errors.Is(err, errPin) || errors.As(err, &verify) || errors.As(err, &unknown) || errors.As(err, &host) || errors.As(err, &invalid) {
		return err
	}
	return nil
}

func is[T error](err error) bool {
	var t T
	return errors.As(err, &t)
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
