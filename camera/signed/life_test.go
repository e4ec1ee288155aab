package signed

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/virtual/sign"
)

func verifier(t testing.TB, cfg Config) *Verifier {
	t.Helper()
	if cfg.Within == 0 {
		cfg.Within = 2 * time.Second
	}
	v, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// verdicts counts them.
func verdicts(rs []Result) map[Verdict]int {
	n := map[Verdict]int{}
	for _, r := range rs {
		n[r.Verdict]++
	}
	return n
}

func lapses(rs []Result) (n int) {
	for _, r := range rs {
		if r.Lapse {
			n++
		}
	}
	return n
}

func expect(t *testing.T, rs []Result, want string, said ...string) {
	t.Helper()
	if got := short(rs); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
		show(t, rs)
	}
	all := transcript(rs)
	for _, s := range said {
		if !strings.Contains(all, s) {
			t.Errorf("nothing says %q in\n%s", s, all)
		}
	}
}

// TestTrust (T5): a good signature by another key is not this camera's.
func TestTrust(t *testing.T) {
	honestClip := bare(t, camera.H264)
	mine := signClip(t, honestClip, readPen(t, "camera"), sign.Config{}, 0)
	two := signClip(t, honestClip, readPen(t, "camera-two"), sign.Config{}, 0)
	alien := signClip(t, honestClip, readPen(t, "stranger"), sign.Config{}, 0)
	const foreign = "1:foreign 2:foreign 3:foreign 4:foreign 5:foreign 0:unverified"

	t.Run("a stranger's camera", func(t *testing.T) {
		v := verifier(t, Config{Roots: roots(t, "root.pem")})
		expect(t, play(v, alien, epoch), foreign, "is not of the configured authority")
	})
	t.Run("another camera of the same maker, where one is configured", func(t *testing.T) {
		v := verifier(t, Config{Roots: roots(t, "root.pem"), Key: readPen(t, "camera").id(t)})
		expect(t, play(v, two, epoch), foreign, "if the camera was exchanged, configure the new one")
	})
	t.Run("another camera of the same maker, later", func(t *testing.T) {
		v := verifier(t, Config{Roots: roots(t, "root.pem")})
		expect(t, play(v, mine, epoch), honest)
		later := signClip(t, honestClip, readPen(t, "camera-two"), sign.Config{}, time.Minute)
		expect(t, play(v, later, epoch.Add(time.Minute)), foreign, "the key changed from", "somebody is between")
	})
	t.Run("the key changes within a stream", func(t *testing.T) {
		v := verifier(t, Config{})
		c := mine.clone()
		for g := 2; g < 4; g++ {
			u, i := c.at(g, nalSEI)
			w, j := two.at(g, nalSEI)
			c.units[u][i] = two.units[w][j]
		}
		rs := play(v, c, epoch)
		if n := verdicts(rs); n[Foreign] != 2 || n[Authentic] != 3 {
			t.Errorf("%s", transcript(rs))
		}
	})
	t.Run("the first key seen is kept, and told", func(t *testing.T) {
		v := verifier(t, Config{})
		rs := play(v, alien, epoch)
		expect(t, rs, honest)
		if r := rs[0]; r.Trust != OnFirstUse || string(r.Key[:]) != string(readPen(t, "stranger").id(t)) {
			t.Errorf("%v %x", r.Trust, r.Key)
		}
		if !strings.Contains(rs[0].Subject, "stranger") {
			t.Error(rs[0].Subject)
		}
	})
	t.Run("a certificate that is no longer valid", func(t *testing.T) {
		v := verifier(t, Config{Roots: roots(t, "root.pem")})
		late := time.Date(2130, 1, 1, 0, 0, 0, 0, time.UTC)
		rs := play(v, signClip(t, honestClip, readPen(t, "camera"), sign.Config{}, late.Sub(epoch)), late)
		expect(t, rs, foreign, "expired")
	})
	t.Run("a hub whose clock was wrong believes the certificate when it is right", func(t *testing.T) {
		v := verifier(t, Config{Roots: roots(t, "root.pem"), Within: time.Hour})
		expect(t, play(v, mine, time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)), foreign, "not yet valid")
		expect(t, play(v, mine, epoch), honest)
	})
	t.Run("a certificate put in front of another camera's signature", func(t *testing.T) {
		// The stranger's signatures with the true camera's chain: same length, so that the document still parses.
		forged := pen{key: readPen(t, "stranger").key, chain: readPen(t, "camera").chain}
		v := verifier(t, Config{Roots: roots(t, "root.pem")})
		rs := play(v, signClip(t, honestClip, forged, sign.Config{}, 0), epoch)
		if n := verdicts(rs); n[Altered] != 5 || n[Authentic] != 0 {
			t.Errorf("%s", transcript(rs))
		}
	})
	t.Run("configured words", func(t *testing.T) {
		if _, err := ParseKey("12:34"); err == nil || !strings.Contains(err.Error(), "openssl x509") {
			t.Error(err)
		}
		if b, err := ParseKey(strings.Repeat("Ab:", 31) + "ab"); err != nil || len(b) != 32 {
			t.Error(b, err)
		}
		if _, err := ParseRoots([]byte("nothing")); err == nil {
			t.Error("no certificate is no root")
		}
		if _, err := New(Config{Key: []byte{1}}); err == nil {
			t.Error("a short key was taken")
		}
		if _, err := New(Config{Within: -1}); err == nil {
			t.Error("a negative time was taken")
		}
	})
}

