package onvif

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"eyebolt/camera"
)

// Profile is one of a camera's streams, as it says it is set.
type Profile struct {
	Token         string
	Name          string
	Encoding      string       // the camera's word: H264, H265, JPEG, …
	Codec         camera.Codec // NoCodec if it is neither H.264 nor H.265
	Width, Height int          // 0 if not told
	FPS           float64      // the highest; 0 if not told
	GOP           int          // pictures from one key picture to the next; 0 if not told
	Kbps          int          // the highest; 0 if not told
	Source        string       // the video source: profiles of one source show the same scene
	Signed        bool         // the camera says that it signs the stream (ONVIF Media Signing)
	Media2        bool         // told by the Media2 service
}

func (p Profile) pixels() int { return p.Width * p.Height }

// KeyEvery is how many seconds lie between key pictures, or 0 if the camera does not tell.
func (p Profile) KeyEvery() float64 {
	if p.FPS <= 0 || p.GOP <= 0 {
		return 0
	}
	return float64(p.GOP) / p.FPS
}

func (p Profile) String() string {
	s := p.Encoding
	if p.Width > 0 {
		s += fmt.Sprintf(" %d×%d", p.Width, p.Height)
	}
	if p.FPS > 0 {
		s += fmt.Sprintf(", %.3g pictures/s", p.FPS)
	}
	return s
}

const (
	profilesMost = 64
	tokenMost    = 128
)

// readProfiles reads GetProfilesResponse of Media (ver10) or Media2 (ver20).
func readProfiles(n *node, media2 bool) []Profile {
	var all []Profile
	for _, k := range n.all("Profiles") {
		p := Profile{Token: k.attr("token"), Name: tidy(k.text("Name")), Media2: media2}
		source, encoder := k.kid("VideoSourceConfiguration"), k.kid("VideoEncoderConfiguration")
		if media2 {
			source, encoder = k.at("Configurations", "VideoSource"), k.at("Configurations", "VideoEncoder")
		}
		if p.Token == "" || len(p.Token) > tokenMost || encoder == nil || len(all) == profilesMost {
			continue
		}
		p.Source = clip(source.text("SourceToken"), tokenMost)
		p.Encoding = tidy(encoder.text("Encoding"))
		p.Width, p.Height = number(encoder.text("Resolution", "Width")), number(encoder.text("Resolution", "Height"))
		p.FPS, p.Kbps = real(encoder.text("RateControl", "FrameRateLimit")), number(encoder.text("RateControl", "BitrateLimit"))
		switch strings.ToUpper(strings.NewReplacer(".", "", "-", "").Replace(p.Encoding)) {
		case "H264":
			p.Codec = camera.H264
		case "H265", "HEVC":
			p.Codec = camera.H265
		}
		if media2 {
			p.GOP = number(encoder.attr("GovLength"))
			p.Signed = encoder.attr("Signed") == "true" || encoder.attr("Signed") == "1"
		} else {
			p.GOP = number(encoder.text("H264", "GovLength"))
		}
		all = append(all, p)
	}
	return all
}

func tidy(s string) string { return strings.TrimSpace(plain(clip(s, 64))) }

// number reads a count; what is none, or beyond any camera, is 0.
func number(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 || n > 1<<24 {
		return 0
	}
	return n
}

func real(s string) float64 {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || math.IsNaN(f) || f < 0 || f > 1000 {
		return 0
	}
	return f
}

// Choice is which of a camera's streams to use for what.
type Choice struct {
	Watch Profile // judged and recorded
	View  Profile // for live view in a browser, which wants H.264; its Codec is NoCodec if there is none
	Why   string  // one sentence for whoever sets the camera up
}

// goodEnough is how many pixels show a courier's face at a door: 720p.
const goodEnough = 1280 * 720

// Choose picks the stream to watch and the one to show among those of the first source that has any: H.264 from 720p on
// before larger H.265, since everything plays it and it is judged the cheapest; H.265 before a coarse H.264.
func Choose(all []Profile) (Choice, bool) {
	var of []Profile
	for _, p := range all {
		if p.Codec != camera.NoCodec && (len(of) == 0 || p.Source == of[0].Source) {
			of = append(of, p)
		}
	}
	if len(of) == 0 {
		return Choice{}, false
	}
	best := func(c camera.Codec) (Profile, bool) {
		var b Profile
		for _, p := range of {
			if p.Codec == c && (b.Codec == camera.NoCodec || p.pixels() > b.pixels()) {
				b = p
			}
		}
		return b, b.Codec != camera.NoCodec
	}
	h264, has264 := best(camera.H264)
	h265, has265 := best(camera.H265)
	switch {
	case !has265:
		return Choice{h264, h264, "H.264: watched, recorded and shown as it is."}, true
	case !has264:
		return Choice{Watch: h265, Why: "Only H.265: it is watched and recorded; most browsers cannot show it, so set a second stream of the camera to H.264 for live view."}, true
	case h264.pixels() >= goodEnough || h264.pixels() >= h265.pixels():
		return Choice{h264, h264, "H.264 is large enough: watched, recorded and shown as it is; the H.265 stream is not needed."}, true
	default:
		return Choice{h265, h264, "H.265 is watched and recorded; live view shows the smaller H.264 stream of the same lens."}, true
	}
}

// Sources are the video sources of profiles, in their order: a camera with several lenses has several.
func Sources(all []Profile) []string {
	var s []string
	for _, p := range all {
		if p.Codec != camera.NoCodec && !slices.Contains(s, p.Source) {
			s = append(s, p.Source)
		}
	}
	return s
}
