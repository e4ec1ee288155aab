package clip

import "math"

// region is a rectangle in units.
type region struct{ x, y, w, h float64 }

// room is what a fixed camera looks at. What moves in it is named by where it is; an empty region: there is none.
type room struct {
	name    string
	split   string // "train" or "heldout": thresholds may be looked for on the one, and are judged on the other
	outside bool
	paint   func(c *canvas, seed uint64)
	walk    region // a person crosses from its left to its right
	curtain region // hangs in a draught
	tree    region // stands in the wind
	fan     region // turns, evenly
}

// rooms are the scenes. No two share a texture's seed.
var rooms = []room{
	{
		name: "hallway", split: "train", paint: hallway,
		walk: region{200, 330, 1200, 560}, curtain: region{70, 120, 190, 520}, fan: region{1290, 60, 170, 170},
	},
	{
		name: "livingroom", split: "train", paint: livingroom,
		walk: region{0, 300, 1600, 580}, curtain: region{180, 90, 170, 480}, tree: region{360, 130, 300, 300}, fan: region{1180, 60, 180, 180},
	},
	{
		name: "stairs", split: "train", paint: stairs,
		walk: region{500, 280, 900, 600}, tree: region{90, 110, 230, 300},
	},
	{
		name: "porch", split: "train", outside: true, paint: porch,
		walk: region{0, 330, 1600, 560}, tree: region{1010, 60, 560, 420},
	},
	{
		name: "kitchen", split: "train", paint: kitchen,
		walk: region{150, 300, 1100, 590}, curtain: region{690, 90, 110, 270}, tree: region{810, 110, 240, 220}, fan: region{80, 70, 150, 150},
	},
	{
		name: "garage", split: "train", paint: garage,
		walk: region{300, 290, 1000, 600}, fan: region{1330, 90, 190, 190},
	},
	{
		name: "corridor", split: "heldout", paint: corridor,
		walk: region{480, 260, 640, 620}, curtain: region{1390, 130, 170, 560},
	},
	{
		name: "vestibule", split: "heldout", paint: vestibule,
		walk: region{260, 300, 1080, 580}, curtain: region{1200, 110, 160, 540}, tree: region{690, 210, 220, 260},
	},
	{
		name: "loggia", split: "heldout", outside: true, paint: loggia,
		walk: region{100, 320, 1400, 570}, tree: region{60, 40, 520, 430}, fan: region{1210, 50, 160, 160},
	},
	{
		name: "laundry", split: "heldout", paint: laundry,
		walk: region{520, 290, 800, 600}, curtain: region{60, 130, 180, 420}, fan: region{1340, 60, 170, 170},
	},
}

func roomNamed(name string) *room {
	for i := range rooms {
		if rooms[i].name == name {
			return &rooms[i]
		}
	}
	return nil
}

func hallway(c *canvas, s uint64) {
	wall := rgb(196, 186, 170)
	c.rect(plaster(s, rgb(224, 221, 214), 0.03), 0, 0, 1600, 130)
	c.rect(plaster(s+1, wall, 0.05), 0, 120, 1600, 560)
	c.poly(plaster(s+2, wall.lit(0.86), 0.05), point{0, 0}, point{330, 120}, point{330, 680}, point{0, 900})
	c.poly(boards(s+3, rgb(134, 98, 66), 46, 420), point{0, 900}, point{330, 680}, point{1600, 680}, point{1600, 900})
	c.rect(plaster(s+4, rgb(236, 232, 222), 0.02), 620, 170, 360, 520)
	c.rect(wood(s+5, rgb(104, 74, 52), true), 645, 195, 310, 490)
	for _, y := range []float64{235, 465} {
		c.rect(wood(s+6, rgb(88, 62, 42), true), 690, y, 95, 180)
		c.rect(wood(s+7, rgb(88, 62, 42), true), 815, y, 95, 180)
	}
	c.disc(plain(rgb(206, 176, 96)), 928, 450, 12, 14)
	c.rect(pile(s+8, rgb(122, 58, 48), 0.30), 560, 740, 470, 110)
	c.rect(wood(s+9, rgb(126, 88, 56), false), 1120, 520, 260, 30)
	c.rect(wood(s+10, rgb(110, 76, 48), true), 1135, 550, 24, 170)
	c.rect(wood(s+11, rgb(110, 76, 48), true), 1340, 550, 24, 170)
	c.disc(leaves(s+12, rgb(74, 120, 70)), 1250, 430, 86, 80)
	c.rect(plaster(s+13, rgb(200, 112, 78), 0.06), 1216, 470, 68, 50)
	c.rect(spines(s+14, 46), 360, 330, 210, 230)
	c.rect(wood(s+15, rgb(96, 70, 50), false), 352, 312, 226, 20)
	c.shade(1250, 620, 150, 80, 0.30)
	c.shade(460, 560, 120, 60, 0.25)
}

