package onvif

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	mathrand "math/rand/v2"
	"strings"
	"time"

	"eyebolt/camera"
)

// old is how far behind an event's time may be, set right by the camera's clock, before its time is not believed: cameras
// keep events over a restart of theirs, and clocks jump.
const old = 10 * time.Minute

// Tampers subscribes to the camera's events and gives those about its picture to take, until ctx ends, whose error it
// returns. At every (new) subscription the camera tells the present state of each first; while an alarm stands it is subscribed
// anew each minute, and one that two such accounts in a row leave out, though they tell of other states, has ended (Tamper.Gone):
// its rule was removed. lost is told each time that the
// subscription breaks, with what to do next: until the next event the states are unknown. take and lost are called by this
// goroutine alone. A camera without events ends it at once with ErrUnsupported.
func (c *Client) Tampers(ctx context.Context, take func(Tamper), lost func(error)) error {
	var known tracker
	return c.tampers(ctx, &known, take, lost)
}

// errAccount ends a subscription so that the next one tells all states.
var errAccount = errors.New("all states are asked for")

func (c *Client) tampers(ctx context.Context, known *tracker, take func(Tamper), lost func(error)) error {
	if !c.offers(nsEvents) {
		return c.fault(ErrUnsupported, "it names no event service")
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.cfg.Name + "\x00" + c.at.url.Host)) // never fails
	rng := mathrand.New(mathrand.NewPCG(h.Sum64(), 1))
	wait := c.lim.first
	for {
		began := c.cfg.Now()
		err := c.subscription(ctx, known, take)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, errAccount) {
			continue
		}
		if errors.Is(err, ErrUnsupported) && c.cfg.Now()-began < c.lim.most {
			return err
		}
		if c.cfg.Now()-began > c.lim.most {
			wait = c.lim.first
		}
		lost(err)
		most := c.lim.most
		if errors.Is(err, camera.ErrCredentials) || errors.Is(err, ErrLocked) {
			most, wait = c.lim.refused, max(wait, c.lim.refused/8) // every try may be one towards a locked account
		}
		wait = min(wait, most)
		// Between half of it and all of it, so that cameras that went off together do not come back in step.
		if !sleep(ctx, wait/2+time.Duration(rng.Int64N(int64(wait/2)+1))) {
			return ctx.Err()
		}
		wait *= 2
		if err := c.readClock(ctx); err != nil { // it may have been set meanwhile, and the digest needs it
			c.log.Debug("the camera's clock cannot be read", "error", err)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// pullPoint is a subscription at the camera.
type pullPoint struct {
	path    string
	to      string // its own address, as the camera wrote it, for WS-Addressing
	params  string // what its address says must come with each request
	renewAt time.Duration
}

func seconds(d time.Duration) string {
	return fmt.Sprintf("PT%dS", int(max(d, time.Second)/time.Second))
}

// subscription is one subscription, from its making to its break.
func (c *Client) subscription(ctx context.Context, known *tracker, take func(Tamper)) error {
	s, err := c.subscribe(ctx)
	if err != nil {
		return err
	}
	defer c.unsubscribe(ctx, s)
	known.begin()
	began, whole := c.cfg.Now(), false
	for {
		asked := c.cfg.Now()
		n, err := c.pull(ctx, s, "PullMessages", nsEvents,
			operation(nsEvents, "PullMessages", "<Timeout>"+seconds(c.lim.pull)+"</Timeout><MessageLimit>64</MessageLimit>"), c.lim.pull)
		if err != nil {
			return err
		}
		heard := c.cfg.Now()
		clock := c.Clock()
		more := false
		for _, e := range readNotices(n) {
			if e.operation == "Initialized" {
				more = true
				known.given++
			}
			t, ok := e.tamper()
			if !ok || !known.fresh(t, e.at) {
				continue
			}
			t.Heard, t.At = heard, c.cfg.Wall()
			if at := clock.toOurs(e.at); !e.at.IsZero() && (t.Initial || t.At.Sub(at).Abs() <= old) {
				t.At = at
			}
			take(t)
		}
		if !whole && !more {
			whole = true
			for _, t := range known.end(heard, c.lim.account/2) {
				t.Heard, t.At = heard, c.cfg.Wall()
				take(t)
			}
		}
		if whole && known.standing() && heard-began >= c.lim.account {
			return errAccount
		}
		if c.cfg.Now() >= s.renewAt {
			s.renewAt = c.cfg.Now() + c.lim.lease/2
			_, err := c.pull(ctx, s, "Renew", nsNotify, operation(nsNotify, "Renew", "<TerminationTime>"+seconds(c.lim.lease)+"</TerminationTime>"), 0)
			if err != nil && !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrFault) {
				return err
			}
			// Where Renew is not known, pulling keeps the subscription (ONVIF Core); if it ends, a new one is made.
		}
		// A server that answers at once, events or not, is not asked without end.
		if !sleep(ctx, pullLeast-(c.cfg.Now()-asked)) {
			return ctx.Err()
		}
	}
}

