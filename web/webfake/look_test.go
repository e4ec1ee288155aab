package webfake

import (
	"testing"
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
			{"", "/", "invitation", "signin"},
		} {
			f.set(func() { f.role = page.role })
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
