package run

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"eyebolt/bus"
	"eyebolt/hub"
	"eyebolt/live"
)

const (
	beatInVisit = 500 * time.Millisecond // 2 Hz: two lost in a row do not reach the service's 2 s (S14)
	beatIdle    = 5 * time.Second
	beatLost    = time.Second            // while nobody answers
	beatGap     = 100 * time.Millisecond // between two beats, whoever asks for them
	beatTimeout = 2 * time.Second        // an answer that comes later proves nothing
	maxBeats    = 4                      // under way at once: beatTimeout / beatInVisit
	beatStale   = 12 * time.Second       // the service takes a beat for proof of life that echoes an answer of 15 s ago at most

	viewGap   = 100 * time.Millisecond // between two views of a door: 10 Hz
	urgentGap = 10 * time.Millisecond  // likewise, when somebody acts on it: a watch that flaps costs at most 100 Hz

	alarmTimeout = 2 * time.Second
	alarmRetry   = time.Second
	maxAlarms    = 256 // remembered here; the core re-sends after a restart
	maxSending   = 8   // alarms under way at once

	maxRefs    = 4096 // asks that wait for the core's answer
	maxAnswers = 4096 // answers that wait for the bus
	maxLive    = 8    // offers being answered at once

	liveTimeout = 10 * time.Second
)

// post is the hub's end of the bus.
type post struct {
	id     string
	conn   bus.Conn
	now    func() time.Duration
	random io.Reader
	push   func(any)
	size   func() uint64  // durable entries of the record
	took   func(any) bool // push, and whether the core will hear of it
	ask    func(hub.Asked) bool
	live   Live
	log    *slog.Logger
	wg     *sync.WaitGroup

	beatNow, viewNow, alarmNow chan struct{} // each holds one
	answers                    chan answer   // holds maxAnswers

	mu       sync.Mutex // guards what follows
	visits   []string
	seq      uint64
	answered uint64    // the newest beat that was answered
	told     time.Time // what the service's clock was in that answer
	views    map[string]bus.View
	order    []string // doors whose view waits, oldest first
	alarms   []*pending
	refs     map[uint64]func([]byte) error
	ref      uint64

	cursor func(uint64) // told what the service holds
}

// answer is what somebody waits for.
type answer struct {
	to    func([]byte) error
	reply any
}

// pending is an alarm that the service has not taken yet. While it does not answer, each answered beat has the alarm sent again: the way is open,
// and whoever cuts it for moments must not choose when the household is told (T10, S16).
type pending struct {
	alarm   bus.Alarm
	sending int           // tries under way
	left    time.Duration // when the newest of them began
	hurry   bool          // a beat that left later was answered
	due     time.Duration // of the next try, while there is none
}

func newPost(cfg Config, now func() time.Duration, q *queue, wg *sync.WaitGroup, cursor func(uint64)) *post {
	return &post{
		id: cfg.ID, conn: cfg.Bus, now: now, random: cfg.Random, size: cfg.Ledger.Size, push: q.push, took: q.took, ask: q.ask, live: cfg.Live, log: cfg.Log, wg: wg, cursor: cursor,
		beatNow: make(chan struct{}, 1), viewNow: make(chan struct{}, 1), alarmNow: make(chan struct{}, 1),
		answers: make(chan answer, maxAnswers),
		views:   map[string]bus.View{}, refs: map[uint64]func([]byte) error{},
	}
}

// run starts what the bus needs; everything ends with ctx.
func (p *post) run(ctx context.Context) error {
	unask, err := p.conn.Subscribe(bus.Subject(p.id, "ask"), p.takeAsk)
	if err != nil {
		return err
	}
	slots := make(chan struct{}, maxLive)
	unlive, err := p.conn.Subscribe(bus.Subject(p.id, "live"), func(m bus.Message) { p.takeOffer(ctx, slots, m) })
	if err != nil {
		unask()
		return err
	}
	context.AfterFunc(ctx, func() { unask(); unlive() })
	p.wg.Go(func() { p.beats(ctx) })
	p.wg.Go(func() { p.showing(ctx) })
	p.wg.Go(func() { p.alarming(ctx) })
	p.wg.Go(func() { p.answering(ctx) })
	return nil
}

func (p *post) setVisits(v []string) {
	p.mu.Lock()
	p.visits = v
	p.mu.Unlock()
	signal(p.beatNow)
}

