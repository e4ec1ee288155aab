package setup_test

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"eyebolt/hub/gate"
	"eyebolt/hub/setup"
	"eyebolt/web"
	"eyebolt/web/webtest"
)

// screens is where screenshots go: go test ./hub/setup -screens=../../docs/screens renews the committed ones.
var screens = flag.String("screens", "", "folder for screenshots; empty: they are taken and thrown away")

func TestMain(m *testing.M) { os.Exit(webtest.Main(m)) }

// browser is a page of the set-up, served as eyebolt hub setup serves it.
type browser struct {
	*webtest.Page
	t     *testing.T
	c     *client
	links []string
	end   func()
}

func (h *house) browse(p *webtest.Page) *browser {
	h.t.Helper()
	b := &browser{Page: p, t: h.t, c: h.start()}
	b.serve()
	b.Go(b.links[len(b.links)-1])
	return b
}

func (b *browser) serve() {
	b.t.Helper()
	l, err := gate.Listen("127.0.0.1:0")
	if err != nil {
		b.t.Fatal(err)
	}
	g := gate.New(gate.Config{Addr: l.At, Scheme: l.Scheme, Page: "/setup", Say: func(link, _ string) { b.links = append(b.links, link) }})
	s := gate.Server(g.Mux(web.Handler(web.WithHub()), map[string]http.Handler{"/setup/api/": b.c.s.Handler(), "/walk/api/": b.c.s.Walked()}))
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	b.end = func() { _ = s.Close(); <-done }
	b.t.Cleanup(b.end)
}

