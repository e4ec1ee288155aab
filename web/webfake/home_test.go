package webfake

import (
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"eyebolt/bus"
)

const isLive = `document.querySelector('.picture.is-live') !== null`

func TestHomeShowsASecuredDoorAndALivePicture(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	p.Go(f.url + "/home")
	p.Text("Secured")
	p.Wait(isLive)
	p.Wait(`/^[0-9.]+ s old$/.test(document.querySelector('.age').textContent)`)
	shot(t, p, "home-secured")
}

// Every state that is not secured is called by its own name (S9, S12, S13).
func TestHomeNamesEveryState(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	p.Go(f.url + "/home")
	p.Text("Secured")
	for _, c := range []struct {
		title string
		set   func(v *bus.View)
	}{
		{"Open", func(v *bus.View) { v.DoorIs, v.Bolt, v.Secured = "open", "drawn", false }},
		{"Ajar", func(v *bus.View) { v.DoorIs = "ajar" }},
		{"Unlocked", func(v *bus.View) { v.DoorIs = "closed" }},
		{"Unlocking", func(v *bus.View) { v.Phase, v.Bolt = "unlocking", "thrown" }},
		{"Possibly open", func(v *bus.View) { v.Phase, v.PossiblyOpen = "unproven", true }},
		{"Possibly open", func(v *bus.View) { v.Secured = true }}, // a contradiction is not secured
		{"Bolted", func(v *bus.View) { v.Phase, v.PossiblyOpen, v.Secured = "idle", false, false }},
		{"Bolt jammed", func(v *bus.View) { v.Bolt = "jammed" }},
		{"Unknown", func(v *bus.View) { v.Bolt, v.DoorIs = "unknown", "unknown" }},
		{"Unknown", func(v *bus.View) { v.Secured = true }}, // nor is what nobody reported
		{"Secured", func(v *bus.View) { v.Bolt, v.DoorIs = "thrown", "closed" }},
	} {
		f.view(c.set)
		p.Wait(`document.querySelector('.hero-title').textContent === ` + quote(c.title))
	}
	clean(t, p)
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `\'`) + "'" }

// An old picture is never shown as live (S15): not when its age grows, not when the ages stop, not when the picture
// stands still, not when the connection goes.
func TestHomeSaysNotLive(t *testing.T) {
	for _, c := range []struct {
		name        string
		break_, end func(f *fake)
	}{
		{"the picture grows old", func(f *fake) { f.hub.set(func() { f.hub.still = true }) }, func(f *fake) { f.hub.set(func() { f.hub.still = false }) }},
		{"pictures and ages stop", func(f *fake) { f.hub.set(func() { f.hub.mute = true }) }, func(f *fake) { f.hub.set(func() { f.hub.mute = false }) }},
		{"the hub goes", func(f *fake) {
			f.hub.set(func() {
				for _, peer := range f.hub.peers {
					_ = peer.Close()
				}
			})
		}, func(*fake) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, p := start(t), open(t)
			f.quiet("resident")
			p.Go(f.url + "/home")
			p.Wait(isLive)
			c.break_(f)
			p.Wait(`document.querySelector('.picture.not-live .overlay strong')?.textContent === 'NOT LIVE'`)
			var filter string
			p.Eval(`getComputedStyle(document.querySelector('.picture video')).filter`, &filter)
			if !strings.Contains(filter, "grayscale(1)") {
				t.Errorf("the last picture is not grey: %q", filter)
			}
			if c.name == "the picture grows old" {
				shot(t, p, "home-not-live")
			}
			c.end(f)
			p.Wait(isLive)
			clean(t, p)
		})
	}
}

// A service that puts itself in between is found out: no picture (S17).
func TestHomeTrustsOnlyTheHubItWasPairedWith(t *testing.T) {
	for _, c := range []struct {
		name, want string
		set        func(f *fake)
	}{
		{"a forged signature", "signature on this connection is wrong", func(f *fake) { f.hub.set(func() { f.hub.forge = true }) }},
		{"another key", "another key than the one it was paired with", func(f *fake) {
			other, private, err := ed25519.GenerateKey(nil)
			if err != nil {
				t.Fatal(err)
			}
			f.hub.set(func() { f.hub.public, f.hub.private = other, private })
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, p := start(t), open(t)
			f.quiet("resident")
			c.set(f)
			p.Go(f.url + "/home")
			p.Text("Not trusted")
			p.Text(c.want)
			p.Wait(`document.querySelector('.picture video').srcObject === null`)
			if c.name == "a forged signature" {
				shot(t, p, "home-not-trusted")
			}
		})
	}
}

