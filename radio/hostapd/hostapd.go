// Package hostapd hears what an access point of this machine tells of its devices, over hostapd's control socket. It asks for
// events and orders nothing.
package hostapd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"eyebolt/radio"
)

const (
	answerWithin = 3 * time.Second
	// pingEvery shows that hostapd is still there: a datagram socket does not tell.
	pingEvery = 10 * time.Second
	look      = 250 * time.Millisecond
	// maxEvent bounds one event; hostapd's own buffer is 4 KiB.
	maxEvent = 4096
)

// Event reads one event, as the control socket gives it ("<3>AP-STA-DISCONNECTED 02:00:00:00:01:00") or as hostapd logs it
// ("1700000000.123456: wlan0: AP-STA-DISCONNECTED 02:00:00:00:01:00"). left says that a device's connection ended.
func Event(line string) (station radio.Addr, left bool) {
	if len(line) > maxEvent {
		return station, false
	}
	_, rest, ok := strings.Cut(line, "AP-STA-DISCONNECTED ")
	if !ok {
		return station, false
	}
	word, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	station, err := radio.ParseAddr(word)
	return station, err == nil
}

// Follow hears the hostapd whose control socket is cfg.Device, as /run/hostapd/wlan0. It needs the right to write there
// (hostapd's ctrl_interface_group). It is a [radio.Follow].
func Follow(ctx context.Context, cfg radio.Config, tell func(radio.Sign)) error {
	conn, err := dial(cfg.Device)
	if err != nil {
		return fmt.Errorf("hostapd %s: %w", cfg.Device, err)
	}
	defer conn.Close()
	if err := conn.ask("ATTACH"); err != nil {
		return fmt.Errorf("hostapd %s: %w", cfg.Device, err)
	}
	coming := radio.NewComing("hostapd " + filepath.Base(cfg.Device))
	buf := make([]byte, maxEvent)
	heard, asked := cfg.Now(), time.Duration(0)
	for ctx.Err() == nil {
		if err := conn.SetReadDeadline(time.Now().Add(look)); err != nil {
			return err
		}
		n, err := conn.Read(buf)
		now := cfg.Now()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
		case err != nil:
			return fmt.Errorf("hostapd %s: %w", cfg.Device, err)
		default:
			heard = now
			if station, left := Event(string(buf[:n])); left {
				tell(coming.Left(now, station))
			}
		}
		switch {
		case now-heard > 2*pingEvery+answerWithin:
			return fmt.Errorf("hostapd %s: it does not answer any more", cfg.Device)
		case now-heard > pingEvery && now-asked > pingEvery:
			asked = now
			if _, err := conn.Write([]byte("PING")); err != nil {
				return fmt.Errorf("hostapd %s: %w", cfg.Device, err)
			}
		}
	}
	_, _ = conn.Write([]byte("DETACH")) // hostapd drops a listener that does not take events, too
	return nil
}

// client is a control connection: a datagram socket with an address of its own, which hostapd answers to.
type client struct {
	*net.UnixConn
	own string
}

func dial(path string) (*client, error) {
	dir, err := os.MkdirTemp("", "eyebolt-hostapd-")
	if err != nil {
		return nil, err
	}
	own := filepath.Join(dir, "events")
	conn, err := net.DialUnix("unixgram", &net.UnixAddr{Name: own, Net: "unixgram"}, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("%w: is hostapd running with ctrl_interface=%s, and may this user write there?", err, filepath.Dir(path))
	}
	return &client{conn, dir}, nil
}

// Close ends the connection and takes its address away.
func (c *client) Close() {
	_ = c.UnixConn.Close()
	_ = os.RemoveAll(c.own)
}

// ask sends a command and waits for OK; events may come in between.
func (c *client) ask(command string) error {
	if _, err := c.Write([]byte(command)); err != nil {
		return err
	}
	if err := c.SetReadDeadline(time.Now().Add(answerWithin)); err != nil {
		return err
	}
	buf := make([]byte, maxEvent)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return fmt.Errorf("no answer to %s: %w", command, err)
		}
		switch answer := strings.TrimSpace(string(buf[:n])); {
		case answer == "OK":
			return nil
		case !strings.HasPrefix(answer, "<"):
			return fmt.Errorf("%s was answered with %q", command, answer)
		}
	}
}
