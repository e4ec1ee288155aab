package onvif

import (
	"encoding/binary"
	"time"
)

// replayProfile marks ONVIF's RTP header extension (ONVIF Streaming, RTP header extension).
const replayProfile = 0xabac

// stamp is what the extension says of an access unit.
type stamp struct {
	at       time.Time // on the camera's clock
	clean    bool      // decoding can begin here
	end      bool      // the last before a gap, or of all
	broken   bool      // it follows a discontinuity
	terminal bool      // there will be no more
	cseq     uint8     // of the PLAY request, its low byte
}

// readStamp reads the extension's content: three words, perhaps with a JPEG extension behind them.
func readStamp(b []byte) (s stamp, ok bool) {
	if len(b) < 12 {
		return s, false
	}
	secs, frac := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if secs == 0 && frac == 0 {
		return s, false // a camera without a clock
	}
	// NTP's seconds are of 1900 and turn over in 2036 (RFC 5905 section 6): those of the first half are of the next era.
	unix := int64(secs) - 2_208_988_800
	if secs < 1<<31 {
		unix += 1 << 32
	}
	s.at = time.Unix(unix, int64(uint64(frac)*1_000_000_000>>32)).UTC()
	f := b[8]
	s.clean, s.end, s.broken, s.terminal, s.cseq = f&0x80 != 0, f&0x40 != 0, f&0x20 != 0, f&0x10 != 0, b[9]
	return s, true
}
