package turn

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// logger passes pion's messages on for whoever looks for a fault. None is above debug: strangers can cause each of them as
// often as they like (T20).
type logger struct{ log *slog.Logger }

func (l logger) NewLogger(string) logging.LeveledLogger { return l }

func (l logger) say(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("turn: " + fmt.Sprintf(format, args...))
	}
}

func (l logger) Trace(string)              {}
func (l logger) Tracef(string, ...any)     {}
func (l logger) Debug(string)              {}
func (l logger) Debugf(string, ...any)     {}
func (l logger) Info(m string)             { l.say("%s", m) }
func (l logger) Infof(f string, a ...any)  { l.say(f, a...) }
func (l logger) Warn(m string)             { l.say("%s", m) }
func (l logger) Warnf(f string, a ...any)  { l.say(f, a...) }
func (l logger) Error(m string)            { l.say("%s", m) }
func (l logger) Errorf(f string, a ...any) { l.say(f, a...) }