// TestReplay (T5, T15): signed pictures of another time are stale, within one connection and across connections.
func TestReplay(t *testing.T) {
	honestClip, p := bare(t, camera.H264), readPen(t, "camera")
	day := signClip(t, honestClip, p, sign.Config{Counter: 100}, 0)
	cfg := Config{Roots: roots(t, "root.pem"), Expect: true}
	stale := func(from, n int) string {
		var s []string
		for i := range n {
			s = append(s, fmt.Sprintf("%d:stale", from+i))
		}
		return strings.Join(s, " ") + " 0:unverified"
	}

	t.Run("a recording of an hour ago", func(t *testing.T) {
		expect(t, play(verifier(t, cfg), day, epoch.Add(time.Hour)), stale(100, 5), "3600.0 s old")
	})
	t.Run("the same, by its start alone", func(t *testing.T) {
		c := signClip(t, honestClip, p, sign.Config{Version: 1}, 0)
		expect(t, play(verifier(t, cfg), c, epoch.Add(time.Hour)), stale(1, 5), "an earlier recording")
	})
	t.Run("a camera whose clock is ahead", func(t *testing.T) {
		expect(t, play(verifier(t, cfg), day, epoch.Add(-time.Minute)), stale(100, 5), "ahead of this hub")
	})
	t.Run("within tolerance", func(t *testing.T) {
		for _, d := range []time.Duration{-1900 * time.Millisecond, 4900 * time.Millisecond} {
			if rs := play(verifier(t, cfg), day, epoch.Add(d)); lapses(rs) != 0 {
				t.Errorf("%v: %s", d, transcript(rs))
			}
		}
	})
	t.Run("a lag that grows", func(t *testing.T) {
		v := verifier(t, cfg)
		v.Opened(camera.Params{Codec: camera.H264})
		var rs []Result
		for i, u := range day.units {
			at := time.Duration(i) * pace
			rs = append(rs, keep(v.Picture(camera.Picture{Media: at, Arrival: 10 * at, NALs: u}, epoch.Add(10*at)))...)
		}
		if n := verdicts(rs); n[Authentic] == 0 || n[Stale] == 0 {
			t.Errorf("%s", transcript(rs))
		}
	})
	t.Run("no clock", func(t *testing.T) {
		c := signClip(t, honestClip, p, sign.Config{Untimed: true}, 0)
		expect(t, play(verifier(t, cfg), c, epoch), stale(1, 5), "untimed")
		own := cfg
		own.Untimed = true
		v := verifier(t, own)
		expect(t, play(v, c, epoch), honest)
		expect(t, play(v, c, epoch), stale(1, 4), "its counter went from 5 back to 1", "say so: eyebolt camera learn") // the fifth repeats the newest
		v.Forget()
		expect(t, play(v, c, epoch), honest)
	})
	t.Run("the same connection's pictures again, on a new one", func(t *testing.T) {
		v := verifier(t, cfg)
		good := "100:authentic 101:authentic 102:authentic 103:authentic 104:authentic"
		expect(t, play(v, day, epoch), good)
		expect(t, play(v, day, epoch.Add(2*time.Second)), stale(100, 4), "its counter went from 104 back to 100")
	})
	t.Run("the camera was restarted", func(t *testing.T) {
		v := verifier(t, cfg)
		play(v, day, epoch)
		c := signClip(t, honestClip, p, sign.Config{}, time.Minute)
		expect(t, play(v, c, epoch.Add(time.Minute)), honest)
		// From then on the old counter is as good as none: its time is what is left, and it went back.
		expect(t, play(v, day, epoch.Add(62*time.Second)), stale(100, 5), "its time went back")
	})
	t.Run("two sessions joined where the counter fits", func(t *testing.T) {
		first := signClip(t, honestClip, p, sign.Config{}, -time.Second)
		second := signClip(t, honestClip, p, sign.Config{Counter: 4}, 0)
		second.insert(0, 0, first.cut(2, nalSEI))
		first.units = append(first.units[:18:18], second.units...)
		rs := play(verifier(t, Config{Roots: roots(t, "root.pem")}), first, time.Time{})
		if n := verdicts(rs); n[Altered] != 1 || n[Authentic] != 7 || !strings.Contains(transcript(rs), "it does not follow the GOP before it") {
			t.Errorf("%s", transcript(rs))
		}
	})
	t.Run("later examination of a recording: claimed times are left alone", func(t *testing.T) {
		if rs := play(verifier(t, cfg), day, time.Time{}); lapses(rs) != 0 {
			t.Errorf("%s", transcript(rs))
		}
	})
	t.Run("a counter that runs over", func(t *testing.T) {
		c := signClip(t, honestClip, p, sign.Config{Counter: 0xfffffffe}, 0)
		if rs := play(verifier(t, cfg), c, epoch); verdicts(rs)[Authentic] != 5 || lapses(rs) != 0 {
			t.Errorf("%s", transcript(rs))
		}
	})
}

