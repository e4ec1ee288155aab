package control

import (
	"context"
	"crypto/ed25519"
	"encoding/base32"
	"errors"
	"slices"
	"time"

	"eyebolt/grant"
	"eyebolt/ledger"
)

// The methods of this file set homes up: first runs and demos call them, and the API for operators who may.

// Setup is the account that a first run and a demo act as. It cannot sign in.
func Setup(carrier string) Account {
	return Account{ID: "setup", Name: "Set-up", Role: Operator, Carrier: carrier, Admin: true}
}

func (s *Service) newCarrier(tx Tx, now time.Time, name string) (Carrier, error) {
	if !textOK(name, 100) {
		return Carrier{}, invalid("Give the carrier a name of at most 100 bytes.")
	}
	id, err := s.newID("car")
	if err != nil {
		return Carrier{}, err
	}
	seed, err := s.bytes(ed25519.SeedSize)
	if err != nil {
		return Carrier{}, err
	}
	c := Carrier{ID: id, Name: name, Seed: seed, Key: ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey), Created: now}
	return c, put(tx, c)
}

// CreateCarrier makes a carrier and its signing key, and an invitation for its first operator.
func (s *Service) CreateCarrier(ctx context.Context, now time.Time, who Account, name string) (c Carrier, code string, err error) {
	if err := who.admin(); err != nil {
		return Carrier{}, "", err
	}
	err = s.store.Write(ctx, func(tx Tx) error {
		if c, err = s.newCarrier(tx, now, name); err != nil {
			return err
		}
		code, err = s.invite(tx, now, Invite{Role: Operator, Carrier: c.ID})
		return err
	})
	return c, code, err
}

// CreateHousehold makes a household, and an invitation for its first resident.
func (s *Service) CreateHousehold(ctx context.Context, now time.Time, who Account, h Household) (_ Household, code string, err error) {
	if err := who.admin(); err != nil {
		return Household{}, "", err
	}
	if h.Zone == "" {
		h.Zone = "UTC"
	}
	if _, err := time.LoadLocation(h.Zone); err != nil || h.Zone == "Local" {
		return Household{}, "", invalid("The zone must be an IANA name such as Europe/Vienna.")
	}
	if !textOK(h.Name, 100) || !textOK(h.Address, 300) {
		return Household{}, "", invalid("Give the household a name of at most 100 bytes and an address of at most 300.")
	}
	if h.ID != "" && !nameOK(h.ID) {
		return Household{}, "", invalid("A household's ID is 1 to 64 of a-z, 0-9 and -; leave it out to have one made.")
	}
	if h.SilenceS < 0 || h.SilenceS > 24*3600 {
		return Household{}, "", invalid("The hub's silence outside visits is 0 (default) to 86400 seconds.")
	}
	err = s.store.Write(ctx, func(tx Tx) error {
		if h.ID == "" {
			if h.ID, err = s.newID("hh"); err != nil {
				return err
			}
		} else if _, err := tx.Get(TableHouseholds, h.ID); !errors.Is(err, ErrNotFound) {
			return refuse(Conflict, "household-exists", "There is a household of this name already. Give this one another.")
		}
		h.Carrier, h.Created = who.Carrier, now
		if err := put(tx, h); err != nil {
			return err
		}
		code, err = s.invite(tx, now, Invite{Role: Resident, Household: h.ID, First: true})
		return err
	})
	return h, code, err
}

