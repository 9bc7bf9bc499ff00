package quirk

import (
	"net/http"
	"strings"
)

// challenge is one challenge of a WWW-Authenticate header (RFC 9110 §11.6.1).
type challenge struct {
	scheme string
	params map[string]string // by lower-case name; nil if one stands there twice
}

// Bounds of what is read of an answer's headers.
const (
	maxChallengeText = 16 << 10
	maxChallenges    = 32
)

// challenges reads every WWW-Authenticate header, each of which may hold several
// challenges. What breaks the grammar is skipped up to the next comma.
func challenges(h http.Header) []challenge {
	var out []challenge
	for _, text := range h.Values("WWW-Authenticate") {
		s := &scanner{text: text[:min(len(text), maxChallengeText)]}
		for !s.end() && len(out) < maxChallenges {
			s.separators()
			scheme := s.token()
			if scheme == "" {
				s.skip()
				continue
			}
			out = append(out, challenge{scheme, s.params()})
		}
	}
	return out
}

// scanner reads the grammar of RFC 9110 §5.6 and §11.
type scanner struct {
	text string
	pos  int
}

func (s *scanner) end() bool { return s.pos >= len(s.text) }

func (s *scanner) peek() byte {
	if s.end() {
		return 0
	}
	return s.text[s.pos]
}

func (s *scanner) blanks() {
	for c := s.peek(); c == ' ' || c == '\t'; c = s.peek() {
		s.pos++
	}
}

func (s *scanner) separators() {
	for c := s.peek(); c == ' ' || c == '\t' || c == ','; c = s.peek() {
		s.pos++
	}
}

// skip goes to the next comma outside of quotes, or the end.
func (s *scanner) skip() {
	for !s.end() && s.peek() != ',' {
		if s.peek() != '"' {
			s.pos++
		} else if _, ok := s.quoted(); !ok {
			s.pos = len(s.text)
		}
	}
}

// token is RFC 9110 §5.6.2; "" if there is none.
func (s *scanner) token() string {
	from := s.pos
	for isTokenChar(s.peek()) {
		s.pos++
	}
	return s.text[from:s.pos]
}

func isTokenChar(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c != 0 && strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// quoted is RFC 9110 §5.6.4.
func (s *scanner) quoted() (string, bool) {
	var b strings.Builder
	for s.pos++; !s.end(); s.pos++ {
		switch c := s.peek(); c {
		case '"':
			s.pos++
			return b.String(), true
		case '\\':
			if s.pos++; s.end() {
				return "", false
			}
			b.WriteByte(s.peek())
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// params reads the parameters of a challenge, whose scheme has been read, up to
// the next scheme. A token68 (RFC 9110 §11.2), as NTLM and Negotiate have, is
// read over.
func (s *scanner) params() map[string]string {
	params := map[string]string{}
	for {
		s.blanks()
		before := s.pos
		name := s.token()
		s.blanks()
		if name == "" || s.peek() != '=' {
			if name != "" && s.token68(before) || name == "" && !s.end() && s.peek() != ',' {
				s.skip()
			} else {
				s.pos = before
			}
		} else if value, ok := s.value(); !ok {
			s.skip()
		} else if _, twice := params[strings.ToLower(name)]; twice || params == nil {
			params = nil
		} else {
			params[strings.ToLower(name)] = value
		}
		s.blanks()
		if !s.another() {
			return params
		}
	}
}

// token68 reports that what stands from a place on is one: it ends at a comma or
// at the end of the text, and not where another scheme could begin.
func (s *scanner) token68(from int) bool {
	return from > 0 && (s.text[from-1] == ' ' || s.text[from-1] == '\t') && (s.end() || s.peek() == ',' || s.peek() == '/')
}

// value reads "=" and what is behind it; false if that is the padding of a token68.
func (s *scanner) value() (string, bool) {
	s.pos++
	s.blanks()
	if s.peek() == '"' {
		return s.quoted()
	}
	v := s.token()
	return v, v != "" && s.peek() != '='
}

// another goes to the next parameter of the same challenge; false if what
// follows is another challenge, or nothing.
func (s *scanner) another() bool {
	if s.peek() != ',' {
		return false
	}
	from := s.pos
	s.separators()
	name := s.token()
	s.blanks()
	same := name != "" && s.peek() == '='
	if same {
		s.pos = from
		s.separators()
		return true
	}
	s.pos = from
	return false
}
