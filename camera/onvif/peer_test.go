package onvif

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"eyebolt/camera"
)

// Foreign devices, in pinned versions: scripts/peers.sh and scripts/onvifpeers.sh put them there.
const peers = "../../bin/peers"

func peer(t *testing.T, path, script string) string {
	t.Helper()
	p, err := filepath.Abs(filepath.Join(peers, path))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(p); err != nil {
		t.Skipf("no %s: run %s first", filepath.Join("bin/peers", path), script)
	}
	return p
}

func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed", p)
		}
	}
}

// output is what a program wrote; safe for use while it writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// run starts a program with its children and ends them with the test.
func run(t *testing.T, cmd *exec.Cmd) *output {
	t.Helper()
	o := &output{}
	cmd.Stdout, cmd.Stderr = o, o
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s wrote:\n%s", filepath.Base(cmd.Path), clip(o.String(), 4000))
		}
	})
	return o
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// await calls f until it gives no error.
func await(t *testing.T, within time.Duration, f func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	t.Fatalf("not within %v: %v", within, err)
}

func listens(port int) func() error {
	return func() error {
		c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err
	}
}

func dialTest(t *testing.T, url string) *Client {
	t.Helper()
	c, err := Dial(t.Context(), Config{Name: "peer", URL: url, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// go2rtc's own ONVIF server: what it offers is found, its stream is real H.264, its still picture a real JPEG.
func TestPeerGo2rtc(t *testing.T) {
	program := peer(t, "go2rtc", "scripts/peers.sh")
	need(t, "ffmpeg", "ffprobe")
	api, rtsp := freePort(t), freePort(t)
	config := filepath.Join(t.TempDir(), "go2rtc.yaml")
	text := fmt.Sprintf("api:\n  listen: 127.0.0.1:%d\nrtsp:\n  listen: 127.0.0.1:%d\nwebrtc:\n  listen: \"\"\nsrtp:\n  listen: \"\"\nstreams:\n"+
		"  door: exec:ffmpeg -hide_banner -v error -re -f lavfi -i testsrc2=size=320x240:rate=10 -c:v libx264 -preset ultrafast -g 10 -bf 0 -f rtsp {output}\n", api, rtsp)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, exec.Command(program, "-config", config))
	await(t, 20*time.Second, listens(api))

	c := dialTest(t, fmt.Sprintf("http://127.0.0.1:%d", api))
	if k := c.Clock(); k.Offset.Abs() > 2*time.Second {
		t.Errorf("clock %+v of the same machine", k)
	}
	info, err := c.Information(t.Context())
	if err != nil || info.Model != "go2rtc" {
		t.Errorf("information %+v, %v", info, err)
	}
	all, err := c.Profiles(t.Context())
	if err != nil || len(all) != 1 || all[0].Token != "door" || all[0].Codec != camera.H264 || all[0].GOP != 10 {
		t.Fatalf("profiles %+v, %v", all, err)
	}
	u, err := c.StreamURL(t.Context(), all[0])
	if err != nil || u.String() != fmt.Sprintf("rtsp://127.0.0.1:%d/door", rtsp) {
		t.Fatalf("stream %v, %v", u, err)
	}
	out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-show_entries", "stream=codec_name,width", "-of", "csv=p=0", u.String()).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "h264,320" {
		t.Errorf("ffprobe of the stream: %s, %v", out, err)
	}
	still, err := c.Still(t.Context(), all[0])
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	await(t, 30*time.Second, func() error { b, err = still.Snapshot(t.Context()); return err })
	if p, err := jpeg.DecodeConfig(bytes.NewReader(b)); err != nil || p.Width != 320 || p.Height != 240 {
		t.Errorf("still picture %+v, %v", p, err)
	}
	if err := c.SyncPoint(t.Context(), all[0]); !errors.Is(err, ErrUnsupported) {
		t.Errorf("a synchronisation point of a server that has none: %v", err)
	}
	if err := c.Tampers(t.Context(), nil, nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("events of a server that has none: %v", err)
	}
	if _, err := c.Backfill(t.Context(), Span{From: time.Now().Add(-time.Minute), To: time.Now()}, nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("storage of a server that has none: %v", err)
	}
}

// ipycam: a virtual camera that wants the WS-UsernameToken, checks its time, and tells even its clock to nobody else.
func TestPeerIPyCam(t *testing.T) {
	python := peer(t, "ipycam/bin/python", "scripts/onvifpeers.sh")
	need(t, "ffmpeg", "ffprobe")
	dir := t.TempDir()
	film := filepath.Join(dir, "film.mp4")
	if out, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10", "-t", "4", "-c:v", "libx264", "-preset", "ultrafast", film).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	start := func(t *testing.T, user, pass string) int {
		port, rtsp := freePort(t), freePort(t)
		config := filepath.Join(t.TempDir(), "camera.json")
		text := fmt.Sprintf(`{"local_ip":"127.0.0.1","onvif_port":%d,"rtsp_port":%d,"rtmp_port":%d,"web_port":%d,"go2rtc_api_port":%d,"username":%q,"password":%q,
			"main_width":320,"main_height":240,"main_fps":10,"main_bitrate":"500K","sub_width":160,"sub_height":120,"sub_fps":10,"hw_accel":"cpu","name":"Front Door"}`,
			port, rtsp, freePort(t), freePort(t), freePort(t), user, pass)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(python, "-m", "ipycam", "--config", config, "--source", film, "--hw", "cpu")
		cmd.Dir = t.TempDir()
		run(t, cmd)
		await(t, 60*time.Second, listens(port))
		return port
	}
	t.Run("passwords", func(t *testing.T) {
		port := start(t, "resident", "s3cret/+&<")
		at := func(user, pass string) error {
			c, err := Dial(t.Context(), Config{URL: fmt.Sprintf("127.0.0.1:%d", port), User: user, Password: pass})
			if err != nil {
				return err
			}
			defer c.Close()
			_, err = c.Profiles(t.Context())
			return err
		}
		if err := at("resident", "s3cret/+&<"); err != nil {
			t.Errorf("the right password: %v", err)
		}
		for _, wrong := range [][2]string{{"resident", "wrong"}, {"", ""}} {
			err := at(wrong[0], wrong[1])
			if !errors.Is(err, camera.ErrCredentials) || strings.Contains(err.Error(), "wrong") {
				t.Errorf("password %q: %v", wrong[1], err)
			}
		}
		// A camera whose clock runs otherwise than ours refuses a time that is not its own; that its time is asked first is
		// shown with the device in fake_test.go, since this one tells it to nobody without a password.
		c, err := Dial(t.Context(), Config{URL: fmt.Sprintf("127.0.0.1:%d", port), User: "resident", Password: "s3cret/+&<"})
		if err != nil {
			t.Fatal(err)
		}
		all, err := c.Profiles(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		still, err := c.Still(t.Context(), all[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := still.Snapshot(t.Context()); !errors.Is(err, camera.ErrCredentials) || !strings.Contains(err.Error(), "Basic") {
			t.Errorf("a still picture behind a password in clear: %v", err)
		}
	})
	t.Run("open", func(t *testing.T) {
		port := start(t, "", "")
		c := dialTest(t, fmt.Sprintf("127.0.0.1:%d", port))
		info, err := c.Information(t.Context())
		if err != nil || info.Manufacturer != "PythonCam" {
			t.Errorf("information %+v, %v", info, err)
		}
		all, err := c.Profiles(t.Context())
		if err != nil || len(all) != 2 {
			t.Fatalf("profiles %+v, %v", all, err)
		}
		if p := all[0]; p.Width != 320 || p.FPS != 10 || p.Kbps != 500 || p.Codec != camera.H264 {
			t.Errorf("profile %+v", p)
		}
		u, err := c.StreamURL(t.Context(), all[1])
		if err != nil || !strings.Contains(u.Path, "video_sub") {
			t.Fatalf("the second stream: %v, %v", u, err)
		}
		await(t, 30*time.Second, func() error {
			out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-show_entries", "stream=codec_name,width", "-of", "csv=p=0", u.String()).CombinedOutput()
			if err == nil && strings.TrimSpace(string(out)) != "h264,160" {
				err = fmt.Errorf("%s", out)
			}
			return err
		})
		still, err := c.Still(t.Context(), all[0])
		if err != nil {
			t.Fatal(err)
		}
		var b []byte
		await(t, 30*time.Second, func() error { b, err = still.Snapshot(t.Context()); return err })
		if _, err := jpeg.Decode(bytes.NewReader(b)); err != nil {
			t.Errorf("still picture: %v", err)
		}
	})
}

// mock starts the test server of npm's onvif: replies that were recorded from a real camera.
func mock(t *testing.T, host string, port int, prefix ...string) *output {
	t.Helper()
	need(t, "node")
	dir := peer(t, "onvifmock", "scripts/onvifpeers.sh")
	peer(t, "onvifmock/node_modules/onvif/test/serverMockup.coffee", "scripts/onvifpeers.sh")
	script := `require('coffeescript/register'); require('onvif/test/serverMockup.coffee')`
	args := append(prefix, "node", "-e", script)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOSTNAME="+host, fmt.Sprintf("PORT=%d", port), "VERBOSE=true")
	return run(t, cmd)
}

// The recorded camera: profiles, addresses that name its own network (which the one that was asked replaces, T25), a
// pull point, and its events.
func TestPeerRecordedCamera(t *testing.T) {
	port := freePort(t)
	out := mock(t, "localhost", port)
	await(t, 20*time.Second, listens(port))
	c := dialTest(t, fmt.Sprintf("http://127.0.0.1:%d", port))
	info, err := c.Information(t.Context())
	if err != nil || info.Model == "" {
		t.Errorf("information %+v, %v", info, err)
	}
	t.Logf("%+v, %v", info, c.Clock())
	all, err := c.Profiles(t.Context())
	if err != nil || len(all) == 0 {
		t.Fatalf("profiles %+v, %v", all, err)
	}
	for _, p := range all {
		t.Logf("%+v", p)
	}
	u, err := c.StreamURL(t.Context(), all[0])
	if err != nil || u.Hostname() != "127.0.0.1" || u.Path != "/h264main" && !strings.Contains(u.String(), "h264") {
		t.Errorf("stream %v, %v", u, err)
	}
	if u, err := c.SnapshotURL(t.Context(), all[0]); err != nil || u.Hostname() != "127.0.0.1" {
		t.Errorf("still picture %v, %v", u, err)
	}
	topics, err := c.TamperTopics(t.Context())
	t.Logf("topics about the picture %v, %v", topics, err)
	if err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err = c.Tampers(ctx, func(e Tamper) { t.Logf("event %+v", e) }, func(err error) { t.Logf("lost: %v", err) })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("events ended with %v", err)
	}
	for _, want := range []string{"CreatePullPointSubscription", "PullMessages", "Unsubscribe"} {
		await(t, 5*time.Second, func() error {
			if !strings.Contains(out.String(), want) {
				return fmt.Errorf("the server was never asked for %s", want)
			}
			return nil
		})
	}
}

// Discovery finds foreign devices on the chosen interface, in a network namespace with two ends of one cable.
func TestPeerDiscovery(t *testing.T) {
	need(t, "ip", "node")
	if os.Getuid() != 0 {
		t.Skip("making a network namespace needs root")
	}
	if os.Getenv("EYEBOLT_FIND") != "" { // within the namespace
		found, err := Find(t.Context(), Search{Interfaces: []string{os.Getenv("EYEBOLT_FIND")}, Wait: 2 * time.Second})
		fmt.Printf("FOUND %+v %v\n", found, err)
		return
	}
	near, far := fmt.Sprintf("ebn%d", os.Getpid()), fmt.Sprintf("ebf%d", os.Getpid())
	ip := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Skipf("ip %s: %s", strings.Join(args, " "), out)
		}
	}
	for _, n := range []string{near, far} {
		ip("netns", "add", n)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", n).Run() })
	}
	ip("-n", near, "link", "add", "eye0", "type", "veth", "peer", "name", "cam0", "netns", far)
	for _, end := range [][3]string{{near, "eye0", "10.77.0.2/24"}, {far, "cam0", "10.77.0.1/24"}} {
		ip("-n", end[0], "addr", "add", end[2], "dev", end[1])
		ip("-n", end[0], "link", "set", end[1], "up")
		ip("-n", end[0], "link", "set", "lo", "up")
		ip("-n", end[0], "route", "add", "224.0.0.0/4", "dev", end[1])
	}
	mock(t, "10.77.0.1", 10101, "ip", "netns", "exec", far)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	find := func(face string) string {
		cmd := exec.CommandContext(t.Context(), "ip", "netns", "exec", near, self, "-test.run", "^TestPeerDiscovery$", "-test.v")
		cmd.Env = append(os.Environ(), "EYEBOLT_FIND="+face)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		return string(out)
	}
	var got string
	await(t, 30*time.Second, func() error {
		if got = find("eye0"); !strings.Contains(got, "URL:http://10.77.0.1:10101/onvif/device_service") {
			return errors.New(got)
		}
		return nil
	})
	t.Log(got)
	if strings.Contains(got, "Elsewhere:true") || strings.Contains(got, "OtherNet:true") {
		t.Error("the device's own address was not believed")
	}
	if got := find("lo"); strings.Contains(got, "10.77.0.1") {
		t.Errorf("found on an interface that was not asked: %s", got)
	}
}
