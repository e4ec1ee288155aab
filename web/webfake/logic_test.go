package webfake

import (
	"encoding/json"
	"strconv"
	"testing"

	"eyebolt/web/bundle"
	"eyebolt/web/webtest"
)

// module loads one of the pages' modules into an empty page; it needs no npm package.
func module(t *testing.T, p *webtest.Page, path, name string) {
	t.Helper()
	script, err := bundle.Global("..", path, name)
	if err != nil {
		t.Fatal(err)
	}
	p.Eval("(0, eval)("+strconv.Quote(script+"; globalThis."+name+" = "+name+"; 1")+")", nil)
}

// An age never looks younger than it can be (S15).
func TestAgeClock(t *testing.T) {
	p := open(t)
	module(t, p, "src/lib/age.ts", "age")
	for _, c := range []struct {
		name, steps string
		at          int
		text        string
		live        bool
	}{
		{"nothing yet", ``, 0, "no picture yet", false},
		{"said, not shown", `say(100, 1, "live", 0)`, 50, "no picture yet", false},
		{"fresh", `say(100, 1, "live", 0); c.shown(0)`, 50, "0.1 s", true},
		{"one second is live", `say(100, 1, "live", 0); c.shown(0)`, 900, "1.0 s", true},
		{"past it is not", `say(100, 1, "live", 0); c.shown(0)`, 901, "1.0 s", false},
		{"ages come, the screen stands", `c.shown(0); for (let i = 0; i < 30; i++) say(80, i, "live", i * 100)`, 2900, "2.9 s", false},
		{"the screen moves, ages stop", `say(80, 1, "live", 0); for (let i = 0; i < 30; i++) c.shown(i * 100)`, 2900, "2.9 s", false},
		{"the hub says old, the screen moves", `for (let i = 0; i < 10; i++) { say(4000 + i * 100, 7, "lost", i * 100); c.shown(i * 100) }`, 900, "4.9 s", false},
		{"an older picture's age comes late", `say(3000, 5, "live", 0); say(10, 4, "live", 0); c.shown(0)`, 0, "3.0 s", false},
		{"nonsense", `say(3000, 5, "live", 0); say(-1, 6, "live", 0); say(NaN, 7, "live", 0); c.shown(0)`, 0, "3.0 s", false},
		{"a new connection counts anew", `say(3000, 500, "live", 0); c.restart(); say(90, 1, "live", 0); c.shown(0)`, 0, "0.0 s", true},
		{"a message that was long on its way", `c.ask(0); c.says(80, 1, "live", 1, 0); c.shown(3000)`, 3000, "3.0 s", false},
		{"a message long on its way, the question long before it", `c.ask(0); c.says(80, 1, "live", 1, 2900); c.shown(3000)`, 3000, "0.1 s", true},
		{"a message that names no question", `c.ask(0); c.says(80, 1, "live", 0, 0); c.shown(0)`, 0, "no picture yet", false},
		{"an answer to an earlier connection", `c.ask(0); c.restart(); c.says(80, 1, "live", 1, 0); c.shown(0)`, 0, "no picture yet", false},
		{"an answer to a question that is forgotten", `for (let i = 0; i < 61; i++) c.ask(i * 500); c.says(80, 1, "live", 1, 29990); c.shown(30000)`, 30_000, "no picture yet", false},
		{"minutes", `say(100, 1, "live", 0); c.shown(0)`, 61_000, "1 min 1 s", false},
	} {
		var got struct {
			Text string
			Live bool
		}
		p.Eval(`(() => { const c = new age.AgeClock(); const say = (ms, seq, watch, at) => c.says(ms, seq, watch, c.ask(at), 0); `+c.steps+`; const a = c.age(`+strconv.Itoa(c.at)+`); return {Text: a.text, Live: a.live} })()`, &got)
		if got.Live != c.live || got.Text != c.text {
			t.Errorf("%s: got %q live %v, want %q live %v", c.name, got.Text, got.Live, c.text, c.live)
		}
	}
}

