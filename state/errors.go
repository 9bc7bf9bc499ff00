package state

import (
	"errors"
	"fmt"
	"strings"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// Errors of the package. Wrapped errors carry the place and the reason.
var (
	ErrNotFound   = errors.New("not in the state")
	ErrNoState    = errors.New("there is no state")
	ErrConflict   = errors.New("the record was changed by somebody else")
	ErrBusy       = errors.New("the connection is locked")
	ErrTampered   = errors.New("the state was changed outside oauthctl or is damaged")
	ErrRollback   = errors.New("the state is older than one already seen on this machine")
	ErrNoKey      = errors.New("no identity opens the state")
	ErrUnwritable = errors.New("the state cannot be written")
	ErrFormat     = errors.New("the state was written by a newer version")
	// ErrOlder and ErrLineage are of documents: see Push.
	ErrOlder   = errors.New("the document is older than the state")
	ErrLineage = errors.New("the document is of another state")
	// ErrPlace: the path is not one where a state can be (a link, a directory),
	// or it cannot be read.
	ErrPlace = errors.New("the place of the state cannot be used")
	// ErrRekeyed is between Backend and Store: the data key has changed since
	// the rows were sealed. The Store seals again.
	ErrRekeyed = errors.New("the data key was changed meanwhile")
)

// adviceError is an error that says what to do now. Its text ends with it.
type adviceError struct {
	err error
	do  string
}

// WithAdvice adds to the text of an error what to do now: see [Advice].
func WithAdvice(err error, do string) error { return &adviceError{err, do} }

func (e *adviceError) Error() string { return e.err.Error() + ": " + e.do }
func (e *adviceError) Unwrap() error { return e.err }

// Advice is what an error says to do now, "" if it says nothing. The text of the
// error ends with it, behind ": ".
func Advice(err error) string {
	var a *adviceError
	var busy *BusyError
	do := ""
	switch {
	case errors.As(err, &a):
		do = a.do
	case errors.As(err, &busy):
		do = busyAdvice
	}
	if do == "" || !strings.HasSuffix(err.Error(), ": "+do) {
		return ""
	}
	return do
}

const busyAdvice = "wait for it to end, or give -lock-timeout more time"

// BusyError says who holds a lock, as far as it is known. It is ErrBusy.
type BusyError struct {
	Addr   addr.Addr // zero: the lock for making the state
	Lease  bool      // of a consent
	Holder Holder    // zero fields are not known
	Cause  error     // why the waiting ended; may be nil
}

// Error names the holder.
func (e *BusyError) Error() string {
	var b strings.Builder
	switch {
	case e.Addr.IsZero():
		b.WriteString("the state is locked")
	case e.Lease:
		fmt.Fprintf(&b, "a consent for %s is under way", e.Addr)
	default:
		fmt.Fprintf(&b, "%s is locked", e.Addr)
	}
	if h := e.Holder; h.PID != 0 {
		by := " by process %d"
		if e.Lease {
			by = " in process %d"
		}
		fmt.Fprintf(&b, by, h.PID)
		if h.User != "" {
			fmt.Fprintf(&b, " of %s", h.User)
		}
		if h.Host != "" {
			fmt.Fprintf(&b, " on %s", h.Host)
		}
		if h.Since != "" {
			fmt.Fprintf(&b, " since %s", h.Since)
		}
		if h.Operation != "" {
			fmt.Fprintf(&b, " (%s)", h.Operation)
		}
	} else if e.Lease {
		b.WriteString(" in another process")
	} else {
		b.WriteString(" by another process")
	}
	return b.String() + ": " + busyAdvice
}

// Unwrap gives ErrBusy and the cause.
func (e *BusyError) Unwrap() []error {
	if e.Cause == nil {
		return []error{ErrBusy}
	}
	return []error{ErrBusy, e.Cause}
}

// ConflictError names the changes of a batch whose generations did not fit. It is ErrConflict.
type ConflictError struct {
	Changes []int // indexes into Batch.Changes, ascending
	Addrs   []addr.Addr
}

// Error names the addresses.
func (e *ConflictError) Error() string {
	names := make([]string, len(e.Addrs))
	for i, a := range e.Addrs {
		names[i] = a.String()
	}
	return fmt.Sprintf("write %s: %v: read it again", strings.Join(names, ", "), ErrConflict)
}

// Is reports whether target is ErrConflict.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }
