package onvif

import (
	"net/url"
	"testing"
)

// A password leaves an address wherever it stands, and so does what goes by a secret's name; a profile's token, which many cameras want in
// the stream's address, stays, or the address that is written down leads nowhere.
func TestRedact(t *testing.T) {
	c := &Client{at: &endpoint{user: "admin", pass: "hunter22"}}
	for _, k := range []struct{ in, want string }{
		{"rtsp://camera/live?token=Profile_1", "rtsp://camera/live?token=Profile_1"},
		{"rtsp://camera/live?token=Profile_2", "rtsp://camera/live?token=***"},
		{"rtsp://admin:hunter22@camera/live?token=Profile_1", "rtsp://admin:***@camera/live?token=Profile_1"},
		{"rtsp://camera/live?profile=Profile_1&auth=c2VjcmV0", "rtsp://camera/live?profile=Profile_1&auth=***"},
		{"rtsp://camera/live/hunter22?token=Profile_1", "rtsp://camera/live/***?token=Profile_1"},
	} {
		u, err := url.Parse(k.in)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Redact(u, "***", "Profile_1"); got != k.want {
			t.Errorf("%s: got %s, want %s", k.in, got, k.want)
		}
	}
	c.at.pass = "Profile_1"
	if u, _ := url.Parse("rtsp://camera/live?token=Profile_1"); c.Redact(u, "***", "Profile_1") != "rtsp://camera/live?token=***" {
		t.Error("a password that is a profile's token, too, is shown")
	}
}
