package camera

import (
	"context"
	"errors"
)

// Asker is what a Camera may be, too: one that can be asked for a key picture now. RTSP asks by RTCP (Picture Loss Indication, RFC
// 4585 section 6.3.1), ONVIF by SetSynchronizationPoint (Media2). That the question was sent says nothing of an answer: the answer is
// a key picture that comes in time.
type Asker interface {
	// Ask sends the question. An error means that it was not sent, or that the camera refused it. It may be called from any goroutine.
	Ask(ctx context.Context) error
}

// ErrNotAsked wraps every error of Ask that is no answer of the camera: there is no connection, or none that carries questions.
var ErrNotAsked = errors.New("camera was not asked for a key picture")
