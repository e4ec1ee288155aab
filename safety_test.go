package layout

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"eyebolt/interlock"
)

var rewrite = flag.Bool("rewrite", false, "write the table of docs/SAFETY.md that says which test proves which rule")

const (
	contract   = "docs/SAFETY.md"
	tableFrom  = "<!-- the table below is written by: go test . -run Safety -rewrite -->\n"
	tableUntil = "<!-- end of the table -->\n"
	notAtAll   = "### Not at all\n"
	inPart     = "### In part\n"
)

// numbers are every rule and every attack, in the contract's order.
func numbers() (all []string) {
	for i := range 19 {
		all = append(all, fmt.Sprint("S", i+1))
	}
	for i := range 30 {
		all = append(all, fmt.Sprint("T", i+1))
	}
	return all
}

// cited is what proves one rule or attack, found in the sources.
type cited struct {
	explored int                 // predicates of interlock/rules_test.go, held to every reachable step
	mutants  int                 // hand-made faults that break this rule and must be caught by it
	stories  []string            // transcripts in interlock/testdata/stories
	suites   map[string]int      // room of a conformance suite → its parts
	tests    map[string][]string // room → test functions
}

func (c *cited) none() bool {
	return c.explored == 0 && len(c.stories) == 0 && len(c.suites) == 0 && len(c.tests) == 0
}

func (c *cited) String() string {
	var parts []string
	if c.explored > 0 {
		s := fmt.Sprintf("explored whole: %s", count(c.explored, "predicate"))
		if c.mutants > 0 {
			s += ", " + count(c.mutants, "hand-made mutant") + " caught"
		}
		parts = append(parts, s)
	}
	if len(c.stories) > 0 {
		parts = append(parts, "stories: "+strings.Join(c.stories, ", "))
	}
	for _, room := range slices.Sorted(maps.Keys(c.suites)) {
		parts = append(parts, fmt.Sprintf("`%s`: %s", room, count(c.suites[room], "part")))
	}
	for _, room := range slices.Sorted(maps.Keys(c.tests)) {
		parts = append(parts, fmt.Sprintf("`%s`: %s", room, strings.Join(c.tests[room], ", ")))
	}
	return strings.Join(parts, " · ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprint(n, " ", what, "s")
}

var (
	number   = regexp.MustCompile(`\b[ST]\d+\b`)
	numbered = regexp.MustCompile(`^(?:Test|Fuzz)([ST]\d+)(?:[^\da-z]|$)`)
)

// citations reads every source: doc comments and names of test functions, the explorer's predicates and mutants, the
// stories, and the parts of conformance suites. A number that the contract does not have is an error.
func citations(t *testing.T) map[string]*cited {
	t.Helper()
	all := map[string]*cited{}
	for _, n := range numbers() {
		all[n] = &cited{suites: map[string]int{}, tests: map[string][]string{}}
	}
	cite := func(where, text string, with func(c *cited)) {
		done := map[string]bool{}
		for _, n := range number.FindAllString(text, -1) {
			if done[n] {
				continue
			}
			done[n] = true
			if c := all[n]; c != nil {
				with(c)
			} else {
				t.Errorf("%s cites %s, which the contract does not have", where, n)
			}
		}
	}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch room := filepath.ToSlash(filepath.Dir(path)); {
		case err != nil:
			return err
		case d.IsDir():
			if name := d.Name(); path != "." && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || name == "tools" || name == "tmp" || name == "bin") {
				return filepath.SkipDir
			}
		case strings.HasSuffix(path, "_test.go"):
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for _, decl := range file.Decls {
				f, ok := decl.(*ast.FuncDecl)
				if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") && !strings.HasPrefix(f.Name.Name, "Fuzz") {
					continue
				}
				text := f.Doc.Text()
				if m := numbered.FindStringSubmatch(f.Name.Name); m != nil {
					text += " " + m[1]
				}
				cite(path+": "+f.Name.Name, text, func(c *cited) { c.tests[room] = append(c.tests[room], f.Name.Name) })
			}
			switch path {
			case "interlock/rules_test.go":
				for _, id := range column(file, "rules", 0) {
					if id != "ask" && id != "bound" {
						cite(path, id, func(c *cited) { c.explored++ })
					}
				}
			case "interlock/hand_test.go":
				for _, id := range column(file, "handMades", 1) {
					cite(path, id, func(c *cited) { c.mutants++ })
				}
			}
		case strings.HasSuffix(room, "test") && strings.HasSuffix(path, ".go"):
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if part, ok := n.(*ast.CompositeLit); ok && len(part.Elts) > 1 {
					if name := quoted(part.Elts[0]); name != "" {
						cite(path, name, func(c *cited) { c.suites[room]++ })
					}
				}
				return true
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	stories, err := os.ReadDir("interlock/testdata/stories")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stories {
		text, err := os.ReadFile(filepath.Join("interlock/testdata/stories", s.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "#") {
				cite(s.Name(), line, func(c *cited) {
					if !slices.Contains(c.stories, s.Name()) {
						c.stories = append(c.stories, s.Name())
					}
				})
			}
		}
	}
	return all
}

