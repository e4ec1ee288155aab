package signed

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
)

// vouched counts the NAL units that a camera vouches for.
func vouched(rs []Result) (nals, gops int) {
	for _, r := range rs {
		if r.Verdict == Authentic {
			nals += r.NALs
			gops++
		}
	}
	return nals, gops
}

// TestPublicVectors: every complete GOP of the public vectors is authentic, and so is the dangling end of those whose signer listed it.
//
// The last signature of the ONVIF files states 62 NAL units and the hash of the GOP before, although its GOP ended after 8 and 54: their
// signer (0.0.4) makes the SEI at the end of a stream without bringing the GOP's number and hash up to date
// (onvif_media_signing_set_end_of_stream of the reference implementation goes straight to generating a SEI, also in its 25.12.3). Counter, link
// and list are right in it, and they are signed: the list alone proves those NAL units.
func TestPublicVectors(t *testing.T) {
	for _, x := range []struct {
		name       string
		root       string
		nals, gops int
		bad        string
	}{
		{"onvif-media-signing/test_signed_h264.mp4", "onvif-media-signing/ca.pem", 256, 5, ""},
		{"onvif-media-signing/test_signed_h265.mp4", "onvif-media-signing/ca.pem", 302, 5, ""},
		{"axis-signed-video/signed_test_h264.mp4", "", 256, 5, ""},
		{"axis-signed-video/signed_test_h265.mp4", "", 302, 5, ""},
		{"axis-signed-video/signed_test_h264_modified_frame_137.mp4", "", 194, 4, "4:altered/changed@13"},
		{"axis-signed-video/signed_vendor_axis.h264", "", 32, 1, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			cfg := Config{Expect: true, Within: time.Hour}
			if x.root != "" {
				var err error
				if cfg.Roots, err = ParseRoots(public(t, x.root)); err != nil {
					t.Fatal(err)
				}
			}
			c := publicClip(t, x.name)
			rs := play(verifier(t, cfg), c, time.Time{})
			nals, gops := vouched(rs)
			var bad []string
			for _, r := range rs {
				if r.Lapse {
					bad = append(bad, short([]Result{r}))
				}
			}
			t.Logf("%d of %d slices in %d GOPs authentic, %s, by %s (%s)", nals, c.nals(slices...), gops, rs[0].Scheme, rs[0].Subject, rs[0].Trust)
			if nals != x.nals || gops != x.gops || strings.Join(bad, " ") != x.bad {
				t.Errorf("%d NAL units in %d GOPs and %q, want %d in %d and %q", nals, gops, bad, x.nals, x.gops, x.bad)
				show(t, rs)
			}
		})
	}
}

// TestPublicVectorsTamperedWith: in each public vector a byte of one slice is flipped, for every fifth slice and the first of each GOP; it
// is located by its place in the list, and no other GOP suffers.
func TestPublicVectorsTamperedWith(t *testing.T) {
	for _, name := range []string{"onvif-media-signing/test_signed_h264.mp4", "onvif-media-signing/test_signed_h265.mp4", "axis-signed-video/signed_test_h264.mp4", "axis-signed-video/signed_test_h265.mp4"} {
		t.Run(name, func(t *testing.T) {
			c := publicClip(t, name)
			_, gops := vouched(play(verifier(t, Config{Within: time.Hour}), c, time.Time{}))
			legacy := strings.HasPrefix(name, "axis") && c.codec == camera.H265
			step := 5
			if testing.Short() {
				step = 40
			}
			n := 0
			for k := 0; k < c.nals(slices...); k++ {
				if k%62 != 0 && k%step != 0 {
					continue
				}
				n++
				d := c.clone()
				d.flip(k, slices...)
				rs := play(verifier(t, Config{Within: time.Hour}), d, time.Time{})
				_, good := vouched(rs)
				located := false
				for _, r := range rs {
					for _, f := range r.Faults {
						located = located || r.Verdict == Altered && f.Kind == Changed && f.Place == k%62
					}
				}
				want := gops - 1
				if legacy && k%62 == 0 && k > 0 {
					want-- // the GOP before it names it, too
				}
				if !located || good != want {
					t.Errorf("slice %d: %d GOPs are authentic, want %d\n%s", k, good, want, transcript(rs))
				}
			}
			t.Logf("%d flips, each located", n)
		})
	}
}

// TestAxisAttestation: the key of an Axis camera is believed for its secure element's sake: the element's certificate leads to the root,
// and its attestation is over this key.
func TestAxisAttestation(t *testing.T) {
	c := publicClip(t, "axis-signed-video/signed_vendor_axis.h264")
	u, i := c.at(0, nalSEI)
	m, err := parse(c.codec, c.units[u][i], anyOrder)
	if err != nil {
		t.Fatal(err)
	}
	var last *pem.Block
	for rest := m.chains[0].pem; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		last = b
	}
	issuer, err := x509.ParseCertificate(last.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(issuer) // the root itself is not in the stream
	rs := play(verifier(t, Config{Roots: pool, Within: time.Hour}), c, time.Time{})
	if _, gops := vouched(rs); gops != 1 || rs[0].Trust != ByRoot || !strings.Contains(rs[0].Subject, "Axis Edge Vault Attestation") {
		t.Errorf("%s", transcript(rs))
	}
	if rs := play(verifier(t, Config{Roots: roots(t, "root.pem")}), c, time.Time{}); verdicts(rs)[Foreign] == 0 || verdicts(rs)[Authentic] != 0 {
		t.Errorf("another root: %s", transcript(rs))
	}
	other, err := os.ReadFile("testdata/camera.pem")
	if err != nil {
		t.Fatal(err)
	}
	_, other = pem.Decode(other)
	block, _ := pem.Decode(other)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	own, err := publicKey(m.key)
	if err != nil {
		t.Fatal(err)
	}
	element, err := x509.ParseCertificate(func() []byte { b, _ := pem.Decode(m.chains[0].pem); return b.Bytes }())
	if err != nil {
		t.Fatal(err)
	}
	if err := attested(own.key, m.attest, element); err != nil {
		t.Error(err)
	}
	if err := attested(leaf.PublicKey, m.attest, element); err == nil {
		t.Error("the attestation of one key was taken for another")
	}
	if err := attested(own.key, m.attest[:len(m.attest)-1], element); err == nil {
		t.Error("an attestation that is cut short was taken")
	}
	if err := attested(own.key, m.attest, leaf); err == nil {
		t.Error("the attestation of a stranger was taken")
	}
}
