package grant_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/providers"
)

const locatedRealm = "5a4db0c5-1111-4222-8333-9ee4cbd0a1f7"

// located is a server whose token endpoint is asked for in a way of its own.
func located() *providers.Preset {
	return &providers.Preset{
		Name: "farm", Title: "Farm", Discovery: "none", Quirks: []string{"realm_challenge"}, PKCE: "broken", ClientAuth: []string{"none"},
		AuthorizationEndpoint: "https://farm.example/authorize", Args: map[string]string{"site_url": "https://farm.example"},
	}
}

// answers is a transport that counts what it is asked for.
type answers struct {
	status int
	header string
	err    error
	asked  atomic.Int32
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	a.asked.Add(1)
	if a.err != nil {
		return nil, a.err
	}
	resp := &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: r}
	if strings.HasPrefix(r.URL.Path, "/metadata/") {
		resp.StatusCode = http.StatusOK
		resp.Body = io.NopCloser(strings.NewReader(`{"endpoints":[{"protocol":"OAuth2","location":"https://` + r.URL.Host + "/" + locatedRealm + `/tokens/OAuth/2"}]}`))
	}
	resp.Header.Set("WWW-Authenticate", a.header)
	return resp, nil
}

// What the server's own way says becomes an error with its kind and remedy.
func TestServersOwnWayLeadsNowhere(t *testing.T) {
	for _, c := range []struct {
		name   string
		server *answers
		kind   grant.Kind
		detail string
	}{
		{"no realm", &answers{status: 401, header: "NTLM, \x1b[2JEvil"}, grant.Config, "not connected to ACS"},
		{"busy", &answers{status: 503}, grant.Temporary, "cannot answer now"},
		{"no network", &answers{err: errors.New("no route to host")}, grant.Temporary, "no route to host"},
		{"interrupted", &answers{err: context.Canceled}, grant.Interrupted, "canceled"},
	} {
		w := newWorld(t)
		env := w.env()
		env.HTTP = grant.NewHTTPClient(grant.HTTPOptions{Transport: c.server})
		err := w.client(located(), "redirect_uris = [\"https://app.example/cb\"]\n scopes = [\"Web.Read\"]").Discover(t.Context(), env)
		e := wantError(t, err, c.kind)
		if !strings.Contains(e.Detail, c.detail) || !strings.Contains(e.Doing, "https://farm.example/_vti_bin/client.svc") || e.Remedy == "" || strings.ContainsRune(e.Error(), 0x1b) {
			t.Errorf("%s: %v; %s", c.name, e, e.Remedy)
		}
	}
}

// Flows of one run ask once; a failure is not kept, and another run asks again.
func TestSharedEndpoints(t *testing.T) {
	w := newWorld(t)
	server := &answers{err: errors.New("down")}
	env := w.env()
	env.HTTP, env.Shared = grant.NewHTTPClient(grant.HTTPOptions{Transport: server}), new(grant.Shared)
	discover := func(want int32) {
		t.Helper()
		before := server.asked.Load()
		c := w.client(located(), "redirect_uris = [\"https://app.example/cb\"]\n scopes = [\"Web.Read\"]")
		err := c.Discover(t.Context(), env)
		if got := server.asked.Load() - before; got != want {
			t.Errorf("%d requests, want %d", got, want)
		}
		if server.err == nil && (err != nil || !strings.HasSuffix(c.Preset.TokenEndpoint, "/"+locatedRealm+"/tokens/OAuth/2")) {
			t.Errorf("%q, %v", c.Preset.TokenEndpoint, err)
		}
	}
	discover(1)
	discover(1)
	server.err, server.status, server.header = nil, 401, `Bearer realm="`+locatedRealm+`"`
	discover(2)
	discover(0)
	env.Shared = new(grant.Shared)
	discover(2)
	env.Shared = nil
	discover(2)
}
