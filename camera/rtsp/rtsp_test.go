package rtsp_test

import (
	"testing"

	"eyebolt/camera/cameratest"
	"eyebolt/camera/rtsp"
)

func TestDriverKeepsTheContract(t *testing.T) { cameratest.Run(t, rtsp.Open) }
