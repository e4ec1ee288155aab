package nats

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"eyebolt/bus"
)

// Config is a client's.
type Config struct {
	// URL is nats://, tls://, ws:// or wss://.
	URL string
	// Seed is the client's private nkey ("SU…"); for a hub's Ed25519 key see Seed.
	Seed []byte
	// Name is shown in the server's log.
	Name string
	// TLS is used for tls:// and wss://; nil trusts the system's authorities.
	TLS *tls.Config
	Log *slog.Logger
	// Changed, if set, is called when the connection comes or goes; it must not block.
	Changed func(connected bool)
}

const (
	// A lost connection is tried again after 50 to 250 ms, forever: a hub in a visit has 5 s until its service counts as
	// silent, and thousands of hubs must not knock in one instant.
	reconnectMin = 50 * time.Millisecond
	reconnectMax = 250 * time.Millisecond
	// dialWait bounds one attempt.
	dialWait = 2 * time.Second
	// flushWait bounds how long Subscribe waits for the server to know of it.
	flushWait = 2 * time.Second
	// pingEvery finds a dead connection in at most 4 s where TCP does not tell: below the 5 s of S1.
	pingEvery = 2 * time.Second
	// pendingMsgs bounds what waits for one slow subscriber.
	pendingMsgs  = 65_536
	pendingBytes = 64 << 20
)

// Conn is a connection that comes back by itself. It keeps nothing while it is away: what is sent then fails with
// bus.ErrDisconnected and never arrives later (S12, T23).
type Conn struct {
	nc *natsgo.Conn
}

var _ bus.Conn = (*Conn)(nil)

// Seed turns an Ed25519 private key's 32-byte seed into the nkey seed that Config wants.
func Seed(ed25519Seed []byte) ([]byte, error) {
	return nkeys.EncodeSeed(nkeys.PrefixByteUser, ed25519Seed)
}

// PublicKey gives the nkey ("U…") of an Ed25519 public key, as ServerConfig.Hubs is asked for it.
func PublicKey(ed25519Public []byte) (string, error) {
	b, err := nkeys.Encode(nkeys.PrefixByteUser, ed25519Public)
	return string(b), err
}

// Connect returns at once, connected or not; a server that is away is tried until it is there. It fails only for a Config
// that can never connect.
func Connect(c Config) (*Conn, error) {
	if c.Log == nil {
		return nil, errors.New("bus/nats: Config needs Log")
	}
	kp, err := nkeys.FromSeed(c.Seed)
	if err != nil {
		return nil, fmt.Errorf("bus/nats: the seed is not an nkey's: %w", err)
	}
	return connect(c.URL, kp, c)
}

// Local connects the service itself, inside the process and without a port.
func (s *Server) Local(log *slog.Logger) (*Conn, error) {
	return connect("nats://local", s.local, Config{Name: "service", Log: log}, natsgo.InProcessServer(s.ns))
}

func connect(url string, kp nkeys.KeyPair, c Config, more ...natsgo.Option) (*Conn, error) {
	pub, err := kp.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("bus/nats: the seed has no public key: %w", err)
	}
	away := &trouble{now: time.Now}
	changed := c.Changed
	if changed == nil {
		changed = func(bool) {}
	}
	options := append([]natsgo.Option{
		natsgo.Name(c.Name),
		natsgo.Nkey(pub, kp.Sign),
		natsgo.CustomInboxPrefix(inbox(pub)),
		natsgo.Timeout(dialWait),
		natsgo.MaxReconnects(-1),
		natsgo.IgnoreAuthErrorAbort(), // a hub may be admitted after it first knocked
		natsgo.RetryOnFailedConnect(true),
		natsgo.ReconnectBufSize(-1), // S12: nothing is kept for later
		natsgo.CustomReconnectDelay(func(int) time.Duration {
			return reconnectMin + rand.N(reconnectMax-reconnectMin)
		}),
		natsgo.PingInterval(pingEvery),
		natsgo.MaxPingsOutstanding(2),
		natsgo.ConnectHandler(func(*natsgo.Conn) {
			away.over()
			if c.URL != "" { // the service itself has none
				c.Log.Info("bus: connected", "url", redact(url))
			}
			changed(true)
		}),
		natsgo.ReconnectHandler(func(*natsgo.Conn) {
			away.over()
			c.Log.Info("bus: connected")
			changed(true)
		}),
		natsgo.ReconnectErrHandler(func(_ *natsgo.Conn, err error) {
			if what := why(err); away.news(what) {
				c.Log.Warn("bus: the service cannot be reached; trying again", "url", redact(url), "err", what)
			}
		}),
		natsgo.DisconnectErrHandler(func(_ *natsgo.Conn, err error) {
			c.Log.Warn("bus: connection lost; trying again", "err", err)
			changed(false)
		}),
		natsgo.ErrorHandler(func(_ *natsgo.Conn, s *natsgo.Subscription, err error) {
			if s != nil {
				c.Log.Warn("bus: error", "subject", s.Subject, "err", err)
			} else {
				c.Log.Warn("bus: error", "err", err)
			}
		}),
	}, more...)
	if c.TLS != nil {
		options = append(options, natsgo.Secure(c.TLS))
	}
	nc, err := natsgo.Connect(url, options...)
	if err != nil {
		return nil, fmt.Errorf("bus/nats: %s: %w", url, err)
	}
	return &Conn{nc}, nil
}