func livingroom(c *canvas, s uint64) {
	c.rect(plaster(s, rgb(206, 204, 190), 0.04), 0, 0, 1600, 640)
	c.rect(pile(s+1, rgb(120, 112, 104), 0.26), 0, 640, 1600, 260)
	c.rect(plain(rgb(240, 238, 232)), 340, 110, 350, 350)
	c.rect(plaster(s+2, rgb(178, 206, 228), 0.02), 360, 130, 300, 300)
	c.disc(leaves(s+3, rgb(92, 132, 78)), 470, 330, 110, 110)
	c.disc(leaves(s+4, rgb(80, 118, 70)), 600, 360, 80, 90)
	c.rect(stripes(s+5, rgb(166, 140, 120), 34), 180, 90, 170, 480)
	c.rect(wood(s+6, rgb(94, 66, 46), true), 1150, 240, 330, 420)
	for i := range 4 {
		c.rect(spines(s+7+uint64(i), 17+3*float64(i)), 1170, 262+float64(i)*98, 290, 78)
	}
	c.poly(pile(s+20, rgb(72, 88, 116), 0.22), point{380, 560}, point{1020, 560}, point{1060, 760}, point{340, 760})
	c.rect(pile(s+21, rgb(80, 98, 128), 0.24), 360, 470, 680, 120)
	c.rect(pile(s+22, rgb(186, 140, 78), 0.20), 430, 510, 110, 90)
	c.rect(tiles(s+23, rgb(40, 42, 48), rgb(44, 46, 52), 400), 780, 170, 270, 160)
	c.poly(pile(s+24, rgb(150, 72, 60), 0.34), point{260, 780}, point{1180, 780}, point{1280, 890}, point{160, 890})
	c.shade(700, 770, 380, 50, 0.4)
	c.shade(1310, 670, 200, 40, 0.4)
}

func stairs(c *canvas, s uint64) {
	c.rect(bricks(s, rgb(150, 92, 74), rgb(176, 168, 156), 78, 30), 0, 0, 1600, 900)
	c.rect(plaster(s+1, rgb(196, 214, 224), 0.02), 90, 110, 230, 300)
	c.disc(leaves(s+2, rgb(84, 124, 76)), 210, 330, 100, 90)
	c.rect(plain(rgb(90, 88, 84)), 200, 110, 10, 300)
	for i := range 9 {
		y := 380 + float64(i)*56
		x := 960 - float64(i)*62
		c.rect(wood(s+3+uint64(i), rgb(140, 104, 70), false), x, y, 640-float64(i)*10+float64(i)*62, 18)
		c.rect(plaster(s+20+uint64(i), rgb(206, 200, 188), 0.05), x+8, y+18, 640+float64(i)*40, 38)
	}
	for i := range 8 {
		c.rect(plain(rgb(52, 52, 54)), 1000+float64(i)*74, 200+math.Mod(float64(i)*13, 20), 10, 300)
	}
	c.rect(wood(s+40, rgb(92, 60, 40), false), 980, 190, 620, 22)
	c.rect(tiles(s+41, rgb(150, 146, 138), rgb(96, 92, 88), 64), 0, 780, 460, 120)
	c.rect(spines(s+42, 60), 60, 520, 250, 230)
	c.shade(300, 800, 240, 60, 0.35)
}

