package setup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// replace writes a file whole or not at all, durably, for its owner alone.
func replace(path string, b []byte) error {
	f, err := stage(path, b)
	if err != nil {
		return err
	}
	if err := os.Rename(f, path); err != nil {
		return errors.Join(err, os.Remove(f))
	}
	return syncDir(filepath.Dir(path))
}

// stage writes a file beside path that can take its place; its name ends as path's does.
func stage(path string, b []byte) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*-"+filepath.Base(path))
	if err != nil {
		return "", err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// create writes a file that must not be there yet.
func create(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// unused gives a path that no file has yet: name, name-2, ….
func unused(dir, name string) (string, error) {
	for i := 1; i < 100; i++ {
		path := filepath.Join(dir, name)
		if i > 1 {
			path += fmt.Sprintf("-%d", i)
		}
		if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
			return path, nil
		} else if err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("%s: a hundred files are named so", filepath.Join(dir, name))
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
