package control

import (
	"time"

	"eyebolt/bus"
	"eyebolt/grant"
)

// The bus's own types are the API's, too.
type (
	View     = bus.View
	Check    = bus.Check
	Gap      = bus.Gap
	Alarm    = bus.Alarm
	AskReply = bus.AskReply
	Place    = bus.Place
)

// Role is what an account may do.
type Role string

const (
	Resident    Role = "resident"
	CourierRole Role = "courier"
	Operator    Role = "operator"
)

// Account is somebody who signs in. The zero Account may do nothing.
type Account struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Role      Role      `json:"role"`
	Household string    `json:"household,omitempty"` // residents
	Carrier   string    `json:"carrier,omitempty"`   // couriers and operators
	Courier   string    `json:"courier,omitempty"`   // couriers
	Admin     bool      `json:"admin,omitempty"`     // an operator who also sets up households, hubs and carriers
	Created   time.Time `json:"created"`
	SignedOut time.Time `json:"signed_out,omitzero"` // sessions that began before hold no more
}

// Household is whoever lives behind some doors.
type Household struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Address  string    `json:"address"`
	Zone     string    `json:"zone"`                // IANA name: whose midnight ends a day here
	Carrier  string    `json:"carrier,omitempty"`   // whose operator set it up; may book before there is a consent
	SilenceS int       `json:"silence_s,omitempty"` // how long its hubs may be silent outside visits, seconds; 0: the service's default
	Created  time.Time `json:"created"`
}

// Carrier delivers. Its signing key lies here.
type Carrier struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Seed    []byte    `json:"seed"` // Ed25519, 32 bytes, private
	Key     []byte    `json:"key"`  // public
	Created time.Time `json:"created"`
}

// Hub is a home's hub.
type Hub struct {
	ID          string    `json:"id"` // its name: [a-z0-9-], at most 64
	Household   string    `json:"household"`
	Nkey        string    `json:"nkey"`       // public, "U…": the bus lets it in by this
	LedgerKey   string    `json:"ledger_key"` // name+hash+base64 (C2SP signed-note)
	Key         []byte    `json:"key"`        // Ed25519 public key that signs live answers
	Epoch       uint32    `json:"epoch"`
	Paired      bool      `json:"paired"`
	Seen        time.Time `json:"seen,omitzero"`
	SilentSince time.Time `json:"silent_since,omitzero"`
	Cursor      uint64    `json:"cursor"`
	Tree        []byte    `json:"tree,omitempty"` // ledger.Tree at Cursor
	Note        []byte    `json:"note,omitempty"` // newest verified checkpoint
	Created     time.Time `json:"created"`
}

// Door is one door of a hub.
type Door struct {
	Hub          string       `json:"hub"`
	Name         string       `json:"name"`
	Household    string       `json:"household"`
	Title        string       `json:"title"` // as people call it
	Instructions string       `json:"instructions,omitempty"`
	Place        *grant.Place `json:"place,omitempty"`
	Blocks       uint64       `json:"blocks"`  // block and unblock orders taken (S1)
	Blocked      bool         `json:"blocked"` // what the newest of them said
}

// Passkey is a registered credential. Record is package api's, whole.
type Passkey struct {
	ID      string    `json:"id"` // credential ID, base64url
	Account string    `json:"account"`
	Raw     []byte    `json:"raw"`
	Key     []byte    `json:"key"` // COSE
	Record  []byte    `json:"record"`
	Created time.Time `json:"created"`
	Used    time.Time `json:"used"`
}

// Invite lets one person in, once. Its ID is the SHA-256 of the code, in hex: the code itself is kept nowhere.
type Invite struct {
	ID        string    `json:"id"`
	Role      Role      `json:"role"`
	Household string    `json:"household,omitempty"`
	Carrier   string    `json:"carrier,omitempty"`
	Courier   string    `json:"courier,omitempty"`
	Admin     bool      `json:"admin,omitempty"`
	First     bool      `json:"first,omitempty"` // holds only while nobody lives there yet
	By        Role      `json:"by,omitempty"`    // whose word it is; "" is the service's own set-up
	Created   time.Time `json:"created"`
	Until     time.Time `json:"until"`
	UsedBy    string    `json:"used_by,omitempty"`
}

// Screening is where a courier's background check stands.
const (
	ScreeningPending = "pending"
	ScreeningPassed  = "passed"
	ScreeningFailed  = "failed"
)

// Courier is a person who delivers for a carrier.
type Courier struct {
	ID        string    `json:"id"`
	Carrier   string    `json:"carrier"`
	Name      string    `json:"name"`
	Account   string    `json:"account,omitempty"` // once registered
	Status    string    `json:"status"`
	Until     time.Time `json:"until,omitzero"` // until when the screening holds
	Reference string    `json:"reference,omitempty"`
	Revoked   bool      `json:"revoked,omitempty"`
	Created   time.Time `json:"created"`
}

// Consent is a household's signed consent, whole.
type Consent struct {
	ID        string    `json:"id"`
	Household string    `json:"household"`
	Hub       string    `json:"hub"`
	Door      string    `json:"door"`
	Carrier   string    `json:"carrier"`
	Account   string    `json:"account"`
	Document  []byte    `json:"document"`
	Assertion []byte    `json:"assertion"`
	From      time.Time `json:"from"`
	Until     time.Time `json:"until"`
	Signed    time.Time `json:"signed"`
}

