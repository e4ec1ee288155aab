// Package bundle turns web/src into the files of web/dist: one script per page with shared chunks, one stylesheet, the
// pages, the service worker, the manifest, the icons and the licences of what is bundled.
//
// The result depends on the sources and the pinned packages alone, so that a test can prove that the committed dist is
// the bundle of the committed source. Nothing here is part of the product's binary.
package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// ErrNoPackages says that the npm packages are not installed.
var ErrNoPackages = errors.New("bundle: web/node_modules is missing; run npm ci in web")

// Files is a bundle: path below dist → content.
type Files map[string][]byte

// Make bundles the sources under web, the folder that holds package.json.
func Make(web string) (Files, error) {
	web, err := filepath.Abs(web)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	if _, err := os.Stat(filepath.Join(web, "node_modules", "preact", "package.json")); err != nil {
		return nil, ErrNoPackages
	}
	out := Files{}
	made, err := scripts(web, out)
	if err != nil {
		return nil, err
	}
	for _, p := range pages {
		out[p.name+".html"] = p.html(made)
	}
	for _, step := range []func(string, Files) error{icons, manifest, licences, worker} {
		if err := step(web, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// made says what a page's entry point became.
type made struct {
	script map[string]string   // page → script
	style  string              // the one stylesheet
	chunks map[string][]string // page → scripts that it imports
}

func scripts(web string, out Files) (made, error) {
	m := made{script: map[string]string{}, chunks: map[string][]string{}}
	entries := []api.EntryPoint{{InputPath: "src/style/main.css", OutputPath: "style"}}
	for _, p := range pages {
		entries = append(entries, api.EntryPoint{InputPath: "src/" + p.name + ".tsx", OutputPath: p.name})
	}
	dist := filepath.Join(web, "dist")
	r := api.Build(api.BuildOptions{
		AbsWorkingDir:       web,
		EntryPointsAdvanced: entries,
		Outdir:              filepath.Join(dist, "assets"),
		EntryNames:          "[name]-[hash]",
		ChunkNames:          "shared-[hash]",
		Bundle:              true,
		Splitting:           true,
		Format:              api.FormatESModule,
		Target:              api.ES2022,
		Platform:            api.PlatformBrowser,
		JSX:                 api.JSXAutomatic,
		JSXImportSource:     "preact",
		MinifySyntax:        true,
		MinifyWhitespace:    true,
		MinifyIdentifiers:   true,
		LegalComments:       api.LegalCommentsNone, // dist/licences.txt holds them whole
		Charset:             api.CharsetUTF8,
		LogLevel:            api.LogLevelSilent,
		Metafile:            true,
		Write:               false,
	})
	if err := problem(r.Errors, r.Warnings); err != nil {
		return m, err
	}
	for _, f := range r.OutputFiles {
		rel, err := filepath.Rel(dist, f.Path)
		if err != nil {
			return m, fmt.Errorf("bundle: %w", err)
		}
		out[filepath.ToSlash(rel)] = f.Contents
	}
	meta, err := readMeta(r.Metafile)
	if err != nil {
		return m, err
	}
	for file, o := range meta.Outputs {
		name := strings.TrimSuffix(path.Base(o.EntryPoint), ".tsx")
		switch {
		case o.EntryPoint == "src/style/main.css":
			m.style = strings.TrimPrefix(file, "dist")
		case o.EntryPoint != "":
			m.script[name] = strings.TrimPrefix(file, "dist")
			for _, i := range o.Imports {
				if i.Kind == "import-statement" {
					m.chunks[name] = append(m.chunks[name], strings.TrimPrefix(i.Path, "dist"))
				}
			}
			sort.Strings(m.chunks[name])
		}
	}
	return m, nil
}

// worker bundles the service worker, which is told the shell's files and a name that changes with any of them.
func worker(web string, out Files) error {
	var shell []string
	sum := sha256.New()
	for _, p := range out.Paths() {
		if apart(p) || p == "licences.txt" {
			continue
		}
		sum.Write([]byte(p))
		sum.Write(out[p])
		if strings.HasPrefix(p, "assets/") || strings.HasPrefix(p, "icons/") {
			shell = append(shell, "/"+p)
		}
	}
	r := api.Build(api.BuildOptions{
		AbsWorkingDir:     web,
		EntryPoints:       []string{"src/sw.ts"},
		Bundle:            true,
		Format:            api.FormatIIFE,
		Target:            api.ES2022,
		MinifySyntax:      true,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		LogLevel:          api.LogLevelSilent,
		Define: map[string]string{
			"SHELL":   `["` + strings.Join(shell, `","`) + `"]`,
			"VERSION": `"` + hex.EncodeToString(sum.Sum(nil))[:16] + `"`,
		},
		Write: false,
	})
	if err := problem(r.Errors, r.Warnings); err != nil {
		return err
	}
	out["sw.js"] = r.OutputFiles[0].Contents
	return nil
}

// apart says whether a file is a page's that is never part of the shell: the demo's world, and the hub's own pages.
func apart(p string) bool {
	first := strings.TrimPrefix(p, "assets/")
	for _, name := range []string{"world", "setup", "walk"} {
		if strings.HasPrefix(first, name) {
			return true
		}
	}
	return false
}

// Global bundles one module for a test: a script that leaves its exports in a global of that name.
func Global(web, module, name string) (string, error) {
	web, err := filepath.Abs(web)
	if err != nil {
		return "", fmt.Errorf("bundle: %w", err)
	}
	r := api.Build(api.BuildOptions{
		AbsWorkingDir: web, EntryPoints: []string{module}, Bundle: true, Format: api.FormatIIFE, GlobalName: name,
		Target: api.ES2022, LogLevel: api.LogLevelSilent, Write: false,
	})
	if err := problem(r.Errors, r.Warnings); err != nil {
		return "", err
	}
	return string(r.OutputFiles[0].Contents), nil
}

func problem(lists ...[]api.Message) error {
	for _, l := range lists {
		if len(l) == 0 {
			continue
		}
		if at := l[0].Location; at != nil {
			return fmt.Errorf("bundle: %s:%d: %s", at.File, at.Line, l[0].Text)
		}
		return fmt.Errorf("bundle: %s", l[0].Text)
	}
	return nil
}

// Paths lists the files, sorted.
func (f Files) Paths() []string {
	var all []string
	for p := range f {
		all = append(all, p)
	}
	sort.Strings(all)
	return all
}

// Write replaces the folder's content with the bundle.
func (f Files) Write(dist string) error {
	if err := os.RemoveAll(dist); err != nil {
		return fmt.Errorf("bundle: clear %s: %w", dist, err)
	}
	for _, p := range f.Paths() {
		to := filepath.Join(dist, filepath.FromSlash(p))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return fmt.Errorf("bundle: %w", err)
		}
		if err := os.WriteFile(to, f[p], 0o644); err != nil {
			return fmt.Errorf("bundle: %w", err)
		}
	}
	return nil
}

// Differ says how the bundle differs from a folder, in words; empty if it does not.
func (f Files) Differ(dist fs.FS) ([]string, error) {
	var all []string
	seen := map[string]bool{}
	err := fs.WalkDir(dist, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		seen[p] = true
		got, err := fs.ReadFile(dist, p)
		if err != nil {
			return err
		}
		if want, ok := f[p]; !ok {
			all = append(all, p+": not in the bundle")
		} else if string(got) != string(want) {
			all = append(all, p+": differs")
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	for _, p := range f.Paths() {
		if !seen[p] {
			all = append(all, p+": missing")
		}
	}
	return all, nil
}
