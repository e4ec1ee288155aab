package sim

import (
	"bufio"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/sim/mutate"
)

// A room is one whose small faults are made by the thousand.
type room struct {
	files    []string // nil: all that decide
	one      uint64   // of how many faults one is tried
	pictures bool     // they are seen picture by picture alone
}

// rooms are those that decide. Of liveness, what no picture of the town reaches (stills, prints, lamps, answers) is judged by its own
// tests and benchmarks; what only speaks or shows is left out everywhere.
var rooms = map[string]room{
	"hub":       {one: 60},
	"interlock": {one: 60, files: []string{"step.go", "take.go", "settle.go", "state.go", "checks.go"}},
	"grant":     {one: 30, files: []string{"assertion.go", "attempt.go", "chain.go", "consent.go", "grant.go", "token.go"}},
	"liveness":  {one: 40, files: []string{"decide.go", "picture.go", "delay.go", "judge.go", "replay.go", "clock.go", "silence.go"}, pictures: true},
}

// spoken are the hub's files that only put into words.
var spoken = []string{"text.go", "words.go", "id.go", "radio.go"}

// fewSeeds is how many towns a generated fault may take to be found.
const fewSeeds = 60

// mutantNumber is what each changed package is given beside its sources and mutate's hooks.
const mutantNumber = `package %s

import (
	"os"
	"strconv"
)

var mutant = func() int {
	n, err := strconv.Atoi(os.Getenv("EYEBOLT_SIM_MUTANT"))
	if err != nil {
		return -1
	}
	return n
}()
`

// generate writes every small fault into the sources of the rooms that decide, and says of which one each is.
func generate(t *testing.T) (set *mutate.Set, of []string, sources map[string]string) {
	t.Helper()
	set, sources = mutate.New(mutate.Rules{Asks: "unless"}), map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(rooms)) {
		files := rooms[name].files
		if files == nil {
			found, err := filepath.Glob(filepath.Join("..", name, "*.go"))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				if f = filepath.Base(f); !strings.HasSuffix(f, "_test.go") && !slices.Contains(spoken, f) {
					files = append(files, f)
				}
			}
		}
		for _, f := range files {
			path := filepath.Join(name, f)
			src, err := os.ReadFile(filepath.Join("..", path))
			if err != nil {
				t.Fatal(err)
			}
			changed, err := set.File(path, src)
			if err != nil {
				t.Fatal(err)
			}
			sources[path] = string(changed)
		}
		sources[filepath.Join(name, "mutant_hooks.go")] = mutate.Hooks(name)
		sources[filepath.Join(name, "mutant_number.go")] = fmt.Sprintf(mutantNumber, name)
		for len(of) < len(set.Faults) {
			of = append(of, name)
		}
	}
	return set, of, sources
}

// chosen says whether a fault is of the sample: by its name, so that a change elsewhere leaves the sample as it is.
func chosen(f mutate.Fault, one uint64) bool {
	h := fnv.New64a()
	h.Write([]byte(f.Name))
	return h.Sum64()%one == 0
}

