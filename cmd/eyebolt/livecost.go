package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"eyebolt/camera"
	"eyebolt/liveness"
	"eyebolt/virtual/clip"
)

// costReport compares judging with decoding, on the same pictures.
type costReport struct {
	Clip     string  `json:"clip"`
	Judge    float64 `json:"judge_ns_per_picture"`
	FFmpeg   float64 `json:"ffmpeg_ns_per_picture"` // CPU of decoding through freezedetect
	Ratio    float64 `json:"ratio"`
	Pictures int     `json:"pictures"`
}

// measureCost takes a 720p15 x264 clip of constant bit rate, whose pictures are of ordinary size. The Judge's time is the best
// of twenty passes, ffmpeg's is the least of three.
func measureCost(ctx context.Context, dir string, m *clip.Manifest) (costReport, error) {
	var r costReport
	for _, c := range m.Clips {
		if c.Kind != clip.Live || c.View.Height != 720 || c.Encoder.Program != "x264" || (r.Clip != "" && c.Encoder.Rate != "cbr") {
			continue
		}
		r.Clip = c.File
		if c.Encoder.Rate == "cbr" {
			break
		}
	}
	if r.Clip == "" {
		return r, errors.New("there is no live clip of 720p by x264 to measure the cost with")
	}
	b, err := os.ReadFile(filepath.Join(dir, r.Clip))
	if err != nil {
		return r, err
	}
	units := clip.Split(b)
	r.Pictures = len(units)
	for range 20 {
		j := liveness.New(liveness.Config{LateTick: time.Hour})
		j.Opened(0)
		start := time.Now()
		for i, u := range units {
			at := time.Duration(i) * time.Second / 15
			j.Picture(camera.Picture{Media: at, Arrival: at, Key: u.Key, NALs: u.NALs})
		}
		if ns := float64(time.Since(start)) / float64(len(units)); r.Judge == 0 || ns < r.Judge {
			r.Judge = ns
		}
	}
	for range 3 {
		f, err := filter(ctx, filepath.Join(dir, r.Clip), 15, false)
		if err != nil {
			return r, err
		}
		if ns := float64(f.cpu) / float64(len(units)); r.FFmpeg == 0 || ns < r.FFmpeg {
			r.FFmpeg = ns
		}
	}
	r.Ratio = r.FFmpeg / r.Judge
	return r, nil
}
