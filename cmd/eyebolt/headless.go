package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"text/tabwriter"
	"time"
)

// visitPage is a visit as its resident reads it, over the public API.
type visitPage struct {
	ID       string  `json:"id"`
	Outcome  string  `json:"outcome"`
	Reason   string  `json:"reason"`
	GapS     float64 `json:"gap_s"`
	Timeline []struct {
		In     float64 `json:"in"`
		Kind   string  `json:"kind"`
		Word   string  `json:"word"`
		Reason string  `json:"reason"`
		Text   string  `json:"text"`
		Entry  uint64  `json:"entry"`
	} `json:"timeline"`
	Clip *struct {
		Files []struct {
			SHA256  string  `json:"sha256"`
			Bytes   int64   `json:"bytes"`
			Seconds float64 `json:"seconds"`
		} `json:"files"`
	} `json:"clip"`
}

// headless plays a story, prints what the resident can read of it, and says whether it ended as it must.
func (d *demo) headless(ctx context.Context, what, dir string, kept bool) error {
	follow, stop := context.WithCancel(ctx)
	defer stop()
	go d.narrate(follow)
	told := d.tell(ctx, what)
	stop()
	if told.Visit == "" {
		return fmt.Errorf("the story stopped before the visit began: %w", told.Err)
	}
	page, err := d.page(ctx, told.Visit)
	if err != nil {
		return err
	}
	if err := printTimeline(os.Stdout, page); err != nil {
		return err
	}
	if kept {
		fmt.Printf("\nrecord and clips are in %s: eyebolt verify %s\n", dir, dir)
	}
	if told.Err != nil {
		return fmt.Errorf("the story stopped: %w", told.Err)
	}
	switch {
	case what == "honest" && page.Outcome == "done" && page.GapS == 0:
		fmt.Println("visit: done")
		return nil
	case what == "rhino" && page.Outcome == "incident" && page.GapS > 0:
		fmt.Printf("visit: incident gap=%.1fs reason=%s\n", page.GapS, page.Reason)
		return nil
	}
	fmt.Printf("visit: %s gap=%.1fs reason=%s\n", page.Outcome, page.GapS, page.Reason)
	return fmt.Errorf("the %s visit did not end as it must", what)
}

// narrate prints the world's story as it happens, to standard error.
func (d *demo) narrate(ctx context.Context) {
	changed, back := d.town.world.Changed()
	defer back()
	printed := 0
	begin := time.Now()
	for {
		for _, l := range d.town.world.Lines()[printed:] {
			fmt.Fprintf(os.Stderr, "  %5.1f s  %-9s %s\n", l.At.Sub(begin).Seconds(), l.Who, l.Text)
			printed++
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// page reads the visit once its clip is filed.
func (d *demo) page(ctx context.Context, visit string) (visitPage, error) {
	var page visitPage
	err := waitFor(ctx, 15*time.Second, func() bool {
		page = visitPage{}
		err := d.town.cast.Resident.Call(ctx, http.MethodGet, "/api/visits/"+visit, nil, &page)
		return err == nil && page.Clip != nil
	})
	if page.ID == "" {
		return page, fmt.Errorf("visit %s cannot be read: %w", visit, err)
	}
	return page, nil
}

func printTimeline(out io.Writer, p visitPage) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\n   in s\tentry\tkind\twhat\twhy\tin words\n")
	for _, m := range p.Timeline {
		fmt.Fprintf(w, "%7.1f\t%5d\t%s\t%s\t%s\t%s\n", m.In, m.Entry, m.Kind, m.Word, m.Reason, m.Text)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if p.Clip != nil {
		fmt.Fprintln(out)
		for _, f := range p.Clip.Files {
			fmt.Fprintf(out, "clip: %.1f s, %d bytes, sha256 %s\n", f.Seconds, f.Bytes, f.SHA256)
		}
	}
	return nil
}
