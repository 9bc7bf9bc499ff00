package grant_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/grant/granttest"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// The client credentials grant, in the three ways that a client can sign in.
func TestClientCredentials(t *testing.T) {
	for auth, tc := range map[string]struct {
		header string
		form   url.Values
	}{
		"client_secret_basic": {"Basic " + base64.StdEncoding.EncodeToString([]byte("client-1:s3cr3t%2B%2F%3AX")), url.Values{}},
		"client_secret_post":  {"", url.Values{"client_id": {"client-1"}, "client_secret": {"s3cr3t+/:X"}}},
	} {
		t.Run(auth, func(t *testing.T) {
			w := newWorld(t)
			env := w.env()
			env.User = nil // nobody is needed
			c := w.client(w.preset(), `
				client_secret = env("X")
				client_auth   = "`+auth+`"
				scopes        = ["a", "b"]
				audience      = "https://api.example"
				resource      = ["https://r1.example", "https://r2.example"]
				token_params  = { tenant = "7" }
				grant "client_credentials" {}`)
			g, err := c.Authorize(context.Background(), env)
			if err != nil {
				t.Fatal(err)
			}
			call := w.srv.Calls("/token")[0]
			want := url.Values{"grant_type": {"client_credentials"}, "scope": {"a b"}, "audience": {"https://api.example"}, "tenant": {"7"},
				"resource": {"https://r1.example", "https://r2.example"}}
			for k, v := range tc.form {
				want[k] = v
			}
			if diff := cmp.Diff(want, call.Form); diff != "" {
				t.Errorf("request (-want +have):\n%s", diff)
			}
			if call.Header.Get("Authorization") != tc.header {
				t.Errorf("Authorization: %q", call.Header.Get("Authorization"))
			}
			if g.Tokens.AccessToken != "access-1" || !g.Tokens.RefreshToken.Empty() || len(g.Warnings) != 0 || g.Finish != nil {
				t.Errorf("warnings %q", g.Warnings)
			}
			if _, err := grant.Refresh(context.Background(), env, record(c, g), nil); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, w.srv.Calls("/token")[1].Form); diff != "" {
				t.Errorf("asked again (-want +have):\n%s", diff)
			}
		})
	}
}

// Revocation (RFC 7009): the refresh token first, any 2xx is success.
func TestRevoke(t *testing.T) {
	unsupported := granttest.OAuthError(400, "unsupported_token_type", "")
	for name, tc := range map[string]struct {
		refresh string
		replies []granttest.Reply
		want    []string // tokens that were sent
		kind    grant.Kind
	}{
		"refresh token":        {"old-refresh", nil, []string{"old-refresh"}, ""},
		"no refresh token":     {"", nil, []string{"old-access"}, ""},
		"204":                  {"old-refresh", []granttest.Reply{{Status: 204}}, []string{"old-refresh"}, ""},
		"unsupported type":     {"old-refresh", []granttest.Reply{unsupported}, []string{"old-refresh", "old-access"}, grant.Protocol},
		"unsupported, both":    {"old-refresh", []granttest.Reply{unsupported, unsupported}, []string{"old-refresh", "old-access"}, grant.Protocol},
		"503":                  {"old-refresh", []granttest.Reply{{Status: 503, Header: map[string]string{"Retry-After": "5"}}}, []string{"old-refresh"}, grant.Temporary},
		"invalid_client":       {"old-refresh", []granttest.Reply{granttest.OAuthError(401, "invalid_client", "")}, []string{"old-refresh"}, grant.Config},
		"connection lost":      {"old-refresh", []granttest.Reply{{Fault: granttest.Close}}, []string{"old-refresh"}, grant.Temporary},
		"redirect":             {"old-refresh", []granttest.Reply{{Status: 308, Header: map[string]string{"Location": "/token"}}}, []string{"old-refresh"}, grant.Protocol},
		"HTML instead of JSON": {"old-refresh", []granttest.Reply{{Status: 500, Body: "<html>"}}, []string{"old-refresh"}, grant.Temporary},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.srv.On("/revoke", tc.replies...)
			rec := w.held()
			rec.Tokens.RefreshToken = secret.Secret(tc.refresh)
			err := grant.Revoke(context.Background(), w.env(), rec)
			if tc.kind != "" {
				wantError(t, err, tc.kind, "/revoke")
			} else if err != nil {
				t.Fatal(err)
			}
			var sent []string
			for _, c := range w.srv.Calls("") {
				sent = append(sent, c.Form.Get("token"))
				if c.Path != "/revoke" || c.Form.Get("client_id") != "client-1" || c.Form.Get("client_secret") != "s3cr3t" || c.Form.Get("token_type_hint") == "" {
					t.Errorf("%s: %v", c.Path, c.Form)
				}
			}
			if diff := cmp.Diff(tc.want, sent); diff != "" {
				t.Errorf("sent (-want +have):\n%s", diff)
			}
		})
	}
	w := newWorld(t)
	rec := w.held()
	rec.Info.Client.RevocationEndpoint = ""
	if err := grant.Revoke(context.Background(), w.env(), rec); !errors.Is(err, grant.ErrNotRevocable) {
		t.Errorf("without an endpoint: %v", err)
	}
	rec = w.held()
	rec.Info.Client.Auth = "client_secret_basic"
	if err := grant.Revoke(context.Background(), w.env(), rec); err != nil {
		t.Fatal(err)
	}
	if c := w.srv.Calls("/revoke")[0]; c.Form.Has("client_secret") || c.Header.Get("Authorization") == "" {
		t.Errorf("not by Basic: %v", c.Form)
	}
}
