package main

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"eyebolt/interlock"
	"eyebolt/virtual/home"
	"eyebolt/web/webtest"
)

// cast are three people with a browser each. Resident and courier have no other key than what their browsers made.
type people struct {
	*e2e
	resident, courier, operator *phone
}

// settle has everybody join by invitation; the resident pairs the hub by its code and signs the consent. All in the pages.
func settle(t *testing.T, change ...func(*townConfig)) *people {
	t.Helper()
	e := newTown(t, func(cfg *townConfig) {
		for _, f := range change {
			f(cfg)
		}
	})
	b := webtest.Start(t)
	c := &people{e2e: e, resident: e.phone(b, "Rosa"), courier: e.phone(b, "Carlo"), operator: e.phone(b, "Olga")}
	c.operator.Viewport(1440, 900)

	c.resident.join(e.invites.Resident)
	c.resident.reads("Pair with your hub")
	c.resident.shot("pair")
	var code string
	select {
	case code = <-e.codes:
	case <-time.After(patience):
		t.Fatal("the hub shows no pairing code")
	}
	c.resident.Type(`input[name=code]`, code)
	c.resident.press("Pair")
	c.resident.see("the hub to be paired", `!document.querySelector('input[name=code]')`)
	before := c.resident.signed()
	c.resident.press("Read")
	c.resident.reads("Only while your camera provably watches")
	c.resident.shot("consent")
	c.resident.press("Sign with your passkey")
	c.resident.see("the consent to be signed", `[...document.querySelectorAll('.chip')].some(c => c.innerText === 'Signed')`)
	if got := c.resident.signed(); got <= before {
		t.Errorf("the consent was signed, and the resident's passkey was used %d times before and %d times after", before, got)
	}

	// Who looks before the camera has come up is told so, and the browser writes that down.
	c.liveOn(c.resident)
	for _, err := range c.resident.Errors() {
		if !strings.Contains(err, "503") || !strings.HasSuffix(err, "/live") {
			t.Errorf("in Rosa's page: %s", err)
		}
	}

	c.courier.join(e.invites.Courier)
	c.courier.reads("No stops today")

	var more struct{ Invite string }
	e.do(func() error {
		return e.cast.Operator.Call(e.ctx, "POST", "/api/ops/invites", map[string]string{"role": "operator"}, &more)
	})
	c.operator.join(more.Invite)
	return c
}

// book has the operator book a parcel and assign the courier, in the page.
func (c *people) book(parcel string) {
	c.t.Helper()
	p := c.operator
	p.press("Deliveries")
	p.press("Book")
	p.see("the booking form with a door that has consented", `document.querySelector('dialog[open] input[name=parcels]') && document.querySelector('dialog[open] select').value !== ''`)
	p.Type(`input[name=parcels]`, parcel)
	p.Click(`dialog[open] button[type=submit]`)
	p.see("the booking to be in the table", `!document.querySelector('dialog[open]') && document.body.innerText.includes('No courier yet')`)
	p.reads(parcel)
	p.press("Assign")
	p.press(courierName)
	p.see("the delivery to be assigned", `!document.querySelector('dialog[open]') && [...document.querySelectorAll('.chip')].some(c => c.innerText === 'Assigned')`)
	p.shot("ops-deliveries")
	p.press("Homes")
	p.see("the home to be ready for deliveries", `document.querySelector('.home-next')?.innerText === 'Ready for deliveries'`)
	p.shot("ops-homes")
	p.press("Deliveries")
	c.resident.reads("Courier assigned")
}

