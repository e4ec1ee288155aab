package fmp4

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"eyebolt/record"
)

// trash begins the name of a folder that is being deleted; no visit's name does.
const trash = ".gone-"

func isTrash(name string) bool { return strings.HasPrefix(name, trash) }

// folder makes a name safe for any file system: letters, digits, - and _ stay, every other byte is written %XX.
func folder(name string) (string, error) {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if name == "" || len(name) > 128 || b.Len() > 200 { // file systems end at 255
		return "", fmt.Errorf("%w: %.40q", ErrVisit, name)
	}
	return b.String(), nil
}

// Clip gives a filed clip: what it is made of, and where that lies.
func (r *Recorder) Clip(visit string) (record.Clip, error) {
	name, err := folder(visit)
	if err != nil {
		return record.Clip{}, err
	}
	rel := filepath.Join(r.rel, name)
	side, err := readSidecar(filepath.Join(r.cfg.Dir, rel, doneName))
	if errors.Is(err, os.ErrNotExist) {
		return record.Clip{}, fmt.Errorf("%w: %q", ErrUnknown, visit)
	} else if err != nil {
		return record.Clip{}, err
	}
	return side.clip(rel)
}

// Open gives the file of a visit's clip that has this SHA-256, and a reader of it, which the caller closes.
func (r *Recorder) Open(visit string, sum [32]byte) (record.File, io.ReadSeekCloser, error) {
	clip, err := r.Clip(visit)
	if err != nil {
		return record.File{}, nil, err
	}
	for _, f := range clip.Files {
		if f.SHA256 != sum {
			continue
		}
		read, err := os.Open(filepath.Join(r.cfg.Dir, filepath.FromSlash(f.Path)))
		return f, read, wrap(err)
	}
	return record.File{}, nil, fmt.Errorf("%w: %q has no file of SHA-256 %x", ErrUnknown, visit, sum)
}

// Clips lists what is filed, oldest first. A clip whose description cannot be read is named in the error; the others are
// listed all the same.
func (r *Recorder) Clips() ([]record.Clip, error) {
	visits, err := os.ReadDir(filepath.Join(r.cfg.Dir, r.rel))
	if err != nil {
		return nil, wrap(err)
	}
	var clips []record.Clip
	var errs []error
	for _, v := range visits {
		if !v.IsDir() || isTrash(v.Name()) {
			continue
		}
		rel := filepath.Join(r.rel, v.Name())
		side, err := readSidecar(filepath.Join(r.cfg.Dir, rel, doneName))
		if errors.Is(err, os.ErrNotExist) {
			continue // being recorded
		}
		var clip record.Clip
		if err == nil {
			clip, err = side.clip(rel)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		clips = append(clips, clip)
	}
	slices.SortFunc(clips, func(a, b record.Clip) int {
		return cmp.Or(a.To.Compare(b.To), cmp.Compare(a.Visit, b.Visit))
	})
	return clips, errors.Join(errs...)
}

// Sweep takes out of the store what Retention no longer covers and keep does not hold, and says what went. Its bytes go with the
// next Sweep: by then it is on record that they did (see Gone). A visit that is being recorded stays. Call it with an authenticated wall clock only: a clock that runs ahead deletes too much.
func (r *Recorder) Sweep(now time.Time, keep func(visit string) bool) ([]record.Clip, error) {
	settled := r.settle()
	clips, err := r.Clips()
	drop, over := r.cfg.Retention.Sweep(clips, now, func(visit string) bool {
		return r.recording(visit) || keep != nil && keep(visit)
	})
	gone := drop[:0:0]
	errs := []error{settled, err}
	for _, c := range drop {
		if err := r.remove(c.Visit); err != nil {
			errs = append(errs, err)
			continue
		}
		gone = append(gone, c)
	}
	if over > 0 {
		errs = append(errs, fmt.Errorf("fmp4: clips that must stay exceed the limit by %d bytes: close incidents, or raise the limit", over))
	}
	return gone, errors.Join(errs...)
}

// remove takes a visit's folder out of the store, in one step.
func (r *Recorder) remove(visit string) error {
	name, err := folder(visit)
	if err != nil {
		return err
	}
	parent := filepath.Join(r.cfg.Dir, r.rel)
	gone := filepath.Join(parent, trash+name)
	if err := os.RemoveAll(gone); err != nil {
		return wrap(err)
	}
	if err := os.Rename(filepath.Join(parent, name), gone); err != nil {
		return wrap(err)
	}
	return syncDir(parent)
}

// settle takes it that what was told until now is on record: what went is deleted, what is new is new no more.
func (r *Recorder) settle() error {
	parent := filepath.Join(r.cfg.Dir, r.rel)
	visits, err := os.ReadDir(parent)
	errs := []error{wrap(err)}
	for _, v := range visits {
		if isTrash(v.Name()) {
			errs = append(errs, wrap(os.RemoveAll(filepath.Join(parent, v.Name()))))
		} else if err := os.Remove(filepath.Join(parent, v.Name(), newName)); err != nil && !errors.Is(err, os.ErrNotExist) && v.IsDir() {
			errs = append(errs, wrap(err))
		}
	}
	return errors.Join(errs...)
}
