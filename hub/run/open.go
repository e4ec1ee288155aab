package run

import (
	"context"
	"fmt"

	"eyebolt/camera"
	"eyebolt/hub"
	"eyebolt/liveness"
	"eyebolt/lock"
	"eyebolt/record"
)

// open opens recorders, locks and cameras. Reports and pictures that come before the loop runs wait in the queue.
func (h *Hub) open(ctx context.Context) error {
	now, push := h.cfg.Now, h.queue.push
	push(hub.Boot{})
	for _, d := range h.cfg.Doors {
		l := newLane(d.Name, now, push, h.cfg.Watching, h.cfg.Log)
		lc := d.LockCfg
		lc.Now, lc.Log = now, h.cfg.Log
		if lc.Name == "" {
			lc.Name = d.Name
		}
		name := d.Name
		says := &saying{log: h.cfg.Log, now: now}
		lk, err := d.Lock(ctx, lc, func(r lock.Report) {
			push(hub.Reported{Door: name, Report: r})
			says.lock(name, r)
		})
		if err != nil {
			return fmt.Errorf("door %q: lock: %w", d.Name, err)
		}
		l.lock = lk
		h.locks = append(h.locks, lk)
		h.lanes[d.Name] = l
	}
	for _, d := range h.cfg.Doors {
		for i, c := range d.Cameras {
			if err := h.openCamera(ctx, d, c, i == 0); err != nil {
				return fmt.Errorf("door %q: camera %q: %w", d.Name, c.Name, err)
			}
		}
	}
	return nil
}

func (h *Hub) openCamera(ctx context.Context, d Door, c Camera, shown bool) error {
	e := &eye{door: d.Name, name: c.Name, now: h.cfg.Now, push: h.queue.push, note: h.cfg.Watching, log: h.cfg.Log, says: &saying{log: h.cfg.Log, now: h.cfg.Now}, judge: liveness.New(c.Judge)}
	e.later, e.remind = h.queue.later, h.remind
	e.link, e.needLink, e.wall = liveness.NewLink(c.Wired), c.NeedLink, h.cfg.Wall
	e.kept, e.learned = keptAt(h.cfg.Dir, d.Name, c.Name), c.Learned
	if !c.NoDoor {
		e.sees = liveness.NewDoor(c.Door)
	}
	if c.Prints != nil {
		e.prints = newDarkroom(c.Prints, e.found)
	}
	if shown && h.cfg.Live != nil && c.Second == nil {
		e.live = h.cfg.Live
	}
	if shown && h.cfg.Live != nil && c.Second != nil {
		age := c.Judge
		age.Replay = 1 // its judge only counts the age: it need not remember
		e.second = &second{door: d.Name, name: c.Name, live: h.cfg.Live, now: h.cfg.Now, says: &saying{log: h.cfg.Log, now: h.cfg.Now}, judge: liveness.New(age)}
	}
	rec, err := c.Recorder(e.confirm)
	if err != nil {
		return err
	}
	e.rec, e.refill = rec, c.Refill
	h.eyes = append(h.eyes, e)
	for _, make := range c.Beside {
		w, err := make(Hears{Found: e.found, Still: e.still})
		if err != nil {
			return err
		}
		e.beside = append(e.beside, w)
	}
	e.recall()
	for _, k := range rec.Orphans() {
		h.queue.push(hub.Filed{Door: d.Name, Camera: c.Name, Visit: k.Visit, Clip: k})
	}
	for _, k := range rec.Gone() {
		h.queue.push(hub.Removed{Door: d.Name, Camera: c.Name, Clip: k})
	}
	cc := c.Config
	cc.Now, cc.Log = h.cfg.Now, h.cfg.Log
	if cc.Name == "" {
		cc.Name = d.Name + "/" + c.Name
	}
	cam, err := c.Open(ctx, cc, e)
	if err != nil {
		return err
	}
	h.cameras = append(h.cameras, cam)
	if k := c.Challenge; k != nil {
		if e.asker = k.By; e.asker == nil {
			e.asker, _ = cam.(camera.Asker)
		}
	}
	if e.second == nil {
		return nil
	}
	sc := *c.Second
	sc.Now, sc.Log = h.cfg.Now, h.cfg.Log
	if sc.Name == "" {
		sc.Name = cc.Name + "/live"
	}
	if cam, err = c.Open(ctx, sc, e.second); err != nil {
		return fmt.Errorf("second stream: %w", err)
	}
	h.cameras, h.seconds = append(h.cameras, cam), append(h.seconds, e.second)
	return nil
}

// filed passes the end of a clip on.
func (e *eye) filed(visit string) func(record.Clip, error) {
	return func(k record.Clip, err error) {
		e.push(hub.Filed{Door: e.door, Camera: e.name, Visit: visit, Clip: k, Err: err})
	}
}