// argued are the faults of the sample that neither the town nor their room's own tests find, each with the reason why it does no harm
// to anybody or why it is none of the town's.
func argued(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open("testdata/generated/argued.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	all, name := map[string]string{}, ""
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		switch l := lines.Text(); {
		case strings.HasPrefix(l, "    "):
			all[name] += strings.TrimSpace(l)
		case l != "" && !strings.HasPrefix(l, "#"):
			name = l
			all[name] = ""
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// failed finds the test that noticed, and stopped why a town could not go on.
var (
	failed  = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)|^panic: (.{0,80})`)
	stopped = regexp.MustCompile(`(?m)^panic: (.{0,80})`)
)

// tried is what became of a fault.
type tried struct{ by, rule, towns, visits, say string }

// asleep is no fault's number.
const asleep = -1

// tryFault wakes a fault in the town, and where no judge sees it, in its room's own tests.
func tryFault(town, own, name string, n int, pictures bool) tried {
	if r := inTown(town, n, pictures); r.by != "" {
		return r
	}
	return inOwnTests(own, name, n)
}

func inTown(town string, n int, pictures bool) tried {
	// The worker itself ends after five minutes: a town that hangs is a find, a machine that is slow is none.
	cmd := exec.Command(town, "-test.run", "^TestMutantWorker$", "-test.v", "-test.timeout", "10m")
	cmd.Env = append(os.Environ(), "EYEBOLT_SIM_MUTANT="+strconv.Itoa(n), "EYEBOLT_SIM_WORK=1", "EYEBOLT_SIM_TOWNS="+strconv.Itoa(fewSeeds), "GOMAXPROCS=1")
	if pictures {
		cmd.Env = append(cmd.Env, "EYEBOLT_SIM_PICTURES=1")
	}
	out, err := cmd.CombinedOutput()
	if p := foundIn(out); p != nil {
		return tried{"the town", p[0], p[1], p[2], p[3]}
	}
	if err != nil {
		say := strings.TrimSpace(string(out))
		if m := stopped.FindStringSubmatch(say); m != nil {
			say = m[1]
		}
		return tried{by: "the town", rule: "-", towns: "-", visits: "-", say: "it stops: " + say}
	}
	return tried{}
}

func inOwnTests(own, name string, n int) tried {
	cmd := exec.Command(own, "-test.short", "-test.failfast", "-test.timeout", "5m")
	cmd.Dir = filepath.Join("..", name)
	cmd.Env = append(os.Environ(), "EYEBOLT_SIM_MUTANT="+strconv.Itoa(n), "GOMAXPROCS=1", "RAPID_NOFAILFILE=1") // what a fault fails by is no failure of the room's
	if out, err := cmd.CombinedOutput(); err != nil {
		m := failed.FindSubmatch(out)
		if m == nil {
			return tried{by: "its own tests", say: strings.TrimSpace(string(out))}
		}
		return tried{by: "its own tests", say: string(m[1]) + string(m[2])}
	}
	return tried{}
}

// sleeps fails unless nobody finds anything while every fault is asleep: else all that are tried would count as found.
func sleeps(t *testing.T, town string, own map[string]string, used map[string]bool) {
	t.Helper()
	played := map[bool]bool{}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		r, pictures := inOwnTests(own[name], name, asleep), rooms[name].pictures
		if r.by == "" && !played[pictures] {
			played[pictures], r = true, inTown(town, asleep, pictures)
		}
		if r.by != "" {
			t.Fatalf("%s: with every fault asleep, found by %s: %s %s", name, r.by, r.rule, r.say)
		}
	}
}

// Small faults are made of every condition, case and statement of the rooms that decide, and a sample of them, chosen by their names, is
// tried: each is found by the town's judges within fewSeeds towns, or by its room's own tests, or is argued in
// testdata/generated/argued.txt; an argument that is not needed is removed. What only the room's own tests find is named: it is what
// the town does not reach or nobody outside can see.
func TestGeneratedFaultsAreFound(t *testing.T) {
	if testing.Short() || raceEnabled || os.Getenv("EYEBOLT_SIM_MUTANTS") == "" {
		t.Skip("it takes a quarter of an hour: make mutants")
	}
	set, of, sources := generate(t)
	build := buildChanged(t, t.TempDir(), sources)
	town, own := build("."), map[string]string{}
	for name := range rooms {
		own[name] = build("../" + name)
	}
	only, err := regexp.Compile(os.Getenv("EYEBOLT_SIM_ONLY"))
	if err != nil {
		t.Fatal(err)
	}
	var sample []mutate.Fault
	for i, f := range set.Faults {
		if chosen(f, rooms[of[i]].one) && only.MatchString(f.Name) {
			sample = append(sample, f)
		}
	}
	used := map[string]bool{}
	for _, f := range sample {
		used[of[f.Number]] = true
	}
	sleeps(t, town, own, used)
	before, err := filepath.Glob("../*/testdata/rapid/*/*")
	if err != nil {
		t.Fatal(err)
	}
	results := make([]tried, len(sample))
	began := time.Now()
	var wg sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				f := sample[i]
				results[i] = tryFault(town, own[of[f.Number]], of[f.Number], f.Number, rooms[of[f.Number]].pictures)
				fmt.Fprintf(os.Stderr, "%4.0f s, %d of %d: %s: %s %.100s\n", time.Since(began).Seconds(), i+1, len(sample), f.Name, results[i].by, results[i].say)
			}
		})
	}
	for i := range sample {
		next <- i
	}
	close(next)
	wg.Wait()

	if after, err := filepath.Glob("../*/testdata/rapid/*/*"); err != nil || !slices.Equal(before, after) {
		t.Errorf("faults have left their failures among the sources: %v, were %v: %v", after, before, err)
	}
	arguments := argued(t)
	count, most := map[string]map[string]int{}, 0
	t.Logf("%-90s %-14s %-5s %5s %6s  %s", "fault", "found by", "rule", "towns", "visits", "what is said")
	for i, f := range sample {
		r, name := results[i], of[f.Number]
		if r.by == "" {
			if arguments[f.Name] == "" {
				t.Errorf("line %d: nothing finds: %s", f.Line, f.Name)
			} else {
				r.by, r.say = "(argued)", arguments[f.Name]
			}
		} else if arguments[f.Name] != "" {
			t.Errorf("argued though %s found it: %s", r.by, f.Name)
		}
		delete(arguments, f.Name)
		if count[name] == nil {
			count[name] = map[string]int{}
		}
		count[name][r.by]++
		n, _ := strconv.Atoi(r.towns)
		most = max(most, n)
		t.Logf("%-90.90s %-14s %-5s %5s %6s  %.100s", f.Name, r.by, r.rule, r.towns, r.visits, r.say)
	}
	if only.String() == "" {
		for name := range arguments {
			t.Errorf("argued, but no such fault is tried: %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(count)) {
		c := count[name]
		t.Logf("%-10s found by the town %d, by its own tests %d, argued %d", name, c["the town"], c["its own tests"], c["(argued)"])
	}
	t.Logf("generated faults: %d made, %d tried; those that the town found, in at most %d towns of 16 visits; %.0f s", len(set.Faults), len(sample), most, time.Since(began).Seconds())
}
