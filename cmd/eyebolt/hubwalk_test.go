package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eyebolt/hub/gate"
	door "eyebolt/hub/walk"
	walkrun "eyebolt/hub/walk/run"
	"eyebolt/web"
	"eyebolt/web/webtest"
)

// walkedHouse is a pretend house whose door nobody has walked, and no hub.
func unwalkedHouse(t *testing.T) *pretendHouse {
	t.Helper()
	begin := time.Now()
	h, err := startHouse(t.Context(), houseConfig{
		Dir: t.TempDir(), Doors: 1, Width: 320, Height: 180, Kbit: 300, Now: func() time.Duration { return time.Since(begin) },
		Log: slog.New(slog.DiscardHandler), Bus: "127.0.0.1:1", Passkeys: "localhost", Origins: []string{"http://localhost"}, Travel: 400 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// S9, S11, T8, T27: the walk test of a whole pretend home: a real broker, the lock's own driver, a real RTSP camera whose plug is pulled.
// Nothing passes but by what they tell. The certificate that is kept at its end opens the door to a hub.
func TestWalkOnTheHouse(t *testing.T) {
	h := unwalkedHouse(t)
	k, err := key(filepath.Join(h.hub.State, "hub.key"))
	if err != nil {
		t.Fatal(err)
	}
	pub := k.Public().(ed25519.PublicKey)
	if w, _, err := walked(h.hub.State, h.hub.Doors[0], pub); err != nil || w.Passed {
		t.Fatalf("before: %+v, %v", w, err)
	}
	begin := time.Now()
	say, err := h.walk(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	w, c, err := walked(h.hub.State, h.hub.Doors[0], pub)
	if err != nil || !w.Passed || !c.Proven.Bolt || !c.Proven.Door || !c.Proven.Jam || !c.Proven.By {
		t.Fatalf("after: %+v, %+v, %v", w, c, err)
	}
	t.Logf("%v: %s; door_stale %v", time.Since(begin).Round(time.Second), say, c.DoorStale())
	for _, d := range c.Delays {
		t.Logf("%-15s from %-7s n=%d min %d ms, median %d ms, max %d ms, asked %d", d.Of, d.From, d.N, d.MinMs, d.MedianMs, d.MaxMs, d.Asked)
	}
	if n := h.homes[0].Truth().Draws; n < 3 {
		t.Errorf("the bolt was drawn %d times", n)
	}
	other := h.hub.Doors[0]
	settings := *other.Lock.MQTT
	settings.Contact = "back_door"
	other.Lock.MQTT = &settings
	if w, _, _ := walked(h.hub.State, other, pub); w.Passed {
		t.Error("with another contact it passes still")
	}
}

// shotAt takes a page on a desk and on a phone, and leaves it on the phone. EYEBOLT_SHOTS=1 renews the committed ones.
func shotAt(t *testing.T, p *webtest.Page, name string) {
	t.Helper()
	dir := t.TempDir()
	if shots {
		dir = "../../docs/screens"
	}
	for _, s := range []struct {
		name          string
		width, height int
	}{{"desk", 1440, 900}, {"phone", 390, 844}} {
		p.Viewport(s.width, s.height)
		var wide bool
		p.Eval(fmt.Sprintf(`new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(document.documentElement.scrollWidth > %d))))`, s.width), &wide)
		if wide {
			t.Errorf("%s on a %s is wider than the screen", name, s.name)
		}
		p.Shot(filepath.Join(dir, name+"-"+s.name+".png"))
	}
}

// walkPage serves a walk test's page until the test ends, and gives its link.
func walkPage(t *testing.T, w *walkrun.Run) (link string) {
	t.Helper()
	l, err := gate.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := gate.New(gate.Config{Addr: l.At, Scheme: l.Scheme, Page: "/walk", Say: func(k, from string) {
		if from == "" {
			link = k
		}
	}})
	s := gate.Server(g.Mux(web.Handler(web.WithHub()), map[string]http.Handler{"/walk/api/": w.Handler()}))
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return link
}

// S11: the walk test in a browser, at the pretend home: every press is a button on the page, and what the person does between them are his
// hands at a real broker's lock and a real camera's plug. Whoever has no session of the link presses nothing.
func TestWalkThroughThePages(t *testing.T) {
	h := unwalkedHouse(t)
	w, err := startWalk(t.Context(), h.hub, h.hub.Doors[0].Name, slog.New(slog.DiscardHandler), h.cfg.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Stop() }()
	link := walkPage(t, w)
	at, _, _ := strings.Cut(link, "/walk")
	for _, k := range []struct{ method, path string }{{"GET", "/walk/api/view"}, {"POST", "/walk/api/press"}} {
		q, _ := http.NewRequestWithContext(t.Context(), k.method, at+k.path, strings.NewReader(`{"press":"go","turn":0,"at_ms":1}`))
		q.Header.Set("Content-Type", "application/json")
		r, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if r.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s %s without a session: %d", k.method, k.path, r.StatusCode)
		}
	}

	page := webtest.Shared(t).Page()
	page.Viewport(390, 844)
	page.Go(link)
	page.Text("Before you begin")
	seen := map[string]bool{}
	say, err := h.walker(0).stroll(t.Context(), w, func(v walkrun.View, p door.Press) error {
		label := ""
		for _, b := range v.Buttons {
			if b.Press == p.String() {
				label = b.Label
			}
		}
		button := fmt.Sprintf(`[...document.querySelectorAll('button:not(:disabled)')].find(b => b.innerText.trim() === %q)`, label)
		page.Wait(button + " !== undefined")
		press := func() { page.Wait(`(b => b !== undefined && (b.click(), true))(` + button + `)`) } // what can be pressed may change between two looks
		if at := v.Step + "-" + v.Stage; !seen[at] {
			seen[at] = true
			switch at {
			case "ready-press", "jam-press", "inside-ask", "plug-press":
				shotAt(t, page, "walk-"+strings.TrimSuffix(at, "-press"))
			}
		}
		press()
		if v.Step == "jam" && p == door.Go && !seen["wait"] {
			seen["wait"] = true
			page.Text("runs against the block")
			shotAt(t, page, "walk-wait")
		}
		deadline := time.Now().Add(20 * time.Second)
		for w.View().Turn == v.Turn && time.Now().Before(deadline) {
			w.Look(t.Context(), w.View().Seq)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(say)
	page.Text("Passed")
	page.Text("What the hub relies on")
	shotAt(t, page, "walk-passed")
	if errs := page.Errors(); len(errs) > 0 {
		t.Errorf("on the page: %v", errs)
	}
}

// A lock that lies about its blocked bolt is found out (T17), and a walk beside a running hub is refused.
func TestWalkBesideAHub(t *testing.T) {
	h := unwalkedHouse(t)
	release, err := inUse(h.hub.State)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.walk(t.Context(), 0); err == nil {
		t.Error("two of them drove one lock")
	}
	if err := errors.Join(release()); err != nil {
		t.Fatal(err)
	}
}

// S12: whoever types ahead, or whose connection stood still, has read nothing: of two lines that come at once, the second moves no bolt. A
// phone is told how it comes in.
func TestWalkInATerminal(t *testing.T) {
	h := unwalkedHouse(t)
	w, err := startWalk(t.Context(), h.hub, h.hub.Doors[0].Name, slog.New(slog.DiscardHandler), h.cfg.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Stop() }()
	for deadline := time.Now().Add(20 * time.Second); w.View().Hint != ""; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(w.View().Hint)
		}
	}
	before := h.homes[0].Truth()
	if err := (&HubWalkCmd{in: strings.NewReader("1\n1\n1\n"), out: io.Discard}).talk(t.Context(), w); err == nil {
		t.Error("the terminal was closed, and the walk ended well")
	}
	time.Sleep(time.Second) // a bolt would be on its way
	if got := h.homes[0].Truth(); got.Draws != before.Draws || got.Bolt != before.Bolt {
		t.Errorf("the bolt moved: %+v, before %+v", got, before)
	}
	if v := w.View(); v.Number != 1 || v.Stage != "press" {
		t.Errorf("%+v", v)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var out strings.Builder
	if err := (&HubWalkCmd{Listen: "127.0.0.1:0", out: &out}).serve(ctx, w, "front"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "For your phone") || !strings.Contains(out.String(), "--listen ") {
		t.Errorf("a phone does not come in:\n%s", out.String())
	}
}

// What docs/OPERATING.md says of pretend devices: their door passes its walk test by what is typed at "eyebolt demo --devices", and by
// nothing that a stranger does not have.
func TestWalkByTypedHands(t *testing.T) {
	h := unwalkedHouse(t)
	w, err := startWalk(t.Context(), h.hub, h.hub.Doors[0].Name, slog.New(slog.DiscardHandler), h.cfg.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Stop() }()
	p := h.walker(0)
	typed := func(words ...string) {
		var said strings.Builder
		p.hands(t.Context(), strings.NewReader(strings.Join(words, "\n")), &said)
		if strings.Contains(said.String(), "You stand") || strings.Count(said.String(), "\n") != len(words) {
			t.Errorf("%v: %s", words, said.String())
		}
	}
	before := map[string][]string{"close": {"open"}, "jam": {"open", "block", "close"}, "inside": {"open", "free", "close"}, "home": {"close"}}
	after := map[string][]string{"open": {"open"}, "close": {"close"}, "plug": {"unplug"}}
	turn, shown := ^uint32(0), time.Now()
	for deadline := time.Now().Add(4 * time.Minute); ; {
		v := w.Look(t.Context(), w.View().Seq)
		if time.Now().After(deadline) || v.Stage == "failed" && !strings.Contains(v.Say, "stood still") {
			t.Fatalf("%s/%s: %s %s", v.Step, v.Stage, v.Say, v.Hint)
		}
		if v.Stage == "end" {
			if !v.Passed {
				t.Error(v.Say)
			}
			return
		}
		fresh := v.Turn != turn
		if fresh {
			turn, shown = v.Turn, time.Now()
			switch {
			case v.Stage == "press" && before[v.Step] != nil:
				typed(before[v.Step]...)
			case v.Stage == "ask" && v.Step == "inside":
				typed("open")
			case v.Stage == "wait" && v.Step == "plug" && strings.Contains(v.Say, "Put the plug back"):
				typed("plug")
			}
		}
		if len(v.Buttons) == 0 || v.Hint != "" || time.Since(shown) <= 2*door.Glance {
			continue
		}
		press, _ := door.ParsePress(v.Buttons[0].Press)
		if err := w.Press(press, v.Turn, w.View().At()); err == nil && v.Stage == "press" && after[v.Step] != nil {
			typed(after[v.Step]...)
		}
	}
}
