package webfake

import (
	"fmt"
	"testing"
	"time"

	"eyebolt/bus"
)

// clocks moves the page's wall clock and the one that nothing turns.
func clocks(wall, steady time.Duration) string {
	return fmt.Sprintf(`(() => { const now = Date.now.bind(Date), t = performance.now.bind(performance); Date.now = () => now() + %d; performance.now = () => t() + %d; return 1 })()`, wall.Milliseconds(), steady.Milliseconds())
}

// viewAt is view, told by a clock that is off by as much.
func (f *fake) viewAt(off time.Duration, change func(v *bus.View)) {
	var v bus.View
	f.set(func() {
		v = f.views[theDoor]
		v.Seq++
		change(&v)
		v.At = time.Now().UTC().Add(off)
		f.views[theDoor] = v
	})
	f.emit("view", v)
}

const unknown = `document.querySelector('.hero-title').textContent === 'Unknown'`

// S13, T15: a view out of the future says nothing of now, and keeps no later one out.
func TestHomeAfterAClockThatWasAhead(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	p.Go(f.url + "/home")
	p.Wait(isLive)
	p.Text("Secured")
	f.viewAt(time.Hour, func(v *bus.View) { v.Battery = 11 })
	p.Wait(unknown)
	f.view(func(v *bus.View) { v.DoorIs, v.Bolt, v.Secured = "open", "drawn", false })
	p.Wait(`document.querySelector('.hero-title').textContent === 'Open'`)
	clean(t, p)
}

// S13, T15: the same with nothing after it: for as long as nothing comes, the door's state is unknown. The time that is told is
// when the view came, not an hour that has not been yet.
func TestHomeAfterAClockThatWasAheadAndSilence(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	f.set(func() {
		v := f.views[theDoor]
		v.At = v.At.Add(time.Hour)
		f.views[theDoor] = v
	})
	p.Go(f.url + "/home")
	p.Wait(unknown)
	p.Text("Last known: Secured")
	var since float64 // minutes to the time that is told, around the clock
	p.Eval(`(() => { const [h, m] = document.querySelector('.hero-last').textContent.match(/[0-9]+/g).map(Number), d = new Date(); return (h * 60 + m - d.getHours() * 60 - d.getMinutes() + 1445) % 1440 })()`, &since)
	if since > 6 {
		t.Errorf("last known at a time that has not been yet, by %.0f min", since-5)
	}
	clean(t, p)
}

// S13, T15: a view ages by the time that has passed, whatever is done to this device's clock; and the same view, fetched once more, is
// no news.
func TestHomeAgesWhileTheClockIsTurnedBack(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	p.Go(f.url + "/home")
	p.Wait(isLive)
	p.Text("Secured")
	p.Eval(clocks(-20*time.Second, 20*time.Second), nil) // 20 s have passed, and the clock was turned back by 40 s
	p.Wait(unknown)
	f.kick() // the stream is opened anew, and all is fetched
	p.Wait(`performance.getEntriesByType('resource').filter((e) => e.name.endsWith('/api/home') && e.responseEnd > 0).length >= 3`)
	var still bool
	p.Eval(`new Promise(r => setTimeout(() => r(`+unknown+`), 300))`, &still)
	if !still {
		t.Error("a view that was fetched once more counts as news")
	}
	p.Errors() // the stream that was cut
	f.view(func(*bus.View) {})
	p.Wait(`document.querySelector('.hero-title').textContent === 'Secured'`)
}

// S13, T15: where the service's clock is put right under an open page, by an hour back or forth, the page asks for the time and goes on.
func TestHomeFollowsTheServicesClock(t *testing.T) {
	for _, off := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(off.String(), func(t *testing.T) {
			f, p := start(t), open(t)
			f.quiet("resident")
			p.Go(f.url + "/home")
			p.Wait(isLive)
			p.Text("Secured")
			p.Eval(clocks(off, 0), nil) // the page goes by the wrong clock, and so does the next view
			f.viewAt(off, func(v *bus.View) { v.Battery = 11 })
			p.Text("Lock battery 11 %")
			f.view(func(v *bus.View) { v.DoorIs, v.Bolt, v.Secured = "open", "drawn", false })
			p.Wait(`document.querySelector('.hero-title').textContent === 'Open'`)
			clean(t, p)
		})
	}
}

// S13, T15: the courier's page holds no view out of the future up as news, and takes the next one.
func TestCourierAfterAClockThatWasAhead(t *testing.T) {
	f, p := courier(t)
	inside := func(v *bus.View) {
		ready(v)
		v.Phase, v.Nonce, v.Bolt, v.DoorIs, v.Secured = "open", nil, "drawn", "open", false
	}
	f.view(inside)
	p.Go(f.url + "/stop/d1")
	p.Text("Place the parcel")
	p.Wait(`document.querySelector('.offline') === null`)
	f.viewAt(time.Hour, inside)
	p.Text("No news from the home since")
	f.view(func(v *bus.View) { v.Phase, v.DoorIs, v.Sentence = "closing", "closed", "" })
	p.Text("Bolting")
	p.Wait(`document.querySelector('.offline') === null`)
	p.Eval(clocks(-20*time.Second, 20*time.Second), nil)
	p.Text("No news from the home since")
	clean(t, p)
}