// pullLeast is the least time from one request for events to the next: what it adds to an event's way is far below a
// camera's own delay of seconds.
const pullLeast = 250 * time.Millisecond

const nsNotify = "http://docs.oasis-open.org/wsn/b-2"

func (c *Client) subscribe(ctx context.Context) (*pullPoint, error) {
	n, err := c.address(ctx, nsEvents+"/EventPortType/CreatePullPointSubscriptionRequest", "CreatePullPointSubscription",
		operation(nsEvents, "CreatePullPointSubscription", "<InitialTerminationTime>"+seconds(c.lim.lease)+"</InitialTerminationTime>"))
	if err != nil {
		return nil, err
	}
	ref := n.kid("SubscriptionReference")
	address := strings.TrimSpace(ref.text("Address"))
	if address == "" {
		return nil, c.fault(camera.ErrGarbage, "its subscription has no address")
	}
	s := &pullPoint{renewAt: c.cfg.Now() + c.lim.lease/2, to: clip(plain(address), addressMost)}
	if s.path, err = c.pathOf(address); err != nil {
		return nil, err
	}
	var b strings.Builder
	for _, k := range first(ref.kid("ReferenceParameters").kids(), itemsMost) {
		k.write(&b, ` a:IsReferenceParameter="true"`)
	}
	if b.Len() > 8<<10 {
		return nil, c.fault(camera.ErrGarbage, "its subscription's address is too long")
	}
	s.params = b.String()
	return s, nil
}

func (n *node) kids() []*node {
	if n == nil {
		return nil
	}
	return n.Kids
}

// address asks the event service.
func (c *Client) address(ctx context.Context, action, name, body string) (*node, error) {
	path, err := c.service(nsEvents)
	if err != nil {
		return nil, err
	}
	return c.addressed(ctx, question{path: path, action: action, body: body}, name, path, "")
}

// pull asks a subscription. wait is how long the answer may be held back.
func (c *Client) pull(ctx context.Context, s *pullPoint, name, namespace, body string, wait time.Duration) (*node, error) {
	action := nsEvents + "/PullPointSubscription/PullMessagesRequest"
	if namespace == nsNotify {
		action = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/" + name + "Request"
	}
	return c.addressed(ctx, question{path: s.path, action: action, body: body, wait: wait}, name, s.to, s.params)
}

// addressed asks with WS-Addressing headers, as ONVIF demands for events.
func (c *Client) addressed(ctx context.Context, q question, name, to, params string) (*node, error) {
	if strings.HasPrefix(to, "/") {
		to = c.at.url.Scheme + "://" + c.at.url.Host + to
	}
	q.header = fmt.Sprintf(`<a:Action s:mustUnderstand="1">%s</a:Action><a:MessageID>%s</a:MessageID>`+
		`<a:ReplyTo><a:Address>http://www.w3.org/2005/08/addressing/anonymous</a:Address></a:ReplyTo><a:To s:mustUnderstand="1">%s</a:To>%s`,
		q.action, uuid(), escape(to), params)
	body, err := c.ask(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	n := body.kid(name + "Response")
	if n == nil {
		return nil, fmt.Errorf("%s: %w", name, c.fault(camera.ErrGarbage, "it answers something else"))
	}
	return n, nil
}

// unsubscribe takes the subscription back: cameras have room for few. ctx may be over.
func (c *Client) unsubscribe(ctx context.Context, s *pullPoint) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if _, err := c.pull(ctx, s, "Unsubscribe", nsNotify, operation(nsNotify, "Unsubscribe", ""), 0); err != nil {
		c.log.Debug("the camera's subscription could not be taken back: it ends by itself", "error", err)
	}
}
