package onvif

import (
	"log/slog"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"eyebolt/camera"
)

const soapHead = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="urn:a"><s:Header><a:RelatesTo>urn:uuid:1</a:RelatesTo></s:Header><s:Body>`

// FuzzReply: whatever XML a camera answers, reading it ends, stays within bounds, and gives nothing that could not be shown
// or sent on (T20, T25).
func FuzzReply(f *testing.F) {
	for _, body := range []string{
		`<GetProfilesResponse><Profiles token="a"><Name>n</Name><VideoSourceConfiguration><SourceToken>s</SourceToken></VideoSourceConfiguration><VideoEncoderConfiguration><Encoding>H264</Encoding><Resolution><Width>1</Width><Height>2</Height></Resolution><RateControl><FrameRateLimit>15</FrameRateLimit></RateControl><H264><GovLength>30</GovLength></H264></VideoEncoderConfiguration></Profiles></GetProfilesResponse>`,
		`<GetProfilesResponse><Profiles token="a"><Configurations><VideoEncoder GovLength="9" Signed="1"><Encoding>H265</Encoding></VideoEncoder></Configurations></Profiles></GetProfilesResponse>`,
		`<PullMessagesResponse><NotificationMessage><Topic>tns1:VideoSource/ImageTooDark</Topic><Message><Message UtcTime="2026-01-01T00:00:00Z" PropertyOperation="Changed"><Source><SimpleItem Name="a" Value="b"/></Source><Data><SimpleItem Name="State" Value="true"/></Data></Message></Message></NotificationMessage></PullMessagesResponse>`,
		`<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode></s:Code><s:Reason><s:Text>no</s:Text></s:Reason></s:Fault>`,
		`<GetSystemDateAndTimeResponse><SystemDateAndTime><UTCDateTime><Time><Hour>1</Hour><Minute>2</Minute><Second>3</Second></Time><Date><Year>2026</Year><Month>2</Month><Day>31</Day></Date></UTCDateTime></SystemDateAndTime></GetSystemDateAndTimeResponse>`,
		`<GetRecordingSearchResultsResponse><ResultList><SearchState>Completed</SearchState><RecordingInformation><RecordingToken>r</RecordingToken><Track><TrackType>Video</TrackType><DataFrom>2026-01-01T00:00:00Z</DataFrom><DataTo>2026-01-02T00:00:00</DataTo></Track></RecordingInformation></ResultList></GetRecordingSearchResultsResponse>`,
		`<CreatePullPointSubscriptionResponse><SubscriptionReference><Address>http://10.0.0.1:80/p?x=1</Address><ReferenceParameters><d:Id xmlns:d="urn:d" k="v">7</d:Id></ReferenceParameters></SubscriptionReference></CreatePullPointSubscriptionResponse>`,
		`<Uri>rtsp://[::1]:554/a%2fb?c#d</Uri>`, `<!DOCTYPE a><a/>`, strings.Repeat("<a>", 60), `<a><![CDATA[x]]>&lt;</a>`,
	} {
		f.Add([]byte(soapHead + body + "</s:Body></s:Envelope>"))
	}
	e, err := parse(Config{URL: "http://eye:hush@10.0.0.7:8080"})
	if err != nil {
		f.Fatal(err)
	}
	c := &Client{at: e, lim: defaults, log: slog.New(slog.DiscardHandler)}
	f.Fuzz(func(t *testing.T, b []byte) {
		root, err := readXML(b)
		if err != nil {
			return
		}
		nodes := 0
		walk(root, func(n *node, depth int) {
			if nodes++; nodes > nodesMost || depth > depthMost {
				t.Fatalf("%d elements, %d deep", nodes, depth)
			}
			shown := func(s string) {
				if len(s) > 300 || s != plain(s) {
					t.Fatalf("shown as it is: %q", s)
				}
			}
			for _, p := range append(readProfiles(n, false), readProfiles(n, true)...) {
				shown(p.Name)
				shown(p.Encoding)
				if p.Width < 0 || p.Height < 0 || p.GOP < 0 || p.FPS < 0 || p.Token == "" {
					t.Fatalf("%+v", p)
				}
				Choose([]Profile{p})
			}
			var known tracker
			known.begin()
			for _, e := range readNotices(n) {
				if m, ok := e.tamper(); ok {
					shown(m.Topic)
					known.fresh(m, e.at)
				}
				if e.operation == "Initialized" {
					known.given++
				}
			}
			for i := range absentMost + 1 { // what stands is never more than what it said, and what it left out ends once
				if gone := known.end(time.Duration(i)*time.Minute, time.Minute/2); len(gone) > len(known.last) {
					t.Fatalf("%d ended of %d", len(gone), len(known.last))
				}
				known.begin()
				known.given++
			}
			for _, s := range known.last {
				if s.on && s.state && s.listed {
					t.Fatal("an alarm stands that is not told any more")
				}
			}
			_ = readRecording(n)
			_, _ = readDateTime(n)
			fault := readFault(n)
			fault.refusal()
			if s := c.faulted(fault).Error(); strings.Contains(s, "hush") || len(s) > 600 {
				t.Fatalf("%q", s)
			}
			if u, _, err := e.ours(n.Text, "http", "https", "rtsp"); err == nil {
				again, err := url.Parse(u.String())
				if err != nil || again.Hostname() != "10.0.0.7" || again.User != nil {
					t.Fatalf("%q became %q (%v)", n.Text, u, err)
				}
			}
			if path, err := c.pathOf(n.Text); err == nil {
				if u, err := e.url.Parse(path); err != nil || u.Hostname() != "10.0.0.7" && !strings.HasPrefix(path, "/") {
					t.Fatalf("%q became %q (%v)", n.Text, path, err)
				}
			}
		})
		// What is echoed to the camera is XML again.
		var again strings.Builder
		root.write(&again, "")
		if s := again.String(); s != "" {
			if _, err := readXML([]byte(s)); err != nil && !strings.Contains(err.Error(), "too ") {
				t.Fatalf("%q cannot be read again: %v", s, err)
			}
		}
	})
}

