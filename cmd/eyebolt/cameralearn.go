package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"eyebolt/hub/run"
)

// CameraLearnCmd has the running hub forget what a camera's pictures usually are, and learn them anew.
type CameraLearnCmd struct {
	Camera   string `arg:"" help:"Which camera: DOOR/CAMERA, or its name if only one has it."`
	Config   string `required:"" type:"existingfile" help:"The hub's configuration."`
	Infrared bool   `help:"The camera sees by infrared now: learn that beside what it shows by day."`
	Seen     bool   `help:"I have looked at the picture: the lens is free, sharp, and shows the door."`

	out io.Writer
}

// Run asks the hub, and says what it did.
func (c *CameraLearnCmd) Run(ctx context.Context) error {
	if c.out == nil {
		c.out = os.Stdout
	}
	var cfg HubConfig
	if err := load(c.Config, &cfg); err != nil {
		return err
	}
	door, camera, err := cfg.named(c.Camera)
	if err != nil {
		return fmt.Errorf("learn: %w", err)
	}
	what, price := run.RelearnAll, "What the camera shows now becomes what it usually shows: if its lens is covered, dark or out of focus now, that will no longer be found."
	if c.Infrared {
		what, price = run.RelearnInfrared, "A picture as poor as the present one will count as free from now on, by day too: a cover that leaves as much in view will no longer be found from what key pictures weigh."
	}
	if !c.Seen {
		return errors.New("learn: " + price + " Look at the live picture first, then say --seen")
	}
	say, err := run.AskToLearn(ctx, filepath.Join(cfg.State, "cameras"), door, camera, what)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%s/%s: %s. %s\n", door, camera, say, price)
	return err
}

// named finds a camera by its name, or by its door's and its own.
func (c HubConfig) named(name string) (door, camera string, err error) {
	var all []string
	n := 0
	for _, d := range c.Doors {
		for _, k := range d.Cameras {
			all = append(all, d.Name+"/"+k.Name)
			if name == k.Name || name == d.Name+"/"+k.Name {
				door, camera = d.Name, k.Name
				n++
			}
		}
	}
	switch n {
	case 1:
		return door, camera, nil
	case 0:
		return "", "", fmt.Errorf("no camera is called %q: there are %s", name, strings.Join(all, ", "))
	default:
		return "", "", fmt.Errorf("%d cameras are called %q: say which of %s", n, name, strings.Join(all, ", "))
	}
}
