package view

import (
	"strconv"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

const (
	day  = 24 * time.Hour
	year = 365 * day
)

// Span writes a length of time as a person says it: "35s", "42m", "1h30m", "11h",
// "3d4h", "90d", "2y". It is rounded to the nearest, so that what was granted for an
// hour a moment ago has an hour, and never to more than a twentieth of a long time;
// years, which are longer, are whole ones.
func Span(d time.Duration) string {
	d = d.Abs()
	switch {
	case d.Round(time.Second) < time.Minute:
		return itoa(int(d.Round(time.Second)/time.Second)) + "s"
	case d.Round(time.Minute) < 10*time.Hour:
		return units(d.Round(time.Minute), time.Hour, "h", time.Minute, "m")
	case d.Round(time.Hour) < 10*day:
		return units(d.Round(time.Hour), day, "d", time.Hour, "h")
	case d.Round(day) < 2*year:
		return itoa(int(d.Round(day)/day)) + "d"
	}
	return itoa(int(d.Round(day)/year)) + "y"
}

// units writes a length of time in two units, without one that is nothing.
func units(d, large time.Duration, largeName string, small time.Duration, smallName string) string {
	n, rest := int(d/large), int(d%large/small)
	switch {
	case n == 0:
		return itoa(rest) + smallName
	case rest == 0:
		return itoa(n) + largeName
	}
	return itoa(n) + largeName + itoa(rest) + smallName
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
