package webtest

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"slices"
)

// small is the same picture in at most 256 colours: screenshots are kept in the repository, and a page has few colours but
// for the film in it.
func small(data []byte) ([]byte, error) {
	src, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	b := src.Bounds()
	rgba := image.NewRGBA(b)
	draw.Draw(rgba, b, src, b.Min, draw.Src)
	counts := map[[3]uint8]int{}
	for i := 0; i < len(rgba.Pix); i += 4 {
		counts[[3]uint8(rgba.Pix[i:i+3])]++
	}
	palette, index := quantize(counts, 256)
	out := image.NewPaletted(b, palette)
	for i := range out.Pix {
		out.Pix[i] = index[[3]uint8(rgba.Pix[4*i:4*i+3])]
	}
	var buf bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&buf, out)
	return buf.Bytes(), err
}

type shade struct {
	c [3]uint8
	n int
}

// quantize gives at most n colours, and which of them stands for each of the counted ones (median cut: the box that strays
// furthest from its middle is cut next). Up to n colours stay as they are.
func quantize(counts map[[3]uint8]int, n int) (color.Palette, map[[3]uint8]uint8) {
	var all []shade
	for c, k := range counts {
		all = append(all, shade{c, k})
	}
	slices.SortFunc(all, func(a, b shade) int { return slices.Compare(a.c[:], b.c[:]) })
	boxes := []box{newBox(all)}
	for len(boxes) < n {
		worst := 0
		for i := range boxes {
			if boxes[i].stray > boxes[worst].stray {
				worst = i
			}
		}
		if boxes[worst].stray == 0 {
			break
		}
		a, b := boxes[worst].cut()
		boxes[worst] = a
		boxes = append(boxes, b)
	}
	var palette color.Palette
	index := map[[3]uint8]uint8{}
	for i, b := range boxes {
		palette = append(palette, color.RGBA{b.mean[0], b.mean[1], b.mean[2], 255})
		for _, s := range b.in {
			index[s.c] = uint8(i)
		}
	}
	return palette, index
}

// box is some of the colours and how far they stray from their mean.
type box struct {
	in    []shade
	mean  [3]uint8
	axis  int
	stray float64
}

func newBox(in []shade) box {
	b := box{in: in}
	var sum, squares [3]float64
	var n float64
	for _, s := range in {
		for a := range 3 {
			v := float64(s.c[a])
			sum[a] += v * float64(s.n)
			squares[a] += v * v * float64(s.n)
		}
		n += float64(s.n)
	}
	for a := range 3 {
		b.mean[a] = uint8(sum[a]/n + 0.5)
		if stray := squares[a] - sum[a]*sum[a]/n; stray > b.stray && len(in) > 1 {
			b.stray, b.axis = stray, a
		}
	}
	return b
}

// cut parts a box of several colours at its mean.
func (b box) cut() (box, box) {
	slices.SortFunc(b.in, func(x, y shade) int {
		if d := int(x.c[b.axis]) - int(y.c[b.axis]); d != 0 {
			return d
		}
		return slices.Compare(x.c[:], y.c[:])
	})
	at := 1
	for at < len(b.in)-1 && b.in[at].c[b.axis] <= b.mean[b.axis] {
		at++
	}
	return newBox(b.in[:at:at]), newBox(b.in[at:])
}
