package radio_test

import (
	"strings"
	"testing"
	"time"

	"eyebolt/radio"
)

var (
	ap  = radio.Addr{2, 0, 0, 0, 0, 0}
	cam = radio.Addr{2, 0, 0, 0, 1, 0}
	all = radio.Addr{255, 255, 255, 255, 255, 255}
)

func down(seq uint16, reason uint16) radio.Frame {
	return radio.Frame{To: cam, From: ap, Network: ap, Sequence: seq, Reason: reason}
}

// T1: one frame is a sign; five in a second are a flood, told again once a second with its count.
func TestFiveFramesInASecondAreAFlood(t *testing.T) {
	tally := radio.NewTally("test", ap)
	var got []radio.Sign
	for i := range 250 { // 100 a second for 2.5 s
		if s, ok := tally.Frame(time.Duration(i)*10*time.Millisecond, down(uint16(i), 7)); ok {
			got = append(got, s)
		}
	}
	want := []struct {
		kind  radio.Kind
		count int
	}{{radio.Deauthentication, 1}, {radio.Deauthentication, 1}, {radio.Deauthentication, 1}, {radio.Deauthentication, 1}, {radio.Flood, 5}, {radio.Flood, 105}, {radio.Flood, 205}}
	if len(got) != len(want) {
		t.Fatalf("got %d signs, want %d: %+v", len(got), len(want), got)
	}
	for i, w := range want {
		if got[i].Kind != w.kind || got[i].Count != w.count {
			t.Errorf("sign %d: got %v × %d, want %v × %d", i, got[i].Kind, got[i].Count, w.kind, w.count)
		}
	}
	if f := got[4]; f.From != 0 || f.At != 40*time.Millisecond || f.Station != cam || f.Severity() != radio.Attack || f.Confidence() != radio.High {
		t.Errorf("the flood: %+v", f)
	}
}

func TestWhatIsNoFlood(t *testing.T) {
	cases := map[string]struct {
		frame func(i int) radio.Frame
		every time.Duration
		want  radio.Severity
		signs int
	}{
		"four a second":                {func(i int) radio.Frame { return down(uint16(i), 7) }, 251 * time.Millisecond, radio.Warning, 20},
		"one frame, sent until heard":  {func(i int) radio.Frame { f := down(9, 2); f.Retry = i > 0; return f }, time.Millisecond, radio.Warning, 1},
		"a neighbour's network":        {func(i int) radio.Frame { f := down(uint16(i), 7); f.Network = all; return f }, time.Millisecond, radio.Info, 0},
		"frames that are protected":    {func(i int) radio.Frame { f := down(uint16(i), 0); f.Protected = true; return f }, time.Millisecond, radio.Info, 20},
		"devices that say they leave":  {func(int) radio.Frame { return radio.Frame{From: cam, To: ap, Network: ap, Reason: 3} }, time.Second, radio.Info, 20},
		"a reason that is not given":   {func(int) radio.Frame { return down(1, 99) }, time.Second, radio.Attack, 20},
		"reason 0, which is no reason": {func(int) radio.Frame { return down(1, 0) }, time.Second, radio.Attack, 20},
	}
	for name, k := range cases {
		t.Run(name, func(t *testing.T) {
			tally, n := radio.NewTally("test", ap), 0
			for i := range 20 {
				s, ok := tally.Frame(time.Duration(i)*k.every, k.frame(i))
				if !ok {
					continue
				}
				n++
				if s.Kind == radio.Flood || s.Severity() != k.want {
					t.Fatalf("frame %d: %v, %v; want severity %v and no flood", i, s.Kind, s.Severity(), k.want)
				}
			}
			if n != k.signs {
				t.Errorf("%d signs, want %d", n, k.signs)
			}
		})
	}
}