// TestExpectation: what is expected to be signed and is not is told within Config.Within, and only that.
func TestExpectation(t *testing.T) {
	naked, p := bare(t, camera.H264), readPen(t, "camera")
	long := &clip{codec: camera.H264} // 10.4 s
	for r := range 6 {
		again := unlike(naked, byte(26*r))
		long.units = append(long.units, again.units...)
	}
	t.Run("an unsigned camera", func(t *testing.T) {
		rs := play(verifier(t, Config{Expect: true}), long, epoch)
		if n := lapses(rs); n != 5 || rs[0].Verdict != Unsigned || rs[0].At < 2*time.Second || rs[0].At > 2*time.Second+2*pace {
			t.Errorf("%d lapses\n%s", n, transcript(rs))
		}
	})
	t.Run("an unsigned camera that need not sign: said once, and hashed no longer", func(t *testing.T) {
		v := verifier(t, Config{})
		rs := play(v, long, epoch)
		if lapses(rs) != 0 || len(rs) != 1 || rs[0].Verdict != Unsigned {
			t.Errorf("%s", transcript(rs))
		}
		c := signClip(t, long, p, sign.Config{}, 0)
		copy(c.units[:60], long.clone().units[:60]) // the signatures begin after 4 s
		rs = play(v, c, epoch)
		if n := verdicts(rs); n[Authentic] < 10 || n[Unsigned] != 1 || lapses(rs) != 0 {
			t.Errorf("%s", transcript(rs))
		}
	})
	t.Run("signatures stop", func(t *testing.T) {
		c := signClip(t, long, p, sign.Config{}, 0)
		copy(c.units[80:], long.clone().units[80:])
		rs := play(verifier(t, Config{Expect: true}), c, epoch)
		var last time.Duration
		for _, r := range rs {
			if r.OK() {
				last = r.To
			}
		}
		i := 0
		for ; i < len(rs) && !rs[i].Lapse; i++ {
		}
		if i == len(rs) || rs[i].Verdict != Unsigned || rs[i].At > last+2*time.Second+3*pace {
			t.Errorf("last good picture at %v\n%s", last, transcript(rs))
		}
		if rs := play(verifier(t, Config{}), c, epoch); lapses(rs) != 0 {
			t.Errorf("not expected, and a lapse\n%s", transcript(rs))
		}
	})
	t.Run("the certificate came before the connection", func(t *testing.T) {
		c := signClip(t, long, p, sign.Config{CertificateSEI: true}, 0)
		cert := c.cut(0, nalSEI)
		rs := play(verifier(t, Config{Expect: true}), c, epoch)
		if n := verdicts(rs); n[Authentic] != 0 || n[Unverified] == 0 || lapses(rs) == 0 {
			t.Errorf("%s", transcript(rs))
		}
		c.insert(50, 0, cert) // it was asked for
		rs = play(verifier(t, Config{Expect: true}), c, epoch)
		if n := verdicts(rs); n[Authentic] < 15 || !rs[len(rs)-1].OK() {
			t.Errorf("%s", transcript(rs))
		}
	})
	t.Run("the end that no signature came for", func(t *testing.T) {
		c := signClip(t, naked, p, sign.Config{}, 0)
		c.units = c.units[:len(c.units)-1]
		rs := play(verifier(t, Config{Expect: true}), c, epoch)
		expect(t, rs, "1:authentic 2:authentic 3:authentic 4:authentic 0:unverified", "the connection ended before their signature came")
	})
	t.Run("an end that states the GOP before, as the reference implementation's does", func(t *testing.T) {
		c := signClip(t, naked, p, sign.Config{StaleEnd: true}, 0)
		expect(t, play(verifier(t, Config{Expect: true}), c, epoch), honest) // the list is signed and right
		c = signClip(t, naked, p, sign.Config{StaleEnd: true, LowBitrate: true}, 0)
		expect(t, play(verifier(t, Config{Expect: true}), c, epoch), "1:authentic 2:authentic 3:authentic 4:authentic 0:unverified")
		c.flip(50, slices...)
		if _, gops := vouched(play(verifier(t, Config{Expect: true}), c, epoch)); gops != 4 {
			t.Errorf("%d GOPs", gops)
		}
	})
	t.Run("only a message that is not signed itself", func(t *testing.T) {
		c := signClip(t, naked, p, sign.Config{Every: 2}, 0)
		c.cut(1, nalSEI) // the signed one of the second GOP
		rs := play(verifier(t, Config{Expect: true}), c, epoch)
		for _, r := range rs {
			if r.Counter == 1 && r.OK() {
				t.Errorf("GOP 1 is vouched for by nobody\n%s", transcript(rs))
			}
		}
	})
	t.Run("a forged message that is not signed", func(t *testing.T) {
		forged := signClip(t, naked, p, sign.Config{Every: 2}, 0)
		u, i := forged.at(0, nalSEI)
		forged.units[u][i] = signClip(t, naked, p, sign.Config{Every: 2, Version: 1}, 0).units[u][i]
		rs := play(verifier(t, Config{Expect: true}), forged, epoch)
		for _, r := range rs {
			if r.Counter == 1 && r.Verdict != Altered {
				t.Errorf("GOP 1 was judged by a message that nobody signed\n%s", transcript(rs))
			}
		}
	})
}

