package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"eyebolt/ledger"
	"eyebolt/ledger/sqlite"
)

// WhyCmd answers "why did it say frozen?" from the record, a year later and with no hub running.
type WhyCmd struct {
	State  string `arg:"" type:"existingdir" help:"The hub's folder, or a copy of it."`
	Door   string `help:"Only this door."`
	Camera string `help:"Only this camera."`
	Visit  string `help:"Only this visit."`
	All    bool   `help:"Every lapse on record; else the newest twenty."`

	out io.Writer
}

// newestLapses is how many are told without --all.
const newestLapses = 20

// Run reads the record, writes nothing, and prints each lapse with what was measured.
func (c *WhyCmd) Run(ctx context.Context) error {
	if c.out == nil {
		c.out = os.Stdout
	}
	log, err := sqlite.Read(c.State)
	if err != nil {
		return fmt.Errorf("why: name the hub's state folder: %w", err)
	}
	lapses, err := c.lapses(ctx, log)
	if err = errors.Join(err, log.Close()); err != nil {
		return fmt.Errorf("why: %w", err)
	}
	if len(lapses) == 0 {
		_, err := fmt.Fprintln(c.out, "No such lapse is on record.")
		return err
	}
	if over := len(lapses) - newestLapses; over > 0 && !c.All {
		lapses = lapses[over:]
		if _, err := fmt.Fprintf(c.out, "%d older ones are not shown: --all shows them.\n", over); err != nil {
			return err
		}
	}
	for _, e := range lapses {
		if err := c.tell(e); err != nil {
			return err
		}
	}
	return nil
}

// lapse is one and what the detectors found.
type lapse struct {
	entry ledger.Entry
	data  ledger.WatchData
}

// lapses gives those that were asked for, oldest first.
func (c *WhyCmd) lapses(ctx context.Context, log *sqlite.Reader) (out []lapse, err error) {
	err = log.Rows(ctx, func(r ledger.Row) error {
		e, err := ledger.Decode(r.Leaf)
		if err != nil {
			return fmt.Errorf("entry %d is damaged: run eyebolt verify: %w", r.Index, err)
		}
		var d ledger.WatchData
		if e.Kind != ledger.KindWatch || c.Door != "" && e.Door != c.Door || c.Visit != "" && e.Visit != c.Visit {
			return nil
		}
		if json.Unmarshal(e.Data, &d) != nil || len(d.Evidence) == 0 {
			return nil // it is back, or of a hub that kept no reasons yet
		}
		if c.Camera != "" {
			kept := d.Evidence[:0]
			for _, k := range d.Evidence {
				if k.Camera == c.Camera {
					kept = append(kept, k)
				}
			}
			if d.Evidence = kept; len(kept) == 0 {
				return nil
			}
		}
		out = append(out, lapse{e, d})
		return nil
	})
	return out, err
}

// tell prints one lapse. What a camera or a detector put into the record is printed without what a terminal would act on.
func (c *WhyCmd) tell(t lapse) error {
	e := t.entry
	word, alone := strings.CutPrefix(e.Word, "camera-")
	line := fmt.Sprintf("%s  #%d  door %s: %s", e.Time.Format(time.RFC3339), e.Index, e.Door, word)
	if alone {
		line += fmt.Sprintf(" (camera %s alone; another one watched)", t.data.Camera)
	}
	if e.Visit != "" {
		line += "  visit " + e.Visit
	}
	lines := []string{line}
	for _, k := range t.data.Evidence {
		mark := " "
		if k.State != "live" {
			mark = "!"
		}
		lines = append(lines, fmt.Sprintf("  %s %s/%s says %s: measured %.4g, limit %.4g, %d ms before. %s", mark, k.Camera, k.By, k.State, k.Score, k.Limit, k.AgoMs, k.Say))
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(c.out, plain(l)); err != nil {
			return err
		}
	}
	return nil
}
