package interlock

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestWorker reads lines "number rule" and prints, for each, how the fault was caught: "rule …", "panic …",
// "story …", or "alive". An empty rule means any.
func TestWorker(t *testing.T) {
	limit, _ := strconv.Atoi(os.Getenv("LIMIT"))
	in := bufio.NewScanner(os.Stdin)
	stories := readStories(t, os.Getenv("STORIES"))
	all := rules
	for in.Scan() {
		number, only, _ := strings.Cut(in.Text(), " ")
		mutant, _ = strconv.Atoi(number)
		rules = all
		if only != "" {
			rules = nil
			for _, r := range all {
				if r.id == only {
					rules = append(rules, r)
				}
			}
		}
		fmt.Printf("MUTANT %s %s\n", number, caught(limit, only, stories))
	}
}

func caught(limit int, only string, stories []story) (how string) {
	defer func() {
		if r := recover(); r != nil {
			how = fmt.Sprint("panic ", r)
		}
	}()
	for i, n := range []int{min(limit, 150), min(limit, 1500), limit} {
		if only == "" && i == 1 {
			for _, s := range stories {
				if rule := judged(s); rule != "" {
					return "rule " + rule
				}
			}
		}
		if i > 0 {
			for _, sc := range scenes() {
				if broken := walk(sc, 10<<(3*i), 60, uint64(i)); broken != "" {
					return "rule " + broken
				}
			}
		}
		if only == "" && i == 1 {
			for _, s := range stories {
				if name := s.differs(); name != "" {
					return "story " + name
				}
			}
		}
		for _, sc := range scenes() {
			if r := explore(sc, n, false); r.broken != "" {
				return "rule " + r.broken
			}
		}
	}
	return "alive"
}
