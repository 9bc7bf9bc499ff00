package grant

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrNotRevocable says that the server offers no way to revoke a token.
var ErrNotRevocable = errors.New("the server has no revocation endpoint")

// Kind classifies an Error for the exit code and for what happens next.
type Kind string

// The kinds of errors.
const (
	NeedsUser   Kind = "needs_user"  // a person has to consent, and nobody is here
	Denied      Kind = "denied"      // the person or the server said no
	Expired     Kind = "expired"     // nobody answered in time
	Rejected    Kind = "rejected"    // invalid_grant: the code or refresh token that was sent is dead
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

// Error says what was being done and what went wrong, and the preset's
// explanation if there is one. The remedy is a field of its own.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Doing)
	for _, part := range []string{e.Code, e.Detail} {
		if part != "" {
			b.WriteString(": " + part)
		}
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	if e.Hint != "" {
		b.WriteString("; " + strings.TrimSuffix(e.Hint, "."))
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// fail is an error that no request stands behind.
func fail(kind Kind, doing, remedy, format string, args ...any) *Error {
	return &Error{Kind: kind, Outcome: NotSent, Doing: doing, Remedy: remedy, Detail: fmt.Sprintf(format, args...)}
}
