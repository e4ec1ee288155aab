package webfake

import (
	"strings"
	"testing"

	"eyebolt/bus"
	"eyebolt/web"
)

// A sheet that is still open takes every click.
const noSheet = `document.querySelector('dialog') === null`

func TestOperator(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("operator")
	p.Go(f.url + "/ops")
	p.Text("Door open")
	shot(t, p, "ops-live")
	f.emit("view", bus.View{Hub: hubID, Door: "front", Phase: "closing", Reason: "door-has-closed"})
	p.Text("Closing")

	p.Click(`a[href="/ops/deliveries"]`)
	p.Text("KP-2042-03")
	shot(t, p, "ops-deliveries")
	p.Click(`.card-head .button.main`)
	p.Type(`input[name=parcels]`, "KP-9 KP-10")
	shot(t, p, "ops-book")
	p.Click(`dialog button[type=submit]`)
	got := f.took("/api/ops/deliveries")
	if parcels, _ := got["parcels"].([]any); got["household"] != "h1" || got["door"] != "front" || len(parcels) != 2 || !strings.HasSuffix(got["from"].(string), "Z") {
		t.Errorf("book: got %v", got)
	}
	if _, named := got["courier"]; named {
		t.Errorf("book: a courier that nobody chose: %v", got)
	}

	p.Wait(noSheet)
	p.Click(`a[href="/ops/couriers"]`)
	p.Text("Expires soon")
	shot(t, p, "ops-couriers")
	p.Click(`.card-head .button.main`)
	p.Type(`input[name=name]`, "Ines")
	p.Click(`dialog button[type=submit]`)
	p.Text("/?invite=KITE-4471")
	p.Click(`.sheet-head button`)
	p.Wait(noSheet)

	p.Click(`a[href="/ops/households"]`)
	p.Click(`tbody tr:first-child .button`)
	p.Text("/?invite=ROOK-2087")
	if got := f.took("/api/ops/invites"); got["role"] != "resident" || got["household"] != "h1" {
		t.Errorf("invite: got %v", got)
	}
	p.Click(`.sheet-head button`)
	p.Wait(noSheet)
	p.Click(`a[href="/ops/incidents"]`)
	p.Text("7.4 s")
	shot(t, p, "ops-incidents")
	var pictures int
	p.Eval(`document.querySelectorAll('video, img, canvas').length`, &pictures) // an operator never sees inside (S17)
	if pictures != 0 {
		t.Errorf("%d pictures on the operator's pages", pictures)
	}
	clean(t, p)
}

// An unscreened courier cannot be chosen.
func TestOperatorAssignsScreenedCouriersAlone(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("operator")
	p.Go(f.url + "/ops/deliveries")
	p.Click(`tbody .button.plain`)
	p.Text("Who delivers to")
	p.Wait(`[...document.querySelectorAll('.choices button')].filter(b => b.disabled).map(b => b.textContent).join() === 'Ines – screening pending'`)
	p.Click(`.choices button`)
	if got := f.took("/api/ops/deliveries/d1/assign"); got["courier"] != "c1" {
		t.Errorf("assign: got %v", got)
	}
}

func TestWorld(t *testing.T) {
	// The resident's phone and the world are one origin, the courier's another, as in the demo.
	noor := start(t, web.FramedBy("http://localhost:*"))
	noor.quiet("courier")
	noor.view(func(v *bus.View) {
		ready(v)
		v.Phase, v.Nonce, v.Bolt, v.DoorIs, v.Secured, v.Leave, v.Watch = "open", nil, "drawn", "open", false, true, "lost"
		v.Sentence = "The camera has lost the picture."
	})
	ada := start(t, web.WithWorld("http://localhost:*"), web.FramedBy("http://localhost:*"))
	ada.quiet("resident")
	ada.view(visitUnderWay)
	ada.set(func() { ada.world = ada.theWorld(ada.url+"/home", noor.url+"/stop/d1") })
	p := open(t)
	p.Viewport(1440, 900)
	p.Go(ada.url + "/world")
	p.Text("Floods the Wi-Fi.")
	p.Wait(`document.querySelectorAll('iframe').length === 2`)
	p.Wait(`document.querySelector('iframe').contentDocument?.querySelector('.picture.is-live') != null`)
	shot(t, p, "world")
	p.Viewport(1440, 900)
	p.Click(`.world-group.attack .button[aria-pressed=true]`)
	if got := ada.took("/world/api/do"); got["id"] != "flood" {
		t.Errorf("do: got %v", got)
	}
	ada.emit("state", func() object { w := ada.theWorld("", ""); w["playing"] = ""; delete(w, "logins"); return w }())
	p.Click(`.world-play .button.main`)
	if got := ada.took("/world/api/play"); got["what"] != "honest" {
		t.Errorf("play: got %v", got)
	}
	clean(t, p)
}
