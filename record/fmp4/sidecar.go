package fmp4

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"eyebolt/record"
)

// Names in a visit's folder. A folder with openName holds a visit whose recording has not ended, or whose recorder has.
const (
	openName = "open.json"
	doneName = "clip.json"
	// newName marks a clip that is filed and may not be on record yet: a start tells it again (see Orphans).
	newName = "new.json"
)

// sidecar is what lies beside a visit's files, for people and for Clip: names, times, hashes. While the visit is
// being recorded it lists the files begun so far and what cannot be read from them.
type sidecar struct {
	Version   int        `json:"v"` // 1
	Visit     string     `json:"visit"`
	Door      string     `json:"door"`
	Camera    string     `json:"camera"`
	Recovered bool       `json:"recovered,omitempty"`
	Lost      uint64     `json:"lost,omitempty"`
	Files     []sideFile `json:"files"`
}

type sideFile struct {
	Name   string        `json:"name"`
	MIME   string        `json:"mime"`
	Base   time.Duration `json:"base_ns"` // its first picture, since the clip's first picture
	SHA256 string        `json:"sha256,omitempty"`
	Bytes  int64         `json:"bytes,omitempty"`
	From   time.Time     `json:"from,omitzero"`
	To     time.Time     `json:"to,omitzero"`
	// Backfilled: it was fetched from the camera's own storage afterwards, and is no part of the visit's film.
	Backfilled bool          `json:"backfilled,omitempty"`
	Segments   []sideSegment `json:"segments,omitempty"`
}

type sideSegment struct {
	Offset int64         `json:"offset"`
	Bytes  int64         `json:"bytes"`
	SHA256 string        `json:"sha256"`
	Key    bool          `json:"key"`
	From   time.Duration `json:"from_ns"`
	To     time.Duration `json:"to_ns"`
	Wall   time.Time     `json:"wall"`
	Count  int           `json:"pictures"`
}

// clip gives the words that the other rooms use; dir is the folder, relative to the store.
func (s sidecar) clip(dir string) (record.Clip, error) {
	c := record.Clip{Visit: s.Visit, Door: s.Door, Camera: s.Camera, Recovered: s.Recovered, Lost: s.Lost}
	film := slices.ContainsFunc(s.Files, func(f sideFile) bool { return !f.Backfilled })
	for i, f := range s.Files {
		if filepath.Base(f.Name) != f.Name {
			return c, fmt.Errorf("fmp4: %s names a file elsewhere: %q", doneName, f.Name)
		}
		path := filepath.ToSlash(filepath.Join(dir, f.Name))
		sum, err := unhex(f.SHA256)
		if err != nil {
			return c, err
		}
		if i == 0 {
			c.From = f.From
		}
		if !f.Backfilled || !film {
			c.To = f.To
		}
		c.Files = append(c.Files, record.File{Path: path, MIME: f.MIME, SHA256: sum, Bytes: f.Bytes, From: f.From, To: f.To, Backfilled: f.Backfilled})
		for _, g := range f.Segments {
			sum, err := unhex(g.SHA256)
			if err != nil {
				return c, err
			}
			c.Segments = append(c.Segments, record.Segment{
				Path: path, Offset: g.Offset, Bytes: g.Bytes, SHA256: sum,
				Key: g.Key, From: g.From, To: g.To, Wall: g.Wall, Count: g.Count,
			})
		}
	}
	return c, nil
}

// name is one that no file of the visit has.
func (s sidecar) name() string {
	for n := 1; ; n++ {
		name := "clip.mp4"
		if n > 1 {
			name = fmt.Sprintf("clip-%d.mp4", n)
		}
		if !slices.ContainsFunc(s.Files, func(f sideFile) bool { return f.Name == name }) {
			return name
		}
	}
}

func unhex(s string) (sum [32]byte, err error) {
	if n, err := hex.Decode(sum[:], []byte(s)[:min(len(s), 64)]); err != nil || n != 32 || len(s) != 64 {
		return sum, fmt.Errorf("fmp4: not a SHA-256: %.80q", s)
	}
	return sum, nil
}

func (s sidecar) write(path string) error {
	data, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return fmt.Errorf("fmp4: %w", err)
	}
	return replace(path, append(data, '\n'))
}

// maxSidecar bounds what is read: an hour's visit is 3,600 segments of about 250 bytes.
const maxSidecar = 16 << 20

func readSidecar(path string) (s sidecar, err error) {
	f, err := os.Open(path)
	if err != nil {
		return s, fmt.Errorf("fmp4: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSidecar))
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err == nil && (s.Version != 1 || s.Visit == "") {
		err = errors.New("not a clip's description")
	}
	if err != nil {
		return s, fmt.Errorf("fmp4: %s: %w", path, err)
	}
	return s, nil
}
