package webfake

import (
	"strings"
	"testing"
	"time"

	"eyebolt/bus"
)

var (
	steady = &bus.Link{
		Grade: "A", Hours: 24, Say: "0 gaps over 300 ms in 24 h: steady.",
		Gaps: []bus.Gaps{{OverMs: 200, N: 3}, {OverMs: 300}, {OverMs: 500}, {OverMs: 1000}},
	}
	shaky = &bus.Link{
		Grade: "D", Hours: 1.2, Refused: true,
		Say:  "44 gaps over 500 ms in 71 min, 37.2 an hour: too unsteady for unattended entry (limit 5 an hour). To do: wire this camera, or move it nearer to the access point, or add a second one at this door. A full day says it more surely.",
		Gaps: []bus.Gaps{{OverMs: 200, N: 260}, {OverMs: 300, N: 122}, {OverMs: 500, N: 44}, {OverMs: 1000, N: 9}},
	}
)

// S18: the resident sees each camera for itself: that one of two does not watch is a warning, never an alarm; and what each
// connection is worth, with what to do about it.
func TestHomeShowsEachCamera(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	p.Go(f.url + "/home")
	p.Text("Secured")
	f.view(func(v *bus.View) {
		v.Cameras = []bus.Camera{
			{Name: "hall", Watch: "live", AgeMs: 70, Link: steady},
			{Name: "porch", Watch: "lost", AgeMs: 4200, Say: "The picture is lost. Its newest picture was 1.6 s old.", Link: shaky},
		}
	})
	p.Text("Camera porch does not watch.")
	p.Text("Another camera sees this door")
	p.Text("wire this camera")
	var alarms int
	p.Eval(`document.querySelectorAll('.alarm').length`, &alarms)
	if alarms != 0 {
		t.Error("S18: one of two cameras rings the alarm")
	}
	p.Eval(`document.querySelector('.cameras li:last-child details').open = true`, nil)
	p.Text("over 1 s")
	shot(t, p, "home-cameras")
	p.Eval(`document.querySelector('.cameras').scrollIntoView({block: 'center'})`, nil)
	shot(t, p, "home-cameras-links")
	p.Eval(`window.scrollTo(0, 0)`, nil)
	f.view(func(v *bus.View) { v.Cameras[1].Watch, v.Cameras[1].Say = "live", "" })
	p.Wait(`!document.body.textContent.includes('does not watch')`)
	f.view(func(v *bus.View) { // one camera alone: the door's own state says it
		v.Watch, v.Cameras = "lost", []bus.Camera{{Name: "hall", Watch: "lost", Say: "The picture is lost.", Link: &bus.Link{Say: "The link is not graded yet: 3 min of pictures seen, 10 minutes are needed."}}}
	})
	p.Text("The link is not graded yet")
	p.Wait(`!document.body.textContent.includes('Another camera sees')`)
	clean(t, p)
}

// S13: a silent hub's cameras watch nothing that anybody knows of, and nobody is told that couriers may go on.
func TestHomeOfASilentHubCallsNoCameraWatching(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	f.set(func() {
		v := f.views[theDoor]
		v.At = v.At.Add(-time.Minute)
		v.Cameras = []bus.Camera{
			{Name: "hall", Watch: "live", AgeMs: 70, Link: steady},
			{Name: "porch", Watch: "lost", AgeMs: 4200, Say: "The picture is lost. Its newest picture was 1.6 s old.", Link: shaky},
		}
		f.views[theDoor] = v
	})
	f.hub.set(func() { f.hub.mute = true })
	p.Go(f.url + "/home")
	p.Wait(unknown)
	p.Wait(`document.querySelectorAll('.cameras li').length === 2`)
	var said string
	p.Eval(`document.body.innerText`, &said)
	for _, never := range []string{"Watching", "Another camera sees this door", "The picture is lost"} {
		if strings.Contains(said, never) {
			t.Errorf("the hub has been silent for a minute, and the page says %q", never)
		}
	}
	p.Text("No news since")
	p.Eval(`document.querySelector('.cameras').scrollIntoView({block: 'center'})`, nil)
	shot(t, p, "home-cameras-stale")
	f.view(func(*bus.View) {})
	p.Text("Watching")
	p.Text("Another camera sees this door")
	clean(t, p)
}

// S7: a lapse on a visit's page says why, and what was measured, folded.
func TestVisitSaysWhy(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	f.set(func() {
		v := f.visit("v3", "incident")
		lines := v["timeline"].([]object)
		for i, l := range lines {
			if l["word"] == "lapse-lost" {
				lines[i]["kind"], lines[i]["word"], lines[i]["text"] = "watch", "frozen", "The picture is frozen."
				lines[i]["evidence"] = []object{
					{"camera": "hall", "by": "freeze", "state": "frozen", "score": 0.4132, "limit": 0.15, "say": "The noise of three pictures in a row is 0.41 alike; more than 0.15 is no live sensor.", "ago_ms": 210},
					{"camera": "hall", "by": "age", "state": "live", "score": 0.071, "limit": 0.25, "say": "The newest picture is 71 ms old, of 250 ms allowed.", "ago_ms": 20},
				}
				break
			}
		}
		f.visits["v3"] = v
	})
	p.Go(f.url + "/home/visit/v3")
	p.Text("more than 0.15 is no live sensor")
	p.Wait(`[...document.querySelectorAll('.why details')].every(d => !d.open)`)
	p.Eval(`document.querySelectorAll('.why details').forEach(d => d.open = true)`, nil)
	p.Text("The sensor’s noise, frozen")
	var said string
	p.Eval(`document.querySelector('.timeline .why .numbers').textContent`, &said)
	for _, want := range []string{"0.41, limit 0.15 · picture frozen", "0.071, limit 0.25 · fine"} {
		if !strings.Contains(said, want) {
			t.Errorf("S7: the numbers say %q, want %q", said, want)
		}
	}
	shot(t, p, "visit-why")
}
