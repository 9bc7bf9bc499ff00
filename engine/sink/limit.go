package sink

import (
	"fmt"
	"strings"
)

// limited is a place that takes values up to a size only.
type limited interface{ limit() int } // in bytes

// limit implements limited: what GitHub takes of a secret.
func (*github) limit() int { return 48 << 10 }

// Fits is an *Error if the place takes no value of that size: it is looked at
// before anything is sent.
func (s *Sink) Fits(values []Value) error {
	l, ok := s.Target.(limited)
	if !ok {
		return nil
	}
	for _, v := range values {
		n := len(v.Secret.Reveal())
		if n <= l.limit() {
			continue
		}
		e := &Error{Kind: Config, Doing: "write " + v.Name + " to " + s.Target.Place(),
			Detail: fmt.Sprintf("the value has %s bytes, and the place takes at most %s", grouped(n), grouped(l.limit())),
			Remedy: "publish less, or publish it to a place that takes more"}
		if s.State != "" {
			e.Remedy = "keep fewer connections in one state: a directory and a sink for each, or a sink with the refresh token alone; or publish to a place that takes more"
		}
		return e
	}
	return nil
}

// grouped writes a number as people read it: 49,152.
func grouped(n int) string {
	text := fmt.Sprint(n)
	var parts []string
	for len(text) > 3 {
		parts = append([]string{text[len(text)-3:]}, parts...)
		text = text[:len(text)-3]
	}
	return strings.Join(append([]string{text}, parts...), ",")
}
