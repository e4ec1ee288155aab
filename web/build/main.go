// Command build bundles web/src into web/dist. Run it from the repository's root after npm ci in web.
package main

import (
	"fmt"
	"os"

	"eyebolt/web/bundle"
)

func main() {
	files, err := bundle.Make("web")
	if err == nil {
		err = files.Write("web/dist")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	total := 0
	for _, p := range files.Paths() {
		total += len(files[p])
	}
	fmt.Printf("web/dist: %d files, %d KiB\n", len(files), total/1024)
}
