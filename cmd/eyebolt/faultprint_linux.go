package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

func printFaults(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "family\tfault\twhat happens\there\n")
	for _, f := range faults {
		here := "yes"
		if why := f.lacks(); why != "" {
			here = "no: " + why
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.family, f.name, f.say, here)
	}
	return w.Flush()
}

const faultRow = "%4s  %6s  %-22s %-9s  %-10s  %-18s  %-7s  %-8s  %-13s  %s\n"

func printFaultHead(out io.Writer) {
	fmt.Fprintf(out, faultRow, "run", "seed", "fault", "moment", "phase", "record", "unlocks", "silent s", "visit", "door")
}

func printFaultRun(out io.Writer, k *faultReport) {
	silent := "-"
	if k.SilentAlarm > 0 {
		silent = fmt.Sprintf("%.2f", k.SilentAlarm)
	}
	fmt.Fprintf(out, faultRow, fmt.Sprint(k.Run), fmt.Sprint(k.Seed), k.Fault, k.Moment, k.Phase, k.Record, fmt.Sprint(k.Unlocks), silent, k.Outcome, k.Door)
	for _, n := range k.Notes {
		fmt.Fprintf(out, "      note: %s\n", n)
	}
	for _, broke := range k.Broke {
		fmt.Fprintf(out, "      BROKE: %s\n", broke)
	}
}

// tell prints a run's story, one line an event.
func (r *faultRun) tell(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, l := range r.lines() {
		fmt.Fprintf(w, "      %7.2f s\t%s\t%s\n", (l.at - r.began).Seconds(), l.who, cutText(oneLine(l.text), 200))
	}
	_ = w.Flush()
}

func cutText(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}

func printFaultSums(out io.Writer, r faultResult) {
	sum := func(what string, m map[string]int) {
		fmt.Fprintf(out, "%-9s", what)
		for _, k := range slices.Sorted(maps.Keys(m)) {
			fmt.Fprintf(out, "  %s %d", k, m[k])
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out)
	sum("faults", r.Faults)
	sum("phases", r.Phases)
	sum("visits", r.Outcomes)
	fmt.Fprintf(out, "%d runs; %d broke a rule\n", r.Runs, r.Broke)
}