// untilOpen plays the visit through the pages until the door stands open, filmed and seen by the resident.
func (c *people) untilOpen(parcel string) {
	c.t.Helper()
	c.book(parcel)
	p := c.courier
	p.reads("7 Oak Street")
	p.shot("stops")
	p.Click(`.stop-link`)
	c.world.Knock()
	p.press("I knocked and nobody opened")
	p.Type(`input[name=parcel]`, parcel)
	p.shot("stop-arrive")
	c.iAmAtTheDoor()
	p.see("every check to be green", `document.querySelectorAll('.checks li').length >= 10 && !document.querySelector('.checks li:not(.ok)')`)
	p.see("the slide to wake up", `document.querySelector('[role=slider]') && !document.querySelector('[role=slider]').ariaDisabled`)
	p.shot("stop-slide")
	if n := len(c.sent("UNLOCK")); n != 0 {
		c.t.Fatalf("%d unlocks on the wire before the slide", n)
	}
	c.liveOn(c.resident)
	before := p.signed()
	p.Drag(`[role=slider]`, 120, 0) // not far enough
	p.see("the slide to go back", `document.querySelector('[role=slider]').ariaValueNow === '0'`)
	if got := p.signed(); got != before {
		c.t.Errorf("a slide half-way used the passkey")
	}
	p.Drag(`[role=slider]`, 330, 0)
	p.reads("Open the door")
	if got := p.signed(); got != before+1 {
		c.t.Errorf("the slide used the courier's passkey %d times, want once", got-before)
	}
	c.do(c.world.Open)
	p.reads("Place the parcel")
	c.do(c.world.Enter)
	c.resident.see("the courier in the resident's page", `document.querySelector('.hero-title').innerText === 'Open'`)
	p.shot("stop-inside")
	c.liveOn(c.resident)
	c.resident.shot("home-visit")
	c.world.Place()
}

// iAmAtTheDoor presses the button; a hub that has just started may not be sure of the time yet, and says so.
func (c *people) iAmAtTheDoor() {
	c.t.Helper()
	p := c.courier
	refused := `document.querySelector('.note.danger')?.innerText ?? ''`
	for range 20 {
		p.press("I’m at the door")
		p.see("the hub's answer", `document.querySelector('.checks') || document.querySelector('.note.danger')`)
		if p.has(`document.querySelector('.checks')`) {
			return
		}
		var why string
		p.Eval(refused, &why)
		if strings.TrimSpace(why) != interlock.ClockUnsure.Sentence() {
			c.t.Fatalf("the courier is refused at the door: %s", why)
		}
	}
	c.t.Fatal("the hub never becomes sure of its clock")
}

// liveOn waits until a resident's page shows moving pictures that are less than a second old (S15).
func (c *people) liveOn(p *phone) {
	c.t.Helper()
	p.see("a live picture", `document.querySelector('.picture.is-live video')?.currentTime > 0`)
	var at float64
	p.Eval(`document.querySelector('.picture video').currentTime`, &at)
	p.see("the picture to move", `document.querySelector('.picture video').currentTime > `+strconv.FormatFloat(at, 'f', -1, 64)+` && /^0\.\d s old$/.test(document.querySelector('.picture .age').innerText)`)
}

// timeline is what the visit's page tells, line by line.
func (p *phone) timeline() (lines []string) {
	p.e.t.Helper()
	p.Eval(`[...document.querySelectorAll('.timeline .text')].map(e => e.innerText)`, &lines)
	return lines
}

var entryNumber = regexp.MustCompile(`#(\d+)$`)

// film fetches the clip from the hub, and plays it; the digest on the page is the one on record.
func (c *people) film() {
	c.t.Helper()
	p := c.resident
	p.press("Watch the film")
	p.see("the film to be the one on record", `document.querySelector('.digest')`)
	var shown, record string
	p.Eval(`document.querySelector('.digest').innerText`, &shown)
	p.Eval(`fetch('/api/visits/' + location.pathname.split('/').pop()).then(r => r.json()).then(v => v.clip.files[0].sha256)`, &record)
	if len(record) != 64 || !strings.Contains(shown, "SHA-256 "+record[:16]) {
		c.t.Errorf("the film's digest on the page is %q, on record %q", shown, record)
	}
	p.Eval(`document.querySelector('video.film').play()`, nil)
	p.see("the film to play", `document.querySelector('video.film').currentTime > 1 && !document.querySelector('video.film').error`)
	var size struct{ W, H, Long float64 }
	p.Eval(`(() => { const v = document.querySelector('video.film'); return {w: v.videoWidth, h: v.videoHeight, long: v.duration} })()`, &size)
	if size.W != 640 || size.H != 360 || size.Long < 5 {
		c.t.Errorf("the film is %v×%v and %v s long", size.W, size.H, size.Long)
	}
}

