package main

import (
	"encoding/json"
	"strings"
	"testing"

	"eyebolt/virtual/home"
	"eyebolt/web/webtest"
)

// frame reads the words of a phone inside the world's page: another origin, so only the browser itself can.
func (p *phone) frame(at string) (text string) {
	p.e.t.Helper()
	var tree struct {
		FrameTree struct {
			ChildFrames []struct{ Frame struct{ ID, URL string } }
		}
	}
	p.Call("Page.getFrameTree", nil, &tree)
	for _, f := range tree.FrameTree.ChildFrames {
		if !strings.HasPrefix(f.Frame.URL, at) {
			continue
		}
		var world struct{ ExecutionContextID int }
		p.Call("Page.createIsolatedWorld", map[string]any{"frameId": f.Frame.ID}, &world)
		var got struct {
			Result struct{ Value json.RawMessage }
		}
		p.Call("Runtime.evaluate", map[string]any{"expression": "document.body?.innerText ?? ''", "contextId": world.ExecutionContextID, "returnByValue": true}, &got)
		if json.Unmarshal(got.Result.Value, &text) != nil {
			return ""
		}
	}
	return text
}

// The demo's page plays the honest visit with one button, and the attack of 2017 (T1) with another: both phones and the truth
// beside them tell the same.
func TestTheDemosStoriesThroughThePages(t *testing.T) {
	e, d := demoTown(t)
	if err := d.logins(e.ctx); err != nil {
		t.Fatal(err)
	}
	p := e.phone(webtest.Start(t), "The stranger")
	p.Viewport(1440, 900)
	p.Go(e.service.URLs[0] + "/world")
	resident, courier := e.service.URLs[0]+"/home", e.service.URLs[1]+"/stop"
	says := func(who, text string) {
		t.Helper()
		e.until("the phone at "+who+" to say "+text, func() bool { return strings.Contains(p.frame(who), text) })
	}
	says(resident, "Secured")
	says(courier, "No stops today")
	p.shot("world")
	p.press("Play the honest visit")
	says(courier, "Place the parcel")
	p.see("somebody inside, and the door open", `document.querySelector('.truth').innerText.includes('courier') && document.querySelector('.truth').innerText.includes('open')`)
	says(resident, "Door open")
	p.shot("world-visit")
	says(courier, "You are released")
	p.see("the story to be told", `document.querySelector('.world-log').innerText.includes('the story is told')`)
	says(resident, "Delivered")
	p.shot("world-told")
	if n := len(e.sent("UNLOCK")); n != 1 {
		t.Errorf("%d unlocks on the wire, want exactly one (S3)", n)
	}
	if got := e.truth(); got.Bolt != home.Thrown || !p.has(`document.querySelector('.truth').innerText.includes('thrown')`) {
		t.Errorf("the bolt is %v; the page says\n%s", got.Bolt, p.text())
	}
	e.lockedOutside(1)

	p.Viewport(1440, 900)
	p.press("Play the Rhino attack")
	says(courier, "Leave now")
	says(resident, "The picture is lost")
	says(resident, "I have seen this")
	says(resident, "NOT LIVE")
	p.see("the truth: the camera is jammed", `document.querySelector('.truth').innerText.includes('jammed')`)
	p.shot("world-attack")
	p.see("the second story to be told", `document.querySelectorAll('.world-play .button:disabled').length === 0 && document.querySelector('.world-log').innerText.match(/story is told/g)?.length === 2`)
	says(resident, "An incident to read")
	if n := len(e.sent("UNLOCK")); n != 2 {
		t.Errorf("%d unlocks on the wire after two visits, want two (S3)", n)
	}
	e.lockedOutside(2)
}
