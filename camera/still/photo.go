package still

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"os/exec"
	"time"

	"eyebolt/camera"
)

// photoWithin is how long one picture may take on a small hub that is busy.
const photoWithin = 10 * time.Second

// Photo decodes one key picture into a grey JPEG of at most most pixels' width, for somebody who sets a camera up and asks which
// door it sees. It starts a decoder of its own, which takes about a second, and ends it; ctx may end it before. program is ffmpeg's
// name or path, "ffmpeg" if empty: without it, ErrNoFFmpeg.
func Photo(ctx context.Context, program string, p camera.Params, key camera.Picture, most int) ([]byte, error) {
	if program == "" {
		program = "ffmpeg"
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, ErrNoFFmpeg
	}
	unit, err := annexB(nil, p, key.NALs)
	if err != nil {
		return nil, err
	}
	c, err := spawn(path, p)
	if err != nil {
		return nil, err
	}
	defer c.kill()
	stop := context.AfterFunc(ctx, c.end)
	defer stop()
	full := make([]byte, p.Width*p.Height)
	if err := c.decode(unit, full, photoWithin); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, err
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, reduce(full, p.Width, p.Height, most), &jpeg.Options{Quality: 80}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// reduce means squares of pixels into one each, as large as they must be for the width.
func reduce(full []byte, width, height, most int) *image.Gray {
	n := max(1, (width+most-1)/most)
	img := image.NewGray(image.Rect(0, 0, width/n, height/n))
	for y := range height / n {
		for x := range width / n {
			sum := 0
			for dy := range n {
				row := full[(y*n+dy)*width+x*n:]
				for _, v := range row[:n] {
					sum += int(v)
				}
			}
			img.Pix[y*img.Stride+x] = byte(sum / (n * n))
		}
	}
	return img
}