func TestAFloodAgainstEverybodyNamesNobody(t *testing.T) {
	tally := radio.NewTally("test")
	for i := range 5 {
		f := radio.Frame{To: all, From: ap, Network: ap, Sequence: uint16(i), Reason: 7}
		if s, _ := tally.Frame(time.Duration(i), f); s.Station != (radio.Addr{}) {
			t.Errorf("a broadcast names %v", s.Station)
		}
	}
}

func TestADeviceThatComesAndGoes(t *testing.T) {
	c := radio.NewComing("test")
	for i, want := range []radio.Kind{radio.Disconnected, radio.Disconnected, radio.Churn} {
		if s := c.Left(time.Duration(i)*20*time.Second, cam); s.Kind != want {
			t.Errorf("departure %d: %v, want %v", i+1, s.Kind, want)
		}
	}
	if s := c.Left(200*time.Second, cam); s.Kind != radio.Disconnected {
		t.Errorf("long after: %v", s.Kind)
	}
	for i := range 1000 { // as many devices as anybody likes: memory stays bounded
		c.Left(300*time.Second+time.Duration(i), radio.Addr{2, byte(i >> 8), byte(i)})
	}
}

func TestExplainNamesTheGravestCauseNearTheLastPicture(t *testing.T) {
	at := func(ms int) time.Duration { return time.Minute + time.Duration(ms)*time.Millisecond }
	one := radio.Sign{Kind: radio.Deauthentication, From: at(-50), At: at(-50), Count: 1}
	flood := radio.Sign{Kind: radio.Flood, From: at(-300), At: at(1000), Count: 90}
	gone := radio.Sign{Kind: radio.Disconnected, From: at(200), At: at(200), Count: 1}
	own := one
	own.Leaving = true
	enc := one
	enc.Protected = true
	old := one
	old.From, old.At = 0, 0
	for _, k := range []struct {
		name  string
		signs []radio.Sign
		want  string
		grave radio.Severity
	}{
		{"nothing", nil, "", radio.Info},
		{"long ago", []radio.Sign{old}, "", radio.Info},
		{"its own word", []radio.Sign{own, enc}, "", radio.Info},
		{"a flood", []radio.Sign{gone, one, flood}, "Someone is attacking the Wi-Fi: a flood of forged frames began 0.3 s before the last picture.", radio.Attack},
		{"one frame", []radio.Sign{gone, one}, "Perhaps someone is attacking the Wi-Fi: a frame that ends a device's connection came 0.1 s before the last picture.", radio.Warning},
		{"gone", []radio.Sign{gone}, "The access point saw a device leave the Wi-Fi 0.2 s after the last picture.", radio.Info},
		{"no such kind", []radio.Sign{{Kind: 200, From: at(0), At: at(0)}}, "", radio.Info},
	} {
		if c := radio.Explain(k.signs, at(0), at(1500)); c.Text != k.want || c.Severity != k.grave {
			t.Errorf("%s: %q (%v), want %q (%v)", k.name, c.Text, c.Severity, k.want, k.grave)
		}
	}
}

func TestEveryKindHasItsWord(t *testing.T) {
	seen := map[string]bool{}
	for k := range radio.Kind(radio.Kinds) {
		if w := k.String(); w == "" || seen[w] || strings.ContainsAny(w, " _") {
			t.Errorf("kind %d: word %q", k, w)
		} else {
			seen[w] = true
		}
	}
	if radio.Kind(255).String() != "none" || radio.Severity(9).String() != "attack" || radio.Confidence(9).String() != "high" {
		t.Error("an unknown value has no word")
	}
}

func TestParseAddr(t *testing.T) {
	if a, err := radio.ParseAddr("02:00:00:00:01:aF"); err != nil || a.String() != "02:00:00:00:01:af" {
		t.Errorf("%v %v", a, err)
	}
	for _, bad := range []string{"", "02:00:00:00:01", "02-00-00-00-01-00", "02:00:00:00:01:0g", "02:00:00:00:01:00:"} {
		if a, err := radio.ParseAddr(bad); err == nil {
			t.Errorf("%q was read as %v", bad, a)
		}
	}
}