// What a delivery's State says.
const (
	DeliveryBooked    = "booked"
	DeliveryAssigned  = "assigned"
	DeliveryHere      = "here" // the courier is at the door
	DeliveryOpen      = "open" // the door is unlocked or open, or not yet proven secured
	DeliveryDone      = "done"
	DeliveryFailed    = "failed"
	DeliveryCancelled = "cancelled"
)

// Delivery is one stop at one door.
type Delivery struct {
	ID            string    `json:"id"`
	Household     string    `json:"household"`
	HouseholdName string    `json:"household_name"`
	Hub           string    `json:"hub"`
	Door          string    `json:"door"`
	Courier       string    `json:"courier,omitempty"`
	CourierName   string    `json:"courier_name,omitempty"`
	Carrier       string    `json:"carrier"`
	CarrierName   string    `json:"carrier_name"`
	From          time.Time `json:"from"`
	Until         time.Time `json:"until"`
	Parcels       []string  `json:"parcels"`
	Instructions  string    `json:"instructions"`
	State         string    `json:"state"`
	Reason        string    `json:"reason,omitempty"`
	Grant         string    `json:"grant,omitempty"` // the newest issued
	Visit         string    `json:"visit,omitempty"`
	Parcel        string    `json:"parcel,omitempty"` // scanned at the door
	Created       time.Time `json:"created"`
}

// Grant is a permission that was issued.
type Grant struct {
	ID        string    `json:"id"` // the name inside the permission
	Delivery  string    `json:"delivery"`
	Household string    `json:"household"`
	Hub       string    `json:"hub"`
	Door      string    `json:"door"`
	Carrier   string    `json:"carrier"`
	Courier   string    `json:"courier"`
	Chain     []byte    `json:"chain"`
	From      time.Time `json:"from"`
	Until     time.Time `json:"until"`
	Issued    time.Time `json:"issued"`
	State     string    `json:"state"`            // sent, taken, refused, revoked
	Reason    string    `json:"reason,omitempty"` // the hub's, if refused
}

// What a grant's State says.
const (
	GrantSent    = "sent"
	GrantTaken   = "taken"
	GrantRefused = "refused"
	GrantRevoked = "revoked"
)

// How a visit ended.
const (
	OutcomeGoing        = "going"
	OutcomeDone         = "done"
	OutcomeNotDelivered = "not-delivered"
	OutcomeIncident     = "incident"
)

// Visit is one use of a grant, as the hub's ledger tells it.
type Visit struct {
	ID          string    `json:"id"`
	Household   string    `json:"household"`
	Hub         string    `json:"hub"`
	Door        string    `json:"door"`
	Delivery    string    `json:"delivery"`
	Grant       string    `json:"grant"`
	Carrier     string    `json:"carrier"`
	Courier     string    `json:"courier"`
	CourierName string    `json:"courier_name"`
	Began       time.Time `json:"began"`
	Ended       time.Time `json:"ended,omitzero"`
	Outcome     string    `json:"outcome"`
	Reason      string    `json:"reason"`
	GapS        float64   `json:"gap_s"`
	Gaps        []Gap     `json:"gaps,omitempty"`
	Clip        *Clip     `json:"clip,omitempty"`
	First       uint64    `json:"first"` // ledger index of its first entry
	Logged      bool      `json:"logged"`
}

// Clip is what the record says of a visit's film: its files, by camera and then in order. A camera has more than one when it
// came back with other parameters, or when the hub began anew in the visit; what lies between two of its files was not filmed.
type Clip struct {
	Bytes   int64      `json:"bytes"`   // of all files
	Seconds float64    `json:"seconds"` // of all files
	Files   []ClipFile `json:"files"`
	// Backfilled is what was fetched from cameras' own storage afterwards, by camera and then in order: nobody watched it, it is no
	// part of the film, and no gap is shorter for it (S7). Its times are by the camera's clock.
	Backfilled []ClipFile `json:"backfilled,omitempty"`
}

// ClipFile is one file of a film.
type ClipFile struct {
	SHA256  string    `json:"sha256"`
	Bytes   int64     `json:"bytes"`
	Seconds float64   `json:"seconds"`
	Camera  string    `json:"camera"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
}

// Incident is a visit that lapsed, or a breach that the service itself saw. It is open until a resident closes it.
type Incident struct {
	ID        string    `json:"id"` // the visit's, or "ledger-<hub>"
	Household string    `json:"household"`
	Hub       string    `json:"hub"`
	Door      string    `json:"door,omitempty"`
	Carrier   string    `json:"carrier,omitempty"`
	Visit     string    `json:"visit,omitempty"`
	Reason    string    `json:"reason"`
	Text      string    `json:"text"`
	Gaps      []Gap     `json:"gaps,omitempty"`
	Total     float64   `json:"total_s"`
	Opened    time.Time `json:"opened"`
	Closed    time.Time `json:"closed,omitzero"`
	ClosedBy  string    `json:"closed_by,omitempty"`
}

// StoredAlarm is an alarm that the service has taken (S16).
type StoredAlarm struct {
	Alarm
	Household string    `json:"household"`
	Stored    time.Time `json:"stored"`
	AckedAt   time.Time `json:"acked_at,omitzero"`
	AckedBy   string    `json:"acked_by,omitempty"`
}

// Session is a signed-in browser's, as package api keeps it.
type Session struct {
	ID    string    `json:"id"`
	Data  []byte    `json:"data"`
	Until time.Time `json:"until"`
}
