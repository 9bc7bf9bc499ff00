package providers_test

import (
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/providers"
)

func TestRedirectCheck(t *testing.T) {
	open := providers.RedirectRules{LoopbackHost: "127.0.0.1", Path: "/callback"}
	https := providers.RedirectRules{LoopbackHost: "127.0.0.1", HTTPS: true}
	fixed := providers.RedirectRules{LoopbackHost: "127.0.0.1", Path: "/callback", FixedPort: true}
	spotify := providers.RedirectRules{LoopbackHost: "127.0.0.1", Path: "/callback", Refused: []string{"localhost"}}
	local := func(uri, host, port string) providers.Redirect {
		return providers.Redirect{URI: uri, Loopback: true, Host: host, Port: port}
	}
	for _, tc := range []struct {
		rules providers.RedirectRules
		uri   string
		want  providers.Redirect
		err   string // part of the error; "" for none
	}{
		{open, "http://127.0.0.1/callback", local("http://127.0.0.1/callback", "127.0.0.1", ""), ""},
		{open, "http://127.0.0.1:0/callback", local("http://127.0.0.1:0/callback", "127.0.0.1", ""), ""},
		{open, "http://Localhost:8085", local("http://Localhost:8085", "localhost", "8085"), ""},
		{open, "http://[::1]:8085/x", local("http://[::1]:8085/x", "::1", "8085"), ""},
		{open, "https://localhost/callback", providers.Redirect{URI: "https://localhost/callback"}, ""},
		{open, "https://acme.example/callback", providers.Redirect{URI: "https://acme.example/callback"}, ""},
		{open, "com.example.app:/callback", providers.Redirect{URI: "com.example.app:/callback"}, ""},
		{open, "callback", providers.Redirect{}, "not an absolute URI"},
		{open, "http://127.0.0.1/call back", providers.Redirect{}, "not an absolute URI"},
		{open, "http:///callback", providers.Redirect{}, "no host"},
		{open, "http://127.0.0.1/callback#x", providers.Redirect{}, "fragment"},
		{open, "https://acme.example/callback#", providers.Redirect{}, "fragment"},
		{open, "http://a@127.0.0.1/", providers.Redirect{}, "user name"},
		{open, "http://127.0.0.1:70000/", providers.Redirect{}, "valid port"},
		{open, "http://acme.example/callback", providers.Redirect{}, "in clear"},
		{open, "http://127.0.0.1.acme.example/", providers.Redirect{}, "in clear"},
		{https, "https://acme.example/callback", providers.Redirect{URI: "https://acme.example/callback"}, ""},
		{https, "http://127.0.0.1/callback", providers.Redirect{}, "https redirect URIs only"},
		{https, "com.example.app:/callback", providers.Redirect{}, "https redirect URIs only"},
		{fixed, "http://127.0.0.1:8085/callback", local("http://127.0.0.1:8085/callback", "127.0.0.1", "8085"), ""},
		{fixed, "http://127.0.0.1/callback", providers.Redirect{}, "http://127.0.0.1:8085/callback"},
		{fixed, "http://[::1]/callback", providers.Redirect{}, "http://[::1]:8085/callback"},
		{fixed, "http://127.0.0.1:0/callback", providers.Redirect{}, "compares"},
		{fixed, "https://acme.example/callback", providers.Redirect{URI: "https://acme.example/callback"}, ""},
		{spotify, "http://LOCALHOST:8085/callback", providers.Redirect{}, "use http://127.0.0.1/callback"},
		{spotify, "https://localhost/callback", providers.Redirect{}, "does not accept localhost"},
		{spotify, "http://[::1]/callback", local("http://[::1]/callback", "::1", ""), ""},
	} {
		got, err := tc.rules.Check(tc.uri)
		if got != tc.want || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("Check(%q) = %+v, %v, want %+v, %q", tc.uri, got, err, tc.want, tc.err)
		}
	}
}

