package layout

import (
	"flag"
	"fmt"
	"go/token"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var draw = flag.Bool("draw", false, "write docs/layout.svg from the imports")

const picture = "docs/layout.svg"

func TestLayoutPictureIsCurrent(t *testing.T) {
	want := svg(arrows(sources(t, token.NewFileSet())))
	if *draw {
		if err := os.WriteFile(picture, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(picture)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what the sources say: go test . -run Layout -draw (%v)", picture, err)
	}
}

// svg draws rooms in rows: a room stands above all that it imports. cmd, which imports everything, is a bar on top without arrows.
func svg(to map[string][]string) string {
	depth := map[string]int{}
	var deep func(string) int
	deep = func(room string) int {
		if d, ok := depth[room]; ok {
			return d
		}
		depth[room] = 0
		for _, other := range to[room] {
			depth[room] = max(depth[room], deep(other)+1)
		}
		return depth[room]
	}
	var rows [][]string
	for _, room := range slices.Sorted(maps.Keys(to)) {
		if strings.HasPrefix(room, "cmd/") {
			continue
		}
		d := deep(room)
		for len(rows) <= d {
			rows = append(rows, nil)
		}
		rows[d] = append(rows[d], room)
	}
	// Wide rows are broken, so that words stay readable.
	const most = 9
	var lines [][]string
	for _, r := range rows {
		for len(r) > most {
			half := (len(r) + 1) / 2
			lines, r = append(lines, r[:half]), r[half:]
		}
		lines = append(lines, r)
	}
	const w, boxW, boxH, gap = 1240, 122, 34, 96
	h := len(lines)*gap + 90
	at := map[string][2]int{}
	for i, line := range lines {
		for j, room := range line {
			at[room] = [2]int{(2*j + 1) * w / (2 * len(line)), h - 50 - i*gap}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="13">`+"\n", w, h)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fbfaf7"/>`+"\n", w, h)
	fmt.Fprintf(&b, `<rect x="20" y="14" width="%d" height="%d" rx="6" fill="#26323a"/><text x="%d" y="36" fill="#fff" text-anchor="middle">cmd/eyebolt: the roles; imports what it wires</text>`+"\n", w-40, boxH, w/2)
	for _, room := range slices.Sorted(maps.Keys(to)) {
		from, ok := at[room]
		for _, other := range to[room] {
			if end, has := at[other]; ok && has {
				fmt.Fprintf(&b, `<path d="M%d %d C%d %d %d %d %d %d" fill="none" stroke="#8aa0ab" stroke-width="1"/>`+"\n",
					from[0], from[1]+boxH/2, from[0], from[1]+gap/2+10, end[0], end[1]-gap/2-10, end[0], end[1]-boxH/2)
			}
		}
	}
	for _, room := range slices.Sorted(maps.Keys(at)) {
		p := at[room]
		fill, text, note := "#e6ecef", "#1d2a31", ""
		if r, ok := rowOf(room); ok && r.pure {
			fill, note = "#f6d98b", " (pure)"
		}
		fmt.Fprintf(&b, `<g><title>%s%s</title><rect x="%d" y="%d" width="%d" height="%d" rx="6" fill="%s" stroke="#8aa0ab"/><text x="%d" y="%d" fill="%s" text-anchor="middle">%s</text></g>`+"\n",
			room, note, p[0]-boxW/2, p[1]-boxH/2, boxW, boxH, fill, p[0], p[1]+5, text, room)
	}
	fmt.Fprintf(&b, `<text x="20" y="%d" fill="#5a6a72">A line runs down to what is imported. Yellow rooms are pure: no clock, no goroutine, no randomness, no I/O.</text>`+"\n", h-10)
	b.WriteString("</svg>\n")
	return b.String()
}
