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
