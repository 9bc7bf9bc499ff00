package schema

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

var errDuration = errors.New(`is not a duration such as "90s", "5m", "1h30m" or "90d", or a number of seconds`)

// ParseDuration reads a duration of the language: Go's syntax plus d (24 hours)
// as the first unit ("90d", "1d12h"), or a bare number of seconds. Negative
// durations and fractions of a second are errors.
func ParseDuration(s string) (time.Duration, error) {
	d, err := parseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q %w", s, err)
	}
	return d, nil
}

func parseDuration(s string) (time.Duration, error) {
	if strings.HasPrefix(s, "-") {
		return 0, errors.New("must not be negative")
	}
	if isDigits(s) {
		return units(s, time.Second)
	}
	var days time.Duration
	if head, rest, ok := strings.Cut(s, "d"); ok && isDigits(head) {
		d, err := units(head, day)
		if err != nil || rest == "" {
			return d, err
		}
		days, s = d, rest
	}
	if s[:min(1, len(s))] == "+" { // time.ParseDuration would take it
		return 0, errDuration
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return 0, errDuration
	case d < 0 || d%time.Second != 0:
		return 0, errors.New("must be a whole number of seconds")
	case d > math.MaxInt64-days:
		return 0, errors.New("is too long")
	}
	return days + d, nil
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func units(s string, unit time.Duration) (time.Duration, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > math.MaxInt64/int64(unit) {
		return 0, errors.New("is too long")
	}
	return time.Duration(n) * unit, nil
}

// FormatDuration writes a duration as ParseDuration reads it, in the largest
// units that fit ("90d", "1h", "30m"). Fractions of a second are cut off.
func FormatDuration(d time.Duration) string {
	if d < 0 {
		return "-" + FormatDuration(-max(d, -math.MaxInt64))
	}
	var b strings.Builder
	for _, u := range []struct {
		size time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if n := d / u.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.size
		}
	}
	if b.Len() == 0 {
		return "0s"
	}
	return b.String()
}
