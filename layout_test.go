// Package layout holds the house to its plan: which room may import which, and what a pure room may not do.
package layout

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A row says what a room may import of ours, and why. "/*" stands for each sub-folder.
type row struct {
	room   string
	may    string
	pure   bool
	reason string
}

var plan = []row{
	{"interlock", "", true, "the decision depends on nothing, so that it can be explored whole"},
	{"lock", "", true, "words of devices know nothing of visits"},
	{"camera", "", true, "words of devices know nothing of visits"},
	{"ledger", "", true, "a stranger must be able to read it alone"},
	{"bus", "", true, "envelopes carry bytes; their meaning lives elsewhere"},
	{"notify", "", true, "who is told what is a rule of its own"},
	{"record", "", true, "what is kept is a rule; how it is written is a technology"},
	{"live", "", true, "who may look is a rule; how it is carried is a technology"},
	{"radio", "", true, "signs name a cause and never decide"},
	{"grant", "interlock", true, "a refused grant names one of the interlock's reasons"},
	{"grant/granttest", "grant interlock", false, "makes whole chains with soft keys, for tests"},
	{"liveness", "camera", true, "it judges pictures"},
	{"lock/ws", "", false, "a pipe that several drivers share knows no lock"},
	{"lock/*", "lock lock/ws", false, "a technology meets its parent, never a sibling; the pipe is no technology of locks"},
	{"camera/signed", "camera", true, "a camera's own signatures are judged as its pictures are: by a function of what came and when"},
	{"camera/*", "camera", false, "a technology meets its parent, never a sibling"},
	{"bus/*", "bus", false, "a technology meets its parent, never a sibling"},
	{"notify/*", "notify", false, "a technology meets its parent, never a sibling"},
	{"ledger/sqlite", "ledger", false, "a technology meets its parent"},
	{"record/fmp4", "record camera", false, "it writes pictures"},
	{"live/webrtc", "live camera", false, "it sends pictures"},
	{"live/turn", "live", false, "the relay to the pictures, which it cannot see"},
	{"radio/*", "radio", false, "a technology meets its parent"},
	{"proof", "ledger record", false, "what a stranger checks needs the record alone"},
	{"hub", "interlock grant lock camera liveness ledger record live radio bus", true, "the home's core: facts to orders, pure"},
	{"hub/walk", "lock liveness", true, "the walk test: what a door's devices told and what a person saw, judged by a function; it knows no hub, so that what it proves does not lean on one"},
	{"hub/walk/walktest", "hub/walk lock liveness", false, "pretend doors and their person, walked in no time, for tests"},
	{"hub/walk/run", "hub/walk lock camera liveness", false, "the walk test's clock and devices; every technology is handed in"},
	{"hub/gate", "", false, "who may use a page of the hub is asked before anything else, by code that knows nothing else"},
	{"hub/setup", "hub/gate lock", false, "pairing devices to a door: drivers, cameras and the hub's own checks are handed in"},
	{"hub/setup/mdns", "", false, "asks a network for services, and knows nothing of homes"},
	{"hub/*", "hub interlock grant lock camera liveness ledger record live radio bus", false, "goroutines and devices; every technology is handed in"},
	{"control", "interlock grant ledger bus notify", true, "the service's rules"},
	{"control/sql", "control", false, "a store meets its rules"},
	{"control/mem", "control", false, "a store meets its rules"},
	{"control/storetest", "control", false, "holds every store to one contract"},
	{"control/run", "control interlock grant ledger bus notify", false, "the service's clock, subscriptions and dead man's switch"},
	{"api", "control web", false, "says who you are and asks control"},
	{"web", "", false, "pages"},
	{"web/*", "web web/bundle", false, "builds and tests pages"},
	{"sim", "hub control control/mem bus interlock grant grant/granttest lock camera liveness ledger proof record", false, "the town: one goroutine, seeded; what ships, judged from outside, its record by a stranger's proof"},
	{"sim/mutate", "", false, "small faults, written into any room's sources by the tests that want them found"},
	{"virtual", "virtual/eye virtual/home virtual/uplink virtual/person", false, "the world joins its own parts, so that a door that opens is seen and felt"},
	{"virtual/*", "virtual lock camera web", false, "a pretend home on real protocols"},
	{"cmd/*", "*", false, "the one place that says what a binary contains"},
}

// rowOf finds the plan's row of a room; an exact name comes before a pattern.
func rowOf(room string) (row, bool) {
	for _, r := range plan {
		if r.room == room {
			return r, true
		}
	}
	for _, r := range plan {
		if parent, ok := strings.CutSuffix(r.room, "/*"); ok && strings.HasPrefix(room, parent+"/") {
			return r, true
		}
	}
	return row{}, false
}

// A source is one parsed file of ours.
type source struct {
	path string
	room string
	test bool
	file *ast.File
}

func sources(t *testing.T, fset *token.FileSet) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != "." && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || name == "tools" || name == "tmp" || name == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || filepath.Dir(path) == "." {
			return nil
		}
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, source{path: path, room: filepath.ToSlash(filepath.Dir(path)), test: strings.HasSuffix(path, "_test.go"), file: file})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("found %d files: run from the repository's root", len(all))
	}
	return all
}

func ours(spec *ast.ImportSpec) (string, bool) {
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return "", false
	}
	return strings.CutPrefix(path, "eyebolt/")
}

