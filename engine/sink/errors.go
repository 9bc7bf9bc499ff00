package sink

import (
	"fmt"
	"strings"
	"time"
)

// Kind classifies an Error for what happens next.
type Kind string

// The kinds of errors.
const (
	Config    Kind = "config"    // settings, names, or rights: the configuration or the place has to change
	Temporary Kind = "temporary" // network, 5xx, 429: try again later
	Protocol  Kind = "protocol"  // an answer that cannot be used
)

// Error is a failure to publish: what was being done to which place, what went
// wrong, what to do now. It holds no secrets and no raw server text.
type Error struct {
	Kind       Kind
	Doing      string // "write the secret GRAPH_TOKEN of octo/app at https://api.github.com"
	Detail     string // what the place said, escaped and shortened; or the cause
	Remedy     string // what to do now; a command if possible
	Status     int    // HTTP status, 0 if none
	RetryAfter time.Duration
	Written    []string // names that may have been written before it failed
	Err        error
}

// Error says what was being done and what went wrong.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Doing)
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	} else if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }
