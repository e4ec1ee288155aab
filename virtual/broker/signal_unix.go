//go:build unix

package broker

import (
	"os"
	"syscall"
)

func askToEnd(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

// Freeze stops the broker in its tracks without closing a connection, as a machine that hangs; Thaw lets it go on.
func (b *Broker) Freeze() error { return b.signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (b *Broker) Thaw() error { return b.signal(syscall.SIGCONT) }

func (b *Broker) signal(s syscall.Signal) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.child == nil {
		return os.ErrProcessDone
	}
	return b.child.cmd.Process.Signal(s)
}
