package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"eyebolt/api"
	"eyebolt/control"
	"eyebolt/virtual"
	"eyebolt/virtual/home"
	"eyebolt/virtual/spy"
)

// faultHome is a town whose hub is a process of its own on a disk of its own, and what an outsider sees of it: the MQTT wire, the
// physical home, what the hub has answered people, and what it logs.
type faultHome struct {
	town  *town
	dir   string
	state string     // the hub's folder
	disk  *faultDisk // nil: the state lies on this machine's own disk
	door  *virtual.Watcher
	mine  *virtual.Watcher // the courier's
	wire  *spy.Spy
	stop  context.CancelFunc

	mu       sync.Mutex // guards what follows
	orders   []faultOrder
	events   []home.Event
	acks     []faultAck
	says     []faultLine // the hub's own log: warnings and errors
	ups      int         // times that the hub was up
	expected bool        // the hub's process is being ended by us
	died     string      // it ended by itself
	downs    []faultSpan // the hub was dead, or stood still
	grant    []byte      // that the service sent the hub last, if anybody listens
	grantID  string
}

// faultSpan is from one moment to another; to 0: it lasts.
type faultSpan struct{ from, to time.Duration }

// faultOrder is one message to the lock.
type faultOrder struct {
	at   time.Duration
	what string // LOCK, UNLOCK
}

// faultAck is one yes of the hub to somebody who asked.
type faultAck struct {
	at    time.Duration
	what  string
	visit string
}

// faultLine is one line of a run's story.
type faultLine struct {
	at        time.Duration
	who, text string
}

// faultLimits make a visit short.
var faultLimits = LimitConfig{Tail: time.Second, Out: 4 * time.Second, Enter: 8 * time.Second}

// newFaultHome starts one in dir. Change, which may be nil, changes its town before it starts.
func newFaultHome(ctx context.Context, dir string, disk bool, change func(*townConfig)) (_ *faultHome, err error) {
	ctx, stop := context.WithCancel(ctx)
	h := &faultHome{dir: dir, state: filepath.Join(dir, "state"), stop: stop, expected: true}
	defer func() {
		if err != nil {
			h.Close()
		}
	}()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if disk {
		if h.disk, err = newFaultDisk(ctx, dir); err != nil {
			return nil, err
		}
		h.state = filepath.Join(h.disk.at, "state")
	}
	cfg := townConfig{
		Dir: dir, State: h.state, Doors: 1, Child: true, Width: 320, Height: 240, Kbit: 300, Travel: 700 * time.Millisecond, Limits: faultLimits,
		Log: slog.New(slog.DiscardHandler), HomeEvents: h.happened, HubSays: h.logged,
		API: func(_ int, _ []string, o *api.Options) { o.Hubs = heardHubs{o.Hubs, h.answered} },
	}
	if change != nil {
		change(&cfg)
	}
	t, err := startTown(ctx, cfg)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	h.town = t
	h.mu.Unlock()
	if h.wire, err = spy.Start(ctx, h.town.house.broker.URL(), "zigbee2mqtt/front_lock/set", h.town.now, h.heard); err != nil {
		return nil, err
	}
	h.door = virtual.Watch(ctx, h.town.cast.Resident, hubID, doorName(0))
	h.mine = virtual.Watch(ctx, h.town.cast.Courier, hubID, doorName(0))
	h.guard()
	return h, nil
}

// Close ends everything.
func (h *faultHome) Close() {
	h.expect(true)
	if h.wire != nil {
		h.wire.Close()
	}
	if h.town != nil {
		h.town.Close()
	}
	h.stop()
	if h.disk != nil {
		if err := h.disk.unmount(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, "a disk stays mounted until this process ends:", err)
		}
	}
}

// heardHubs passes orders on, and tells of each answer.
type heardHubs struct {
	control.Hubs
	heard func(control.Order, control.AskReply)
}

func (k heardHubs) Do(ctx context.Context, o control.Order) (control.AskReply, error) {
	r, err := k.Hubs.Do(ctx, o)
	if err == nil {
		k.heard(o, r)
	}
	return r, err
}

func (h *faultHome) answered(o control.Order, r control.AskReply) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !r.OK || o.ID == "" || h.town == nil {
		return
	}
	h.acks = append(h.acks, faultAck{h.town.now(), o.Ask.What, or(r.Visit, o.Ask.Visit)})
}

func (h *faultHome) heard(m spy.Message) {
	var set struct{ State string }
	if json.Unmarshal([]byte(m.Payload), &set) != nil || set.State == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.orders = append(h.orders, faultOrder{m.At, set.State})
}

func (h *faultHome) happened(e home.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

func (h *faultHome) logged(line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if strings.Contains(line, `msg="hub is up"`) {
		h.ups++
	}
	if !strings.Contains(line, "level=INFO") && h.town != nil {
		_, text, _ := strings.Cut(line, "level=")
		h.says = append(h.says, faultLine{h.town.now(), "hub", or(text, line)})
	}
}

func (h *faultHome) process() *hubChild {
	h.town.house.mu.Lock()
	defer h.town.house.mu.Unlock()
	return h.town.house.child
}

func (h *faultHome) pid() int { return h.process().cmd.Process.Pid }

func (h *faultHome) expect(end bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.expected = end
}

// guard notices if the hub ends by itself.
func (h *faultHome) guard() {
	h.expect(false)
	child := h.process()
	go func() {
		<-child.done
		h.mu.Lock()
		defer h.mu.Unlock()
		h.downs = append(h.downs, faultSpan{from: h.town.now()})
		if !h.expected {
			h.died = child.cmd.ProcessState.String()
		}
	}()
}

// kill ends the hub without a goodbye.
func (h *faultHome) kill() {
	h.expect(true)
	h.process().kill()
}

// errRefused is a hub that starts, says why it does not go on, and ends.
var errRefused = errors.New("the hub refuses to start")

// start starts the hub again and waits until it is up.
func (h *faultHome) start(ctx context.Context) error {
	h.expect(true)
	h.mu.Lock()
	ups := h.ups
	h.mu.Unlock()
	if err := h.town.house.startChild(ctx, nil); err != nil {
		return err
	}
	child := h.process()
	err := waitFor(ctx, 30*time.Second, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		select {
		case <-child.done:
			return true
		default:
			return h.ups > ups
		}
	})
	if err != nil {
		return fmt.Errorf("the hub is not up 30 s after it was started: %w", err)
	}
	select {
	case <-child.done:
		h.mu.Lock()
		defer h.mu.Unlock()
		last := ""
		if n := len(h.says); n > 0 {
			last = h.says[n-1].text
		}
		return fmt.Errorf("%w: %s", errRefused, last)
	default:
	}
	h.up()
	h.guard()
	return nil
}

// up ends the time in which the hub was gone.
func (h *faultHome) up() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.downs); n > 0 && h.downs[n-1].to == 0 {
		h.downs[n-1].to = h.town.now()
	}
}

func (h *faultHome) truth() home.Truth { return h.town.house.homes[0].Truth() }

func (h *faultHome) now() time.Duration { return h.town.now() }

// lateSince is by how much the hub's own clockwork came late at most since then, as its log says (S6).
func (h *faultHome) lateSince(from time.Duration) (most time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.says {
		if _, by, ok := strings.Cut(l.text, `clockwork came late" by=`); ok && l.at >= from {
			if d, err := time.ParseDuration(strings.TrimSpace(by)); err == nil {
				most = max(most, d)
			}
		}
	}
	return most
}
