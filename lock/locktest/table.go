package locktest

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"eyebolt/lock"
)

// Outcome is how a driver stood in one part of the suite.
type Outcome string

const (
	Kept       Outcome = "kept"
	NotClaimed Outcome = "not claimed"
	NotKept    Outcome = "NOT KEPT"
)

// Table is what one run of the suite found of one driver.
type Table struct {
	Driver string
	Can    lock.Can
	rows   []row
}

type row struct {
	name    string
	outcome Outcome
}

func (t *Table) add(name string, o Outcome) { t.rows = append(t.rows, row{name, o}) }

// String is the table as lines of "property, tab, outcome": first what the driver claims, then what it was held to.
func (t *Table) String() string {
	var s strings.Builder
	can := reflect.ValueOf(t.Can)
	for i := range can.NumField() {
		claim := NotClaimed
		if can.Field(i).Bool() {
			claim = "claimed"
		}
		fmt.Fprintf(&s, "Can.%s\t%s\n", can.Type().Field(i).Name, claim)
	}
	for _, r := range t.rows {
		fmt.Fprintf(&s, "%s\t%s\n", r.name, r.outcome)
	}
	return s.String()
}

// TablesDir is the environment variable with the folder in which each run keeps its table, for Join. Empty: tables are only logged.
const TablesDir = "EYEBOLT_LOCK_TABLES"

// keep logs the table and, if there is a folder for it, writes it there. A part that -run left out is not in it.
func (t *Table) keep(tb testing.TB) {
	tb.Helper()
	tb.Logf("conformance of %s\n%s", t.Driver, t)
	dir := os.Getenv(TablesDir)
	if dir == "" {
		return
	}
	name := strings.NewReplacer("/", "-", " ", "-").Replace(t.Driver) + ".tsv"
	if err := os.WriteFile(filepath.Join(dir, name), []byte(t.String()), 0o644); err != nil {
		tb.Errorf("conformance table: %v", err)
	}
}

// Join makes one Markdown table of all that lie in a folder: a line for each property, a column for each driver.
func Join(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.tsv"))
	if err != nil {
		return "", err
	}
	if len(files) == 0 {
		return "", fmt.Errorf("no tables in %s: run the drivers' tests with %s set to it", dir, TablesDir)
	}
	slices.Sort(files)
	var drivers, properties []string
	said := map[string]map[string]string{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		driver := strings.TrimSuffix(filepath.Base(f), ".tsv")
		drivers = append(drivers, driver)
		for line := range strings.Lines(string(b)) {
			property, outcome, ok := strings.Cut(strings.TrimSpace(line), "\t")
			if !ok {
				return "", fmt.Errorf("%s: %q is no line of a table", f, line)
			}
			if said[property] == nil {
				said[property] = map[string]string{}
				properties = append(properties, property)
			}
			said[property][driver] = outcome
		}
	}
	var s strings.Builder
	fmt.Fprintf(&s, "| property | %s |\n|---%s|\n", strings.Join(drivers, " | "), strings.Repeat("|---", len(drivers)))
	for _, p := range properties {
		fmt.Fprintf(&s, "| %s |", p)
		for _, d := range drivers {
			outcome := said[p][d]
			if outcome == "" {
				outcome = "NOT RUN"
			}
			fmt.Fprintf(&s, " %s |", outcome)
		}
		s.WriteByte('\n')
	}
	return s.String(), nil
}
