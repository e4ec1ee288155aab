package onvif

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"eyebolt/camera"
)

// Recording is what a camera has kept on its own storage (ONVIF Recording Search, Profile G). Times are the camera's own.
type Recording struct {
	Token    string
	Name     string
	Source   string    // the video source's token, if told
	From, To time.Time // of its video; zero if not told
	Going    bool      // it is being recorded now
	Video    bool      // it has a track of video
}

const (
	recordingsMost = 256
	searchWait     = 2 * time.Second
	searchTurns    = 20
)

// Recordings lists what the camera has kept.
func (c *Client) Recordings(ctx context.Context) ([]Recording, error) {
	if !c.offers(nsSearch) || !c.offers(nsReplay) {
		return nil, c.fault(ErrUnsupported, "it names no storage that can be searched and replayed (Profile G)")
	}
	n, err := c.call(ctx, nsSearch, "FindRecordings", "<Scope/><MaxMatches>256</MaxMatches><KeepAliveTime>PT30S</KeepAliveTime>")
	if err != nil {
		return nil, err
	}
	token := n.text("SearchToken")
	if token == "" || len(token) > tokenMost {
		return nil, c.fault(camera.ErrGarbage, "its search has no name")
	}
	var all []Recording
	defer func() {
		// Most cameras know a few searches at a time. One that has completed is gone by itself.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_, _ = c.call(ctx, nsSearch, "EndSearch", "<SearchToken>"+escape(token)+"</SearchToken>")
	}()
	for range searchTurns {
		n, err := c.call(ctx, nsSearch, "GetRecordingSearchResults", "<SearchToken>"+escape(token)+"</SearchToken><MinResults>1</MinResults><MaxResults>64</MaxResults><WaitTime>"+seconds(searchWait)+"</WaitTime>")
		if err != nil {
			return nil, err
		}
		list := n.kid("ResultList")
		for _, k := range list.all("RecordingInformation") {
			if r := readRecording(k); r.Token != "" && len(all) < recordingsMost {
				all = append(all, r)
			}
		}
		switch list.text("SearchState") {
		case "Completed":
			return all, nil
		case "Queued", "Searching":
			if !sleep(ctx, 200*time.Millisecond) {
				return nil, ctx.Err()
			}
		default:
			return all, nil // Unknown: there is no more
		}
	}
	return all, nil
}

func readRecording(k *node) Recording {
	r := Recording{
		Token: k.text("RecordingToken"), Name: tidy(k.text("Source", "Name")), Source: clip(k.text("Source", "VideoSourceToken"), tokenMost),
		Going: k.text("RecordingStatus") == "Recording",
	}
	if len(r.Token) > tokenMost {
		r.Token = ""
	}
	for _, t := range first(k.all("Track"), 32) {
		if t.text("TrackType") != "Video" {
			continue
		}
		from, ok1 := readTime(t.text("DataFrom"))
		to, ok2 := readTime(t.text("DataTo"))
		if ok1 && ok2 && (r.Video && from.Before(r.From) || r.From.IsZero()) {
			r.From = from
		}
		if ok1 && ok2 && to.After(r.To) {
			r.To = to
		}
		r.Video = true
	}
	if r.From.IsZero() {
		r.From, _ = readTime(k.text("EarliestRecording"))
		r.To, _ = readTime(k.text("LatestRecording"))
	}
	return r
}

// ErrNotKept means that the camera's storage does not reach over the span that was asked for.
var ErrNotKept = errors.New("camera has kept nothing of that time: set it to record to its own storage without a break, and give it room")

// choose picks the recording that covers the most of a span of the camera's own time. A recording of another source is not
// taken where the source is known on both sides.
func choose(all []Recording, source string, from, to time.Time) (Recording, bool) {
	var best Recording
	var most time.Duration
	for _, r := range all {
		if !r.Video || source != "" && r.Source != "" && r.Source != source {
			continue
		}
		f, t := r.From, r.To
		if r.Going || t.IsZero() {
			t = to
		}
		covered := earlier(t, to).Sub(later(f, from))
		if covered > most {
			best, most = r, covered
		}
	}
	return best, most > 0
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// replayURL asks where a recording is replayed, with the credentials in it.
func (c *Client) replayURL(ctx context.Context, token string) (*url.URL, error) {
	n, err := c.call(ctx, nsReplay, "GetReplayUri", streamSetup+"<RecordingToken>"+escape(token)+"</RecordingToken>")
	if err != nil {
		return nil, err
	}
	return c.given(n, "rtsp")
}

// Span is a time of which the pictures are wanted, by our wall clock.
type Span struct {
	From, To time.Time
	Source   string // the video source (Profile.Source); empty: any
}

// spanMost bounds what is fetched at once: a visit is a few minutes.
const spanMost = time.Hour

// Refill takes what a camera had kept. Its methods are called by one goroutine, never two at a time, and may block: the
// camera is held back meanwhile. Pictures and their NALs belong to it for the length of the call.
type Refill interface {
	// Opened is called before the first Picture, and again when the parameter sets change.
	Opened(camera.Params)
	// Picture takes a picture and the wall time at which the camera's clock, set right by ours, says that it was taken. The
	// first is the key picture at or before the span's beginning. Arrival is when it was fetched. An error ends the backfill.
	Picture(p camera.Picture, at time.Time) error
}

// Hole is a part of a span of which the camera had nothing either.
type Hole struct{ From, To time.Time }

// Filled says what was fetched. It was never watched: it may fill the picture, never the record (S7).
type Filled struct {
	Recording string
	From, To  time.Time // of the first picture, and of the last
	Pictures  int
	Bytes     int64
	Clock     Clock  // by which the times were set right: they are as good as its Error
	Holes     []Hole // over 1 s, within the span
	Whole     bool   // from the span's beginning to its end, without a hole
	End       string // why it ended, for a person
}

// Backfill fetches the pictures of a span from the camera's own storage (ONVIF Profile G) and gives them to sink. With an
// error, Filled still says what was given before it.
func (c *Client) Backfill(ctx context.Context, s Span, sink Refill) (Filled, error) {
	if !s.From.Before(s.To) || s.To.Sub(s.From) > spanMost {
		return Filled{}, fmt.Errorf("onvif: a span to fetch is longer than nothing and at most %v", spanMost)
	}
	if err := c.readClock(ctx); err != nil { // it may have been set since
		return Filled{}, err
	}
	clock := c.Clock()
	all, err := c.Recordings(ctx)
	if err != nil {
		return Filled{}, err
	}
	slack := clock.Error + 500*time.Millisecond
	from, to := clock.toCamera(s.From).Add(-slack), clock.toCamera(s.To).Add(slack)
	r, ok := choose(all, s.Source, from, to)
	if !ok {
		return Filled{}, c.fault(ErrNotKept, "it has %d recordings", len(all))
	}
	u, err := c.replayURL(ctx, r.Token)
	if err != nil {
		return Filled{}, err
	}
	p := &replay{c: c, sink: sink, clock: clock, span: s, from: from, to: to, ended: make(chan error, 1)}
	p.filled.Recording, p.filled.Clock = r.Token, clock
	ctx, cancel := context.WithTimeout(ctx, 2*s.To.Sub(s.From)+time.Minute)
	defer cancel()
	err = p.run(ctx, u)
	return p.result(), err
}
