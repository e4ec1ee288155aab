// Package control is the service's rules: who may do what, what was booked and granted, what the hubs told, what is owed
// to them, and who must hear of it. It authorises, schedules, watches the hubs and tells people; it can never open a door by
// itself: the hub checks every proof.
//
// It has no clock, no goroutine and no randomness of its own: the time and who is asking are handed to every method, and
// package control/run gives it hands. State that must last lies in a [Store]; what is only of this moment (views, when a hub
// was heard) is in memory and comes anew from the hubs.
//
// Where the private keys lie: a carrier's signing key is kept in this service's store, so a service that is taken over can
// issue grants for carriers that a household has consented to, within that consent's doors, days and hours (T16 is void
// to that extent). Residents' and couriers' passkeys are on their phones, hubs' keys on the hubs.
package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/time/rate"

	"eyebolt/grant"
	"eyebolt/ledger"
)

// Config is what a Service is made of.
type Config struct {
	Store  Store
	Random io.Reader // crypto/rand.Reader, or a seeded one in a simulator
	RP     grant.RP  // the relying party that passkeys are made for
	Log    *slog.Logger
	// Silence is how long a hub outside a visit may be silent where its household has not said otherwise; 0: 10 minutes.
	Silence time.Duration
}

// VisitSilence is how long a hub in a visit may be silent (S14): four beats of 2 Hz.
const VisitSilence = 2 * time.Second

// DefaultSilence is the limit outside visits.
const DefaultSilence = 10 * time.Minute

// Service is the rules at work. Its methods may be called from several goroutines. One Service at a time works on a Store:
// it keeps what the hubs must hear at once (block counters, cursors) in memory beside it.
type Service struct {
	store   Store
	rp      grant.RP
	log     *slog.Logger
	silence time.Duration
	feed    feed

	randomMu sync.Mutex
	random   io.Reader

	keysMu sync.Mutex
	keys   map[string]grant.Key // by their seeds

	mu    sync.Mutex
	hubs  []*liveHub // by ID
	byKey map[string]string
	turn  int           // which of the hubs that are away is looked at next for what it is owed
	wake  chan struct{} // an order came in; capacity 1
}

// liveHub is what this instance knows of a hub now. Service.mu guards it, but for the log's fields.
type liveHub struct {
	id        string
	household string
	limit     time.Duration // outside visits
	ever      bool          // was heard at least once in its life: one that never was is not missed
	heard     time.Time     // newest beat, or when its timer was restarted
	seen      time.Time     // newest beat that this or an earlier instance took
	kept      time.Time     // the seen that is in the store
	visits    []string
	pulse     pulse
	silent    bool // the alarm was raised
	spared    int  // how often in a row its timer was started anew for this instance's own lateness
	doors     []*liveDoor
	counters  map[string]uint64 // their blocks as beats are answered with them: given away, so never changed; nil: made anew
	cursor    uint64
	owed      uint64        // how often it was said that orders wait for it; 0: none do
	pace      *rate.Limiter // of what its views have written down

	logMu    sync.Mutex // held while a log message is taken
	verifier note.Verifier
	tree     ledger.Tree
	noteSize uint64
	noteRoot ledger.Hash
}

type liveDoor struct {
	name   string
	blocks uint64
	view   View
	shown  bool
	grant  Grant // that the newest views name, as far as it never changes
}