// An honest visit, by the people who live and work there, in their browsers: passkeys are made and used, the door opens once,
// the parcel is placed, the home is proven secured, the courier is released (S1, S2, S3, S9, S15, S19), and the resident has
// film and record.
func TestTheHonestVisitThroughThePages(t *testing.T) {
	c := settle(t)
	c.resident.reads("Secured")
	c.liveOn(c.resident)
	c.resident.shot("home-secured")
	c.untilOpen("EB-7781-04")

	c.do(c.world.Leave)
	if n := len(c.sent("LOCK")); n != 0 {
		t.Errorf("%d locks on the wire while the door stands open (S11)", n)
	}
	c.do(c.world.Shut)
	c.courier.see("the door to be proven secured", `document.querySelector('.say-out') && document.body.innerText.includes('Bolted')`)
	c.resident.reads("Secured")
	c.courier.shot("stop-out")
	if strings.Contains(c.courier.text(), "You are released") {
		t.Error("the courier is released before he said that he is out (S19)")
	}
	before := c.courier.signed()
	c.courier.press("I am out")
	c.courier.reads("You are released")
	if got := c.courier.signed(); got != before+1 {
		t.Errorf("\"I am out\" used the passkey %d times, want once", got-before)
	}
	c.courier.shot("stop-released")
	c.world.Depart()

	// From outside: one unlock on the wire, the lock ordered after the door closed, the bolt really thrown.
	if n := len(c.sent("UNLOCK")); n != 1 {
		t.Errorf("%d unlocks on the wire, want exactly one (S3)", n)
	}
	closed, locks := c.when(home.DoorCloses), c.sent("LOCK")
	if len(closed) != 1 || len(locks) == 0 || locks[0] < closed[0] {
		t.Errorf("the door closed at %v and the lock was ordered at %v", closed, locks)
	}
	c.lockedOutside(1)

	p := c.resident
	p.see("the visit to be delivered, with its film", `[...document.querySelectorAll('.row-link .chip')].some(c => c.innerText === 'Delivered')`)
	p.Click(`.row-link`)
	p.press("Watch the film") // offered once the film is filed
	p.Go(c.service.URLs[0] + "/home")
	p.Click(`.row-link`)
	c.film()
	p.shot("visit")
	lines := p.timeline()
	if missing := inOrder(lines, []string{
		"arrived at the door", "Everything was ready", "decision to unlock was written down",
		"ordered the bolt drawn, once", "The lock reports: bolt drawn", "The sensor reports: door open", "The sensor reports: door closed",
		"ordered the bolt thrown", "proven closed and bolted",
	}); missing != "" {
		t.Errorf("the timeline does not tell, in its place: %s\n%s", missing, strings.Join(lines, "\n"))
	}
	for _, want := range []string{"released", `"I am out."`, "The visit ended well"} {
		if !strings.Contains(strings.Join(lines, "\n"), want) {
			t.Errorf("the timeline does not tell that: %s\n%s", want, strings.Join(lines, "\n"))
		}
	}
	for _, l := range lines {
		if !entryNumber.MatchString(l) {
			t.Errorf("a line without its place in the record: %q", l)
		}
	}
	c.operator.see("the delivery to be done on the operator's page", `[...document.querySelectorAll('.chip')].some(c => c.innerText === 'Delivered')`)
	c.verified(1, 1)
	for _, p := range []*phone{c.resident, c.courier, c.operator} {
		p.clean()
	}
}

