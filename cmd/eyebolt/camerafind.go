package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"eyebolt/camera/onvif"
)

// CameraFindCmd asks networks for cameras.
type CameraFindCmd struct {
	Interface []string      `help:"Ask on this network interface only; may be repeated. Default: every one that is up." placeholder:"NAME"`
	Wait      time.Duration `help:"How long to wait for answers." default:"3s"`
}

// waitMost bounds a search: cameras answer within a second.
const waitMost = time.Minute

// Run finds and prints.
func (f *CameraFindCmd) Run(ctx context.Context) error { return f.run(ctx, os.Stdout) }

func (f *CameraFindCmd) run(ctx context.Context, out io.Writer) error {
	if f.Wait <= 0 || f.Wait > waitMost {
		return fmt.Errorf("--wait %v: choose more than nothing and at most %v", f.Wait, waitMost)
	}
	found, err := onvif.Find(ctx, onvif.Search{Interfaces: f.Interface, Wait: f.Wait})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return errors.New("no camera answered. Is it on the same network as this machine, and is ONVIF (and its discovery) switched on in the camera's own settings? A camera whose address you know need not be found: eyebolt camera look ADDRESS")
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "name\taddress\tmodel\tinterface\tnext")
	for _, c := range found {
		next := "eyebolt camera look " + shellWord(short(c.URL)) + " --user NAME"
		switch {
		case c.OtherNet:
			next = "it is not of this network: give it an address of it first, with its maker's tool"
		case c.Elsewhere:
			next += "  (it names another address as its own, which is not believed)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", dash(plain(c.Name)), plain(c.URL), dash(plain(c.Model)), c.Interface, next)
	}
	return w.Flush()
}

// short leaves out what is usual in a device service's address.
func short(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.Path != "/onvif/device_service" || u.RawQuery != "" {
		return plain(address)
	}
	return u.Host
}

// shellWord writes a word so that a shell takes it as one, whoever chose it.
func shellWord(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:/_-%,@+=", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
