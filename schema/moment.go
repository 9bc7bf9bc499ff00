package schema

import (
	"time"

	"github.com/hashicorp/hcl/v2"
)

// ParseMoment reads a time as in RFC 3339, or a day, which begins at midnight UTC.
func ParseMoment(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// moment is an attribute that is a moment; zero if it is not set.
func (o *Object) moment(name string) (time.Time, hcl.Diagnostics) {
	s := o.String(name)
	if s == "" {
		return time.Time{}, nil
	}
	t, ok := ParseMoment(s)
	if !ok {
		return t, hcl.Diagnostics{errorAt(o.Ranges[name], "Invalid time",
			"The argument %q is neither a day nor a time. Write it as in 2027-01-31 or 2027-01-31T12:00:00Z.", name)}
	}
	return t, nil
}
