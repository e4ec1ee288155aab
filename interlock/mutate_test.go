package interlock

import (
	"bufio"
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"
)

// decided are the files of which every small fault is made. Words and sentences decide nothing.
var decided = []string{"step.go", "take.go", "settle.go", "state.go", "checks.go"}

// fault is one small change of one place of the source.
type fault struct {
	number int
	name   string // file, function, what: stable while the line stays as it is
}

// insertion is text to be put before the byte at: the beginning or the end of what is wrapped.
type insertion struct {
	at    int
	end   bool
	other int // where the wrapped text's other side is
	order int // what is wrapped later, of the same text, lies outside
	text  string
}

// before says whether a comes first where both stand before the same byte: ends before beginnings, so that what lies
// inside closes first and opens last.
func (a insertion) before(b insertion) bool {
	switch {
	case a.at != b.at:
		return a.at < b.at
	case a.end != b.end:
		return a.end
	case a.other != b.other:
		return a.other > b.other
	case a.end:
		return a.order < b.order
	}
	return a.order > b.order
}

// mutator writes faults into a file, all at once, each asleep until its number is chosen.
type mutator struct {
	fset   *token.FileSet
	file   string
	src    []byte
	in     string // the function it is in
	texts  []insertion
	faults *[]fault
	seen   map[string]int
}

func (m *mutator) text(n ast.Node) string { return string(m.src[m.off(n.Pos()):m.off(n.End())]) }
func (m *mutator) off(p token.Pos) int    { return m.fset.Position(p).Offset }

// add makes the next fault and gives its number.
func (m *mutator) add(what string) int {
	what = strings.Join(strings.Fields(what), " ")
	name := m.file + " " + m.in + ": " + what
	m.seen[name]++
	if n := m.seen[name]; n > 1 {
		name += fmt.Sprintf(" (%d)", n)
	}
	number := len(*m.faults)
	*m.faults = append(*m.faults, fault{number, name})
	return number
}

// wrap puts before and after around n.
func (m *mutator) wrap(n ast.Node, before, after string) {
	k := len(m.texts)
	from, to := m.off(n.Pos()), m.off(n.End())
	m.texts = append(m.texts, insertion{from, false, to, k, before}, insertion{to, true, from, k, after})
}

// condition makes the faults of a yes or no.
func (m *mutator) condition(e ast.Expr) {
	switch x := e.(type) {
	case *ast.ParenExpr:
		m.condition(x.X)
		return
	case *ast.BinaryExpr:
		if x.Op == token.LAND || x.Op == token.LOR {
			m.condition(x.X)
			m.condition(x.Y)
		}
		switch x.Op {
		case token.LSS, token.LEQ, token.GTR, token.GEQ:
			n := m.add("`" + m.text(e) + "` with its neighbour")
			m.wrap(e, fmt.Sprintf("edge(%d, ", n), fmt.Sprintf(", %s == %s)", m.text(x.X), m.text(x.Y)))
		}
	}
	t := m.text(e)
	n := m.add("`" + t + "` negated")
	m.add("`" + t + "` always")
	m.add("`" + t + "` never")
	m.wrap(e, fmt.Sprintf("cond(%d, ", n), ")")
}

var phaseNames = map[string]bool{
	"Idle": true, "Arming": true, "Held": true, "Ready": true, "Deciding": true, "Unlocking": true, "Unlocked": true,
	"Opened": true, "Closing": true, "Secured": true, "Tail": true, "Unproven": true,
}

// phase makes the fault of another phase, if e is one.
func (m *mutator) phase(e ast.Expr, where string) {
	if id, ok := e.(*ast.Ident); ok && phaseNames[id.Name] {
		n := m.add("another phase than " + id.Name + " in `" + where + "`")
		m.wrap(e, fmt.Sprintf("shift(%d, ", n), ")")
	}
}

// statement makes the fault of a statement left out.
func (m *mutator) statement(s ast.Stmt) {
	n := m.add("without `" + m.text(s) + "`")
	m.wrap(s, fmt.Sprintf("if mutant != %d { ", n), " }")
}

