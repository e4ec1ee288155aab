package hub

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"eyebolt/liveness"
)

// T20: what a camera says of itself reaches a page and the record as one line that reads as it is written.
func TestWordsFromOutsideArePlain(t *testing.T) {
	for in, want := range map[string]string{
		"the camera says:\x00 \x1b[31mfine\r\nreally":         "The camera says:   [31mfine  really.",
		"a \u202eemit ni\u202c \u2066b\u2069 c\u200f":         "A emit ni b c.",
		"zero\u200bwidth\ufeff and \u00ad soft\U000e0041 tag": "Zerowidth and  soft tag.",
		"bad \xff\xfe bytes \ufffd":                           "Bad  bytes.",
		"привет, 鍵 🙂":                                         "привет, 鍵 🙂.",
		"\u0085\u2028\u2029":                                  "",
		strings.Repeat("x", maxSay-1) + "鍵":                   "X" + strings.Repeat("x", maxSay-2) + ".",
		strings.Repeat("🙂", maxSay):                           strings.Repeat("🙂", maxSay/4) + ".",
	} {
		if got := asSentence(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := tidy(strings.Repeat("é", maxText)); got != strings.Repeat("é", maxText/2) {
		t.Errorf("cut to %q", got)
	}
}

func FuzzPlain(f *testing.F) {
	for _, s := range []string{"", "\u202e", "\xff", "a\nb", "\U000e0001", "🙂", "\u034f\u115f"} {
		f.Add(s, 5)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		got := clip(plain(s), n)
		if !utf8.ValidString(got) || len(got) > max(n, 0) {
			t.Fatalf("%q of %q", got, s)
		}
		for _, r := range got {
			if !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Fatalf("%U is left of %q", r, s)
			}
		}
		k := sight{why: []liveness.Finding{{By: s, State: liveness.Covered, Say: s}}}
		k.verdict.State = liveness.Covered
		for _, e := range k.evidence(0, false) {
			if e.By != clip(plain(e.By), 32) || strings.TrimSuffix(e.Say, ".") != plain(strings.TrimSuffix(e.Say, ".")) {
				t.Fatalf("%+v", e)
			}
		}
	})
}