func porch(c *canvas, s uint64) {
	c.rect(func(x, y float64) colour {
		return rgb(150, 190, 226).lit(1.05 - 0.2*y/500 + 0.10*max(0, fractal(s, x/300, y/120, 4)))
	}, 0, 0, 1600, 420)
	c.rect(leaves(s+1, rgb(96, 128, 74)), 0, 380, 1600, 150)
	c.rect(pile(s+2, rgb(104, 132, 78), 0.4), 0, 520, 1600, 380)
	c.poly(bricks(s+3, rgb(146, 140, 132), rgb(100, 98, 92), 96, 44), point{560, 520}, point{760, 520}, point{1180, 900}, point{260, 900})
	c.disc(leaves(s+4, rgb(78, 112, 62)), 1300, 270, 240, 200)
	c.rect(wood(s+5, rgb(82, 62, 46), true), 1275, 420, 50, 170)
	c.rect(bricks(s+6, rgb(164, 96, 76), rgb(188, 180, 170), 70, 28), 0, 0, 210, 900)
	c.rect(wood(s+7, rgb(224, 222, 214), true), 210, 0, 44, 900)
	c.rect(plaster(s+8, rgb(186, 178, 166), 0.05), 800, 300, 190, 190)
	c.poly(tiles(s+9, rgb(120, 66, 52), rgb(110, 58, 46), 26), point{780, 300}, point{895, 220}, point{1010, 300})
	c.rect(tiles(s+10, rgb(58, 66, 78), rgb(64, 74, 88), 40), 840, 350, 60, 60)
	c.poly(pile(s+11, rgb(96, 70, 52), 0.5), point{330, 800}, point{640, 800}, point{690, 880}, point{290, 880})
	c.rect(stripes(s+12, rgb(206, 206, 200), 30), 1040, 470, 560, 70)
	c.shade(1300, 560, 220, 30, 0.4)
}

func kitchen(c *canvas, s uint64) {
	c.rect(plaster(s, rgb(212, 206, 188), 0.03), 0, 0, 1600, 420)
	c.rect(tiles(s+1, rgb(216, 220, 220), rgb(196, 206, 210), 44), 0, 330, 1600, 190)
	c.rect(tiles(s+2, rgb(168, 150, 128), rgb(122, 104, 88), 90), 0, 700, 1600, 200)
	for i := range 6 {
		c.rect(wood(s+3+uint64(i), rgb(150, 124, 92), true), 20+float64(i)*262, 530, 250, 220)
		c.disc(plain(rgb(60, 60, 60)), 240+float64(i)*262, 570, 8, 8)
	}
	c.rect(pile(s+12, rgb(70, 72, 76), 0.18), 0, 505, 1600, 30)
	for i := range 2 {
		c.rect(wood(s+13+uint64(i), rgb(160, 134, 100), true), 250+float64(i)*210, 60, 200, 250)
	}
	c.rect(plain(rgb(236, 236, 230)), 790, 90, 280, 260)
	c.rect(plaster(s+16, rgb(170, 200, 222), 0.03), 810, 110, 240, 220)
	c.disc(leaves(s+17, rgb(88, 122, 70)), 930, 260, 100, 70)
	c.rect(stripes(s+18, rgb(202, 96, 84), 22), 690, 90, 110, 270)
	c.rect(plaster(s+19, rgb(206, 210, 212), 0.02), 1260, 120, 260, 640)
	c.rect(plain(rgb(90, 92, 94)), 1275, 330, 14, 150)
	c.rect(spines(s+20, 26), 1300, 170, 120, 90)
	c.rect(spines(s+21, 38), 120, 400, 330, 106)
	c.disc(pile(s+22, rgb(196, 70, 52), 0.15), 600, 480, 44, 30)
	c.disc(pile(s+23, rgb(206, 170, 70), 0.15), 660, 486, 40, 24)
	c.shade(700, 760, 700, 30, 0.35)
}