// beats asks the service for its life. Beats do not wait for each other: one that is lost must not silence the hub.
func (p *post) beats(ctx context.Context) {
	slots := make(chan struct{}, maxBeats)
	last := p.now() - beatGap
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.beatNow:
			if wait := beatGap - (p.now() - last); wait > 0 {
				timer.Reset(wait)
				continue
			}
		case <-timer.C:
		}
		last = p.now()
		p.mu.Lock()
		p.seq++
		b := bus.Beat{Hub: p.id, Seq: p.seq, Visits: p.visits, Told: p.told}
		lost := p.answered+1 < p.seq // the beat before this one has no answer
		p.mu.Unlock()
		every := beatIdle
		if lost {
			every = beatLost
		}
		if len(b.Visits) > 0 {
			every = beatInVisit
		}
		timer.Reset(every)
		select {
		case slots <- struct{}{}:
			p.wg.Go(func() {
				p.beat(ctx, b)
				<-slots
			})
		default: // the bus is stuck with four unanswered ones
		}
	}
}

func (p *post) beat(ctx context.Context, b bus.Beat) {
	b.Nonce = make([]byte, 16)
	if _, err := io.ReadFull(p.random, b.Nonce); err != nil {
		p.log.Error("no randomness for a beat", "err", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, beatTimeout)
	defer cancel()
	sent := p.now()
	var r bus.BeatReply
	if err := p.request(ctx, "beat", b, &r); err != nil || !bytes.Equal(r.Nonce, b.Nonce) {
		p.log.Debug("service did not answer", "err", err)
		p.push(hub.Silence{})
		return
	}
	trip := p.now() - sent
	p.mu.Lock()
	newest := b.Seq > p.answered
	if newest {
		p.answered, p.told = b.Seq, r.Time
		for _, k := range p.alarms {
			if k.left < sent {
				k.hurry, k.due = true, 0
			}
		}
		signal(p.alarmNow)
	}
	p.mu.Unlock()
	if !newest {
		return // overtaken by a newer answer; the core drops those that overtake each other on the way to it
	}
	if r.Time.Sub(b.Told) > beatStale {
		signal(p.beatNow) // the beat proved nothing: its echo was old, or there was none
	}
	// The core judges by its first answer whether the record is older than what the service holds (T29): nothing is sent before that.
	if p.took(hub.Answered{Seq: b.Seq, Visits: b.Visits, Sent: sent, Trip: trip, Size: p.size(), Reply: r}) {
		p.cursor(r.Cursor)
	}
}

func (p *post) request(ctx context.Context, what string, body, reply any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	got, err := p.conn.Request(ctx, bus.Subject(p.id, what), b)
	if err != nil || reply == nil {
		return err
	}
	return json.Unmarshal(got, reply)
}

// show publishes a view, unless a newer one of the same door comes first.
func (p *post) show(v bus.View) {
	p.mu.Lock()
	if _, waits := p.views[v.Door]; !waits {
		p.order = append(p.order, v.Door)
	}
	p.views[v.Door] = v
	p.mu.Unlock()
	signal(p.viewNow)
}

// urgent says whether a view tells more than that time has passed: somebody acts on it.
func urgent(v, last bus.View) bool {
	return v.Phase != last.Phase || v.Watch != last.Watch || v.Alarm != last.Alarm || v.Bolt != last.Bolt || v.DoorIs != last.DoorIs || v.Leave != last.Leave
}

// showing publishes each door's views as they come, the first at once, those that follow within viewGap as one; an urgent
// one waits only urgentGap.
func (p *post) showing(ctx context.Context) {
	sent := map[string]time.Duration{} // door → when its newest view left
	last := map[string]bus.View{}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-p.viewNow:
		}
		now, wait := p.now(), time.Hour
		var out []bus.View
		p.mu.Lock()
		p.order = slices.DeleteFunc(p.order, func(door string) bool {
			v, gap := p.views[door], viewGap
			if urgent(v, last[door]) {
				gap = urgentGap
			}
			if at, ok := sent[door]; ok && at+gap > now {
				wait = min(wait, at+gap-now)
				return false
			}
			sent[door], last[door] = now, v
			out = append(out, v)
			delete(p.views, door)
			return true
		})
		p.mu.Unlock()
		for _, v := range out {
			if b, err := json.Marshal(v); err == nil {
				_ = p.conn.Publish(ctx, bus.Subject(p.id, "view"), b) // the next view says all that this one said
			}
		}
		timer.Reset(wait)
	}
}

// alarm tells the service until it answers. The same ID again is told again.
func (p *post) alarm(a bus.Alarm) {
	p.mu.Lock()
	for _, k := range p.alarms {
		if k.alarm.ID == a.ID {
			k.due = 0
			p.mu.Unlock()
			signal(p.alarmNow)
			return
		}
	}
	if len(p.alarms) >= maxAlarms {
		p.alarms = p.alarms[1:] // it is in the ledger, which is shipped whole
	}
	p.alarms = append(p.alarms, &pending{alarm: a})
	p.mu.Unlock()
	signal(p.alarmNow)
}

