package walk_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"reflect"
	"strings"
	"testing"

	"eyebolt/hub/walk"
	"eyebolt/hub/walk/walktest"
)

func hubKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

// A certificate holds for its own hub, its own door and the configuration that it was made for, and for nothing else (S11, S13).
func TestCertificate(t *testing.T) {
	key := hubKey("a")
	c := walktest.Certificate("front", "x", "hall")
	file, err := c.Encode(key)
	if err != nil {
		t.Fatal(err)
	}
	got, err := walk.Parse(file, public(key))
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("got %+v, %v; want what was written", got, err)
	}
	t.Logf("%d bytes", len(file))
	for name, k := range map[string]struct {
		door, made string
		want       walk.Standing
	}{"its own": {"front", "x", walk.Holds}, "another door": {"back", "x", walk.Outdated}, "another lock": {"front", "y", walk.Outdated}} {
		if standing, why := got.Worth(k.door, k.made); standing != k.want || why == "" {
			t.Errorf("%s: %v (%s), want %v", name, standing, why, k.want)
		}
	}
	if standing, _ := (walk.Certificate{}).Worth("front", "x"); standing != walk.Missing {
		t.Errorf("none: %v, want missing", standing)
	}
	for name, bad := range map[string][]byte{
		"edited":       []byte(strings.Replace(string(file), `"passed":true`, `"passed":true `, 1)),
		"turned":       []byte(strings.Replace(string(file), `"jam":true`, `"jam":false`, 1)),
		"empty":        nil,
		"twice":        append(append([]byte{}, file...), file...),
		"more":         []byte(strings.Replace(string(file), `{"certificate"`, `{"x":1,"certificate"`, 1)),
		"no signature": []byte(`{"certificate":{},"signature":""}`),
		"huge":         []byte(`{"certificate":{},"signature":"` + strings.Repeat("A", 1<<17) + `"}`),
	} {
		if _, err := walk.Parse(bad, public(key)); !errors.Is(err, walk.ErrForged) {
			t.Errorf("%s: %v, want ErrForged", name, err)
		}
	}
	if _, err := walk.Parse(file, public(hubKey("b"))); !errors.Is(err, walk.ErrForged) {
		t.Error("another hub's certificate was taken")
	}
	if _, err := walk.Parse(file, nil); err == nil {
		t.Error("without a key it was taken")
	}
}

func FuzzParse(f *testing.F) {
	key := hubKey("a")
	file, err := walktest.Certificate("front", "x", "hall").Encode(key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add([]byte(`{"certificate":null,"signature":""}`))
	f.Add([]byte(`{"certificate":{"format":"eyebolt/walk/1"},"signature":"AA"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := walk.Parse(b, public(key))
		if err != nil {
			return
		}
		if s, _ := c.Worth("front", "x"); s == walk.Holds && string(b) != string(file) && !strings.Contains(string(b), `"signature"`) {
			t.Errorf("taken: %q", b)
		}
	})
}

// A walk that is left in the middle is worth nothing, and neither is one that fails, at whatever step (S13).
func TestUnfinishedIsWorthNothing(t *testing.T) {
	w, err := walk.New(walk.Config{Door: "front", For: "x", Cameras: []string{"hall"}, Can: walktest.Honest})
	if err != nil {
		t.Fatal(err)
	}
	c := w.Certificate(walktest.Made)
	if s, say := c.Worth("front", "x"); s != walk.Failed || !strings.Contains(say, "not finished") {
		t.Errorf("%v: %s, want failed", s, say)
	}
	c.Ended = true
	if c.Passed {
		t.Error("it passed")
	}
}
