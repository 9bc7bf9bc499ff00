package view

import (
	"strconv"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Span writes a length of time as a person says it, rounded down: "35s",
// "42m", "1h30m", "11h", "3d", "2y".
func Span(d time.Duration) string {
	d = d.Abs()
	switch {
	case d < time.Minute:
		return itoa(int(d/time.Second)) + "s"
	case d < time.Hour:
		return itoa(int(d/time.Minute)) + "m"
	case d < 10*time.Hour && d%time.Hour >= time.Minute:
		return itoa(int(d/time.Hour)) + "h" + itoa(int(d%time.Hour/time.Minute)) + "m"
	case d < 24*time.Hour:
		return itoa(int(d/time.Hour)) + "h"
	case d < 2*365*24*time.Hour:
		return itoa(int(d/(24*time.Hour))) + "d"
	}
	return itoa(int(d/(365*24*time.Hour))) + "y"
}

// expiry says when a token ends, seen from now: "expires in 42m", "expired 3d
// ago", or a dash if nobody knows.
func expiry(t, now time.Time) string {
	switch d := t.Sub(now); {
	case t.IsZero():
		return "–"
	case d > 0:
		return "expires in " + Span(d)
	default:
		return "expired " + Span(d) + " ago"
	}
}

// due says when a new consent is due: "due in 89d", "ended 3d ago".
func due(t, now time.Time) string {
	switch d := t.Sub(now); {
	case t.IsZero():
		return "–"
	case d > 0:
		return "due in " + Span(d)
	default:
		return "ended " + Span(d) + " ago"
	}
}

// ago says how long something is past: "3h ago".
func ago(t, now time.Time) string {
	if d := now.Sub(t); d >= time.Second {
		return Span(d) + " ago"
	}
	return "just now"
}

// date writes an instant in the zone of now.
func date(t, now time.Time) string {
	return t.In(now.Location()).Format("2006-01-02 15:04 MST")
}
