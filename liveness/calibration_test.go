package liveness

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"eyebolt/camera"
)

// What is learned outlives a restart: the same numbers come back, and the restored Judge does not learn again.
func TestCalibrationComesBack(t *testing.T) {
	j := New(Config{})
	j.cover.levels[Day] = level{learned: 120_000, now: 110_000, n: coverLearn}
	j.cover.levels[Infrared] = level{learned: 60_000, now: 60_000, n: coverLearn}
	for range askKnown {
		j.ask.step(2 * sec)
	}
	j.ask.longest = 180 * ms
	s := newSensor(320, 192, 1, 2.5)
	p := NewPrints(PrintsConfig{})
	prints(p, 24, func(int) camera.Still { return s.shoot(s.scene) })

	c := j.Calibration().Join(p.Calibration())
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", b)
	back, err := ParseCalibration(b)
	if err != nil || !reflect.DeepEqual(back, c) {
		t.Fatalf("%+v, %v; want %+v", back, err, c)
	}
	if c.Noise < 4 || c.Noise > 9 {
		t.Errorf("noise %v, want about 6", c.Noise)
	}
	k, q := New(Config{}), NewPrints(PrintsConfig{})
	if err := errors.Join(k.Restore(back), q.Restore(back)); err != nil {
		t.Fatal(err)
	}
	if got := k.Calibration().Join(q.Calibration()); !reflect.DeepEqual(got, c) {
		t.Errorf("restored %+v, want %+v", got, c)
	}
}

// What is no calibration is refused whole, and the error says what to do.
func TestBadCalibrations(t *testing.T) {
	for _, bad := range []string{
		``, `null`, `{}`, `[]`, `{"version":2}`, `{"version":1} x`, `{"version":1,"extra":true}`,
		`{"version":1,"noise":-1}`, `{"version":1,"noise":1e300}`, `{"version":1,"key_every_ms":-5}`, `{"version":1,"key_answer_ms":99999999}`,
		`{"version":1,"cover":[{"light":2,"bytes":5,"keys":1}]}`, `{"version":1,"cover":[{"light":0,"bytes":0,"keys":10}]}`,
		`{"version":1,"cover":[{"light":0,"bytes":5,"keys":10},{"light":0,"bytes":5,"keys":10}]}`,
		`{"version":1,"cover":[{"light":0,"bytes":5,"keys":0}]}`,
		`{"version":1,"noise":0` + strings.Repeat(" ", maxCalibration) + `}`,
	} {
		if _, err := ParseCalibration([]byte(bad)); !errors.Is(err, ErrCalibration) || !strings.Contains(err.Error(), "set-up") {
			t.Errorf("%.60q: %v", bad, err)
		}
	}
	if err := New(Config{}).Restore(Calibration{}); !errors.Is(err, ErrCalibration) {
		t.Errorf("the zero calibration: %v", err)
	}
	if err := NewPrints(PrintsConfig{}).Restore(Calibration{Version: 1, Noise: -2}); !errors.Is(err, ErrCalibration) {
		t.Errorf("noise below 0: %v", err)
	}
}

// FuzzCalibration: what is read is within bounds, and reads the same again.
func FuzzCalibration(f *testing.F) {
	f.Add([]byte(`{"version":1,"cover":[{"light":0,"bytes":120000,"keys":10}],"key_every_ms":2000,"key_answer_ms":180,"noise":6.2}`))
	f.Add([]byte(`{"version":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCalibration(b)
		if err != nil {
			return
		}
		j := New(Config{Replay: 64, Keys: 16})
		if err := j.Restore(c); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(j.Calibration().Join(c))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseCalibration(again); err != nil {
			t.Fatalf("%s: %v", again, err)
		}
	})
}
