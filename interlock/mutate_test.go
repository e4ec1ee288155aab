package interlock

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"eyebolt/sim/mutate"
)

// decided are the files of which every small fault is made. Words and sentences decide nothing.
var decided = []string{"step.go", "take.go", "settle.go", "state.go", "checks.go"}

// phases that a fault takes for the next.
var phaseNames = map[string]bool{
	"Idle": true, "Arming": true, "Held": true, "Ready": true, "Deciding": true, "Unlocking": true, "Unlocked": true,
	"Opened": true, "Closing": true, "Secured": true, "Tail": true, "Unproven": true,
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
	for _, name := range []string{"next.go", "worker_test.go"} {
		put(filepath.Join(pkg, "mutant_"+name), get(filepath.Join("testdata", "mutants", name)))
	}
	put(filepath.Join(pkg, "mutant_hooks.go"), []byte(mutate.Hooks("interlock")))
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
	set := mutate.New(mutate.Rules{
		Skip: func(f string) bool { return f == "Step" }, Others: phaseNames, Enters: "t.enter", Asks: "unless",
	})
	sources := map[string][]byte{}
	for _, file := range decided {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if sources[file], err = set.File(file, src); err != nil {
			t.Fatal(err)
		}
	}
	program := build(t, sources)
	var orders []string
	for _, f := range set.Faults {
		orders = append(orders, fmt.Sprint(f.Number))
	}
	how := try(t, program, mutantStates, orders)
	argued := survivors(t)
	byRule, byStory, alive := 0, 0, 0
	for _, f := range set.Faults {
		v := how[f.Number]
		switch {
		case strings.HasPrefix(v, "rule"), strings.HasPrefix(v, "panic"):
			byRule++
		case strings.HasPrefix(v, "story"):
			byStory++
		case v == "alive":
			alive++
			if argued[f.Name] == "" {
				t.Errorf("nothing catches: %s", f.Name)
			}
			delete(argued, f.Name)
			continue
		default:
			t.Errorf("no verdict: %s", f.Name)
		}
		if _, ok := argued[f.Name]; ok {
			t.Errorf("argued though it is caught (%s): %s", v, f.Name)
			delete(argued, f.Name)
		}
	}
	for name := range argued {
		t.Errorf("argued, but no such fault is made: %s", name)
	}
	t.Logf("generated mutants: %d; caught by a rule %d, by a story %d; argued %d; %.0f s", len(set.Faults), byRule, byStory, alive, time.Since(start).Seconds())
}

// mutantStates is how many states of each scene a fault is looked for in: nearly all are caught among the first
// thousand, and a survivor costs the whole of it.
const mutantStates = 6_000
