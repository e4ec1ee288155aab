// Package bus is how hub and service speak: subjects, envelopes and messages. Sub-folders carry them.
// Delivery is at most once; whoever needs more asks again: the hub re-sends its ledger from the cursor that the service
// acknowledged, the service re-sends orders until they are answered, and every order carries an ID that the hub
// takes once (T23).
package bus

import (
	"context"
	"errors"
	"time"
)

// Conn is one end of the bus. Methods may be called from several goroutines.
type Conn interface {
	Publish(ctx context.Context, subject string, body []byte) error
	// Request waits for one answer until the context ends.
	Request(ctx context.Context, subject string, body []byte) ([]byte, error)
	// Subscribe calls h for each message, one at a time per subscription, in order; reply is nil if nobody waits.
	// A subject may end in ".>" or hold "*".
	Subscribe(subject string, h func(m Message)) (cancel func(), err error)
	// Connected says whether messages can leave now.
	Connected() bool
	Close() error
}

// Message is what arrives.
type Message struct {
	Subject string
	Body    []byte
	Reply   func([]byte) error // nil if nobody waits
}

var (
	ErrDisconnected = errors.New("bus: not connected; it reconnects by itself")
	ErrNoAnswer     = errors.New("bus: nobody answered in time")
	ErrTooLarge     = errors.New("bus: message larger than 1 MiB")
)

// MaxBody is the largest message, in bytes.
const MaxBody = 1 << 20

// Subjects. A hub may only use those under hub.<its id>.; the service checks by the connection's key.
//
//	hub.<id>.beat    hub → service, Request: Beat → BeatReply. 2 Hz in a visit, else 0.2 Hz
//	hub.<id>.log     hub → service, Request: Log → LogReply. Ledger entries from the cursor, and a checkpoint
//	hub.<id>.view    hub → service, Publish: View, on every change and at least every 5 s
//	hub.<id>.alarm   hub → service, Request: Alarm → empty. Repeated until answered
//	hub.<id>.ask     service → hub, Request: Ask → AskReply
//	hub.<id>.live    service → hub, Request: live.Offer → live.Answer
func Subject(hub, what string) string { return "hub." + hub + "." + what }

// Beat proves that the hub lives and asks for proof that the service does.
type Beat struct {
	Hub    string   `json:"hub"`
	Nonce  []byte   `json:"nonce"` // 16 random bytes
	Seq    uint64   `json:"seq"`
	Visits []string `json:"visits,omitempty"` // visits going on: the dead man's switch is at 2 s while there is one (S14)

	// Told is the Time of the newest BeatReply that the hub has had since its start; zero if none. By it the service knows that the
	// beat was sent just now, and is not one of minutes ago that comes late (T23).
	Told time.Time `json:"told,omitzero"`
}

// BeatReply answers a beat.
type BeatReply struct {
	Nonce  []byte            `json:"nonce"`
	Blocks map[string]uint64 `json:"blocks"` // per door: how many block and unblock orders the service has taken (S1: "the current block counter")
	Time   time.Time         `json:"time"`   // the service's clock, UTC: authenticates the hub's (T15)
	Cursor uint64            `json:"cursor"` // ledger entries that the service holds
}

// Log carries ledger entries; Note is the signed checkpoint that covers them.
type Log struct {
	From    uint64   `json:"from"`
	Entries [][]byte `json:"entries"` // each is ledger.Entry's leaf encoding
	Note    []byte   `json:"note,omitempty"`
}

// LogReply acknowledges.
type LogReply struct {
	Cursor uint64 `json:"cursor"`
}

