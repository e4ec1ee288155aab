package control

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"eyebolt/bus"
	"eyebolt/grant"
	"eyebolt/interlock"
)

// ConsentWish is what a resident would allow; zero fields mean: from now, for a year, every day, all day, in the household's
// zone.
type ConsentWish struct {
	Hub      string // "" if only one hub has a door of this name
	Door     string
	Carrier  string
	Until    time.Time
	Days     uint8
	StartMin uint16
	EndMin   uint16
}

// ConsentDraft is a document to be signed: the passkey signs Challenge.
type ConsentDraft struct {
	Document    []byte
	Challenge   []byte
	Credentials []Passkey // any one of them may sign
}

// DraftConsent makes the document that a resident's passkey signs. Nothing is stored yet.
func (s *Service) DraftConsent(ctx context.Context, now time.Time, who Account, w ConsentWish) (d ConsentDraft, err error) {
	if err := who.as(Resident); err != nil {
		return d, err
	}
	err = s.store.Read(ctx, func(tx Tx) error {
		door, err := doorOf(tx, who.Household, w.Hub, w.Door)
		if err != nil {
			return err
		}
		carrier, err := get[Carrier](tx, w.Carrier)
		if err != nil {
			return err
		}
		hub, err := get[Hub](tx, door.Hub)
		if err != nil {
			return err
		}
		house, err := get[Household](tx, who.Household)
		if err != nil {
			return err
		}
		id, err := s.newID("con")
		if err != nil {
			return err
		}
		if w.Until.IsZero() {
			w.Until = now.AddDate(1, 0, 0)
		}
		if w.Days == 0 {
			w.Days = 127
		}
		if w.EndMin == 0 {
			w.EndMin = 1440
		}
		// An hour back, so that a delivery of right now is covered even if its window has begun.
		d.Document, err = grant.MarshalConsent(grant.Consent{
			ID: id, Household: who.Household, Hub: door.Hub, Door: door.Name, Carrier: carrier.ID, CarrierKey: carrier.Key,
			From: now.Add(-time.Hour), Until: w.Until, Days: w.Days, StartMin: w.StartMin, EndMin: w.EndMin, Zone: house.Zone, Epoch: hub.Epoch,
		})
		if err != nil {
			return invalid("This consent could never allow anything: check its days, hours and dates.")
		}
		d.Challenge = grant.ConsentChallenge(d.Document)
		d.Credentials, err = find[Passkey](tx, Query{Keys: Keys{Account: who.ID}})
		return err
	})
	return d, err
}

// SignConsent takes a signed consent, checks it as the hub will, keeps it whole and sends it to the hub.
func (s *Service) SignConsent(ctx context.Context, now time.Time, who Account, document, credential []byte) (Consent, error) {
	if err := who.as(Resident); err != nil {
		return Consent{}, err
	}
	if len(credential) > MaxCredential {
		return Consent{}, invalid("The credential is too large.")
	}
	doc, err := grant.ParseConsent(document)
	if err != nil {
		return Consent{}, invalid("This is not a consent's document as it was given out. Fetch it again and sign that.")
	}
	var c Consent
	err = s.store.Write(ctx, func(tx Tx) error {
		door, err := own(tx, doorID(doc.Hub, doc.Door), func(d Door) bool { return d.Household == who.Household })
		if err != nil || doc.Household != who.Household {
			return orNotFound(err)
		}
		carrier, err := get[Carrier](tx, doc.Carrier)
		if err != nil {
			return err
		}
		hub, err := get[Hub](tx, door.Hub)
		if err != nil {
			return err
		}
		if string(carrier.Key) != string(doc.CarrierKey) || hub.Epoch != doc.Epoch {
			return invalid("The carrier's key or the hub has changed since this document was made. Fetch it again and sign that.")
		}
		if old, err := get[Consent](tx, doc.ID); err == nil {
			if old.Account == who.ID && string(old.Document) == string(document) {
				c = old
				return nil
			}
			return refuse(Conflict, "consent-exists", "There is a consent of this name already. Fetch a new document.")
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
		mine, err := find[Passkey](tx, Query{Keys: Keys{Account: who.ID}})
		if err != nil {
			return err
		}
		var keys []grant.Passkey
		for _, k := range mine {
			keys = append(keys, grant.Passkey{ID: k.Raw, Key: k.Key, Who: k.Account})
		}
		if _, err := grant.VerifyAssertion(s.rp, keys, grant.ConsentChallenge(document), credential); err != nil {
			return refuse(Forbidden, interlock.GrantForged.String(), "The passkey's signature does not fit this document. Fetch it again and sign it with the passkey you are signed in with.")
		}
		c = Consent{
			ID: doc.ID, Household: doc.Household, Hub: doc.Hub, Door: doc.Door, Carrier: doc.Carrier, Account: who.ID, Document: document,
			Assertion: credential, From: doc.From, Until: doc.Until, Signed: now,
		}
		if err := put(tx, c); err != nil {
			return err
		}
		signed, err := json.Marshal(grant.SignedConsent{Document: document, Assertion: credential})
		if err != nil {
			return err
		}
		o, err := s.order(now, c.Household, c.Hub, keepForever, bus.Ask{What: bus.AskConsent, Door: c.Door, By: who.ID, Grant: signed})
		if err != nil {
			return err
		}
		o.Key = "consent " + c.ID
		return s.keep(tx, &o)
	})
	if err != nil {
		return Consent{}, err
	}
	s.owed(c.Hub)
	return c, nil
}

// EndConsent takes a consent back: no grant of it opens any more, once the hub has heard.
func (s *Service) EndConsent(ctx context.Context, now time.Time, who Account, id string) error {
	if err := who.as(Resident); err != nil {
		return err
	}
	var events []event
	hub := ""
	err := s.store.Write(ctx, func(tx Tx) error {
		events = nil
		c, err := own(tx, id, func(c Consent) bool { return c.Household == who.Household })
		if err != nil {
			return err
		}
		hub, c.Until = c.Hub, minTime(c.Until, now)
		if err := put(tx, c); err != nil {
			return err
		}
		o, err := s.order(now, c.Household, c.Hub, keepForever, bus.Ask{What: bus.AskRevoke, Door: c.Door, By: who.ID, Revoked: []string{c.ID}})
		if err != nil {
			return err
		}
		o.Key = "consent " + c.ID
		if err := s.keep(tx, &o); err != nil {
			return err
		}
		ds, err := find[Delivery](tx, Query{Keys: Keys{Hub: c.Hub, Door: c.Door, Carrier: c.Carrier, State: DeliveryAssigned}})
		if err != nil {
			return err
		}
		for _, d := range ds {
			if _, err := s.consentFor(tx, now, d); err == nil {
				continue
			}
			if _, err := s.takeBack(tx, now, d.Grant); err != nil {
				return err
			}
			was := d.Courier
			d.State, d.Courier, d.CourierName, d.Grant, d.Reason = DeliveryBooked, "", "", "", interlock.NoConsent.String()
			if err := put(tx, d); err != nil {
				return err
			}
			events = append(events, d.event(was))
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.feed.add(events...)
	s.owed(hub)
	return nil
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