func TestRedirectChoose(t *testing.T) {
	ip := providers.RedirectRules{LoopbackHost: "127.0.0.1", Path: "/callback"}
	name := providers.RedirectRules{LoopbackHost: "localhost"}
	for _, tc := range []struct {
		rules    providers.RedirectRules
		declared []string
		want     string // "" for an error
		made     bool
	}{
		{ip, nil, "http://127.0.0.1/callback", true},
		{name, nil, "http://localhost", true},
		{providers.RedirectRules{LoopbackHost: "::1", Path: "/callback"}, nil, "http://[::1]/callback", true},
		{providers.RedirectRules{LoopbackHost: "127.0.0.1", FixedPort: true}, nil, "", false},
		{providers.RedirectRules{LoopbackHost: "127.0.0.1", HTTPS: true}, nil, "", false},
		{ip, []string{"https://acme.example/cb"}, "https://acme.example/cb", false},
		{ip, []string{"https://acme.example/cb", "http://localhost/cb"}, "http://localhost/cb", false},
		{ip, []string{"http://localhost/cb", "http://127.0.0.1/cb"}, "http://127.0.0.1/cb", false},
		{name, []string{"http://localhost/cb", "http://127.0.0.1/cb"}, "http://localhost/cb", false},
		{name, []string{"http://localhost/a", "http://localhost/b"}, "http://localhost/a", false},
		{ip, []string{"https://a.example/cb", "https://b.example/cb"}, "https://a.example/cb", false},
		{ip, []string{"http://127.0.0.1/cb", "http://acme.example/cb"}, "", false}, // a mistake is one even if not chosen
	} {
		got, err := tc.rules.Choose(tc.declared)
		if got.URI != tc.want || got.Made != tc.made || (err == nil) != (tc.want != "") {
			t.Errorf("Choose(%q) by %+v = %+v, %v, want %q", tc.declared, tc.rules, got, err, tc.want)
		}
	}
}

// Each issuer has a redirect path of its own, unless a preset or the user says
// which one. It follows from the server alone.
func TestRedirectPaths(t *testing.T) {
	connection := func(provider, body string) string {
		return "connection \"c\" {\n provider = \"" + provider + "\"\n client_id = \"x\"\n" + body + "\n}\n"
	}
	server := func(body string) string { return "provider \"p\" {\n" + body + "\n}\n" + connection("p", "") }
	for text, want := range map[string]string{
		server(`issuer = "https://login.acme.example"`):               "/callback/login.acme.example",
		server(`issuer = "https://LOGIN.acme.example/"`):              "/callback/login.acme.example",
		server(`issuer = "https://login.acme.example/realms/main"`):   "/callback/login.acme.example/realms/main",
		server(`issuer = "https://login.acme.example/realms/other"`):  "/callback/login.acme.example/realms/other",
		server(`issuer = "https://login.acme.example:8443"`):          "/callback/login.acme.example:8443",
		server(`issuer = "http://[::1]:9000/"`):                       "/callback/::1:9000",
		server(`issuer = "https://login.acme.example/a/../../../b"`):  "/callback/login.acme.example/b",
		server(`issuer = "https://login.acme.example/{tenantid}/v2"`): "/callback/login.acme.example",
		server("authorization_endpoint = \"https://login.acme.example/oauth/authorize\"\ntoken_endpoint = \"https://api.acme.example/token\""): "/callback/login.acme.example",
		server("issuer = \"https://login.acme.example\"\nredirect {\n path = \"/oauth\"\n}"):                                                   "/oauth",
		server("issuer = \"https://login.acme.example\"\nredirect {\n path = \"\"\n}"):                                                         "",
		server("issuer = \"https://login.acme.example\"\nredirect {\n loopback_host = \"localhost\"\n}"):                                       "/callback/login.acme.example",

		connection("google", ""):    "", // as Google and Microsoft have them registered
		connection("microsoft", ""): "",
		connection("onedrive", ""):  "",
		connection("github", ""):    "/callback/github.com",
		connection("gitlab", ""):    "/callback/gitlab.com",
		connection("spotify", ""):   "/callback/accounts.spotify.com",
		connection("keycloak", "base_url = \"https://sso.acme.example\"\nrealm = \"main\""): "/callback/sso.acme.example/realms/main",
	} {
		if got := mustResolve(t, text).Redirect.Path; got != want {
			t.Errorf("path %q, want %q:\n%s", got, want, text)
		}
	}
}