// S17: the key that was pinned stays, whatever the service says later; the page says that it has changed.
func TestHomeKeepsThePinnedKey(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	p.Go(f.url + "/home")
	p.Wait(isLive)
	other, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	f.set(func() { f.key = other })
	f.hub.set(func() { f.hub.public, f.hub.private = other, private })
	p.Go(f.url + "/home")
	p.Text("The hub has another key")
	p.Text("Not trusted")
	// Pairing anew, with the hub's own code, is the one way to take another key.
	p.Type(`input[name=code]`, "731 204")
	p.Click(`form button[type=submit]`)
	if got := f.took("/api/home/pair"); got["hub"] != hubID || got["code"] != "731 204" {
		t.Errorf("pair: got %v", got)
	}
	p.Wait(isLive) // by itself
}

// T13: what makes the home less safe wants the passkey, if it was not used a moment ago; one touch, and it is done.
func TestUnblockWantsThePasskey(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("")
	p.Authenticator()
	join(p, f)
	unblock := "/api/doors/" + hubID + "/front/unblock"
	f.on[unblock] = func(object) { f.view(func(v *bus.View) { v.Blocked = false }) }
	f.set(func() { f.stale = unblock })
	f.view(func(v *bus.View) { v.Blocked = true })
	p.Wait(`document.querySelector('.orders-row .button').textContent === 'Unblock'`)
	p.Click(`.orders-row .button.plain`)
	p.Text("Really unblock?")
	p.Click(`.orders-row .button.danger`)
	f.took("/api/login/finish") // checked there: the challenge, the origin, the verified user
	p.Wait(`document.querySelector('.orders-row .button.block') !== null && document.querySelector('.hero-chips') === null`)
	p.Errors() // 403 is the answer that was asked for
}

func TestHomeOrders(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	door := "/api/doors/" + hubID + "/front/"
	f.on[door+"block"] = func(object) { f.view(func(v *bus.View) { v.Blocked = true }) }
	f.on[door+"unblock"] = func(object) { f.view(func(v *bus.View) { v.Blocked = false }) }
	p.Go(f.url + "/home")
	p.Click(`.orders .button.block`) // one press blocks (S4)
	f.took(door + "block")
	p.Text("Blocked")
	p.Wait(`document.querySelector('.orders-row .button').textContent === 'Unblock'`)
	p.Click(`.orders-row .button.plain`) // the first press asks
	p.Text("Really unblock?")
	p.Click(`.orders-row .button.danger`)
	f.took(door + "unblock")
	p.Wait(`document.querySelector('.orders-row .button.block') !== null && document.querySelector('.hero-chips') === null`)
	p.Click(`.orders .button.main`)
	f.took(door + "lock")
	p.Click(`[role=switch]`)
	if got := f.took(door + "home"); got["on"] != true {
		t.Errorf("home: got %v", got)
	}
	f.set(func() {
		f.refuse[door+"lock"] = object{"ok": false, "reason": "door-open", "sentence": "The door is open: close it first."}
	})
	p.Click(`.orders .button.main`)
	p.Text("The door is open: close it first.")
	clean(t, p)
}

// A refusal stays until the next order, also when an older order's answer comes after it.
func TestHomeOrdersAnsweredOutOfOrder(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	door := "/api/doors/" + hubID + "/front/"
	held := make(chan struct{})
	f.set(func() {
		f.on[door+"home"] = func(object) { <-held }
		f.refuse[door+"lock"] = object{"ok": false, "reason": "door-open", "sentence": "The door is open: close it first."}
	})
	p.Go(f.url + "/home")
	p.Click(`[role=switch]`)
	f.took(door + "home")
	p.Click(`.orders .button.main`)
	p.Text("The door is open: close it first.")
	close(held)
	p.Wait(`performance.getEntriesByType('resource').some((e) => e.name.endsWith('/front/home') && e.responseEnd > 0)`)
	p.Wait(`!document.querySelector('[role=switch]').disabled`)
	p.Text("The door is open: close it first.")
	clean(t, p)
}

// visitUnderWay is a courier inside.
func visitUnderWay(v *bus.View) {
	v.Phase, v.Visit, v.Courier, v.Bolt, v.DoorIs, v.Secured = "open", "v9", "Noor", "drawn", "open", false
	v.Sentence = "Noor opened the door 12 s ago. The camera watches, the film is kept."
}

func TestHomeDuringAVisit(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	f.set(func() { f.home["deliveries"] = []object{f.delivery("open")} })
	f.view(visitUnderWay)
	p.Go(f.url + "/home")
	p.Text("Noor · Door open")
	p.Wait(isLive)
	shot(t, p, "home-visit")
	p.Click(`.orders .button.danger`)
	f.took("/api/doors/" + hubID + "/front/leave")
}

