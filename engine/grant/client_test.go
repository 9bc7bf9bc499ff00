package grant_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
)

func build(t *testing.T, body string, p *providers.Preset) (*grant.Client, hcl.Diagnostics) {
	t.Helper()
	return grant.NewClient(connection(t, "connection \"main\" {\n  provider = \"acme\"\n  client_id = \"client-1\"\n"+body+"\n}\n"), p)
}

// What is wrong is said where it is written, with what to write instead.
func TestClientErrors(t *testing.T) {
	both := []string{"client_secret_basic", "none"}
	for name, tc := range map[string]struct {
		body   string
		preset providers.Preset
		line   int // of the configuration; the body starts at 4
		words  []string
	}{
		"unknown grant":           {`grant "authorisation_code" {}`, providers.Preset{}, 4, []string{`"authorisation_code"`, `Did you mean "authorization_code"?`, "device_code, client_credentials, jwt_bearer and token_exchange"}},
		"unlike any grant":        {`grant "zzz" {}`, providers.Preset{}, 4, []string{`no grant "zzz"`, "authorization_code"}},
		"grant not offered":       {"scopes = []\n" + `grant "device_code" {}`, providers.Preset{Grants: []string{"authorization_code"}, Title: "Acme"}, 5, []string{"Acme does not offer", "authorization_code"}},
		"no grant that we know":   {``, providers.Preset{Grants: []string{"saml2_bearer"}}, 1, []string{"saml2_bearer"}},
		"unknown attribute":       {"grant \"authorization_code\" {\n promt = \"x\"\n}", providers.Preset{}, 5, []string{"prompt"}},
		"attribute of another":    {"grant \"client_credentials\" {\n prompt = \"x\"\n}\nclient_secret = env(\"X\")", providers.Preset{}, 5, []string{"prompt"}},
		"response mode":           {"grant \"authorization_code\" {\n response_mode = \"fragment\"\n}", providers.Preset{}, 5, []string{"form_post"}},
		"timeout":                 {"grant \"authorization_code\" {\n timeout = \"2h\"\n}", providers.Preset{}, 5, []string{"between"}},
		"unknown client_auth":     {`client_auth = "private_key_jwt"`, providers.Preset{}, 4, []string{"client_assertion {", "private_key ="}},
		"client_auth not offered": {"client_secret = env(\"X\")\nclient_auth = \"client_secret_post\"", providers.Preset{ClientAuth: both, Title: "Acme"}, 5, []string{"Acme accepts client_secret_basic and none"}},
		"secret with none":        {"client_secret = env(\"X\")\nclient_auth = \"none\"", providers.Preset{}, 4, []string{"Remove client_secret"}},
		"secret for public":       {`client_secret = env("X")`, providers.Preset{ClientAuth: []string{"none"}}, 4, []string{"Remove client_secret"}},
		"secret missing":          {`client_auth = "client_secret_basic"`, providers.Preset{}, 4, []string{"Set client_secret", "env("}},
		"no public clients":       {``, providers.Preset{ClientAuth: []string{"client_secret_post"}, Title: "Acme"}, 1, []string{"Acme accepts no public clients", "env("}},
		"credentials of nobody":   {`grant "client_credentials" {}`, providers.Preset{}, 1, []string{"Set client_secret"}},
		"account of nobody":       {"client_secret = env(\"X\")\naccount = \"a\"\ngrant \"client_credentials\" {}", providers.Preset{}, 5, []string{"Remove account"}},
		"account not verifiable":  {`account = "a"`, providers.Preset{TokenEndpoint: "https://a.example/t"}, 4, []string{`"openid"`, "userinfo_endpoint"}},
		"reserved parameter":      {`authorize_params = { state = "x" }`, providers.Preset{}, 4, []string{`"state"`, "Remove it"}},
		"scope as a parameter":    {`authorize_params = { scope = "x" }`, providers.Preset{}, 4, []string{"scopes of the connection"}},
		"reserved, token request": {`token_params = { grant_type = "password" }`, providers.Preset{}, 4, []string{`"grant_type"`}},
		"plain challenge":         {`authorize_params = { code_challenge_method = "plain" }`, providers.Preset{}, 4, []string{"code_challenge_method", "Remove it"}},
		"response_type":           {"grant \"authorization_code\" {\n params = { response_type = \"token\" }\n}", providers.Preset{}, 5, []string{"response_type"}},
		"no scheme":               {`redirect_uris = ["localhost:8080"]`, providers.Preset{}, 4, []string{"localhost:8080"}},
		"out of band":             {`redirect_uris = ["urn:ietf:wg:oauth:2.0:oob"]`, providers.Preset{}, 4, []string{"withdrawn", "http://127.0.0.1/callback"}},
		"https only":              {`redirect_uris = ["http://localhost"]`, providers.Preset{Redirect: providers.RedirectRules{HTTPS: true, LoopbackHost: "localhost"}}, 4, []string{"https redirect URIs only"}},
		"https only, none given":  {``, providers.Preset{Redirect: providers.RedirectRules{HTTPS: true, LoopbackHost: "localhost"}}, 1, []string{"redirect_uris"}},
		"port compared":           {`redirect_uris = ["http://localhost/cb"]`, providers.Preset{Redirect: providers.RedirectRules{FixedPort: true, LoopbackHost: "localhost"}}, 4, []string{"port", "http://localhost:8085/cb"}},
		"listen on the network":   {"redirect_uris = [\"https://a.example/cb\"]\ngrant \"authorization_code\" {\n listen = \"0.0.0.0:8085\"\n}", providers.Preset{}, 6, []string{"loopback", "127.0.0.1:8085"}},
		"listen without a port":   {"redirect_uris = [\"https://a.example/cb\"]\ngrant \"authorization_code\" {\n listen = \"127.0.0.1\"\n}", providers.Preset{}, 6, []string{"127.0.0.1:8085"}},
		"listen, loopback URI":    {"redirect_uris = [\"http://localhost:1/cb\"]\ngrant \"authorization_code\" {\n listen = \"127.0.0.1:8085\"\n}", providers.Preset{}, 6, []string{"Remove listen"}},
		"form_post pasted":        {"redirect_uris = [\"https://a.example/cb\"]\ngrant \"authorization_code\" {\n response_mode = \"form_post\"\n}", providers.Preset{}, 6, []string{"not in the URL"}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.preset.Name = "acme"
			_, diags := build(t, tc.body, &tc.preset)
			if len(diags) != 1 || !diags.HasErrors() {
				t.Fatalf("want one error, have %v", diags)
			}
			d := diags[0]
			if d.Subject == nil || d.Subject.Start.Line != tc.line {
				t.Errorf("at %v, want line %d", d.Subject, tc.line)
			}
			if a := schema.AddrOf(d); a.String() != "connection.main" {
				t.Errorf("about %q", a)
			}
			for _, word := range tc.words {
				if !strings.Contains(d.Summary+": "+d.Detail, word) {
					t.Errorf("does not say %q: %s: %s", word, d.Summary, d.Detail)
				}
			}
		})
	}
}

