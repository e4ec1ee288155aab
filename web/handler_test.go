package web_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"

	"eyebolt/web"
)

func get(t *testing.T, h http.Handler, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestHandlerServesPagesAndAssets(t *testing.T) {
	plain, demo, hub := web.Handler(), web.Handler(web.WithWorld("http://localhost:1")), web.Handler(web.WithHub())
	for _, c := range []struct {
		h     http.Handler
		path  string
		code  int
		kind  string
		cache string
	}{
		{plain, "/", 200, "text/html", "no-cache"},
		{plain, "/home", 200, "text/html", "no-cache"},
		{plain, "/home/visit/v1", 200, "text/html", "no-cache"},
		{plain, "/stop/d1", 200, "text/html", "no-cache"},
		{plain, "/ops", 200, "text/html", "no-cache"},
		{plain, "/sw.js", 200, "text/javascript", "no-cache"},
		{plain, "/manifest.webmanifest", 200, "application/manifest+json", "no-cache"},
		{plain, "/icons/eyebolt.svg", 200, "image/svg+xml", "no-cache"},
		{plain, "/homely", 404, "", ""},
		{plain, "/home.html", 404, "", ""},
		{plain, "/../web.go", 404, "", ""},
		{plain, "/world", 404, "", ""}, // the demo's page is not in a household's service
		{demo, "/world", 200, "text/html", "no-cache"},
		{plain, "/setup", 404, "", ""}, // nor is the hub's
		{demo, "/setup", 404, "", ""},
		{hub, "/setup", 200, "text/html", "no-cache"},
		{hub, "/", 200, "text/html", "no-cache"},
		{hub, "/home", 404, "", ""}, // and the hub has none of the service's
		{hub, "/ops", 404, "", ""},
	} {
		r := get(t, c.h, c.path)
		if r.StatusCode != c.code || !strings.HasPrefix(r.Header.Get("Content-Type"), c.kind) {
			t.Errorf("%s: got %d %s, want %d %s", c.path, r.StatusCode, r.Header.Get("Content-Type"), c.code, c.kind)
		}
		if c.code == 200 && r.Header.Get("Cache-Control") != c.cache {
			t.Errorf("%s: cache %q, want %q", c.path, r.Header.Get("Cache-Control"), c.cache)
		}
	}
}

func TestHashedAssetsStayAndPagesAreAskedAgain(t *testing.T) {
	h, hub := web.Handler(), web.Handler(web.WithHub())
	all, err := fs.Glob(web.Pages(), "assets/*")
	if err != nil || len(all) == 0 {
		t.Fatalf("assets: %v, %v", all, err)
	}
	for _, a := range all {
		if strings.HasPrefix(path.Base(a), "world") {
			continue
		}
		from := h
		if base := path.Base(a); strings.HasPrefix(base, "setup") || strings.HasPrefix(base, "walk") {
			if r := get(t, h, "/"+a); r.StatusCode != 404 {
				t.Errorf("%s: the service serves a hub's page", a)
			}
			from = hub
		}
		if r := get(t, from, "/"+a); r.StatusCode != 200 || !strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: got %d %q", a, r.StatusCode, r.Header.Get("Cache-Control"))
		}
	}
	first := get(t, h, "/home")
	again := get(t, h, "/home", "If-None-Match", "W/\"x\", "+first.Header.Get("ETag"))
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("same ETag: got %d, want 304", again.StatusCode)
	}
	if stale := get(t, h, "/home", "If-None-Match", `"other"`); stale.StatusCode != 200 {
		t.Errorf("other ETag: got %d, want 200", stale.StatusCode)
	}
}

// Nothing inline runs, nothing from elsewhere loads, nobody frames a household's pages; the demo alone may.
func TestPolicy(t *testing.T) {
	csp := get(t, web.Handler(), "/home").Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("policy lacks %q: %s", want, csp)
		}
	}
	if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
		t.Errorf("policy is open: %s", csp)
	}
	framed := get(t, web.Handler(web.FramedBy("http://localhost:1")), "/home").Header.Get("Content-Security-Policy")
	if !strings.Contains(framed, "frame-ancestors 'self' http://localhost:1") {
		t.Errorf("demo policy: %s", framed)
	}
	pages, err := fs.Glob(web.Pages(), "*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		b, err := fs.ReadFile(web.Pages(), p)
		if err != nil {
			t.Fatal(err)
		}
		if s := string(b); strings.Contains(s, "<style") || strings.Contains(s, "style=") || strings.Contains(s, "<script>") || strings.Contains(s, "https://") {
			t.Errorf("%s: something inline or from elsewhere", p)
		}
	}
}

func TestOnlyReads(t *testing.T) {
	w := httptest.NewRecorder()
	web.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/home", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: got %d, want 405", w.Code)
	}
}
