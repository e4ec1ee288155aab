package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"eyebolt/ledger"
)

// writeKey puts the public key beside the ledger, or proves that the one there is the same.
func writeKey(dir, text string) error {
	path := filepath.Join(dir, ledger.FileKey)
	b, err := os.ReadFile(path)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("ledger key: %w", err)
	case err == nil && strings.TrimSuffix(string(b), "\n") != text:
		return fmt.Errorf("%w: %s holds %.80q", ledger.ErrOtherKey, path, b)
	case err == nil:
		return nil
	}
	return replace(path, []byte(text+"\n"))
}

// replace writes a file whole or not at all, and durably.
func replace(path string, b []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".tmp-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(dir)
}

// syncDir makes a folder's names durable. Windows has no such call and needs none.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, errors.ErrUnsupported) || os.PathSeparator == '\\' {
		err = nil
	}
	return errors.Join(err, f.Close())
}
