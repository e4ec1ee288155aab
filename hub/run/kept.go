package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
)

// Learned is what a detector has learned of one camera and keeps over a restart. Its methods come from one goroutine at a time, not
// always the same.
type Learned interface {
	Save() ([]byte, error) // JSON
	Load(b []byte) error   // what Save gave; a detector that cannot use it begins anew
}

// maxKept bounds a camera's file: a link's day is 15 KiB, a noise baseline of 640×360 as JSON 1.3 MiB.
const maxKept = 16 << 20

// kept is the file of what was learned of one camera: what it shows usually, and what its link was worth. It is no part of the record:
// without it the detectors learn anew.
type kept struct {
	path string
	mu   sync.Mutex
	last []byte // as it lies on disk
}

// keptAt names a camera's file; an empty folder keeps nothing.
func keptAt(dir, door, camera string) *kept {
	if dir == "" {
		return &kept{}
	}
	return &kept{path: filepath.Join(dir, url.PathEscape(door)+"."+url.PathEscape(camera)+".json")}
}

// load gives each part by its name. No file is no error.
func (k *kept) load() (map[string]json.RawMessage, error) {
	if k.path == "" {
		return nil, nil
	}
	info, err := os.Stat(k.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case info.Size() > maxKept:
		return nil, fmt.Errorf("%s has %d bytes, at most %d: delete it, and the camera is learned anew", k.path, info.Size(), maxKept)
	}
	b, err := os.ReadFile(k.path)
	if err != nil {
		return nil, err
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(b, &parts); err != nil {
		return nil, fmt.Errorf("%s is damaged: delete it, and the camera is learned anew: %w", k.path, err)
	}
	return parts, nil
}

// save writes all parts at once: after a power cut the file is the old one or the new one.
func (k *kept) save(parts map[string]json.RawMessage) error {
	if k.path == "" || len(parts) == 0 {
		return nil
	}
	b, err := json.Marshal(parts) // names in order
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if string(b) == string(k.last) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(k.path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(k.path), ".kept-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), k.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if d, err := os.Open(filepath.Dir(k.path)); err == nil {
		_ = d.Sync() // the name; where a system cannot, the next save comes
		_ = d.Close()
	}
	k.last = b
	return nil
}