// An alarm stands above everything until somebody acknowledges it (S16); an incident shows its gap to the tenth of a
// second and is closed by a resident who says that he has read it (S7).
func TestHomeAlarmAndIncident(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	f.view(visitUnderWay)
	p.Go(f.url + "/home")
	p.Wait(isLive)
	alarm := bus.Alarm{ID: "a1", Hub: hubID, Door: "front", Visit: "v9", Reason: "lapse-lost", Text: "The picture was lost while Noor was inside.", At: time.Now().UTC()}
	f.emit("alarm", alarm)
	f.hub.set(func() { f.hub.still, f.hub.watch = true, "lost" })
	f.view(func(v *bus.View) {
		v.Alarm, v.AlarmText, v.Leave, v.Watch = alarm.Reason, alarm.Text, true, "lost"
		v.Sentence = "The picture is lost. Noor was told to leave; the bolt is thrown as the door closes."
	})
	p.Text("The picture was lost while Noor was inside.")
	p.Text("NOT LIVE")
	shot(t, p, "home-alarm")
	p.Click(`.alarm .button`)
	f.took("/api/doors/" + hubID + "/front/ack")
	f.hub.set(func() { f.hub.still, f.hub.watch = false, "live" })
	f.view(func(v *bus.View) {
		*v = bus.View{Hub: hubID, Door: "front", Seq: v.Seq, Phase: "idle", Watch: "live", Bolt: "thrown", DoorIs: "closed", Secured: true, Battery: 82, Sentence: "Bolted, and the bolt reported it 3 s ago."}
		v.Incidents = []bus.Incident{{Visit: "v3", Reason: "lapse-lost", Text: "The picture was lost while Noor was inside.", Total: 7.4}}
	})
	p.Text("7.4 s")
	p.Wait(isLive)
	shot(t, p, "home-incident")
	p.Wait(`[...document.querySelectorAll('.incident button')].every(b => b.disabled)`) // nothing is closed unread
	p.Click(`.incident input[type=checkbox]`)
	p.Click(`.incident .button.main`)
	f.took("/api/visits/v3/close")
	// The service's news that it was closed may come after the page has taken it off its list, and brings nothing back.
	f.view(func(v *bus.View) { v.Incidents = nil })
	p.Wait(`!document.querySelector('.incident')`)
	f.emit("incident", object{"visit": "v3", "reason": "lapse-lost", "text": "The picture was lost while Noor was inside.", "total_s": 7.4, "closed": true})
	f.view(func(v *bus.View) { v.Blocked = true }) // comes after it
	p.Text("Blocked")
	p.Wait(`!document.querySelector('.incident')`)
	clean(t, p)
}

// An alarm rings whichever door is looked at, names its door, is in the page's title, and is acknowledged for its own door
// (S16).
func TestHomeRingsForEveryDoor(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	f.set(func() {
		v := f.views[theDoor]
		v.Door = "back"
		f.views[backDoor] = v
	})
	p.Go(f.url + "/home")
	p.Text("Back door")
	p.Wait(isLive)
	p.Wait(`document.querySelector('.alarm') === null`)
	f.set(func() {
		v := f.views[backDoor]
		v.Seq, v.At, v.Phase, v.DoorIs, v.Bolt, v.Secured, v.Alarm = 9, time.Now().UTC(), "idle", "open", "thrown", false, "re-entry"
		v.AlarmText = "The door was opened after it had been bolted: look at the picture and call for help if you must."
		v.Incidents = []bus.Incident{{Visit: "v7", Reason: "re-entry", Text: "The door was opened after it had been bolted."}}
		f.views[backDoor] = v
	})
	f.emit("view", f.views[backDoor])
	p.Text("Back door: The door was opened after it had been bolted")
	p.Text("An incident to read")
	p.Wait(`document.title.startsWith('ALARM')`)
	p.Wait(`document.querySelector('.tabs button:last-child .count')?.textContent === 'Alarm'`)
	p.Wait(`document.querySelector('.hero-title').textContent === 'Secured'`) // the door that is looked at
	shot(t, p, "home-two-doors")
	p.Click(`.alarm .button`)
	f.took("/api/doors/" + hubID + "/back/ack")
	f.set(func() {
		v := f.views[backDoor]
		v.Seq, v.At, v.Alarm, v.AlarmText = 10, time.Now().UTC(), "", ""
		f.views[backDoor] = v
	})
	f.emit("view", f.views[backDoor])
	p.Wait(`document.querySelector('.alarm') === null && !document.title.startsWith('ALARM')`)
	clean(t, p)
}

