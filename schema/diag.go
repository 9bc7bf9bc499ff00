package schema

import (
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// DiagExtra travels in hcl.Diagnostic.Extra.
type DiagExtra struct {
	Addr addr.Addr // what the diagnostic is about; zero if nothing has an address
}

// AddrOf returns the address that a diagnostic is about, or the zero Addr.
func AddrOf(d *hcl.Diagnostic) addr.Addr { panic("contract") }

// Sources holds the text of the files read, for snippets.
type Sources struct{}

// Line returns line n (from 1) of a file, without its newline, as it may be
// shown: literal values of sensitive attributes are replaced. False if the file
// or line does not exist.
func (s *Sources) Line(filename string, n int) (string, bool) { panic("contract") }

// ParseDuration reads a duration of the language: Go's syntax plus d (24 hours)
// as the first unit ("90d", "1d12h"), or a bare number of seconds. Negative
// durations and fractions of a second are errors.
func ParseDuration(s string) (time.Duration, error) { panic("contract") }

// FormatDuration writes a duration as ParseDuration reads it, in the largest
// units that fit ("90d", "1h", "30m").
func FormatDuration(d time.Duration) string { panic("contract") }

// Suggest returns the candidate that given was probably meant to be, or "".
func Suggest(given string, candidates []string) string { panic("contract") }