func walk(n *node, f func(*node, int)) {
	var down func(*node, int)
	down = func(n *node, depth int) {
		f(n, depth)
		for _, k := range n.Kids {
			down(k, depth+1)
		}
	}
	down(n, 1)
}

// FuzzMatch: whatever answers a probe, the camera found is at the address that it answered from (T25).
func FuzzMatch(f *testing.F) {
	for _, m := range []string{
		`<d:ProbeMatches xmlns:d="urn:d"><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:2</a:Address></a:EndpointReference><d:Scopes>onvif://www.onvif.org/name/Front%20Door onvif://www.onvif.org/hardware/X onvif://www.onvif.org/Profile/T</d:Scopes><d:XAddrs>http://10.0.0.9/onvif/device_service http://[fe80::1%25eth0]/x</d:XAddrs></d:ProbeMatch></d:ProbeMatches>`,
		`<ProbeMatch><XAddrs>https://evil.example:8443/x?y#z</XAddrs></ProbeMatch>`,
	} {
		f.Add([]byte(soapHead+m+"</s:Body></s:Envelope>"), true)
		f.Add([]byte(soapHead+m+"</s:Body></s:Envelope>"), false)
	}
	f.Fuzz(func(t *testing.T, b []byte, six bool) {
		ip := netip.MustParseAddr("10.0.0.9")
		if six {
			ip = netip.MustParseAddr("fd00::9")
		}
		for _, c := range readMatches(b, ip, map[string]bool{"urn:uuid:1": true}) {
			u, err := url.Parse(c.URL)
			if err != nil || u.Hostname() != ip.String() || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
				t.Fatalf("%+v, %v", c, err)
			}
			for _, s := range append(c.Profiles, c.Name, c.Model, c.ID) {
				if s != plain(s) || len(s) > 80 {
					t.Fatalf("shown as it is: %q", s)
				}
			}
		}
	})
}