// arrows are the imports among our rooms, tests left out.
func arrows(all []source) map[string][]string {
	to := map[string][]string{}
	for _, s := range all {
		if s.test {
			continue
		}
		if _, ok := to[s.room]; !ok {
			to[s.room] = nil
		}
		for _, spec := range s.file.Imports {
			if room, ok := ours(spec); ok && room != s.room && !slices.Contains(to[s.room], room) {
				to[s.room] = append(to[s.room], room)
			}
		}
	}
	for room := range to {
		slices.Sort(to[room])
	}
	return to
}

func TestLayoutEveryArrowIsInThePlan(t *testing.T) {
	all := sources(t, token.NewFileSet())
	to := arrows(all)
	count, against := 0, 0
	for _, room := range slices.Sorted(maps.Keys(to)) {
		r, ok := rowOf(room)
		if !ok {
			t.Errorf("room %s is not in the plan: add a row with its reason, or move it", room)
			continue
		}
		for _, other := range to[room] {
			count++
			if r.may != "*" && !slices.Contains(strings.Fields(r.may), other) {
				against++
				t.Errorf("%s imports %s, but may import only [%s]: %s", room, other, r.may, r.reason)
			}
		}
		t.Logf("%-16s → %s", room, strings.Join(to[room], " "))
	}
	t.Logf("%d rooms, %d arrows, %d against the plan", len(to), count, against)
}

func TestLayoutHasNoCircle(t *testing.T) {
	to := arrows(sources(t, token.NewFileSet()))
	state := map[string]int{}
	var walk func(room string, path []string)
	walk = func(room string, path []string) {
		path = append(path, room)
		switch state[room] {
		case 1:
			t.Errorf("circle: %s", strings.Join(path, " → "))
			return
		case 2:
			return
		}
		state[room] = 1
		for _, other := range to[room] {
			walk(other, path)
		}
		state[room] = 2
	}
	for _, room := range slices.Sorted(maps.Keys(to)) {
		walk(room, nil)
	}
}

// banned are calls that make a pure room depend on when or where it runs.
var banned = map[string][]string{
	"time":         {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
	"math/rand":    {"*"},
	"math/rand/v2": {"*"},
	"crypto/rand":  {"*"},
	"os":           {"*"},
	"net":          {"*"},
	"net/http":     {"*"},
	"maps":         {"Keys", "Values", "All"},
}

// allowed are exceptions to banned, each with its reason.
var allowed = map[string]string{}

func TestLayoutPureRoomsAreFunctions(t *testing.T) {
	fset := token.NewFileSet()
	all := sources(t, fset)
	checked := 0
	for _, s := range all {
		if r, ok := rowOf(s.room); !ok || !r.pure || s.test {
			continue
		}
		checked++
		names := map[string]string{} // local name → path
		for _, spec := range s.file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			name := path[strings.LastIndex(path, "/")+1:]
			if name == "v2" {
				name = "rand"
			}
			if spec.Name != nil {
				name = spec.Name.Name
			}
			names[name] = path
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: a pure room starts no goroutine", fset.Position(n.Pos()))
			case *ast.SelectorExpr:
				x, ok := n.X.(*ast.Ident)
				if !ok {
					break
				}
				calls := banned[names[x.Name]]
				key := s.room + " " + names[x.Name] + "." + n.Sel.Name
				if (slices.Contains(calls, n.Sel.Name) || slices.Contains(calls, "*")) && allowed[key] == "" {
					t.Errorf("%s: a pure room does not use %s.%s", fset.Position(n.Pos()), names[x.Name], n.Sel.Name)
				}
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil {
					t.Errorf("%s: no init functions", fset.Position(n.Pos()))
				}
			}
			return true
		})
	}
	if checked < 5 {
		t.Fatalf("only %d pure files found", checked)
	}
	rangesOverMaps(t, fset, all)
}

// rangesOverMaps type-checks the pure rooms leniently (packages that are not ours are empty) and finds ranges over maps:
// their order is not the same in every run.
func rangesOverMaps(t *testing.T, fset *token.FileSet, all []source) {
	files := map[string][]*ast.File{}
	for _, s := range all {
		if !s.test {
			files[s.room] = append(files[s.room], s.file)
		}
	}
	im := &lenient{fset: fset, files: files, done: map[string]*types.Package{}, info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}}
	for _, room := range slices.Sorted(maps.Keys(files)) {
		if r, ok := rowOf(room); !ok || !r.pure {
			continue
		}
		if _, err := im.Import("eyebolt/" + room); err != nil {
			t.Fatal(err)
		}
		for _, f := range files[room] {
			ast.Inspect(f, func(n ast.Node) bool {
				if r, ok := n.(*ast.RangeStmt); ok {
					if tv, ok := im.info.Types[r.X]; ok && tv.Type != nil {
						if _, isMap := tv.Type.Underlying().(*types.Map); isMap {
							t.Errorf("%s: a pure room does not range over a map", fset.Position(n.Pos()))
						}
					}
				}
				return true
			})
		}
	}
}

type lenient struct {
	fset  *token.FileSet
	files map[string][]*ast.File
	done  map[string]*types.Package
	info  *types.Info
}

// Import gives our packages checked, all others empty.
func (l *lenient) Import(path string) (*types.Package, error) {
	if p := l.done[path]; p != nil {
		return p, nil
	}
	room, isOurs := strings.CutPrefix(path, "eyebolt/")
	if !isOurs {
		p := types.NewPackage(path, path[strings.LastIndex(path, "/")+1:])
		p.MarkComplete()
		l.done[path] = p
		return p, nil
	}
	cfg := types.Config{Importer: l, Error: func(error) {}}
	p, _ := cfg.Check(path, l.fset, l.files[room], l.info) // errors come from the empty packages
	if p == nil {
		return nil, fmt.Errorf("cannot check %s", path)
	}
	l.done[path] = p
	return p, nil
}
