package webfake

import (
	"strings"
	"testing"
)

// What is shown is what is signed: the terms are read from the document itself.
func TestConsentIsReadAndSigned(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	f.set(func() {
		f.home["consents"] = []object{{"carrier": "kestrel", "carrier_name": "Kestrel Parcels", "hub": hubID, "door": "front", "state": "wanted"}}
	})
	p.Authenticator()
	f.set(func() { f.role = "" })
	join(p, f)
	p.Text("Asks for your consent")
	p.Click(`.rows .row-text .button.main`)
	p.Text("Mon, Tue, Wed, Thu, Fri")
	p.Text("08:00 – 18:00 (Europe/Stockholm)")
	shot(t, p, "consent")
	p.Click(`dialog .button.big`)
	got := f.took("/api/home/consent")
	if got["document"] != consentDocument {
		t.Errorf("document: got %v", got["document"])
	}
	if err := signed(got, consentChallenge, f.url); err != nil {
		t.Error(err)
	}
	clean(t, p)
}

// The shell opens without a network; live data is never kept.
func TestServiceWorkerKeepsTheShellAlone(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	p.Go(f.url + "/home")
	p.Text("Secured")
	p.Wait(`navigator.serviceWorker.controller !== null`)
	var kept []string
	p.Eval(`(async () => { const all = []; for (const k of await caches.keys()) for (const r of await (await caches.open(k)).keys()) all.push(new URL(r.url).pathname); return all })()`, &kept)
	if len(kept) < 8 {
		t.Errorf("kept %v", kept)
	}
	for _, k := range kept {
		if strings.HasPrefix(k, "/api") || strings.HasPrefix(k, "/world") || strings.HasPrefix(k, "/assets/world") {
			t.Errorf("the service worker keeps %s", k)
		}
	}
	f.set(func() { f.down = true })
	f.kick()
	p.Go(f.url + "/home")
	p.Text("The service did not answer.")
	p.Text("Your home goes on keeping its rules by itself.")
	var titles int
	p.Eval(`document.querySelectorAll('.hero-title').length`, &titles)
	if titles != 0 {
		t.Errorf("a door's state is shown without the service")
	}
}

// Touch targets are at least 44 by 44 (WCAG 2.5.5 asks for as much).
func TestTouchTargets(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	f.view(visitUnderWay)
	p.Viewport(390, 844)
	for _, page := range []struct{ role, path string }{{"resident", "/home"}, {"resident", "/home/visit/v2"}, {"courier", "/stop"}, {"operator", "/ops"}, {"operator", "/ops/deliveries"}, {"operator", "/ops/couriers"}, {"operator", "/ops/homes"}} {
		as(f, p, page.role)
		p.Go(f.url + page.path)
		p.Wait(`document.querySelector('main .top, main.page') !== null && document.querySelectorAll('button, a').length > 0`)
		var small []string
		p.Eval(`[...document.querySelectorAll('button, a, input, select, [role=slider]')].filter(e => { const b = e.closest('label')?.getBoundingClientRect() ?? e.getBoundingClientRect(); return b.width > 0 && (b.width < 44 || b.height < 44) }).map(e => e.outerHTML.slice(0, 90))`, &small)
		for _, s := range small {
			t.Errorf("%s: smaller than 44 px: %s", page.path, s)
		}
	}
}
