package main

import (
	"bytes"
	"fmt"
	"math"

	"eyebolt/sim"
)

// plot is a chart with two logarithmic axes, drawn as SVG.
type plot struct {
	bytes.Buffer
	x0, y0, w, h           float64 // the frame, in pixels
	left, right, low, high float64 // its values
}

func (p *plot) x(v float64) float64 { return p.x0 + p.w*math.Log(v/p.left)/math.Log(p.right/p.left) }

func (p *plot) y(v float64) float64 { return p.y0 + p.h - p.h*math.Log(v/p.low)/math.Log(p.high/p.low) }

func (p *plot) line(x1, y1, x2, y2 float64, style string) {
	fmt.Fprintf(p, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" %s/>`+"\n", x1, y1, x2, y2, style)
}

func (p *plot) text(x, y float64, style, s string) {
	fmt.Fprintf(p, `<text x="%.1f" y="%.1f" %s>%s</text>`+"\n", x, y, style, s)
}

// linkColours are told apart by colour-blind readers, too (Okabe and Ito).
var linkColours = []string{"#0072B2", "#009E73", "#D55E00", "#882255"}

// tradeoffSVG draws the report.
func tradeoffSVG(r tradeoffReport) []byte {
	p := &plot{x0: 116, y0: 86, w: 740, h: 430, left: 0.09, right: 70, low: 0.004, high: 30000}
	fmt.Fprintln(p, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 880 620" width="880" height="620" font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="13" fill="#222">`)
	fmt.Fprintln(p, `<rect width="880" height="620" fill="#fff"/>`)
	p.text(p.x0, 30, `font-size="18" font-weight="bold"`, "What a shorter detection bound costs in false alarms")
	p.text(p.x0, 52, `fill="#555"`, fmt.Sprintf("The shipped Judge on simulated honest arrivals, %.4g camera-hours a link, %d pictures a second, RTSP over TCP", r.Links[0].Hours, r.FPS))
	p.axes()
	for _, peer := range r.Peers {
		x := p.x(peer.Seconds)
		p.line(x, p.y0, x, p.y0+p.h, `stroke="#888" stroke-width="1.5" stroke-dasharray="2 4"`)
		fmt.Fprintf(p, `<text transform="translate(%.1f %.1f) rotate(-90)" text-anchor="end" fill="#555">%s notices after %g s</text>`+"\n", x-6, p.y0+8, peer.Name, peer.Seconds)
	}
	for i, l := range r.Links {
		p.curve(l, linkColours[i%len(linkColours)])
	}
	p.text(p.x0+p.w/2, p.y0+p.h+46, `text-anchor="middle" font-size="14"`, "detection bound A1: a cut camera is called lagging no later than this (seconds, logarithmic)")
	for i, say := range []string{"● counted", "▽ none seen: its 95 % upper bound", "◯ this link's default: 0.25 s by cable, 0.5 s over Wi-Fi"} {
		p.text(p.x0+[]float64{0, 100, 340}[i], p.y0+p.h+76, `font-size="12" fill="#555"`, say)
	}
	fmt.Fprintf(p, `<text transform="translate(24 %.1f) rotate(-90)" text-anchor="middle" font-size="14">false laggings per camera-hour (logarithmic)</text>`+"\n", p.y0+p.h/2)
	fmt.Fprintln(p, "</svg>")
	return p.Bytes()
}

func (p *plot) axes() {
	for _, v := range []float64{0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50} {
		p.line(p.x(v), p.y0, p.x(v), p.y0+p.h, `stroke="#eee"`)
		p.text(p.x(v), p.y0+p.h+20, `text-anchor="middle"`, fmt.Sprintf("%g", v))
	}
	for _, v := range []struct {
		at  float64
		say string
	}{{0.01, "1 in 100 h"}, {0.1, "1 in 10 h"}, {1, "1"}, {10, "10"}, {100, "100"}, {1000, "1,000"}, {10000, "10,000"}} {
		p.line(p.x0, p.y(v.at), p.x0+p.w, p.y(v.at), `stroke="#eee"`)
		p.text(p.x0-8, p.y(v.at)+4, `text-anchor="end"`, v.say)
	}
	fmt.Fprintf(p, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="none" stroke="#999"/>`+"\n", p.x0, p.y0, p.w, p.h)
}

// curve is one link's; what was not seen is a hollow triangle at its bound, and no line leads beyond the first of them.
func (p *plot) curve(l tradeoffLink, colour string) {
	var path bytes.Buffer
	wanted := 500
	if l.Name == "wired" {
		wanted = 250
	}
	var ended bool
	var lastY float64 // where its name stands
	for _, t := range l.Points {
		rate := t.PerHour
		if t.Laggings == 0 {
			rate = t.Below
		}
		x, y := p.x(float64(t.A1)/1000), p.y(max(p.low, rate))
		if !ended {
			if path.Len() > 0 {
				path.WriteByte(' ')
			}
			fmt.Fprintf(&path, "%.1f,%.1f", x, y)
			lastY = y
		}
		if t.Laggings == 0 {
			ended = true
			fmt.Fprintf(p, `<path d="M%.1f %.1f l5 -9 h-10 z" fill="#fff" stroke="%s" stroke-width="1.5"/>`+"\n", x, y+5, colour)
		} else {
			fmt.Fprintf(p, `<circle cx="%.1f" cy="%.1f" r="3.6" fill="%s"/>`+"\n", x, y, colour)
		}
		if t.A1 == wanted {
			fmt.Fprintf(p, `<circle cx="%.1f" cy="%.1f" r="9" fill="none" stroke="%s" stroke-width="2"/>`+"\n", x, y, colour)
		}
	}
	fmt.Fprintf(p, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2.4"/>`+"\n", path.String(), colour)
	say := l.Name
	for _, k := range sim.Links {
		if k.Name == l.Name {
			say = k.Say
		}
	}
	lastX := p.x(float64(l.Points[len(l.Points)-1].A1) / 1000)
	p.text(lastX+10, lastY+4, fmt.Sprintf(`fill="%s" font-weight="bold"`, colour), say)
}
