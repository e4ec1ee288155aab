package webfake

import (
	"encoding/base64"
	"sync"
	"testing"
	"time"

	"eyebolt/bus"
	"eyebolt/web/webtest"
)

// courier signs up with a passkey and is on his list of stops.
func courier(t *testing.T) (*fake, *webtest.Page) {
	t.Helper()
	f, p := start(t), open(t)
	f.quiet("")
	p.Viewport(390, 844)
	p.Authenticator()
	join(p, f)
	p.Text("Secured")
	f.set(func() { f.role = "courier" })
	p.Go(f.url + "/stop")
	p.Text("Rosenvägen 4")
	p.Errors()
	return f, p
}

func ready(v *bus.View) {
	until := time.Now().UTC().Add(4 * time.Minute)
	v.Visit, v.GrantID, v.Courier, v.Phase, v.Checks, v.Until = "v9", "g-another-name", "Noor", "ready", checks(nil), &until
	v.Nonce, v.Sentence = []byte("a nonce of the hub: 32 bytes.../"), "Every check holds."
}

// A whole honest visit, as the courier does it: knock, scan, checks, slide, deliver, close, out, next.
func TestCourierDelivers(t *testing.T) {
	f, p := courier(t)
	shot(t, p, "stops")
	p.Viewport(390, 844)
	p.Click(`a[href="/stop/d1"]`)
	p.Text("Knock first")
	p.Wait(`document.querySelector('.button.main').disabled`) // nobody is at the door before he knocked and scanned
	p.Click(`.tick-button`)
	p.Type(`input[name=parcel]`, "KP-2041-77")
	shot(t, p, "stop-arrive")
	p.Viewport(390, 844)
	p.Click(`.step-card .button.main`)
	if got := f.took("/api/stops/d1/arrive"); got["parcel"] != "KP-2041-77" {
		t.Errorf("arrive: got %v", got)
	}
	soon := time.Now().UTC().Add(5 * time.Minute)
	f.view(func(v *bus.View) {
		ready(v)
		v.Phase, v.Nonce, v.Until, v.Sentence = "arming", nil, &soon, "The camera has to watch without a break for 3 s."
		v.Checks = checks(map[string]string{"watch": "The camera has watched for 1.2 of 3 s.", "recording": ""})
	})
	p.Text("Checking the door")
	p.Wait(`document.querySelector('[role=slider]').getAttribute('aria-disabled') === 'true'`)
	shot(t, p, "stop-checks")
	p.Viewport(390, 844)
	f.view(ready)
	p.Text("All checks are green")
	shot(t, p, "stop-slide")
	p.Viewport(390, 844)

	nonce := base64.RawURLEncoding.EncodeToString([]byte("a nonce of the hub: 32 bytes.../"))
	p.Drag(`[role=slider]`, 120, 0) // not far enough: nothing happens
	p.Wait(`document.querySelector('[role=slider]').getAttribute('aria-valuenow') === '0'`)
	f.set(func() {
		for _, c := range f.calls {
			if c.path == "/api/stops/d1/slide" {
				t.Error("a slide half-way opened")
			}
		}
	})
	p.Drag(`[role=slider]`, 330, 0)
	if err := signed(f.took("/api/stops/d1/slide"), nonce, f.url); err != nil {
		t.Error(err)
	}
	f.view(func(v *bus.View) { v.Phase, v.Nonce = "unlocking", nil })
	p.Text("Opening")
	until := time.Now().UTC().Add(108 * time.Second)
	f.view(func(v *bus.View) {
		v.Phase, v.Bolt, v.DoorIs, v.Secured, v.Until = "open", "drawn", "open", false, &until
	})
	p.Text("Place the parcel")
	shot(t, p, "stop-inside")
	p.Viewport(390, 844)
	f.view(func(v *bus.View) { v.Phase, v.DoorIs, v.Sentence = "closing", "closed", "" })
	p.Text("Bolting")
	out := []byte("another nonce, over the way out.")
	f.view(func(v *bus.View) { v.Phase, v.Bolt, v.Secured, v.OutNonce = "secured", "thrown", true, out })
	p.Text("I am out")
	shot(t, p, "stop-out")
	p.Viewport(390, 844)
	p.Click(`.say-out .button`)
	if err := signed(f.took("/api/stops/d1/out"), base64.RawURLEncoding.EncodeToString(out), f.url); err != nil {
		t.Error(err)
	}
	f.view(func(v *bus.View) { v.Phase, v.Released, v.OutNonce = "tail", true, nil })
	p.Text("You are released")
	shot(t, p, "stop-released")
	p.Text("Next stop: Hamngatan 12")
	p.Click(`a.button.main`)
	p.Text("Knock first")
	p.Click(`.top a.round`)
	p.Text("Today’s stops")
	clean(t, p)
}