// watchTheEye keeps, in the page and by the page's own clock, when the picture last moved, and whether the page ever called
// one live that had not moved for 1.2 s (S15). One late tick is the browser's; two in a row would be the page's.
const watchTheEye = `(() => {
	const eye = window.eye = {frame: performance.now(), frames: 0, stale: 0, worst: 0, young: 0, after: -1};
	const v = document.querySelector('.picture video'), fig = document.querySelector('.picture');
	const frame = () => { eye.frame = performance.now(); eye.frames++; v.requestVideoFrameCallback(frame) };
	v.requestVideoFrameCallback(frame);
	let row = 0, young = 0;
	new MutationObserver(() => { if (fig.classList.contains('not-live')) eye.after = performance.now() - eye.frame })
		.observe(fig, {attributes: true, attributeFilter: ['class']});
	setInterval(() => {
		const old = performance.now() - eye.frame;
		row = fig.classList.contains('is-live') && old > 1200 ? row + 1 : 0;
		eye.stale = Math.max(eye.stale, row);
		if (row > 0) eye.worst = Math.max(eye.worst, old);
		const said = /^(\d+\.\d) s old$/.exec(fig.querySelector('.age')?.innerText ?? '');
		young = said && 1000 * said[1] + 300 < old ? young + 1 : 0; // it is told in tenths, ten times a second
		eye.young = Math.max(eye.young, young);
	}, 100);
})()`

var tenth = regexp.MustCompile(`^\d+\.\d s$`)

