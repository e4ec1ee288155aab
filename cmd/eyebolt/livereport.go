package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// liveReport is the machine-readable outcome. Times are in seconds.
type liveReport struct {
	FalsePerCameraHour float64                   `json:"false_per_camera_hour"` // over all detectors
	Below              float64                   `json:"below_per_camera_hour_95"`
	False              int                       `json:"false_verdicts"`
	CameraHours        float64                   `json:"camera_hours"`
	WholeHours         float64                   `json:"camera_hours_whole"`     // every picture coded
	KeyHours           float64                   `json:"camera_hours_keys_only"` // key pictures coded, the others made up
	Keys               int                       `json:"key_pictures_keys_only"`
	Clips              int                       `json:"clips"`
	Freeze             detectorReport            `json:"freeze"`
	Replay             detectorReport            `json:"replay"`
	Loop               detectorReport            `json:"loop"`
	Cover              detectorReport            `json:"cover"`
	Others             map[string]detectorReport `json:"others,omitempty"` // detectors of time and of the disk: false verdicts only
	FFmpeg             ffmpegReport              `json:"ffmpeg"`
	Cost               costReport                `json:"cost"`
	Missed             []string                  `json:"missed"`
	Falsely            []falseVerdict            `json:"falsely"`
	Check              []keyCheck                `json:"whole_against_keys_only"`
}

type detectorReport struct {
	Target  string                `json:"target,omitempty"`
	Met     bool                  `json:"met"`
	Hits    int                   `json:"hits"`  // found as soon as the target says
	Found   int                   `json:"found"` // found at all while it lasted
	N       int                   `json:"n"`
	Share   float64               `json:"share"`
	After   seconds               `json:"time_to_verdict_s"`
	KeysMax int                   `json:"key_pictures_to_verdict_max"`
	KeysP50 int                   `json:"key_pictures_to_verdict_p50"`
	By      map[string]int        `json:"found_by,omitempty"` // which detectors held it
	Kinds   map[string]kindReport `json:"kinds,omitempty"`
	False   int                   `json:"false_verdicts"`
	PerHour float64               `json:"false_per_camera_hour"`
	Below   float64               `json:"below_per_camera_hour_95"`
	Live    margin                `json:"score_by_limit_live"`  // findings that were live, as shares of the limit
	Lapse   margin                `json:"score_by_limit_lapse"` // and those that were lapses, after onset
}

type kindReport struct {
	Hits  int     `json:"hits"`
	Found int     `json:"found"`
	N     int     `json:"n"`
	After seconds `json:"time_to_verdict_s"`
}

// seconds is a spread in seconds.
type seconds struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func secondsOf(ds []time.Duration) seconds {
	s := spreadOf(slices.Clone(ds))
	return seconds{s.P50 / 1000, s.P99 / 1000, s.Max / 1000}
}

type ffmpegReport struct {
	Hits        map[string]string `json:"freezedetect_hits"` // by kind: hits of n
	CalledShare float64           `json:"freezedetect_share_of_live_time_called_frozen"`
	PerHour     float64           `json:"freezedetect_false_per_camera_hour"`
	BlackHits   string            `json:"blackdetect_hits"` // of bag, black and blackout
	BlackPer    float64           `json:"blackdetect_false_per_camera_hour"`
}

func (b *liveBench) report() liveReport {
	hours := (b.honest + b.keysOnly).Hours()
	r := liveReport{
		False: len(b.falsely), CameraHours: hours, WholeHours: b.honest.Hours(), KeyHours: b.keysOnly.Hours(), Keys: b.keys, Clips: b.clips,
		Others: map[string]detectorReport{}, Cost: b.cost, Missed: b.missed, Falsely: b.falsely, Check: b.checks,
	}
	r.FalsePerCameraHour, r.Below = per(len(b.falsely), hours), poissonAbove(len(b.falsely))/hours
	for _, name := range slices.Sorted(maps.Keys(b.rows)) {
		d := b.rows[name].report(hours)
		for _, p := range promises {
			if p.detector == name && d.N > 0 {
				d.Target, d.Met = p.target, d.Share >= p.share
			}
		}
		switch name {
		case "freeze":
			r.Freeze = d
		case "replay":
			r.Replay = d
		case "loop":
			r.Loop = d
		case "cover":
			r.Cover = d
		default:
			r.Others[name] = d
		}
	}
	p := b.peers
	f := ffmpegReport{Hits: map[string]string{}, BlackHits: fmt.Sprintf("%d of %d", p.blackHits, p.black)}
	for _, kind := range slices.Sorted(maps.Keys(p.n)) {
		f.Hits[kind] = fmt.Sprintf("%d of %d", p.hits[kind], p.n[kind])
	}
	if p.live > 0 {
		f.CalledShare, f.PerHour, f.BlackPer = p.called/p.live, float64(p.events)/p.live*3600, float64(p.blackFalse)/p.live*3600
	}
	r.FFmpeg = f
	return r
}

