package clip

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Kinds of clips. A clip that is not Live begins live, and is what its kind says from Onset on.
const (
	Live     = "live"
	Frozen   = "frozen"            // the sensor gives the same picture again; the encoder, and its clock, go on
	Copied   = "loop-copied"       // the coded pictures themselves are repeated
	Aligned  = "loop-recoded"      // decoded pictures are repeated and coded anew; a repeat begins with a key
	Shifted  = "loop-recoded-off"  // the same, but repeats do not begin with a key
	Replayed = "yesterday-copied"  // another recording of this camera, its coded pictures themselves
	Retaken  = "yesterday-recoded" // another recording of this camera, coded anew
)

// Clip is one file and the truth about it. Each of Covers is a kind, too.
type Clip struct {
	File    string  `json:"file"`
	Kind    string  `json:"kind"`
	Split   string  `json:"split"`  // "train" or "heldout"
	Camera  string  `json:"camera"` // room, condition, size and encoder: clips of one camera share what a hub learns of it
	View    View    `json:"view"`
	Encoder Encoder `json:"encoder"`
	FPS     int     `json:"fps"`
	Frames  int     `json:"frames"`
	Onset   float64 `json:"onset"`  // seconds, of the first picture that is not live; in a loop, of the first repeated one; -1: live
	Repeat  float64 `json:"repeat"` // loops: seconds from repeat to repeat
	From    string  `json:"from"`   // what it was recorded from: a file of this camera that a hub has seen before
}

// Manifest lists a folder's clips.
type Manifest struct {
	Version int    `json:"version"` // of the generator: another one makes other pictures
	Clips   []Clip `json:"clips"`
}

// generator is raised whenever the same plan gives other pictures.
const generator = 1

const manifestName = "manifest.json"

// ReadManifest reads a folder's list. A folder without one, or made by another generator, has no clips.
func ReadManifest(dir string) (*Manifest, error) {
	m := &Manifest{Version: generator}
	b, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return nil, err
	}
	var old Manifest
	if err := json.Unmarshal(b, &old); err != nil {
		return nil, fmt.Errorf("%s: %w: remove the folder, the clips are made anew", filepath.Join(dir, manifestName), err)
	}
	if old.Version != generator {
		return m, nil
	}
	return &old, nil
}

func (m *Manifest) write(dir string) error {
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	tmp := filepath.Join(dir, manifestName+".new")
	if err := os.WriteFile(tmp, append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, manifestName))
}

// has says whether a file of the plan is there already.
func (m *Manifest) has(file string) bool {
	for _, c := range m.Clips {
		if c.File == file {
			return true
		}
	}
	return false
}
