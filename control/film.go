package control

import (
	"cmp"
	"slices"
	"time"

	"eyebolt/ledger"
)

// maxFiles bounds the files that a visit's film lists; each stays in the log.
const maxFiles = 256

// film takes the record's word on one file of the visit's film. A file that is told twice is one file; one that cannot be kept
// takes nothing from the others.
func (v *Visit) film(word string, d ledger.ClipData) {
	var files []ClipFile
	if v.Clip != nil {
		files = slices.Clone(v.Clip.Files)
	}
	switch word {
	case ledger.WordFiled:
		f := ClipFile{SHA256: d.SHA256, Bytes: max(d.Bytes, 0), Seconds: tenth(d.To.Sub(d.From)), Camera: d.Camera, From: d.From, To: d.To}
		known := slices.ContainsFunc(files, func(o ClipFile) bool { return o.SHA256 == f.SHA256 })
		if f.SHA256 == "" || known || len(files) >= maxFiles {
			return
		}
		files = append(files, f)
		slices.SortStableFunc(files, func(a, b ClipFile) int {
			return cmp.Or(cmp.Compare(a.Camera, b.Camera), a.From.Compare(b.From))
		})
	case ledger.WordRemoved:
		files = slices.DeleteFunc(files, func(o ClipFile) bool { return o.SHA256 == d.SHA256 })
	}
	v.Clip = nil
	if len(files) == 0 {
		return
	}
	all := Clip{Files: files}
	var long time.Duration
	for _, f := range files {
		all.Bytes += f.Bytes
		long += f.To.Sub(f.From)
	}
	all.Seconds = tenth(long)
	v.Clip = &all
}