// How the client signs in and how the answer comes back follow from what is given.
func TestClientChoices(t *testing.T) {
	const secret = "client_secret = env(\"X\")\n"
	for name, tc := range map[string]struct {
		body     string
		preset   providers.Preset
		auth     string
		way      grant.Way
		redirect string
	}{
		"nothing known":          {"", providers.Preset{}, "none", grant.WayBrowser, "http://127.0.0.1/callback"},
		"a secret":               {secret, providers.Preset{}, "", grant.WayBrowser, "http://127.0.0.1/callback"},
		"first that fits":        {secret, providers.Preset{ClientAuth: []string{"private_key_jwt", "none", "client_secret_post", "client_secret_basic"}}, "client_secret_post", grant.WayBrowser, "http://127.0.0.1/callback"},
		"public by preset":       {"", providers.Preset{ClientAuth: []string{"client_secret_post", "none"}}, "none", grant.WayBrowser, "http://127.0.0.1/callback"},
		"chosen":                 {secret + `client_auth = "client_secret_post"`, providers.Preset{}, "client_secret_post", grant.WayBrowser, "http://127.0.0.1/callback"},
		"localhost by preset":    {"", providers.Preset{Redirect: providers.RedirectRules{LoopbackHost: "localhost"}}, "none", grant.WayBrowser, "http://localhost"},
		"given":                  {`redirect_uris = ["http://127.0.0.1:8400/x"]`, providers.Preset{}, "none", grant.WayBrowser, "http://127.0.0.1:8400/x"},
		"loopback before https":  {`redirect_uris = ["https://a.example/cb", "http://localhost/x"]`, providers.Preset{}, "none", grant.WayBrowser, "http://localhost/x"},
		"https":                  {`redirect_uris = ["https://a.example/cb"]`, providers.Preset{}, "none", grant.WayPaste, "https://a.example/cb"},
		"custom scheme":          {`redirect_uris = ["com.example.app:/cb"]`, providers.Preset{}, "none", grant.WayPaste, "com.example.app:/cb"},
		"https with listen":      {"redirect_uris = [\"http://localhost/x\", \"https://a.example/cb\"]\ngrant \"authorization_code\" {\n listen = \"127.0.0.1:8085\"\n}", providers.Preset{}, "none", grant.WayBrowser, "https://a.example/cb"},
		"device":                 {`grant "device_code" {}`, providers.Preset{}, "none", grant.WayDevice, ""},
		"device by preset":       {"", providers.Preset{Grants: []string{"device_code", "authorization_code"}}, "none", grant.WayDevice, ""},
		"credentials by preset":  {secret, providers.Preset{Grants: []string{"client_credentials"}, OfflineScope: "offline_access"}, "", grant.WayNone, ""},
		"unknown grants skipped": {secret, providers.Preset{Grants: []string{"saml2_bearer", "client_credentials"}}, "", grant.WayNone, ""},
	} {
		t.Run(name, func(t *testing.T) {
			tc.preset.Name = "acme"
			c, diags := build(t, tc.body, &tc.preset)
			if len(diags) != 0 {
				t.Fatal(diags)
			}
			s := c.Settings
			if c.Auth != tc.auth || s.Way != tc.way || s.RedirectURI != tc.redirect {
				t.Errorf("auth %q, way %q, redirect %q; want %q, %q, %q", c.Auth, s.Way, s.RedirectURI, tc.auth, tc.way, tc.redirect)
			}
			if s.Interactive != (s.Way != grant.WayNone) || len(c.Added) != 0 {
				t.Errorf("interactive %v, added %q", s.Interactive, c.Added)
			}
		})
	}
}

