package grant_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/grant/granttest"
	"github.com/oauthctl/oauthctl/providers"
)

const (
	oidcPath  = "/.well-known/openid-configuration"
	oauthPath = "/.well-known/oauth-authorization-server"
)

// Where the document is looked for (RFC 8414 §3.1, OpenID Connect Discovery §4).
func TestMetadataPlaces(t *testing.T) {
	for name, tc := range map[string]struct {
		path, discovery string
		missing         string // a place that has no document
		want            []string
	}{
		"auto":                     {"", "auto", "", []string{oidcPath}},
		"not said":                 {"", "", "", []string{oidcPath}},
		"auto, no OpenID provider": {"", "auto", oidcPath, []string{oidcPath, oauthPath}},
		"oidc":                     {"", "oidc", "", []string{oidcPath}},
		"oauth":                    {"", "oauth", "", []string{oauthPath}},
		"oidc, path":               {"/realms/a", "oidc", "", []string{"/realms/a" + oidcPath}},
		"oauth, path":              {"/realms/a", "oauth", "", []string{oauthPath + "/realms/a"}},
		"oauth, path with a slash": {"/realms/a/", "oauth", "", []string{oauthPath + "/realms/a"}},
		"auto, path":               {"/realms/a", "auto", "/realms/a" + oidcPath, []string{"/realms/a" + oidcPath, oauthPath + "/realms/a"}},
		"oidc, slash":              {"/", "oidc", "", []string{oidcPath}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p := w.preset()
			p.Issuer, p.Discovery = w.srv.URL+tc.path, tc.discovery
			document := map[string]any{"issuer": p.Issuer, "token_endpoint": w.srv.URL + "/token", "authorization_endpoint": w.srv.URL + "/authorize"}
			for _, path := range tc.want {
				w.srv.On(path, granttest.JSON(200, document))
			}
			if tc.missing != "" {
				w.srv.On(tc.missing, granttest.Reply{Status: 404})
			}
			if err := w.client(p, "").Discover(context.Background(), w.env()); err != nil {
				t.Fatal(err)
			}
			var have []string
			for _, c := range w.srv.Calls("") {
				have = append(have, c.Path)
			}
			if !slices.Equal(have, tc.want) {
				t.Errorf("looked at %q, want %q", have, tc.want)
			}
		})
	}
}

// Only what is empty is filled, in a copy; a complete preset makes no request.
func TestDiscoverFillsGaps(t *testing.T) {
	w := newWorld(t)
	p := w.preset()
	p.TokenEndpoint = "https://own.example/token"
	c := w.client(p, `scopes = ["openid"]`)
	if err := c.Discover(context.Background(), w.env()); err != nil {
		t.Fatal(err)
	}
	have := c.Preset
	if have.TokenEndpoint != "https://own.example/token" || have.AuthorizationEndpoint != w.srv.URL+"/authorize" || have.JWKSURI != w.srv.URL+"/keys" ||
		have.RevocationEndpoint != w.srv.URL+"/revoke" || have.DeviceEndpoint != w.srv.URL+"/device" || have.UserinfoEndpoint != w.srv.URL+"/userinfo" || !have.RequireIss {
		t.Errorf("the preset became %+v", have)
	}
	if p.AuthorizationEndpoint != "" || p.RequireIss {
		t.Error("the shared preset was changed")
	}
	if sc := c.StateClient(); sc.JWKSURI != w.srv.URL+"/keys" || sc.RevocationEndpoint != w.srv.URL+"/revoke" || sc.Issuer != w.srv.URL {
		t.Errorf("for the state: %+v", sc)
	}
	for range 2 {
		if err := c.Discover(context.Background(), w.env()); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.srv.Calls("")); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}

	whole := &providers.Preset{Name: "x", Issuer: w.srv.URL, Discovery: "auto", AuthorizationEndpoint: "https://a.example/a", TokenEndpoint: "https://a.example/t"}
	if err := w.client(whole, "").Discover(context.Background(), w.env()); err != nil || len(w.srv.Calls("")) != 1 {
		t.Errorf("a complete preset: %v, %d requests", err, len(w.srv.Calls("")))
	}
}