func (b *browser) press(label string) {
	b.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll('button:not(:disabled), summary, label.pick')].find(x => x.innerText.trim().startsWith(%q))`, label)
	b.Wait(find + ` !== undefined`)
	b.Eval(find+`.click()`, nil)
}

func (b *browser) reads(text string) {
	b.t.Helper()
	b.Wait(fmt.Sprintf(`document.body.innerText.includes(%q)`, text))
}

// shot takes the page on a phone and on a desk, and checks that it fits and that nothing went wrong on it.
func (b *browser) shot(name string) {
	b.t.Helper()
	dir := *screens
	if dir == "" {
		dir = b.t.TempDir()
	}
	for _, s := range []struct {
		name          string
		width, height int
	}{{"desk", 1440, 900}, {"phone", 390, 844}} {
		b.Viewport(s.width, s.height)
		b.Eval(`new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(1))))`, nil)
		var wide bool
		b.Eval(fmt.Sprintf(`document.documentElement.scrollWidth > %d`, s.width), &wide)
		if wide {
			b.t.Errorf("%s on a %s is wider than the screen", name, s.name)
		}
		b.Shot(filepath.Join(dir, name+"-"+s.name+".png"))
	}
}

func (b *browser) clean() {
	b.t.Helper()
	for _, e := range b.Errors() {
		b.t.Errorf("in the page: %s", e)
	}
}

// hallway is a picture as a camera at a door could give it.
func hallway(t *testing.T) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 640, 360))
	for y := range 360 {
		for x := range 640 {
			v := 60 + y/4
			if x > 250 && x < 390 && y > 60 && y < 330 {
				v = 150 - (x-250)/4
			}
			img.SetGray(x, y, color.Gray{Y: uint8(v)})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Somebody who has read no manual goes from an empty home to a written configuration, and meets what goes wrong on the way: nothing
// is found, a password is wrong, the bridge goes away, the set-up is ended half-way.
func TestThePageFromNothing(t *testing.T) {
	h := newHouse(t)
	seen, cameras, look := h.seen, h.cameras, h.look
	h.seen, h.cameras, h.want[bridgeAt] = nil, nil, "eyebolt:sesame"
	h.look = func(a setup.CameraAsk) (setup.Look, error) {
		l, err := look(a)
		l.Picture, l.Advice = hallway(t), []string{"set the key frame interval (GOP) of \"main\" to 2 s, 40 pictures: it is 5.0 s, and nothing can be judged before the first one"}
		return l, err
	}
	b := h.browse(webtest.Shared(t).Page())
	b.reads("No bridge was found")
	var address string
	b.Eval(`location.href`, &address)
	if strings.Contains(address, "k=") {
		t.Errorf("the secret stays in the address: %s", address)
	}
	b.shot("setup-nothing")

	h.set(func() { h.seen, h.cameras = seen, cameras })
	b.press("Search again")
	b.reads("The broker refuses this name or password.")
	b.Type(`input[name=user]`, "eyebolt")
	b.Type(`input[name=password]`, "guess")
	b.press("Connect")
	b.Wait(`document.querySelector('input[name=password]')?.value === '' && document.querySelector('.login .button')?.ariaBusy !== 'true' && document.body.innerText.includes('The broker refuses this name')`)
	b.shot("setup-password")
	b.Type(`input[name=user]`, "eyebolt")
	b.Type(`input[name=password]`, "sesame")
	b.press("Connect")
	b.reads("Front lock")
	b.reads("Its battery is empty")
	b.press("Continue")
	b.reads("Choose the door's lock")
	b.press("Front lock")
	b.reads("What tells whether the door is closed?")
	b.press("There is none")
	b.reads("Nobody will be let in.")
	b.shot("setup-door")
	b.press("Front door")
	b.Wait(`!document.body.innerText.includes('Nobody will be let in')`)
	h.set(func() { delete(h.devices, bridgeAt) })
	b.reads("It answered before and does not now")
	b.press("Continue")
	b.reads("does not answer now")
	b.shot("setup-gone")
	h.set(func() { h.devices[bridgeAt] = bridgeDevices })
	b.Wait(`!document.body.innerText.includes('It answered before')`)
	b.press("Continue")

	b.reads("Which camera sees this door?")
	b.press("Use this camera")
	b.Type(`input[name=user]`, "eye")
	b.Type(`input[name=password]`, "wrong")
	b.press("Connect")
	b.reads("The camera refuses them")
	b.Type(`input[name=user]`, "eye")
	b.Type(`input[name=password]`, "s3cret p@ss")
	b.press("Connect")
	b.reads("Is this the door’s camera?")
	b.Wait(`document.querySelector('.shot img')?.naturalWidth > 0`)
	b.press("Continue")
	b.reads("Look at the picture of hall")
	b.press("Yes, this door")
	b.press("By cable")

	// The set-up is ended here and begun again another day.
	b.Wait(`document.querySelector('.pick.on input')?.name.startsWith('link-')`)
	b.c.until("the draft", func(p page) bool { return len(p.Draft.Cameras) == 1 && p.Draft.Cameras[0].Link == "wired" })
	b.end()
	if err := b.c.s.Close(); err != nil {
		t.Fatal(err)
	}
	b.reads("The set-up does not answer")
	b.shot("setup-ended")
	b.c = h.start()
	b.serve()
	b.Go(b.links[len(b.links)-1])
	b.reads("Which camera sees this door?")
	b.Errors() // the set-up was gone on purpose
	b.press("Door")
	b.reads("The broker refuses this name or password.")
	b.Type(`input[name=user]`, "eyebolt")
	b.Type(`input[name=password]`, "sesame")
	b.press("Connect")
	b.Wait(`document.querySelector('.pick.on strong')?.innerText === 'Front lock'`)
	b.press("Continue")
	b.Type(`input[name=password]`, "s3cret p@ss")
	b.press("Connect")
	b.reads("Stream that is watched")
	b.press("Continue")
	b.reads("Where are your apps?")
	b.Type(`input[name=app]`, "http://eyebolt.example.org")
	b.press("Continue")
	b.reads("must be served by https")
	b.Type(`input[name=app]`, "eyebolt.example.org")
	b.shot("setup-service")
	b.press("Continue")
	b.reads("Is this right?")
	b.shot("setup-check")
	h.set(func() {
		h.check = func(string, map[string]string) error { return fmt.Errorf("door front: the lock is refused") }
	})
	b.press("Write hub.yaml")
	b.reads("the lock is refused.")
	h.set(func() { h.check = func(string, map[string]string) error { return nil } })
	b.press("Write hub.yaml")
	b.reads("Your hub knows its first door.")
	b.reads("eyebolt hub --config")
	b.shot("setup-done")
	for _, e := range b.Errors() {
		if !strings.Contains(e, "409") { // the refusal above
			t.Errorf("in the page: %s", e)
		}
	}
	got := h.files()
	if !strings.Contains(got["hub.yaml"], "contact: front_door") || !strings.Contains(got["hub.yaml"], "link: wired") || got["hub.front.mqtt-password"] != "sesame\n" {
		t.Errorf("%v", got)
	}
}

// Who has no link reads where to find one, and nothing else; a used one opens nothing.
func TestThePageWithoutALink(t *testing.T) {
	h := newHouse(t)
	b := h.browse(webtest.Shared(t).Page())
	b.reads("Front lock")
	used := b.links[0]
	b.clean()
	other := webtest.Shared(t).Page()
	for i, link := range []string{strings.Split(used, "#")[0], used} {
		if i > 0 {
			other = webtest.Shared(t).Page()
		}
		other.Go(link)
		other.Wait(`document.body.innerText.includes('Set up a hub')`)
		var text string
		other.Eval(`document.body.innerText`, &text)
		if strings.Contains(text, "Front lock") {
			t.Errorf("%s shows the home", link)
		}
	}
	b.Page = other
	b.shot("setup-link")
}
