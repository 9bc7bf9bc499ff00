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

// What Microsoft would refuse after the consent is refused before anything is sent.
func TestMicrosoftRefusalsAtPlan(t *testing.T) {
	for _, c := range []struct {
		name, source, config, want string
	}{
		{"two resources", scopesOIDC, `scopes = ["User.Read", "openid", "https://contoso.sharepoint.com/AllSites.Read"]`,
			"Scopes of several resources: A token of Microsoft Entra ID is for one resource, and these scopes name 2: " +
				"https://graph.microsoft.com (User.Read) and https://contoso.sharepoint.com (https://contoso.sharepoint.com/AllSites.Read). Split the connection"},
		{"one resource, spelt in four ways", scopesOIDC,
			`scopes = ["User.Read", "https://graph.microsoft.com/Mail.Read", "HTTPS://graph.microsoft.com//Files.Read", "00000003-0000-0000-c000-000000000000/Calendars.Read"]`, ""},
		{"OpenID Connect beside another resource", scopesOIDC, `scopes = ["openid", "profile", "email", "offline_access", "api://backend/read"]`, ""},
		{"short names belong to the cloud's Graph", clouds, "cloud = \"us-gov\"\n scopes = [\"User.Read\", \"https://graph.microsoft.us/Mail.Read\"]", ""},
		{"and not to another cloud's", clouds, "cloud = \"us-dod\"\n scopes = [\"User.Read\", \"https://graph.microsoft.com/Mail.Read\"]",
			"name 2: https://dod-graph.microsoft.us (User.Read) and https://graph.microsoft.com (https://graph.microsoft.com/Mail.Read)"},
		{".default beside others", scopesOIDC, `scopes = ["https://graph.microsoft.com/.default", "User.Read"]`,
			"Scope .default beside others: https://graph.microsoft.com/.default asks for everything that the registration lists"},
		{".default of a resource that ends in a slash", scopesOIDC, `scopes = ["https://management.core.windows.net//.default", "openid"]`, ""},
		{"the parameter of the old endpoints", errorNumbers, "scopes = [\"User.Read\"]\n resource = [\"https://graph.microsoft.com\"]",
			"AADSTS901002: the v2.0 endpoints take the resource from the scopes. Remove resource, and write scopes = [\"https://graph.microsoft.com/.default\"]"},
		{"the same as a parameter", errorNumbers, "scopes = [\"User.Read\"]\n token_params = { resource = \"https://graph.microsoft.com\" }", "AADSTS901002"},
		{"client credentials with single scopes", credentials,
			"tenant = \"contoso.com\"\n client_secret = env(\"A\")\n scopes = [\"User.Read\"]\n grant \"client_credentials\" {}",
			`takes RESOURCE/.default and nothing else`},
		{"client credentials without scopes", credentials,
			"tenant = \"contoso.com\"\n client_secret = env(\"A\")\n grant \"client_credentials\" {}", `Write scopes = ["https://graph.microsoft.com/.default"]`},
		{"client credentials for two resources", credentials,
			"tenant = \"contoso.com\"\n client_secret = env(\"A\")\n scopes = [\"https://graph.microsoft.com/.default\", \"api://backend/.default\"]\n grant \"client_credentials\" {}",
			"Scopes of several resources"},
		{"client credentials without a tenant", credentials,
			"client_secret = env(\"A\")\n scopes = [\"https://graph.microsoft.com/.default\"]\n grant \"client_credentials\" {}",
			`Client credentials without a tenant: With client_credentials the client signs in to one tenant, and "common" is none (AADSTS9001023)`},
		{"client credentials for personal accounts", personal,
			"tenant = \"consumers\"\n client_secret = env(\"A\")\n scopes = [\"https://graph.microsoft.com/.default\"]\n grant \"client_credentials\" {}",
			`"consumers" is none`},
		{"personal accounts in a national cloud", personal, "tenant = \"consumers\"\n cloud = \"china\"\n scopes = [\"User.Read\"]",
			`No personal accounts in a national cloud`},
		{"a query in the redirect URI of personal accounts", personal, "tenant = \"consumers\"\n scopes = [\"User.Read\"]\n redirect_uris = [\"https://a.example/cb?x=1\"]",
			"Remove the query"},
		{"characters that cannot be registered", replyURL, "scopes = [\"User.Read\"]\n redirect_uris = [\"https://a.example/cb(1)\"]", "one of the characters"},
		{"too long", replyURL, "scopes = [\"User.Read\"]\n redirect_uris = [\"https://a.example/" + strings.Repeat("x", 250) + "\"]", "at most 256 characters"},
		{"a loopback host that cannot be registered", replyURL, "scopes = [\"User.Read\"]\n redirect_uris = [\"http://[::1]/cb\"]", "does not accept ::1"},
		{"a single-page application with a secret", replyURL, "application_type = \"spa\"\n client_secret = env(\"A\")\n scopes = [\"User.Read\"]",
			"Secret of a single-page application: Microsoft Entra ID refuses a secret"},
		{"a single-page application on another platform", replyURL, "application_type = \"spa\"\n scopes = [\"User.Read\"]\n redirect_uris = [\"msal1111://auth\"]",
			"has no web origin"},
		{"a single-page application without a browser", replyURL, "application_type = \"spa\"\n scopes = [\"User.Read\"]\n grant \"device_code\" {}",
			"has the grant authorization_code only, not device_code"},
		{"a cloud that does not exist", clouds, "cloud = \"germany\"\n scopes = [\"User.Read\"]", `The argument cloud does not accept "germany"`},
		{"claims that are no object", codeFlow, "scopes = [\"User.Read\"]\n grant \"authorization_code\" {\n claims = \"acr\"\n }", "Write it with jsonencode"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := newKit(t).problems(microsoft("\n" + c.config))
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%s: want %q, got\n%s", c.source, c.want, got)
			}
		})
	}
}

