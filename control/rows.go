package control

// Each document's place in the store: its table, its name, and what it is found by.

func (v Household) row() (Table, Row) {
	return TableHouseholds, Row{ID: v.ID, Keys: Keys{Household: v.ID, Carrier: v.Carrier}, At: v.Created}
}

func (v Carrier) row() (Table, Row) {
	return TableCarriers, Row{ID: v.ID, Keys: Keys{Carrier: v.ID}, At: v.Created}
}

func (v Hub) row() (Table, Row) {
	return TableHubs, Row{ID: v.ID, Keys: Keys{Household: v.Household, Hub: v.ID}, At: v.Created}
}

func doorID(hub, door string) string { return hub + "/" + door }

func (v Door) row() (Table, Row) {
	return TableDoors, Row{ID: doorID(v.Hub, v.Name), Keys: Keys{Household: v.Household, Hub: v.Hub, Door: v.Name}}
}

func (v Account) row() (Table, Row) {
	return TableAccounts, Row{ID: v.ID, Keys: Keys{Household: v.Household, Carrier: v.Carrier, Courier: v.Courier, State: string(v.Role)}, At: v.Created}
}

func (v Passkey) row() (Table, Row) {
	return TablePasskeys, Row{ID: v.ID, Keys: Keys{Account: v.Account}, At: v.Created}
}

func (v Invite) row() (Table, Row) {
	return TableInvites, Row{ID: v.ID, Keys: Keys{Household: v.Household, Carrier: v.Carrier, Courier: v.Courier}, At: v.Until}
}

func (v Courier) row() (Table, Row) {
	return TableCouriers, Row{ID: v.ID, Keys: Keys{Carrier: v.Carrier, Courier: v.ID, Account: v.Account, State: v.Status}, At: v.Created}
}

func (v Consent) row() (Table, Row) {
	return TableConsents, Row{ID: v.ID, Keys: Keys{Household: v.Household, Hub: v.Hub, Door: v.Door, Carrier: v.Carrier, Account: v.Account}, At: v.Signed}
}

func (v Delivery) row() (Table, Row) {
	return TableDeliveries, Row{ID: v.ID, Keys: Keys{Household: v.Household, Hub: v.Hub, Door: v.Door, Carrier: v.Carrier, Courier: v.Courier, State: v.State}, At: v.From}
}

func (v Grant) row() (Table, Row) {
	return TableGrants, Row{ID: v.ID, Keys: Keys{Household: v.Household, Hub: v.Hub, Door: v.Door, Carrier: v.Carrier, Courier: v.Courier, State: v.State}, At: v.Issued}
}

func (v Order) row() (Table, Row) {
	return TableOrders, Row{ID: v.ID, Keys: Keys{Household: v.Household, Hub: v.Hub, Door: v.Ask.Door, State: v.State}, At: v.Created}
}

func (v Visit) row() (Table, Row) {
	return TableVisits, Row{ID: v.ID, Keys: Keys{Household: v.Household, Hub: v.Hub, Door: v.Door, Carrier: v.Carrier, Courier: v.Courier, State: v.Outcome}, At: v.Began}
}

// What an incident's or an alarm's State is in the store.
const (
	stateOpen   = "open"
	stateClosed = "closed"
	stateNotice = "notice"
)

func (v Incident) row() (Table, Row) {
	state := stateOpen
	if !v.Closed.IsZero() {
		state = stateClosed
	}
	return TableIncidents, Row{ID: v.ID, Keys: Keys{Household: v.Household, Hub: v.Hub, Door: v.Door, Carrier: v.Carrier, State: state}, At: v.Opened}
}

func (v StoredAlarm) row() (Table, Row) {
	state := stateOpen
	switch {
	case v.Notice:
		state = stateNotice
	case !v.AckedAt.IsZero():
		state = stateClosed
	}
	return TableAlarms, Row{ID: alarmID(v.Hub, v.ID), Keys: Keys{Household: v.Household, Hub: v.Hub, Door: v.Door, State: state}, At: v.At}
}

// alarmID keeps one hub's names apart from another's.
func alarmID(hub, id string) string { return hub + "/" + id }

func (v Session) row() (Table, Row) {
	return TableSessions, Row{ID: v.ID, At: v.Until}
}
