package uplink

import (
	"bufio"
	"bytes"
	"io"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"
)

// Rough is what a rough uplink has done to messages so far.
type Rough struct{ Passed, Dropped, Doubled, Late int }

// A rough uplink's chances and times are those of the town's bus (sim/post.go).
const (
	dropped  = 4 // of a hundred messages
	doubled  = 4
	lateOne  = 200 // one in so many is late by seconds to minutes
	quickest = 4 * time.Millisecond
	slowest  = 300 * time.Millisecond
	lateFrom = time.Second
	lateTo   = 3 * time.Minute
)

// Roughen has each message be dropped, doubled or delayed by chance, or lets all pass as they are again. What is on its way then still
// comes late.
func (u *Uplink) Roughen(on bool, seed uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.rough = nil
	if on {
		u.rough = rand.New(rand.NewPCG(seed, 23))
	}
}

// Said is what was done to messages so far.
func (u *Uplink) Said() Rough {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.said
}

// fate is how late each copy of a message comes; none: it is lost.
func (u *Uplink) fate() []time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.rough == nil {
		return []time.Duration{0}
	}
	span := func(least, most time.Duration) time.Duration {
		return least + time.Duration(u.rough.Int64N(int64(most-least)))
	}
	n := 1
	switch by := u.rough.IntN(100); {
	case by < dropped:
		n = 0
		u.said.Dropped++
	case by < dropped+doubled:
		n = 2
		u.said.Doubled++
	default:
		u.said.Passed++
	}
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = span(quickest, slowest)
		if u.rough.IntN(lateOne) == 0 {
			out[i] = span(lateFrom, lateTo)
			u.said.Late++
		}
	}
	return out
}

// maxLine bounds a line of the bus's protocol, maxMessage what follows it; both are above what its server lets through.
const (
	maxLine    = 64 << 10
	maxMessage = 2 << 20
)

// messages forwards one direction until either end is gone, in frames of the NATS client protocol: lines, of which some announce so
// many bytes more. Lines that carry no message always pass at once and in order. What it cannot read it forwards as it comes.
func (u *Uplink) messages(to io.Writer, from io.Reader) {
	in := bufio.NewReaderSize(from, maxLine)
	var mu sync.Mutex // frames are written whole
	write := func(b []byte) error {
		mu.Lock()
		defer mu.Unlock()
		_, err := to.Write(b)
		return err
	}
	for {
		line, err := in.ReadSlice('\n')
		frame := bytes.Clone(line)
		size, message := payload(line)
		if err != nil || size > maxMessage {
			_ = write(frame)
			_, _ = io.Copy(to, in)
			return
		}
		if message {
			frame = append(frame, make([]byte, size+2)...) // and its CR LF
			if _, err := io.ReadFull(in, frame[len(line):]); err != nil {
				return
			}
		}
		late := []time.Duration{0}
		if message {
			late = u.fate()
		}
		for _, d := range late {
			if d == 0 {
				if write(frame) != nil {
					return
				}
				continue
			}
			time.AfterFunc(d, func() { _ = write(frame) }) // to a connection that is gone: lost
		}
	}
}

// payload says whether a line announces a message, and of how many bytes: PUB and HPUB to the server, MSG and HMSG from it.
func payload(line []byte) (size int, ok bool) {
	f := bytes.Fields(line)
	if len(f) < 3 {
		return 0, false
	}
	switch string(bytes.ToUpper(f[0])) {
	case "PUB", "HPUB", "MSG", "HMSG":
		n, err := strconv.Atoi(string(f[len(f)-1]))
		return n, err == nil && n >= 0
	}
	return 0, false
}