func (p *post) alarming(ctx context.Context) {
	slots := make(chan struct{}, maxSending)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.alarmNow:
		case <-timer.C:
		}
		now := p.now()
		p.mu.Lock()
		if len(p.alarms) > 0 {
			timer.Reset(alarmRetry / 4)
		} // else alarmNow tells of the next one
		for _, k := range p.alarms {
			if k.sending == 0 && k.due > now || k.sending > 0 && !k.hurry || k.sending >= maxBeats {
				continue
			}
			select {
			case slots <- struct{}{}:
			default:
				continue
			}
			k.sending++
			k.left, k.hurry = now, false
			p.wg.Go(func() {
				p.send(ctx, k)
				<-slots
				signal(p.alarmNow)
			})
		}
		p.mu.Unlock()
	}
}

func (p *post) send(ctx context.Context, k *pending) {
	ctx, cancel := context.WithTimeout(ctx, alarmTimeout)
	defer cancel()
	err := p.request(ctx, "alarm", k.alarm, nil)
	p.mu.Lock()
	k.sending--
	if err != nil {
		k.due = p.now() + alarmRetry
		p.mu.Unlock()
		p.log.Warn("alarm was not taken by the service, it is sent again", "alarm", k.alarm.Reason, "door", k.alarm.Door, "err", err)
		return
	}
	before := len(p.alarms)
	p.alarms = slices.DeleteFunc(p.alarms, func(o *pending) bool { return o == k })
	first := len(p.alarms) < before
	p.mu.Unlock()
	if first {
		p.push(hub.Told{ID: k.alarm.ID})
	}
}

func (p *post) takeAsk(m bus.Message) {
	var a bus.Ask
	if err := json.Unmarshal(m.Body, &a); err != nil {
		p.reply(m.Reply, bus.AskReply{Sentence: "This is not an ask: its JSON cannot be read."})
		return
	}
	p.mu.Lock()
	if len(p.refs) >= maxRefs {
		p.mu.Unlock()
		p.reply(m.Reply, bus.AskReply{Sentence: "The hub has too much to answer. Try again in a moment."})
		return
	}
	p.ref++
	ref := p.ref
	p.refs[ref] = m.Reply
	p.mu.Unlock()
	if !p.ask(hub.Asked{Ref: ref, Ask: a}) {
		p.answer(ref, bus.AskReply{Sentence: "The hub has too much to do. Try again in a moment."})
	}
}

// answer has whoever waits for ref answered. It never waits: the core calls it, and a bus whose other end takes nothing may
// hold whoever writes for a minute (S5).
func (p *post) answer(ref uint64, r bus.AskReply) {
	p.mu.Lock()
	to := p.refs[ref]
	delete(p.refs, ref)
	p.mu.Unlock()
	if to == nil {
		return
	}
	select {
	case p.answers <- answer{to, r}:
	default:
		p.log.Debug("answer was not sent, it is remembered", "err", "the bus takes nothing")
	}
}

// answering sends answers in their order.
func (p *post) answering(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-p.answers:
			p.reply(a.to, a.reply)
		}
	}
}

func (p *post) reply(to func([]byte) error, r any) {
	if to == nil {
		return
	}
	b, err := json.Marshal(r)
	if err == nil {
		err = to(b)
	}
	if err != nil {
		p.log.Debug("answer was not sent, it is remembered", "err", err)
	}
}

// takeOffer has an offer answered beside everything else. A refusal is JSON with "error".
func (p *post) takeOffer(ctx context.Context, slots chan struct{}, m bus.Message) {
	type refusal struct {
		Error string `json:"error"`
	}
	var o live.Offer
	if err := json.Unmarshal(m.Body, &o); err != nil || p.live == nil {
		p.reply(m.Reply, refusal{"this hub shows no live picture"})
		return
	}
	select {
	case slots <- struct{}{}:
	default:
		p.reply(m.Reply, refusal{"too many viewers ask at once: try again in a moment"})
		return
	}
	p.wg.Go(func() {
		defer func() { <-slots }()
		ctx, cancel := context.WithTimeout(ctx, liveTimeout)
		defer cancel()
		a, err := p.live.Answer(ctx, o)
		if err != nil {
			p.reply(m.Reply, refusal{err.Error()})
			return
		}
		p.reply(m.Reply, a)
	})
}
