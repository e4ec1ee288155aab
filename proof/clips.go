package proof

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"eyebolt/ledger"
)

// clip is a clip that an entry names.
type clip struct {
	entry uint64
	visit string
	data  ledger.ClipData
	sane  bool // Data could be read
}

// filed remembers what a KindClip entry says.
func (c *checker) filed(e ledger.Entry) {
	var d ledger.ClipData
	err := json.Unmarshal(e.Data, &d)
	d.Path = strings.TrimPrefix(d.Path, ledger.FolderClips+"/")
	switch {
	case e.Word == ledger.WordRemoved && err == nil:
		c.removed[d.Path] = e.Index
	case e.Word == ledger.WordFiled, e.Word == ledger.WordBackfilled:
		c.clips = append(c.clips, clip{e.Index, e.Visit, d, err == nil && fs.ValidPath(d.Path) && len(d.SHA256) == 64})
	}
}

// checkClips hashes every clip that is still to be there. Paths that would leave the folder are never opened.
func (c *checker) checkClips(ctx context.Context) error {
	if c.in.Clips == nil {
		if len(c.clips) > 0 {
			c.notes = append(c.notes, fmt.Sprintf("%d clips were not checked: their folder is not here", len(c.clips)))
		}
		return nil
	}
	for _, k := range c.clips {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := ledger.FolderClips + "/" + k.data.Path
		wrong := func(what What, format string, args ...any) {
			c.count.Wrong++
			c.find(Finding{What: what, Entry: k.entry, Until: k.entry, File: name, Text: name + " " + fmt.Sprintf(format, args...)})
		}
		if !k.sane {
			wrong(ClipMissing, "is not described so that it could be checked")
			continue
		}
		sum, n, err := hashFile(ctx, c.in.Clips, k.data.Path, k.data.Bytes)
		removed, gone := c.removed[k.data.Path]
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist) && gone && removed > k.entry:
			c.count.Removed++
		case errors.Is(err, fs.ErrNotExist):
			wrong(ClipMissing, "is gone, and no entry says that it was removed")
		case err != nil:
			wrong(ClipAltered, "cannot be read: %v", err)
		case n != k.data.Bytes:
			wrong(ClipAltered, "has %d bytes, the entry says %d", n, k.data.Bytes)
		case sum != strings.ToLower(k.data.SHA256):
			wrong(ClipAltered, "is not the file that the entry describes: its SHA-256 differs")
		default:
			c.count.Whole++
		}
	}
	return nil
}

// errNoFile means that what lies there is no plain file: opening it could wait for ever.
var errNoFile = errors.New("it is no file")

// hashFile reads a clip that should have want bytes; of one with another length nothing is read.
func hashFile(ctx context.Context, fsys fs.FS, path string, want int64) (string, int64, error) {
	info, err := fs.Stat(fsys, path)
	if err != nil {
		return "", 0, err
	}
	if !info.Mode().IsRegular() {
		return "", 0, errNoFile
	}
	if info.Size() != want {
		return "", info.Size(), nil
	}
	f, err := fsys.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(reader{ctx, f}, want+1))
	return hex.EncodeToString(h.Sum(nil)), n, err
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
