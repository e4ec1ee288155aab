package sim

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nkeys"

	"eyebolt/bus"
	"eyebolt/control"
	"eyebolt/control/mem"
	"eyebolt/grant"
	"eyebolt/grant/granttest"
	"eyebolt/ledger"
)

var (
	base  = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) // a Monday
	rp    = grant.RP{ID: "localhost", Origins: []string{"http://localhost:8420"}}
	quiet = slog.New(slog.DiscardHandler)
)

// service is the shipped rules over a store in memory, with the times of control/run.
type service struct {
	t      *Town
	s      *control.Service
	store  *mem.Store
	up     bool
	skew   time.Duration // of its clock (T15)
	turned time.Duration // when it was last turned
	boots  int
	last   time.Duration // of its newest tick
	tries  map[string]*try
	root   control.Account
	other  control.Account // another carrier's operator (T24)
}

type try struct {
	busy  bool
	next  time.Duration
	pause time.Duration
}

// side is one household, its hub and its courier, and what each of them signs with.
type side struct {
	n         int
	hub       string
	household string
	resident  control.Account
	courier   control.Account
	courierID string
	phone     *granttest.Passkey
	bike      *granttest.Passkey
	key       ed25519.PrivateKey
}

func (s *service) now() time.Time { return base.Add(s.t.now + s.skew) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("sim: %v", err))
	}
	return v
}

func (t *Town) seeded(what string, n int) io.Reader {
	return rand.NewChaCha8(sha256.Sum256(fmt.Appendf(nil, "%d %s %d", t.sc.Seed, what, n)))
}

// start makes the service anew over its store, as another instance that takes over (S14).
func (s *service) start() {
	s.boots++
	s.s = must(control.New(bg, s.now(), control.Config{Store: s.store, Random: s.t.seeded("service", s.boots), RP: rp, Log: quiet}))
	s.up, s.tries, s.last = true, map[string]*try{}, s.t.now
	boot := s.boots
	var tick func()
	tick = func() {
		if s.boots == boot && s.up {
			s.tick()
			s.t.after(serviceTick, tick)
		}
	}
	tick()
	s.orders(boot)
}

const (
	serviceTick = 100 * time.Millisecond
	serviceLate = 500 * time.Millisecond
	lookEvery   = 500 * time.Millisecond
	askWait     = time.Second
)

func (s *service) tick() {
	late := s.t.now-s.last > serviceLate
	s.last = s.t.now
	_ = s.s.Tick(bg, s.now(), late) // in memory, nothing fails
	for _, h := range s.t.homes {
		h.outside.serviceTick(h)
		h.chronicle.silent(h)
	}
}

// orders sends what hubs are owed until they answer.
func (s *service) orders(boot int) {
	if s.boots != boot || !s.up {
		return
	}
	for _, o := range must(s.s.Due(bg, s.now())) {
		k := s.tries[o.ID]
		if k == nil {
			k = &try{}
			s.tries[o.ID] = k
		}
		if !k.busy && s.t.now >= k.next {
			k.busy = true
			s.once(o, k)
		}
	}
	s.t.after(lookEvery, func() { s.orders(boot) })
}

func (s *service) once(o control.Order, k *try) {
	h := s.t.home(o.Hub)
	over := false
	h.ask(o.Ask, func(r bus.AskReply) {
		if !s.up {
			return
		}
		if err := s.s.Answered(bg, s.now(), o, r); err != nil {
			s.t.broke(h, "T23", "the service could not take an answer to %s: %v", o.Ask.What, err)
		}
		over = true
		k.busy = false
	})
	s.t.after(askWait, func() {
		if over {
			return
		}
		k.busy = false
		k.pause = min(max(2*k.pause, 500*time.Millisecond), 10*time.Second)
		k.next = s.t.now + k.pause
	})
}

// do sends an order of somebody who waits, again and again for seven seconds.
func (s *service) do(o control.Order, done func(bus.AskReply)) {
	h, over := s.t.home(o.Hub), false
	end := s.t.now + 7*time.Second
	var again func()
	again = func() {
		if over {
			return
		}
		if s.t.now >= end || !s.up {
			over = true
			done(s.s.NoReply(o))
			return
		}
		h.ask(o.Ask, func(r bus.AskReply) {
			if over || !s.up {
				return
			}
			over = true
			if err := s.s.Answered(bg, s.now(), o, r); err != nil {
				s.t.broke(h, "T23", "the service could not take an answer to %s: %v", o.Ask.What, err)
			}
			done(r)
		})
		s.t.after(askWait+250*time.Millisecond, again)
	}
	again()
}

