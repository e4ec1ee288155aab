package webfake

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"eyebolt/bus"
)

const (
	fellSilent = "The hub fell silent in the middle of a visit: nobody watches from here. Look after the door."
	pictureIs  = "The picture was lost while Noor was inside."
)

// alarm gives one as it is stored.
func alarm(id, door, reason, text string, ago time.Duration) bus.Alarm {
	return bus.Alarm{ID: id, Hub: hubID, Door: door, Reason: reason, Text: text, At: time.Now().UTC().Add(-ago)}
}

// rings makes these the alarms that nobody has acknowledged.
func (f *fake) rings(all ...bus.Alarm) {
	f.set(func() { f.home["alarms"] = all })
}

// acks answers acknowledgements of a door as the service does: what was acknowledged is told to every page.
func (f *fake) acks(door string) {
	f.on["/api/doors/"+hubID+"/"+door+"/ack"] = func(body object) {
		f.set(func() {
			old, _ := f.home["alarms"].([]bus.Alarm)
			left := []bus.Alarm{}
			for _, a := range old {
				if ids, _ := body["alarms"].([]any); !has(ids, a.ID) {
					left = append(left, a)
				}
			}
			f.home["alarms"] = left
		})
		f.emit("acked", object{"ids": body["alarms"]})
	}
}

func has(ids []any, id string) bool {
	for _, x := range ids {
		if x == id {
			return true
		}
	}
	return false
}

// acked presses the only banner's button and gives what was sent.
func (f *fake) acked(door string, press func()) []any {
	f.tb.Helper()
	f.set(func() { f.calls = nil })
	press()
	ids, _ := f.took("/api/doors/" + hubID + "/" + door + "/ack")["alarms"].([]any)
	return ids
}

const silent = `document.querySelector('.alarm') === null && !document.title.startsWith('ALARM')`

// S14, S16: a hub that falls silent in a visit shows no alarm itself: the service's own alarm rings like any other, on a page that is
// open and on one that is opened.
func TestHomeRingsForASilentHub(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	f.view(visitUnderWay)
	p.Go(f.url + "/home")
	p.Wait(isLive)
	p.Wait(silent)
	a := alarm("s1", "front", "hub-silent", fellSilent, 0)
	f.rings(a)
	f.emit("alarm", a)
	p.Text(fellSilent)
	p.Wait(`document.title.startsWith('ALARM')`)
	f.set(func() {
		v := f.views[theDoor]
		v.At = time.Now().UTC().Add(-2 * time.Minute)
		f.views[theDoor] = v
	})
	f.hub.set(func() { f.hub.mute = true })
	p.Go(f.url + "/home")
	p.Text(fellSilent)
	p.Wait(`document.title.startsWith('ALARM') && /Since [0-9]{2}:[0-9]{2}:[0-9]{2}/.test(document.querySelector('.alarm').innerText)`)
	p.Wait(unknown)
	shot(t, p, "home-hub-silent")
	f.acks("front")
	if got := f.acked("front", func() { p.Click(`.alarm .button`) }); !reflect.DeepEqual(got, []any{"s1"}) {
		t.Errorf("acknowledged %v, want s1", got)
	}
	p.Wait(silent)
	clean(t, p)
}

// S14, S16: what concerns a hub as a whole rings once for the hub, beside what rings at its doors, and is acknowledged by itself.
func TestHomeRingsForAHub(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	doubled := alarm("d1", "", "hub-doubled", "Two hubs speak with this hub's key at once: its disk or its key was copied.", time.Minute)
	notice := alarm("n1", "", "hub-back", "The hub answers again.", 0)
	notice.Notice = true
	f.rings(doubled, notice)
	p.Go(f.url + "/home")
	p.Text("Two hubs speak with this hub's key at once")
	p.Wait(`document.querySelectorAll('.alarm').length === 1 && document.title.startsWith('ALARM')`)
	f.view(func(v *bus.View) { v.Alarm, v.AlarmText, v.AlarmID = "lapse-lost", pictureIs, "a1" })
	p.Text("Front door: " + pictureIs)
	p.Text("Your home: Two hubs speak")
	f.acks("front")
	if got := f.acked("front", func() { p.Click(`.alarm:last-child .button`) }); !reflect.DeepEqual(got, []any{"d1"}) {
		t.Errorf("acknowledged %v, want d1", got)
	}
	p.Wait(`document.querySelectorAll('.alarm').length === 1`)
	p.Text(pictureIs)
	f.view(func(v *bus.View) { v.Alarm, v.AlarmText, v.AlarmID = "", "", "" })
	p.Wait(silent)
	clean(t, p)
}