// S17, T13: a resident lets a further one in, and signs a lost phone out, from the page.
func TestHomeWhoLivesHere(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	p.Viewport(390, 844)
	p.Go(f.url + "/home")
	p.Text("Who lives here")
	press := func(label string) {
		t.Helper()
		p.Eval(`[...document.querySelectorAll('button')].find(b => b.innerText === '`+label+`').setAttribute('data-it', 1)`, nil)
		p.Click(`[data-it]`)
		p.Eval(`document.querySelector('[data-it]')?.removeAttribute('data-it')`, nil)
	}
	f.set(func() { f.refuse["/api/home/invites"] = object{"detail": "Only somebody who lives here invites."} })
	press("Invite a resident")
	p.Text("Only somebody who lives here invites.")
	f.set(func() { delete(f.refuse, "/api/home/invites") })
	press("Invite a resident")
	p.Text("/?invite=ROOK-2087")
	p.Errors() // the refusal is the test's own doing
	shot(t, p, "home-invite")
	p.Viewport(390, 844)
	press("Sign out on every device")
	f.took("/api/logout/everywhere")
	p.Wait(`location.pathname === '/'`)
}

// Without news the state is unknown, and the page says since when (S13).
func TestHomeWithoutNewsKnowsNothing(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	p.Go(f.url + "/home")
	p.Wait(isLive)
	p.Text("Secured")
	f.set(func() { f.down = true })
	f.kick()
	f.hub.set(func() { f.hub.mute = true })
	p.Text("No connection. Last news at")
	p.Wait(`document.querySelector('.hero-title').textContent === 'Unknown'`)
	p.Text("Last known: Secured")
	p.Text("NOT LIVE")
	p.Errors() // the failed requests are the test's own doing
	shotDespiteErrors(t, p, "home-no-news")
	f.set(func() { f.down = false })
	f.hub.set(func() { f.hub.mute = false })
	f.view(func(*bus.View) {})
	p.Wait(`document.querySelector('.hero-title').textContent === 'Secured'`)
}

// The film is shown only if it is the one on record.
func TestVisitShowsTheFilmOnRecord(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	p.Go(f.url + "/home")
	p.Click(`a[href="/home/visit/v2"]`)
	p.Text("Noor signed “I am out”.")
	p.Click(`.empty-film .button`)
	p.Text("This film is the one on record.")
	p.Wait(`document.querySelector('video.film').readyState >= 2 && document.querySelector('video.film').duration > 5`)
	p.Eval(`document.querySelector('video.film').currentTime = 3`, nil)
	p.Wait(`!document.querySelector('video.film').seeking`)
	shot(t, p, "visit")

	f.hub.set(func() { f.hub.rotten = true })
	p.Go(f.url + "/home/visit/v3")
	p.Text("Not watched for 7.4 s")
	shot(t, p, "visit-incident")
	p.Click(`.empty-film .button`)
	p.Text("is not the one on record. It is not shown.")
	p.Wait(`document.querySelector('video.film') === null`)

	// Whoever has read it closes it here, too (S7).
	f.emit("incident", bus.Incident{Visit: "v3", Reason: "lapse-lost", Text: "The picture was lost while Noor was inside.", Total: 7.4})
	p.Wait(`document.querySelector('.tick') !== null && [...document.querySelectorAll('.button.main')].some(b => b.textContent === 'Close the incident' && b.disabled)`)
	p.Click(`.tick input`)
	p.Click(`.card.danger .button.main`)
	f.took("/api/visits/v3/close")
	p.Wait(`document.querySelector('.tick') === null`)
}

