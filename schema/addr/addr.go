// Package addr names the things of a configuration: connection.graph,
// connection.graph["eu"], sink.github_actions.deploy.
//
// An [Addr] is comparable and can be a map key. The package knows how addresses
// are written, parsed and sorted. It does not know whether the thing exists.
package addr

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind is the kind of thing that an address names.
type Kind string

// The kinds of things that have addresses.
const (
	KindConnection Kind = "connection"
	KindSink       Kind = "sink"
	kindState      Kind = "state" // what a state keeps that is neither: see Outputs
)

// Addr is the address of one connection or sink.
type Addr struct {
	Kind  Kind
	Type  string // the first label of a sink; empty for a connection
	Name  string
	Key   string // the for_each key, if Keyed
	Keyed bool
}

// Connection is the address connection.NAME.
func Connection(name string) Addr { return Addr{Kind: KindConnection, Name: name} }

// Outputs is the address state.outputs, under which a state keeps what was recorded
// of the outputs. [ParseKept] reads it, and [Parse] does not: nobody names it.
func Outputs() Addr { return Addr{Kind: kindState, Name: "outputs"} }

// Instance is the address a["key"]: one instance of a block with for_each.
func (a Addr) Instance(key string) Addr {
	a.Key, a.Keyed = key, true
	return a
}

// Block is the address without the for_each key.
func (a Addr) Block() Addr {
	a.Key, a.Keyed = "", false
	return a
}

// Contains reports whether b is a itself or one of its instances.
func (a Addr) Contains(b Addr) bool { return a == b || (!a.Keyed && a == b.Block()) }

// IsZero reports whether a names nothing.
func (a Addr) IsZero() bool { return a == Addr{} }

// String writes the address as it stands in a configuration.
func (a Addr) String() string {
	if a.IsZero() {
		return ""
	}
	var b strings.Builder
	b.Grow(len(a.Kind) + len(a.Type) + len(a.Name) + len(a.Key) + len(`..[""]`))
	b.WriteString(string(a.Kind))
	if a.Type != "" {
		b.WriteByte('.')
		b.WriteString(a.Type)
	}
	b.WriteByte('.')
	b.WriteString(a.Name)
	if a.Keyed {
		b.WriteByte('[')
		b.WriteString(strconv.Quote(a.Key))
		b.WriteByte(']')
	}
	return b.String()
}

// Short is the address as a person types it after "oauthctl token": without
// the kind for a connection.
func (a Addr) Short() string {
	if a.Kind == KindConnection {
		return strings.TrimPrefix(a.String(), string(KindConnection)+".")
	}
	return a.String()
}

// Compare orders addresses by kind, type, name and key.
func Compare(a, b Addr) int {
	return cmp.Or(
		cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Type, b.Type),
		cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Key, b.Key),
		boolCompare(a.Keyed, b.Keyed),
	)
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

var errSyntax = errors.New(`want connection.NAME or connection.NAME["key"]`)

// Parse reads an address as [Addr.String] writes it. A bare NAME or NAME["key"]
// is a connection.
func Parse(s string) (Addr, error) {
	a, err := parse(s)
	if err != nil {
		return Addr{}, fmt.Errorf("address %q: %w", s, err)
	}
	return a, nil
}

// ParseKept is Parse for the addresses of a state.
func ParseKept(s string) (Addr, error) {
	if s == "state.outputs" {
		return Outputs(), nil
	}
	return Parse(s)
}

func parse(s string) (Addr, error) {
	var a Addr
	head := s
	if i := strings.IndexByte(s, '['); i >= 0 {
		if !strings.HasSuffix(s, "]") {
			return a, errSyntax
		}
		key, err := strconv.Unquote(s[i+1 : len(s)-1])
		if err != nil || s[i+1] != '"' || !utf8.ValidString(key) || !utf8.ValidString(s) {
			return a, errSyntax
		}
		a.Key, a.Keyed, head = key, true, s[:i]
	}
	parts := strings.Split(head, ".")
	for _, p := range parts {
		if !IsName(p) {
			return a, errSyntax
		}
	}
	switch {
	case len(parts) == 1:
		a.Kind, a.Name = KindConnection, parts[0]
	case len(parts) == 2 && parts[0] == string(KindConnection):
		a.Kind, a.Name = KindConnection, parts[1]
	case len(parts) == 3 && parts[0] == string(KindSink):
		a.Kind, a.Type, a.Name = KindSink, parts[1], parts[2]
	default:
		return a, errSyntax
	}
	return a, nil
}

// IsName reports whether s can be the name of a block: a letter or underscore,
// then letters, digits, underscores and dashes, at most 100 bytes.
func IsName(s string) bool {
	if s == "" || len(s) > 100 {
		return false
	}
	for i, r := range s {
		switch {
		case r == '_', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
		case i > 0 && (r == '-' || r >= '0' && r <= '9'):
		default:
			return false
		}
	}
	return true
}
