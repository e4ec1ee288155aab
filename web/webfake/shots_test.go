package webfake

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"eyebolt/web/webtest"
)

// screens is where screenshots go: go test ./web/webfake -screens=../../docs/screens renews the committed ones.
var screens = flag.String("screens", "", "folder for screenshots; empty: they are taken and thrown away")

const largestShot = 150 << 10 // a screenshot is read in a browser by strangers

func TestMain(m *testing.M) { os.Exit(webtest.Main(m)) }

// open gives a page in the one browser that serves all tests: a profile of its own keeps it apart.
func open(t *testing.T) *webtest.Page {
	t.Helper()
	return webtest.Shared(t).Page()
}

// shot takes the page as it is on a phone and on a desk, and checks that nothing went wrong on it so far.
func shot(t *testing.T, p *webtest.Page, name string) {
	t.Helper()
	shotOf(t, p, name)
	clean(t, p)
}

func shotOf(t *testing.T, p *webtest.Page, name string) {
	t.Helper()
	dir := *screens
	if dir == "" {
		dir = t.TempDir()
	}
	for _, s := range []struct {
		name          string
		width, height int
	}{{"desk", 1440, 900}, {"phone", 390, 844}} {
		p.Viewport(s.width, s.height)
		p.Eval(`new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(1))))`, nil)
		var wide bool
		p.Eval(fmt.Sprintf(`document.documentElement.scrollWidth > %d`, s.width), &wide) // a phone makes its window as wide as the page
		if wide {
			t.Errorf("%s on a %s is wider than the screen", name, s.name)
		}
		file := filepath.Join(dir, name+"-"+s.name+".png")
		p.Shot(file)
		if info, err := os.Stat(file); err != nil || info.Size() > largestShot {
			t.Errorf("%s: %v, %d bytes, want at most %d", file, err, info.Size(), largestShot)
		}
	}
}

// clean fails the test if a developer would see something in red: an exception, a failed load, a refusal by the policy.
func clean(t *testing.T, p *webtest.Page) {
	t.Helper()
	for _, e := range p.Errors() {
		t.Errorf("in the page: %s", e)
	}
}

// shotDespiteErrors is shot where the network is down on purpose.
func shotDespiteErrors(t *testing.T, p *webtest.Page, name string) {
	t.Helper()
	shotOf(t, p, name)
	p.Errors()
}