// column is one column of strings of a package-level slice of structs.
func column(file *ast.File, name string, at int) (all []string) {
	for _, decl := range file.Decls {
		g, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range g.Specs {
			v, ok := spec.(*ast.ValueSpec)
			if !ok || v.Names[0].Name != name || len(v.Values) == 0 {
				continue
			}
			for _, row := range v.Values[0].(*ast.CompositeLit).Elts {
				all = append(all, quoted(row.(*ast.CompositeLit).Elts[at]))
			}
		}
	}
	return all
}

func quoted(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	s, _ := strconv.Unquote(lit.Value)
	return s
}

// said reads which numbers the bullets under a heading of the contract name in bold.
func said(t *testing.T, text, heading string) map[string]bool {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\n"+heading)
	if !ok {
		t.Fatalf("%s has no heading %q", contract, heading)
	}
	all := map[string]bool{}
	for line := range strings.Lines(rest) {
		if strings.HasPrefix(line, "#") {
			break
		}
		if bold, _, ok := strings.Cut(strings.TrimPrefix(line, "- **"), "**"); ok && strings.HasPrefix(line, "- **") {
			for _, n := range number.FindAllString(bold, -1) {
				all[n] = true
			}
		}
	}
	return all
}

// Each rule and attack of the contract says which test proves it, as the sources cite it. What is not built is said, and is
// never counted as proven.
func TestSafetyTableIsWhatTheSourcesSay(t *testing.T) {
	raw, err := os.ReadFile(contract)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	head, rest, ok := strings.Cut(text, tableFrom)
	old, tail, ok2 := strings.Cut(rest, tableUntil)
	if !ok || !ok2 {
		t.Fatalf("%s has no table between %q and %q", contract, tableFrom, tableUntil)
	}
	not, part, by := said(t, text, notAtAll), said(t, text, inPart), citations(t)
	var table strings.Builder
	table.WriteString("| | state | proven by |\n|---|---|---|\n")
	proven := 0
	for _, n := range numbers() {
		c, state := by[n], "kept"
		switch {
		case not[n] && part[n]:
			t.Errorf("%s is said to be not built at all, and in part", n)
		case not[n] && !c.none():
			t.Errorf("%s is said to be not built at all, but is cited as proven: %s", n, c)
		case not[n]:
			fmt.Fprintf(&table, "| %s | *not built* | – |\n", n)
			continue
		case c.none():
			t.Errorf("%s has no test that cites it: write one, or say under %q that it is not built", n, strings.TrimSpace(notAtAll))
		case part[n]:
			state = "*in part*"
		}
		proven++
		fmt.Fprintf(&table, "| %s | %s | %s |\n", n, state, c)
	}
	for _, n := range numbers() {
		if !strings.Contains(head, "\n| "+n+" | ") && !strings.Contains(head, "· "+n+" ") {
			t.Errorf("%s is not in the contract's own tables", n)
		}
	}
	t.Logf("%d rules and attacks: %d cited by tests, %d of these in part, %d not built", len(numbers()), proven, len(part), len(not))
	if table.String() == old {
		return
	}
	if *rewrite && !t.Failed() {
		if err := os.WriteFile(contract, []byte(head+tableFrom+table.String()+tableUntil+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := strings.Split(table.String(), "\n")
	for i, line := range strings.Split(old, "\n") {
		if i >= len(want) || line != want[i] {
			t.Errorf("the table is not what the sources say (go test . -run Safety -rewrite, then read the diff). First:\n%s\nwant\n%s", line, want[min(i, len(want)-1)])
			return
		}
	}
	t.Error("the table ends too early: go test . -run Safety -rewrite, then read the diff")
}

// S8: the limits that the contract publishes are the ones that hold.
func TestSafetyLimitsArePublished(t *testing.T) {
	raw, err := os.ReadFile(contract)
	if err != nil {
		t.Fatal(err)
	}
	l := interlock.DefaultLimits()
	for _, row := range []struct {
		name string
		is   interlock.Millis
	}{
		{"arming", l.Arming},
		{"waiting", l.Wait},
		{"held", l.Hold},
		{"slide", l.Slide},
		{"service", l.Service},
		{"writing down", l.Durable},
		{"answer", l.Answer},
		{"entering", l.Enter},
		{"open", l.Open},
		{"closing", l.Close},
		{"out", l.Out},
		{"tail", l.Tail},
		{"poll", l.Poll},
		{"bolt report", l.BoltStale},
		{"door report", l.DoorStale},
		{"lock again", l.RetryLock},
		{"alarm again", l.AlarmAgain},
	} {
		_, rest, ok := strings.Cut(string(raw), "\n| "+row.name+" | ")
		cell, _, _ := strings.Cut(rest, " |")
		span, err := time.ParseDuration(strings.ReplaceAll(cell, " ", ""))
		if got := time.Duration(row.is) * time.Millisecond; !ok || err != nil || span != got {
			t.Errorf("limit %q: published %q, holds %v", row.name, cell, got)
		}
	}
}
