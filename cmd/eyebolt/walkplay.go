package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	door "eyebolt/hub/walk"
	walkrun "eyebolt/hub/walk/run"
	"eyebolt/virtual/eye"
	"eyebolt/virtual/home"
)

// walker is a person at a pretend door who does what the walk test asks of him, with his hands. He presses nothing: a page or a program
// does that.
type walker struct {
	home   *home.Home
	camera *eye.Camera
	scene  *eye.Scene
	shutIn bool // the bolted door does not open from inside
}

// before is what he does before he presses.
func (p walker) before(v door.View) error {
	switch v.Step {
	case "ajar": // it stands open, and a pretend contact has no magnet to be near
		return nil
	case "close":
		p.open()
	case "jam":
		p.open()
		p.home.Jam(true)
		return p.shut()
	case "inside":
		p.home.Jam(false)
		return p.shut()
	default:
		return p.shut()
	}
	return nil
}

// after is what he does at once when he has pressed.
func (p walker) after(v door.View) error {
	switch v.Step {
	case "open":
		p.open()
	case "close":
		return p.shut()
	case "smoke":
		p.home.SmokeAlarm(true)
		time.AfterFunc(2*time.Second, func() { p.home.SmokeAlarm(false) })
	case "plug":
		p.camera.Unplug()
	}
	return nil
}

// back is what he does when the loss of the picture was noticed.
func (p walker) back() error { return p.camera.Plug() }

// answer is what he sees.
func (p walker) answer(v door.View) bool {
	switch v.Step {
	case "inside":
		if p.shutIn {
			return false
		}
		p.open()
		return p.home.Truth().DoorOpen
	default:
		return p.home.Truth().Bolt == home.Thrown
	}
}

func (p walker) open() {
	p.home.OpenFromInside()
	p.scene.Door(true)
}

func (p walker) shut() error {
	if err := p.home.CloseDoor(); err != nil {
		return err
	}
	p.scene.Door(false)
	return nil
}

// maxAgain is how often he tries again what failed: a machine that many share stands still now and then, and a real fault stays one.
const maxAgain = 6

// walkPatience is how long he waits for the devices before each press.
const walkPatience = 20 * time.Second

// walk walks one of a pretend house's doors with the real walk test, over its real broker, lock and camera, and gives the
// certificate's sentence. The hub must not run.
func (h *pretendHouse) walk(ctx context.Context, i int) (say string, err error) {
	release, err := keepAway(h.hub, h.hub.Doors[i].Name)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, release()) }()
	w, err := startWalk(ctx, h.hub, h.hub.Doors[i].Name, h.cfg.Log, h.cfg.Now)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, w.Stop()) }()
	return h.walker(i).stroll(ctx, w, func(v walkrun.View, p door.Press) error { return w.Press(p, v.Turn, w.View().At()) })
}

// walker is somebody at one of the house's doors.
func (h *pretendHouse) walker(i int) walker {
	return walker{home: h.homes[i], camera: h.cameras[i], scene: h.scene}
}

// stroll goes through a walk test to its end: he does what it says, and press presses.
func (p walker) stroll(ctx context.Context, w *walkrun.Run, pressed func(walkrun.View, door.Press) error) (say string, err error) {
	turn, pulled, began, again := ^uint32(0), ^uint32(0), time.Time{}, 0
	for {
		v := w.Look(ctx, w.View().Seq)
		if ctx.Err() != nil || v.Over {
			return "", errors.New("the walk test was ended")
		}
		fresh := v.Turn != turn
		if fresh {
			turn, began = v.Turn, time.Now()
		}
		press := door.Nothing
		switch v.Stage {
		case "end":
			if v.Kept == "" {
				continue
			}
			if !v.Passed || v.Lost {
				return "", fmt.Errorf("the pretend door has not passed: %s %s", v.Say, v.Kept)
			}
			return v.Say, nil
		case "failed":
			if time.Since(began) <= door.Glance {
				continue
			}
			if again++; again > maxAgain {
				return "", fmt.Errorf("the walk test failed at %q: %s", v.Title, v.Say)
			}
			press = door.Again
		case "press":
			if fresh {
				if err := p.before(v.View); err != nil {
					return "", err
				}
			}
			if v.Hint == "" && time.Since(began) > door.Glance {
				press = door.Go
			} else if time.Since(began) > walkPatience {
				return "", fmt.Errorf("%s: %s", v.Title, v.Hint)
			}
		case "ask":
			if time.Since(began) <= door.Glance {
				continue
			}
			if press = door.No; p.answer(v.View) {
				press = door.Yes
			}
		case "wait":
			if fresh && v.Step == "plug" && v.Turn != pulled {
				if err := p.back(); err != nil {
					return "", err
				}
			}
		}
		if press == door.Nothing {
			continue
		}
		if err := pressed(v, press); err != nil {
			return "", err
		}
		if press == door.Go {
			if v.Step == "plug" {
				pulled = v.Turn + 1 // the wait that the press begins
			}
			if err := p.after(v.View); err != nil {
				return "", err
			}
		}
	}
}
