package webrtc

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"sync/atomic"
	"time"

	pion "github.com/pion/webrtc/v4"
)

const (
	// maxRequest is the longest request for a clip: a visit's name of at most 128 bytes, escaped, with room.
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

// parseRequest reads {"get":"<visit>"}, and nothing else.
func parseRequest(b []byte) (visit string, err error) {
	if len(b) > maxRequest {
		return "", errors.New("request too long")
	}
	var req struct {
		Get *string `json:"get"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&req); err != nil {
		return "", err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return "", errors.New("more than one request")
	}
	if req.Get == nil || *req.Get == "" || len(*req.Get) > 128 {
		return "", errors.New("no visit named")
	}
	return *req.Get, nil
}

type clipHead struct {
	Bytes  int64  `json:"bytes"`
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
		visit, err := parseRequest(m.Data)
		switch {
		case err != nil || !m.IsString:
			refuse(`ask with {"get":"<visit>"}`)
			return
		case !busy.CompareAndSwap(false, true):
			refuse("one clip at a time: wait for the present one")
			return
		}
		go func() {
			defer busy.Store(false)
			if err := v.sendClip(dc, visit, room, gone); err != nil {
				v.s.cfg.Log.Warn("live: clip not sent", "door", v.name, "visit", visit, "err", err)
				refuse("this clip cannot be had from here")
			}
		}()
	})
}

// sendClip sends head and bytes. After the head an error closes the channel instead: what came is not a whole clip,
// and its length and hash say so.
func (v *viewer) sendClip(dc *pion.DataChannel, visit string, room, gone <-chan struct{}) error {
	if v.s.cfg.Clip == nil {
		return errors.New("no clips are given out here")
	}
	c, err := v.s.cfg.Clip(v.name, visit)
	if err != nil {
		return err
	}
	defer c.Read.Close()
	data, err := json.Marshal(clipHead{c.Bytes, hex.EncodeToString(c.SHA256[:]), c.MIME})
	if err != nil {
		return err
	}
	if err := dc.SendText(string(data)); err != nil {
		return err
	}
	r := io.LimitReader(c.Read, c.Bytes)
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
			v.s.cfg.Log.Error("live: a clip cannot be read", "door", v.name, "visit", visit, "err", err)
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
