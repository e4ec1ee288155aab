package clip

import "fmt"

// digits are 3×5 glyphs, a bit a pixel, top row in the highest bits.
var digits = map[byte]uint16{
	'0': 0b111_101_101_101_111, '1': 0b010_110_010_010_111, '2': 0b111_001_111_100_111, '3': 0b111_001_111_001_111,
	'4': 0b101_101_111_001_001, '5': 0b111_100_111_001_111, '6': 0b111_100_111_101_111, '7': 0b111_001_010_010_010,
	'8': 0b111_101_111_101_111, '9': 0b111_101_111_001_111, ':': 0b000_010_000_010_000, '-': 0b000_000_111_000_000,
}

// stamp writes a clock of whole seconds into a picture, as a camera's encoder side does: over whatever the sensor gave.
func stamp(pix []byte, w, h int, second int) {
	text := fmt.Sprintf("2026-05-01 %02d:%02d:%02d", second/3600%24, second/60%60, second%60)
	size := max(1, h/180)
	x0, y0 := 6*size, 5*size
	for y := y0 - 2*size; y < y0+7*size; y++ {
		for x := x0 - 2*size; x < x0+(4*len(text)+1)*size; x++ {
			pix[y*w+x] = 20
		}
	}
	for i := range len(text) {
		glyph := digits[text[i]]
		for b := range 15 {
			if glyph>>(14-b)&1 == 0 {
				continue
			}
			for y := range size {
				row := (y0+(b/3)*size+y)*w + x0 + (4*i+b%3)*size
				for x := range size {
					pix[row+x] = 235
				}
			}
		}
	}
}
