package uplink

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"
)

func TestACutUplinkEndsAndRefuses(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	u, err := Start(echo.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()

	say := func(c net.Conn) (string, error) {
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := c.Write([]byte("beat\n")); err != nil {
			return "", err
		}
		return bufio.NewReader(c).ReadString('\n')
	}
	dial := func() net.Conn {
		c, err := net.Dial("tcp", u.Addr())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := dial()
	if got, err := say(c); got != "beat\n" {
		t.Fatalf("got %q, %v", got, err)
	}
	u.Cut(true)
	if got, err := say(c); err == nil {
		t.Errorf("a cut uplink answered %q", got)
	}
	if got, err := say(dial()); err == nil {
		t.Errorf("a cut uplink let a new connection through: %q", got)
	}
	u.Cut(false)
	if got, err := say(dial()); got != "beat\n" {
		t.Errorf("whole again, got %q, %v", got, err)
	}
}
