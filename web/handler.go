package web

import (
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// CSP is the pages' content security policy: our own files alone, nothing inline, nothing from elsewhere, never framed.
// WebRTC needs no source of its own; a clip is played from a Blob that was checked first.
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
	"media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; " +
	"base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types eyebolt"

const (
	notFramed   = "; frame-ancestors 'none'"
	permissions = "camera=(self), geolocation=(self), publickey-credentials-get=(self), " +
		"publickey-credentials-create=(self), microphone=(), payment=(), usb=()"
)

// Option changes what Handler serves. The demo alone needs any.
type Option func(*server)

// WithHub serves the pages of a hub that is set up, /setup and /walk, and none of the service's, which serves none of these.
func WithHub() Option { return func(s *server) { s.hub = true } }

// WithWorld also serves the demo's world page, which frames the pages of the given origins ("http://localhost:8421").
func WithWorld(frames ...string) Option {
	return func(s *server) {
		s.world = true
		s.frames = append(s.frames, frames...)
	}
}

// FramedBy lets pages of the given origins frame these pages. For the demo; a household's pages are never framed.
func FramedBy(origins ...string) Option {
	return func(s *server) { s.framedBy = append(s.framedBy, origins...) }
}

type server struct {
	world    bool
	hub      bool
	frames   []string
	framedBy []string
	files    map[string]file
}

type file struct {
	body []byte
	kind string
	etag string
}

// Handler serves the pages: "/", "/home…", "/stop…", "/ops…" (and "/world" in the demo) answer with their page, hashed
// assets may be kept for a year, everything else is asked for again each time (ETag). Other paths are 404. It answers
// GET and HEAD only.
func Handler(options ...Option) http.Handler {
	s := &server{files: map[string]file{}}
	for _, o := range options {
		o(s)
	}
	pages := Pages()
	err := fs.WalkDir(pages, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(pages, p)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		s.files[p] = file{body, kindOf(p), `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
		return nil
	})
	if err != nil {
		panic("web: " + err.Error()) // embedded files are always readable
	}
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	name := s.name(r.URL.Path)
	f, ok := s.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("ETag", f.etag)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if strings.HasPrefix(name, "assets/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	if strings.HasSuffix(name, ".html") || name == "sw.js" {
		s.guard(h, name)
	}
	if matches(r.Header.Get("If-None-Match"), f.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(f.body) // the client went away: nobody to tell
}

// guard sets the headers that say what a page may do.
func (s *server) guard(h http.Header, name string) {
	csp, allow := CSP, permissions
	switch {
	case name == "world.html":
		csp += "; frame-src 'self' " + strings.Join(s.frames, " ") + notFramed
		allow = "camera=*, geolocation=*, publickey-credentials-get=*, publickey-credentials-create=*"
	case len(s.framedBy) > 0:
		csp += "; frame-ancestors 'self' " + strings.Join(s.framedBy, " ")
	default:
		csp += notFramed
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
	h.Set("Content-Security-Policy", csp)
	h.Set("Permissions-Policy", allow)
}

// name is the file for a path; a page answers for every path below its own.
func (s *server) name(url string) string {
	p := strings.TrimPrefix(path.Clean("/"+url), "/")
	first, _, _ := strings.Cut(p, "/")
	switch first {
	case "":
		if s.hub {
			return "setup.html"
		}
		return "index.html"
	case "home", "stop", "ops":
		if s.hub {
			return ""
		}
		return first + ".html"
	case "world":
		if s.world {
			return "world.html"
		}
		return ""
	case "setup", "walk":
		if s.hub {
			return first + ".html"
		}
		return ""
	}
	asset := strings.TrimPrefix(p, "assets/")
	if strings.HasSuffix(p, ".html") || !s.world && strings.HasPrefix(asset, "world") || !s.hub && (strings.HasPrefix(asset, "setup") || strings.HasPrefix(asset, "walk")) {
		return ""
	}
	return p
}

func matches(header, etag string) bool {
	for _, one := range strings.Split(header, ",") {
		one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
		if one == etag || one == "*" {
			return true
		}
	}
	return false
}

func kindOf(p string) string {
	switch path.Ext(p) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".webmanifest":
		return "application/manifest+json"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	if k := mime.TypeByExtension(path.Ext(p)); k != "" {
		return k
	}
	return "application/octet-stream"
}
