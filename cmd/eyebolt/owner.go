package main

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

// asOwner refuses to set up as root what is another user's: what root makes there, passwords and keys above all, is for
// root alone to read, and the hub of that user would not start any more. uid is who runs this; args are how. It gives the command to run.
func asOwner(uid int, args []string, config, state string) error {
	if uid != 0 {
		return nil
	}
	for _, path := range []string{state, config, filepath.Dir(config)} {
		info, err := os.Stat(path)
		if path == "" || err != nil {
			continue // not there yet: the folder that it will be in decides
		}
		owner, known := ownerOf(info)
		if !known || owner == 0 {
			continue
		}
		name := "'#" + strconv.Itoa(owner) + "'"
		if u, err := user.LookupId(strconv.Itoa(owner)); err == nil {
			name = u.Username
		}
		words := make([]string, 0, len(args))
		for _, a := range args {
			words = append(words, shellWord(a))
		}
		return fmt.Errorf("%s belongs to %s, and this runs as root: what it makes there could not be read by %s's hub. Run it as that user:\n  sudo -u %s %s", path, name, name, name, strings.Join(words, " "))
	}
	return nil
}
