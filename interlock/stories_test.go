package interlock

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// story is one file of testdata/stories, for those who play it without datadriven.
type story struct {
	name  string
	steps []storyStep
}

type storyStep struct {
	home  bool
	lines []string
	want  string
}

// readStories reads the stories under dir.
func readStories(t *testing.T, dir string) (all []story) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		s := story{name: f.Name()}
		for _, block := range strings.Split(string(b), "\n\n") {
			head, want, ok := strings.Cut(block, "----\n")
			if !ok {
				continue
			}
			var lines []string
			for _, l := range strings.Split(strings.TrimSpace(head), "\n") {
				if !strings.HasPrefix(l, "#") {
					lines = append(lines, l)
				}
			}
			s.steps = append(s.steps, storyStep{lines[0] == "home", lines[1:], strings.TrimSpace(want)})
		}
		all = append(all, s)
	}
	return all
}

// differs plays the story and says its name if it went another way.
func (s story) differs() string {
	var p player
	for _, step := range s.steps {
		if got := p.play(step); strings.TrimSpace(got) != step.want {
			return s.name
		}
	}
	return ""
}

// judged plays the story before the judge and names the first rule that did not hold.
func judged(s story) string {
	p := player{judge: true}
	for _, step := range s.steps {
		p.play(step)
		if p.broken != "" {
			return p.broken
		}
	}
	return ""
}

// play plays one step.
func (p *player) play(step storyStep) string {
	if step.home {
		*p = player{s: New(DefaultLimits()), bolt: BoltThrown, service: true, lock: true, judge: p.judge, quiet: true}
		if p.judge {
			p.books = newJudge(DefaultLimits())
		}
		for _, line := range []string{"boot", "clock", "lock", "hold", "service", "door closed", "bolt thrown", "watch live"} {
			p.line(line)
		}
		p.quiet = false
		return p.where()
	}
	p.out.Reset()
	for _, line := range step.lines {
		p.out.WriteString(line + "\n")
		p.line(line)
	}
	return p.out.String() + p.where()
}

// TestStoriesAreJudged holds every story to every rule.
func TestStoriesAreJudged(t *testing.T) {
	for _, s := range readStories(t, "testdata/stories") {
		if rule := judged(s); rule != "" {
			t.Errorf("%s: %s", s.name, rule)
		}
		if s.differs() != "" {
			t.Errorf("%s: read without datadriven, it goes another way", s.name)
		}
	}
}
