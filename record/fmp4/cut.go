package fmp4

import "time"

const (
	// partLength is the longest fragment: with the fsync that follows, pictures are confirmed well within a second.
	partLength = 500 * time.Millisecond
	// partShort keeps streams of key pictures alone from making a fragment of each.
	partShort = 250 * time.Millisecond
	// segmentLength is the longest segment, where key pictures are rarer; a longer one would tell its hash later.
	segmentLength = 2 * time.Second
	// hole is the longest time that one picture stays on screen. After a longer one the fragment ends where pictures ended.
	hole = time.Second
	// joint is the longest time between two fragments of one segment; a longer one is shown as time without film.
	joint = 250 * time.Millisecond
	// flushAfter files what has arrived even if nothing follows: the camera has gone, or is slow.
	flushAfter = partLength + 100*time.Millisecond
)

// part is one fragment's pictures. follow is how long after its last picture the next one came; 0 if none came in time
// on this connection.
type part struct {
	pics   []picture
	follow time.Duration
}

// cut divides pictures into fragments, in order. What is not yet a whole fragment is left out; n counts the pictures used.
func cut(pics []picture) (parts []part, n int) {
	for i := 1; i < len(pics); i++ {
		p, last := pics[i], pics[i-1]
		length := p.media - pics[n].media
		switch {
		case p.conn != last.conn, p.media-last.media > hole, p.seq != last.seq+1:
			parts, n = append(parts, part{pics: pics[n:i]}), i
		case length >= partLength, p.key && length >= partShort:
			parts, n = append(parts, part{pics[n:i], p.media - last.media}), i
		}
	}
	return parts, n
}
