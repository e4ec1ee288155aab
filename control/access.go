package control

// Who may do what is decided here and nowhere else. A role that may not do a thing at all is told so (403); whoever may, but
// not to this household's, this carrier's or this courier's, is told that there is no such thing (404): what exists elsewhere
// is nobody's business (T24).

// as refuses everybody but accounts of a role.
func (a Account) as(r Role) error {
	switch {
	case a.ID == "" || a.Role == "":
		return errNobody
	case a.Role != r:
		return errForbidden
	case r == Resident && a.Household == "", r == CourierRole && (a.Courier == "" || a.Carrier == ""), r == Operator && a.Carrier == "":
		return errForbidden
	}
	return nil
}

// admin refuses everybody but operators who set up this service.
func (a Account) admin() error {
	if err := a.as(Operator); err != nil {
		return err
	}
	if !a.Admin {
		return errForbidden
	}
	return nil
}

// speaksFor says whether an operator may invite who lives in a household: only whoever set it up, or the service, does.
func (a Account) speaksFor(h Household) bool {
	return a.Role == Operator && (h.Carrier == a.Carrier && a.Carrier != "" || a.Admin)
}

// own finds a document and hides it from whoever it does not belong to.
func own[T record](tx Tx, id string, theirs func(T) bool) (T, error) {
	v, err := get[T](tx, id)
	if err != nil {
		var none T
		return none, err
	}
	if !theirs(v) {
		var none T
		return none, ErrNotFound
	}
	return v, nil
}

func (a Account) door(tx Tx, hub, door string) (Door, error) {
	return own(tx, doorID(hub, door), func(d Door) bool { return d.Household == a.Household })
}

func (a Account) delivery(tx Tx, id string) (Delivery, error) {
	return own(tx, id, func(d Delivery) bool {
		switch a.Role {
		case Operator:
			return d.Carrier == a.Carrier
		case CourierRole:
			return d.Courier == a.Courier && d.Carrier == a.Carrier
		case Resident:
			return d.Household == a.Household
		}
		return false
	})
}

// serves says whether a carrier may know of a household: it set it up, or the household has consented to it at some time.
func serves(tx Tx, carrier string, h Household) (bool, error) {
	if h.Carrier == carrier {
		return true, nil
	}
	cs, err := find[Consent](tx, Query{Keys: Keys{Household: h.ID, Carrier: carrier}, Limit: 1})
	return len(cs) > 0, err
}