// A visit that begins opens its stop by itself, once.
func TestVisitOpensItsStop(t *testing.T) {
	f, p := courier(t)
	f.view(ready)
	p.Wait(`location.pathname === '/stop/d1'`)
	p.Text("All checks are green")
	p.Click(`.top a.round`)
	p.Text("Today’s stops")
	f.set(func() { f.stops[0]["state"] = "here" })
	f.emit("delivery", object{})
	p.Text("You are here")
	var path string
	p.Eval(`location.pathname`, &path)
	if path != "/stop" {
		t.Errorf("the stop was opened again: %s", path)
	}
}

// Whoever cannot drag slides with the keyboard, presses the track three times, or presses a plain button that asks again.
func TestSlideWithoutDragging(t *testing.T) {
	for _, how := range []string{"arrows", "enter", "presses", "button"} {
		t.Run(how, func(t *testing.T) {
			f, p := courier(t)
			f.view(ready)
			p.Go(f.url + "/stop/d1")
			p.Text("All checks are green")
			p.Eval(`document.querySelector('[role=slider]').focus()`, nil)
			switch how {
			case "arrows":
				for range 10 {
					key(p, "ArrowRight", 39)
				}
			case "enter":
				for range 3 {
					key(p, "Enter", 13)
				}
			case "presses":
				for range 3 {
					press(p, `.slide-track`, 0.86)
				}
			case "button": // two presses: it asks again
				key(p, "Tab", 9)
				p.Wait(`document.activeElement.textContent === 'Open without sliding'`)
				key(p, "Enter", 13)
				p.Text("Really open?")
				key(p, "Enter", 13)
			}
			f.took("/api/stops/d1/slide")
			clean(t, p)
		})
	}
}

func key(p *webtest.Page, name string, code int) {
	for _, kind := range []string{"keyDown", "keyUp"} {
		e := object{"type": kind, "key": name, "code": name, "windowsVirtualKeyCode": code}
		if name == "Enter" && kind == "keyDown" {
			e["text"] = "\r" // or a button is not pressed
		}
		p.Call("Input.dispatchKeyEvent", e, nil)
	}
	p.Eval(`new Promise(r => requestAnimationFrame(() => r(1)))`, nil)
}

// press clicks at a part of an element's width.
func press(p *webtest.Page, selector string, part float64) {
	var box struct{ X, Y, Width, Height float64 }
	p.Eval(`document.querySelector('`+selector+`').getBoundingClientRect().toJSON()`, &box)
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		p.Call("Input.dispatchMouseEvent", object{"type": kind, "x": box.X + box.Width*part, "y": box.Y + box.Height/2, "button": "left", "buttons": 1, "clickCount": 1}, nil)
	}
	p.Eval(`new Promise(r => requestAnimationFrame(() => r(1)))`, nil)
}

// A refusal is one sentence, and the slide is fresh again for the newest nonce.
func TestCourierIsRefused(t *testing.T) {
	f, p := courier(t)
	f.set(func() {
		f.refuse["/api/stops/d1/slide"] = object{"ok": false, "reason": "slide-stale", "sentence": "That took too long. Slide again."}
	})
	f.view(ready)
	p.Go(f.url + "/stop/d1")
	p.Text("All checks are green")
	p.Drag(`[role=slider]`, 330, 0)
	p.Text("That took too long. Slide again.")
	f.set(func() { delete(f.refuse, "/api/stops/d1/slide"); f.calls = nil })
	fresh := []byte("a newer nonce of the hub: 32 by.")
	f.view(func(v *bus.View) { v.Nonce = fresh })
	p.Wait(`document.querySelector('[role=slider]').getAttribute('aria-valuenow') === '0'`)
	p.Drag(`[role=slider]`, 330, 0)
	if err := signed(f.took("/api/stops/d1/slide"), base64.RawURLEncoding.EncodeToString(fresh), f.url); err != nil {
		t.Error(err)
	}
}

