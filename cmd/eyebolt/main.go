// Command eyebolt opens a home's door to a courier only while a camera provably watches. Its roles are sub-commands.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // consents name time zones; a small hub has no zone data of its own

	"github.com/alecthomas/kong"
)

type cli struct {
	Version kong.VersionFlag `help:"Print which version this is."`

	Demo    DemoCmd    `cmd:"" help:"Everything in one process, with a pretend home that speaks real protocols. Prints one URL."`
	Hub     HubCmds    `cmd:"" help:"The hub: stands in the home, decides, drives lock and camera."`
	Control ControlCmd `cmd:"" help:"The service: authorises, schedules, watches hubs, tells people."`
	Camera  CameraCmd  `cmd:"" help:"Find cameras, see what one offers, and try one before it is relied on."`
	Verify  VerifyCmd  `cmd:"" help:"Check a record as a stranger would: OK, or the first entry that is wrong."`
	Why     WhyCmd     `cmd:"" help:"Say why a camera was said to lag, freeze, or be covered: what was measured, from the record."`
	Sim     SimCmd     `cmd:"" help:"Play towns of homes, couriers, residents and attackers in virtual time, and judge every rule by the truth."`
	Bench   BenchCmd   `cmd:"" help:"Measure from outside, beside a peer."`
}

func main() {
	var c cli
	parser := kong.Must(&c, kong.Name("eyebolt"),
		kong.Vars{"version": version()},
		kong.Description("In-home delivery that opens only while a camera provably watches: no eye, no bolt."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.UsageOnError())
	run, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run.BindTo(ctx, (*context.Context)(nil))
	if err := run.Run(ctx); err != nil {
		code := 1
		if e, ok := err.(interface{ ExitCode() int }); ok { //nolint:errorlint // only the outermost error says how to exit
			code = e.ExitCode()
		}
		if text := err.Error(); text != "" {
			fmt.Fprintln(os.Stderr, "eyebolt: "+text)
		}
		stop()
		os.Exit(code)
	}
}

// version is the module's version, or the commit that it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "eyebolt, of unknown origin"
	}
	v := "eyebolt " + info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && info.Main.Version == "(devel)" {
			v += " " + s.Value
		}
	}
	return v + " " + info.GoVersion
}

// logger writes to standard error, one line an event.
func logger(level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q: use debug, info, warn or error", level)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: l})), nil
}
