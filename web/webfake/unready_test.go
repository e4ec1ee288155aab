package webfake

import (
	"testing"
	"time"

	"eyebolt/bus"
)

// What would keep the next courier out is told where the resident looks, and goes when it is seen to; a door that was walked says so
// (S9, S11).
func TestHomeTellsWhatKeepsTheCourierOut(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	f.view(func(v *bus.View) {
		v.Walk = &bus.Walk{Say: "The door has not passed its walk test yet: run eyebolt hub walk on the hub, and walk it."}
		v.Unready = []bus.Unready{
			{Reason: "not-walked", Say: v.Walk.Say, Since: time.Now()},
			{Reason: "battery", Say: "The lock's battery has 12 % left. Change it before the next delivery.", Since: time.Now()},
		}
	})
	p.Go(f.url + "/home")
	p.Text("The next courier could not come in")
	p.Text("run eyebolt hub walk")
	p.Text("12 % left")
	shot(t, p, "home-unready")
	f.view(func(v *bus.View) {
		v.Unready, v.Walk = nil, &bus.Walk{Passed: true, Made: time.Now(), Say: "The walk test was passed on 26 November 2026."}
	})
	p.Text("The walk test was passed on 26 November 2026.")
	p.Wait(`!document.body.textContent.includes("could not come in")`)
	clean(t, p)
}
