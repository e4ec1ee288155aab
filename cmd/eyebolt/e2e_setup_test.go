package main

import (
	"context"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"eyebolt/camera/onviftest"
	"eyebolt/web/webtest"
)

// tap waits for a choice, a summary or a button whose words begin with label, and presses it.
func (p *phone) tap(label string) {
	p.e.t.Helper()
	find := `[...document.querySelectorAll('button:not(:disabled), summary, label.pick')].find(x => x.innerText.trim().startsWith(` + quoted(label) + `) && x.getClientRects().length > 0)`
	p.see("the choice "+label, find)
	p.Eval(find+`.click()`, nil)
}

// shown renews the set-up's screenshots on a phone and on a desk, if asked for.
func (p *phone) shown(name, at string) {
	p.e.t.Helper()
	for _, s := range []struct {
		name          string
		width, height int
	}{{"desk", 1440, 900}, {"phone", 390, 844}} {
		p.Viewport(s.width, s.height)
		if at == "" {
			p.Eval(`scrollTo(0, 0)`, nil)
		} else {
			p.Eval(`document.querySelector(`+quoted(at)+`).scrollIntoView({block: 'start', behavior: 'instant'})`, nil)
		}
		p.Eval(`new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(1))))`, nil)
		if shots {
			p.Shot(filepath.Join("..", "..", "docs", "screens", "real-setup-"+name+"-"+s.name+".png"))
		}
	}
}

// pairing is eyebolt hub setup, open in a browser, in a pretend home with a real broker and a camera that speaks ONVIF.
type pairing struct {
	h              *pretendHouse
	e              *e2e
	p              *phone
	out            *said
	dir, path      string // path is of hub.yaml
	user, password string // of the camera
	onvif          *url.URL
	find           func(where *said, what, expr string) string
	end            func() // ends the set-up
}

