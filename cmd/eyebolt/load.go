package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"eyebolt/hub/setup"
)

// maxConfig bounds a configuration file: a home with 64 doors takes about 40 KiB.
const maxConfig = 1 << 20

// load reads a YAML file into into, a pointer to a struct. Unknown keys are refused with the nearest valid one, and ${NAME} is
// replaced by the environment variable of that name, or by what the file beside it says: hub.env for hub.yaml.
func load(path string, into any) error {
	beside, err := readEnv(setup.EnvPath(path))
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	// Where path is a link, a set-up writes beside the file that it stands for.
	if real, err := filepath.EvalSymlinks(path); err == nil && setup.EnvPath(real) != setup.EnvPath(path) {
		more, err := readEnv(setup.EnvPath(real))
		if err != nil {
			return fmt.Errorf("configuration: %w", err)
		}
		if more != nil {
			maps.Copy(more, beside)
			beside = more
		}
	}
	return loadWith(path, into, beside)
}

// loadWith is load with what stands for ${NAME} where the environment has none.
func loadWith(path string, into any, beside map[string]string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("configuration: %w: give its path with --config", err)
	}
	if info.Size() > maxConfig {
		return fmt.Errorf("configuration %s: larger than 1 MiB: that is not a configuration", path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	known := func(name string) (string, bool) {
		if value, ok := os.LookupEnv(name); ok {
			return value, true
		}
		value, ok := beside[name]
		return value, ok
	}
	text, err := environment(string(raw), known)
	if err != nil {
		return fmt.Errorf("configuration %s: %w", path, err)
	}
	if err := yaml.UnmarshalWithOptions([]byte(text), into, yaml.Strict()); err != nil {
		return fmt.Errorf("configuration %s: %w", path, &masked{withNearest(err, into), string(raw), known})
	}
	return nil
}

// masked is an error that shows lines of a configuration, without what is secret in them: it will stand in a log.
type masked struct {
	err error
	raw string // the file as it was written, before the environment's values were put in

	known func(name string) (string, bool)
}

// In an address, what stands before the @; and what stands behind the name of something secret.
var (
	inAddress = regexp.MustCompile(`(//)[^\s"']*@`)
	named     = regexp.MustCompile(`(?i)\b((?:password|secret|token)\s*:\s*).+`)
)

func (m *masked) Error() string {
	text := m.err.Error()
	for _, ref := range variable.FindAllStringSubmatch(m.raw, -1) {
		if value, _ := m.known(ref[1]); len(value) > 2 {
			text = strings.ReplaceAll(text, value, ref[0])
		}
	}
	return named.ReplaceAllString(inAddress.ReplaceAllString(text, "${1}…@"), "${1}…")
}

func (m *masked) Unwrap() error { return m.err }

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

func environment(text string, known func(name string) (string, bool)) (string, error) {
	var missing []string
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			out.WriteString(line)
			continue
		}
		out.WriteString(variable.ReplaceAllStringFunc(line, func(ref string) string {
			name := ref[2 : len(ref)-1]
			value, ok := known(name)
			if !ok {
				missing = append(missing, name)
			}
			return value
		}))
	}
	if len(missing) > 0 {
		return "", fmt.Errorf("the environment has no %s: set it, or write NAME=value into the file that is named as this one, with .env at its end", strings.Join(missing, ", "))
	}
	return out.String(), nil
}

var unknownField = regexp.MustCompile(`unknown field "([^"]+)"`)

// withNearest adds to an unknown key's error the key that was probably meant.
func withNearest(err error, into any) error {
	found := unknownField.FindStringSubmatch(err.Error())
	if found == nil {
		return err
	}
	near := nearest(found[1], keys(reflect.TypeOf(into), nil))
	if near == "" {
		return err
	}
	return &hinted{err: err, hint: fmt.Sprintf("did you mean %q?", near)}
}

type hinted struct {
	err  error
	hint string
}

func (h *hinted) Error() string {
	head, rest, ok := strings.Cut(h.err.Error(), "\n")
	if !ok {
		return head + ": " + h.hint
	}
	return head + ": " + h.hint + "\n" + rest
}

func (h *hinted) Unwrap() error { return h.err }

// keys are all keys that a configuration of this type may hold, at any depth.
func keys(t reflect.Type, seen []reflect.Type) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || slices.Contains(seen, t) {
		return nil
	}
	seen = append(seen, t)
	var all []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			all = append(all, name)
		}
		all = append(all, keys(t.Field(i).Type, seen)...)
	}
	return all
}

// nearest is the word of all that takes the fewest changes to become word; empty if none is near.
func nearest(word string, all []string) string {
	best, at := "", len(word)/2+2
	for _, candidate := range all {
		if d := distance(word, candidate); d < at {
			best, at = candidate, d
		}
	}
	return best
}

// distance counts inserted, removed, changed and swapped letters (optimal string alignment).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