// T1, through the pages: the camera is flooded while the door is open, and the courier goes in again. The resident sees NOT
// LIVE and the alarm, the courier is told to leave, the bolt is thrown as the door closes, and the visit stays an incident
// that shows its gap (S4, S6, S7, S15, S19).
func TestT1ThroughThePages(t *testing.T) {
	c := settle(t)
	c.untilOpen("EB-7781-05")
	c.do(c.world.Leave)
	res, cou := c.resident, c.courier
	c.liveOn(res)
	res.Eval(watchTheEye, nil)
	res.see("pictures to be counted", `eye.frames > 5`)

	c.do(func() error { return c.world.Attack("flood", true) })
	flood := c.now()
	res.see("NOT LIVE", `document.querySelector('.picture.not-live') && document.querySelector('.picture').innerText.includes('NOT LIVE')`)
	t.Logf("NOT LIVE is seen by the test %v after the flood began", c.now()-flood)
	var eye struct{ After, Worst, Stale float64 }
	res.Eval(`eye`, &eye)
	t.Logf("by the page's own clock: NOT LIVE %.0f ms after the last picture", eye.After)
	if eye.Stale > 1 {
		t.Errorf("the page called a picture live that had not moved for %.0f ms (S15)", eye.Worst)
	}
	cou.see("leave now", `document.querySelector('.leave-now h1')`)
	t.Logf("the courier is told to leave; seen by the test %v after the flood began", c.now()-flood)
	res.see("the alarm, on the screen", `document.querySelector('.alarm')?.innerText.includes('I have seen this') && document.querySelector('.alarm').getBoundingClientRect().top === 0`)
	t.Logf("the resident is alarmed; seen by the test %v after the flood began", c.now()-flood)
	young := 0
	if res.Eval(`eye.young`, &young); young > 1 {
		t.Errorf("%d times in a row the page told an age that its picture was past by 0.3 s and more (S15)", young)
	}
	cou.shot("stop-leave")
	res.shot("home-alarm")

	c.do(c.world.Enter) // the second entry, unseen
	c.do(c.world.Leave)
	if n := len(c.sent("LOCK")); n != 0 {
		t.Errorf("%d locks on the wire while the door stands open (S11)", n)
	}
	if got := len(c.when(home.SomebodyIn)); got != 2 {
		t.Fatalf("the courier went in %d times, this story has two", got)
	}
	c.do(c.world.Shut)
	c.until("the lock to be ordered", func() bool { return len(c.sent("LOCK")) > 0 })
	closed, locks := c.when(home.DoorCloses), c.sent("LOCK")
	if len(closed) != 1 || locks[0] < closed[0] {
		t.Errorf("the door closed at %v and the lock was ordered at %v", closed, locks)
	}
	c.until("the bolt to be thrown, the camera still blind", func() bool { return c.truth().Bolt == home.Thrown })
	if err := c.world.Open(); err == nil {
		t.Fatal("the door opened a second time")
	}
	if !res.has(`document.querySelector('.picture.not-live')`) {
		t.Error("the resident's page calls the picture live while the camera is flooded (S15)")
	}

	// He says that he is out, and is not released: the visit is an incident.
	cou.Eval(`(() => { window.told = false; new MutationObserver(() => { if (/You are released|Delivered/.test(document.body.innerText)) window.told = true })
		.observe(document.body, {subtree: true, childList: true, characterData: true}) })()`, nil)
	before := cou.signed()
	cou.press("I am out")
	cou.see("his word to be taken", `!document.querySelector('.say-out')`)
	if got := cou.signed(); got != before+1 {
		t.Errorf("\"I am out\" used the passkey %d times, want once", got-before)
	}
	c.do(func() error { return c.world.Attack("flood", false) })
	c.world.Depart()
	res.see("the visit to end as an incident with its gap", `[...document.querySelectorAll('.row-link .chip')].some(c => /^Incident · \d+\.\d s not watched$/.test(c.innerText))`)
	cou.see("the courier's page to know the end", `!document.querySelector('.leave-now')`)
	if cou.has(`told`) {
		t.Errorf("the courier of an incident was shown as released (S19); now:\n%s", cou.text())
	}
	cou.shot("stop-incident")

	var figure string
	res.see("the incident with its gap", `document.querySelector('.incident .figure')`)
	res.Eval(`document.querySelector('.incident .figure').innerText`, &figure)
	if !tenth.MatchString(figure) || figure == "0.0 s" {
		t.Errorf("the gap is shown as %q, want seconds with a tenth (S7)", figure)
	}
	res.shot("home-incident")

	// He reads it: the visit's page keeps the gap, film and record.
	res.press("See the visit")
	res.reads("The record keeps this gap for good")
	c.film()
	res.shot("visit-incident")
	lines := res.timeline()
	if missing := inOrder(lines, []string{
		"arrived at the door", "door open", "told to leave", "became an incident", "Alarm: the picture is lost", "door closed",
		"ordered the bolt thrown", "proven closed and bolted", "ended as an incident",
	}); missing != "" {
		t.Errorf("the timeline does not tell, in its place: %s\n%s", missing, strings.Join(lines, "\n"))
	}
	res.press("Back")
	if !res.has(`document.querySelector('.alarm')`) {
		t.Error("the alarm is gone before anybody has acknowledged it (S16)")
	}
	res.press("I have seen this")
	res.see("the alarm to be acknowledged", `!document.querySelector('.alarm')`)
	if !res.has(`document.querySelector('.incident')`) {
		t.Error("acknowledging an alarm has closed the incident (S7)")
	}
	res.Click(`.incident .tick input`)
	res.see("the tick to count", `[...document.querySelectorAll('.incident button')].some(b => b.innerText.includes('Close the incident') && !b.disabled && b.ariaDisabled !== 'true')`)
	res.press("Close the incident")
	res.see("the incident to be closed", `!document.querySelector('.incident')`)
	res.see("the visit to stay an incident in the list", `[...document.querySelectorAll('.row-link .chip')].some(c => c.innerText === 'Incident · `+figure+` not watched')`)

	if n := len(c.sent("UNLOCK")); n != 1 {
		t.Errorf("%d unlocks on the wire, want exactly one (S3)", n)
	}
	c.lockedOutside(1)
	c.verified(1, 1)
	for _, p := range []*phone{res, cou, c.operator} {
		p.clean()
	}
}