func newPairing(t *testing.T) *pairing {
	t.Helper()
	dir, err := os.MkdirTemp("", "home-") // its name is in the screenshots
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	begin := time.Now()
	h, err := startHouse(t.Context(), houseConfig{
		Doors: 1, Width: 1280, Height: 720, Now: func() time.Duration { return time.Since(begin) }, Log: slog.New(slog.DiscardHandler), Bus: "127.0.0.1:0",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	stream, err := url.Parse(h.hub.Doors[0].Cameras[0].URL)
	if err != nil {
		t.Fatal(err)
	}
	user := stream.User.Username()
	password, _ := stream.User.Password()
	device := onviftest.Serve(t, onviftest.Setup{
		Way: onviftest.DigestMD5, User: user, Pass: password, Stream: "rtsp://10.9.8.7:" + stream.Port() + stream.Path,
		Profiles: []onviftest.Profile{{Token: "main", Encoding: "H264", Source: "lens", Width: 1280, Height: 720, FPS: 15, GOP: 30}},
	})
	onvif, err := url.Parse(device.URL())
	if err != nil {
		t.Fatal(err)
	}

	path := filepath.Join(dir, "hub.yaml")
	out := &said{}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	c := HubSetupCmd{Config: path, Listen: "127.0.0.1:0", Interface: []string{"lo"}, command: "eyebolt", out: out}
	go func() { ended <- c.Run(ctx) }()
	t.Cleanup(end)
	e := &e2e{t: t, ctx: t.Context(), dir: dir}
	find := func(where *said, what, expr string) string {
		t.Helper()
		var m []string
		err := waitEvery(e.ctx, patience, 100*time.Millisecond, func() bool {
			m = regexp.MustCompile(expr).FindStringSubmatch(where.String())
			return m != nil
		})
		if err != nil {
			t.Fatalf("no %s in:\n%s", what, where)
		}
		return m[len(m)-1]
	}
	p := e.phone(webtest.Start(t), "Ada")
	p.Go(find(out, "link", `(http://127\.0\.0\.1:\d+/setup#k=\S+)`))
	find(out, "word that the link was used", `was opened from 127\.0\.0\.1`)
	return &pairing{h, e, p, out, dir, path, user, password, onvif, find, func() {
		t.Helper()
		end()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}}
}

// written goes from the door's devices to the written configuration.
func (x *pairing) written() {
	x.e.t.Helper()
	p := x.p
	p.tap("Continue")
	p.reads("Which camera sees this door?")
	p.tap("It is not listed")
	p.Type(`input[name="camera-address"]`, x.onvif.Host)
	p.tap("Ask it")
	p.reads("The camera asks for a name and a password.")
	p.Type(`input[name=user]`, x.user)
	p.Type(`input[name=password]`, x.password)
	p.tap("Connect")
	p.reads("Is this the door’s camera?")
	p.tap("Yes, this door")
	p.tap("By cable")
	p.tap("Continue")
	p.reads("Where are your apps?")
	p.Type(`input[name=app]`, "http://localhost:8420")
	p.tap("Continue")
	p.reads("Is this right?")

	p.tap("Write hub.yaml")
	p.reads("Your hub knows its first door.")
	p.clean()
	x.end()
}

// address types the address of what drives the lock.
func (x *pairing) address(driver, address string) {
	x.e.t.Helper()
	x.p.reads("Which lock is on this door?")
	x.p.tap("It is not listed")
	x.p.see("the form", `document.querySelector('details[open] select')`)
	x.p.Eval(`(() => { const s = document.querySelector('details[open] select'); s.value = `+quoted(driver)+`; s.dispatchEvent(new Event('input', {bubbles: true})) })()`, nil)
	x.p.Type(`input[name=address]`, address)
	x.p.tap("Ask it")
}

// From an empty folder to a running hub, in the browser: the pretend home's real broker, lock, contact and camera are found by their
// addresses and paired; the hub that is then started is the one that the page told of.
func TestHubSetupThroughThePages(t *testing.T) {
	x := newPairing(t)
	h, p, out, path, dir, user, password, onvif, find := x.h, x.p, x.out, x.path, x.dir, x.user, x.password, x.onvif, x.find
	x.address("mqtt", strings.TrimPrefix(h.hub.Doors[0].Lock.MQTT.Broker, "mqtt://"))
	p.tap("front_lock")
	p.tap("front_door")
	p.shown("door", "")
	p.tap("Continue")
	p.reads("Which camera sees this door?")
	p.tap("It is not listed")
	p.Type(`input[name="camera-address"]`, onvif.Host)
	p.tap("Ask it")
	p.reads("The camera asks for a name and a password.")
	p.Type(`input[name=user]`, user)
	p.Type(`input[name=password]`, password)
	p.tap("Connect")
	p.reads("Is this the door’s camera?")
	p.see("the picture", `document.querySelector('.shot img')?.naturalWidth > 0`)
	p.shown("picture", ".bridge")
	p.tap("Yes, this door")
	p.tap("By cable")
	p.Type(`input[name=camera]`, "hall")
	p.shown("camera", "")
	p.tap("Continue")
	p.reads("Where are your apps?")
	p.Type(`input[name=app]`, "http://localhost:8420")
	p.Type(`input[name=hub]`, "Oak Street 7")
	p.tap("The service is reached")
	p.Type(`input[name=bus]`, "nats://127.0.0.1:1")
	p.tap("Continue")
	p.reads("Is this right?")
	p.shown("check", "")
	p.tap("Write hub.yaml")
	p.reads("Your hub knows its first door.")
	p.shown("done", "")
	told := p.text()
	p.tap("Begin the walk test")
	p.see("the walk test's page", `location.pathname === '/walk' && document.querySelector('h1')`)
	p.reads("front")
	p.clean()
	x.end()

	if all := out.String(); strings.Contains(all, password+"\n") || strings.Contains(all, ":"+password) {
		t.Errorf("the terminal shows the camera's password:\n%s", all)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), ":"+password+"@") {
		t.Errorf("%v, %s", err, text)
	}
	t.Logf("\n%s", text)
	for _, name := range []string{"hub.yaml", "hub.env"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}

	// The next command, as the page says it.
	binary := filepath.Join(dir, "eyebolt")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	hub := program(t, dir, binary, "hub", "--config", path)
	find(hub, "pairing code", `enter the code in the app, at home" code=(\S+)`)
	for _, expr := range []string{`hub is up" id=(oak-street-7)`, ` key=(U\S+)`, `record_key=(\S+)`} {
		if word := find(hub, "what the service must know", expr); !strings.Contains(told, word) {
			t.Errorf("the page did not show %q:\n%s", word, told)
		}
	}
	find(hub, "the picture", `camera gives pictures" door=front camera=hall`)
}
