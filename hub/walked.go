package hub

import (
	"eyebolt/interlock"
	"eyebolt/ledger"
)

// walkData goes on record when what a door's walk test is worth has changed since the hub last ran: whoever reads the record later
// knows on what proof a door was opened (S9, S11).
type walkData struct {
	Sum  string `json:"sum,omitempty"` // SHA-256 of the certificate's file
	Made string `json:"made,omitempty"`
	Text string `json:"text"`
}

// noteWalk writes it down.
func (c *Core) noteWalk(d *door) {
	k := d.cfg.Walk
	now := walkData{Sum: k.Sum, Text: k.Say}
	if !k.Made.IsZero() {
		now.Made = k.Made.UTC().Format("2006-01-02T15:04:05Z")
	}
	if now == d.walkNoted {
		return
	}
	d.walkNoted = now
	if k.Passed {
		c.write(d, ledger.KindReport, wordWalked, interlock.NoReason, now)
		return
	}
	c.write(d, ledger.KindReport, wordNotWalked, interlock.NotWalked, now)
}