// New makes a Service over what the store holds. Every hub's timer starts anew at now (S14: an instance that has just taken
// over restarts its timers first).
func New(ctx context.Context, now time.Time, c Config) (*Service, error) {
	if c.Store == nil || c.Random == nil || c.Log == nil {
		return nil, errors.New("control: Config needs Store, Random and Log")
	}
	if c.RP.ID == "" || len(c.RP.Origins) == 0 {
		return nil, errors.New("control: Config needs RP: the name and origins that passkeys are made for")
	}
	s := &Service{store: knowing{c.Store, &known{}}, rp: c.RP, log: c.Log, silence: c.Silence, random: c.Random, keys: map[string]grant.Key{}, byKey: map[string]string{}, wake: make(chan struct{}, 1)}
	if s.silence <= 0 {
		s.silence = DefaultSilence
	}
	boot, err := s.newID("")
	if err != nil {
		return nil, err
	}
	s.feed.start(boot)
	err = s.store.Read(ctx, func(tx Tx) error {
		hubs, err := find[Hub](tx, Query{})
		if err != nil {
			return err
		}
		for _, h := range hubs {
			if err := s.adopt(tx, h, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("control: read the store: %w", err)
	}
	return s, nil
}

// adopt makes a stored hub known to this instance.
func (s *Service) adopt(tx Tx, h Hub, now time.Time) error {
	l := &liveHub{pace: rate.NewLimiter(viewWrites, viewBurst), id: h.ID, household: h.Household, heard: now, seen: h.Seen, kept: h.Seen, ever: !h.Seen.IsZero(), silent: !h.SilentSince.IsZero(), cursor: h.Cursor, limit: s.silence}
	if house, err := get[Household](tx, h.Household); err != nil {
		return err
	} else if house.SilenceS > 0 {
		l.limit = time.Duration(house.SilenceS) * time.Second
	}
	v, err := ledger.ParseKey(h.LedgerKey)
	if err != nil {
		return fmt.Errorf("hub %s: ledger key: %w", h.ID, err)
	}
	l.verifier = v
	if len(h.Tree) > 0 {
		if err := l.tree.UnmarshalBinary(h.Tree); err != nil {
			return fmt.Errorf("hub %s: %w", h.ID, err)
		}
	}
	if len(h.Note) > 0 {
		cp, err := ledger.Open(h.Note, v)
		if err != nil {
			return fmt.Errorf("hub %s: stored checkpoint: %w", h.ID, err)
		}
		l.noteSize, l.noteRoot = cp.Size, cp.Root
	}
	going, err := find[Visit](tx, Query{Keys: Keys{Hub: h.ID, State: OutcomeGoing}, Desc: true, Limit: maxGoing})
	if err != nil {
		return err
	}
	for _, v := range going {
		l.visits = append(l.visits, v.ID)
	}
	orders, err := find[Order](tx, Query{Keys: Keys{Hub: h.ID, State: OrderWaiting}, Limit: 1})
	if err != nil {
		return err
	}
	l.owed = uint64(len(orders))
	doors, err := find[Door](tx, Query{Keys: Keys{Hub: h.ID}})
	if err != nil {
		return err
	}
	for _, d := range doors {
		l.doors = append(l.doors, &liveDoor{name: d.Name, blocks: d.Blocks})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, _ := slices.BinarySearchFunc(s.hubs, h.ID, byID)
	s.hubs = slices.Insert(s.hubs, i, l)
	s.byKey[h.Nkey] = h.ID
	return nil
}

// What a hub's views may have written down, a second and at once: an honest hub's doors change phase a dozen times a visit, and a
// start shows 64 doors. All else that they show is on its way in the ledger, too, which has the last word (T20).
const viewWrites, viewBurst = 10, 256

// maxGoing bounds the visits of one hub that are going on: one a door (T30), and hubs have at most 64 doors.
const maxGoing = 64

func byID(l *liveHub, id string) int {
	switch {
	case l.id < id:
		return -1
	case l.id > id:
		return 1
	}
	return 0
}

// hub finds a live hub; the caller holds s.mu.
func (s *Service) hub(id string) *liveHub {
	if i, ok := slices.BinarySearchFunc(s.hubs, id, byID); ok {
		return s.hubs[i]
	}
	return nil
}

func (l *liveHub) door(name string) *liveDoor {
	for _, d := range l.doors {
		if d.name == name {
			return d
		}
	}
	return nil
}

// HubOf says which hub owns an nkey: for the bus's server.
func (s *Service) HubOf(nkey string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.byKey[nkey]
	return id, ok
}

// RP is the relying party that passkeys are made for.
func (s *Service) RP() grant.RP { return s.rp }