// Settings have the defaults of the documentation.
func TestSettings(t *testing.T) {
	c, diags := build(t, "scopes = \"b a b\"\naccount = \"a@example.com\"", &providers.Preset{Name: "acme", OfflineScope: "offline_access", ResponseMode: "form_post", UserinfoEndpoint: "https://a.example/u", Base: "acme"})
	if len(diags) != 0 {
		t.Fatal(diags)
	}
	want := grant.Settings{Type: "authorization_code", Interactive: true, RedirectURI: "http://127.0.0.1/callback", Way: grant.WayBrowser,
		LoginHint: "a@example.com", ResponseMode: "form_post", Params: map[string]string{}, Timeout: 3 * time.Minute}
	if diff := cmp.Diff(want, c.Settings); diff != "" {
		t.Errorf("settings (-want +have):\n%s", diff)
	}
	if !slices.Equal(c.Scopes, []string{"b", "a", "offline_access"}) || !slices.Equal(c.Added, []string{"offline_access"}) {
		t.Errorf("scopes %q, added %q", c.Scopes, c.Added)
	}
	c, _ = build(t, `scopes = ["offline_access", "x"]`, &providers.Preset{Name: "acme", OfflineScope: "offline_access"})
	if !slices.Equal(c.Scopes, []string{"offline_access", "x"}) || len(c.Added) != 0 {
		t.Errorf("scopes %q, added %q", c.Scopes, c.Added)
	}
}

