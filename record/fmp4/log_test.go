package fmp4

import (
	"log/slog"
	"testing"
)

func logTo(tb testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(tb.Output(), nil))
}