// What an Ask asks. Every word names who may send it; the service checks the sender, the hub checks the proof.
const (
	AskGrant   = "grant"   // service: here is a grant for a coming visit (Grant); the hub checks and keeps it
	AskArrive  = "arrive"  // courier: at the door (Grant ID, Parcel, Place)
	AskSlide   = "slide"   // courier: passkey assertion over the newest nonce (Assertion)
	AskOut     = "out"     // courier: I am out (Assertion over "out" challenge; see SlideChallenge)
	AskCannot  = "cannot"  // courier: cannot deliver (Text)
	AskBlock   = "block"   // resident
	AskUnblock = "unblock" // resident
	AskLock    = "lock"    // resident: lock now
	AskLeave   = "leave"   // resident: leave now
	AskAck     = "ack"     // resident: alarm acknowledged
	AskClose   = "close"   // resident: incident read and closed (Visit)
	AskRevoke  = "revoke"  // service: grants in Revoked no longer hold
	AskHome    = "home"    // resident: home (On true) or away
	AskHold    = "hold"    // resident: condition Text ("pets", "alarm", "home") holds the door (On true) or not
	AskPair    = "pair"    // resident: my passkey (Pairing), proven by the hub's code
	AskConsent = "consent" // resident: signed consent for a carrier (Grant holds its bytes)
	AskView    = "view"    // service: send the View now
)

// Ask is an order or a request to a hub.
type Ask struct {
	ID        string   `json:"id"` // unique; an Ask is taken once, its answer is remembered for 10 minutes
	What      string   `json:"what"`
	Door      string   `json:"door"`
	By        string   `json:"by,omitempty"` // account, for the record
	Visit     string   `json:"visit,omitempty"`
	Grant     []byte   `json:"grant,omitempty"` // grant chain bytes or, for arrive, empty with GrantID
	GrantID   string   `json:"grant_id,omitempty"`
	Parcel    string   `json:"parcel,omitempty"`
	Place     *Place   `json:"place,omitempty"`
	Assertion []byte   `json:"assertion,omitempty"` // WebAuthn AuthenticationResponseJSON, as the browser gives it
	Count     uint64   `json:"count,omitempty"`     // block and unblock: the service's block counter after this order
	Revoked   []string `json:"revoked,omitempty"`
	On        bool     `json:"on,omitempty"`
	Text      string   `json:"text,omitempty"`
	Pairing   []byte   `json:"pairing,omitempty"`
	Alarms    []string `json:"alarms,omitempty"` // ack: IDs of what the resident has seen; a newer alarm stands on
}

// Place is a position that a phone claims (T14: a claim, never a proof).
type Place struct {
	Lat      float64 `json:"lat"`      // degrees
	Lon      float64 `json:"lon"`      // degrees
	Accuracy float64 `json:"accuracy"` // metres
}

// AskReply answers an Ask. OK false: Reason is a word of interlock.Reason, Sentence says what to do next.
type AskReply struct {
	OK       bool   `json:"ok"`
	Reason   string `json:"reason,omitempty"`
	Sentence string `json:"sentence,omitempty"`
	Visit    string `json:"visit,omitempty"`
}

// View is what a hub shows of one door. It is the state for every page; the record is the ledger.
type View struct {
	Hub          string     `json:"hub"`
	Door         string     `json:"door"`
	Seq          uint64     `json:"seq"`
	At           time.Time  `json:"at"`
	Phase        string     `json:"phase"`  // word of interlock.Phase
	Reason       string     `json:"reason"` // the one reason for a hold, refusal or the last change
	Sentence     string     `json:"sentence"`
	Visit        string     `json:"visit,omitempty"`
	GrantID      string     `json:"grant_id,omitempty"`
	Courier      string     `json:"courier,omitempty"` // name in the grant
	Watch        string     `json:"watch"`             // word of interlock.Watch
	AgeMs        int64      `json:"age_ms"`
	Bolt         string     `json:"bolt"`
	DoorIs       string     `json:"door_is"`
	Secured      bool       `json:"secured"`
	PossiblyOpen bool       `json:"possibly_open"`
	Blocked      bool       `json:"blocked"`
	BlockCount   uint64     `json:"block_count"`
	Home         bool       `json:"home"`
	Holds        []string   `json:"holds,omitempty"`
	Battery      int        `json:"battery"` // percent, -1 unknown
	Checks       []Check    `json:"checks"`
	Nonce        []byte     `json:"nonce,omitempty"`     // challenge bytes for the slide while Phase is ready
	OutNonce     []byte     `json:"out_nonce,omitempty"` // challenge bytes for "I am out" after the door has closed
	Until        *time.Time `json:"until,omitempty"`     // when the present phase's limit ends
	Released     bool       `json:"released"`
	Leave        bool       `json:"leave"`           // the courier must leave now
	Alarm        string     `json:"alarm,omitempty"` // reason of the standing, unacknowledged alarm
	AlarmText    string     `json:"alarm_text,omitempty"`
	AlarmID      string     `json:"alarm_id,omitempty"`  // Alarm.ID of it
	Incidents    []Incident `json:"incidents,omitempty"` // open ones
	Cameras      []Camera   `json:"cameras,omitempty"`   // each for itself; Watch is the door's
	Walk         *Walk      `json:"walk,omitempty"`      // what the walk test proved of the door
	Unready      []Unready  `json:"unready,omitempty"`   // why the next courier would be refused here, or soon

	LastIncident *LastIncident `json:"last_incident,omitempty"` // the newest, open or not
}