// What the state keeps is enough to refresh, and the hosts are all that will be spoken to.
func TestStateClientAndHosts(t *testing.T) {
	p := &providers.Preset{Name: "acme", Issuer: "https://login.example", Discovery: "none", AuthorizationEndpoint: "https://login.example/a", TokenEndpoint: "https://api.example/t",
		RefreshEndpoint: "https://api.example/r", RevocationEndpoint: "https://revoke.example/", JWKSURI: "https://keys.example/", ScopeSeparator: ",",
		TokenParams: map[string]string{"a": "1", "b": "1"}, Quirks: []string{"error_in_200"}, RevocationNote: "see the page",
		Rotation: providers.Rotation{Kind: "single_use", Grace: time.Second, BlastRadius: "grant"}}
	c, diags := build(t, `
		scopes = ["openid"]
		application_type = "spa"
		redirect_uris = ["http://localhost/cb"]
		resource = ["https://r.example"]
		token_params = { b = "2" }`, p)
	if len(diags) != 0 {
		t.Fatal(diags)
	}
	sc := c.StateClient()
	if sc.Origin != "http://localhost" || sc.TokenParams["a"] != "1" || sc.TokenParams["b"] != "2" || p.TokenParams["b"] != "1" || sc.RefreshEndpoint != "https://api.example/r" ||
		sc.Rotation != "single_use" || sc.Grace != time.Second || sc.BlastRadius != "grant" || sc.RevocationNote != "see the page" || sc.ScopeSeparator != "," ||
		sc.Auth != "none" || sc.ClientID != "client-1" || !slices.Equal(sc.Resource, []string{"https://r.example"}) || !slices.Equal(sc.Quirks, p.Quirks) {
		t.Errorf("for the state: %+v", sc)
	}
	if h := c.Hosts(); !slices.Equal(h, []string{"api.example", "keys.example", "login.example", "revoke.example"}) {
		t.Errorf("hosts: %q", h)
	}
	c, _ = build(t, "client_secret = env(\"X\")\ngrant \"client_credentials\" {}\naudience = \"https://aud.example\"", &providers.Preset{Name: "acme", Issuer: "https://login.example:8443/x", Discovery: "auto"})
	if h := c.Hosts(); !slices.Equal(h, []string{"login.example:8443"}) || c.StateClient().TokenParams["audience"] != "https://aud.example" {
		t.Errorf("hosts: %q, %v", h, c.StateClient().TokenParams)
	}
}

// Every grant type has a table that the documentation can be made from.
func TestTypes(t *testing.T) {
	for _, typ := range grant.Types() {
		if typ.Name == "" || typ.RFC == "" || typ.Doc == "" || typ.Spec == nil {
			t.Errorf("%+v is not whole", typ)
		}
		for _, a := range typ.Spec.Attrs {
			if a.Doc == "" {
				t.Errorf("%s.%s has no documentation", typ.Name, a.Name)
			}
		}
	}
}

// Where nobody consents, no consent ends, whatever the server and the
// connection say of refresh tokens.
func TestMachinesHaveNoConsentThatEnds(t *testing.T) {
	p := &providers.Preset{Name: "acme", Lifetimes: schema.Lifetimes{Access: time.Hour, Refresh: 90 * 24 * time.Hour}}
	const body = "client_secret = env(\"X\")\ntoken_lifetimes {\n refresh = \"30d\"\n}\n"
	person, diags := build(t, body, p)
	machine, more := build(t, body+"grant \"client_credentials\" {}", p)
	if len(diags) > 0 || more.HasErrors() {
		t.Fatal(diags, more)
	}
	if len(more) != 1 || more[0].Subject.Start.Line != 6 || !strings.Contains(more[0].Detail, "Remove refresh") {
		t.Errorf("a lifetime without effect: %v", more)
	}
	if l := person.Lifetimes(); l.Access != time.Hour || l.Refresh != 30*24*time.Hour {
		t.Errorf("a person's: %+v", l)
	}
	if l := machine.Lifetimes(); l.Access != time.Hour || l.Refresh != 0 {
		t.Errorf("a machine's: %+v", l)
	}
}
