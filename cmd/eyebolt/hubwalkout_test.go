package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	door "eyebolt/hub/walk"
	walkrun "eyebolt/hub/walk/run"
	"eyebolt/virtual/home"
	"eyebolt/web/webtest"
)

// S11: whoever finds that the bolted door does not open from inside presses once, on his phone, and the bolt is drawn once; whoever went on
// without that, and has only a terminal, is let out by what he types there, also after the end.
func TestTheWayOutThroughThePages(t *testing.T) {
	h := unwalkedHouse(t)
	w, err := startWalk(t.Context(), h.hub, h.hub.Doors[0].Name, slog.New(slog.DiscardHandler), h.cfg.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Stop() }()
	page := webtest.Shared(t).Page()
	page.Viewport(390, 844)
	page.Go(walkPage(t, w))
	page.Text("Before you begin")

	shut := errors.New("he is shut in")
	p := h.walker(0)
	p.shutIn = true
	failed := func() {
		t.Helper()
		_, err := p.stroll(t.Context(), w, func(v walkrun.View, press door.Press) error {
			if v.Step == "inside" && v.Stage == "failed" {
				return shut
			}
			return w.Press(press, v.Turn, w.View().At())
		})
		if !errors.Is(err, shut) {
			t.Fatal(err)
		}
	}
	failed()
	if v := w.View(); len(v.Buttons) == 0 || v.Buttons[0].Press != door.Out.String() {
		t.Fatalf("%+v", v)
	}
	page.Text("Draw the bolt now")
	page.Text("does not pass")
	shotAt(t, page, "walk-shut-in")
	before := h.homes[0].Truth()
	page.Wait(`(b => b !== undefined && (b.click(), true))([...document.querySelectorAll('button:not(:disabled)')].find(b => b.innerText.trim() === 'Draw the bolt now'))`)
	page.Text("says that its bolt is in")
	if got := h.homes[0].Truth(); got.Bolt != home.Drawn || got.Draws != before.Draws+1 {
		t.Errorf("his press: %+v, before %+v", got, before)
	}
	shotAt(t, page, "walk-let-out")
	if errs := page.Errors(); len(errs) > 0 {
		t.Errorf("on the page: %v", errs)
	}

	if err := w.Press(door.Again, w.View().Turn, w.View().At()); err != nil {
		t.Fatal(err)
	}
	failed()
	in, typed := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- (&HubWalkCmd{in: in, out: io.Discard}).talk(t.Context(), w) }()
	for _, word := range []string{"next", "cannot", "next", "out"} {
		v := w.View()
		time.Sleep(2 * door.Glance) // he reads
		if _, err := fmt.Fprintln(typed, word); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(10 * time.Second); w.View().Turn == v.Turn && time.Now().Before(end); {
			w.Look(t.Context(), w.View().Seq)
		}
		if word == "out" && v.Stage != "end" {
			t.Errorf("out at %s/%s", v.Step, v.Stage)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := h.homes[0].Truth(); got.Bolt != home.Drawn {
		t.Errorf("what he typed after the end drew no bolt: %+v", got)
	}
}
