package grant

import (
	"errors"
	"time"
)

// ErrNotRevocable: the server offers no way to revoke a token.
var ErrNotRevocable = errors.New("the server has no revocation endpoint")

// Kind classifies an Error for the exit code and for what happens next.
type Kind string

// The kinds of errors.
const (
	NeedsUser   Kind = "needs_user"  // a person has to consent, and nobody is here
	Denied      Kind = "denied"      // the person or the server said no
	Expired     Kind = "expired"     // nobody answered in time
	Rejected    Kind = "rejected"    // invalid_grant: the token sent is dead
	Config      Kind = "config"      // client, redirect URI, scope: the configuration has to change
	Temporary   Kind = "temporary"   // network, 5xx, 429: try again later
	Protocol    Kind = "protocol"    // an answer that cannot be used, or that failed a check
	Account     Kind = "account"     // somebody else signed in
	Interrupted Kind = "interrupted" // by the caller
)

// Outcome says what became of a token request.
type Outcome string

// The outcomes.
const (
	NotSent  Outcome = "not_sent" // provably never reached the server
	Answered Outcome = "answered" // a complete answer came
	Unknown  Outcome = "unknown"  // sent, and no usable answer
)

// Error is an error of a flow: what was being done to which address, what went
// wrong, what to do now. It holds no secrets and no raw server text.
type Error struct {
	Kind       Kind
	Outcome    Outcome
	Doing      string // "exchange the code at https://login.example/token"
	Code       string // error code of the server (RFC 6749 §5.2), escaped and shortened
	Detail     string // error_description, escaped and shortened; or the cause
	Hint       string // of the preset
	Remedy     string // what to do now; a command if possible
	RetryAfter time.Duration
	Status     int // HTTP status, 0 if none
	Err        error
}

func (e *Error) Error() string { panic("contract") }

func (e *Error) Unwrap() error { return e.Err }