// Two servers are mixed up where one leaves it open that the other one's
// redirect URI is named to it, and no iss tells.
func TestMixesUp(t *testing.T) {
	at := func(host, uri string, change func(*providers.Preset)) providers.Arrival {
		p := &providers.Preset{Issuer: "https://" + host}
		if change != nil {
			change(p)
		}
		a, ok := p.Arrival(uri)
		if !ok {
			t.Fatalf("no arrival of %s at %s", host, uri)
		}
		return a
	}
	says := func(p *providers.Preset) { p.RequireIss = true }
	bare := func(p *providers.Preset) { p.AuthorizationEndpoint, p.Issuer = p.Issuer+"/authorize", "" }
	fixed := func(p *providers.Preset) { p.Redirect.FixedPort = true }
	for name, tc := range map[string]struct {
		a, b providers.Arrival
		want bool
	}{
		"the same":            {at("a.example", "http://127.0.0.1/cb", nil), at("b.example", "http://127.0.0.1/cb", nil), true},
		"one server":          {at("a.example", "http://127.0.0.1/cb", nil), at("A.EXAMPLE/main", "http://127.0.0.1/cb", nil), false},
		"another path":        {at("a.example", "http://127.0.0.1/cb", nil), at("b.example", "http://127.0.0.1/CB", nil), false},
		"another query":       {at("a.example", "http://127.0.0.1/cb", nil), at("b.example", "http://127.0.0.1/cb?x", nil), false},
		"another name":        {at("a.example", "http://127.0.0.1/cb", nil), at("b.example", "http://localhost/cb", nil), false},
		"case of the host":    {at("a.example", "http://localhost/cb", nil), at("b.example", "HTTP://LOCALHOST/cb", nil), true},
		"a slash or none":     {at("a.example", "http://localhost", nil), at("b.example", "http://localhost/", nil), true},
		"a scheme of its own": {at("a.example", "com.acme:/cb", nil), at("b.example", "com.acme:/cb", nil), true},
		"two of its own":      {at("a.example", "com.acme:/cb", nil), at("b.example", "com.acme.b:/cb", nil), false},
		"opaque":              {at("a.example", "com.acme:cb", nil), at("b.example", "com.acme:other", nil), false},
		"ports":               {at("a.example", "http://127.0.0.1:1/cb", nil), at("b.example", "http://127.0.0.1:2/cb", nil), true},
		"ports that count":    {at("a.example", "http://127.0.0.1:1/cb", fixed), at("b.example", "http://127.0.0.1:2/cb", fixed), false},
		"one port that does":  {at("a.example", "http://127.0.0.1:1/cb", fixed), at("b.example", "http://127.0.0.1/cb", nil), true},
		"ports elsewhere":     {at("a.example", "https://app.example/cb", nil), at("b.example", "https://app.example:444/cb", nil), false},
		"one says who it is":  {at("a.example", "http://127.0.0.1/cb", says), at("b.example", "http://127.0.0.1/cb", nil), false},
		"and none compares":   {at("a.example", "http://127.0.0.1/cb", says), at("b.example", "http://127.0.0.1/cb", bare), true},
	} {
		if tc.a.MixesUp(tc.b) != tc.want || tc.b.MixesUp(tc.a) != tc.want {
			t.Errorf("%s: %t and %t, want %t", name, tc.a.MixesUp(tc.b), tc.b.MixesUp(tc.a), tc.want)
		}
	}
	for name, p := range map[string]*providers.Preset{"no server": {}, "not all is known": {Issuer: "https://a.example", Partial: true}} {
		if _, ok := p.Arrival("http://127.0.0.1/cb"); ok {
			t.Errorf("%s: an arrival", name)
		}
	}
}
