package hub

import (
	"eyebolt/bus"
	"eyebolt/interlock"
)

// maxAskID and maxNameText bound what an ask may leave in memory and in the record.
const (
	maxAskID = 128
	maxText  = 100
)

// asked takes an ask once; asked again, it gets the same answer (T23).
//
// Who proves what: "slide" and "out" carry the courier's passkey assertion, "grant" the household's and the carrier's
// signatures, "consent" the resident's passkey, "pair" the hub's own code: the hub checks each itself. "block", "lock",
// "leave", "revoke", "hold" and "cannot" can only make the home safer, and need no proof. "arrive" opens nothing by itself.
// "unblock", "lift" (hold off), "home", "ack" and "close" rest on the service's session of a resident: a service that was
// taken over can lift a block, but what opens is still the household's consent and the courier's passkey (T16).
func (c *Core) asked(in Asked) {
	a := in.Ask
	if a.ID == "" || len(a.ID) > maxAskID {
		c.answer(in.Ref, bus.AskReply{Reason: interlock.NoVisit.String(), Sentence: "An ask needs an id of 1 to 128 bytes."})
		return
	}
	if a.What == bus.AskView { // asks for nothing that twice would be wrong
		for _, d := range c.doors {
			if a.Door == "" || a.Door == d.cfg.Name {
				d.shown = face{}
			}
		}
		c.answer(in.Ref, bus.AskReply{OK: true})
		return
	}
	if r, answered, known := c.asks.seen(c.at.Mono, a.ID, in.Ref); known {
		if answered {
			c.answer(in.Ref, r)
		}
		return
	}
	c.asks.take(c.at.Mono, a.ID, in.Ref)
	a.By, a.Text = tidy(a.By), tidy(a.Text)

	switch a.What {
	case bus.AskPair:
		c.askPair(a)
		return
	case bus.AskConsent:
		c.askConsent(a)
		return
	case bus.AskGrant:
		c.askGrant(a)
		return
	case bus.AskRevoke:
		c.askRevoke(a)
		return
	case bus.AskHome:
		c.askHome(a)
		return
	case bus.AskClose:
		c.askClose(a)
		return
	case bus.AskHold:
		c.askHold(a)
		return
	}

	d := c.index[a.Door]
	if d == nil {
		c.answerAsk(a.ID, refusal(interlock.WrongDoor))
		return
	}
	switch a.What {
	case bus.AskArrive:
		c.askArrive(d, a)
	case bus.AskSlide:
		c.askSlide(d, a)
	case bus.AskOut:
		c.askOut(d, a)
	case bus.AskCannot:
		c.askCannot(d, a)
	case bus.AskBlock:
		c.askBlock(d, a)
	case bus.AskUnblock:
		c.askUnblock(d, a)
	case bus.AskLock:
		c.askLock(d, a)
	case bus.AskLeave:
		c.askLeave(d, a)
	case bus.AskAck:
		c.askAck(d, a)
	default:
		c.answerAsk(a.ID, bus.AskReply{Reason: interlock.NoVisit.String(), Sentence: "This hub does not know that ask. Update the hub."})
	}
}

// answerAsk answers everybody who waits for this ask, and remembers the answer.
func (c *Core) answerAsk(id string, r bus.AskReply) {
	c.answerAll(c.asks.index[id], r)
}

func (c *Core) answerAll(e *asked, r bus.AskReply) {
	for _, ref := range e.answer(r) {
		c.answer(ref, r)
	}
}

func (c *Core) answer(ref uint64, r bus.AskReply) {
	c.rest = append(c.rest, Answer{Ref: ref, Reply: r})
}

// answerDurable answers once this step's entries are on disk: nothing that was acknowledged is lost (T18). It says whether it will: too
// many may wait already.
func (c *Core) answerDurable(id string, r bus.AskReply) bool {
	if len(c.waits) >= maxWaits {
		c.answerAsk(id, refusal(interlock.LedgerSlow))
		return false
	}
	c.wait.answers = append(c.wait.answers, answerLater{ask: c.asks.index[id], reply: r})
	return true
}

func refusal(r interlock.Reason) bus.AskReply {
	return bus.AskReply{Reason: r.String(), Sentence: r.Sentence()}
}

// spoken is the interlock's answer of the newest step: its refusal, or yes.
func (d *door) spoken() bus.AskReply {
	if len(d.said) > 0 {
		return refusal(d.said[0])
	}
	r := bus.AskReply{OK: true}
	if d.visit != nil {
		r.Visit = d.visit.id
	}
	return r
}

// tidy makes text from outside fit for the record: plain, and bounded.
func tidy(s string) string { return clip(plain(s), maxText) }