func TestCourierWaitsForTheHousehold(t *testing.T) {
	f, p := courier(t)
	f.view(func(v *bus.View) {
		ready(v)
		v.Phase, v.Nonce, v.Sentence = "held", nil, "The cat is not put away yet. The household has been asked."
		v.Checks = checks(map[string]string{"household": "Wait here; it opens by itself or you are told what to do with the parcel."})
	})
	p.Go(f.url + "/stop/d1")
	p.Text("The cat is not put away yet.")
	shot(t, p, "stop-held")
	p.Viewport(390, 844)
	p.Click(`.cannot .button`)
	p.Text("An animal is loose")
	shot(t, p, "stop-cannot")
	p.Viewport(390, 844)
	p.Click(`.choices button:nth-child(2)`)
	if got := f.took("/api/stops/d1/cannot"); got["why"] != "dog" {
		t.Errorf("cannot: got %v", got)
	}
	clean(t, p)
}

// The picture is lost inside: the whole screen says so (S6).
func TestCourierLeavesNow(t *testing.T) {
	f, p := courier(t)
	f.view(func(v *bus.View) {
		ready(v)
		v.Phase, v.Nonce, v.Bolt, v.DoorIs, v.Secured, v.Leave, v.Watch = "open", nil, "drawn", "open", false, true, "lost"
		v.Sentence = "The camera has lost the picture."
	})
	p.Go(f.url + "/stop/d1")
	p.Text("Leave now")
	shot(t, p, "stop-leave")
	f.view(func(v *bus.View) {
		v.Phase, v.DoorIs, v.OutNonce = "closing", "closed", []byte("nonce of the way out of a lapse.")
	})
	p.Click(`.say-out .button`)
	f.took("/api/stops/d1/out")
	clean(t, p)
}

func TestCourierWithoutANetwork(t *testing.T) {
	f, p := courier(t)
	f.view(func(v *bus.View) {
		ready(v)
		v.Phase, v.Nonce, v.Bolt, v.DoorIs, v.Secured = "open", nil, "drawn", "open", false
	})
	p.Go(f.url + "/stop/d1")
	p.Text("Place the parcel")
	f.set(func() { f.down = true })
	f.kick()
	p.Text("No connection since")
	p.Text("the home bolts it without your phone")
	shotDespiteErrors(t, p, "stop-no-news")
}

// A connection that stands while the home is silent shows nothing old as new: in a visit the courier is told since when.
func TestCourierWithoutNewsFromTheHome(t *testing.T) {
	f, p := courier(t)
	f.view(func(v *bus.View) {
		ready(v)
		v.Phase, v.Nonce, v.Bolt, v.DoorIs, v.Secured = "open", nil, "drawn", "open", false
	})
	p.Go(f.url + "/stop/d1")
	p.Text("Place the parcel")
	p.Wait(`document.querySelector('.offline') === null`)
	f.set(func() {
		v := f.views[theDoor]
		v.At = time.Now().UTC().Add(-20 * time.Second)
		f.views[theDoor] = v
	})
	p.Go(f.url + "/stop/d1")
	p.Text("No news from the home since")
	p.Text("the home bolts it without your phone")
	f.view(func(*bus.View) {})
	p.Wait(`document.querySelector('.offline') === null`)
	clean(t, p)
}

// A view that comes while the stops are being fetched is newer than what was fetched: the visit that it begins is shown.
func TestAVisitThatBeginsDuringAFetchIsShown(t *testing.T) {
	f, p := courier(t)
	p.Go(f.url + "/stop/d1")
	p.Text("Knock first")
	checking := `document.body.innerText.includes('Checking the door')`
	var once sync.Once
	answered := make(chan struct{})
	f.set(func() {
		f.on["/api/stops"] = func(object) { // the answer is made, and not sent yet
			once.Do(func() {
				defer close(answered)
				f.view(func(v *bus.View) {
					ready(v)
					v.Phase, v.Nonce = "arming", nil
				})
				for end := time.Now().Add(webtest.Limit); time.Now().Before(end); {
					var ok bool
					if p.Try(`new Promise(r => setTimeout(() => r(`+checking+`), 50))`, &ok) == nil && ok {
						return
					}
				}
			})
		}
	})
	f.emit("delivery", object{})
	<-answered
	p.Eval(`fetch('/api/stops').then(r => r.text())`, nil) // one more answer: the page has the first one by now
	p.Eval(`new Promise(r => setTimeout(() => r(1), 100))`, nil)
	var ok bool
	p.Eval(checking, &ok)
	if !ok {
		t.Error("an older answer has put the visit aside")
	}
	clean(t, p)
}
