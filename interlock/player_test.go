package interlock

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// player plays facts to one door and answers for a lock and a service that do as they should.
type player struct {
	s             State
	bolt          Bolt // what the lock says when it is polled
	service, lock bool // the service answers beats, the lock answers polls
	beat          Millis
	out           strings.Builder
	quiet         bool
	judge         bool // the rules are checked at every fact
	books         judge
	broken        string // the first rule that did not hold
	step          move   // the newest, before the judge
	polls         int    // answers to polls that led to the next
}

func (p *player) where() string {
	w := fmt.Sprintf("= %s", p.s.Phase())
	if p.s.Why() != NoReason {
		w += fmt.Sprintf(" (%s)", p.s.Why())
	}
	if left := p.s.Left(); left > 0 {
		w += fmt.Sprintf(", %v left", time.Duration(left)*time.Millisecond)
	}
	for _, x := range []struct {
		on   bool
		word string
	}{{p.s.Secured(), "secured"}, {p.s.Released(), "released"}, {p.s.Leave(), "leave"}, {p.s.Blocked(), "blocked"}} {
		if x.on {
			w += ", " + x.word
		}
	}
	if a := p.s.Alarm(); a != NoReason {
		w += ", alarm " + a.String()
	}
	if i := p.s.Incident(); i != NoReason {
		w += ", incident " + i.String()
	}
	return w + "\n"
}

// take gives one fact to Step and prints what followed.
func (p *player) take(f Fact) {
	before := p.s.Phase()
	var next State
	var out []Command
	if p.judge && p.broken == "" {
		next, out = p.check(f)
	} else {
		next, out = Step(p.s, f)
	}
	p.s = next
	polled := false
	for _, c := range out {
		if c.Do == DoPoll {
			polled = true
			continue
		}
		if p.quiet {
			continue
		}
		fmt.Fprintf(&p.out, "    %s %s", c.Do, c.Reason)
		if c.N != 0 {
			fmt.Fprintf(&p.out, " #%d", c.N)
		}
		if c.Outcome != NotEnded {
			fmt.Fprintf(&p.out, " → %s", c.Outcome)
		}
		p.out.WriteByte('\n')
	}
	if after := p.s.Phase(); after != before && !p.quiet {
		fmt.Fprintf(&p.out, "    — %s\n", after)
	}
	if polled && p.lock {
		if p.polls++; p.polls > 100 {
			panic("each answer to a poll is polled again")
		}
		p.take(Fact{Kind: BoltSays, Dt: 1, Bolt: p.bolt})
		p.polls--
	}
}

// check is Step before the judge: it keeps the books, and holds the step to every rule; of the ticks that command nothing, to
// one in five.
func (p *player) check(f Fact) (State, []Command) {
	m := &p.step
	m.step(pair{p.s, p.books}, f)
	if len(m.out) > 0 || f.Kind != Tick || p.beat%100 == 0 {
		if p.broken = m.broken(); p.broken != "" {
			return m.next, m.out
		}
	}
	p.books = m.then
	return m.next, m.out
}

// pass lets time go by in ticks of 20 ms, with a beat every 500 ms.
func (p *player) pass(d time.Duration) {
	for range d / (20 * time.Millisecond) {
		if p.beat += 20; p.beat >= 500 && p.service {
			p.beat = 0
			p.take(Fact{Kind: ServiceSays, OK: true})
		}
		p.take(Fact{Kind: Tick, Dt: 20})
	}
}

// line plays one line of a story.
func (p *player) line(line string) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return
	}
	f := Fact{OK: words[0] != "watch", Dt: 1}
	rest := words[1:]
	for _, w := range rest {
		name, value, _ := strings.Cut(w, "=")
		n, _ := strconv.Atoi(value)
		switch {
		case w == "no":
			f.OK = false
		case w == "ok": // though there is a reason
			f.OK = true
		case name == "n":
			f.N = uint32(n)
		case name == "age":
			f.Age = Millis(n)
		case name == "by":
			f.By = find(value, ByUnknown, ByItself)
		case words[0] == "watch":
			f.Watch = find(w, WatchUnknown, WatchHubLate)
		case words[0] == "bolt":
			f.Bolt = find(w, BoltUnknown, BoltJammed)
		case words[0] == "door":
			f.Door = find(w, DoorUnknown, DoorAjar)
		default:
			r, ok := ParseReason(w)
			if ok {
				f.OK, f.Reason = false, r
			}
		}
	}
	switch words[0] {
	case "wait":
		d, err := time.ParseDuration(rest[0])
		if err != nil {
			panic(err)
		}
		p.pass(d)
	case "silent":
		p.service = false
	case "mute":
		p.lock = false
	default:
		f.Kind = find(words[0], Nothing, kinds-1)
		if f.Kind == BoltSays && f.Age == 0 {
			p.bolt = f.Bolt
		}
		p.take(f)
	}
}

// find is the value from first to last whose word is w.
func find[T interface {
	~uint8
	fmt.Stringer
}](w string, first, last T) T {
	for v := first; v <= last; v++ {
		if v.String() == w {
			return v
		}
	}
	panic("a story has no such word: " + w)
}
