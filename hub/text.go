package hub

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// clip bounds a text to n bytes, and cuts between characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n = max(n, 0); n > 0 && !utf8.RuneStart(s[n]); n-- {
	}
	return s[:n]
}

// plain makes words from outside (a camera's own, a lock user's name, a courier's) fit for the record and for a page: one line of
// valid UTF-8 without control characters, and without the invisible ones that turn the order of what is read around or hide a
// part of it (T20).
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, unicode.Is(unicode.Cf, r), unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
			return -1
		case unicode.IsPrint(r):
			return r
		default:
			return ' '
		}
	}, strings.ToValidUTF8(s, ""))
}
