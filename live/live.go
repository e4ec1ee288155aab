// Package live says who may look, and how fresh what they see is (S15, S17). Sub-folders carry pictures.
package live

// Offer and Answer are a WebRTC session description (RFC 8829), carried over the bus and never looked into by the service.
// The hub signs its DTLS fingerprint, so that the service cannot stand in between (S17).
type (
	Offer struct {
		Door   string `json:"door"`
		Viewer string `json:"viewer"` // session name, random
		SDP    string `json:"sdp"`    // all candidates gathered
	}
	Answer struct {
		SDP       string `json:"sdp"`
		HubKey    []byte `json:"hub_key"`   // Ed25519 public key, 32 bytes: the one the resident's app learned at pairing
		Signature []byte `json:"signature"` // Ed25519 over "eyebolt live v1\n" + SHA-256(offer SDP) + SHA-256(answer SDP)
	}
)

// The data channel "age" carries one JSON Age per 100 ms from hub to viewer. The data channel "clip" carries clips: the
// viewer sends {"get":"<visit>"}, the hub answers {"bytes":n,"sha256":"hex","mime":"video/mp4; codecs=\"avc1.64001f\""} or {"error":"…"} as text, then
// the bytes in binary messages of at most 16 KiB.
type Age struct {
	Ms    int64  `json:"ms"`    // evidence age of the newest picture sent, when this message was made
	Watch string `json:"watch"` // the watch's word
	Seq   uint64 `json:"seq"`   // newest picture sent
}

// NotLiveAfter is the age past which every view says NOT LIVE (S15), in milliseconds.
const NotLiveAfter = 1000
