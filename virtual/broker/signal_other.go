//go:build !unix

package broker

import "os"

// askToEnd kills: there is no polite word here.
func askToEnd(p *os.Process) error { return p.Kill() }
