package signed

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eyebolt/camera"
	"eyebolt/virtual/sign"
)

var rewrite = flag.Bool("rewrite", false, "make testdata's keys and vectors anew")

// epoch is when the clips of testdata were taken.
var epoch = time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)

// A pen is a test-only key with its certificate.
type pen struct {
	key   crypto.Signer
	chain []byte
}

// id is the SHA-256 that Config.Key wants.
func (p pen) id(t testing.TB) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(p.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.Sum256(der)
	return h[:]
}

// readPen reads a key of testdata: each file holds a private key and its certificate, made for these tests alone.
func readPen(t testing.TB, name string) pen {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, rest := pem.Decode(b)
	if block == nil {
		t.Fatalf("%s has no key", name)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return pen{key: key.(crypto.Signer), chain: rest}
}

func roots(t testing.TB, name string) *x509.CertPool {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	pool, err := ParseRoots(b)
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

// bare is the clip of testdata that nobody signed: 26 pictures in GOPs of 6; two slices a picture in H.264.
func bare(t testing.TB, codec camera.Codec) *clip {
	t.Helper()
	name := "clip.h264"
	if codec == camera.H265 {
		name = "clip.h265"
	}
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return readAnnexB(codec, b)
}

// unlike is a clip no two slices of which are the same bytes, as a sensor's are not: a byte near the end of each counts from seed on.
func unlike(c *clip, seed byte) *clip {
	c = c.clone()
	for _, u := range c.units {
		for _, b := range u {
			if k := look(c.codec, b); k == nalSlice || k == nalStart {
				b[len(b)-2] = seed
			}
		}
		seed++
	}
	return c
}

// signClip has the pretend camera sign a clip, from epoch + late on.
func signClip(t testing.TB, c *clip, p pen, cfg sign.Config, late time.Duration) *clip {
	t.Helper()
	cfg.Codec, cfg.Key, cfg.Chain = c.codec, p.key, p.chain
	s, err := sign.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	out := &clip{codec: c.codec}
	for i, u := range c.clone().units {
		w, err := s.Picture(u, epoch.Add(late+time.Duration(i)*pace))
		if err != nil {
			t.Fatal(err)
		}
		out.units = append(out.units, w)
	}
	w, err := s.End(epoch.Add(late + time.Duration(len(c.units))*pace))
	if err != nil {
		t.Fatal(err)
	}
	if w != nil {
		out.units = append(out.units, w)
	}
	return out
}

// vectors are the signed clips of testdata.
var vectors = []struct {
	name  string
	codec camera.Codec
	pen   string
	cfg   sign.Config
}{
	{"list.h264", camera.H264, "camera", sign.Config{}},
	{"certificate-partial-late.h265", camera.H265, "camera", sign.Config{CertificateSEI: true, Pictures: 4, Delay: 2}},
	{"rsa-low.h264", camera.H264, "camera-rsa", sign.Config{LowBitrate: true, CertificateSEI: true}},
	{"escaped-every2.h265", camera.H265, "camera", sign.Config{Escaped: true, Every: 2, CertificateSEI: true}},
}

// TestVectorsOfOurOwn: each of testdata's signed clips says what its transcript says. Run with -rewrite to make keys, clips and
// transcripts anew, and read the difference.
func TestVectorsOfOurOwn(t *testing.T) {
	if *rewrite {
		makePens(t)
	}
	for _, x := range vectors {
		t.Run(x.name, func(t *testing.T) {
			file := filepath.Join("testdata", x.name)
			if *rewrite {
				c := signClip(t, bare(t, x.codec), readPen(t, x.pen), x.cfg, 0)
				var b []byte
				for _, u := range c.units {
					for _, n := range u {
						b = append(append(b, 0, 0, 0, 1), n...)
					}
				}
				if err := os.WriteFile(file, b, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			v, err := New(Config{Expect: true, Roots: roots(t, "root.pem"), Key: readPen(t, x.pen).id(t), Within: 2 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			got := transcript(play(v, readAnnexB(x.codec, b), epoch))
			if *rewrite {
				if err := os.WriteFile(file+".txt", []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

// transcript writes Results down, one a line.
func transcript(rs []Result) string {
	var s strings.Builder
	for _, r := range rs {
		fmt.Fprintf(&s, "%.3f %s", r.At.Seconds(), r.Verdict)
		if r.Lapse {
			s.WriteString(" LAPSE")
		}
		fmt.Fprintf(&s, " (%d NAL units of %.3f to %.3f, %s): %s\n", r.NALs, r.From.Seconds(), r.To.Seconds(), r.Trust, r.Say)
	}
	return s.String()
}

// makePens writes testdata's keys: an authority with two cameras of its own and an RSA camera, and a stranger's authority and camera.
func makePens(t *testing.T) {
	t.Helper()
	from, until := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2126, 1, 1, 0, 0, 0, 0, time.UTC)
	serial := int64(0)
	issue := func(name string, key, by crypto.Signer, parent *x509.Certificate) *x509.Certificate {
		t.Helper()
		serial++
		c := &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name, Organization: []string{"Eyebolt test only"}},
			NotBefore: from, NotAfter: until, KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
		}
		if parent == nil {
			c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign
			parent = c
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), by)
		if err != nil {
			t.Fatal(err)
		}
		made, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	write := func(name string, key crypto.Signer, c *x509.Certificate) {
		t.Helper()
		var b []byte
		if key != nil {
			der, err := x509.MarshalPKCS8PrivateKey(key)
			if err != nil {
				t.Fatal(err)
			}
			b = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
		}
		b = append(b, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
		if err := os.WriteFile(filepath.Join("testdata", name+".pem"), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ec := func() crypto.Signer {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	for _, maker := range []struct {
		root    string
		cameras []string
	}{{"root", []string{"camera", "camera-two", "camera-rsa"}}, {"stranger-root", []string{"stranger"}}} {
		ca := ec()
		root := issue("maker "+maker.root, ca, ca, nil)
		write(maker.root, nil, root)
		for _, name := range maker.cameras {
			key := ec()
			if strings.HasSuffix(name, "rsa") {
				var err error
				if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
					t.Fatal(err)
				}
			}
			write(name, key, issue(name, key, ca, root))
		}
	}
}
