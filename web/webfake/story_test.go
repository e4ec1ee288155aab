package webfake

import (
	"encoding/base64"
	"time"

	"eyebolt/bus"
)

const (
	hubID   = "hub-lindqvist"
	theDoor = hubID + "/front"

	backDoor = hubID + "/back" // of a home with two
)

// consentDocument is what a resident signs, as grant.Consent writes it.
var (
	consentDocument  = base64.RawURLEncoding.EncodeToString([]byte(`{"id":"n1","household":"h1","hub":"hub-lindqvist","door":"front","carrier":"kestrel","from":"2026-01-01T00:00:00Z","until":"2027-01-01T00:00:00Z","days":31,"start_min":480,"end_min":1080,"zone":"Europe/Stockholm"}`))
	consentChallenge = base64.RawURLEncoding.EncodeToString([]byte("thirty-two bytes of a challenge!"))
)

func at(minutes int) string {
	return time.Now().UTC().Truncate(time.Minute).Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339Nano)
}

var checkOrder = []string{"grant", "screening", "window", "place", "parcel", "clock", "household", "block", "lock", "door", "bolt", "service", "recording", "watch"}

// checks gives the courier's list with all but the named ones holding.
func checks(not map[string]string) []bus.Check {
	var all []bus.Check
	for _, n := range checkOrder {
		s, bad := not[n]
		all = append(all, bus.Check{Name: n, OK: !bad, Sentence: s})
	}
	return all
}

// quiet is a home on a day without a visit under way.
func (f *fake) quiet(role string) {
	f.set(func() {
		f.role = role
		f.views[theDoor] = bus.View{
			Hub: hubID, Door: "front", Seq: 1, At: time.Now().UTC(), Phase: "idle", Sentence: "Bolted, and the bolt reported it 2 s ago.",
			Watch: "live", AgeMs: 120, Bolt: "thrown", DoorIs: "closed", Secured: true, Battery: 82, Checks: []bus.Check{},
		}
		f.home = object{
			"household": "Lindqvist", "notice": "This door is filmed during every visit, and 5 seconds before. Films stay on your hub for 30 days; a film with an open incident stays until you close it.",
			"deliveries": []object{f.delivery("assigned")},
			"visits": []object{
				summary("v2", "Noor", -1500, "done", 0), summary("v1", "Elias", -2900, "not-delivered", 0),
			},
			"incidents": []object{}, "alarms": []object{}, "consents": []object{{"carrier": "kestrel", "carrier_name": "Kestrel Parcels", "hub": hubID, "door": "front", "state": "signed", "until": "2027-01-01T00:00:00Z"}},
		}
		f.stops = []object{
			f.stop("d1", "Rosenvägen 4", "A. Lindqvist", "planned"), f.stop("d2", "Hamngatan 12, 3rd floor", "J. Okafor", "planned"), f.stop("d0", "Parkgatan 9", "M. Berg", "done"),
		}
		f.stops[1]["hub"], f.stops[2]["hub"] = "hub-okafor", "hub-berg"
		f.ops = f.operations()
		f.visits["v2"] = f.visit("v2", "done")
		f.visits["v3"] = f.visit("v3", "incident")
	})
}

func (f *fake) delivery(state string) object {
	return object{
		"id": "d1", "household": "h1", "household_name": "Lindqvist", "hub": hubID, "door": "front", "courier": "c1", "courier_name": "Noor",
		"carrier": "kestrel", "carrier_name": "Kestrel Parcels", "from": at(-20), "until": at(100), "parcels": []string{"KP-2041-77"}, "instructions": "", "state": state,
	}
}

func (f *fake) stop(id, address, who, state string) object {
	return object{
		"delivery": id, "address": address, "recipient": who, "from": at(-20), "until": at(100), "parcels": []object{{"code": "KP-2041-77", "done": false}},
		"state": state, "door": "front", "hub": hubID, "instructions": "Inside, on the mat. The cat stays in.",
	}
}