// Whatever combination a view may hold, the page says Secured only for a fresh one in which the hub says so, the bolt is
// reported thrown and the door closed (S9, S13); and it always says something.
func TestSecuredIsSaidOnlyWhenItIs(t *testing.T) {
	p := open(t)
	module(t, p, "src/lib/state.ts", "state")
	var wrong []json.RawMessage
	var n int
	p.Eval(`globalThis.out = [], globalThis.count = 0;
		for (const phase of ["", "idle", "arming", "held", "ready", "deciding", "unlocking", "unlocked", "open", "closing", "secured", "tail", "unproven", "future"])
		for (const bolt of ["thrown", "drawn", "jammed", "unknown", ""])
		for (const door_is of ["closed", "open", "ajar", "unknown", ""])
		for (const secured of [true, false]) for (const possibly_open of [true, false])
		for (const age of [0, 16000, 16001]) for (const connected of [true, false]) {
			const v = {phase, bolt, door_is, secured, possibly_open, sentence: "", alarm: "", leave: false};
			const h = state.headline(v, age, connected);
			const may = secured && bolt === "thrown" && door_is === "closed" && !possibly_open && phase !== "unproven" && phase !== "deciding" && phase !== "unlocking" && age <= 16000 && connected;
			count++;
			if ((h.title === "Secured") !== may || (h.tone === "calm") !== may || !h.title || !h.sentence) out.push({v, age, connected, h});
		} out.slice(0, 5)`, &wrong)
	p.Eval(`count`, &n)
	for _, w := range wrong {
		t.Errorf("%s", w)
	}
	if n != 14*5*5*2*2*3*2 {
		t.Errorf("looked at %d views", n)
	}
}

// What a courier must do follows from the stop and the view alone.
func TestStage(t *testing.T) {
	p := open(t)
	module(t, p, "src/lib/stage.ts", "stages")
	for _, c := range []struct{ stop, view, want string }{
		{`{state: "planned"}`, `null`, "knock"},
		{`{state: "planned"}`, `{visit: "", phase: "idle"}`, "knock"},
		{`{state: "here"}`, `{visit: "v", phase: "arming"}`, "wait"},
		{`{state: "here"}`, `{visit: "v", phase: "held"}`, "wait"},
		{`{state: "here"}`, `{visit: "v", phase: "ready"}`, "wait"}, // ready without a nonce cannot be slid
		{`{state: "here"}`, `{visit: "v", phase: "ready", nonce: "x"}`, "slide"},
		{`{state: "here"}`, `{visit: "v", phase: "deciding", nonce: "x"}`, "opening"},
		{`{state: "open"}`, `{visit: "v", phase: "open", watch: "live"}`, "inside"},
		{`{state: "open"}`, `{visit: "v", phase: "open", watch: "lost"}`, "leave"},
		{`{state: "open"}`, `{visit: "v", phase: "open", watch: "live", leave: true}`, "leave"},
		{`{state: "open"}`, `{visit: "v", phase: "secured", leave: true}`, "leave"}, // until he says that he is out
		{`{state: "here"}`, `{visit: "v", phase: "arming", leave: true}`, "wait"},   // he has not been inside
		{`{state: "open"}`, `{visit: "v", phase: "closing"}`, "closing"},
		{`{state: "open"}`, `{visit: "v", phase: "secured"}`, "out"},
		{`{state: "open"}`, `{visit: "v", phase: "tail", released: true, leave: true}`, "released"},
		{`{state: "open"}`, `{visit: "v", phase: "tail", leave: true}`, "kept"}, // out of an incident: nobody has released him
		{`{state: "open"}`, `{visit: "v", phase: "tail"}`, "kept"},
		{`{state: "done"}`, `{visit: "", phase: "idle"}`, "over"},
		{`{state: "failed"}`, `null`, "over"},
	} {
		var got string
		p.Eval(`stages.stage(`+c.stop+`, `+c.view+`)`, &got)
		if got != c.want {
			t.Errorf("%s %s: got %s, want %s", c.stop, c.view, got, c.want)
		}
	}
}
