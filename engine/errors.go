package engine

import (
	"github.com/oauthctl/oauthctl/schema/addr"
)

// Class is the kind of a failure; cmd/oauthctl turns it into an exit code.
type Class string

// The classes.
const (
	ClassError     Class = "error"      // 1
	ClassNeedsUser Class = "needs_user" // 3: a person has to consent
	ClassTemporary Class = "temporary"  // 4: network, 5xx, busy lock
	ClassState     Class = "state"      // 5: unreadable, tampered, no key
)

// Error is a failure with what to do now. Doing says what was being done to
// which address, Err what went wrong, Remedy what to do (a command if possible).
type Error struct {
	Class  Class
	Addr   addr.Addr
	Doing  string
	Remedy string
	Err    error
}

func (e *Error) Error() string { panic("contract") }

func (e *Error) Unwrap() error { return e.Err }