// S16: one press acknowledges what is shown, all of it and nothing else: neither what came while the finger was on its way nor what did
// not fit. Nothing is listed twice for being in the view and in the store.
func TestHomeAcknowledgesWhatIsShown(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	f.view(func(v *bus.View) { v.Alarm, v.AlarmText, v.AlarmID = "lapse-lost", pictureIs, "a1" })
	a := alarm("a1", "front", "lapse-lost", pictureIs, 2*time.Minute)
	f.rings(a)
	p.Go(f.url + "/home")
	p.Text(pictureIs)
	p.Wait(`document.querySelectorAll('.alarm').length === 1 && document.querySelectorAll('.alarm li').length === 0`)
	f.acks("front")
	if got := f.acked("front", func() { p.Click(`.alarm .button`) }); !reflect.DeepEqual(got, []any{"a1"}) {
		t.Errorf("acknowledged %v, want a1", got)
	}
	p.Wait(`!document.querySelector('.alarm').innerText.includes('Since')`) // it is off the list, and the hub still rings
	p.Text(pictureIs)
	f.view(func(v *bus.View) { v.Alarm, v.AlarmText, v.AlarmID = "", "", "" })
	p.Wait(silent)

	s := alarm("s1", "front", "hub-silent", fellSilent, time.Minute)
	f.rings(s, a)
	f.view(func(v *bus.View) { v.Alarm, v.AlarmText = "lapse-lost", pictureIs }) // of a hub that does not say which
	f.emit("alarm", a)
	f.emit("alarm", s)
	p.Text("2 alarms")
	p.Wait(`[...document.querySelectorAll('.alarm li')].map((x) => x.innerText.slice(0, 11)).join() === 'The hub fel,The picture'`)
	shot(t, p, "home-two-alarms")
	if got := f.acked("front", func() { p.Click(`.alarm .button`) }); !reflect.DeepEqual(got, []any{"s1", "a1"}) {
		t.Errorf("acknowledged %v, want s1 and a1", got)
	}
	f.view(func(v *bus.View) { v.Alarm, v.AlarmText = "", "" })
	p.Wait(silent)

	var many []bus.Alarm
	var newest []any
	for i := range 7 {
		many = append(many, alarm(fmt.Sprint("m", i), "front", "re-entry", fmt.Sprintf("The door was opened, for the %dth time.", 17-i), time.Duration(i)*time.Minute))
		if i < 5 {
			newest = append(newest, fmt.Sprint("m", i))
		}
	}
	f.rings(many...)
	p.Go(f.url + "/home")
	p.Text("7 alarms")
	p.Wait(isLive)
	p.Text("and 2 more: acknowledge these first")
	p.Wait(`document.querySelectorAll('.alarm li').length === 5`)
	shot(t, p, "home-seven-alarms")
	if got := f.acked("front", func() { p.Click(`.alarm .button`) }); !reflect.DeepEqual(got, newest) {
		t.Errorf("acknowledged %v, want the five that were shown", got)
	}
	p.Text("2 alarms")
	p.Text("for the 11th time")
	clean(t, p)
}

// S16: somebody else's acknowledgement quiets this page, too. One whose event is lost is found by fetching, and an alarm that is raised
// during a fetch is not lost to the older answer.
func TestHomeHearsOfAcknowledgements(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	a, b := alarm("a1", "front", "hub-silent", fellSilent, time.Minute), alarm("b1", "front", "re-entry", "The door was opened after it had been bolted.", 0)
	f.rings(a)
	p.Go(f.url + "/home")
	p.Text(fellSilent)
	f.rings()
	f.emit("acked", object{"ids": []string{"a1"}})
	p.Wait(silent)

	f.rings(a)
	f.emit("alarm", a)
	p.Text(fellSilent)
	f.on["/api/doors/"+hubID+"/front/ack"] = func(object) { f.rings() } // and no event
	p.Click(`.alarm .button`)
	p.Wait(silent)

	f.rings(a)
	f.emit("alarm", a)
	p.Text(fellSilent)
	f.set(func() {
		f.on["/api/home"] = func(object) { // the answer is made, and not sent yet
			f.set(func() { delete(f.on, "/api/home") })
			f.emit("alarm", b)
			p.Text("after it had been bolted")
		}
	})
	f.emit("reset", object{})
	p.Text("after it had been bolted")
	p.Eval(`fetch('/api/home').then(r => r.text())`, nil) // one more answer: the page has the first one by now
	p.Eval(`new Promise(r => setTimeout(() => r(1), 100))`, nil)
	p.Text("after it had been bolted")
	clean(t, p)
}
