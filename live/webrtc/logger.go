package webrtc

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// logger passes pion's messages on, one level lower: what it calls a warning is a phone that left the Wi-Fi.
type logger struct {
	log   *slog.Logger
	scope string
}

func (l logger) NewLogger(scope string) logging.LeveledLogger { return logger{l.log, scope} }

func (l logger) say(level slog.Level, format string, args ...any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, "webrtc: "+fmt.Sprintf(format, args...), "scope", l.scope)
	}
}

func (l logger) Trace(string)              {}
func (l logger) Tracef(string, ...any)     {}
func (l logger) Debug(string)              {}
func (l logger) Debugf(string, ...any)     {}
func (l logger) Info(string)               {}
func (l logger) Infof(string, ...any)      {}
func (l logger) Warn(m string)             { l.say(slog.LevelDebug, "%s", m) }
func (l logger) Warnf(f string, a ...any)  { l.say(slog.LevelDebug, f, a...) }
func (l logger) Error(m string)            { l.say(slog.LevelInfo, "%s", m) }
func (l logger) Errorf(f string, a ...any) { l.say(slog.LevelInfo, f, a...) }
