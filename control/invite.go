package control

import (
	"context"
	"time"
)

// inviteHolds is how long an invitation holds: long enough to reach somebody by post.
const inviteHolds = 14 * 24 * time.Hour

func (s *Service) invite(tx Tx, now time.Time, i Invite) (string, error) {
	code, err := s.newCode()
	if err != nil {
		return "", err
	}
	i.ID, i.Created, i.Until = codeID(code), now, now.Add(inviteHolds)
	return code, put(tx, i)
}

// Bootstrap makes a first carrier and an invitation for the operator who sets this service up, if nobody is there yet. The code
// belongs on the operator's own screen. code is "" if there are accounts already.
func (s *Service) Bootstrap(ctx context.Context, now time.Time, carrier string) (code string, c Carrier, err error) {
	err = s.store.Write(ctx, func(tx Tx) error {
		code = ""
		accounts, err := find[Account](tx, Query{Limit: 1})
		if err != nil || len(accounts) > 0 {
			return err
		}
		carriers, err := find[Carrier](tx, Query{Limit: 1})
		if err != nil {
			return err
		}
		if len(carriers) > 0 {
			c = carriers[0]
		} else if c, err = s.newCarrier(tx, now, carrier); err != nil {
			return err
		}
		code, err = s.invite(tx, now, Invite{Role: Operator, Carrier: c.ID, Admin: true})
		return err
	})
	return code, c, err
}

// Invite makes an invitation: for the first resident of a household, or for another operator of the same carrier. Whoever lives
// in a household sees inside it (S17), so once somebody does, residents invite each other and no carrier invites itself in; only
// who runs this service may, for residents who lost their phones, and the household is alarmed of it.
func (s *Service) Invite(ctx context.Context, now time.Time, who Account, role Role, household string) (code string, err error) {
	if err := who.as(Operator); err != nil {
		return "", err
	}
	i := Invite{Role: role, By: Operator}
	switch role {
	case Resident:
		i.Household = household
	case Operator:
		i.Carrier = who.Carrier
	default:
		return "", invalid("An invitation is for a resident or an operator; couriers get theirs when they are added.")
	}
	err = s.store.Write(ctx, func(tx Tx) error {
		if role == Resident {
			h, err := get[Household](tx, household)
			if err != nil {
				return err
			}
			if !who.speaksFor(h) {
				return ErrNotFound
			}
			if !who.Admin {
				if lived, err := livedIn(tx, household); err != nil || lived {
					return orRefuse(err, errLivedIn)
				}
				i.First = true
			}
		}
		code, err = s.invite(tx, now, i)
		return err
	})
	return code, err
}

// InviteResident makes an invitation for one more resident of a resident's own household.
func (s *Service) InviteResident(ctx context.Context, now time.Time, who Account) (code string, err error) {
	if err := who.as(Resident); err != nil {
		return "", err
	}
	err = s.store.Write(ctx, func(tx Tx) error {
		code, err = s.invite(tx, now, Invite{Role: Resident, Household: who.Household, By: Resident})
		return err
	})
	return code, err
}

// livedIn says whether a household has a resident.
func livedIn(tx Tx, household string) (bool, error) {
	all, err := find[Account](tx, Query{Keys: Keys{Household: household, State: string(Resident)}, Limit: 1})
	return len(all) > 0, err
}

// orRefuse is err, or no if there is none.
func orRefuse(err, no error) error {
	if err != nil {
		return err
	}
	return no
}

// Invited looks at an invitation, without using it.
func (s *Service) Invited(ctx context.Context, now time.Time, code string) (Invite, error) {
	i, err := one[Invite](ctx, s, codeID(code))
	if err != nil || i.UsedBy != "" || now.After(i.Until) {
		return Invite{}, errInvite
	}
	return i, nil
}

// NewAccountID makes the name of an account that is about to register: the passkey holds it as its user handle.
func (s *Service) NewAccountID() (string, error) { return s.newID("acc") }

// Register makes an account of an invitation and its first passkey. The passkey was verified by the caller.
func (s *Service) Register(ctx context.Context, now time.Time, code, account, name string, k Passkey) (Account, error) {
	if !textOK(name, 100) {
		return Account{}, invalid("Give a name of at most 100 bytes.")
	}
	var a Account
	var events []event
	err := s.store.Write(ctx, func(tx Tx) error {
		i, err := get[Invite](tx, codeID(code))
		if err != nil || i.UsedBy != "" || now.After(i.Until) {
			return errInvite
		}
		if _, err := tx.Get(TablePasskeys, k.ID); err == nil {
			return refuse(Conflict, "passkey-known", "This passkey belongs to an account already. Sign in with it.")
		}
		events = nil
		if i.Role == Resident {
			lived, err := livedIn(tx, i.Household)
			if err != nil {
				return err
			}
			if lived && i.First {
				return errInvite
			}
			if lived {
				if events, err = s.movedIn(tx, now, i, name); err != nil {
					return err
				}
			}
		}
		a = Account{ID: account, Name: name, Role: i.Role, Household: i.Household, Carrier: i.Carrier, Courier: i.Courier, Admin: i.Admin, Created: now}
		if i.Courier != "" {
			c, err := get[Courier](tx, i.Courier)
			if err != nil || c.Revoked || c.Account != "" {
				return errInvite
			}
			c.Account = account
			a.Name = c.Name // the name that residents see is the carrier's word, not the courier's
			if err := put(tx, c); err != nil {
				return err
			}
		}
		i.UsedBy = account
		k.Account, k.Created, k.Used = account, now, now
		if err := put(tx, i); err != nil {
			return err
		}
		if err := put(tx, k); err != nil {
			return err
		}
		return put(tx, a)
	})
	if err != nil {
		return Account{}, err
	}
	s.feed.add(events...)
	return a, nil
}

