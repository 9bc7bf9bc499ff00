package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/oauthctl/oauthctl/schema/secret"
)

// appendObject writes the members that are not empty.
func appendObject(b []byte, members []member) ([]byte, error) {
	b = append(b, '{')
	start := len(b)
	for _, m := range members {
		before := len(b)
		if before > start {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), m.name...), '"', ':')
		value := len(b)
		var err error
		if b, err = appendValue(b, m.at); err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		if len(b) == value {
			b = b[:before]
		}
	}
	return append(b, '}'), nil
}

// appendValue writes what a member points to, or nothing if it is empty.
func appendValue(b []byte, at any) ([]byte, error) {
	switch at := at.(type) {
	case []member:
		return appendObject(b, at)
	case **Exchange:
		if *at != nil {
			return appendObject(b, (*at).members())
		}
	case **Intent:
		if *at != nil {
			return appendObject(b, (*at).members())
		}
	case **Reject:
		if *at != nil {
			return appendObject(b, (*at).members())
		}
	case **Published:
		if *at != nil {
			return appendObject(b, (*at).members())
		}
	case *column:
		return appendText(b, string(*at))
	case *string:
		if *at != "" {
			return appendText(b, *at)
		}
	case *secret.Secret:
		if !at.Empty() {
			return appendText(b, at.Reveal())
		}
	case *[]string:
		if len(*at) > 0 {
			return appendTexts(b, *at)
		}
	case *map[string]string:
		if len(*at) > 0 {
			return appendMap(b, *at)
		}
	case *map[string]secret.Secret:
		if len(*at) > 0 {
			return appendMap(b, *at)
		}
	case *time.Time:
		if !at.IsZero() {
			b, err := at.AppendText(append(b, '"'))
			return append(b, '"'), err
		}
	case *bool:
		if *at {
			return append(b, "true"...), nil
		}
	case *int:
		return appendNumber(b, int64(*at)), nil
	case *int64:
		return appendNumber(b, *at), nil
	case *time.Duration:
		return appendNumber(b, int64(*at)), nil
	case *uint64:
		if *at != 0 {
			return strconv.AppendUint(b, *at, 10), nil
		}
	default:
		return nil, fmt.Errorf("a member of the type %T", at)
	}
	return b, nil
}

func appendNumber(b []byte, n int64) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(b, n, 10)
}

