package control_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/nats-io/nkeys"
	"golang.org/x/mod/sumdb/note"

	"eyebolt/bus"
	"eyebolt/control"
	"eyebolt/control/mem"
	"eyebolt/grant"
	"eyebolt/grant/granttest"
	"eyebolt/ledger"
)

var (
	quiet = slog.New(slog.NewTextHandler(io.Discard, nil))
	noon  = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) // a Monday
	rp    = grant.RP{ID: "localhost", Origins: []string{"http://localhost:8420"}}
)

// town is a service with two carriers and two households, each with a hub, everybody registered.
type town struct {
	t     testing.TB
	store control.Store
	s     *control.Service
	now   time.Time
	seq   uint64 // of beats
	a, b  side
}

// side is one carrier, one household and one hub; nothing of it is the other side's business.
type side struct {
	carrier   string
	household string
	hub       string
	operator  control.Account
	resident  control.Account
	courier   control.Account
	courierID string
	phone     *granttest.Passkey // the resident's
	bike      *granttest.Passkey // the courier's
	key       ed25519.PrivateKey // the hub's
	signer    note.Signer
}

func seeded(seed string) io.Reader { return rand.NewChaCha8(sha256.Sum256([]byte(seed))) }

func newTown(t testing.TB) *town {
	t.Helper()
	w := &town{t: t, store: mem.New(), now: noon}
	w.restart()
	ctx := context.Background()
	code, c, err := w.s.Bootstrap(ctx, w.now, "Swallow")
	if err != nil || code == "" {
		t.Fatalf("bootstrap: %q, %v", code, err)
	}
	root := w.register(code, "Olga", "olga")
	if again, _, err := w.s.Bootstrap(ctx, w.now, "Swallow"); err != nil || again != "" {
		t.Fatalf("a second bootstrap invited somebody: %q, %v", again, err)
	}
	w.a = w.side("a", root, root)
	w.a.carrier = c.ID
	other, code, err := w.s.CreateCarrier(ctx, w.now, root, "Raven")
	if err != nil {
		t.Fatal(err)
	}
	w.b = w.side("b", control.Setup(other.ID), w.register(code, "Otto", "otto"))
	w.b.carrier = other.ID
	return w
}

// restart makes the service anew over the same store.
func (w *town) restart() {
	w.t.Helper()
	s, err := control.New(context.Background(), w.now, control.Config{Store: w.store, Random: seeded("town" + w.now.String()), RP: rp, Log: quiet})
	if err != nil {
		w.t.Fatal(err)
	}
	w.s = s
}

func phoneOf(name string) *granttest.Passkey { return granttest.NewPasskey(name, name, rp) }

func (w *town) register(code, name, seed string) control.Account {
	w.t.Helper()
	id, err := w.s.NewAccountID()
	if err != nil {
		w.t.Fatal(err)
	}
	k := phoneOf(seed)
	a, err := w.s.Register(context.Background(), w.now, code, id, name, control.Passkey{
		ID: base64.RawURLEncoding.EncodeToString(k.Public.ID), Raw: k.Public.ID, Key: k.Public.Key, Record: []byte("{}"),
	})
	if err != nil {
		w.t.Fatalf("register %s: %v", name, err)
	}
	return a
}

// nkey is a public nkey.
func nkey(pub ed25519.PublicKey) string {
	b, err := nkeys.Encode(nkeys.PrefixByteUser, pub)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func (w *town) side(name string, setup, operator control.Account) side {
	w.t.Helper()
	ctx := context.Background()
	s := side{hub: "hub-" + name, operator: operator, phone: phoneOf("resident " + name), bike: phoneOf("courier " + name)}
	h, code, err := w.s.CreateHousehold(ctx, w.now, setup, control.Household{Name: "House " + name, Address: name + " Street 1"})
	if err != nil {
		w.t.Fatal(err)
	}
	s.household = h.ID
	s.resident = w.register(code, "Rosa "+name, "resident "+name)
	s.key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte(name), 32))
	pub := s.key.Public().(ed25519.PublicKey)
	text, err := ledger.KeyText("eyebolt/"+s.hub, pub)
	if err != nil {
		w.t.Fatal(err)
	}
	if s.signer, err = ledger.NewSigner("eyebolt/"+s.hub, s.key); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.s.CreateHub(ctx, w.now, setup, control.Hub{ID: s.hub, Household: h.ID, Nkey: nkey(pub), LedgerKey: text}); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.s.CreateDoor(ctx, setup, control.Door{Hub: s.hub, Name: "front", Title: "Front door"}); err != nil {
		w.t.Fatal(err)
	}
	c, code, err := w.s.AddCourier(ctx, w.now, operator, "Carlo "+name)
	if err != nil {
		w.t.Fatal(err)
	}
	s.courierID = c.ID
	s.courier = w.register(code, "whatever", "courier "+name)
	return s
}

// screen, consent and book make a side ready for a visit.
func (w *town) screen(s side) {
	w.t.Helper()
	if _, err := w.s.Screen(context.Background(), w.now, s.operator, s.courierID, control.ScreeningPassed, w.now.AddDate(0, 6, 0), "check 1"); err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) consent(s side, carrier string) control.Consent {
	w.t.Helper()
	d, err := w.s.DraftConsent(context.Background(), w.now, s.resident, control.ConsentWish{Door: "front", Carrier: carrier})
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := w.s.SignConsent(context.Background(), w.now, s.resident, d.Document, s.phone.Sign(d.Challenge))
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *town) booking(s side) control.Booking {
	return control.Booking{Household: s.household, Door: "front", From: w.now.Add(-time.Minute), Until: w.now.Add(time.Hour), Parcels: []string{"P1"}}
}

func (w *town) book(s side, assign bool) control.Delivery {
	w.t.Helper()
	b := w.booking(s)
	if assign {
		b.Courier = s.courierID
	}
	d, err := w.s.Book(context.Background(), w.now, s.operator, b)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// ready has a side screened, consented and a delivery assigned.
func (w *town) ready(s side) control.Delivery {
	w.screen(s)
	w.consent(s, s.carrier)
	return w.book(s, true)
}

// due are the orders that one hub is owed, by what they ask.
func (w *town) due(hub string) []control.Order {
	w.t.Helper()
	all, err := w.s.Due(context.Background(), w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []control.Order
	for _, o := range all {
		if o.Hub == hub {
			out = append(out, o)
		}
	}
	return out
}

func (w *town) beat(s side, visits ...string) bus.BeatReply {
	w.t.Helper()
	w.seq++
	r, later, err := w.s.Beat(w.now, s.hub, bus.Beat{Hub: s.hub, Nonce: []byte("0123456789abcdef"), Seq: w.seq, Visits: visits, Told: w.now})
	if err != nil {
		w.t.Fatal(err)
	}
	if later != nil {
		if err := later(context.Background()); err != nil {
			w.t.Fatal(err)
		}
	}
	return r
}

// reason is the word of a refusal; "" is none.
func reason(err error) string {
	if err == nil {
		return ""
	}
	return control.AsError(err).Reason
}

func wantReason(t testing.TB, what string, err error, want string) {
	t.Helper()
	if got := reason(err); got != want {
		t.Errorf("%s: got %q (%v), want %q", what, got, err, want)
	}
}

func isInternal(err error) bool {
	return err != nil && control.AsError(err).Class == control.Internal && !errors.Is(err, context.Canceled)
}