// movedIn tells a household that one more person sees inside it (S17): a notice if a resident asked for it, else an alarm that
// stands until somebody has read it.
func (s *Service) movedIn(tx Tx, now time.Time, i Invite, name string) ([]event, error) {
	hubs, err := find[Hub](tx, Query{Keys: Keys{Household: i.Household}, Limit: 1})
	if err != nil || len(hubs) == 0 { // there is nothing to see yet
		return nil, err
	}
	text := name + " now belongs to this household: sees its doors, visits and live picture, and may block and unblock."
	if i.By != Resident {
		text += " The invitation came from whoever runs the service, not from one of you. If you do not know this person, block the door and call them."
	}
	return s.raise(tx, now, hubs[0], "", "", "resident-added", text, i.By == Resident)
}

// Account finds one by its ID; one whose courier was revoked is nobody.
func (s *Service) Account(ctx context.Context, id string) (Account, error) {
	var a Account
	err := s.store.Read(ctx, func(tx Tx) (err error) {
		if a, err = get[Account](tx, id); err != nil {
			return err
		}
		if a.Role == CourierRole {
			c, err := get[Courier](tx, a.Courier)
			if err != nil || c.Revoked {
				return errNobody
			}
		}
		return nil
	})
	if err != nil {
		return Account{}, err
	}
	return a, nil
}

// SignOutEverywhere ends every session of an account that has begun by now: a phone that was lost is worth nothing more (T13).
func (s *Service) SignOutEverywhere(ctx context.Context, now time.Time, who Account) error {
	if who.ID == "" {
		return errNobody
	}
	return s.store.Write(ctx, func(tx Tx) error {
		a, err := get[Account](tx, who.ID)
		if err != nil {
			return err
		}
		a.SignedOut = now.UTC()
		return put(tx, a)
	})
}

// PasskeysOf gives an account's passkeys.
func (s *Service) PasskeysOf(ctx context.Context, account string) (ks []Passkey, err error) {
	err = s.store.Read(ctx, func(tx Tx) error {
		ks, err = find[Passkey](tx, Query{Keys: Keys{Account: account}})
		return err
	})
	return ks, err
}

// UsedPasskey keeps what a sign-in changed about a passkey.
func (s *Service) UsedPasskey(ctx context.Context, now time.Time, id string, record []byte) error {
	return s.store.Write(ctx, func(tx Tx) error {
		k, err := get[Passkey](tx, id)
		if err != nil {
			return err
		}
		k.Record, k.Used = record, now
		return put(tx, k)
	})
}

// Session finds a browser's session; one whose time is over is not there.
func (s *Service) Session(ctx context.Context, now time.Time, id string) (Session, error) {
	v, err := one[Session](ctx, s, id)
	if err != nil || !now.Before(v.Until) {
		return Session{}, ErrNotFound
	}
	return v, nil
}

// KeepSession stores one.
func (s *Service) KeepSession(ctx context.Context, v Session) error {
	return s.store.Write(ctx, func(tx Tx) error { return put(tx, v) })
}

// EndSession removes one.
func (s *Service) EndSession(ctx context.Context, id string) error {
	return s.store.Write(ctx, func(tx Tx) error { return tx.Delete(TableSessions, id) })
}

// Sweep removes what nobody needs any more: sessions and invitations whose time is over, and answered orders of last month.
// Call it now and then.
func (s *Service) Sweep(ctx context.Context, now time.Time) error {
	return s.store.Write(ctx, func(tx Tx) error {
		if _, err := tx.Prune(TableSessions, now, sweepAtOnce); err != nil {
			return err
		}
		if _, err := tx.Prune(TableInvites, now.Add(-inviteHolds), sweepAtOnce); err != nil {
			return err
		}
		old, err := find[Order](tx, Query{Until: now.Add(-30 * 24 * time.Hour), Limit: sweepAtOnce})
		if err != nil {
			return err
		}
		for _, o := range old {
			if o.State == OrderWaiting {
				continue
			}
			if err := tx.Delete(TableOrders, o.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// sweepAtOnce bounds how long a sweep keeps others from writing.
const sweepAtOnce = 1000
