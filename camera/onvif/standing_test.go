package onvif

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"eyebolt/camera/onviftest"
)

// soon is how often an account is asked for here.
const soon = 1500 * time.Millisecond

func accounted(t *testing.T, d *onviftest.Device) *listener {
	t.Helper()
	c := connect(t, Config{Name: "door", URL: d.URL()})
	c.lim.account = soon
	return listenBy(t, d, c)
}

// T7: an alarm whose rule was removed at the camera, which tells nobody, ends when two accounts of all its states have left it out; one
// that still stands is told in each, and does not end. No event about another state is missed meanwhile.
func TestAlarmOfARemovedRuleEnds(t *testing.T) {
	d := onviftest.Serve(t, onviftest.Setup{})
	d.Tell(dark, "lens", "State", false)
	l := accounted(t, d)
	l.want("too dark false at first")
	d.Tell(rule, "lens", "IsTamper", true)
	d.Tell(scene, "lens", "State", true)
	l.want("tampered with true")
	l.want("scene changed true")
	for before := d.Asked("CreatePullPointSubscription"); d.Asked("CreatePullPointSubscription") == before; {
		time.Sleep(soon / 10) // until an account has told of it
	}
	for range 3 {
		<-l.got
	}
	d.Remove(rule, "lens")
	asked := d.Asked("CreatePullPointSubscription")
	end := time.After(20 * time.Second)
	for gone := false; !gone; {
		select {
		case e := <-l.got:
			switch {
			case e.Kind == Covered && !e.On && e.Gone:
				gone = true
			case e.Kind != Dark && e.Kind != SceneChange || e.Kind == SceneChange && !e.On:
				t.Fatalf("got %+v", e)
			}
		case err := <-l.lost:
			t.Fatalf("asking for an account is told as a loss: %v", err)
		case <-end:
			t.Fatal("the alarm of a rule that was removed stands for ever")
		}
	}
	if n := d.Asked("CreatePullPointSubscription") - asked; n != 2 {
		t.Errorf("it ended after %d accounts, want 2", n)
	}
	d.Tell(scene, "lens", "State", false)
	for e := range l.got {
		if e.Kind == SceneChange && !e.On {
			if e.Gone {
				t.Error("an end that was told is taken for one that was not")
			}
			break
		}
	}
	before := d.Asked("CreatePullPointSubscription")
	l.silent("nothing stands")
	time.Sleep(soon)
	if n := d.Asked("CreatePullPointSubscription") - before; n > 1 {
		t.Errorf("subscribed %d times though nothing stands", n)
	}
}

// T7 over a loss of the connection: what stood before it is not forgotten, and ends by the same rule.
func TestAlarmOfARemovedRuleEndsOverReconnections(t *testing.T) {
	d := onviftest.Serve(t, onviftest.Setup{})
	d.Tell(rule, "lens", "IsTamper", true)
	d.Tell(dark, "lens", "State", false)
	l := accounted(t, d)
	for range 2 {
		<-l.got
	}
	d.Remove(rule, "lens")
	d.Cut()
	<-l.lost
	for {
		select {
		case e := <-l.got:
			if e.Kind == Covered && (e.On || !e.Gone) {
				t.Fatalf("%+v", e)
			}
			if e.Gone {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatal("what stood before the connection was lost stands for ever")
		}
	}
}

// T7 as a law: an alarm that the camera told last as standing ends only by its word, or after two whole accounts in a row that tell of
// others and leave it out.
func TestStandingLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var k tracker
		on, absent := map[string]bool{}, map[string]int{}
		for i := range rapid.IntRange(1, 60).Draw(t, "accounts") {
			k.begin()
			told := map[string]bool{}
			for range rapid.IntRange(0, 4).Draw(t, "states") {
				topic := fmt.Sprint("VideoSource/ImageTooDark/", rapid.IntRange(0, 3).Draw(t, "topic"))
				state := rapid.Bool().Draw(t, "on")
				k.given++
				k.fresh(Tamper{Topic: topic, Kind: Dark, On: state, Initial: true}, time.Unix(int64(i), 0))
				on[topic], told[topic] = state, true
			}
			gone := map[string]bool{}
			for _, e := range k.end(time.Duration(i)*time.Minute, time.Minute/2) {
				gone[e.Topic] = true
			}
			for topic := range on {
				if told[topic] {
					absent[topic] = 0
				} else if len(told) > 0 && on[topic] {
					absent[topic]++
				}
				if want := on[topic] && absent[topic] == absentMost; gone[topic] != want {
					t.Fatalf("%s ended: %v, want %v", topic, gone[topic], want)
				}
				if gone[topic] {
					on[topic], absent[topic] = false, 0
				}
			}
		}
	})
}

// T7: a real alarm is not forgotten for what a camera leaves out: one that tells of it as it begins and in no account, or one that is
// switched off and on again, whose analytics are still starting in each account that it gives meanwhile.
func TestLeftOutIsNotOver(t *testing.T) {
	account := func(k *tracker, at time.Duration, told ...Tamper) []Tamper {
		k.begin()
		k.given++ // of motion
		for _, t := range told {
			t.Initial = true
			k.given++
			k.fresh(t, time.Unix(1, 0))
		}
		return k.end(at, time.Minute/2)
	}
	on := Tamper{Topic: "VideoSource/ImageTooDark", Kind: Dark, On: true}
	var never, restarted tracker
	never.fresh(on, time.Unix(1, 0))
	for i := range 10 {
		if gone := account(&never, time.Duration(i)*time.Minute); len(gone) > 0 || !never.standing() {
			t.Fatalf("account %d, in none of which it was ever told: %+v", i, gone)
		}
	}
	account(&restarted, 0, on)
	for i := range 10 {
		if gone := account(&restarted, time.Minute+time.Duration(i)*time.Second); len(gone) > 0 {
			t.Fatalf("account %d within seconds: %+v", i, gone)
		}
	}
	if gone := account(&restarted, 2*time.Minute); len(gone) != 1 {
		t.Errorf("a minute later: %+v, want it over", gone)
	}
}
