package lock

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// S13: the lock is asked until it answers a question of later, in growing pauses, and again after Prove.
func TestAsker(t *testing.T) {
	a := Asker{Prove: 10 * time.Minute}
	now := time.Hour
	a.Want(now)
	var pauses []time.Duration
	for range 9 {
		ask, pause := a.Due(now)
		if !ask {
			t.Fatalf("at %v: not asked", now)
		}
		if again, _ := a.Due(now + pause - 1); again {
			t.Errorf("asked again before its pause of %v", pause)
		}
		pauses = append(pauses, pause)
		now += pause
	}
	if pauses[0] != askFirst || pauses[8] != askMost {
		t.Errorf("pauses %v: want %v first, %v at last", pauses, askFirst, askMost)
	}
	a.Want(now)
	a.Got(now-1, now) // the answer to a question that had left before: not what was wanted
	if ask, _ := a.Due(now); !ask {
		t.Error("an old answer ended the asking")
	}
	a.Got(now, now+1)
	if ask, left := a.Due(now + 2); ask || left != a.Prove-1 {
		t.Errorf("after the answer: asked %v, again in %v", ask, left)
	}
	if ask, _ := a.Due(now + 1 + a.Prove); !ask {
		t.Errorf("not asked after %v", a.Prove)
	}
	a.Got(now+a.Prove+1, now+a.Prove+1)
	a.Missed(now + a.Prove + 2)
	if ask, wait := a.Due(now + a.Prove + 2); ask || wait != askFirst {
		t.Errorf("after a question that nobody answered: asked %v, again in %v, want %v", ask, wait, askFirst)
	}
	var never Asker
	if ask, again := never.Due(now); ask || again != 0 {
		t.Error("the zero value asks")
	}
}

func TestWarnerSaysItOnceAMinute(t *testing.T) {
	var out bytes.Buffer
	w := Warner{Log: slog.New(slog.NewTextHandler(&out, nil))}
	for i := range 61 {
		w.Warn(time.Duration(i)*time.Second, "flood")
	}
	w.Warn(0, "other")
	if got := strings.Count(out.String(), "msg=flood"); got != 2 {
		t.Errorf("in a minute: %d times, want 2", got)
	}
}
