package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"eyebolt/virtual/clip"
)

// ClipsCmd makes the clips that detectors are fitted on and judged by, and lists them with the truth about each.
type ClipsCmd struct {
	Dir   string `arg:"" type:"path" help:"The folder for the clips and their list, manifest.json. What is there already is kept."`
	Split string `enum:"train,heldout" default:"heldout" help:"Scenes to look for thresholds on (train), or to judge them by (heldout)."`
	Small bool   `help:"Two encoders and one size: a quick look."`
	Seed  uint64 `default:"1" help:"Of noise, light and people. Another seed makes other clips of the same rooms."`
}

// Run makes what is missing.
func (c *ClipsCmd) Run(ctx context.Context) error {
	_, err := makeClips(ctx, c.Dir, clip.Plan(c.Split, c.Small, c.Seed))
	return err
}

func makeClips(ctx context.Context, dir string, takes []clip.Take) (*clip.Manifest, error) {
	start := time.Now()
	return clip.Make(ctx, dir, takes, func(done, all int, file string) {
		fmt.Fprintf(os.Stderr, "clip %d of %d after %s: %s\n", done, all, time.Since(start).Round(time.Second), file)
	})
}
