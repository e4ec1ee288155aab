package onviftest

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/conn"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/pion/rtp"

	"eyebolt/camera"
)

// ReplayFault is what may go wrong with a replay.
type ReplayFault uint8

const (
	Sound     ReplayFault = iota
	NoOption              // it does not know onvif-replay: 551
	NoStamps              // its packets carry no times
	TimesBack             // its times jump back in the middle
	CutShort              // the connection ends in the middle
	Mute                  // it plays, and nothing comes
	NoFlags               // it never says that there is no more: it just stops
)

// Spoil makes later replays go wrong.
func (d *Device) Spoil(f ReplayFault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.spoilt = f
}

// listen starts the RTSP server of its storage.
func (d *Device) listen() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		d.tb.Fatal(err)
	}
	d.rtsp = l
	d.tb.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				d.serveRTSP(c)
			}()
		}
	}()
}

func (d *Device) serveRTSP(c net.Conn) {
	rc := conn.NewConn(bufio.NewReader(c), c)
	for {
		m, err := rc.Read()
		if err != nil {
			return
		}
		r, ok := m.(*base.Request)
		if !ok {
			continue // receiver reports
		}
		d.count("RTSP " + string(r.Method))
		d.mu.Lock()
		fault := d.spoilt
		d.mu.Unlock()
		res := &base.Response{StatusCode: base.StatusOK, Header: base.Header{"CSeq": r.Header["CSeq"], "Session": base.HeaderValue{"12345678;timeout=60"}}}
		require := first(r.Header["Require"])
		switch {
		case require != "" && (require != "onvif-replay" || fault == NoOption):
			res.StatusCode, res.StatusMessage = 551, "Option not supported"
		case r.Method == base.Options:
			res.Header["Public"] = base.HeaderValue{"DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"}
		case r.Method == base.Describe:
			res.Header["Content-Type"] = base.HeaderValue{"application/sdp"}
			res.Header["Content-Base"] = base.HeaderValue{r.URL.String() + "/"}
			res.Body = d.sdp()
		case r.Method == base.Setup:
			res.Header["Transport"] = base.HeaderValue{"RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=00000007"}
		case r.Method == base.Play:
			from, to, err := clockRange(first(r.Header["Range"]))
			if err != nil || require == "" || first(r.Header["Rate-Control"]) != "no" {
				res.StatusCode, res.StatusMessage = 457, "Invalid Range"
			}
			if rc.WriteResponse(res) != nil || res.StatusCode != base.StatusOK {
				continue
			}
			cseq, _ := strconv.Atoi(first(r.Header["CSeq"]))
			go d.play(c, from, to, byte(cseq), fault)
			continue
		case r.Method == base.Teardown:
			_ = rc.WriteResponse(res)
			return
		}
		if rc.WriteResponse(res) != nil {
			return
		}
	}
}

func first(v base.HeaderValue) string {
	if len(v) == 0 {
		return ""
	}
	return v[0]
}

func clockRange(s string) (from, to time.Time, err error) {
	a, b, ok := strings.Cut(strings.TrimPrefix(s, "clock="), "-")
	if !ok || !strings.HasPrefix(s, "clock=") {
		return from, to, fmt.Errorf("range %q", s)
	}
	if from, err = time.Parse("20060102T150405.999999999Z", a); err == nil && b != "" {
		to, err = time.Parse("20060102T150405.999999999Z", b)
	}
	return from, to, err
}

func (d *Device) sdp() []byte {
	p, b64 := d.set.Params, base64.StdEncoding.EncodeToString
	s := "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=replay\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=control:rtsp://127.0.0.1/video\r\na=x-onvif-track:VIDEO001\r\n"
	if p.Codec == camera.H265 {
		return []byte(s + "a=rtpmap:96 H265/90000\r\na=fmtp:96 sprop-vps=" + b64(p.VPS) + ";sprop-sps=" + b64(p.SPS) + ";sprop-pps=" + b64(p.PPS) + "\r\n")
	}
	return []byte(s + "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets=" + b64(p.SPS) + "," + b64(p.PPS) + "\r\n")
}