// Documents that must not be used: nothing else is called, and the error says why.
func TestMetadataRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(m map[string]any)
		reply  *granttest.Reply
		kind   grant.Kind
		words  string
	}{
		"discovery-issuer-mismatch":  {change: func(m map[string]any) { m["issuer"] = "https://evil.example" }, kind: grant.Protocol, words: `calls itself "https://evil.example"`},
		"issuer with a slash":        {change: func(m map[string]any) { m["issuer"] = m["issuer"].(string) + "/" }, kind: grant.Protocol, words: "exactly"},
		"no issuer":                  {change: func(m map[string]any) { delete(m, "issuer") }, kind: grant.Protocol, words: "not a metadata document"},
		"plain http":                 {change: func(m map[string]any) { m["token_endpoint"] = "http://login.example/token" }, kind: grant.Protocol, words: "plain http"},
		"javascript":                 {change: func(m map[string]any) { m["authorization_endpoint"] = "javascript:alert(1)" }, kind: grant.Protocol, words: "authorization_endpoint"},
		"file":                       {change: func(m map[string]any) { m["authorization_endpoint"] = "file:///etc/passwd" }, kind: grant.Protocol, words: "file"},
		"a shell expression":         {change: func(m map[string]any) { m["authorization_endpoint"] = "https://a.example/$(id)`x`" }, kind: grant.Protocol, words: "not a URL"},
		"a quote":                    {change: func(m map[string]any) { m["authorization_endpoint"] = "https://a.example/'\"" }, kind: grant.Protocol, words: "not a URL"},
		"an escape":                  {change: func(m map[string]any) { m["authorization_endpoint"] = "https://a.example/\x1b[2J" }, kind: grant.Protocol, words: `\x1b[2J`},
		"credentials":                {change: func(m map[string]any) { m["token_endpoint"] = "https://a:b@c.example/" }, kind: grant.Protocol, words: "credentials"},
		"plain PKCE only":            {change: func(m map[string]any) { m["code_challenge_methods_supported"] = []string{"plain"} }, kind: grant.Protocol, words: "S256"},
		"no token endpoint":          {change: func(m map[string]any) { delete(m, "token_endpoint") }, kind: grant.Config, words: "token_endpoint"},
		"no authorization endpoint":  {change: func(m map[string]any) { delete(m, "authorization_endpoint") }, kind: grant.Config, words: "authorization_endpoint"},
		"no keys for the ID token":   {change: func(m map[string]any) { delete(m, "jwks_uri") }, kind: grant.Config, words: "jwks_uri"},
		"no document":                {reply: &granttest.Reply{Status: 404}, kind: grant.Config, words: "no metadata document"},
		"HTML":                       {reply: &granttest.Reply{Body: "<html>"}, kind: grant.Protocol, words: "not a metadata document"},
		"server error":               {reply: &granttest.Reply{Status: 500}, kind: grant.Temporary, words: "HTTP 500"},
		"too large":                  {reply: &granttest.Reply{Body: `{"x":"` + strings.Repeat("x", 1<<20) + `"}`}, kind: grant.Temporary, words: "1024 KiB"},
		"redirect to another origin": {reply: &granttest.Reply{Status: 302, Header: map[string]string{"Location": "http://127.0.0.1:1/x"}}, kind: grant.Config, words: "HTTP 302"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if tc.change != nil {
				w.srv.Metadata = tc.change
			}
			if tc.reply != nil {
				w.srv.On(oidcPath, *tc.reply)
				w.srv.On(oauthPath, *tc.reply)
			}
			_, err := w.client(w.preset(), `scopes = ["openid"]`).Authorize(context.Background(), w.env())
			wantError(t, err, tc.kind, tc.words)
			if len(w.person.Visits()) != 0 {
				t.Error("a browser was opened")
			}
			for _, c := range w.srv.Calls("") {
				if !strings.HasPrefix(c.Path, "/.well-known/") {
					t.Errorf("%s was called", c.Path)
				}
			}
		})
	}
}

// Without a word from connection and preset, the metadata decides how the client
// signs in; then the choice stays.
func TestAuthMethodFromMetadata(t *testing.T) {
	for name, tc := range map[string]struct {
		methods []string
		want    string // "" for an error
	}{
		"both":             {[]string{"client_secret_post", "client_secret_basic"}, "client_secret_basic"},
		"post":             {[]string{"private_key_jwt", "client_secret_post"}, "client_secret_post"},
		"not said":         {nil, "client_secret_basic"},
		"no secret at all": {[]string{"none"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.srv.Metadata = func(m map[string]any) {
				m["token_endpoint_auth_methods_supported"] = tc.methods
				if tc.methods == nil {
					delete(m, "token_endpoint_auth_methods_supported")
				}
			}
			c := w.client(w.preset(), `client_secret = env("X")`)
			if c.Auth != "" || c.StateClient().Auth != "" {
				t.Errorf("before discovery: %q", c.Auth)
			}
			err := c.Discover(context.Background(), w.env())
			if tc.want == "" {
				wantError(t, err, grant.Config, "client_secret")
				return
			}
			if err != nil || c.Auth != tc.want {
				t.Errorf("auth = %q, %v", c.Auth, err)
			}
		})
	}
	w := newWorld(t)
	w.srv.Metadata = func(m map[string]any) { m["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"} }
	c := w.client(w.preset(), "client_secret = env(\"X\")\nclient_auth = \"client_secret_basic\"")
	if err := c.Discover(context.Background(), w.env()); err != nil || c.Auth != "client_secret_basic" {
		t.Errorf("what the connection says was changed to %q: %v", c.Auth, err)
	}
}