func (m *mutator) inspect(n ast.Node) bool { return n == nil || m.visit(n) }

func (m *mutator) visit(n ast.Node) bool {
	switch x := n.(type) {
	case *ast.ForStmt:
		ast.Inspect(x.Body, m.inspect) // a loop's head is left alone: its faults only hang
		return false
	case *ast.IfStmt:
		m.condition(x.Cond)
	case *ast.SwitchStmt:
		for _, c := range x.Body.List {
			for _, e := range c.(*ast.CaseClause).List {
				if x.Tag == nil {
					m.condition(e)
				} else {
					k := m.add("without `case " + m.text(e) + "` of `" + m.text(x.Tag) + "`")
					m.wrap(e, fmt.Sprintf("miss(%d, ", k), ")")
				}
			}
		}
	case *ast.ReturnStmt:
		for _, e := range x.Results {
			if b, ok := e.(*ast.BinaryExpr); ok {
				switch b.Op {
				case token.LAND, token.LOR, token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
					m.condition(e)
				}
			}
		}
	case *ast.BinaryExpr:
		if x.Op == token.EQL || x.Op == token.NEQ || x.Op == token.GEQ || x.Op == token.LEQ {
			m.phase(x.Y, m.text(x))
		}
	case *ast.CallExpr:
		if name := m.text(x.Fun); name == "t.enter" {
			m.phase(x.Args[0], m.text(x))
		} else if name == "unless" {
			m.condition(x.Args[0])
		}
	case *ast.ExprStmt:
		m.statement(x)
	case *ast.AssignStmt:
		switch {
		case x.Tok == token.DEFINE:
		case len(x.Lhs) == 1:
			m.statement(x)
		default:
			for i, e := range x.Rhs {
				k := m.add("without `" + m.text(x.Lhs[i]) + " = " + m.text(e) + "`")
				m.wrap(e, fmt.Sprintf("keep(%d, %s, ", k, m.text(x.Lhs[i])), ")")
			}
		}
	case *ast.IncDecStmt:
		m.statement(x)
	}
	return true
}

// mutate is src with every fault asleep in it.
func mutate(t *testing.T, file string, src []byte, faults *[]fault) []byte {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	m := &mutator{fset: fset, file: file, src: src, faults: faults, seen: map[string]int{}}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Name.Name == "Step" {
			continue
		}
		m.in = fn.Name.Name
		ast.Inspect(fn.Body, m.inspect)
	}
	sort.SliceStable(m.texts, func(i, j int) bool {
		return m.texts[i].before(m.texts[j])
	})
	var out bytes.Buffer
	at := 0
	for _, x := range m.texts {
		out.Write(src[at:x.at])
		out.WriteString(x.text)
		at = x.at
	}
	out.Write(src[at:])
	return out.Bytes()
}

