// Package web is the apps' pages: sign-in, the resident's home, the courier's stops, the operator's console and the
// demo's world, embedded as bundled by web/build.
//
// The pages hold no secrets and decide nothing; they show what the API says and check what can be checked in a browser:
// the hub's signature on live video, the age of every picture, the digest of every clip.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Pages is the bundle: index.html, home.html, stop.html, ops.html, world.html, sw.js, manifest.webmanifest, assets/, icons/.
func Pages() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("web: " + err.Error()) // the path is a constant: cannot happen
	}
	return sub
}
