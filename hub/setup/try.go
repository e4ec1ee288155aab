package setup

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"eyebolt/hub/gate"
	"eyebolt/lock"
)

// Told is what a lock said when it was asked.
type Told struct {
	Bolt string `json:"bolt"`
	Door string `json:"door"` // empty: nothing was heard of the door
	MS   int64  `json:"ms"`   // until its bolt was heard of
}

const (
	tryLimit = 12 * time.Second // a battery lock is reached within some seconds; a page's request ends after 15
	tryAgain = 2 * time.Second
	tryDoor  = 2 * time.Second // for the door, once the bolt was heard of
)

var errTrying = errors.New("it is being asked already")

// Try asks the lock that was chosen where its bolt is, with the very settings that would be written, and moves nothing. The hub's own driver
// decides what is believed: neither a retained message nor what a server remembers.
func (s *Setup) Try(ctx context.Context) (Told, error) {
	s.mu.Lock()
	c, problems := s.problems()
	for _, p := range problems {
		if p.Step == "door" {
			s.mu.Unlock()
			return Told{}, errors.New(p.Text)
		}
	}
	if s.trying || c.peer.driver.Open == nil {
		s.mu.Unlock()
		return Told{}, errTrying
	}
	s.trying = true
	d, a, secret := c.peer.driver, Access{Address: c.peer.address, User: c.peer.user}, c.peer.secret
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.trying = false
		s.mu.Unlock()
	}()
	dir, err := os.MkdirTemp("", "eyebolt-setup-")
	if err != nil {
		return Told{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	keep := func(name, secret string) (string, error) {
		path := filepath.Join(dir, name)
		return path, os.WriteFile(path, []byte(secret+"\n"), 0o600)
	}
	if secret != "" {
		if a.SecretFile, err = keep("secret", secret); err != nil {
			return Told{}, err
		}
	}
	for key, v := range c.secrets {
		if c.pick.Answers[key], err = keep("answer-"+key, v); err != nil {
			return Told{}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	begin := time.Now()
	var e ears
	e.news = make(chan struct{}, 1)
	l, err := d.Open(ctx, lock.Config{
		Name: "setup", Now: func() time.Duration { return time.Since(begin) }, Log: s.cfg.Log, Settings: d.Settings(a, c.pick),
	}, e.hear)
	if err != nil {
		return Told{}, err
	}
	told, err := e.listen(ctx, l)
	return told, errors.Join(err, l.Close())
}

// ears keep the newest that a lock said.
type ears struct {
	mu     sync.Mutex
	bolt   lock.Bolt
	door   lock.Door
	at     time.Duration // of the first answer; 0: none
	any    bool          // it cannot be asked: what it says by itself is its answer
	health error
	news   chan struct{} // holds one
}

func (e *ears) hear(r lock.Report) {
	e.mu.Lock()
	switch r.What {
	case lock.OfBolt:
		// What it says by itself proves nothing of the question, which a visit depends on.
		if e.bolt = r.Bolt; e.at == 0 && r.Bolt != lock.BoltUnknown && (r.Solicited || e.any) {
			e.at = max(r.At, 1)
		}
	case lock.OfDoor:
		e.door = r.Door
	case lock.OfHealth:
		e.health = r.Err
	}
	e.mu.Unlock()
	select {
	case e.news <- struct{}{}:
	default:
	}
}

// listen asks until the bolt is known, and waits a little for the door.
func (e *ears) listen(ctx context.Context, l lock.Lock) (Told, error) {
	again := time.NewTicker(tryAgain)
	defer again.Stop()
	var enough <-chan time.Time
	var refused error
	ask := func() {
		if err := l.Poll(ctx); err != nil && ctx.Err() == nil {
			refused = err
		}
	}
	e.mu.Lock()
	e.any = !l.Can().Poll
	e.mu.Unlock()
	ended := false
	for {
		e.mu.Lock()
		bolt, door, at, health := e.bolt, e.door, e.at, e.health
		e.mu.Unlock()
		heard := at > 0 && bolt != lock.BoltUnknown
		told := Told{Bolt: bolts[bolt], Door: doors[door], MS: at.Milliseconds()}
		switch {
		case heard && (door != lock.DoorUnknown || ended):
			return told, nil
		case heard && enough == nil:
			enough = time.After(tryDoor)
		case ended:
			why := errors.Join(health)
			if why == nil && refused != nil && !errors.Is(refused, lock.ErrCannotPoll) {
				why = refused
			}
			if why == nil {
				return told, fmt.Errorf("the lock did not answer the question within %v: compare the names and topics with those of the device, and whether it is within reach", tryLimit)
			}
			return told, fmt.Errorf("the lock did not answer within %v: %s", tryLimit, say(why))
		}
		select {
		case <-e.news:
		case <-again.C:
			if !heard {
				ask()
			}
		case <-enough:
			ended = true
		case <-ctx.Done():
			ended = true
		}
	}
}

var (
	bolts = map[lock.Bolt]string{lock.BoltThrown: "thrown", lock.BoltDrawn: "drawn", lock.BoltJammed: "jammed"}
	doors = map[lock.Door]string{lock.DoorClosed: "closed", lock.DoorOpen: "open", lock.DoorAjar: "ajar"}
)

func (s *Setup) tryLock(w http.ResponseWriter, _ *http.Request) {
	told, err := s.Try(s.ctx)
	if err != nil {
		gate.Refuse(w, http.StatusConflict, "try", sentence(errors.New(say(err))))
		return
	}
	gate.Reply(w, told)
}
