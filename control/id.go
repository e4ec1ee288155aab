package control

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

var lower = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

// bytes reads from the random source.
func (s *Service) bytes(n int) ([]byte, error) {
	s.randomMu.Lock()
	defer s.randomMu.Unlock()
	b := make([]byte, n)
	if _, err := io.ReadFull(s.random, b); err != nil {
		return nil, fmt.Errorf("control: no randomness: %w", err)
	}
	return b, nil
}

// newID makes a name nobody guesses: 100 random bits behind a prefix that says what it names.
func (s *Service) newID(prefix string) (string, error) {
	b, err := s.bytes(13)
	if err != nil {
		return "", err
	}
	id := lower.EncodeToString(b)[:20]
	if prefix != "" {
		id = prefix + "-" + id
	}
	return id, nil
}

// newCode makes an invitation code: 80 random bits in four groups that can be read out.
func (s *Service) newCode() (string, error) {
	b, err := s.bytes(10)
	if err != nil {
		return "", err
	}
	c := lower.EncodeToString(b)
	return c[:4] + "-" + c[4:8] + "-" + c[8:12] + "-" + c[12:], nil
}

// codeID is the name under which a code is kept. Capitals, dashes and blanks do not matter.
func codeID(code string) string {
	c := strings.NewReplacer("-", "", " ", "").Replace(strings.ToLower(code))
	sum := sha256.Sum256([]byte("eyebolt invite v1\n" + c))
	return hex.EncodeToString(sum[:])
}

// nameOK says whether s can stand in subjects, paths and grants: [a-z0-9-], 1 to 64.
func nameOK(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		b := s[i]
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '-' {
			return false
		}
	}
	return true
}

// textOK says whether s is text that people wrote: not empty, bounded, no control characters but line ends.
func textOK(s string, limit int) bool {
	if strings.TrimSpace(s) == "" || len(s) > limit {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f })
}
