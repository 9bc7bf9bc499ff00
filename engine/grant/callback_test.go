package grant_test

import (
	"context"
	"maps"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine/grant"
)

// Some servers say things in the redirect that they say nowhere else. What the
// preset lists is kept; the token answer, which no browser has seen, goes first.
func TestCallbackParameters(t *testing.T) {
	for name, tc := range map[string]struct {
		params  url.Values
		answer  map[string]any
		extra   map[string]string
		granted []string
		problem string
	}{
		"kept":                 {url.Values{"realmId": {"9130"}, "other": {"x"}}, nil, map[string]string{"realmId": "9130"}, []string{"a", "b"}, ""},
		"left out":             {nil, nil, map[string]string{}, []string{"a", "b"}, ""},
		"said in the answer":   {url.Values{"realmId": {"9130"}}, map[string]any{"realmId": "1"}, map[string]string{"realmId": "1"}, []string{"a", "b"}, ""},
		"a scope unticked":     {url.Values{"scope": {"a"}}, nil, map[string]string{"scope": "a"}, []string{"a"}, ""},
		"scopes in the answer": {url.Values{"scope": {"a"}}, map[string]any{"scope": "a,b"}, map[string]string{"scope": "a"}, []string{"a", "b"}, ""},
		"escapes":              {url.Values{"realmId": {"1\x1b[2J"}}, nil, map[string]string{}, []string{"a", "b"}, ""},
		"twice":                {url.Values{"realmId": {"1", "2"}}, nil, nil, nil, "realmId twice"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.srv.Token = func(m map[string]any) { maps.Copy(m, tc.answer) }
			w.person.OnOpen = func(v grant.Visit) {
				q := w.srv.Consent(v.URL)
				maps.Copy(q, tc.params)
				w.get(redirectTo(v, q))
			}
			p := w.preset()
			p.CallbackParams, p.ScopeSeparator = []string{"realmId", "scope"}, ","
			g, err := w.client(p, `scopes = ["a", "b"]`).Authorize(context.Background(), w.env())
			if tc.problem != "" {
				wantError(t, err, grant.Protocol, tc.problem)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			g.Done(nil)
			extra := map[string]string{}
			for k, v := range g.Tokens.Extra {
				extra[k] = v.Reveal()
			}
			if diff := cmp.Diff(tc.extra, extra); diff != "" {
				t.Errorf("extra (-want +have):\n%s", diff)
			}
			if diff := cmp.Diff(tc.granted, g.Granted); diff != "" {
				t.Errorf("granted (-want +have):\n%s", diff)
			}
		})
	}
}