func per(n int, hours float64) float64 {
	if hours == 0 {
		return 0
	}
	return float64(n) / hours
}

func (t *tally) report(hours float64) detectorReport {
	d := detectorReport{
		Hits: t.hits, Found: t.found, N: t.n, After: secondsOf(t.after), By: t.by, Kinds: map[string]kindReport{}, False: t.falsely,
		PerHour: per(t.falsely, hours), Live: t.near, Lapse: t.far,
	}
	if hours > 0 {
		d.Below = poissonAbove(t.falsely) / hours
	}
	if t.n > 0 {
		d.Share = float64(t.hits) / float64(t.n)
	}
	if len(t.keys) > 0 {
		keys := slices.Sorted(slices.Values(t.keys))
		d.KeysP50, d.KeysMax = keys[len(keys)/2], keys[len(keys)-1]
	}
	for _, kind := range slices.Sorted(maps.Keys(t.kinds)) {
		k := t.kinds[kind]
		d.Kinds[kind] = kindReport{k.hits, k.found, k.n, secondsOf(k.after)}
	}
	return d
}

func (b *liveBench) print(asJSON bool) error {
	r := b.report()
	if asJSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	fmt.Printf("%d clips of the held-out rooms; honest pictures: %.2f camera-hours whole, %.1f by their keys alone\n\n", r.Clips, r.WholeHours, r.KeyHours)
	fmt.Printf("%-8s %-17s %9s %9s  %6s %6s %6s  %-13s %s\n", "detector", "what was done", "in time", "found", "p50 s", "p99 s", "max s", "freezedetect", "false (95 %: below, an hour)")
	for _, p := range promises {
		d := b.rows[p.detector].reportOr((b.honest + b.keysOnly).Hours())
		for i, kind := range p.kinds {
			k, ok := d.Kinds[kind]
			if !ok {
				continue
			}
			falsely := ""
			if i == 0 {
				falsely = fmt.Sprintf("%d (%.3g)", d.False, d.Below)
			}
			of := func(n int) string { return fmt.Sprintf("%d of %d", n, k.N) }
			fmt.Printf("%-8s %-17s %9s %9s  %6.2f %6.2f %6.2f  %-13s %s\n", p.detector, kind, of(k.Hits), of(k.Found), k.After.P50, k.After.P99, k.After.Max, r.FFmpeg.Hits[kind], falsely)
		}
		if d.N > 0 {
			verdict := "MISSED"
			if d.Share >= p.share {
				verdict = "met"
			}
			fmt.Printf("%-8s target %s: %.1f %% of %d, %s (keys to the verdict: %d, at most %d)\n", "", p.target, 100*d.Share, d.N, verdict, d.KeysP50, d.KeysMax)
		}
	}
	fmt.Printf("\nfalse verdicts over all detectors: %d in %.1f camera-hours, %.3g an hour (95 %%: below %.3g)\n", r.False, r.CameraHours, r.FalsePerCameraHour, r.Below)
	fmt.Printf("ffmpeg freezedetect called %.0f %% of honest time frozen, %.0f times an hour; blackdetect found %s of bag, black and blackout, %.2g false an hour\n",
		100*r.FFmpeg.CalledShare, r.FFmpeg.PerHour, r.FFmpeg.BlackHits, r.FFmpeg.BlackPer)
	fmt.Printf("margins (score by limit):")
	for _, name := range slices.Sorted(maps.Keys(b.rows)) {
		t := b.rows[name]
		fmt.Printf("  %s live %.3g to %.3g, lapse %.3g to %.3g;", name, t.near.Least, t.near.Most, t.far.Least, t.far.Most)
	}
	fmt.Printf("\ncost: %.2f µs a picture; ffmpeg decode + freezedetect %.0f µs; %.0f times less (%s)\n", r.Cost.Judge/1000, r.Cost.FFmpeg/1000, r.Cost.Ratio, r.Cost.Clip)
	for _, c := range r.Check {
		fmt.Printf("keys alone against whole coding: %s:", c.Camera)
		for _, by := range slices.Sorted(maps.Keys(c.Keys)) {
			if w := c.Whole[by]; w.N > 0 && (by == "freeze" || by == "loop" || by == "cover") {
				fmt.Printf(" %s %.3f (%.3f to %.3f) against %.3f (%.3f to %.3f);", by, c.Keys[by].Mean, c.Keys[by].Least, c.Keys[by].Most, w.Mean, w.Least, w.Most)
			}
		}
		fmt.Println()
	}
	if len(r.Missed) > 0 {
		fmt.Printf("missed:\n  %s\n", strings.Join(r.Missed, "\n  "))
	}
	for _, f := range r.Falsely {
		fmt.Printf("FALSE: %s at %.1f s: %s by %s\n", f.Camera, f.At, f.State, strings.Join(f.By, ", "))
	}
	return nil
}

// reportOr is report; nil has found nothing.
func (t *tally) reportOr(hours float64) detectorReport {
	if t == nil {
		return detectorReport{}
	}
	return t.report(hours)
}
