package modbus

import (
	"strings"
	"testing"
	"time"

	"eyebolt/lock"
)

func good() Settings {
	return Settings{
		Address: "192.0.2.40", Pulse: "flash", OpenFor: 3 * time.Second, Draw: "0", Throw: "1",
		Thrown: "0", Closed: "1", Jam: "2", Smoke: "3 open", Spare: "7",
	}
}

func TestSettings(t *testing.T) {
	p, err := good().plan()
	if err != nil {
		t.Fatal(err)
	}
	if p.address != "192.0.2.40:502" || p.unit != 1 || p.inputs != (question{readInputs, 0, 8}) {
		t.Errorf("got %+v", p)
	}
	if got, want := p.pulse(p.draw), (question{writeCoil, 0x0200, 30}); got != want {
		t.Errorf("pulse: got %+v, want %+v", got, want)
	}
	for _, c := range []struct {
		change func(*Settings)
		want   string
	}{
		{func(s *Settings) { s.Address = "" }, "address: write"},
		{func(s *Settings) { s.Address = "tcp://board" }, "address: write"},
		{func(s *Settings) { s.Unit = 256 }, "unit: 256"},
		{func(s *Settings) { s.Pulse = "" }, "would stay on when the hub dies"},
		{func(s *Settings) { s.Pulse = "hold" }, "would stay on when the hub dies"},
		{func(s *Settings) { s.OpenFor = 0 }, "open_for: 0s"},
		{func(s *Settings) { s.OpenFor = 150 * time.Millisecond }, "tenths"},
		{func(s *Settings) { s.OpenFor = time.Hour }, "open_for"},
		{func(s *Settings) { s.Draw = "" }, "draw"},
		{func(s *Settings) { s.Throw = "0" }, "output of its own"},
		{func(s *Settings) { s.Thrown = "" }, "thrown: write"},
		{func(s *Settings) { s.Closed = "" }, "no visit can be secured"},
		{func(s *Settings) { s.Thrown = "0 open" }, "a wire that breaks reads as an open contact"}, // S13
		{func(s *Settings) { s.Closed = "1 open" }, "a wire that breaks reads as an open contact"}, // S13
		{func(s *Settings) { s.Smoke = "3" }, `"3 open"`},
		{func(s *Settings) { s.Jam = "2 shut" }, `"2 open"`},
		{func(s *Settings) { s.Jam = "0" }, "used twice"},
		{func(s *Settings) { s.Spare = "7 closed" }, "nothing is connected"},
		{func(s *Settings) { s.Spare = "300" }, "too far apart"},
	} {
		s := good()
		c.change(&s)
		if _, err := s.plan(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q in it", err, c.want)
		}
	}
}

// S13: whatever wires are broken, of a board of either kind, nothing reads safer than it is.
func TestBrokenWiresMakeNothingSafer(t *testing.T) {
	for _, inverted := range []bool{false, true} {
		s := good()
		s.Inverted = inverted
		p, err := s.plan()
		if err != nil {
			t.Fatal(err)
		}
		for whole := range 32 { // which of the first five circuits are closed in truth
			for cut := range 256 {
				bits := make([]bool, 8)
				for i := range bits {
					bits[i] = (whole>>i&1 == 1 && cut>>i&1 == 0) != inverted
				}
				r, err := p.read(bits)
				if err != nil {
					t.Fatal(err)
				}
				if r.bolt == lock.BoltThrown && whole&1 == 0 || r.door == lock.DoorClosed && whole&2 == 0 || !r.smoke && whole&8 == 0 {
					t.Fatalf("inverted %v, circuits %05b, cut %08b: read as %+v", inverted, whole, cut, r)
				}
			}
		}
		all := make([]bool, 8)
		for i := range all {
			all[i] = !inverted
		}
		if _, err := p.read(all); err == nil {
			t.Error("a board whose inputs all read closed is believed")
		}
	}
}

// S9, S13: what is told, and in which order.
func TestWitness(t *testing.T) {
	var said []lock.Report
	w := witness{smoke: true, say: func(r lock.Report) { said = append(said, r) }}
	of := func(what lock.What) (n int) {
		for _, r := range said {
			if r.What == what {
				n++
			}
		}
		return n
	}
	thrown := reading{bolt: lock.BoltThrown, door: lock.DoorClosed}
	w.took(thrown, 10, 15, false)
	if len(said) != 4 || said[0].What != lock.OfDoor || said[1].What != lock.OfBolt || said[1].Age != 5 || said[3].What != lock.OfHealth || !said[3].OK {
		t.Fatalf("first reading: %+v", said)
	}
	w.took(thrown, 20, 21, false)
	if len(said) != 4 {
		t.Errorf("told again: %+v", said[4:])
	}
	w.took(thrown, 30, 31, true)
	if r := said[5]; !r.Solicited || r.Age != 1 {
		t.Errorf("asked: %+v", r)
	}
	said = nil
	w.took(reading{bolt: lock.BoltThrown, door: lock.DoorOpen}, 40, 41, false)
	if of(lock.OfBolt) != 1 || said[0].What != lock.OfDoor {
		t.Errorf("a bolt's report is older than the door's: %+v", said)
	}
	said = nil
	w.refuse(errSpare, 50)
	if len(said) != 3 || said[0] != (lock.Report{What: lock.OfBolt, At: 50}) || said[1].Door != lock.DoorUnknown || said[2].OK {
		t.Errorf("refused: %+v", said)
	}
	w.took(thrown, 60, 61, false)
	w.looked(0, errOn, 70)
	w.looked(0, nil, 71)
	if !said[len(said)-1].OK {
		t.Errorf("off again: %+v", said)
	}
	w.looked(0, errHeld, 80)
	w.looked(0, nil, 81)
	w.lost(errSilent, 90)
	w.took(thrown, 100, 101, false)
	if r := said[len(said)-1]; r.What != lock.OfHealth || r.OK {
		t.Errorf("a pulse that did not end is forgiven: %+v", r)
	}
}