func (s *service) beat(h *home, b bus.Beat, boot int, sent time.Duration) (any, bool) {
	r, later, err := s.s.Beat(s.now(), h.side.hub, b)
	if err != nil {
		s.t.broke(h, "S14", "the service refuses a beat: %v", err)
		return nil, false
	}
	h.outside.heard(h, b, boot, sent)
	if later != nil {
		if err := later(bg); err != nil {
			s.t.broke(h, "S14", "after a beat: %v", err)
		}
	}
	return r, true
}

func (s *service) log(h *home, m bus.Log) (any, bool) {
	r, err := s.s.Log(bg, s.now(), h.side.hub, m)
	if err != nil {
		h.outside.logRefused(h, err)
		return nil, false
	}
	if len(m.Note) > 0 {
		h.disk.held = append(h.disk.held, m.Note)
	}
	return r, true
}

func (s *service) view(h *home, v bus.View) {
	if !s.up {
		return
	}
	if err := s.s.View(bg, s.now(), h.side.hub, v); err != nil {
		s.t.broke(h, "T23", "the service refuses a view: %v", err)
		return
	}
	h.tellHousehold(v)
}

func (s *service) alarm(h *home, a bus.Alarm) bool {
	if !s.up {
		return false
	}
	if err := s.s.Alarm(bg, s.now(), h.side.hub, a); err != nil {
		s.t.broke(h, "S16", "the service refuses an alarm: %v", err)
		return false
	}
	h.outside.told(h, a)
	h.chronicle.told(h, a)
	return true
}

func (s *service) register(code, name, seed string) control.Account {
	k := granttest.NewPasskey(fmt.Sprint(s.t.sc.Seed), seed, rp)
	return must(s.s.Register(bg, s.now(), code, must(s.s.NewAccountID()), name, control.Passkey{
		ID: base64.RawURLEncoding.EncodeToString(k.Public.ID), Raw: k.Public.ID, Key: k.Public.Key, Record: []byte("{}"),
	}))
}

// setUp registers everybody: one carrier that all homes let in, and one that none does.
func (s *service) setUp() {
	code, _, err := s.s.Bootstrap(bg, s.now(), "Swallow")
	must(code, err)
	s.root = s.register(code, "Olga", "olga")
	_, code, err = s.s.CreateCarrier(bg, s.now(), s.root, "Raven")
	s.other = s.register(must(code, err), "Otto", "otto")
	for i, h := range s.t.homes {
		h.side = s.side(i)
	}
	s.t.rogue = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{0xee}, 32))
}

func (s *service) side(n int) side {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(n), byte(s.t.sc.Seed)}, 16))
	k := side{n: n, hub: fmt.Sprintf("hub-%d", n+1), key: key}
	seed := fmt.Sprint(s.t.sc.Seed)
	who := fmt.Sprintf("%d", n+1)
	k.phone, k.bike = granttest.NewPasskey(seed, "resident "+who, rp), granttest.NewPasskey(seed, "courier "+who, rp)
	h, code, err := s.s.CreateHousehold(bg, s.now(), s.root, control.Household{Name: "House " + who, Address: "Street " + who})
	must(h, err)
	k.household = h.ID
	k.resident = s.register(code, "Rosa", "resident "+who)
	pub := key.Public().(ed25519.PublicKey)
	must(s.s.CreateHub(bg, s.now(), s.root, control.Hub{ID: k.hub, Household: h.ID, Nkey: string(must(nkeys.Encode(nkeys.PrefixByteUser, pub))), LedgerKey: must(ledger.KeyText("eyebolt/"+k.hub, pub))}))
	must(s.s.CreateDoor(bg, s.root, control.Door{Hub: k.hub, Name: doorName, Title: "Front door"}))
	c, code, err := s.s.AddCourier(bg, s.now(), s.root, "Carlo")
	must(c, err)
	k.courierID = c.ID
	k.courier = s.register(code, "Carlo", "courier "+who)
	must(s.s.Screen(bg, s.now(), s.root, c.ID, control.ScreeningPassed, s.now().AddDate(0, 6, 0), "check"))
	return k
}

// chainOf is the grant of a delivery, as it waits for the hub.
func (s *service) chainOf(d control.Delivery) []byte {
	for _, o := range must(s.s.Due(bg, s.now())) {
		if o.Ask.What == bus.AskGrant && o.Ask.GrantID == d.Grant {
			return o.Ask.Grant
		}
	}
	return nil
}

// consent has the resident allow the carrier to come, with the passkey on the phone.
func (s *service) consent(k *side) {
	d := must(s.s.DraftConsent(bg, s.now(), k.resident, control.ConsentWish{Door: doorName, Carrier: s.root.Carrier}))
	must(s.s.SignConsent(bg, s.now(), k.resident, d.Document, k.phone.Sign(d.Challenge)))
}
