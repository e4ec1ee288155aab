package api

import (
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"eyebolt/control"
)

// ceremony is a passkey's registration or sign-in between its two calls. Its challenge, 32 random bytes, is its name.
type ceremony struct {
	data    webauthn.SessionData
	account string // registration only, as name and invite
	name    string
	invite  string
	until   time.Time
}

const (
	// ceremonyFor is how long somebody may take to touch a phone.
	ceremonyFor = 5 * time.Minute
	// maxCeremonies bounds those that go on at once: they lie in memory, so that asking to sign in writes nothing to a disk.
	// Past it the oldest give way.
	maxCeremonies = 4096
)

var errCeremony = &control.Error{Reason: "no-ceremony", Sentence: "This took too long or was done already. Start again.", Class: control.Conflict}

type ceremonies struct {
	mu    sync.Mutex
	by    map[string]ceremony
	order []string // oldest first; may name some that are taken
}

func newCeremonies() *ceremonies { return &ceremonies{by: map[string]ceremony{}} }

func (c *ceremonies) keep(now time.Time, v ceremony) {
	v.until = now.Add(ceremonyFor)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by[v.data.Challenge] = v
	c.order = append(c.order, v.data.Challenge)
	for len(c.order) > maxCeremonies {
		delete(c.by, c.order[0])
		c.order = c.order[1:]
	}
}

// take gives one, once: each challenge is answered once.
func (c *ceremonies) take(now time.Time, challenge string) (ceremony, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.by[challenge]
	delete(c.by, challenge)
	return v, ok && now.Before(v.until)
}
