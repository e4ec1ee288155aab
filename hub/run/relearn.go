package run

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"eyebolt/hub"
	"eyebolt/liveness"
)

const (
	// relearnLook is how often the hub looks for a request, and relearnWait how long who made it waits for the answer: a busy
	// hub may be some seconds late.
	relearnLook, relearnWait = time.Second, 10 * time.Second
	// relearnOld is the age past which a request is dropped unanswered: nobody waits for it, and what the camera shows by now is not
	// what its resident looked at.
	relearnOld = 15 * time.Second
	// maxRelearn bounds either file.
	maxRelearn = 4 << 10
)

// What of a camera is to be learned anew.
const (
	RelearnAll      = "all"      // everything that was learned from its pictures
	RelearnInfrared = "infrared" // what it shows by infrared, beside what it shows by day, which stays
)

// ErrNotRunning is wrapped when no hub answers in this folder.
var ErrNotRunning = errors.New("no hub that runs with this folder answers: start the hub, and ask again")

// ErrNotLearned is wrapped when the hub refuses.
var ErrNotLearned = errors.New("the hub does not learn the camera anew now")

// relearnRequest lies beside the camera's file as long as nobody has taken it.
type relearnRequest struct {
	Token string `json:"token"` // the answer's, too
	What  string `json:"what"`
}

type relearnAnswer struct {
	Token string `json:"token"`
	OK    bool   `json:"ok"`
	Say   string `json:"say"`
}

// Relearner is a Watcher, or a Learned, that can forget what it has learned. Any goroutine calls Relearn.
type Relearner interface{ Relearn(what string) }

func (k *kept) asks() string    { return strings.TrimSuffix(k.path, ".json") + ".learn" }
func (k *kept) answers() string { return strings.TrimSuffix(k.path, ".json") + ".learned" }

// AskToLearn asks the hub that runs with this folder of learned cameras (Config.Dir) to learn one anew, and gives what it says. Whoever
// may write into the folder may ask: he could delete what was learned as well.
func AskToLearn(ctx context.Context, dir, door, camera, what string) (string, error) {
	k := keptAt(dir, door, camera)
	req := relearnRequest{Token: rand.Text(), What: what}
	b, err := json.Marshal(req)
	if err != nil {
		return "", err
	}
	if err := os.Remove(k.answers()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("learn: %w", err)
	}
	if err := writeWhole(k.asks(), b); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("learn: %s: %w", dir, ErrNotRunning)
	} else if err != nil {
		return "", fmt.Errorf("learn: %w", err)
	}
	defer func() { _ = os.Remove(k.asks()) }() // taken by then, or nobody is there
	ctx, cancel := context.WithTimeout(ctx, relearnWait)
	defer cancel()
	look := time.NewTicker(relearnLook / 10)
	defer look.Stop()
	for {
		var a relearnAnswer
		if readWhole(k.answers(), &a) == nil && a.Token == req.Token {
			_ = os.Remove(k.answers())
			if !a.OK {
				return "", fmt.Errorf("%w: %s", ErrNotLearned, a.Say)
			}
			return a.Say, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("learn: %s: %w", dir, ErrNotRunning)
		case <-look.C:
		}
	}
}

// writeWhole makes a file appear with all of its bytes.
func writeWhole(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".learn-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func readWhole(path string, v any) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Size() > maxRelearn:
		return fmt.Errorf("%s is no request: delete it", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

// relearning takes requests.
func (h *Hub) relearning(ctx context.Context) {
	tick := time.NewTicker(relearnLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, e := range h.eyes {
				e.asked()
			}
		}
	}
}

// asked takes a request, if there is one, and answers it.
func (e *eye) asked() {
	if e.kept.path == "" {
		return
	}
	path := e.kept.asks()
	info, err := os.Lstat(path)
	if err != nil {
		return
	}
	var req relearnRequest
	err = readWhole(path, &req)
	if rm := os.Remove(path); rm != nil || err != nil || time.Since(info.ModTime()).Abs() > relearnOld {
		e.log.Warn("a request to learn the camera anew was not taken", "door", e.door, "camera", e.name, "err", errors.Join(err, rm))
		return
	}
	a := relearnAnswer{Token: req.Token}
	a.Say, a.OK = e.relearn(req.What)
	e.log.Info("asked to learn the camera anew: "+a.Say, "door", e.door, "camera", e.name, "done", a.OK)
	b, err := json.Marshal(a)
	if err == nil {
		err = writeWhole(e.kept.answers(), b)
	}
	if err != nil {
		e.log.Warn("a request to learn the camera anew could not be answered", "door", e.door, "camera", e.name, "err", err)
	}
}

// relearn forgets what was learned of the camera's pictures and begins anew. It never does so in a visit: whoever is inside could
// have his hand before the lens. What detectors hold against the camera stays until they have judged it anew.
func (e *eye) relearn(what string) (say string, ok bool) {
	if what != RelearnAll && what != RelearnInfrared {
		return fmt.Sprintf("this hub cannot learn %q: say %s or %s, or update the hub", what, RelearnAll, RelearnInfrared), false
	}
	e.mu.Lock()
	now := e.now()
	if e.recording {
		e.mu.Unlock()
		return "a visit is going on at its door; ask again when it is over", false
	}
	if !e.open {
		e.mu.Unlock()
		return "the camera gives no pictures now; ask again when it does", false
	}
	if what == RelearnInfrared {
		e.judge.LearnCover(liveness.Infrared, now)
	} else {
		e.judge.ForgetCover(now)
		if e.sees != nil {
			e.sees.Forget()
		}
	}
	e.pass(now, e.judge.Verdict())
	e.mu.Unlock()
	for _, l := range e.learned {
		if r, ok := l.(Relearner); ok {
			r.Relearn(what)
		}
	}
	for _, w := range e.beside {
		if r, ok := w.(Relearner); ok {
			r.Relearn(what)
		}
	}
	if what == RelearnAll {
		e.mu.Lock()
		now = e.now()
		e.judge.Unproven(now)
		e.pass(now, e.judge.Verdict())
		e.mu.Unlock()
	}
	e.keepLearned()
	e.push(hub.Relearned{Door: e.door, Camera: e.name, What: what})
	if what == RelearnInfrared {
		return "what it shows now is learned as what it shows by infrared, from its next ten key pictures on; what it shows by day is kept", true
	}
	return "what was learned of its pictures is forgotten, and what it shows now is learned in its place, from its next ten key pictures and twenty stills on", true
}