// TestBounds (T20): whatever a stream holds, a verifier's memory has a limit.
func TestBounds(t *testing.T) {
	v := verifier(t, Config{Expect: true, Within: time.Hour})
	v.Opened(camera.Params{Codec: camera.H264})
	c := signClip(t, bare(t, camera.H264), readPen(t, "camera"), sign.Config{Every: 1 << 30}, 0)
	for i := range 20_000 {
		u := c.units[i%(len(c.units)-1)]
		v.Picture(camera.Picture{Arrival: time.Duration(i) * pace, NALs: append(u, u...)}, time.Time{})
	}
	if len(v.pending) > pendingMost || len(v.held) > heldMost || cap(v.pending) > 2*pendingMost {
		t.Errorf("%d NAL units (room for %d) and %d judgements wait", len(v.pending), cap(v.pending), len(v.held))
	}
	u, i := c.at(0, nalSEI)
	var flood [][]byte
	for range 1000 {
		flood = append(flood, c.units[u][i][:40])
	}
	if rs := v.Picture(camera.Picture{NALs: flood}, time.Time{}); len(rs) > messagesMost {
		t.Errorf("%d results of one picture", len(rs))
	}
	if (&Verifier{}).Picture(camera.Picture{NALs: c.units[0]}, time.Time{}) != nil {
		t.Error("a picture without Opened was judged")
	}
}
