package web_test

import (
	"errors"
	"testing"

	"eyebolt/web"
	"eyebolt/web/bundle"
)

// The committed dist is the bundle of the committed source. Without node_modules there is nothing to compare with: the
// place where releases are made installs them.
func TestDistIsTheBundleOfItsSource(t *testing.T) {
	files, err := bundle.Make(".")
	if errors.Is(err, bundle.ErrNoPackages) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	diff, err := files.Differ(web.Pages())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range diff {
		t.Errorf("%s; run go run ./web/build and commit web/dist", d)
	}
	again, err := bundle.Make(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range files.Paths() {
		if string(again[p]) != string(files[p]) {
			t.Errorf("%s: two bundles of one source differ", p)
		}
	}
}
