package grant_test

import (
	"context"
	"strings"
	"testing"
	"time"
)

// What is asked for and what was granted.
func TestGrantedScopes(t *testing.T) {
	for name, tc := range map[string]struct {
		asked   string
		scope   any // nil: the server does not say
		want    string
		warning string
	}{
		"not said":      {"a b", nil, "a b", ""},
		"the same":      {"a b", "b a", "b a", ""},
		"more":          {"a", "a b", "a b", ""},
		"fewer":         {"a b c", "a", "a", "not all scopes were granted: the server left out b, c"},
		"none":          {"a", "", "a", ""},
		"an array":      {"a b", []string{"a", "b"}, "a b", ""},
		"commas":        {"a b", "a,b", "a b", ""},
		"other case":    {"User.Read", "user.read", "user.read User.Read", ""},
		"with address":  {"User.Read", "https://graph.example/User.Read", "https://graph.example/User.Read User.Read", ""},
		"Google":        {"email", "https://www.googleapis.com/auth/userinfo.email", "https://www.googleapis.com/auth/userinfo.email email", ""},
		"offline":       {"a offline_access", "a", "a offline_access", ""},
		"not an ending": {"Read", "https://graph.example/User.Read", "https://graph.example/User.Read", "not all scopes were granted: the server left out Read"},
		"an escape":     {"a", "b\x1b[2J", "", "not all scopes were granted: the server left out a"},
		"escape beside": {"a", "a b\x1b[2J", "a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.srv.Token = func(m map[string]any) {
				if tc.scope != nil {
					m["scope"] = tc.scope
				}
			}
			w.consent(nil)
			p := w.preset()
			if name == "commas" {
				p.ScopeSeparator = ","
			}
			g, err := w.client(p, "scopes = \""+tc.asked+"\"").Authorize(context.Background(), w.env())
			if err != nil {
				t.Fatal(err)
			}
			g.Done(nil)
			if have := strings.Join(g.Granted, " "); have != tc.want {
				t.Errorf("granted %q, want %q", have, tc.want)
			}
			if have := strings.Join(g.Warnings, "\n"); have != tc.warning {
				t.Errorf("warnings %q, want %q", have, tc.warning)
			}
		})
	}
}

// Lifetimes as the server says them, in whatever form, and the configured ones
// where it does not.
func TestLifetimes(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for name, tc := range map[string]struct {
		members       map[string]any
		access, renew time.Duration // 0: unknown
		warning       string
	}{
		"number":              {map[string]any{"expires_in": 60}, time.Minute, 90 * 24 * time.Hour, ""},
		"string":              {map[string]any{"expires_in": "60"}, time.Minute, 90 * 24 * time.Hour, ""},
		"fraction":            {map[string]any{"expires_in": 59.9}, 59 * time.Second, 90 * 24 * time.Hour, ""},
		"missing":             {map[string]any{"expires_in": nil}, 2 * time.Hour, 90 * 24 * time.Hour, ""},
		"0 is not for ever":   {map[string]any{"expires_in": 0}, 2 * time.Hour, 90 * 24 * time.Hour, ""},
		"negative":            {map[string]any{"expires_in": -5}, 2 * time.Hour, 90 * 24 * time.Hour, "negative"},
		"words":               {map[string]any{"expires_in": "soon"}, 2 * time.Hour, 90 * 24 * time.Hour, "not a number"},
		"an object":           {map[string]any{"expires_in": map[string]any{}}, 2 * time.Hour, 90 * 24 * time.Hour, "not a number"},
		"huge":                {map[string]any{"expires_in": 1e300}, 10 * year, 90 * 24 * time.Hour, "ten years"},
		"beyond int64":        {map[string]any{"expires_in": "99999999999999999999999"}, 10 * year, 90 * 24 * time.Hour, "ten years"},
		"Microsoft, GitHub":   {map[string]any{"expires_in": 60, "refresh_token_expires_in": 3600}, time.Minute, time.Hour, ""},
		"Keycloak":            {map[string]any{"expires_in": 60, "refresh_expires_in": 1800}, time.Minute, 30 * time.Minute, ""},
		"Keycloak, offline":   {map[string]any{"expires_in": 60, "refresh_expires_in": 0}, time.Minute, 90 * 24 * time.Hour, ""},
		"Intuit":              {map[string]any{"expires_in": 60, "x_refresh_token_expires_in": 8640000}, time.Minute, 100 * 24 * time.Hour, ""},
		"rt-expiration draft": {map[string]any{"expires_in": 60, "refresh_token_timeout": "120"}, time.Minute, 2 * time.Minute, ""},
		"no refresh token":    {map[string]any{"expires_in": 60, "refresh_token": nil}, time.Minute, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.srv.Token = func(m map[string]any) {
				for k, v := range tc.members {
					m[k] = v
					if v == nil {
						delete(m, k)
					}
				}
			}
			w.consent(nil)
			p := w.preset()
			p.Lifetimes.Refresh = 90 * 24 * time.Hour
			p.Lifetimes.Access = time.Hour // the connection's own is stronger
			g, err := w.client(p, `token_lifetimes { access = "2h" }`).Authorize(context.Background(), w.env())
			if err != nil {
				t.Fatal(err)
			}
			g.Done(nil)
			since := func(at time.Time) time.Duration {
				if at.IsZero() {
					return 0
				}
				return at.Sub(w.clock.Now())
			}
			if a, r := since(g.ExpiresAt), since(g.RefreshExpiresAt); a != tc.access || r != tc.renew {
				t.Errorf("access %v, refresh %v; want %v, %v", a, r, tc.access, tc.renew)
			}
			if !strings.Contains(strings.Join(g.Warnings, ""), tc.warning) {
				t.Errorf("warnings %q", g.Warnings)
			}
		})
	}
}

// A refresh token was asked for and did not come: the person is told, with the usual cause.
func TestMissingRefreshToken(t *testing.T) {
	w := newWorld(t)
	w.srv.Token = func(m map[string]any) { delete(m, "refresh_token") }
	w.consent(nil)
	p := w.preset()
	p.Base, p.OfflineParams = "google", map[string]string{"access_type": "offline"}
	g, err := w.client(p, "").Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
	if text := strings.Join(g.Warnings, "\n"); !strings.Contains(text, "no refresh token") || !strings.Contains(text, `prompt = "consent"`) {
		t.Errorf("warnings: %q", g.Warnings)
	}
}