// nkeyPublic reads the Ed25519 key in a public user nkey: base32 of a prefix byte, the key and a CRC-16 (XMODEM, little-endian).
func nkeyPublic(nkey string) ([]byte, bool) {
	b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(nkey)
	if err != nil || len(b) != 1+ed25519.PublicKeySize+2 || b[0] != 20<<3 {
		return nil, false
	}
	n := len(b) - 2
	var crc uint16
	for _, c := range b[:n] {
		crc ^= uint16(c) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return b[1:n], uint16(b[n])|uint16(b[n+1])<<8 == crc
}

// CreateHub makes a hub known: its name, household, public nkey and ledger key; a live key only if it is another than the
// nkey's. The bus lets it in from now on.
func (s *Service) CreateHub(ctx context.Context, now time.Time, who Account, h Hub) (Hub, error) {
	if err := who.admin(); err != nil {
		return Hub{}, err
	}
	if !nameOK(h.ID) {
		return Hub{}, invalid("A hub's name is 1 to 64 of a-z, 0-9 and -.")
	}
	key, ok := nkeyPublic(h.Nkey)
	if !ok {
		return Hub{}, invalid("The hub's bus key is a public nkey of 56 letters that begins with U: copy it as the hub prints it.")
	}
	if len(h.Key) == 0 {
		h.Key = key // a hub has one key for bus, record and live view
	}
	if len(h.Key) != ed25519.PublicKeySize {
		return Hub{}, invalid("The hub's key is an Ed25519 public key of 32 bytes.")
	}
	if _, err := ledger.ParseKey(h.LedgerKey); err != nil {
		return Hub{}, invalid("The ledger key is not a verifier key (name+hash+base64): copy it from the hub's hub.pub.")
	}
	if h.Epoch == 0 {
		h.Epoch = 1
	}
	h = Hub{ID: h.ID, Household: h.Household, Nkey: h.Nkey, LedgerKey: h.LedgerKey, Key: h.Key, Epoch: h.Epoch, Created: now}
	s.mu.Lock()
	_, taken := s.byKey[h.Nkey]
	s.mu.Unlock()
	if taken {
		return Hub{}, refuse(Conflict, "hub-exists", "This key belongs to a hub already.")
	}
	err := s.store.Write(ctx, func(tx Tx) error {
		if _, err := get[Household](tx, h.Household); err != nil {
			return err
		}
		if _, err := tx.Get(TableHubs, h.ID); !errors.Is(err, ErrNotFound) {
			return refuse(Conflict, "hub-exists", "There is a hub of this name already. Give this one another.")
		}
		return put(tx, h)
	})
	if err != nil {
		return Hub{}, err
	}
	return h, s.store.Read(ctx, func(tx Tx) error { return s.adopt(tx, h, now) })
}

// CreateDoor makes a door of a hub known.
func (s *Service) CreateDoor(ctx context.Context, who Account, d Door) (Door, error) {
	if err := who.admin(); err != nil {
		return Door{}, err
	}
	if !nameOK(d.Name) {
		return Door{}, invalid("A door's name is 1 to 64 of a-z, 0-9 and -.")
	}
	if d.Title == "" {
		d.Title = d.Name
	}
	if !textOK(d.Title, 100) || d.Instructions != "" && !textOK(d.Instructions, 1000) {
		return Door{}, invalid("Give the door a title of at most 100 bytes and instructions of at most 1000.")
	}
	err := s.store.Write(ctx, func(tx Tx) error {
		h, err := get[Hub](tx, d.Hub)
		if err != nil {
			return err
		}
		doors, err := find[Door](tx, Query{Keys: Keys{Hub: d.Hub}})
		if err != nil {
			return err
		}
		if len(doors) >= maxDoors {
			return refuse(Conflict, "too-many-doors", "A hub has at most 64 doors.")
		}
		if slices.ContainsFunc(doors, func(o Door) bool { return o.Name == d.Name }) {
			return refuse(Conflict, "door-exists", "There is a door of this name already. Give this one another.")
		}
		d = Door{Hub: d.Hub, Name: d.Name, Household: h.Household, Title: d.Title, Instructions: d.Instructions, Place: d.Place}
		return put(tx, d)
	})
	if err != nil {
		return Door{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.hub(d.Hub); l != nil && l.door(d.Name) == nil {
		l.doors, l.counters = append(l.doors, &liveDoor{name: d.Name}), nil
	}
	return d, nil
}

// maxDoors is package hub's.
const maxDoors = 64

// PlaceOf makes a door's place.
func PlaceOf(lat, lon, metres float64) *grant.Place {
	return &grant.Place{Lat: lat, Lon: lon, Metres: metres}
}