const spa = `
  application_type = "spa"
  scopes           = ["User.Read"]
  redirect_uris    = ["http://localhost"]
  token_lifetimes {
    refresh = "90d" # in vain
  }`

// refresh-tokens: a refresh token of a single-page application ends 24 hours
// after the sign-in, and use does not move that.
func TestSinglePageEndsAfterADay(t *testing.T) {
	i := newImitated(t, microsoft(spa))
	p := i.plan(i.cfg, plan.Options{})
	if c := p.Changes[0]; c.Refresh != 24*time.Hour || !strings.Contains(strings.Join(c.Notes, " "), "24 hours after the consent") {
		t.Errorf("the plan says %v and %q", c.Refresh, c.Notes)
	}
	i.connect()
	end := i.clock.now().Add(24 * time.Hour)
	for range 11 {
		i.clock.pass(2 * time.Hour)
		i.token(graph, engine.TokenOptions{})
		if got := i.record(graph).RefreshExpiresAt; !got.Equal(end) {
			t.Fatalf("after a refresh the consent ends at %v, not %v", got, end)
		}
		i.quiet()
	}
	i.clock.pass(2 * time.Hour)
	if c := i.plan(i.cfg, plan.Options{}).Changes[0]; c.Action != plan.Reauthorize || !slices.Contains(c.Reasons, plan.ReasonRefreshEnded) {
		t.Errorf("at the end: %s %v", c.Action, c.Reasons)
	}
	err := i.dead(graph)
	if !strings.Contains(err.Error(), "AADSTS700084") || !strings.Contains(err.Error(), "24 hours after the sign-in") {
		t.Errorf("%v", err)
	}
}

// dead insists that token fails because a person has to consent, twice, and
// that the second time nothing is sent.
func (i *imitated) dead(a addr.Addr) error {
	i.t.Helper()
	i.wire()
	_, err := i.engine.Token(i.ctx, a, engine.TokenOptions{})
	if class(err) != engine.ClassNeedsUser || !errors.Is(err, engine.ErrConsentEnded) {
		i.t.Fatalf("%s: %v", class(err), err)
	}
	if n := strings.Count(i.wire(), "POST"); n != 1 {
		i.t.Errorf("%d requests", n)
	}
	if r := i.record(a); r.Status != state.StatusNeedsConsent || r.Tokens.RefreshToken.Empty() {
		i.t.Errorf("status %s, refresh token kept: %t", r.Status, !r.Tokens.RefreshToken.Empty())
	}
	_, again := i.engine.Token(i.ctx, a, engine.TokenOptions{})
	if class(again) != engine.ClassNeedsUser || i.wire() != "" {
		i.t.Errorf("again: %v", again)
	}
	for _, e := range []error{err, again} {
		for _, want := range []string{a.String(), "at Microsoft Entra ID has to be renewed", "invalid_grant", "run: oauthctl apply -target='" + a.String() + "'"} {
			if !strings.Contains(e.Error(), want) {
				i.t.Errorf("want %q in %q", want, e)
			}
		}
		for _, raw := range []string{"Trace", "trace id", "Correlation", "{", "fresh auth token", "due to inactivity."} {
			if strings.Contains(e.Error(), raw) {
				i.t.Errorf("the server's text is in %q", e)
			}
		}
	}
	return err
}