// Redirects of a document are followed within its origin only.
func TestMetadataRedirectWithinOrigin(t *testing.T) {
	w := newWorld(t)
	w.srv.On(oidcPath, granttest.Reply{Status: 302, Header: map[string]string{"Location": oauthPath}})
	if err := w.client(w.preset(), "").Discover(context.Background(), w.env()); err != nil {
		t.Fatal(err)
	}
}

// A public server must not make us speak to addresses inside: neither by a
// literal nor by a name. (The transport plays the public server.)
func TestPublicServerPointsInside(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the address inside was reached") }))
	defer inside.Close()
	_, port, _ := net.SplitHostPort(inside.Listener.Addr().String())
	for _, host := range []string{"127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port, "169.254.169.254", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "[fe80::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "0.0.0.0"} {
		w := newWorld(t)
		env := w.env()
		env.HTTP = grant.NewHTTPClient(grant.HTTPOptions{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			rec := httptest.NewRecorder()
			_, _ = rec.WriteString(`{"issuer":"https://8.8.8.8","authorization_endpoint":"https://8.8.8.8/a","token_endpoint":"https://` + host + `/token"}`)
			return rec.Result(), nil
		})})
		p := w.preset()
		p.Issuer = "https://8.8.8.8"
		_, err := w.client(p, "").Authorize(context.Background(), env)
		wantError(t, err, grant.Protocol, "not a public address", "token_endpoint")
	}
}

// What a public server named is marked for later requests, which are made from
// the record alone.
func TestRecordRemembersThatAPublicServerNamedTheEndpoints(t *testing.T) {
	for issuer, want := range map[string]bool{"https://8.8.8.8": true, "https://10.0.0.1": false} {
		w := newWorld(t)
		env := w.env()
		env.HTTP = grant.NewHTTPClient(grant.HTTPOptions{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
			rec := httptest.NewRecorder()
			_, _ = rec.WriteString(`{"issuer":"` + issuer + `","authorization_endpoint":"` + issuer + `/a","token_endpoint":"` + issuer + `/token"}`)
			return rec.Result(), nil
		})})
		p := w.preset()
		p.Issuer = issuer
		c := w.client(p, "")
		if err := c.Discover(context.Background(), env); err != nil {
			t.Fatal(err)
		}
		if have := c.StateClient().Guarded; have != want {
			t.Errorf("%s: guarded %t", issuer, have)
		}
	}
}

// Behind a proxy it cannot be seen where a server is: then this machine and
// link-local addresses are refused, and a server that is inside may point inside.
func TestServerElsewherePointsHere(t *testing.T) {
	for _, tc := range []struct {
		issuer, endpoint string
		ok               bool
	}{
		{"https://login.example", "https://169.254.169.254/token", false},
		{"https://login.example", "https://localhost/token", false},
		{"https://login.example", "https://[::1]/token", false},
		{"https://login.example", "https://10.0.0.1/token", true},
		{"https://10.0.0.2", "https://10.0.0.1/token", true},
	} {
		w := newWorld(t)
		env := w.env()
		env.HTTP = grant.NewHTTPClient(grant.HTTPOptions{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
			rec := httptest.NewRecorder()
			_, _ = rec.WriteString(`{"issuer":"` + tc.issuer + `","authorization_endpoint":"` + tc.issuer + `/a","token_endpoint":"` + tc.endpoint + `"}`)
			return rec.Result(), nil
		})})
		p := w.preset()
		p.Issuer = tc.issuer
		if err := w.client(p, "").Discover(context.Background(), env); (err == nil) != tc.ok {
			t.Errorf("%s names %s: %v", tc.issuer, tc.endpoint, err)
		}
	}
}
