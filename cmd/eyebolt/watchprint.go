package main

import (
	"encoding/json"
	"fmt"
	"io"
)

// print gives the result as a table, or as JSON.
func (c *WatchCmd) print(w io.Writer, r watchResult) error {
	if c.JSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	fmt.Fprintf(w, "%dp%d at %d kbit/s; per camera: %% of a core (user and system), MiB of the whole process\n\n", r.Height, r.FPS, r.Kbit)
	fmt.Fprintf(w, "| cameras | | CPU %% | PSS MiB | RSS MiB | pictures/s |\n|---:|---|---:|---:|---:|---:|\n")
	line := func(n int, who string, t stint) {
		fmt.Fprintf(w, "| %d | %s | %.2f | %.1f | %.1f | %.1f |\n", n, who, t.CPU, t.PSS, t.RSS, t.FPS)
	}
	for _, run := range r.Runs {
		line(run.Cameras, "hub: watches, judges and records; stills "+run.Stills, run.Hub)
		if run.Decoders != nil {
			line(run.Cameras, "its decoders beside it", *run.Decoders)
		}
		if run.Peer != nil {
			line(run.Cameras, "hub: watches and judges; stills "+run.Stills, run.Watching)
			line(run.Cameras, "MediaMTX: records", *run.Peer)
		}
	}
	fmt.Fprintf(w, "\nliveness: %.0f ns and %.2f allocations a picture (%d pictures)\n", r.Liveness.Ns, r.Liveness.Allocs, r.Liveness.Pictures)
	for _, run := range r.Runs {
		fmt.Fprintf(w, "%d cameras: %.0f %% of the hub's turns were recorded; %.1f MiB a camera are the pre-roll's pictures\n", run.Cameras, 100*run.Recorded, run.PreRollMB)
	}
	for _, n := range r.Notes {
		fmt.Fprintln(w, "note: "+n)
	}
	return nil
}
