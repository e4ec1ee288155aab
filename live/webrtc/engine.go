package webrtc

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	pion "github.com/pion/webrtc/v4"
)

// playoutDelay is the header extension with which a sender says how long a picture may be held back.
const playoutDelay = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"

// connectIn is how long a viewer may take from its answer to a standing connection.
const connectIn = 15 * time.Second

func formatH264(profile string) string {
	return "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=" + profile
}

// profile names a stream's H.264 profile as browsers offer it. One that they do not offer is sent as the nearest: they
// decode what the stream says.
func profile(sps []byte) string {
	if len(sps) < 4 {
		return "42e01f"
	}
	switch sps[1] { // ITU-T H.264 annex A
	case 66:
		return "42e01f"
	case 77:
		return "4d001f"
	default:
		return "64001f"
	}
}

// newEngine makes what every peer connection is made from: H.264 alone, lost packets sent again, one port if asked for.
func newEngine(cfg Config) (*pion.API, func() error, error) {
	m, reg := &pion.MediaEngine{}, &interceptor.Registry{}
	var set pion.SettingEngine
	feedback := []pion.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	for i, p := range []string{"64001f", "4d001f", "42e01f", "42001f"} {
		codec := pion.RTPCodecParameters{
			RTPCodecCapability: pion.RTPCodecCapability{
				MimeType: pion.MimeTypeH264, ClockRate: 90_000, SDPFmtpLine: formatH264(p), RTCPFeedback: feedback,
			},
			PayloadType: pion.PayloadType(96 + i),
		}
		if err := m.RegisterCodec(codec, pion.RTPCodecTypeVideo); err != nil {
			return nil, nil, fmt.Errorf("live: %w", err)
		}
	}
	if err := m.RegisterHeaderExtension(pion.RTPHeaderExtensionCapability{URI: playoutDelay}, pion.RTPCodecTypeVideo,
		pion.RTPTransceiverDirectionSendonly); err != nil {
		return nil, nil, fmt.Errorf("live: %w", err)
	}
	// 4,096 packets hold a whole burst of the cache (4 MiB): each can be asked for again.
	again, err := nack.NewResponderInterceptor(nack.ResponderSize(4096))
	reports, err2 := report.NewSenderInterceptor()
	if err := errors.Join(err, err2); err != nil {
		return nil, nil, fmt.Errorf("live: %w", err)
	}
	reg.Add(again)
	reg.Add(reports)

	set.LoggerFactory = logger{log: cfg.Log}
	set.SetIncludeLoopbackCandidate(cfg.Loopback)
	// A browser hides its address behind a name for multicast DNS; it reaches the hub, and is known from there.
	set.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	set.SetNetworkTypes([]pion.NetworkType{pion.NetworkTypeUDP4, pion.NetworkTypeUDP6})
	set.SetICETimeouts(3*time.Second, 8*time.Second, time.Second)
	// A request for a clip is short; nothing larger is taken in.
	set.SetSCTPMaxReceiveBufferSize(64 << 10)
	free := func() error { return nil }
	if cfg.Listen != "" {
		mux, err := listen(cfg)
		if err != nil {
			return nil, nil, err
		}
		set.SetICEUDPMux(mux)
		free = mux.Close
	}
	return pion.NewAPI(pion.WithMediaEngine(m), pion.WithInterceptorRegistry(reg), pion.WithSettingEngine(set)), free, nil
}

func listen(cfg Config) (ice.UDPMux, error) {
	host, port, err := net.SplitHostPort(cfg.Listen)
	n, err2 := strconv.ParseUint(port, 10, 16)
	if err := errors.Join(err, err2); err != nil || n == 0 {
		return nil, fmt.Errorf("live: address %q: want host:port or :port, with a port that is not 0: %w", cfg.Listen, err)
	}
	log := logger{log: cfg.Log}.NewLogger("mux")
	if host != "" {
		conn, err := net.ListenPacket("udp", cfg.Listen)
		if err != nil {
			return nil, fmt.Errorf("live: %w", err)
		}
		return pion.NewICEUDPMux(log, conn), nil
	}
	opts := []ice.UDPMuxFromPortOption{ice.UDPMuxFromPortWithLogger(log)}
	if cfg.Loopback {
		opts = append(opts, ice.UDPMuxFromPortWithLoopback())
	}
	mux, err := ice.NewMultiUDPMuxFromPort(int(n), opts...)
	if err != nil {
		return nil, fmt.Errorf("live: port %d: %w", n, err)
	}
	return mux, nil
}