// play sends what lies between from and to, by the camera's clock, as fast as the connection takes it.
func (d *Device) play(c net.Conn, from, to time.Time, cseq byte, fault ReplayFault) {
	if fault == Mute {
		return
	}
	begin := d.cleanPoint(from)
	pack := d.packer()
	var seq uint16 = 65500
	for i := begin; i < len(d.set.Kept); i++ {
		k := d.set.Kept[i]
		at := k.At.Add(d.set.Clock)
		if !to.IsZero() && at.After(to) {
			break
		}
		if fault == TimesBack && i == begin+20 {
			at = at.Add(-time.Minute)
		}
		if fault == CutShort && i == begin+20 {
			_ = c.Close()
			return
		}
		packets, err := pack(k.NALs)
		if err != nil {
			d.tb.Errorf("onviftest: %v", err)
			return
		}
		last := i == len(d.set.Kept)-1
		end := last || d.set.Kept[i+1].At.Sub(k.At) > time.Second
		for j, p := range packets {
			p.SequenceNumber, p.SSRC = seq, 7
			p.Timestamp = uint32(k.At.UnixMicro() * 9 / 100)
			seq++
			if j == 0 && fault != NoStamps {
				flag := fault != NoFlags
				p.Extension, p.ExtensionProfile = true, 0xabac
				if err := p.SetExtension(0, extension(at, k.Key, flag && end, flag && last, cseq)); err != nil {
					d.tb.Errorf("onviftest: %v", err)
					return
				}
			}
			b, err := p.Marshal()
			if err != nil {
				d.tb.Errorf("onviftest: %v", err)
				return
			}
			frame := append([]byte{'$', 0, byte(len(b) >> 8), byte(len(b))}, b...)
			if _, err := c.Write(frame); err != nil {
				return
			}
		}
	}
}

// cleanPoint is where a replay from a time on begins: at the key picture at or before it or, where it lies in a gap, at the first
// one behind that (ONVIF Streaming, synchronization points).
func (d *Device) cleanPoint(from time.Time) int {
	newest, key := -1, -1 // at or before from
	for i, k := range d.set.Kept {
		if k.At.Add(d.set.Clock).After(from) {
			break
		}
		newest = i
		if k.Key {
			key = i
		}
	}
	gap := newest >= 0 && newest+1 < len(d.set.Kept) && d.set.Kept[newest+1].At.Sub(d.set.Kept[newest].At) > time.Second
	if key >= 0 && !gap {
		return key
	}
	for i := newest + 1; i < len(d.set.Kept); i++ {
		if d.set.Kept[i].Key {
			return i
		}
	}
	return len(d.set.Kept)
}

// extension is ONVIF's RTP header extension.
func extension(at time.Time, clean, end, terminal bool, cseq byte) []byte {
	b := make([]byte, 12)
	binary.BigEndian.PutUint32(b, uint32(at.Unix()+2_208_988_800))
	binary.BigEndian.PutUint32(b[4:], uint32(uint64(at.Nanosecond())<<32/1e9))
	for i, f := range []bool{clean, end, false, terminal} {
		if f {
			b[8] |= 0x80 >> i
		}
	}
	b[9] = cseq
	return b
}

func (d *Device) packer() func([][]byte) ([]*rtp.Packet, error) {
	if d.set.Params.Codec == camera.H265 {
		e, err := (&format.H265{PayloadTyp: 96}).CreateEncoder()
		if err != nil {
			d.tb.Fatal(err)
		}
		return e.Encode
	}
	e, err := (&format.H264{PayloadTyp: 96, PacketizationMode: 1}).CreateEncoder()
	if err != nil {
		d.tb.Fatal(err)
	}
	return e.Encode
}

// Keep lays pictures on a camera's storage: from a source of access units, n of them, at fps from a time on.
func Keep(from time.Time, fps, n int, next func() [][]byte, key func([][]byte) bool) []Kept {
	var all []Kept
	for i := range n {
		au := next()
		all = append(all, Kept{from.Add(time.Duration(i) * time.Second / time.Duration(fps)), key(au), slices.Clone(au)})
	}
	return all
}
