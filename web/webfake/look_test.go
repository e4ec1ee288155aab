package webfake

import (
	"slices"
	"testing"

	"eyebolt/bus"
	"eyebolt/web/webtest"
)

// contrast lists texts whose colour is too close to what is behind them (WCAG 2.2, 1.4.3: 4.5:1, large ones 3:1). Pictures
// behind texts are left out: those texts carry their own ground.
const contrast = `(() => {
	const rgb = s => { const m = s.match(/[\d.]+/g).map(Number); return {c: m.slice(0, 3), a: m.length > 3 ? m[3] : 1} };
	const lum = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 }); return 0.2126 * r + 0.7152 * g + 0.0722 * b };
	const ground = e => { for (; e; e = e.parentElement) { const b = rgb(getComputedStyle(e).backgroundColor); if (b.a > 0.6) return b.c } return rgb(getComputedStyle(document.body).backgroundColor).c };
	const bad = [];
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; n = walk.nextNode();) {
		const e = n.parentElement, s = getComputedStyle(e);
		if (!n.data.trim() || e.closest('.hidden, noscript, .overlay, option, :disabled, [aria-disabled=true], .off') || !e.getClientRects().length) continue;
		const a = lum(rgb(s.color).c), b = lum(ground(e)), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		const px = parseFloat(s.fontSize), large = px >= 24 || px >= 18.66 && Number(s.fontWeight) >= 700;
		if (ratio < (large ? 3 : 4.5)) bad.push(n.data.trim().slice(0, 40) + ' ' + ratio.toFixed(2));
	}
	return bad;
})()`

