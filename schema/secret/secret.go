// Package secret has one type: a string that does not show itself.
//
// Every token, client secret, code and key in the program is a [Secret] from
// the moment it enters. Under every fmt verb, in JSON, in text encodings and in
// slog it prints "(sensitive)"; only [Secret.Reveal] gives the value, so that
// the places where a secret leaves can be found with grep.
//
// Three things cannot be kept from showing a string type: the verb %p, the verb
// %w outside of fmt.Errorf (vet refuses both), and a Secret as the key of a map
// in JSON. Nothing in the program uses one as a key.
//
// The package does not know what the secrets are for, and does not wipe memory:
// Go may copy strings at will.
package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// Placeholder is what a [Secret] prints instead of its value.
const Placeholder = "(sensitive)"

// Secret is a string that prints [Placeholder] everywhere.
type Secret string

// Reveal returns the value. Call it only where the value has to leave the
// program: in a request, in sealed bytes, or on stdout when asked for.
func (s Secret) Reveal() string { return string(s) }

// Empty reports whether there is no value.
func (s Secret) Empty() bool { return s == "" }

// Equal compares in constant time.
func (s Secret) Equal(t Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s), []byte(t)) == 1
}

// String implements [fmt.Stringer].
func (Secret) String() string { return Placeholder }

// GoString implements [fmt.GoStringer].
func (Secret) GoString() string { return Placeholder }

// Format implements [fmt.Formatter]; it covers the verbs, %x and %d included.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Placeholder) }

// MarshalText implements [encoding.TextMarshaler].
func (Secret) MarshalText() ([]byte, error) { return []byte(Placeholder), nil }

// MarshalJSON implements [json.Marshaler].
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + Placeholder + `"`), nil }

// LogValue implements [slog.LogValuer].
func (Secret) LogValue() slog.Value { return slog.StringValue(Placeholder) }
