package mqtt

import (
	"bufio"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eyebolt/lock"

	"github.com/cockroachdb/datadriven"
)

// TestWitness plays messages to the witness and writes down what it believes (S9, S12, S13, T17, T27). The recorded-*.txt files are transcripts
// of a real Zigbee2MQTT. A line is a time, r=retained, a topic below the base, a payload; or "connected", "cut".
func TestWitness(t *testing.T) {
	datadriven.Walk(t, "testdata/witness", func(t *testing.T, path string) {
		var story *telling
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "new":
				s := Settings{Base: "zigbee2mqtt", Lock: "front_lock", Contact: "front_door", Smoke: "hall_smoke"}
				if d.HasArg("no-smoke") {
					s.Smoke = ""
				}
				if d.HasArg("no-contact") {
					s.Contact = ""
				}
				story = newTelling(s)
				if d.HasArg("filtered") {
					story.w.habits = habits{boltOwn: true, doorOwn: true, contactOwn: true}
				}
				return ""
			case "hear":
				for _, line := range strings.Split(d.Input, "\n") {
					story.hear(t, line)
				}
			case "replay":
				var name string
				d.ScanArgs(t, "file", &name)
				f, err := os.Open(filepath.Join("testdata", name))
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				defer func() { _ = f.Close() }()
				lines := bufio.NewScanner(f)
				lines.Buffer(nil, 1<<20)
				for lines.Scan() {
					story.hear(t, lines.Text())
				}
			default:
				d.Fatalf(t, "unknown command %s", d.Cmd)
			}
			return story.told()
		})
	})
}

// telling is a witness with a clock read from the lines that it hears.
type telling struct {
	w     *witness
	d     driver
	start time.Time
	out   strings.Builder
}

func newTelling(s Settings) *telling {
	st := &telling{d: driver{plan: plan{Settings: s}}}
	st.w = newWitness(s, slog.New(slog.DiscardHandler), func(r lock.Report) {
		fmt.Fprintf(&st.out, "%s %s\n", st.start.Add(r.At).Format("15:04:05"), words(r))
	})
	return st
}

func (st *telling) told() string {
	s := st.out.String()
	st.out.Reset()
	return s
}

func (st *telling) hear(t *testing.T, line string) {
	t.Helper()
	if line == "" || strings.HasPrefix(line, "#") {
		return
	}
	part := strings.SplitN(line, " ", 4)
	at, err := time.Parse("2006-01-02T15:04:05", part[0])
	if err != nil {
		at, err = time.Parse("15:04:05", part[0])
	}
	if err != nil || len(part) < 2 {
		t.Fatalf("not a line: %q", line)
	}
	if st.start.IsZero() {
		st.start = at
	}
	m := message{at: at.Sub(st.start), wall: at}
	switch part[1] {
	case "connected":
		m.about = connectionUp
	case "cut":
		m.about, m.err = connectionDown, fmt.Errorf("the connection to the broker broke")
	case "overflow":
		st.w.overflow(m.at)
		return
	default:
		what, known := st.d.topicAbout(st.d.plan.Base + "/" + part[2])
		if !known {
			return
		}
		m.about, m.retained = what, part[1] == "r=1"
		if len(part) == 4 {
			m.payload = []byte(part[3])
		}
	}
	st.w.take(m)
}

func words(r lock.Report) string {
	var s strings.Builder
	switch r.What {
	case lock.OfBolt:
		s.WriteString("bolt " + []string{"unknown", "thrown", "drawn", "jammed"}[r.Bolt])
		if r.By != lock.ByUnknown {
			s.WriteString(" by " + []string{"", "remote", "inside", "resident", "itself"}[r.By])
		}
		if r.Who != "" {
			s.WriteString(" (" + r.Who + ")")
		}
	case lock.OfDoor:
		s.WriteString("door " + []string{"unknown", "closed", "open", "ajar"}[r.Door])
	case lock.OfBattery:
		fmt.Fprintf(&s, "battery %d", r.Percent)
	case lock.OfHealth:
		fmt.Fprintf(&s, "health %v", r.OK)
		if r.Err != nil {
			fmt.Fprintf(&s, ": %v", r.Err)
		}
	case lock.OfSmoke:
		fmt.Fprintf(&s, "smoke %v", !r.OK)
	case lock.OfFailure:
		fmt.Fprintf(&s, "failure: %v", r.Err)
	}
	if r.Age > 0 {
		fmt.Fprintf(&s, ", %v old", r.Age)
	}
	if r.Solicited {
		s.WriteString(", asked")
	}
	return s.String()
}
