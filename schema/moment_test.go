package schema_test

import (
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/schema"
)

// A day begins at midnight UTC; a time is as in RFC 3339.
func TestMoments(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2027-01-31":                time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC),
		"2027-01-31T12:30:00Z":      time.Date(2027, 1, 31, 12, 30, 0, 0, time.UTC),
		"2027-01-31T12:30:00+02:00": time.Date(2027, 1, 31, 10, 30, 0, 0, time.UTC),
		"2027-13-01":                {},
		"31.1.2027":                 {},
		"soon":                      {},
		"":                          {},
	} {
		got, ok := schema.ParseMoment(text)
		if !got.Equal(want) || ok == want.IsZero() {
			t.Errorf("%q is %s, %t; want %s", text, got, ok, want)
		}
	}
}