// FuzzChallenge: whatever WWW-Authenticate says, the answer is one header line, of which only the digest depends on the
// password.
func FuzzChallenge(f *testing.F) {
	for _, h := range []string{
		`Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`,
		`Basic realm="a", Digest realm="b\"c", nonce=abc, stale=TRUE`, `NTLM abc==, Digest nonce="1",algorithm="MD5-sess",qop=auth`,
		"Digest nonce=\"a\x00b\"", `Negotiate`, `Digest`, `=`, `,,,`, `Digest nonce="unclosed`, `Bearer a/b=`,
	} {
		f.Add(h, "eye", `pa"ss`)
	}
	f.Fuzz(func(t *testing.T, h, user, pass string) {
		c, _ := bestDigest([]string{h, h})
		if n := len(readSchemes([]string{h})); n > challengesMost {
			t.Fatalf("%d challenges", n)
		}
		if c == nil {
			return
		}
		s := c.answer("GET", "/a?b", user, pass)
		if strings.ContainsAny(s, "\r\n\x00") || !strings.HasPrefix(s, "Digest username=") || c.count != 1 {
			t.Fatalf("%q", s)
		}
		with := c.respond("GET", "/a?b", user, pass, "cnonce", 1)
		without := c.respond("GET", "/a?b", user, "another"+pass, "cnonce", 1)
		if a, b := digest.ReplaceAllString(with, ""), digest.ReplaceAllString(without, ""); a != b || with == without {
			t.Fatalf("with the password:    %q\nwith another: %q", with, without)
		}
	})
}

// digest is the one part of an answer that is made of the password.
var digest = regexp.MustCompile(`, response="[0-9a-f]{32,64}"`)

// FuzzReplay: whatever a replay's packets hold, times that are given rise and lie where they were asked for.
func FuzzReplay(f *testing.F) {
	_, kept := card(camera.H264, time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), 1)
	for _, k := range kept[:3] {
		b := []byte{0x90, 0xe0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0xab, 0xac, 0, 3, 0xee, 0xb2, 0xc0, 0x40, 0, 0, 0, 0, 0x80, 1, 0, 0}
		for _, n := range k.NALs {
			f.Add(append(b[:len(b):len(b)], n[:min(len(n), 60)]...), false)
		}
	}
	f.Add([]byte{0x90, 0xe0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0xab, 0xac, 0, 0}, true)
	f.Fuzz(func(t *testing.T, b []byte, h265 bool) {
		from := time.Date(2026, 11, 26, 11, 0, 0, 0, time.UTC)
		var a album
		start := time.Now()
		p := &replay{
			c: &Client{at: &endpoint{}, lim: defaults, cfg: Config{Now: func() time.Duration { return time.Since(start) }}}, sink: &a,
			span: Span{From: from, To: from.Add(time.Hour)}, ended: make(chan error, 1),
		}
		p.params.Codec = camera.H264
		d, err := h264Decoder()
		if h265 {
			p.params.Codec = camera.H265
			d, err = h265Decoder()
		}
		if err != nil {
			t.Fatal(err)
		}
		p.decode = d
		// The input is packets of its own length's fifth, one after the other.
		for n := max(len(b)/5, 20); len(b) > 0; {
			var k rtp.Packet
			if k.Unmarshal(b[:min(n, len(b))]) == nil {
				p.packet(&k)
			}
			b = b[min(n, len(b)):]
		}
		for i, at := range a.times {
			if at.After(p.span.To) || at.Before(p.span.From.Add(-spanMost)) || i > 0 && !at.After(a.times[i-1]) {
				t.Fatalf("picture %d is told as of %v", i, at)
			}
		}
		if f := p.result(); f.Pictures != len(a.pics) || len(f.Holes) > holesMost {
			t.Fatalf("%+v", f)
		}
	})
}
