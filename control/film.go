package control

import (
	"cmp"
	"slices"
	"time"

	"eyebolt/ledger"
)

// maxFiles bounds the files that a visit's film lists, and those that were fetched afterwards; each stays in the log.
const maxFiles = 256

// film takes the record's word on one file of the visit's film, or on one that was fetched afterwards. A file that is told twice is
// one file; one that cannot be kept takes nothing from the others.
func (v *Visit) film(word string, d ledger.ClipData) {
	all := Clip{}
	if v.Clip != nil {
		all.Files, all.Backfilled = slices.Clone(v.Clip.Files), slices.Clone(v.Clip.Backfilled)
	}
	switch word {
	case ledger.WordFiled:
		all.Files = filed(all.Files, d)
	case ledger.WordBackfilled:
		all.Backfilled = filed(all.Backfilled, d)
	case ledger.WordRemoved:
		gone := func(o ClipFile) bool { return o.SHA256 == d.SHA256 }
		all.Files, all.Backfilled = slices.DeleteFunc(all.Files, gone), slices.DeleteFunc(all.Backfilled, gone)
	}
	v.Clip = nil
	if len(all.Files)+len(all.Backfilled) == 0 {
		return
	}
	var long time.Duration
	for _, f := range all.Files {
		all.Bytes += f.Bytes
		long += f.To.Sub(f.From)
	}
	all.Seconds = tenth(long)
	v.Clip = &all
}

// filed adds a file, unless it is there.
func filed(files []ClipFile, d ledger.ClipData) []ClipFile {
	f := ClipFile{SHA256: d.SHA256, Bytes: max(d.Bytes, 0), Seconds: tenth(d.To.Sub(d.From)), Camera: d.Camera, From: d.From, To: d.To}
	known := slices.ContainsFunc(files, func(o ClipFile) bool { return o.SHA256 == f.SHA256 })
	if f.SHA256 == "" || known || len(files) >= maxFiles {
		return files
	}
	files = append(files, f)
	slices.SortStableFunc(files, func(a, b ClipFile) int {
		return cmp.Or(cmp.Compare(a.Camera, b.Camera), a.From.Compare(b.From))
	})
	return files
}