// build makes a program of this package's tests with the given sources in place of its own.
func build(t *testing.T, sources map[string][]byte) (program string) {
	t.Helper()
	dir := t.TempDir()
	pkg := filepath.Join(dir, "interlock")
	put := func(name string, b []byte) {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	get := func(name string) []byte {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if err := os.MkdirAll(pkg, 0o700); err != nil {
		t.Fatal(err)
	}
	put(filepath.Join(dir, "go.mod"), []byte("module eyebolt\n\ngo 1.26.0\n"))
	for _, name := range []string{
		"words.go", "reason.go", "strings.go", "sentence.go", "step.go", "take.go", "settle.go", "state.go", "checks.go",
		"judge_test.go", "move_test.go", "rules_test.go", "explorer_test.go", "scenes_test.go", "player_test.go", "stories_test.go",
	} {
		b, ok := sources[name]
		if !ok {
			b = get(name)
		}
		put(filepath.Join(pkg, name), b)
	}
	for _, name := range []string{"hooks.go", "worker_test.go"} {
		put(filepath.Join(pkg, name), get(filepath.Join("testdata", "mutants", name)))
	}
	program = filepath.Join(dir, "worker")
	cmd := exec.Command("go", "test", "-c", "-o", program, "./interlock")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the faulty package does not build: %v\n%s", err, out)
	}
	return program
}

// try runs faults in a program, as many at a time as there are cores, and says how each was caught.
func try(t *testing.T, program string, limit int, orders []string) map[int]string {
	t.Helper()
	stories, err := filepath.Abs("testdata/stories")
	if err != nil {
		t.Fatal(err)
	}
	verdicts := make(map[int]string)
	var mu sync.Mutex
	var wg sync.WaitGroup
	left := 2 * time.Hour // without a limit of the test's own: a busy machine takes its time
	if end, ok := t.Deadline(); ok {
		left = max(time.Until(end)-10*time.Second, time.Second)
	}
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var in strings.Builder
			for i := w; i < len(orders); i += workers {
				in.WriteString(orders[i] + "\n")
			}
			cmd := exec.Command(program, "-test.run", "TestWorker", "-test.timeout", left.String())
			cmd.Env = append(os.Environ(), "STORIES="+stories, fmt.Sprint("LIMIT=", limit), "GOMAXPROCS=1", "GOGC=800")
			cmd.Stdin = strings.NewReader(in.String())
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("worker: %v\n%s", err, out)
			}
			lines := bufio.NewScanner(bytes.NewReader(out))
			for lines.Scan() {
				var n int
				if _, err := fmt.Sscanf(lines.Text(), "MUTANT %d", &n); err == nil {
					_, how, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "MUTANT "), " ")
					mu.Lock()
					verdicts[n] = how
					mu.Unlock()
				}
			}
		}()
	}
	wg.Wait()
	return verdicts
}

// survivors are the faults that nothing catches, each with its argument.
func survivors(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("testdata/survivors.txt")
	if err != nil {
		t.Fatal(err)
	}
	argued := map[string]string{}
	name := ""
	for _, l := range strings.Split(string(b), "\n") {
		switch {
		case strings.HasPrefix(l, "    "):
			argued[name] = strings.TrimSpace(l)
		case l != "" && !strings.HasPrefix(l, "#"):
			name = l
			argued[name] = ""
		}
	}
	return argued
}

// TestExploreGeneratedMutants makes every small fault of the files that decide, and holds each to the rules and the
// stories. What nothing catches must be argued in testdata/survivors.txt; an argument that is not needed is removed.
func TestExploreGeneratedMutants(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Log("not with -short or -race: these run the same program on the same facts, slower")
		return
	}
	start := time.Now()
	var faults []fault
	sources := map[string][]byte{}
	for _, file := range decided {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources[file] = mutate(t, file, src, &faults)
	}
	program := build(t, sources)
	var orders []string
	for _, f := range faults {
		orders = append(orders, fmt.Sprint(f.number))
	}
	how := try(t, program, mutantStates, orders)
	argued := survivors(t)
	byRule, byStory, alive := 0, 0, 0
	for _, f := range faults {
		v := how[f.number]
		switch {
		case strings.HasPrefix(v, "rule"), strings.HasPrefix(v, "panic"):
			byRule++
		case strings.HasPrefix(v, "story"):
			byStory++
		case v == "alive":
			alive++
			if argued[f.name] == "" {
				t.Errorf("nothing catches: %s", f.name)
			}
			delete(argued, f.name)
			continue
		default:
			t.Errorf("no verdict: %s", f.name)
		}
		if _, ok := argued[f.name]; ok {
			t.Errorf("argued though it is caught (%s): %s", v, f.name)
			delete(argued, f.name)
		}
	}
	for name := range argued {
		t.Errorf("argued, but no such fault is made: %s", name)
	}
	t.Logf("generated mutants: %d; caught by a rule %d, by a story %d; argued %d; %.0f s", len(faults), byRule, byStory, alive, time.Since(start).Seconds())
}

// mutantStates is how many states of each scene a fault is looked for in: nearly all are caught among the first
// thousand, and a survivor costs the whole of it.
const mutantStates = 6_000
