package mutate_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"eyebolt/sim/mutate"
)

const program = `package main

import (
	"fmt"
	"os"
)

type kind string

func judge(n int, k kind) (word string, loud bool) {
	if n > 3 && k != "calm" {
		word, loud = "high", true
	}
	switch k {
	case "calm":
		word += "c"
	case "wild":
		word += "w"
	}
	switch x := any(n).(type) {
	case int:
		word += fmt.Sprint(x)
	}
	return word, n == 0 || loud
}

func main() {
	for _, n := range []int{0, 3, 4} {
		for _, k := range []kind{"calm", "wild"} {
			word, loud := judge(n, k)
			fmt.Fprintln(os.Stdout, word, loud)
		}
	}
}
`

// Every fault sleeps until its number is chosen, and then changes what the program says; the names say where and what.
func TestEachFaultIsAsleepUntilItIsChosen(t *testing.T) {
	set := mutate.New(mutate.Rules{Skip: func(f string) bool { return f == "main" }})
	changed, err := set.File("judge.go", []byte(program))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module m\n\ngo 1.26.0\n", "judge.go": string(changed), "hooks.go": mutate.Hooks("main"),
		"mutant.go": "package main\n\nimport (\n\t\"os\"\n\t\"strconv\"\n)\n\nvar mutant = func() int { n, _ := strconv.Atoi(os.Getenv(\"MUTANT\")); return n }()\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-o", "m", ".")
	build.Dir, build.Env = dir, append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, changed)
	}
	run := func(n int) string {
		cmd := exec.Command(filepath.Join(dir, "m"))
		cmd.Env = []string{"MUTANT=" + strconv.Itoa(n)}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("fault %d: %v\n%s", n, err, out)
		}
		return string(out)
	}
	const real = "c0 true\nw0 true\nc3 false\nw3 false\nc4 false\nhighw4 true\n"
	if got := run(-1); got != real {
		t.Errorf("with every fault asleep it says %q, want %q", got, real)
	}
	names := map[string]bool{}
	for _, f := range set.Faults {
		if names[f.Name] {
			t.Errorf("two faults are called %q", f.Name)
		}
		names[f.Name] = true
		if !strings.HasPrefix(f.Name, "judge.go judge: ") || f.Line < 10 {
			t.Errorf("fault %d is called %q, line %d", f.Number, f.Name, f.Line)
		}
		if run(f.Number) == real {
			t.Errorf("%s: changes nothing", f.Name)
		}
	}
	for _, want := range []string{
		"judge.go judge: `n > 3` with its neighbour", "judge.go judge: `n > 3 && k != \"calm\"` never", "judge.go judge: without `loud = true`",
		"judge.go judge: without `case \"wild\"` of `k`", "judge.go judge: without `word += \"c\"`", "judge.go judge: `n == 0 || loud` always",
	} {
		if !names[want] {
			t.Errorf("no fault is called %s; there are %d", want, len(names))
		}
	}
}
