// Package live says who may look, and how fresh what they see is (S15, S17). Sub-folders carry pictures.
package live

// Offer and Answer are a WebRTC session description (RFC 8829), carried over the bus and never looked into by the service.
// The hub signs its DTLS fingerprint, so that the service cannot stand in between (S17). The viewer's offer receives one
// video track and creates two data channels, "age" and "clip".
type (
	Offer struct {
		Door   string `json:"door"`
		Viewer string `json:"viewer"` // session name, random; a second offer under it ends the first session
		SDP    string `json:"sdp"`    // all candidates gathered; at most 64 KiB
		Relay  *Relay `json:"relay,omitempty"`
	}
	Answer struct {
		SDP       string `json:"sdp"`
		HubKey    []byte `json:"hub_key"`   // Ed25519 public key, 32 bytes: the one the resident's app learned at pairing
		Signature []byte `json:"signature"` // Ed25519 over "eyebolt live v1\n" + SHA-256(offer SDP) + SHA-256(answer SDP)
	}
)

// Relay is the hub's way into the service's TURN relay for one session (RFC 8656). It goes with the relays that the hub's own
// configuration names: the service cannot send the hub anywhere else in the home.
type Relay struct {
	Username   string `json:"username"`
	Credential string `json:"credential"`
}

// The data channel "age" carries one JSON Age per 100 ms from hub to viewer. The data channel "clip" carries the files of
// a visit's film, each named by its SHA-256 on record: the viewer sends {"get":"<visit>","sha256":"<hex>","from":<byte>}, from left
// out or 0 but for going on with what a broken connection left; the hub answers {"bytes":n,"from":k,"sha256":"<hex>",
// "mime":"video/mp4; codecs=\"avc1.64001f\""}, n being the whole file's, or {"error":"…"} as text, then the bytes from k on in
// binary messages of at most 16 KiB. One file at a time; a request during a transfer is answered with an error.

// Ping is what a viewer sends on the channel "age", twice a second, with numbers that rise. The hub's messages name the newest one
// that has come. So the viewer knows that a message was made no earlier than it sent that Ping, and Held later: a message that was
// long on its way makes no picture young (S15).
type Ping struct {
	Ping uint64 `json:"ping"` // from 1
}

// Age says how old the newest picture is that this viewer was sent. A page that knows which picture it shows
// (requestVideoFrameCallback's rtpTimestamp) adds (RTP - rtpTimestamp) / 90 to Ms, and the time since the message was made.
type Age struct {
	Ms    int64  `json:"ms"`              // evidence age of the newest picture sent, when this message was made; -1: none was sent yet
	Watch string `json:"watch"`           // the watch's word; "unknown" if the hub has not judged for a second
	Seq   uint64 `json:"seq"`             // newest picture sent, counted from 1; 0: none
	RTP   uint32 `json:"rtp"`             // its RTP timestamp on the video track, 90 kHz
	Ping  uint64 `json:"ping"`            // the newest Ping that has come; 0: none
	Held  int64  `json:"held"`            // milliseconds from its coming to the making of this message
	Shows string `json:"shows,omitempty"` // "second": a second stream of the camera, not the one that is watched and recorded
}

// NotLiveAfter is the age past which every view says NOT LIVE (S15), in milliseconds.
const NotLiveAfter = 1000

// Signed is what an Answer's signature covers, given the SHA-256 of both session descriptions.
func Signed(offer, answer [32]byte) []byte {
	b := []byte("eyebolt live v1\n")
	b = append(b, offer[:]...)
	return append(b, answer[:]...)
}
