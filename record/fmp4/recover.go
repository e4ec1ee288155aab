package fmp4

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"eyebolt/record"
)

// recoverAll closes every visit under dir that a crash left open, and gives their clips, with those that were filed and may not be
// on record; and those that were being deleted. A visit that cannot be closed is left as it is, named in the error, and the
// others go on.
func recoverAll(d disk, root, rel string) (orphans, gone []record.Clip, err error) {
	visits, err := os.ReadDir(filepath.Join(root, rel))
	if err != nil {
		return nil, nil, wrap(err)
	}
	var errs []error
	for _, v := range visits {
		dir := filepath.Join(root, rel, v.Name())
		if !v.IsDir() {
			continue
		}
		if isTrash(v.Name()) {
			if clip, err := filed(dir, filepath.Join(rel, strings.TrimPrefix(v.Name(), trash))); err == nil {
				gone = append(gone, clip)
			}
			continue
		}
		side, err := readSidecar(filepath.Join(dir, openName))
		switch {
		case errors.Is(err, os.ErrNotExist):
			if _, err := os.Stat(filepath.Join(dir, doneName)); errors.Is(err, os.ErrNotExist) {
				// The power went before the visit's name was written: nothing was confirmed.
				errs = append(errs, removeEmpty(dir))
			} else if _, err := os.Stat(filepath.Join(dir, newName)); err == nil {
				clip, err := filed(dir, filepath.Join(rel, v.Name()))
				if err != nil {
					errs = append(errs, err)
					continue
				}
				orphans = append(orphans, clip)
			}
			continue
		case err != nil:
			errs = append(errs, err)
			continue
		}
		clip, err := recoverOne(d, dir, filepath.Join(rel, v.Name()), side)
		if err != nil {
			errs = append(errs, fmt.Errorf("fmp4: visit %q was left open and cannot be closed: %w", side.Visit, err))
			continue
		}
		orphans = append(orphans, clip)
	}
	return orphans, gone, errors.Join(errs...)
}

// filed reads a filed clip's description in a folder; rel is where its files lie, or lay, in the store.
func filed(dir, rel string) (record.Clip, error) {
	side, err := readSidecar(filepath.Join(dir, doneName))
	if err != nil {
		return record.Clip{}, err
	}
	return side.clip(rel)
}

// recoverOne cuts each unfinished file behind its last whole fragment and completes it.
func recoverOne(d disk, dir, rel string, side sidecar) (record.Clip, error) {
	if done, err := readSidecar(filepath.Join(dir, doneName)); err == nil && len(done.Files) >= len(side.Files) {
		// Everything was filed; only the mark that the visit is open had not gone.
		return done.file(dir, rel)
	}
	files := side.Files[:0:0]
	for _, f := range side.Files {
		if f.SHA256 == "" {
			ok, err := mend(d, filepath.Join(dir, filepath.Base(f.Name)), &f)
			if err != nil {
				return record.Clip{}, err
			}
			if !ok {
				continue
			}
		}
		files = append(files, f)
	}
	side.Files, side.Recovered = files, true
	return side.file(dir, rel)
}

// mend completes one file; ok is false if it holds no picture, and then it is removed.
func mend(d disk, path string, side *sideFile) (ok bool, err error) {
	st, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, wrap(err)
	}
	f, err := d.Open(path)
	if err != nil {
		return false, wrap(err)
	}
	defer func() { _ = f.Close() }()
	v, err := scan(f, st.Size(), side.Base)
	if err != nil && !errors.Is(err, errHead) {
		return false, err
	}
	if v.parts == 0 {
		return false, wrap(os.Remove(path))
	}
	side.From, side.To, side.Segments = v.side.From, v.side.To, v.side.Segments
	return true, complete(f, side, v.head, v.size, v.keys, fromTicks(v.end))
}

// removeEmpty removes a folder that holds nothing that counts.
func removeEmpty(dir string) error {
	_ = os.Remove(filepath.Join(dir, openName+".tmp"))
	if err := os.Remove(dir); err != nil {
		return fmt.Errorf("fmp4: a folder that is no visit's lies in the store, move it away: %w", err)
	}
	return nil
}