func appendTexts(b []byte, list []string) ([]byte, error) {
	var err error
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendText(b, s); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func appendMap[S ~string](b []byte, m map[string]S) ([]byte, error) {
	var err error
	b = append(b, '{')
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendText(b, k); err == nil {
			b, err = appendText(append(b, ':'), string(m[k]))
		}
		if err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

var errNotText = errors.New("a text in the record is not UTF-8")

func appendText(b []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, errNotText
	}
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"'), nil
}

// errJSON is all that is said about a text that cannot be read: it is secret.
var errJSON = errors.New("not the object that is expected")

// readObject reads an object with nothing but the members given, all of which
// may be missing, into what they point to.
func readObject(b []byte, members []member) error {
	return readTexts(b, members, strings.Clone)
}

// readTexts is readObject with keep for every text: a part of one copy of b, which
// keeps all of it in memory unless it is copied.
func readTexts(b []byte, members []member, keep func(string) string) error {
	r := jsonReader{rest: string(b), keep: keep}
	r.object(members)
	r.space()
	if r.failed || len(r.rest) > 0 {
		return errJSON
	}
	return nil
}

// jsonReader reads JSON (RFC 8259) of known shape. Once it has failed it stays so,
// and has nothing left to read.
type jsonReader struct {
	rest   string
	keep   func(string) string
	failed bool
}

func (r *jsonReader) fail() { r.rest, r.failed = "", true }

func (r *jsonReader) space() {
	for len(r.rest) > 0 {
		switch r.rest[0] {
		case ' ', '\t', '\n', '\r':
			r.rest = r.rest[1:]
		default:
			return
		}
	}
}

// next takes c, after space, if it comes next.
func (r *jsonReader) next(c byte) bool {
	r.space()
	if len(r.rest) == 0 || r.rest[0] != c {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

func (r *jsonReader) must(c byte) {
	if !r.next(c) {
		r.fail()
	}
}

// word takes true, false or null if it comes next.
func (r *jsonReader) word(w string) bool {
	r.space()
	if !strings.HasPrefix(r.rest, w) {
		return false
	}
	r.rest = r.rest[len(w):]
	return true
}

// items reads what stands between brackets.
func (r *jsonReader) items(from, to byte, item func()) {
	r.must(from)
	if r.next(to) {
		return
	}
	for item(); r.next(','); {
		item()
	}
	r.must(to)
}

// object finds its members fastest in the order in which they are written.
func (r *jsonReader) object(members []member) {
	at := 0
	r.items('{', '}', func() {
		name := r.quoted()
		r.must(':')
		for range members {
			m := members[at]
			if at++; at == len(members) {
				at = 0
			}
			if m.name == name {
				r.value(m.at)
				return
			}
		}
		r.fail()
	})
}

func (r *jsonReader) value(at any) {
	if r.word("null") { // as good as missing
		return
	}
	switch at := at.(type) {
	case []member:
		r.object(at)
	case **Exchange:
		*at = &Exchange{}
		r.object((*at).members())
	case **Intent:
		*at = &Intent{}
		r.object((*at).members())
	case **Reject:
		*at = &Reject{}
		r.object((*at).members())
	case **Published:
		*at = &Published{}
		r.object((*at).members())
	case *column:
		*at = column(r.text())
	case *string:
		*at = r.text()
	case *secret.Secret:
		*at = secret.Secret(r.text())
	case *[]string:
		*at = nil
		r.items('[', ']', func() { *at = append(*at, r.text()) })
	case *map[string]string:
		*at = readMap[string](r)
	case *map[string]secret.Secret:
		*at = readMap[secret.Secret](r)
	case *time.Time:
		r.check(at.UnmarshalText([]byte(r.quoted())))
	case *bool:
		if *at = r.word("true"); !*at && !r.word("false") {
			r.fail()
		}
	case *int:
		n, err := strconv.ParseInt(r.number(), 10, strconv.IntSize)
		*at = int(n)
		r.check(err)
	case *int64:
		n, err := strconv.ParseInt(r.number(), 10, 64)
		*at = n
		r.check(err)
	case *time.Duration:
		n, err := strconv.ParseInt(r.number(), 10, 64)
		*at = time.Duration(n)
		r.check(err)
	case *uint64:
		n, err := strconv.ParseUint(r.number(), 10, 64)
		*at = n
		r.check(err)
	default:
		r.fail()
	}
}

func (r *jsonReader) check(err error) {
	if err != nil {
		r.fail()
	}
}

func readMap[S ~string](r *jsonReader) map[string]S {
	m := map[string]S{}
	r.items('{', '}', func() {
		k := r.text()
		r.must(':')
		m[k] = S(r.text())
	})
	if len(m) == 0 {
		return nil
	}
	return m
}

// number takes the digits of an integer. That there are some is left to whoever converts them.
func (r *jsonReader) number() string {
	r.space()
	i := 0
	for i < len(r.rest) && (r.rest[i] >= '0' && r.rest[i] <= '9' || i == 0 && r.rest[i] == '-') {
		i++
	}
	s := r.rest[:i]
	if digits := strings.TrimPrefix(s, "-"); len(digits) > 1 && digits[0] == '0' {
		r.fail()
		return ""
	}
	r.rest = r.rest[i:]
	return s
}

// text reads a string to be kept.
func (r *jsonReader) text() string { return r.keep(r.quoted()) }

// quoted reads a string as a part of the input, if it can. What is unusual about
// it (escapes, bytes that are not UTF-8) is left to encoding/json.
func (r *jsonReader) quoted() string {
	r.space()
	if len(r.rest) == 0 || r.rest[0] != '"' {
		r.fail()
		return ""
	}
	plain := true
	for i := 1; i < len(r.rest); i++ {
		switch c := r.rest[i]; {
		case c == '\\':
			plain = false
			i++
		case c < ' ':
			plain = false
		case c == '"':
			quoted := r.rest[:i+1]
			r.rest = r.rest[i+1:]
			if plain && utf8.ValidString(quoted) {
				return quoted[1:i]
			}
			var s string
			r.check(json.Unmarshal([]byte(quoted), &s))
			return s
		}
	}
	r.fail()
	return ""
}
