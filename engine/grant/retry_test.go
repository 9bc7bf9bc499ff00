package grant_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/grant/granttest"
)

// A server may name any number: it keeps nobody away for longer than a day, nor
// makes a time of it that has passed.
func TestRetryAfterOfAnySize(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"9223372036854775807": 24 * time.Hour, "18446744074": 24 * time.Hour, "9223372037": 24 * time.Hour, "1e400": 24 * time.Hour,
		"86401": 24 * time.Hour, "-1": 0, "-9223372036854775808": 0, "soon": 0, "NaN": 0, "": 0,
	} {
		w := newWorld(t)
		w.srv.On("/token", granttest.Reply{Status: 429, Header: map[string]string{"Retry-After": header}})
		_, err := grant.Refresh(context.Background(), w.env(), w.held(), nil)
		var e *grant.Error
		if !errors.As(err, &e) || e.RetryAfter != want {
			t.Errorf("Retry-After: %s gives %v, want %v", header, e.RetryAfter, want)
		}
	}
}

// A date (RFC 9110 §10.2.3) is told apart from the server's own clock, not from ours.
func TestRetryAfterADate(t *testing.T) {
	const now = "Mon, 02 Mar 2026 12:00:00 GMT"
	for header, want := range map[string]time.Duration{
		"Mon, 02 Mar 2026 12:02:05 GMT": 125 * time.Second,
		"Mon, 02 Mar 2026 11:00:00 GMT": 0,
		"Fri, 31 Dec 9999 23:59:59 GMT": 24 * time.Hour,
		"Mon, 02 Mar 2026 12:02:05 CET": 0,
	} {
		w := newWorld(t)
		w.srv.On("/token", granttest.Reply{Status: 503, Header: map[string]string{"Retry-After": header, "Date": now}})
		_, err := grant.Refresh(context.Background(), w.env(), w.held(), nil)
		var e *grant.Error
		if !errors.As(err, &e) || e.RetryAfter != want {
			t.Errorf("Retry-After: %s gives %v, want %v", header, e.RetryAfter, want)
		}
	}
}
