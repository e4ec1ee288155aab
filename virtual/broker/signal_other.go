//go:build !unix

package broker

import (
	"errors"
	"os"
)

// askToEnd kills: there is no polite word here.
func askToEnd(p *os.Process) error { return p.Kill() }

// Freeze and Thaw need a system that can stop a process in its tracks.
func (b *Broker) Freeze() error { return errors.ErrUnsupported }

// Thaw ends Freeze.
func (b *Broker) Thaw() error { return errors.ErrUnsupported }
