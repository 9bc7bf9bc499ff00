package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/providers/sandbox"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// The pages below https://learn.microsoft.com/entra/identity-platform/ that the
// expectations come from.
const (
	codeFlow     = "v2-oauth2-auth-code-flow"
	replyURL     = "reply-url"
	scopesOIDC   = "scopes-oidc"
	clouds       = "authentication-national-cloud"
	personal     = "supported-accounts-validation"
	credentials  = "v2-oauth2-client-creds-grant-flow"
	refreshLife  = "refresh-tokens"
	errorNumbers = "reference-error-codes"
)

// What the client sends to Microsoft: the browser to the first, then itself.
func TestMicrosoftRequests(t *testing.T) {
	for _, c := range []struct {
		name, source, config, browser, wire, refresh string
	}{
		{"mobile and desktop", codeFlow + ", " + replyURL, `
  tenant        = "contoso.onmicrosoft.com"
  scopes        = ["User.Read", "Files.ReadWrite.All"]
  redirect_uris = ["http://localhost"]
  account       = "alice@contoso.com"
  grant "authorization_code" {
    prompt      = "select_account"
    domain_hint = "contoso.com"
    claims      = jsonencode({ id_token = { acr = null } })
  }`, `https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/authorize
  claims={"id_token":{"acr":null}}
  client_id=app
  code_challenge=zwkx4Wi0nph1A8rxivb-JTtrPYKoEAjD6OHuZ8fI3FU
  code_challenge_method=S256
  domain_hint=contoso.com
  login_hint=alice@contoso.com
  nonce=QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8
  prompt=select_account
  redirect_uri=http://localhost:PORT
  response_type=code
  scope=User.Read Files.ReadWrite.All offline_access openid profile
  state=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
`, `POST https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token
  Content-Type: application/x-www-form-urlencoded
  client_id=app
  code=CODE
  code_verifier=VERIFIER
  grant_type=authorization_code
  redirect_uri=http://localhost:PORT
GET https://login.microsoftonline.com/contoso.onmicrosoft.com/discovery/v2.0/keys
`, `POST https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token
  Content-Type: application/x-www-form-urlencoded
  client_id=app
  grant_type=refresh_token
  refresh_token=REFRESH
GET https://login.microsoftonline.com/contoso.onmicrosoft.com/discovery/v2.0/keys
`},
		{"single-page application", codeFlow + ", " + replyURL, `
  application_type = "spa"
  scopes           = ["User.Read"]
  redirect_uris    = ["http://localhost/auth"]`, `https://login.microsoftonline.com/common/oauth2/v2.0/authorize
  client_id=app
  code_challenge=zwkx4Wi0nph1A8rxivb-JTtrPYKoEAjD6OHuZ8fI3FU
  code_challenge_method=S256
  redirect_uri=http://localhost:PORT/auth
  response_type=code
  scope=User.Read offline_access
  state=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
`, `POST https://login.microsoftonline.com/common/oauth2/v2.0/token
  Content-Type: application/x-www-form-urlencoded
  Origin: http://localhost:PORT
  client_id=app
  code=CODE
  code_verifier=VERIFIER
  grant_type=authorization_code
  redirect_uri=http://localhost:PORT/auth
`, `POST https://login.microsoftonline.com/common/oauth2/v2.0/token
  Content-Type: application/x-www-form-urlencoded
  Origin: http://localhost
  client_id=app
  grant_type=refresh_token
  refresh_token=REFRESH
`},
		{"web, with a secret, by form_post", codeFlow, `
  tenant        = "organizations"
  client_secret = env("APP")
  scopes        = ["https://graph.microsoft.com/.default"]
  redirect_uris = ["https://portal.contoso.com/callback"]
  grant "authorization_code" {
    listen        = "LISTEN"
    response_mode = "form_post"
  }`, `https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize
  client_id=app
  code_challenge=zwkx4Wi0nph1A8rxivb-JTtrPYKoEAjD6OHuZ8fI3FU
  code_challenge_method=S256
  redirect_uri=https://portal.contoso.com/callback
  response_mode=form_post
  response_type=code
  scope=https://graph.microsoft.com/.default offline_access
  state=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
`, `POST https://login.microsoftonline.com/organizations/oauth2/v2.0/token
  Content-Type: application/x-www-form-urlencoded
  client_id=app
  client_secret=secret-app
  code=CODE
  code_verifier=VERIFIER
  grant_type=authorization_code
  redirect_uri=https://portal.contoso.com/callback
`, `POST https://login.microsoftonline.com/organizations/oauth2/v2.0/token
  Content-Type: application/x-www-form-urlencoded
  client_id=app
  client_secret=secret-app
  grant_type=refresh_token
  refresh_token=REFRESH
`},
		{"the US government's cloud", clouds, `
  tenant        = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"
  cloud         = "us-gov"
  scopes        = ["https://graph.microsoft.us/User.Read"]
  redirect_uris = ["http://localhost"]`, `https://login.microsoftonline.us/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/oauth2/v2.0/authorize
  client_id=app
  code_challenge=zwkx4Wi0nph1A8rxivb-JTtrPYKoEAjD6OHuZ8fI3FU
  code_challenge_method=S256
  redirect_uri=http://localhost:PORT
  response_type=code
  scope=https://graph.microsoft.us/User.Read offline_access
  state=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
`, `POST https://login.microsoftonline.us/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/oauth2/v2.0/token
  Content-Type: application/x-www-form-urlencoded
  client_id=app
  code=CODE
  code_verifier=VERIFIER
  grant_type=authorization_code
  redirect_uri=http://localhost:PORT
`, `POST https://login.microsoftonline.us/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/oauth2/v2.0/token
  Content-Type: application/x-www-form-urlencoded
  client_id=app
  grant_type=refresh_token
  refresh_token=REFRESH
`},
		{"client credentials", credentials, `
  tenant        = "contoso.onmicrosoft.com"
  cloud         = "china"
  client_secret = env("APP")
  scopes        = ["https://microsoftgraph.chinacloudapi.cn/.default"]
  grant "client_credentials" {}`, ``, `POST https://login.partner.microsoftonline.cn/contoso.onmicrosoft.com/oauth2/v2.0/token
  Content-Type: application/x-www-form-urlencoded
  client_id=app
  client_secret=secret-app
  grant_type=client_credentials
  scope=https://microsoftgraph.chinacloudapi.cn/.default
`, `POST https://login.partner.microsoftonline.cn/contoso.onmicrosoft.com/oauth2/v2.0/token
  Content-Type: application/x-www-form-urlencoded
  client_id=app
  client_secret=secret-app
  grant_type=client_credentials
  scope=https://microsoftgraph.chinacloudapi.cn/.default
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := newImitated(t, microsoft(strings.ReplaceAll(c.config, "LISTEN", freeAddress(t))))
			i.connect()
			if c.browser != "" {
				if d := cmp.Diff(c.browser, i.page.url()); d != "" {
					t.Errorf("%s: authorization request (-want +got):\n%s", c.source, d)
				}
			}
			if d := cmp.Diff(c.wire, i.wire()); d != "" {
				t.Errorf("%s: first consent (-want +got):\n%s", c.source, d)
			}
			i.token(graph, engine.TokenOptions{ForceRefresh: true})
			if d := cmp.Diff(c.refresh, i.wire()); d != "" {
				t.Errorf("%s: refresh (-want +got):\n%s", c.source, d)
			}
			i.quiet()
			// There is no revocation endpoint: nothing is sent, and the outcome says so.
			out := i.apply(i.cfg, plan.Options{Destroy: true})
			if got := i.wire(); got != "" {
				t.Errorf("destroy sent\n%s", got)
			}
			if w := strings.Join(result(t, out, "graph").Warnings, " "); !strings.Contains(w, "forgotten here, not revoked there") {
				t.Errorf("destroy says %q", w)
			}
		})
	}
}

// microsoft is a connection "graph" of the client "app".
func microsoft(body string) string {
	return "connection \"graph\" {\n  provider  = \"microsoft\"\n  client_id = \"app\"" + body + "\n}\n"
}

// Earlier consents come back with every token; that is no drift.
func TestMicrosoftGrantsMoreThanAsked(t *testing.T) {
	i := newImitated(t, microsoft("\n  scopes = [\"User.Read\", \"Mail.Read\"]"))
	i.connect()
	i.use(microsoft("\n  scopes = [\"User.Read\"]"))
	i.apply(i.cfg, plan.Options{Replace: []addr.Addr{graph}})
	if got := i.record(graph).Info.Granted; !slices.Contains(got, "Mail.Read") {
		t.Errorf("granted %v", got)
	}
	i.quiet()
}

// An administrator is needed: the error names the page, with the client, the
// scopes and the redirect URI filled in.
func TestAdminConsentAddress(t *testing.T) {
	for _, c := range []struct{ tenant, want string }{
		{"contoso.onmicrosoft.com", "https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0/adminconsent?client_id=app&scope=User.Read%20Sandbox.NeedsAdmin%20offline_access&redirect_uri=http%3A%2F%2Flocalhost "},
		{"common", "https://login.microsoftonline.com/organizations/v2.0/adminconsent?"},
	} {
		i := newImitated(t, microsoft(`
  tenant        = "`+c.tenant+`"
  scopes        = ["User.Read", "Sandbox.NeedsAdmin"]
  redirect_uris = ["http://localhost"]`))
		err := i.refused(graph)
		var g *grant.Error
		if !errors.As(err, &g) || class(err) != engine.ClassError || !strings.Contains(g.Remedy, c.want) {
			t.Errorf("%s: %v", c.tenant, err)
		}
		i.page.as = "admin@contoso.com"
		i.connect()
	}
}

// troubleshooting.md: each trouble is recognised from the server's answer.
func TestMicrosoftTroubles(t *testing.T) {
	for _, c := range []struct {
		name, config string
		client       sandbox.Client
		deny         bool
		number, hint string
		remedy       string
	}{
		{"redirect URI mismatch", "redirect_uris = [\"http://localhost/other\"]",
			sandbox.Client{ID: "app", RedirectURIs: []string{"http://localhost/registered"}}, false,
			"AADSTS50011", "registered", "Register the redirect URI"},
		{"the port of localhost does not count", "redirect_uris = [\"http://localhost:8411/registered\"]",
			sandbox.Client{ID: "app", RedirectURIs: []string{"http://localhost/registered"}}, false, "", "", ""},
		{"consent denied", "", sandbox.Client{}, true, "AADSTS65004", "declined", "ask for fewer scopes"},
		{"wrong secret", "client_secret = env(\"A\")", sandbox.Client{ID: "app", Secret: "right", RedirectURIs: []string{"http://localhost"}}, false,
			"AADSTS7000215", "secret's id was copied", "Set client_secret"},
		{"expired secret", "client_secret = env(\"A\")",
			sandbox.Client{ID: "app", Secret: "secret-a", RedirectURIs: []string{"http://localhost"}, SecretExpires: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}, false,
			"AADSTS7000222", "expired", "new secret"},
		{"secret missing", "", sandbox.Client{ID: "app", Secret: "right", RedirectURIs: []string{"http://localhost"}}, false,
			"AADSTS7000218", "platform Web", "Allow public client flows"},
		{"single-page registration, undeclared", "", sandbox.Client{ID: "app", Platform: "spa", RedirectURIs: []string{"http://localhost"}}, false,
			"AADSTS9002327", "without Origin", "application_type = \"spa\""},
		{"declared single-page, registered otherwise", "application_type = \"spa\"", sandbox.Client{ID: "app", Platform: "native", RedirectURIs: []string{"http://localhost"}}, false,
			"AADSTS9002326", "another platform", "Remove application_type"},
		{"session needed and nobody signed in", "grant \"authorization_code\" {\n prompt = \"none\"\n }", sandbox.Client{}, false,
			"AADSTS50058", "session", "oauthctl apply"},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := newImitated(t, microsoft("\n  scopes = [\"User.Read\"]\n  "+c.config))
			i.page.deny = c.deny
			if c.client.ID != "" {
				if err := i.box.Register(i.preset(graph), c.client); err != nil {
					t.Fatal(err)
				}
			}
			if c.number == "" {
				i.connect()
				return
			}
			err := i.refused(graph)
			for _, want := range []string{c.number, c.hint, c.remedy} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("want %q in %v", want, err)
				}
			}
			if _, err := i.store.Get(i.ctx, graph, state.PartInfo); !errors.Is(err, state.ErrNotFound) && !errors.Is(err, state.ErrNoState) {
				t.Errorf("something was saved: %v", err)
			}
		})
	}
}

// A secret that expires under a connection is a matter of the configuration:
// the consent is not marked, and lives on with a new secret.
func TestMicrosoftSecretExpiresLater(t *testing.T) {
	i := newImitated(t, microsoft("\n  scopes = [\"User.Read\"]\n  client_secret = env(\"A\")"))
	if err := i.box.Register(i.preset(graph), sandbox.Client{ID: "app", Secret: secret.Secret("secret-a"), RedirectURIs: []string{"http://localhost"},
		SecretExpires: i.clock.now().Add(24 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	i.connect()
	i.clock.pass(25 * time.Hour)
	_, err := i.engine.Token(i.ctx, graph, engine.TokenOptions{})
	if class(err) != engine.ClassError || !strings.Contains(err.Error(), "AADSTS7000222") {
		t.Errorf("%s %v", class(err), err)
	}
	if r := i.record(graph); r.Status != state.StatusOK {
		t.Errorf("status %s", r.Status)
	}
}