// redact is a URL without what may be secret in it.
func redact(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "?"
	}
	return u.Redacted()
}

// why says what keeps a connection from being made, and what to do next.
func why(err error) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	switch {
	case errors.Is(err, natsgo.ErrAuthorization):
		return "the service does not know this hub's key: enter the hub's id, key and record_key in the console"
	case errors.Is(err, natsgo.ErrSecureConnRequired):
		return "the service wants TLS: write tls:// in service.url"
	case errors.Is(err, natsgo.ErrSecureConnWanted):
		return "the service has no TLS: give its bus a certificate, or write nats:// in service.url"
	case errors.As(err, &unknown), errors.As(err, &name):
		return fmt.Sprintf("the service's certificate is not trusted: name its authority as service.ca, and its own name in service.url (%v)", err)
	case err == nil:
		return "it does not answer: check service.url, and that the service is up"
	default:
		return fmt.Sprintf("check service.url, and that the service is up (%v)", err)
	}
}

// trouble says of what goes on failing that it does: each change at once, the same once a minute.
type trouble struct {
	now func() time.Time

	mu   sync.Mutex
	last string
	at   time.Time
}

func (t *trouble) news(what string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if what == t.last && t.now().Sub(t.at) < time.Minute {
		return false
	}
	t.last, t.at = what, t.now()
	return true
}

func (t *trouble) over() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = ""
}

// Connected says whether messages can leave now.
func (c *Conn) Connected() bool { return c.nc.IsConnected() }

// Publish hands a message to the connection. An error means that it was not sent; no error does not mean that it arrived.
func (c *Conn) Publish(ctx context.Context, subject string, body []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(body) > bus.MaxBody {
		return fmt.Errorf("%w: %d bytes", bus.ErrTooLarge, len(body))
	}
	return word(c.nc.Publish(subject, body))
}

// Request asks and waits for the first answer. That nobody listens is known at once.
func (c *Conn) Request(ctx context.Context, subject string, body []byte) ([]byte, error) {
	if len(body) > bus.MaxBody {
		return nil, fmt.Errorf("%w: %d bytes", bus.ErrTooLarge, len(body))
	}
	m, err := c.nc.RequestWithContext(ctx, subject, body)
	if err != nil {
		return nil, word(err)
	}
	return m.Data, nil
}

// Subscribe calls h for each message, one at a time, in order; it is in force when Subscribe returns, if connected, and again
// after each reconnect. Whoever asks is answered into an inbox or not at all: our own rights must not carry an answer to where
// the asker has none.
func (c *Conn) Subscribe(subject string, h func(bus.Message)) (func(), error) {
	s, err := c.nc.Subscribe(subject, func(m *natsgo.Msg) {
		out := bus.Message{Subject: m.Subject, Body: m.Data}
		if strings.HasPrefix(m.Reply, inboxes) {
			out.Reply = func(b []byte) error {
				if len(b) > bus.MaxBody {
					return fmt.Errorf("%w: %d bytes", bus.ErrTooLarge, len(b))
				}
				return word(c.nc.Publish(m.Reply, b))
			}
		}
		h(out)
	})
	if err != nil {
		return nil, word(err)
	}
	if err := s.SetPendingLimits(pendingMsgs, pendingBytes); err != nil {
		return nil, word(err)
	}
	if c.nc.IsConnected() {
		_ = c.nc.FlushTimeout(flushWait) // not connected any more: it is sent again on reconnect
	}
	return func() { _ = s.Unsubscribe() }, nil
}

// Close ends the connection for good.
func (c *Conn) Close() error {
	c.nc.Close()
	return nil
}

// word turns the library's errors into the bus's own.
func word(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, natsgo.ErrReconnectBufExceeded), errors.Is(err, natsgo.ErrConnectionClosed),
		errors.Is(err, natsgo.ErrConnectionReconnecting), errors.Is(err, natsgo.ErrDisconnected), errors.Is(err, natsgo.ErrStaleConnection):
		return fmt.Errorf("%w: %w", bus.ErrDisconnected, err)
	case errors.Is(err, natsgo.ErrNoResponders), errors.Is(err, context.DeadlineExceeded), errors.Is(err, natsgo.ErrTimeout):
		return fmt.Errorf("%w: %w", bus.ErrNoAnswer, err)
	case errors.Is(err, natsgo.ErrMaxPayload):
		return fmt.Errorf("%w: %w", bus.ErrTooLarge, err)
	}
	return fmt.Errorf("bus/nats: %w", err)
}