// LastIncident is the newest incident at a door, since there is a record of it.
type LastIncident struct {
	Visit  string    `json:"visit"`
	At     time.Time `json:"at"`     // when it was found
	Reason string    `json:"reason"` // word of interlock.Reason
	Text   string    `json:"text"`
	Total  float64   `json:"total_s"` // unwatched seconds while unsecured, to the tenth; 0 until its visit is over
	Open   bool      `json:"open"`    // no resident has closed it
}

// Unready is one thing that would keep the next courier out and that does not pass by itself: somebody has to see to it before he comes.
type Unready struct {
	Reason string    `json:"reason"` // word of an interlock.Reason
	Say    string    `json:"say"`    // what to do about it
	Since  time.Time `json:"since"`
}

// Walk is what a door's walk test is worth for the lock and the cameras that it has now (S9, S11).
type Walk struct {
	Passed bool      `json:"passed"` // while it is not, nobody is let in unattended
	Made   time.Time `json:"made,omitzero"`
	Say    string    `json:"say"` // in one or two sentences; while it is not passed: what to do
}

// Camera is one camera of a door: what it sees by itself, and what its link is worth.
type Camera struct {
	Name  string `json:"name"`
	Watch string `json:"watch"`         // word of interlock.Watch
	AgeMs int64  `json:"age_ms"`        // of its newest picture; negative: there was none
	Say   string `json:"say,omitempty"` // while it does not watch: why, in one sentence
	Link  *Link  `json:"link,omitempty"`
}

// Link is what was measured of a camera's link in the last 24 hours (S18).
type Link struct {
	Grade   string  `json:"grade"` // A to D; empty: not enough was seen yet
	Hours   float64 `json:"hours"` // that were seen
	Gaps    []Gaps  `json:"gaps"`  // shortest first
	Refused bool    `json:"refused,omitempty"`
	Say     string  `json:"say"`
}

// Gaps is how many pictures came later than this after the one before.
type Gaps struct {
	OverMs int64  `json:"over_ms"`
	N      uint32 `json:"n"`
}

// Check is one line of the courier's list at the door.
type Check struct {
	Name     string `json:"name"` // grant, screening, place, parcel, window, clock, watch, recording, lock, door, service, household, block
	OK       bool   `json:"ok"`
	Reason   string `json:"reason,omitempty"`
	Sentence string `json:"sentence,omitempty"`
}

// Incident is a visit that lapsed or was breached.
type Incident struct {
	Visit  string  `json:"visit"`
	Reason string  `json:"reason"`
	Text   string  `json:"text"`
	Gaps   []Gap   `json:"gaps,omitempty"`
	Total  float64 `json:"total_s"` // unwatched seconds while unsecured, to the tenth
}

// Gap is a span that nobody watched.
type Gap struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Second float64   `json:"s"`              // length in seconds, to the tenth
	Why    string    `json:"why"`            // the lapse's word
	Open   bool      `json:"open,omitempty"` // still going on
}

// Alarm tells the service; it answers when it is stored (S16).
type Alarm struct {
	ID     string    `json:"id"`
	Hub    string    `json:"hub"`
	Door   string    `json:"door"`
	Visit  string    `json:"visit,omitempty"`
	Reason string    `json:"reason"`
	Text   string    `json:"text"`
	At     time.Time `json:"at"`
	Notice bool      `json:"notice,omitempty"` // a notice, not an alarm
}