func garage(c *canvas, s uint64) {
	c.rect(plaster(s, rgb(150, 150, 146), 0.12), 0, 0, 1600, 620)
	c.rect(pile(s+1, rgb(112, 110, 106), 0.16), 0, 620, 1600, 280)
	for i := range 5 {
		c.rect(stripes(s+2+uint64(i), rgb(200, 200, 194), 260), 380, 90+float64(i)*106, 820, 100)
		c.rect(plain(rgb(90, 90, 90)), 380, 186+float64(i)*106, 820, 5)
	}
	c.rect(wood(s+8, rgb(120, 96, 66), true), 40, 130, 270, 560)
	for i := range 4 {
		c.rect(spines(s+9+uint64(i), 30+8*float64(i)), 58, 150+float64(i)*132, 234, 104)
	}
	c.disc(pile(s+14, rgb(30, 30, 32), 0.3), 1330, 700, 110, 110)
	c.disc(plaster(s+15, rgb(130, 130, 126), 0.1), 1330, 700, 84, 84)
	c.rect(wood(s+16, rgb(132, 98, 64), false), 1200, 380, 380, 26)
	c.rect(spines(s+17, 22), 1230, 300, 300, 80)
	c.poly(pile(s+18, rgb(70, 60, 54), 0.5), point{560, 780}, point{900, 760}, point{980, 850}, point{520, 870})
	c.rect(bricks(s+19, rgb(176, 130, 80), rgb(200, 180, 140), 120, 60), 860, 560, 260, 150)
	c.shade(700, 640, 500, 40, 0.4)
	c.shade(1330, 820, 160, 24, 0.5)
}

func corridor(c *canvas, s uint64) {
	wall := rgb(208, 200, 186)
	c.rect(plaster(s, rgb(226, 224, 218), 0.03), 0, 0, 1600, 200)
	c.poly(tiles(s+1, rgb(120, 124, 128), rgb(150, 152, 152), 70), point{560, 560}, point{1040, 560}, point{1600, 900}, point{0, 900})
	c.poly(plaster(s+2, wall, 0.06), point{0, 0}, point{560, 180}, point{560, 560}, point{0, 900})
	c.poly(bricks(s+3, wall.lit(0.85), wall.lit(0.75), 110, 56), point{1600, 0}, point{1040, 180}, point{1040, 560}, point{1600, 900})
	c.rect(plaster(s+4, rgb(190, 184, 172), 0.05), 560, 180, 480, 380)
	c.rect(wood(s+5, rgb(70, 92, 84), true), 700, 240, 190, 320)
	c.rect(tiles(s+6, rgb(180, 200, 210), rgb(170, 192, 204), 60), 730, 270, 130, 110)
	for i := range 3 {
		x := 120 + float64(i)*150
		c.poly(wood(s+7+uint64(i), rgb(128, 96, 70), true), point{x, 150 + 25*float64(i)}, point{x + 90, 170 + 25*float64(i)}, point{x + 90, 780 - 70*float64(i)}, point{x, 830 - 75*float64(i)})
	}
	c.rect(stripes(s+12, rgb(150, 158, 120), 26), 1390, 130, 170, 560)
	c.poly(pile(s+13, rgb(132, 54, 50), 0.3), point{700, 580}, point{900, 580}, point{1060, 890}, point{540, 890})
	c.rect(spines(s+14, 34), 1110, 260, 150, 110)
	c.disc(leaves(s+15, rgb(70, 112, 66)), 1180, 560, 90, 100)
	c.shade(1180, 680, 100, 30, 0.4)
}

func vestibule(c *canvas, s uint64) {
	c.rect(wood(s, rgb(176, 150, 118), true), 0, 0, 1600, 610)
	c.rect(plaster(s+1, rgb(230, 228, 220), 0.03), 0, 0, 1600, 90)
	c.poly(tiles(s+2, rgb(58, 60, 66), rgb(208, 204, 196), 62), point{0, 610}, point{1600, 610}, point{1600, 900}, point{0, 900})
	c.rect(plain(rgb(238, 236, 230)), 560, 120, 480, 510)
	c.rect(wood(s+3, rgb(62, 84, 104), true), 585, 140, 430, 490)
	c.rect(plaster(s+4, rgb(190, 206, 214), 0.02), 680, 200, 240, 280)
	c.disc(leaves(s+5, rgb(86, 118, 72)), 790, 400, 90, 70)
	c.disc(plain(rgb(214, 188, 108)), 980, 400, 12, 14)
	c.rect(stripes(s+6, rgb(128, 90, 96), 22), 1200, 110, 160, 540)
	c.rect(wood(s+7, rgb(86, 60, 44), false), 120, 470, 330, 34)
	for i := range 5 {
		c.rect(pile(s+8+uint64(i), rgb(60+24*float64(i), 74, 132-18*float64(i)), 0.25), 135+float64(i)*62, 250, 50, 215)
	}
	for i := range 3 {
		c.disc(pile(s+15+uint64(i), rgb(64, 50, 44), 0.2), 170+float64(i)*100, 640, 44, 20)
	}
	c.poly(pile(s+20, rgb(92, 96, 70), 0.4), point{600, 690}, point{1000, 690}, point{1080, 850}, point{520, 850})
	c.shade(800, 700, 330, 40, 0.3)
	c.shade(290, 660, 200, 30, 0.35)
}

