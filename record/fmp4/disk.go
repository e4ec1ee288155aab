package fmp4

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// file is what the writer needs of an open clip; tests put failing, slow and forgetful ones in its place.
type file interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

// disk opens clips to write: a new file, or an old one that a crash left.
type disk interface {
	Create(path string) (file, error)
	Open(path string) (file, error)
}

type osDisk struct{}

func (osDisk) Create(path string) (file, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
}
func (osDisk) Open(path string) (file, error) { return os.OpenFile(path, os.O_RDWR, 0) }

// replace writes a small file so that after a power cut either the old or the new one is there, whole.
func replace(path string, data []byte) error {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("fmp4: %w", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("fmp4: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("fmp4: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the names in a folder durable. Where a folder cannot be synced (Windows), renames are durable
// by themselves or not at all.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("fmp4: %w", err)
	}
	err = d.Sync()
	_ = d.Close()
	if err != nil && runtime.GOOS != "windows" {
		return fmt.Errorf("fmp4: %w", err)
	}
	return nil
}
