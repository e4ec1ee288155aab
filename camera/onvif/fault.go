package onvif

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
	"unicode"

	"eyebolt/camera"
)

// fault is a SOAP fault (SOAP 1.2 part 1 section 5.4; 1.1 section 4.4).
type fault struct {
	codes  []string // from the outermost to the innermost, without prefixes
	reason string
}

func readFault(n *node) *fault {
	f := &fault{reason: n.text("Reason", "Text")}
	if f.reason == "" {
		f.reason = n.text("faultstring")
	}
	if s := n.text("faultcode"); s != "" {
		f.codes = append(f.codes, local(s))
	}
	for c := n.kid("Code"); c != nil && len(f.codes) < 8; c = c.kid("Subcode") {
		f.codes = append(f.codes, local(c.text("Value")))
	}
	return f
}

// local is a name without its prefix.
func local(s string) string {
	return clip(s[strings.LastIndexByte(s, ':')+1:], 64)
}

func (f *fault) has(codes ...string) bool {
	for _, a := range f.codes {
		for _, b := range codes {
			if strings.EqualFold(a, b) {
				return true
			}
		}
	}
	return false
}

func (f *fault) says(words ...string) bool {
	text := strings.ToLower(f.reason)
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// refusal says whether the fault is about who asks (ONVIF Core, fault codes; WS-Security section 12).
func (f *fault) refusal() bool {
	return f.has("NotAuthorized", "FailedAuthentication", "InvalidSecurity", "InvalidSecurityToken", "FailedCheck", "MessageExpired") ||
		!f.has("ActionNotSupported") && f.says("not authorized", "unauthorized", "authority failure", "authentication", "sender not auth")
}

func (f *fault) String() string {
	s := strings.Join(f.codes, "/")
	if f.reason != "" {
		s += ": " + f.reason
	}
	return s
}

// faulted gives the word for a fault that is not about who asks.
func (c *Client) faulted(f *fault) error {
	switch {
	case f.has("ActionNotSupported", "OptionalActionNotImplemented", "UnknownAction", "NotSupported", "ServiceNotSupported") || f.says("not implemented", "not support"):
		return c.fault(ErrUnsupported, "%v", f)
	case f.has("OperationProhibited"):
		return c.fault(camera.ErrCredentials, "this user may not do that: %v", f)
	}
	return c.fault(ErrFault, "%v", f)
}

// refusal gives the word for a password that was refused in every way.
func (c *Client) refusal(r *reply) error {
	said := fmt.Sprintf("it answers %d", r.status)
	if r.fault != nil {
		said = r.fault.String()
		switch {
		case r.fault.says("lock"):
			return c.fault(ErrLocked, "%s", said)
		case r.fault.has("MessageExpired") || r.fault.says("expired", "timestamp", "time check", "clock", "created"):
			return c.fault(ErrClock, "%s; %v", said, c.Clock())
		}
	} else if strings.Contains(strings.ToLower(r.first), "lock") {
		return c.fault(ErrLocked, "%s", said)
	}
	if k := c.Clock(); k.Offset.Abs() > time.Hour {
		said += "; " + k.String()
	}
	return c.fault(camera.ErrCredentials, "%s. Many cameras have users for ONVIF apart from those of their page", said)
}

// told is an error that says what to do next (a word) and what was seen. The cause is kept as text alone, so that whatever is
// in it passes hide first.
type told struct {
	word   error
	detail string
}

func (t *told) Error() string { return t.word.Error() + " (" + t.detail + ")" }
func (t *told) Unwrap() error { return t.word }

// detailMost bounds what a camera can put into our logs.
const detailMost = 240

func (c *Client) fault(word error, format string, args ...any) error {
	return &told{word, plain(clip(c.at.hide(fmt.Sprintf(format, args...)), detailMost))}
}

// explain gives the word for an error of a connection.
func (c *Client) explain(ctx context.Context, err error) error {
	var op *net.OpError
	var dns *net.DNSError
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var record tls.RecordHeaderError
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err // the address is known to whoever gave it
	}
	switch {
	case errors.Is(context.Cause(ctx), context.Canceled):
		return context.Canceled
	case errors.Is(err, errPin), errors.As(err, &verify), errors.As(err, &unknown), errors.As(err, &host):
		return c.fault(camera.ErrCertificate, "%v", err)
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return c.fault(ErrDisabled, "it does not speak TLS here: use http, or the right port")
	case errors.As(err, &dns):
		return c.fault(camera.ErrUnreachable, "its name is not known: %v", err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return c.fault(camera.ErrUnreachable, "%v", errLate)
	case errors.Is(err, syscall.ECONNREFUSED):
		return c.fault(ErrDisabled, "nothing listens at port %s", c.port())
	case errors.As(err, &op) && op.Op == "dial":
		return c.fault(camera.ErrUnreachable, "%v", op.Err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &op):
		return c.fault(camera.ErrUnreachable, "it ended the connection: %v", err)
	}
	return c.fault(camera.ErrGarbage, "%v", err)
}

func (c *Client) port() string {
	switch p := c.at.url.Port(); {
	case p != "":
		return p
	case c.at.url.Scheme == "https":
		return "443"
	}
	return "80"
}

// firstOf is the beginning of something, fit for an error.
func firstOf(b []byte) string {
	return plain(clip(strings.TrimSpace(string(b[:min(len(b), 512)])), 60))
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}

// plain is s without what would begin a line, or command a terminal.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, "?"))
}