func summary(id, who string, minutes int, outcome string, gap float64) object {
	return object{
		"id": id, "delivery": "d" + id, "hub": hubID, "door": "front", "courier_name": who, "began": at(minutes), "ended": at(minutes + 2),
		"outcome": outcome, "reason": "", "gap_s": gap, "has_clip": outcome != "not-delivered",
	}
}

func after(t time.Time, seconds float64) string {
	return t.Add(time.Duration(seconds * float64(time.Second))).Format(time.RFC3339Nano)
}

func (f *fake) visit(id, outcome string) object {
	began := time.Now().UTC().Add(-25 * time.Hour)
	v := summary(id, "Noor", 0, outcome, 0)
	v["began"], v["ended"] = began.Format(time.RFC3339Nano), began.Add(96*time.Second).Format(time.RFC3339Nano)
	part := func(b []byte, from, to float64) object {
		return object{"sha256": digest(b), "bytes": len(b), "seconds": to - from, "camera": "hall", "from": after(began, from), "to": after(began, to)}
	}
	files := []object{part(f.hub.clip, 20, 26.9)}
	size, long := len(f.hub.clip), 6.9
	if outcome == "incident" { // the camera came back with other parameters
		files = append(files, part(f.hub.second(), 29.4, 36.3))
		size, long = 2*size+8, 13.8
	}
	v["clip"] = object{"bytes": size, "seconds": long, "files": files}
	if outcome == "incident" { // and the camera had kept the gap, with two seconds on either side
		v["clip"].(object)["backfilled"] = []object{part(f.hub.kept(), 20, 31.4)}
	}
	line := func(in float64, kind, word, text string) object {
		return object{"t": began.Add(time.Duration(in * float64(time.Second))).Format(time.RFC3339Nano), "kind": kind, "word": word, "text": text, "in": in}
	}
	lines := []object{
		line(0, "arrive", "arrived", "Noor is at the door with parcel KP-2041-77."),
		line(3.4, "phase", "ready", "Every check holds: the camera watches, the film is kept, the door is bolted."),
		line(11.2, "slide", "slid-to-open", "Noor slid to open and confirmed with the passkey."),
		line(11.3, "unlock", "written-down", "The decision was written down; the bolt was drawn."),
		line(14.8, "door", "open", "The door opened."),
	}
	if outcome == "incident" {
		v["gap_s"] = 7.4
		v["gaps"] = []object{{"from": after(began, 22), "to": after(began, 29.4), "s": 7.4, "why": "lost"}}
		lines = append(lines, line(23.5, "alarm", "lapse-lost", "The picture was lost. Noor was told to leave; you were told at once."))
	}
	lines = append(lines, line(31.0, "door", "closed", "The door closed; the bolt was ordered."),
		line(32.2, "secured", "proven-secured", "Secured: the bolt reported that it is thrown."),
		line(40.9, "out", "courier-out", "Noor signed “I am out”."),
		line(96, "end", outcome, "The watch of the tail ended."))
	for i, l := range lines {
		l["i"], l["entry"] = i, 4120+i
	}
	v["timeline"] = lines
	return v
}

