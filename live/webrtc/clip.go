package webrtc

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	pion "github.com/pion/webrtc/v4"
)

const (
	// maxRequest is the longest request for a clip: a visit's name of at most 128 bytes, escaped, a hash, a number, with room.
	maxRequest = 1024
	// message is the largest that every browser takes (RFC 8831 section 6.6).
	message = 16 << 10
	// A transfer waits while more than windowHigh is on its way, until it is under windowLow: a slow phone costs a
	// megabyte, not a clip.
	windowHigh = 1 << 20
	windowLow  = 256 << 10
	// stalled ends a transfer of which nothing leaves for so long.
	stalled = 30 * time.Second
)

// request names a file of a visit's film, and where in it to begin.
type request struct {
	visit string
	sum   [32]byte
	from  int64
}

// parseRequest reads {"get":"<visit>","sha256":"<hex>","from":<byte>}, and nothing else.
func parseRequest(b []byte) (request, error) {
	if len(b) > maxRequest {
		return request{}, errors.New("request too long")
	}
	var req struct {
		Get    *string `json:"get"`
		SHA256 string  `json:"sha256"`
		From   int64   `json:"from"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&req); err != nil {
		return request{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return request{}, errors.New("more than one request")
	}
	if req.Get == nil || *req.Get == "" || len(*req.Get) > 128 {
		return request{}, errors.New("no visit named")
	}
	sum, err := hex.DecodeString(req.SHA256)
	if err != nil || len(sum) != 32 {
		return request{}, errors.New("no file named")
	}
	if req.From < 0 {
		return request{}, errors.New("a beginning before the file's")
	}
	return request{*req.Get, [32]byte(sum), req.From}, nil
}

type clipHead struct {
	Bytes  int64  `json:"bytes"`
	From   int64  `json:"from"`
	SHA256 string `json:"sha256"`
	MIME   string `json:"mime"`
}

// serveClips answers requests on a viewer's data channel "clip", one at a time.
func (v *viewer) serveClips(dc *pion.DataChannel) {
	var busy atomic.Bool
	room := make(chan struct{}, 1)
	gone := make(chan struct{})
	dc.OnClose(func() { close(gone) })
	dc.SetBufferedAmountLowThreshold(windowLow)
	dc.OnBufferedAmountLow(func() {
		select {
		case room <- struct{}{}:
		default:
		}
	})
	refuse := func(sentence string) {
		data, _ := json.Marshal(map[string]string{"error": sentence}) // strings always marshal
		_ = dc.SendText(string(data))
	}
	dc.OnMessage(func(m pion.DataChannelMessage) {
		if dc.BufferedAmount() > windowHigh+maxRequest {
			return // whoever asks and does not listen gets no answers
		}
		req, err := parseRequest(m.Data)
		switch {
		case err != nil || !m.IsString:
			refuse(`ask with {"get":"<visit>","sha256":"<hex>"}`)
			return
		case !busy.CompareAndSwap(false, true):
			refuse("one clip at a time: wait for the present one")
			return
		}
		go func() {
			defer busy.Store(false)
			if err := v.sendClip(dc, req, room, gone); err != nil {
				v.s.cfg.Log.Warn("live: clip not sent", "door", v.name, "visit", req.visit, "err", err)
				refuse("this clip cannot be had from here")
			}
		}()
	})
}

// sendClip sends head and bytes. After the head an error closes the channel instead: what came is not a whole clip,
// and its length and hash say so.
func (v *viewer) sendClip(dc *pion.DataChannel, req request, room, gone <-chan struct{}) error {
	if v.s.cfg.Clip == nil {
		return errors.New("no clips are given out here")
	}
	c, err := v.s.cfg.Clip(v.name, req.visit, req.sum)
	if err != nil {
		return err
	}
	defer c.Read.Close()
	if req.from > c.Bytes {
		return fmt.Errorf("asked for byte %d of %d", req.from, c.Bytes)
	}
	if _, err := c.Read.Seek(req.from, io.SeekStart); err != nil {
		return err
	}
	data, err := json.Marshal(clipHead{c.Bytes, req.from, hex.EncodeToString(c.SHA256[:]), c.MIME})
	if err != nil {
		return err
	}
	if err := dc.SendText(string(data)); err != nil {
		return err
	}
	r := io.LimitReader(c.Read, c.Bytes-req.from)
	buf := make([]byte, message)
	timer := time.NewTimer(stalled)
	defer timer.Stop()
	for {
		n, err := io.ReadFull(r, buf)
		if n > 0 {
			if err := dc.Send(buf[:n]); err != nil {
				return nil // the viewer has gone
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		} else if err != nil {
			v.s.cfg.Log.Error("live: a clip cannot be read", "door", v.name, "visit", req.visit, "err", err)
			_ = dc.Close()
			return nil
		}
		timer.Reset(stalled)
		for dc.BufferedAmount() > windowHigh {
			select {
			case <-room:
			case <-gone:
				return nil
			case <-v.end:
				return nil
			case <-timer.C:
				_ = dc.Close()
				return nil
			}
		}
	}
}
