package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"sort"
)

// page is one HTML file: src/<name>.tsx is its script.
type page struct {
	name, title string
}

var pages = []page{
	{"index", "Eyebolt"},
	{"home", "Home – Eyebolt"},
	{"stop", "Stops – Eyebolt"},
	{"ops", "Operations – Eyebolt"},
	{"setup", "Set-up – Eyebolt hub"},
	{"walk", "Walk test – Eyebolt hub"},
	{"world", "The world – Eyebolt demo"},
}

// html is a whole page without anything inline: the policy (web.CSP) allows no inline script and no inline style.
func (p page) html(m made) []byte {
	var b bytes.Buffer
	b.WriteString("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
	b.WriteString("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1, viewport-fit=cover\">\n")
	b.WriteString("<meta name=\"color-scheme\" content=\"light dark\">\n")
	b.WriteString("<meta name=\"theme-color\" content=\"#f6f5f2\" media=\"(prefers-color-scheme: light)\">\n")
	b.WriteString("<meta name=\"theme-color\" content=\"#101312\" media=\"(prefers-color-scheme: dark)\">\n")
	fmt.Fprintf(&b, "<title>%s</title>\n", html.EscapeString(p.title))
	b.WriteString("<link rel=\"icon\" href=\"/icons/eyebolt.svg\" type=\"image/svg+xml\">\n")
	b.WriteString("<link rel=\"apple-touch-icon\" href=\"/icons/eyebolt-192.png\">\n")
	b.WriteString("<link rel=\"manifest\" href=\"/manifest.webmanifest\">\n")
	fmt.Fprintf(&b, "<link rel=\"stylesheet\" href=\"%s\">\n", m.style)
	for _, c := range m.chunks[p.name] {
		fmt.Fprintf(&b, "<link rel=\"modulepreload\" href=\"%s\">\n", c)
	}
	fmt.Fprintf(&b, "<script type=\"module\" src=\"%s\"></script>\n", m.script[p.name])
	b.WriteString("</head>\n<body>\n<div id=\"app\"><noscript><p class=\"noscript\">Eyebolt needs JavaScript: it checks the hub's signature and the age of every picture in your browser.</p></noscript></div>\n</body>\n</html>\n")
	return b.Bytes()
}

// meta is what is read of esbuild's metafile.
type meta struct {
	Outputs map[string]struct {
		EntryPoint string `json:"entryPoint"`
		Imports    []struct {
			Path string `json:"path"`
			Kind string `json:"kind"`
		} `json:"imports"`
	} `json:"outputs"`
}

func readMeta(text string) (meta, error) {
	var m meta
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return m, fmt.Errorf("bundle: metafile: %w", err)
	}
	return m, nil
}

func icons(web string, out Files) error {
	list, err := os.ReadDir(filepath.Join(web, "src", "icons"))
	if err != nil {
		return fmt.Errorf("bundle: icons: %w", err)
	}
	for _, e := range list {
		b, err := os.ReadFile(filepath.Join(web, "src", "icons", e.Name()))
		if err != nil {
			return fmt.Errorf("bundle: icons: %w", err)
		}
		out["icons/"+e.Name()] = b
	}
	return nil
}

func manifest(web string, out Files) error {
	b, err := os.ReadFile(filepath.Join(web, "src", "manifest.webmanifest"))
	if err != nil {
		return fmt.Errorf("bundle: manifest: %w", err)
	}
	out["manifest.webmanifest"] = b
	return nil
}

// licences gathers the licence text of every npm package that is bundled.
func licences(web string, out Files) error {
	var b bytes.Buffer
	names := []string{"preact", "@preact/signals", "@preact/signals-core"}
	sort.Strings(names)
	for _, n := range names {
		text, err := os.ReadFile(filepath.Join(web, "node_modules", filepath.FromSlash(n), "LICENSE"))
		if err != nil {
			return fmt.Errorf("bundle: licence of %s: %w", n, err)
		}
		fmt.Fprintf(&b, "%s\n\n%s\n\n", n, bytes.TrimSpace(text))
	}
	out["licences.txt"] = b.Bytes()
	return nil
}