// A refresh token that the server refuses is explained by us.
func TestMicrosoftRefreshRefused(t *testing.T) {
	for _, c := range []struct {
		name, want string
		kill       func(*imitated)
	}{
		{"not used for 90 days", "AADSTS700082", func(i *imitated) { i.clock.pass(90 * 24 * time.Hour) }},
		{"revoked, or the password changed", "AADSTS50173", func(i *imitated) {
			if err := i.box.EndSessions(i.preset(graph), "alice@contoso.com"); err != nil {
				t.Fatal(err)
			}
			i.clock.pass(2 * time.Hour)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := newImitated(t, microsoft(`
  scopes        = ["User.Read"]
  redirect_uris = ["http://localhost"]
  account       = "alice@contoso.com"`))
			i.connect()
			c.kill(i)
			err := i.dead(graph)
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "the consent of alice@contoso.com at Microsoft Entra ID") {
				t.Errorf("want %s in %v", c.want, err)
			}
			i.connect() // a person consents again, and all is well
			i.token(graph, engine.TokenOptions{})
			i.quiet()
		})
	}
}

// Ninety days begin anew with every refresh, so that a connection in use never
// needs a person again.
func TestNinetyDaysOfIdling(t *testing.T) {
	i := newImitated(t, microsoft("\n  scopes = [\"User.Read\"]"))
	i.connect()
	first := i.record(graph).Tokens.RefreshToken
	for range 12 {
		i.clock.pass(89 * 24 * time.Hour)
		i.token(graph, engine.TokenOptions{})
		if got := i.record(graph).RefreshExpiresAt.Sub(i.clock.now()); got != 90*24*time.Hour {
			t.Fatalf("the consent ends in %v", got)
		}
		i.quiet()
	}
	if i.record(graph).Tokens.RefreshToken.Equal(first) {
		t.Error("the refresh token was not replaced")
	}
	if n := len(i.page.visits); n != 1 {
		t.Errorf("%d consents", n)
	}
	i.clock.pass(90 * 24 * time.Hour)
	if c := i.plan(i.cfg, plan.Options{}).Changes[0]; c.Action != plan.Reauthorize || !c.NeedsUser {
		t.Errorf("after 90 days: %s", c.Action)
	}
}

// refresh-tokens: the previous refresh token stays valid, so that an answer that
// is lost costs nothing.
func TestMicrosoftAnswerLost(t *testing.T) {
	i := newImitated(t, microsoft("\n  scopes = [\"User.Read\"]"))
	i.connect()
	i.box.Inject(sandbox.Fault{Role: sandbox.RoleRefresh, Kind: sandbox.FaultDrop, After: true})
	i.clock.pass(2 * time.Hour)
	if _, err := i.engine.Token(i.ctx, graph, engine.TokenOptions{}); class(err) != engine.ClassTemporary {
		t.Fatalf("%v", err)
	}
	i.clock.pass(2 * time.Minute)
	i.token(graph, engine.TokenOptions{})
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

// customer-subdomains.md: a token that ends within five minutes counts as expired.
func TestFiveMinuteMargin(t *testing.T) {
	i := newImitated(t, microsoft("\n  scopes = [\"User.Read\"]\n  token_lifetimes {\n    refresh_before = \"5m\"\n  }"))
	i.connect()
	left := i.record(graph).ExpiresAt.Sub(i.clock.now())
	if left < time.Hour || left > 90*time.Minute {
		t.Errorf("the access token lives for %v", left)
	}
	i.clock.pass(left - 5*time.Minute - time.Second)
	if i.token(graph, engine.TokenOptions{}).Refreshed {
		t.Error("refreshed before the margin")
	}
	i.clock.pass(time.Second)
	if !i.token(graph, engine.TokenOptions{}).Refreshed {
		t.Error("not refreshed in the margin")
	}
}