func loggia(c *canvas, s uint64) {
	c.rect(func(x, y float64) colour {
		return rgb(176, 198, 218).lit(1.0 - 0.15*y/600 + 0.08*max(0, fractal(s, x/220, y/90, 4)))
	}, 0, 0, 1600, 520)
	for i := range 7 {
		c.rect(plaster(s+1+uint64(i), rgb(150+10*float64(i%3), 140, 128), 0.07), 560+float64(i)*150, 250-float64(i*37%90), 130, 300)
		c.rect(tiles(s+10+uint64(i), rgb(70, 80, 92), rgb(180, 176, 166), 26), 575+float64(i)*150, 280-float64(i*37%90), 100, 220)
	}
	c.disc(leaves(s+20, rgb(70, 104, 58)), 320, 260, 270, 220)
	c.rect(bricks(s+21, rgb(186, 122, 90), rgb(200, 190, 176), 64, 26), 0, 520, 1600, 90)
	c.poly(tiles(s+22, rgb(166, 106, 84), rgb(128, 80, 64), 84), point{0, 610}, point{1600, 610}, point{1600, 900}, point{0, 900})
	for i := range 17 {
		c.rect(plain(rgb(44, 48, 50)), 40+float64(i)*95, 330, 9, 200)
	}
	c.rect(wood(s+23, rgb(74, 58, 46), false), 0, 318, 1600, 18)
	c.rect(stripes(s+24, rgb(206, 150, 96), 30), 1180, 470, 330, 210)
	c.rect(wood(s+25, rgb(120, 92, 62), false), 1160, 660, 370, 30)
	c.disc(plaster(s+26, rgb(190, 106, 74), 0.08), 250, 720, 110, 80)
	c.disc(leaves(s+27, rgb(96, 136, 82)), 250, 620, 130, 100)
	c.shade(300, 800, 210, 40, 0.4)
	c.shade(1340, 720, 230, 36, 0.4)
}

func laundry(c *canvas, s uint64) {
	c.rect(tiles(s, rgb(226, 228, 228), rgb(206, 210, 212), 58), 0, 0, 1600, 640)
	c.rect(pile(s+1, rgb(138, 132, 122), 0.12), 0, 640, 1600, 260)
	for i := range 2 {
		x := 300 + float64(i)*330
		c.rect(plaster(s+2+uint64(i), rgb(216, 218, 220), 0.02), x, 350, 290, 360)
		c.disc(plain(rgb(70, 74, 80)), x+145, 540, 110, 110)
		c.disc(pile(s+4+uint64(i), rgb(96, 110, 140), 0.4), x+145, 540, 84, 84)
		c.rect(plain(rgb(180, 184, 188)), x+20, 370, 250, 46)
	}
	c.rect(wood(s+8, rgb(150, 112, 74), false), 960, 420, 420, 28)
	c.rect(spines(s+9, 44), 990, 250, 340, 168)
	for i := range 4 {
		c.rect(pile(s+10+uint64(i), rgb(210-30*float64(i), 190, 150+20*float64(i)), 0.3), 970+float64(i)*96, 560, 84, 90+20*float64(i%2))
	}
	c.rect(wood(s+16, rgb(96, 112, 90), true), 1420, 240, 180, 440)
	c.rect(stripes(s+17, rgb(196, 186, 160), 24), 60, 130, 180, 420)
	c.poly(pile(s+18, rgb(176, 168, 150), 0.5), point{420, 760}, point{880, 760}, point{940, 860}, point{360, 860})
	c.shade(620, 720, 360, 30, 0.4)
	c.shade(1170, 690, 240, 30, 0.35)
}
