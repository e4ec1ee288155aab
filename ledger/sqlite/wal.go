package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"eyebolt/ledger"
)

// image is a database as its files say it is: the pages of the main file, and over them those of the last whole commit in
// the write-ahead log (SQLite file format, section 4). Reading it writes nothing and takes no lock, so it works on a
// read-only folder, and on one that a hub left by a crash or still writes to. It implements ioutil.SizeReaderAt.
type image struct {
	main, wal *os.File
	pages     map[uint32]int64 // page number → where it lies in the log
	pageSize  int64
	size      int64 // bytes
	damage    string
	dir       string
	seen      [2]stamp // of the main file and the log, when they were opened
}

// stamp tells one state of a file from another.
type stamp struct {
	size int64
	time time.Time
}

func stampOf(path string) stamp {
	stat, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{stat.Size(), stat.ModTime()}
}

func (m *image) stamps() [2]stamp {
	path := filepath.Join(m.dir, ledger.FileDB)
	return [2]stamp{stampOf(path), stampOf(path + "-wal")}
}

func (m *image) changed() bool { return m.stamps() != m.seen }

// walHeader and walFrame are the lengths of the log's header and of each frame's.
const walHeader, walFrame = 32, 24

// maxWAL is the longest log that is indexed: SQLite starts it anew after 1,000 pages, unless a reader holds it for long.
const maxWAL = 1 << 30

func openImage(dir string) (*image, error) {
	main, err := os.Open(filepath.Join(dir, ledger.FileDB))
	if err != nil {
		return nil, err
	}
	m := &image{main: main, pages: map[uint32]int64{}, dir: dir}
	m.seen = m.stamps()
	stat, err := main.Stat()
	if err != nil {
		return nil, errors.Join(err, main.Close())
	}
	m.size = stat.Size()
	m.wal, err = os.Open(filepath.Join(dir, ledger.FileDB+"-wal"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		m.wal, err = nil, nil
	case err == nil:
		err = m.index()
	}
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// index finds the newest version of each page up to the last whole commit. A frame counts only if the salts are the
// header's and the running checksum holds: what follows the first that does not was never committed.
func (m *image) index() error {
	stat, err := m.wal.Stat()
	if err != nil || stat.Size() < walHeader {
		return err
	}
	if stat.Size() > maxWAL {
		return fmt.Errorf("%s-wal has %d bytes, at most %d are read: let the hub start and stop once", ledger.FileDB, stat.Size(), maxWAL)
	}
	var header [walHeader]byte
	if _, err := m.wal.ReadAt(header[:], 0); err != nil {
		return err
	}
	be := binary.BigEndian
	var order binary.ByteOrder = binary.LittleEndian
	switch be.Uint32(header[0:]) {
	case 0x377f0682:
	case 0x377f0683:
		order = be
	default:
		m.damage = "the write-ahead log's header is not one"
		return nil
	}
	sum := walSum(order, [2]uint32{}, header[:24])
	pageSize := int64(be.Uint32(header[8:]))
	if sum != [2]uint32{be.Uint32(header[24:]), be.Uint32(header[28:])} || pageSize < 512 || pageSize > 65536 || pageSize&(pageSize-1) != 0 {
		m.damage = "the write-ahead log's header does not hold"
		return nil
	}
	m.pageSize = pageSize
	frame := make([]byte, walFrame+pageSize)
	open := map[uint32]int64{} // of the commit that is not whole yet
	for at := int64(walHeader); at+int64(len(frame)) <= stat.Size(); at += int64(len(frame)) {
		if _, err := m.wal.ReadAt(frame, at); err != nil {
			return err
		}
		if string(frame[8:16]) != string(header[16:24]) {
			return nil // of an earlier round of the log
		}
		sum = walSum(order, walSum(order, sum, frame[:8]), frame[walFrame:])
		if sum != [2]uint32{be.Uint32(frame[16:]), be.Uint32(frame[20:])} {
			return m.torn(at, stat.Size(), header[16:24], frame)
		}
		open[be.Uint32(frame[0:])] = at + walFrame
		if pages := be.Uint32(frame[4:]); pages != 0 { // the commit is whole
			for page, where := range open {
				m.pages[page] = where
			}
			clear(open)
			m.size = int64(pages) * pageSize
		}
	}
	return nil
}

// torn judges a frame whose checksum fails. A power cut leaves at most one commit in pieces, since each is synced before
// the next begins; two commits behind the failure mean that the file was damaged.
func (m *image) torn(at, size int64, salts, frame []byte) error {
	commits := 0
	for ; at+int64(len(frame)) <= size; at += int64(len(frame)) {
		if _, err := m.wal.ReadAt(frame[:walFrame], at); err != nil {
			return err
		}
		if string(frame[8:16]) != string(salts) {
			break
		}
		if binary.BigEndian.Uint32(frame[4:]) != 0 {
			commits++
		}
	}
	if commits >= 2 {
		m.damage = fmt.Sprintf("the write-ahead log is damaged, and %d commits behind the damage are lost", commits)
	}
	return nil
}

// walSum is the log's running checksum (SQLite file format, section 4.2); len(b) is a multiple of 8.
func walSum(order binary.ByteOrder, s [2]uint32, b []byte) [2]uint32 {
	for ; len(b) >= 8; b = b[8:] {
		s[0] += order.Uint32(b) + s[1]
		s[1] += order.Uint32(b[4:]) + s[0]
	}
	return s
}

// Size is the database's length in bytes.
func (m *image) Size() (int64, error) { return m.size, nil }

// ReadAt reads across pages. Bytes 18 and 19, which say that the database has a write-ahead log, read as if it had none:
// SQLite would look for it itself.
func (m *image) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && off < m.size {
		part := p[n:]
		if m.pageSize > 0 {
			part = part[:min(int64(len(part)), m.pageSize-off%m.pageSize)]
		}
		part = part[:min(int64(len(part)), m.size-off)]
		from, where := m.main, off
		if m.pageSize > 0 {
			if w, ok := m.pages[uint32(off/m.pageSize)+1]; ok {
				from, where = m.wal, w+off%m.pageSize
			}
		}
		got, err := from.ReadAt(part, where)
		for i := max(18-off, 0); i <= 19-off && i < int64(got); i++ {
			part[i] = 1
		}
		n, off = n+got, off+int64(got)
		if err != nil && got < len(part) {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (m *image) Close() error {
	err := m.main.Close()
	if m.wal != nil {
		err = errors.Join(err, m.wal.Close())
	}
	return err
}