func (f *fake) operations() object {
	d2, d3, d4 := f.delivery("booked"), f.delivery("open"), f.delivery("failed")
	delete(d2, "courier")
	delete(d2, "courier_name")
	d2["id"], d2["household_name"], d2["parcels"] = "d2", "Okafor", []string{"KP-2042-03", "KP-2042-04"}
	d3["id"], d3["household_name"], d3["courier_name"] = "d3", "Berg", "Elias"
	d4["id"], d4["household_name"], d4["reason"] = "d4", "Haddad", "pets-loose"
	going := summary("v9", "Elias", -1, "going", 0)
	going["delivery"], going["phase"], going["reason"] = "d3", "open", "slid-to-open"
	delete(going, "ended")
	held := summary("v8", "Noor", -3, "going", 0)
	held["delivery"], held["phase"], held["reason"] = "d1", "held", "pets-loose"
	delete(held, "ended")
	lapsed := summary("v3", "Noor", -95, "incident", 7.4)
	lapsed["reason"] = "lapse-lost"
	return object{
		"deliveries": []object{f.delivery("assigned"), d2, d3, d4},
		"couriers": []object{
			{"id": "c1", "name": "Noor", "status": "passed", "until": "2027-05-01T00:00:00Z", "reference": "SC-88121"},
			{"id": "c2", "name": "Elias", "status": "passed", "until": time.Now().Add(5 * 24 * time.Hour).UTC().Format(time.RFC3339), "reference": "SC-87990"},
			{"id": "c3", "name": "Ines", "status": "pending"},
		},
		"households": []object{
			home("h1", "Lindqvist", "Rosenvägen 4", 2, hubID, true),
			home("h2", "Okafor", "Hamngatan 12, 3rd floor", 1, "hub-okafor", true),
			home("h3", "Berg", "Parkgatan 9", 1, "hub-berg", false),
			{"id": "h4", "name": "Haddad", "address": "Sjögatan 31", "ours": true, "residents": 0, "doors": []object{}},
		},
		"visits":    []object{going, held, lapsed, summary("v2", "Noor", -200, "done", 0)},
		"incidents": []object{{"visit": "v3", "reason": "lapse-lost", "text": "The picture was lost for 7.4 s while the door was open.", "total_s": 7.4}},
		"hubs": []object{
			{"id": hubID, "household": "h1", "seen": at(0), "online": true, "paired": true},
			{"id": "hub-okafor", "household": "h2", "seen": at(-47), "online": false, "paired": true},
			{"id": "hub-berg", "household": "h3", "seen": at(0), "online": true, "paired": false},
		},
		"admin": true,
	}
}

// home is one that this carrier set up, with its hub and one door.
func home(id, name, address string, residents int, hub string, consent bool) object {
	return object{
		"id": id, "name": name, "address": address, "ours": true, "residents": residents,
		"doors": []object{{"hub": hub, "door": "front", "name": "Front door", "consent": consent}},
	}
}

// theWorld is a state of the demo's world.
func (f *fake) theWorld(resident, courier string) object {
	b := func(id, label, group string, on bool) object {
		return object{"id": id, "label": label, "group": group, "on": on, "enabled": true}
	}
	var log []object
	for i, l := range [][2]string{{"courier", "knocks; nobody opens"}, {"courier", "scans KP-2041-77: I’m at the door"}, {"hub", "every check is green"}, {"courier", "slides to open, and enters"}, {"attacker", "floods the Wi-Fi"}, {"hub", "picture late after 0.5 s, lost after 1.5 s: alarm"}, {"resident", "is told: the picture is lost"}} {
		log = append(log, object{"t": time.Now().UTC().Add(time.Duration(i-8) * time.Second).Format(time.RFC3339Nano), "who": l[0], "text": l[1]})
	}
	return object{
		"bolt": "drawn", "door": "open", "inside": []string{"courier"}, "camera": object{"mode": "honest", "jammed": true}, "uplink": true, "jam": false, "playing": "rhino", "log": log,
		"buttons": []object{
			b("knock", "Knock", "people", false), b("open", "Open the door", "people", false), b("enter", "Enter", "people", false), b("place", "Put the parcel down", "people", false), b("leave", "Leave", "people", false), b("close", "Close the door", "people", false), b("knob", "Open from inside", "people", false),
			b("flood", "Wi-Fi flood", "attack", true), b("frozen", "Frozen picture", "attack", false), b("lag", "Slow lag", "attack", false), b("replay", "Replayed picture", "attack", false), b("cover", "Cover the lens", "attack", false), b("unplug", "Unplug the camera", "attack", false), b("uplink", "Cut the uplink", "attack", false), b("bolt", "Block the bolt, fake the sound", "attack", false),
		},
		"logins": []object{{"role": "resident", "name": "Ada", "url": resident}, {"role": "courier", "name": "Noor", "url": courier}},
	}
}
