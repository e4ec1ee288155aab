package webtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// Tests that share a Chromium find nothing of each other: no cookie, no storage, no cache, no passkey, no size of the window, no
// open page.
func TestSharedKeepsTestsApart(t *testing.T) {
	served := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/kept.js" {
			served++
			w.Header().Set("Cache-Control", "max-age=3600")
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = fmt.Fprint(w, "window.kept = 1")
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<!doctype html><meta name=viewport content="width=device-width"><link rel=icon href="data:,"><script src="/kept.js"></script>`)
	}))
	defer srv.Close()
	url := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	const traces = `(async () => {
		const credential = await navigator.credentials.get({publicKey: {challenge: new Uint8Array(16), rpId: 'localhost', timeout: 2000}})
			.then(() => 'a passkey ', () => '');
		return document.cookie + Object.keys(localStorage) + (await indexedDB.databases()).length + credential + innerWidth;
	})()`
	var chromium []*chromium
	for _, name := range []string{"one", "two"} {
		t.Run(name, func(t *testing.T) {
			b := Shared(t)
			chromium = append(chromium, b.chromium)
			p := b.Page()
			p.Go(url)
			p.Authenticator()
			var got string
			p.Eval(traces, &got)
			if got != "0390" {
				t.Errorf("a new page finds %q", got)
			}
			p.Eval(`(async () => {
				document.cookie = 'a=b; max-age=3600'; localStorage.c = 'd';
				await new Promise((done) => { indexedDB.open('e').onsuccess = done });
				await navigator.credentials.create({publicKey: {challenge: new Uint8Array(16), rp: {name: 'x', id: 'localhost'},
					user: {id: new Uint8Array(8), name: 'n', displayName: 'n'}, pubKeyCredParams: [{type: 'public-key', alg: -7}],
					authenticatorSelection: {userVerification: 'required', residentKey: 'required'}}});
			})()`, nil)
			p.Viewport(1440, 900)
			p.Eval(traces, &got)
			if want := "a=bc1a passkey 1440"; got != want {
				t.Errorf("the page that left them finds %q, want %q", got, want)
			}
		})
	}
	if chromium[0] != chromium[1] {
		t.Error("each test had a Chromium of its own")
	}
	if served != 2 {
		t.Errorf("the script was fetched %d times: the cache is shared", served)
	}
	var targets struct {
		TargetInfos []struct{ Type, URL string }
	}
	Shared(t).must("", "Target.getTargets", nil, &targets)
	for _, i := range targets.TargetInfos {
		if strings.HasPrefix(i.URL, url) {
			t.Errorf("left open: %s %s", i.Type, i.URL)
		}
	}
}

// A Chromium that died fails the test it died in, and no other.
func TestSharedIsReplacedWhenItDies(t *testing.T) {
	t.Run("killed", func(t *testing.T) {
		c := Shared(t).chromium
		killGroup(c.cmd)
		if _, err := c.try("", "Browser.getVersion", nil); err == nil {
			t.Error("it lives on")
		}
	})
	p := Shared(t).Page()
	var two int
	if p.Eval("1+1", &two); two != 2 {
		t.Errorf("1+1 = %d", two)
	}
}
