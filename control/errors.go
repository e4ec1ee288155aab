package control

import (
	"errors"

	"eyebolt/interlock"
)

// Class says what kind of no an error is; package api gives each its HTTP status.
type Class uint8

const (
	Internal    Class = iota // a fault of ours: 500
	Invalid                  // what was sent makes no sense: 422
	Nobody                   // nobody is signed in: 401
	Forbidden                // this role may not do this: 403
	NotFound                 // it is not there, or not theirs to know of (T24): 404
	Conflict                 // it cannot be done as things stand: 409
	TooMany                  // too often, or too much: 429
	Unavailable              // the hub or the disk does not answer: 503
)

// Error is a refusal: one word for programs, one sentence for people that says what to do next.
type Error struct {
	Reason   string
	Sentence string
	Class    Class
}

func (e *Error) Error() string { return e.Reason + ": " + e.Sentence }

func refuse(c Class, reason, sentence string) error {
	return &Error{Reason: reason, Sentence: sentence, Class: c}
}

func invalid(sentence string) error { return refuse(Invalid, "invalid", sentence) }

// because refuses with one of the interlock's reasons.
func because(r interlock.Reason) error { return refuse(Conflict, r.String(), r.Sentence()) }

var (
	errNobody    = refuse(Nobody, "signed-out", "Sign in first.")
	errForbidden = refuse(Forbidden, "forbidden", "Your role does not allow this.")
	errNotFound  = refuse(NotFound, "not-found", "There is no such thing here. Check the address.")
	errLivedIn   = refuse(Forbidden, "lived-in", "Somebody lives here already: only a resident invites further residents.")
	errStop      = refuse(NotFound, "not-found", "This stop is not on your list of today: look at your stops again, or call your dispatcher.")
	errInvite    = refuse(NotFound, "invite", "This invitation does not exist, was used, or has run out. Ask for a new one.")
)

// AsError finds the refusal in err; anything else is Internal and says nothing of its inside.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	if errors.Is(err, ErrNotFound) && errors.As(errNotFound, &e) {
		return e
	}
	return &Error{Reason: "internal", Sentence: "Something failed on our side. Try again; if it goes on, tell whoever runs the service.", Class: Internal}
}
