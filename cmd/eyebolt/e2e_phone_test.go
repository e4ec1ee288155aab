package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"eyebolt/web/webtest"
)

// phone is one person's browser: a profile of its own, and a passkey that lives in its authenticator and nowhere else.
type phone struct {
	*webtest.Page
	e    *e2e
	name string
	auth string // the authenticator
}

func (e *e2e) phone(b *webtest.Browser, name string) *phone {
	e.t.Helper()
	p := &phone{Page: b.Page(), e: e, name: name}
	p.auth = p.Authenticator()
	return p
}

// join registers by an invitation, in the page.
func (p *phone) join(invite string) {
	p.e.t.Helper()
	p.joinBy(p.e.service.URLs[0] + "/?invite=" + invite)
}

// joinBy registers by an invitation's link.
func (p *phone) joinBy(link string) {
	p.e.t.Helper()
	p.Go(link)
	p.see("the page to join", `document.querySelector('input[name=name]')`)
	p.Type(`input[name=name]`, p.name)
	p.press("Make a passkey")
	p.see("the app after joining", `location.pathname.length > 1 && document.querySelector('.top')`)
	p.Errors() // nobody was signed in at first: the browser writes a 401 down
	if n := len(p.passkeys()); n != 1 {
		p.e.t.Fatalf("%s has %d passkeys in the browser's authenticator, want 1", p.name, n)
	}
}

type passkey struct {
	CredentialID, RpID string
	SignCount          int
}

// passkeys are those in the browser's authenticator.
func (p *phone) passkeys() []passkey {
	p.e.t.Helper()
	var m struct{ Credentials []passkey }
	p.Call("WebAuthn.getCredentials", map[string]any{"authenticatorId": p.auth}, &m)
	return m.Credentials
}

// signed says how often the passkey has signed.
func (p *phone) signed() int {
	p.e.t.Helper()
	n := 0
	for _, k := range p.passkeys() {
		n += k.SignCount
	}
	return n
}

// see waits until an expression is true in the page.
func (p *phone) see(what, expr string) {
	p.e.t.Helper()
	var last error
	err := waitEvery(p.e.ctx, patience, 100*time.Millisecond, func() bool {
		var ok bool
		last = p.Try("Boolean("+expr+")", &ok)
		return last == nil && ok
	})
	if err != nil {
		p.e.t.Fatalf("%s waited %v for %s: %s (%v)\npage errors: %q\npage:\n%s", p.name, patience, what, expr, last, p.Errors(), p.text())
	}
}

// reads waits until the page shows a text.
func (p *phone) reads(text string) {
	p.e.t.Helper()
	p.see("the words "+text, "document.body.innerText.includes("+quoted(text)+")")
}

// text is what the page says now.
func (p *phone) text() (s string) {
	_ = p.Try("document.body.innerText", &s) // while a page loads there is no body
	return s
}

// has says whether an expression is true now.
func (p *phone) has(expr string) (ok bool) {
	p.e.t.Helper()
	p.Eval("Boolean("+expr+")", &ok)
	return ok
}

// press waits for an enabled button or link whose words begin with label, and clicks its middle as a finger does.
func (p *phone) press(label string) {
	p.e.t.Helper()
	find := fmt.Sprintf(`(() => {
		const on = document.querySelector('dialog[open]') ?? document;
		const e = [...on.querySelectorAll('button, a')].find(e => e.innerText.trim().startsWith(%s) && !e.disabled && e.getClientRects().length > 0);
		if (!e) return null;
		e.scrollIntoView({block: 'center', behavior: 'instant'});
		const r = e.getBoundingClientRect(), x = r.x + r.width/2, y = r.y + r.height/2;
		return e.contains(document.elementFromPoint(x, y)) ? {x, y} : null;
	})()`, quoted(label))
	var at struct{ X, Y float64 }
	err := waitEvery(p.e.ctx, patience, 100*time.Millisecond, func() bool {
		var raw json.RawMessage
		return p.Try(find, &raw) == nil && string(raw) != "null" && json.Unmarshal(raw, &at) == nil
	})
	if err != nil {
		p.e.t.Fatalf("%s finds no button %q\npage:\n%s", p.name, label, p.text())
	}
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		p.Call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1}, nil)
	}
}

// shot renews the page's screenshots on a phone and on a desk, if asked for.
func (p *phone) shot(name string) {
	p.e.t.Helper()
	if !shots {
		return
	}
	for _, s := range []struct {
		name          string
		width, height int
	}{{"desk", 1440, 900}, {"phone", 390, 844}} {
		p.Viewport(s.width, s.height)
		p.Eval(`scrollTo(0, 0)`, nil)
		p.Eval(`new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(1))))`, nil)
		p.Shot(filepath.Join("..", "..", "docs", "screens", "real-"+name+"-"+s.name+".png"))
	}
}

// clean holds the page to what a developer would see in red: nothing.
func (p *phone) clean() {
	p.e.t.Helper()
	for _, err := range p.Errors() {
		p.e.t.Errorf("in %s's page: %s", p.name, err)
	}
}

func quoted(s string) string {
	b, _ := json.Marshal(s) // a string always marshals
	return string(b)
}

// inOrder gives the first of the wanted texts that the lines do not hold in that order; empty: all do.
func inOrder(lines, want []string) string {
	for _, w := range want {
		i := 0
		for i < len(lines) && !strings.Contains(lines[i], w) {
			i++
		}
		if i == len(lines) {
			return w
		}
		lines = lines[i+1:]
	}
	return ""
}
