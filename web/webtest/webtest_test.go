package webtest

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The helper sees what a person sees: text, a click's effect, errors in red, and a passkey that signs.
func TestPage(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><link rel=icon href="data:,"><button onclick="out.textContent='clicked'">go</button><input>
			<p id=out>waiting</p><div id=slider style="width:40px;height:40px;background:red"></div><script>
			addEventListener('mousemove', e => { if (e.buttons) window.dragged = e.clientX })</script>`))
	}))
	defer srv.Close()
	url := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)

	p := Start(t).Page()
	p.Go(url)
	p.Text("waiting")
	p.Click("button")
	p.Text("clicked")
	p.Type("input", "äöü 1")
	var typed string
	p.Eval(`document.querySelector('input').value`, &typed)
	if typed != "äöü 1" {
		t.Errorf("typed %q", typed)
	}
	p.Drag("#slider", 100, 0)
	p.Wait("window.dragged > 100")

	if got := p.Errors(); len(got) != 0 {
		t.Errorf("errors before any: %q", got)
	}
	p.Eval(`console.error('red', 1)`, nil)
	p.Eval(`setTimeout(() => { throw new Error('uncaught') })`, nil)
	p.Eval(`fetch('/missing', {method: 'POST'}).then(() => 1)`, nil)
	got := p.Errors()
	for end := time.Now().Add(Limit); len(got) < 2 && time.Now().Before(end); got = append(got, p.Errors()...) {
		p.Eval("new Promise(r => setTimeout(r, 10))", nil) // the page's turn
	}
	if all := strings.Join(got, "\n"); !strings.Contains(all, "red 1") || !strings.Contains(all, "uncaught") {
		t.Errorf("errors = %q", got)
	}

	p.Authenticator()
	var kind string
	p.Eval(`navigator.credentials.create({publicKey: {challenge: new Uint8Array(16), rp: {name: 'x', id: 'localhost'},
		user: {id: new Uint8Array(8), name: 'n', displayName: 'n'}, pubKeyCredParams: [{type: 'public-key', alg: -7}],
		authenticatorSelection: {userVerification: 'required', residentKey: 'required'}}}).then(c => c.type)`, &kind)
	if kind != "public-key" {
		t.Errorf("credential type %q", kind)
	}

	shot := filepath.Join(t.TempDir(), "a", "page.png")
	p.Viewport(1440, 900)
	p.Shot(shot)
	if st, err := os.Stat(shot); err != nil || st.Size() < 1000 {
		t.Errorf("screenshot: %v %v", st, err)
	}
	var width int
	p.Eval("innerWidth", &width)
	if width != 1440 {
		t.Errorf("width %d", width)
	}
}
