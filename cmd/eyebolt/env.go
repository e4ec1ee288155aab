package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
)

// maxEnv bounds an environment's file: 64 doors with eight cameras each have 512 lines.
const maxEnv = 256 << 10

// readEnv reads lines NAME=value, as systemd's EnvironmentFile= does: empty lines and # are passed over, and quotes around a value are
// taken off. A file that others may read is refused: it holds passwords. One that is not there says nothing.
func readEnv(path string) (map[string]string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular() || info.Size() > maxEnv:
		return nil, fmt.Errorf("%s: write lines NAME=value into it", path)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s holds passwords, and others may read it: chmod 600 %s", path, path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	out, n := map[string]string{}, 0
	for line := range strings.Lines(string(raw)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if name = strings.TrimSpace(name); !ok || variable.FindString("${"+name+"}") != "${"+name+"}" {
			return nil, fmt.Errorf("%s line %d: write NAME=value", path, n) // and not the line: it may be a password
		}
		value = strings.TrimSpace(value)
		if len(value) > 1 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0] {
			value = value[1 : len(value)-1]
		}
		out[name] = value
	}
	return out, nil
}
