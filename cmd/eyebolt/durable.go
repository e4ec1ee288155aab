package main

import (
	"errors"
	"os"
	"path/filepath"
)

// folders makes the names in a folder durable; see syncFolder.
type folders func(dir string) error

// replace writes a file whole or not at all, for its owner alone: after a power cut it is the old one or the new one, and once replace has
// returned it is the new one. Its folder is made where it is missing.
func (sync folders) replace(path string, b []byte) error {
	dir := filepath.Dir(path)
	_, err := os.Stat(dir)
	fresh := errors.Is(err, os.ErrNotExist)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if fresh {
		err = sync(filepath.Dir(dir)) // the folder's own name
	}
	return errors.Join(err, sync(dir))
}

// syncFolder makes the names in a folder durable: without it a power cut may bring an old name back, or none. Windows has no such call
// and needs none.
func syncFolder(dir string) error {
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