// S7, T1: a film of several files plays whole: one file after the other, each checked, with the gap that was not filmed shown
// between them. Where nobody watched, the film says so. A connection that breaks is waited for and gone on with.
func TestVisitShowsTheWholeFilm(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	p.Go(f.url + "/home/visit/v3")
	p.Text("in 2 parts")
	p.Text("Not filmed for 2.5 s")
	f.hub.set(func() { f.hub.breaks = 1 })
	p.Click(`.empty-film .button`)
	p.Text("SHA-256 " + digest(f.hub.clip)[:16])
	f.hub.set(func() {
		if n := len(f.hub.froms); n != 2 || f.hub.froms[0] != 0 || f.hub.froms[1] < int64(len(f.hub.clip)/4) {
			t.Errorf("the hub was asked for bytes from %v of %d, want from 0 and then from about the middle", f.hub.froms, len(f.hub.clip))
		}
	})
	p.Wait(`document.querySelector('video.film').readyState >= 2`)
	p.Eval(`document.querySelector('video.film').currentTime = 1`, nil)
	p.Wait(`/:\d\d$/.test(document.querySelector('.film-clock').innerText)`) // watched here
	p.Eval(`document.querySelector('video.film').currentTime = 5`, nil)
	p.Text("Not watched here: the picture may stand still. Not watched for 7.4 s")
	p.Eval(`(() => { const v = document.querySelector('video.film'); v.muted = true; return v.play() })()`, nil)
	p.Wait(`document.querySelector('.film-gap')?.innerText.includes('Not filmed for 2.5 s')`)
	shot(t, p, "visit-gap")
	p.Text("SHA-256 " + digest(f.hub.second())[:16])
	p.Wait(`document.querySelector('video.film').currentTime > 0.5`) // it plays on by itself
	p.Click(`.film-parts li:first-child .button`)
	p.Text("SHA-256 " + digest(f.hub.clip)[:16])
}

// S7: what was fetched from the camera's own storage afterwards is shown beside the gap and can be looked at, but never as watched: the
// gap stays as it is, on the page and in the list, and the film does not play on into it.
func TestVisitShowsWhatWasFetchedAfterwards(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	f.set(func() { f.home["visits"] = []object{summary("v3", "Noor", 0, "incident", 7.4)} })
	p.Go(f.url + "/home")
	p.Text("7.4 s not watched")
	p.Go(f.url + "/home/visit/v3")
	p.Text("Not watched, fetched afterwards")
	p.Text("Nobody watched it as it happened, and the gap stays on record as it is.")
	p.Text("Not watched: 7.4 s")
	p.Text("Not filmed for 2.5 s")
	var parts string
	p.Eval(`document.querySelector('[aria-label="Parts of the film"]').innerText + '|' + document.querySelector('.film-fetched ol').innerText`, &parts)
	if strings.Count(parts, "·") != 3 {
		t.Errorf("parts %q, want two of the film and one that was fetched", parts)
	}
	p.Click(`.film-fetched .button`)
	p.Text("SHA-256 " + digest(f.hub.kept())[:16])
	p.Text("This is the file on record as fetched afterwards.")
	p.Wait(`document.querySelector('.film-clock.bad')?.innerText.includes('Nobody watched this')`)
	shot(t, p, "visit-fetched")
	p.Click(`.film-parts li:nth-child(2) .button`)
	p.Text("SHA-256 " + digest(f.hub.second())[:16])
	p.Wait(`document.querySelector('video.film')?.readyState >= 2 && !document.querySelector('.film-clock').innerText.includes('Nobody watched')`)
	p.Eval(`(() => { const v = document.querySelector('video.film'); v.muted = true; v.currentTime = v.duration - 0.3; return v.play() })()`, nil)
	p.Wait(`document.querySelector('video.film').ended`)
	p.Text("This film is the one on record.")
}

// A second camera's film is filed a moment after the first one's: the page that is open shows it.
func TestVisitShowsWhatIsFiledLater(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	whole := f.visit("v3", "incident")
	first := f.visit("v3", "incident")
	first["clip"] = object{"bytes": len(f.hub.clip), "seconds": 6.9, "files": whole["clip"].(object)["files"].([]object)[:1]}
	f.set(func() {
		f.visits["v3"] = first
		f.home["visits"] = []object{summary("v3", "Noor", 0, "incident", 7.4)}
	})
	p.Go(f.url + "/home/visit/v3")
	p.Wait(`document.querySelector('.empty-film .button') && !document.querySelector('.film-parts')`)
	f.set(func() { f.visits["v3"] = whole })
	f.emit("visit", summary("v3", "Noor", 0, "incident", 7.4))
	p.Text("in 2 parts")
}

// S15: what waits in a full uplink is old when it comes. An age that was long on its way makes no picture live.
func TestSlowUplinkIsNotLive(t *testing.T) {
	f, p := start(t), open(t)
	f.quiet("resident")
	p.Go(f.url + "/home")
	p.Wait(isLive)
	f.hub.set(func() { f.hub.slow = 3 * time.Second })
	p.Text("NOT LIVE")
	// The first age that was held back comes when the hub has sent for as long.
	p.Eval(`globalThis.was = []; setInterval(() => was.push(`+isLive+`), 50)`, nil)
	p.Wait(`was.length > 120`)
	var live bool
	p.Eval(`was.slice(10).some(x => x)`, &live)
	if live {
		t.Error("the page calls a picture live whose age is three seconds on its way")
	}
	f.hub.set(func() { f.hub.slow = 0 })
	p.Wait(isLive)
}
