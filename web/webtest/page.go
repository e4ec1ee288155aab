package webtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Page is one tab in a profile of its own: its cookies, storage and passkeys are nobody else's.
type Page struct {
	b       *Browser
	session string

	mu     sync.Mutex
	errors []string // guarded by mu
}

// Page opens a tab at about:blank, 390×844 at scale 1.
func (b *Browser) Page() *Page {
	b.tb.Helper()
	var profile struct{ BrowserContextID string }
	b.must("", "Target.createBrowserContext", map[string]any{"disposeOnDetach": true}, &profile)
	b.profiles = append(b.profiles, profile.BrowserContextID)
	var target struct{ TargetID string }
	b.must("", "Target.createTarget", map[string]any{"url": "about:blank", "browserContextId": profile.BrowserContextID}, &target)
	var attached struct{ SessionID string }
	b.must("", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	p := &Page{b: b, session: attached.SessionID}
	b.sessions = append(b.sessions, p.session)
	b.mu.Lock()
	b.events[p.session] = p.hear
	b.mu.Unlock()
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		p.Call(domain+".enable", nil, nil)
	}
	p.Viewport(390, 844)
	return p
}

func (b *Browser) must(session, method string, params, out any) {
	b.tb.Helper()
	data, err := b.try(session, method, params)
	if err != nil {
		b.tb.Fatal(err)
	}
	if out != nil {
		if err := json.Unmarshal(data, out); err != nil {
			b.tb.Fatalf("%s: %v", method, err)
		}
	}
}

// Call sends any DevTools command to this page.
func (p *Page) Call(method string, params, out any) {
	p.b.tb.Helper()
	p.b.must(p.session, method, params, out)
}

// hear keeps what a developer would see in red: uncaught exceptions, console.error, failed loads, refusals of the
// content security policy.
func (p *Page) hear(e event) {
	var text string
	switch e.Method {
	case "Runtime.exceptionThrown":
		var m struct {
			ExceptionDetails struct {
				Text      string
				Exception struct{ Description string }
			}
		}
		_ = json.Unmarshal(e.Params, &m)
		text = m.ExceptionDetails.Text + " " + m.ExceptionDetails.Exception.Description
	case "Runtime.consoleAPICalled":
		var m struct {
			Type string
			Args []struct {
				Value       any
				Description string
			}
		}
		_ = json.Unmarshal(e.Params, &m)
		if m.Type != "error" && m.Type != "assert" {
			return
		}
		text = "console." + m.Type + ":"
		for _, a := range m.Args {
			if a.Description != "" {
				text += " " + a.Description
			} else {
				text += fmt.Sprintf(" %v", a.Value)
			}
		}
	case "Log.entryAdded":
		var m struct {
			Entry struct{ Level, Text, URL string }
		}
		_ = json.Unmarshal(e.Params, &m)
		if m.Entry.Level != "error" {
			return
		}
		text = m.Entry.Text + " " + m.Entry.URL
	default:
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.errors) < 1000 { // a page that loops must not fill the test's memory
		p.errors = append(p.errors, text)
	}
}

// Errors gives what went wrong in the page so far, and forgets it.
func (p *Page) Errors() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := slices.Clone(p.errors)
	p.errors = nil
	return all
}

// Go loads a URL and returns when its document is complete.
func (p *Page) Go(url string) {
	p.b.tb.Helper()
	var m struct{ ErrorText string }
	for range 3 {
		m.ErrorText = ""
		p.Call("Page.navigate", map[string]any{"url": url}, &m)
		if m.ErrorText != "net::ERR_ABORTED" { // the page left by itself at the same moment, as after a sign-out
			break
		}
	}
	if m.ErrorText != "" {
		p.b.tb.Fatalf("%s: %s", url, m.ErrorText)
	}
	p.Wait("document.readyState === 'complete' && location.href !== 'about:blank'")
}

// Try evaluates an expression, waits if it is a promise, and stores its value in out (unless nil).
func (p *Page) Try(expr string, out any) error {
	data, err := p.b.try(p.session, "Runtime.evaluate", map[string]any{
		"expression": expr, "awaitPromise": true, "returnByValue": true, "userGesture": true,
	})
	if err != nil {
		return err
	}
	var m struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	if x := m.ExceptionDetails; x != nil {
		return fmt.Errorf("%s %s", x.Text, x.Exception.Description)
	}
	if out == nil {
		return nil
	}
	if m.Result.Value == nil {
		return errNoJSON
	}
	return json.Unmarshal(m.Result.Value, out)
}

// Eval is Try; an error ends the test.
func (p *Page) Eval(expr string, out any) {
	p.b.tb.Helper()
	if err := p.Try(expr, out); err != nil {
		p.b.tb.Fatalf("%s: %v", expr, err)
	}
}

