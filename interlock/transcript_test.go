package interlock

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestTranscripts plays the stories in testdata. Each line of a story is one fact, or a span of time that passes in
// ticks of 20 ms; below it stand the commands that followed, then phase and reason.
//
//	home            a home with default limits in which everything holds, away
//	step            facts, one a line
//
// While time passes, beats are answered and the lock answers polls, unless "silent" or "mute" was said. Between lines
// that change nothing, nothing is printed.
func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		var p player
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			step := storyStep{home: d.Cmd == "home", lines: strings.Split(d.Input, "\n")}
			if !step.home && d.Cmd != "step" {
				t.Fatalf("unknown command %q", d.Cmd)
			}
			return p.play(step)
		})
	})
}
