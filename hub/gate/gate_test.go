package gate_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"eyebolt/hub/gate"
)

type house struct {
	g     *gate.Gate
	links []string
	froms []string
	h     http.Handler
	now   time.Time
}

const at = "127.0.0.1:8423"

func open(t *testing.T) *house {
	t.Helper()
	x := &house{now: time.Unix(1_000_000, 0)}
	x.g = gate.New(gate.Config{Addr: at, Scheme: "http", Page: "/setup", Now: func() time.Time { return x.now }, Say: func(link, from string) {
		x.links, x.froms = append(x.links, link), append(x.froms, from)
	}})
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			gate.Refuse(w, http.StatusRequestEntityTooLarge, "large", "too large")
			return
		}
		gate.Reply(w, len(b))
	})
	x.h = x.g.Mux(http.NotFoundHandler(), map[string]http.Handler{"/setup/api/": api})
	return x
}

func (x *house) secret() string {
	_, s, _ := strings.Cut(x.links[len(x.links)-1], "#k=")
	return s
}

// ask sends a request as a browser on the page would; change spoils it.
func (x *house) ask(path, body, token string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "http://"+at+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", "http://"+at)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	x.h.ServeHTTP(w, r)
	return w
}

func (x *house) enter(t *testing.T) string {
	t.Helper()
	w := x.ask("/gate/enter", fmt.Sprintf(`{"key":%q}`, x.secret()), "", nil)
	var got struct{ Token string }
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Token == "" || w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return got.Token
}

// A link opens once, to whoever has read the terminal; the terminal is told who came, and has a new one.
func TestALinkOpensOnce(t *testing.T) {
	x := open(t)
	if w := x.ask("/setup/api/state", "{}", "", nil); w.Code != http.StatusUnauthorized {
		t.Errorf("without a link: %d", w.Code)
	}
	first := x.secret()
	token := x.enter(t)
	if len(x.links) != 2 || x.froms[1] == "" || x.secret() == first {
		t.Fatalf("links %v, from %v", len(x.links), x.froms)
	}
	if w := x.ask("/setup/api/state", "{}", token, nil); w.Code != 200 || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("with a session: %d %s", w.Code, w.Body)
	}
	for name, key := range map[string]string{"used": first, "none": "", "guessed": "AAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		if w := x.ask("/gate/enter", fmt.Sprintf(`{"key":%q}`, key), "", nil); w.Code != http.StatusUnauthorized {
			t.Errorf("%s key: %d", name, w.Code)
		}
	}
	if w := x.ask("/setup/api/state", "{}", "x"+token, nil); w.Code != http.StatusUnauthorized {
		t.Errorf("another token: %d", w.Code)
	}
	x.now = x.now.Add(13 * time.Hour)
	if w := x.ask("/setup/api/state", "{}", token, nil); w.Code != http.StatusUnauthorized {
		t.Errorf("after thirteen silent hours: %d", w.Code)
	}
}

// A page of a stranger cannot use a browser that is in: not by another name for this machine (DNS rebinding), not from another
// origin, not with a form.
func TestStrangersPagesAreRefused(t *testing.T) {
	x := open(t)
	token := x.enter(t)
	for name, k := range map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"another name":        {func(r *http.Request) { r.Host = "attacker.example:8423" }, http.StatusMisdirectedRequest},
		"another port":        {func(r *http.Request) { r.Host = "127.0.0.1:80" }, http.StatusMisdirectedRequest},
		"no name":             {func(r *http.Request) { r.Host = "" }, http.StatusMisdirectedRequest},
		"another origin":      {func(r *http.Request) { r.Header.Set("Origin", "http://attacker.example") }, http.StatusForbidden},
		"null origin":         {func(r *http.Request) { r.Header.Set("Origin", "null") }, http.StatusForbidden},
		"another port's page": {func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:9999") }, http.StatusForbidden},
		"same site":           {func(r *http.Request) { r.Header.Del("Origin"); r.Header.Set("Sec-Fetch-Site", "same-site") }, http.StatusForbidden},
		"cross site":          {func(r *http.Request) { r.Header.Del("Origin"); r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden},
		"localhost":           {func(r *http.Request) { r.Host = "localhost:8423"; r.Header.Set("Origin", "http://localhost:8423") }, 200},
		"a program":           {func(r *http.Request) { r.Header.Del("Origin"); r.Header.Del("Sec-Fetch-Site") }, 200},
	} {
		if w := x.ask("/setup/api/do", "{}", token, k.change); w.Code != k.want {
			t.Errorf("%s: got %d, want %d", name, w.Code, k.want)
		}
	}
	if w := x.ask("/gate/enter", fmt.Sprintf(`{"key":%q}`, x.secret()), "", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("a form's POST: %d", w.Code)
	}
	if w := x.ask("/setup/api/do", strings.Repeat("x", 1<<20), token, nil); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a megabyte: %d", w.Code)
	}
}

func TestSessionsAreFew(t *testing.T) {
	x := open(t)
	var tokens []string
	for range 20 {
		x.now = x.now.Add(time.Second)
		tokens = append(tokens, x.enter(t))
	}
	in := 0
	for _, token := range tokens {
		if x.ask("/setup/api/state", "{}", token, nil).Code == 200 {
			in++
		}
	}
	if in != 8 || x.ask("/setup/api/state", "{}", tokens[19], nil).Code != 200 {
		t.Errorf("%d sessions are in", in)
	}
}

func TestListen(t *testing.T) {
	for _, bad := range []string{"", "127.0.0.1", ":8423", "0.0.0.0:8423", "[::]:8423", "hub.local:8423"} {
		if l, err := gate.Listen(bad); err == nil {
			_ = l.Close()
			t.Errorf("%q is taken", bad)
		}
	}
	l, err := gate.Listen("localhost:0")
	if err != nil || l.Scheme != "http" || !strings.HasPrefix(l.At, "127.0.0.1:") {
		t.Fatalf("%+v, %v", l, err)
	}
	_ = l.Close()
}

// From the network the page is encrypted, with the certificate whose fingerprint is printed.
func TestFromTheNetworkItIsEncrypted(t *testing.T) {
	ip := ownAddress(t)
	l, err := gate.Listen(net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Fatal(err)
	}
	srv := gate.Server(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { gate.Reply(w, "here") }))
	go func() { _ = srv.Serve(l) }()
	defer func() { _ = srv.Close() }()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, //nolint:gosec // the fingerprint is what is compared
		VerifyConnection: func(s tls.ConnectionState) error {
			sum := sha256.Sum256(s.PeerCertificates[0].Raw)
			want := strings.ToLower(strings.ReplaceAll(l.Fingerprint, ":", ""))
			if got := fmt.Sprintf("%x", sum); got != want {
				return fmt.Errorf("got %s, want %s", got, want)
			}
			return s.PeerCertificates[0].VerifyHostname(ip)
		},
	}}}
	r, err := client.Get("https://" + l.At + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	b, _ := io.ReadAll(r.Body)
	if !bytes.Contains(b, []byte("here")) {
		t.Errorf("%s", b)
	}
	if l.Scheme != "https" {
		t.Error(l.Scheme)
	}
}

// ownAddress is an address of this machine that is not its loopback's; traffic to it does not leave the machine.
func ownAddress(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			return n.IP.String()
		}
	}
	t.Skip("this machine has no address but its loopback's")
	return ""
}
