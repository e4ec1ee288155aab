package rtsp_test

import (
	"testing"

	"eyebolt/camera/cameratest"
	"eyebolt/camera/rtsp"
)

// The contract of package camera, held by the suite that every driver passes: loss is seen, a jam ends and is got over, and
// each camera that cannot be used is told in one word that says what to do next: another address, garbage, an endless header,
// a redirect into the home (S6, T20, T25).
func TestDriverKeepsTheContract(t *testing.T) { cameratest.Run(t, rtsp.Open) }
