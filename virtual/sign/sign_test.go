package sign

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"eyebolt/camera"
)

// FuzzEscape: emulation prevention leaves no start code within a NAL unit and comes out again whole.
func FuzzEscape(f *testing.F) {
	for _, b := range [][]byte{nil, {0, 0, 0}, {0, 0, 3}, {0, 0, 1, 0, 0, 2}, {0, 0, 0, 0, 0, 3, 0x80}} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e := escape(b)
		for _, code := range [][]byte{{0, 0, 0}, {0, 0, 1}, {0, 0, 2}} {
			if bytes.Contains(e, code) {
				t.Fatalf("%x became %x", b, e)
			}
		}
		if got := strip(e); !bytes.Equal(got, b) {
			t.Fatalf("%x became %x and %x", b, e, got)
		}
	})
}

// TestSigner: what it needs, and that a picture's own NAL units stay as they were, in their order.
func TestSigner(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []Config{{}, {Codec: camera.H264}, {Codec: camera.H264, Key: key}, {Codec: camera.H264, Key: other, Chain: []byte("x")}} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
	s, err := New(Config{Codec: camera.H264, Key: key, Chain: []byte("certificate"), CertificateSEI: true})
	if err != nil {
		t.Fatal(err)
	}
	sps, idr, p := []byte{0x67, 1}, []byte{0x65, 0x88, 1}, []byte{0x41, 0x9a, 1}
	seis := 0
	for i, u := range [][][]byte{{sps, idr}, {p}, {p}, {sps, idr}, {p}, {sps, idr}} {
		if i == 4 {
			s.Ask()
		}
		out, err := s.Picture(u, time.Unix(int64(i), 0))
		if err != nil {
			t.Fatal(err)
		}
		var rest [][]byte
		for _, n := range out {
			if n[0] == 6 {
				seis++
				continue
			}
			rest = append(rest, n)
		}
		if len(rest) != len(u) || !bytes.Equal(bytes.Join(rest, nil), bytes.Join(u, nil)) {
			t.Errorf("picture %d: %x became %x", i, u, rest)
		}
		if k := out[len(out)-1][0]; k == 6 {
			t.Errorf("picture %d ends with a SEI", i)
		}
	}
	if seis != 4 { // two certificates, two GOPs
		t.Errorf("%d SEI", seis)
	}
	end, err := s.End(time.Unix(9, 0))
	if err != nil || len(end) != 1 {
		t.Errorf("%d SEI at the end, %v", len(end), err)
	}
}