// Wait evaluates an expression every 50 ms until it is true. After Limit the test ends, saying what the page held.
func (p *Page) Wait(expr string) {
	p.b.tb.Helper()
	var last error
	for end := time.Now().Add(Limit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var ok bool
		if last = p.Try("Boolean("+expr+")", &ok); last == nil && ok {
			return
		}
	}
	var text string
	_ = p.Try("document.body ? document.body.innerText.slice(0, 2000) : ''", &text)
	p.b.tb.Fatalf("waited %v for: %s (last error: %v)\npage errors: %q\npage text: %s", Limit, expr, last, p.Errors(), text)
}

// Text waits until the page shows a text.
func (p *Page) Text(text string) {
	p.b.tb.Helper()
	p.Wait("document.body && document.body.innerText.includes(" + quote(text) + ")")
}

// Click waits until the selector's first element is there, visible, enabled and at rest (a press in a moving layout hits
// something else), then presses its middle as a finger does.
func (p *Page) Click(selector string) {
	p.b.tb.Helper()
	find := fmt.Sprintf(`(async () => {
		const box = () => {
			const e = document.querySelector(%s);
			if (!e || e.disabled || e.getClientRects().length === 0) return null;
			e.scrollIntoView({block: 'center', behavior: 'instant'});
			const r = e.getBoundingClientRect();
			return {x: r.x + r.width/2, y: r.y + r.height/2, e};
		};
		const a = box();
		await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
		const b = box();
		if (!a || !b || a.e !== b.e || a.x !== b.x || a.y !== b.y) return null;
		window.missed = true;
		addEventListener('pointerdown', (ev) => { window.missed = !b.e.contains(ev.target) && !ev.target.contains(b.e) }, {once: true, capture: true});
		return {x: b.x, y: b.y};
	})()`, quote(selector))
	for end := time.Now().Add(Limit); ; time.Sleep(50 * time.Millisecond) {
		var at *struct{ X, Y float64 }
		if err := p.Try(find, &at); err == nil && at != nil {
			for _, kind := range []string{"mousePressed", "mouseReleased"} {
				p.Call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1}, nil)
			}
			// What moved away after all was not pressed, and nor was it twice.
			var missed bool
			if err := p.Try(`window.missed === true`, &missed); err != nil || !missed {
				return
			}
		}
		if time.Now().After(end) {
			p.Wait(fmt.Sprintf(`(() => { const e = document.querySelector(%s); return e && !e.disabled && e.getClientRects().length > 0 })()`, quote(selector)))
			p.b.tb.Fatalf("%s did not come to rest in %v", selector, Limit)
		}
	}
}

// Drag presses at the middle of a selector's element, moves by dx and dy in steps, and lets go: a slide.
func (p *Page) Drag(selector string, dx, dy float64) {
	p.b.tb.Helper()
	p.Wait("document.querySelector(" + quote(selector) + ")")
	var at struct{ X, Y float64 }
	p.Eval(fmt.Sprintf(`(() => { const e = document.querySelector(%s); e.scrollIntoView({block: 'center', behavior: 'instant'});
		const r = e.getBoundingClientRect(); return {x: r.x + r.width/2, y: r.y + r.height/2} })()`, quote(selector)), &at)
	move := func(kind string, x, y float64) {
		p.Call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}, nil)
	}
	move("mousePressed", at.X, at.Y)
	for i := 1.0; i <= 10; i++ {
		move("mouseMoved", at.X+dx*i/10, at.Y+dy*i/10)
	}
	move("mouseReleased", at.X+dx, at.Y+dy)
}

// Type focuses a selector's element, empties it and types text.
func (p *Page) Type(selector, text string) {
	p.b.tb.Helper()
	p.Wait("document.querySelector(" + quote(selector) + ")")
	p.Eval(fmt.Sprintf(`(() => { const e = document.querySelector(%s); e.focus(); if (e.select) e.select() })()`, quote(selector)), nil)
	p.Call("Input.insertText", map[string]any{"text": text}, nil)
}

// Viewport sets the size in CSS pixels; up to 500 wide counts as a phone.
func (p *Page) Viewport(width, height int) {
	p.b.tb.Helper()
	p.Call("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width <= 500,
	}, nil)
}

// Shot writes a PNG of the viewport, in at most 256 colours.
func (p *Page) Shot(path string) {
	p.b.tb.Helper()
	var m struct{ Data string }
	p.Call("Page.captureScreenshot", map[string]any{"format": "png"}, &m)
	data, err := base64.StdEncoding.DecodeString(m.Data)
	if err == nil {
		data, err = small(data)
	}
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		p.b.tb.Fatal(err)
	}
}

// Authenticator gives the page a platform authenticator that holds passkeys and always verifies its user; it returns the
// authenticator's id for further WebAuthn commands.
func (p *Page) Authenticator() string {
	p.b.tb.Helper()
	p.Call("WebAuthn.enable", nil, nil)
	var m struct{ AuthenticatorID string }
	p.Call("WebAuthn.addVirtualAuthenticator", map[string]any{"options": map[string]any{
		"protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
		"isUserVerified": true, "automaticPresenceSimulation": true,
	}}, &m)
	return m.AuthenticatorID
}

func quote(s string) string {
	b, _ := json.Marshal(s) // a string always marshals
	return string(b)
}