// Every page keeps its contrast in the light and in the dark, and every control has a name.
func TestContrastAndNames(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	f.view(visitUnderWay)
	f.set(func() {
		v := f.views[theDoor]
		v.Alarm, v.AlarmText = "lapse-lost", "The picture was lost while Noor was inside."
		f.views[theDoor] = v
		f.home["incidents"] = f.ops["incidents"]
	})
	p.Viewport(390, 844)
	for _, scheme := range []string{"light", "dark"} {
		p.Call("Emulation.setEmulatedMedia", object{"features": []object{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
		for _, page := range []struct{ role, path, text, shot string }{
			{"resident", "/home", "Recording", "home"},
			{"resident", "/home/visit/v3", "What happened", "visit"},
			{"courier", "/stop", "Rosenvägen", "stops"},
			{"courier", "/stop/d1", "Place the parcel", "stop-inside"},
			{"operator", "/ops", "Going on now", "ops"},
			{"operator", "/ops/deliveries", "Okafor", "ops-deliveries"},
			{"operator", "/ops/incidents", "Only a resident", "ops-incidents"},
			{"operator", "/ops/couriers", "Expires soon", "ops-couriers"},
			{"operator", "/ops/homes", "Silent since", "ops-homes"},
			{"", "/", "invitation", "signin"},
		} {
			as(f, p, page.role)
			p.Go(f.url + page.path)
			p.Text(page.text)
			var bad []string
			p.Eval(contrast, &bad)
			for _, b := range bad {
				t.Errorf("%s %s: too little contrast: %s", scheme, page.path, b)
			}
			var nameless []string
			p.Eval(`[...document.querySelectorAll('button, a, input, select, [role=slider], [role=switch], video:not([aria-hidden])')].filter(e => !(e.innerText?.trim() || e.textContent.trim() || e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.labels?.length)).map(e => e.outerHTML.slice(0, 80))`, &nameless)
			for _, n := range nameless {
				t.Errorf("%s: a control without a name: %s", page.path, n)
			}
			if scheme == "dark" && page.shot == "home" {
				p.Wait(isLive)
				p.Errors()
				shot(t, p, "home-dark")
				p.Viewport(390, 844)
			}
		}
	}
}

// as signs somebody else in, with no page open: one that asks on as nobody would leave by itself.
func as(f *fake, p *webtest.Page, role string) {
	p.Call("Page.navigate", object{"url": "about:blank"}, nil)
	f.set(func() { f.role = role })
}

// everywhere is every page, with what is on it once it is there.
var everywhere = []struct{ role, path, text string }{
	{"", "/", "I have an invitation"},
	{"", "/?invite=ROOK-2087", "Make a passkey"},
	{"resident", "/home", "Recording"},
	{"resident", "/home/visit/v3", "What happened"},
	{"courier", "/stop", "Rosenvägen"},
	{"courier", "/stop/d1", "Place the parcel"},
	{"courier", "/stop/d2", "Knock first"},
	{"operator", "/ops", "Going on now"},
	{"operator", "/ops/deliveries", "Okafor"},
	{"operator", "/ops/couriers", "Expires soon"},
	{"operator", "/ops/homes", "Silent since"},
	{"operator", "/ops/incidents", "Call the courier"},
}

// wider lists what sticks out of the screen on the right: of the screen, as a phone makes its window as wide as the page.
const wider = `document.documentElement.scrollWidth <= screen.width ? [] : [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > screen.width + 1 && !e.closest('.hidden')).slice(0, 5).map(e => e.tagName + '.' + e.className + ' ' + (e.textContent ?? '').trim().slice(0, 30))`

const twice = `new Promise(r => { const s = new CSSStyleSheet(); s.replaceSync('html{font-size:200%}'); document.adoptedStyleSheets = [s]; requestAnimationFrame(() => requestAnimationFrame(() => r(1))) })`

// No page scrolls sideways on the smallest phones, nor with text twice as large (WCAG 1.4.4, 1.4.10); and with large text
// what stands in front of what is read leaves half the screen free.
func TestSmallScreensAndLargeText(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	f.view(visitUnderWay)
	f.set(func() {
		v := f.views[theDoor]
		v.Alarm, v.AlarmText = "lapse-lost", "The picture is lost: the courier was told to leave, and the hub bolts the door as it closes."
		f.views[theDoor] = v
		f.home["incidents"] = f.ops["incidents"]
		f.home["alarms"] = []bus.Alarm{alarm("s1", "front", "hub-silent", fellSilent, 0), alarm("d1", "", "hub-doubled", "Two hubs speak with this hub's key at once.", 0)}
	})
	for _, page := range everywhere {
		for _, c := range []struct {
			name          string
			width, height int
			large         bool
		}{{"320", 320, 640, false}, {"360", 360, 640, false}, {"200 %", 390, 844, true}} {
			as(f, p, page.role)
			p.Viewport(c.width, c.height)
			p.Go(f.url + page.path)
			p.Text(page.text)
			if c.large {
				p.Eval(twice, nil)
			}
			var out []string
			p.Eval(wider, &out)
			for _, o := range out {
				t.Errorf("%s at %s: sticks out: %s", page.path, c.name, o)
			}
			var covered float64 // part of the screen's height that stays in front of what is read
			p.Eval(`[...document.querySelectorAll('body *')].filter(e => ['sticky', 'fixed'].includes(getComputedStyle(e).position)).reduce((sum, e) => sum + e.getBoundingClientRect().height, 0) / innerHeight`, &covered)
			if c.large && covered > 0.5 {
				t.Errorf("%s at %s: %.0f %% of the screen is covered whatever is read", page.path, c.name, 100*covered)
			}
		}
	}
	f.set(func() { f.role = "resident" })
	p.Viewport(390, 844)
	p.Go(f.url + "/home")
	p.Wait(isLive)
	p.Eval(twice, nil)
	p.Errors()
	shot(t, p, "home-large-text")
}

// Whoever asks for less motion gets none.
func TestNoMotionForThoseWhoAskForNone(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	p.Call("Emulation.setEmulatedMedia", object{"features": []object{{"name": "prefers-reduced-motion", "value": "reduce"}}}, nil)
	for _, page := range everywhere {
		as(f, p, page.role)
		p.Go(f.url + page.path)
		p.Wait(`document.querySelector('button') !== null`)
		var moving []string
		p.Eval(`[...document.querySelectorAll('body *')].filter(e => { const s = getComputedStyle(e); return s.animationName !== 'none' || s.transitionDuration.split(',').some(d => parseFloat(d) > 0) }).map(e => e.tagName + '.' + e.className)`, &moving)
		for _, m := range moving {
			t.Errorf("%s: moves: %s", page.path, m)
		}
	}
}

// The keyboard's way through the resident's page follows what matters: the alarm first, then the orders to the door.
func TestFocusOrder(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	f.view(visitUnderWay)
	f.view(func(v *bus.View) { v.Alarm, v.AlarmText = "lapse-lost", "The picture is lost." })
	p.Viewport(1440, 900)
	p.Go(f.url + "/home")
	p.Text("I have seen this")
	var order []string
	for range 5 {
		key(p, "Tab", 9)
		var at string
		p.Eval(`(document.activeElement.innerText ?? '').trim()`, &at)
		order = append(order, at)
		var seen bool
		p.Eval(`document.activeElement.matches(':focus-visible') && getComputedStyle(document.activeElement).outlineStyle !== 'none'`, &seen)
		if !seen {
			t.Errorf("the focus on %q is not seen", at)
		}
	}
	if want := []string{"I have seen this", "Sign out", "Leave now", "Block", "Lock now"}; !slices.Equal(order, want) {
		t.Errorf("the tabulator goes %q, want %q", order, want)
	}
	p.Eval(`document.querySelector('.row-link').focus()`, nil) // to a visit's page and back: on from the title
	key(p, "Enter", 13)
	p.Wait(`location.pathname.startsWith('/home/visit/') && document.activeElement.tagName === 'H1' && document.activeElement.innerText === 'Noor'`)
}
