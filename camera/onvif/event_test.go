package onvif

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/camera/onviftest"
)

// listener collects what Tampers gives.
type listener struct {
	t     *testing.T
	got   chan Tamper
	lost  chan error
	ended chan error
	stop  context.CancelFunc
}

func listen(t *testing.T, d *onviftest.Device) *listener {
	t.Helper()
	return listenBy(t, d, connect(t, Config{Name: "door", URL: d.URL()}))
}

func listenBy(t *testing.T, d *onviftest.Device, c *Client) *listener {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &listener{t, make(chan Tamper, 100), make(chan error, 100), make(chan error, 1), cancel}
	go func() {
		l.ended <- c.Tampers(ctx, func(e Tamper) { l.got <- e }, func(err error) { l.lost <- err })
	}()
	t.Cleanup(cancel)
	await(t, 5*time.Second, func() error {
		if d.Subscribers() == 0 {
			return errors.New("no subscription")
		}
		return nil
	})
	return l
}

func (l *listener) want(what string) Tamper {
	l.t.Helper()
	select {
	case e := <-l.got:
		got := fmt.Sprintf("%v %v", e.Kind, e.On)
		if e.Initial {
			got += " at first"
		}
		if e.Moment {
			got += ", a moment"
		}
		if got != what {
			l.t.Errorf("got %s (%+v), want %s", got, e, what)
		}
		return e
	case <-time.After(5 * time.Second):
		l.t.Fatalf("nothing came, want %s", what)
		panic("unreachable")
	}
}

func (l *listener) silent(why string) {
	l.t.Helper()
	select {
	case e := <-l.got:
		l.t.Errorf("%s: got %+v", why, e)
	case <-time.After(600 * time.Millisecond):
	}
}

const (
	dark  = "tns1:VideoSource/ImageTooDark/ImagingService"
	scene = "tns1:VideoSource/GlobalSceneChange/AnalyticsService"
	rule  = "tns1:RuleEngine/TamperDetector/Tamper"
)

// T7: what the camera itself says of its lens: the state at first, each change once, on our clock, whatever its own says.
func TestTampers(t *testing.T) {
	for name, set := range map[string]onviftest.Setup{
		"open":   {},
		"token":  {Way: onviftest.Token, User: "eye", Pass: "pass", Clock: -400 * 24 * time.Hour},
		"digest": {Way: onviftest.DigestSHA256, User: "eye", Pass: "pass", Clock: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			d := onviftest.Serve(t, set)
			d.Tell(dark, "lens", "State", true)
			d.Tell("tns1:RuleEngine/CellMotionDetector/Motion", "lens", "IsMotion", true)
			d.Tell(rule, "lens", "IsTamper", false)
			l := listen(t, d)
			l.want("too dark true at first")
			l.want("tampered with false at first")
			began := time.Now()
			d.Tell(dark, "lens", "State", false)
			e := l.want("too dark false")
			if e.At.Sub(began).Abs() > 1500*time.Millisecond {
				t.Errorf("it was at %v by our clock, told as %v", began, e.At)
			}
			d.Tell(rule, "lens", "IsTamper", true)
			if e := l.want("tampered with true"); e.Topic != rule || e.Source != "Source=lens" || e.Heard <= 0 {
				t.Errorf("%+v", e)
			}
			d.Tell(scene, "lens", "State", true)
			l.want("scene changed true")
			d.Tell("tns1:VideoSource/SignalLoss", "lens", "State", true)
			l.want("signal lost true")
			d.Remark("tns1:VideoSource/tnsaxis:Tampering", "lens", "tampering", "1")
			l.want("tampered with true, a moment")
			d.Remark("tns1:VideoSource/tnsaxis:Tampering", "lens", "channel", "x")
			l.want("tampered with true, a moment")
			if d.Asked("ReferenceParameters") < d.Asked("PullMessages") {
				t.Error("what its address says must come with each request did not")
			}
			l.stop()
			if err := <-l.ended; !errors.Is(err, context.Canceled) {
				t.Errorf("ended with %v", err)
			}
			await(t, 3*time.Second, func() error {
				if n := d.Subscribers(); n != 0 {
					return fmt.Errorf("%d subscriptions were left behind", n)
				}
				return nil
			})
		})
	}
}

// An event that comes late takes nothing back; the same again is no news; another lens has its own states.
func TestTampersOutOfOrder(t *testing.T) {
	d := onviftest.Serve(t, onviftest.Setup{})
	l := listen(t, d)
	now := time.Now()
	d.TellAt(dark, "lens", "State", true, now)
	l.want("too dark true")
	d.TellAt(dark, "lens", "State", false, now.Add(-time.Second))
	l.silent("an older one")
	d.TellAt(dark, "lens", "State", true, now)
	l.silent("the same again")
	d.TellAt(dark, "other lens", "State", false, now.Add(-time.Second))
	l.want("too dark false")
	// A camera whose clock has jumped: its time is not believed, the event is.
	d.TellAt(scene, "lens", "State", true, now.Add(-40*time.Hour))
	if e := l.want("scene changed true"); time.Since(e.At).Abs() > 2*time.Second {
		t.Errorf("told as %v", e.At)
	}
}

// After a restart of the camera its state is told anew, and what was missed is seen. The subscription outlives its lease.
func TestTampersReconnect(t *testing.T) {
	d := onviftest.Serve(t, onviftest.Setup{})
	d.Tell(dark, "lens", "State", false)
	l := listen(t, d)
	l.want("too dark false at first")
	await(t, 10*time.Second, func() error {
		if d.Asked("Renew") < 3 {
			return errors.New("not renewed")
		}
		return nil
	})
	if d.Asked("CreatePullPointSubscription") != 1 {
		t.Errorf("subscribed %d times", d.Asked("CreatePullPointSubscription"))
	}
	d.Cut()
	d.Tell(dark, "lens", "State", true)
	if err := <-l.lost; err == nil {
		t.Error("lost without a reason")
	}
	l.want("too dark true at first")
	d.Cut()
	<-l.lost
	l.want("too dark true at first") // what has not changed is told, too: it could have
	d.Tell(dark, "lens", "State", false)
	l.want("too dark false")
}

// A refused password is not shown again and again: the account would be locked.
func TestTampersRefused(t *testing.T) {
	d := onviftest.Serve(t, onviftest.Setup{Way: onviftest.DigestMD5, User: "eye", Pass: "pass"})
	c := connect(t, Config{URL: strings.Replace(d.URL(), "pass", "wrong", 1)})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var last error
	_ = c.Tampers(ctx, func(Tamper) {}, func(err error) { last = err })
	if !errors.Is(last, camera.ErrCredentials) || d.Wrong() > 6 {
		t.Errorf("%v; shown %d times in a second, with waits an hour's 300th of the real ones", last, d.Wrong())
	}
}

// T20: a pull point that answers at once, or with too much, costs little.
func TestTampersFlood(t *testing.T) {
	d := onviftest.Serve(t, onviftest.Setup{})
	one := fmt.Sprintf(`<wsnt:NotificationMessage><wsnt:Topic>%s</wsnt:Topic><wsnt:Message><tt:Message UtcTime="2026-01-01T00:00:00Z" PropertyOperation="Changed"><tt:Source><tt:SimpleItem Name="s" Value="%%d"/></tt:Source><tt:Data><tt:SimpleItem Name="State" Value="true"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`, dark)
	var b strings.Builder
	for i := range 1500 {
		fmt.Fprintf(&b, one, i)
	}
	l := listen(t, d)
	d.Alter(func(operation, reply string) string {
		if operation == "PullMessages" {
			return "<tev:PullMessagesResponse>" + b.String() + "</tev:PullMessagesResponse>"
		}
		return reply
	})
	before, began, n := d.Asked("PullMessages"), time.Now(), 0
	await(t, 20*time.Second, func() error {
		for {
			select {
			case <-l.got:
				n++
				continue
			default:
			}
			break
		}
		if d.Asked("PullMessages")-before < 4 || n == 0 {
			return errors.New("not yet asked again and again")
		}
		return nil
	})
	asked, most := d.Asked("PullMessages")-before, int(time.Since(began)/pullLeast)+2
	if asked > most || n > (asked+1)*noticesMost {
		t.Errorf("asked %d times in %v, %d events taken", asked, time.Since(began), n)
	}
}

func TestKinds(t *testing.T) {
	for topic, want := range map[string]Kind{
		dark: Dark, "VideoSource/ImageTooBright": Bright, " tns1:VideoSource / ImageTooBlurry/x": Blurry, scene: SceneChange,
		"tns1:VideoSource/SignalLoss": SignalLoss, rule: Covered, "tns1:RuleEngine/CellMotionDetector/Tamper": Covered,
		"tns1:VideoSource/tnsaxis:Tampering": Covered, "tns1:RuleEngine/tnshik:TamperingDetector": Covered,
		"tns1:RuleEngine/CellMotionDetector/Motion": NoKind, "tns1:Device/Casing/Tamper": NoKind, "": NoKind, "///": NoKind,
		"tns1:Device/HardwareFailure/StorageFailure": NoKind,
	} {
		if got := kindOf(topic); got != want {
			t.Errorf("%q is %v, want %v", topic, got, want)
		}
	}
}
