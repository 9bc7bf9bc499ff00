package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net"
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

// Where the expectations come from: pages below
// https://learn.microsoft.com/sharepoint/dev/sp-add-ins/, and the functions of
// TokenHelper.cs in https://github.com/pnp/PnP-Sites-Core.
const (
	onTheFly     = "authorization-code-oauth-flow-for-sharepoint-add-ins"
	register     = "register-sharepoint-add-ins"
	retirement   = "retirement-announcement-for-azure-acs"
	tokenRequest = "TokenHelper: GetRealmFromTargetUrl, GetStsUrl, GetAccessToken"
)

var site = addr.Connection("site")

const farm = "https://sharepoint.fabrikam.example/print"

// sharepoint is a connection "site" of the client "app".
func sharepoint(body string) string {
	return "connection \"site\" {\n  provider      = \"sharepoint\"\n  client_id     = \"app\"\n  client_secret = env(\"A\")\n" +
		"  redirect_uris = [\"https://contoso.example/RedirectAccept.aspx\"]\n" + body + "\n}\n"
}

const plainSite = "  site_url = \"" + farm + "\"\n  scopes = \"Web.Read List.Write\""

// realm is the farm's, as its site names it.
func (i *imitated) realm() string {
	for _, r := range i.box.Requests() {
		if r.Role == sandbox.RoleService {
			return r.Get("realm").Reveal()
		}
	}
	return ""
}

// What the client sends: the browser to the first, then itself.
func TestSharePointRequests(t *testing.T) {
	const given = "5a4db0c5-1111-4222-8333-9ee4cbd0a1f7"
	for _, c := range []struct {
		name, source, config, browser, wire, refresh string
	}{
		{"realm found out", onTheFly + ", " + tokenRequest, plainSite,
			"https://sharepoint.fabrikam.example/print/_layouts/15/OAuthAuthorize.aspx?client_id=app&redirect_uri=https%3A%2F%2Fcontoso.example%2FRedirectAccept.aspx&response_type=code&scope=Web.Read+List.Write",
			`GET https://sharepoint.fabrikam.example/print/_vti_bin/client.svc
  Authorization: Bearer
GET https://accounts.accesscontrol.windows.net/metadata/json/1
  ?realm=REALM
POST https://accounts.accesscontrol.windows.net/REALM/tokens/OAuth/2
  Content-Type: application/x-www-form-urlencoded
  client_id=app@REALM
  client_secret=secret-a
  code=CODE
  grant_type=authorization_code
  redirect_uri=https://contoso.example/RedirectAccept.aspx
  resource=00000003-0000-0ff1-ce00-000000000000/sharepoint.fabrikam.example@REALM
`, `POST https://accounts.accesscontrol.windows.net/REALM/tokens/OAuth/2
  Content-Type: application/x-www-form-urlencoded
  client_id=app@REALM
  client_secret=secret-a
  grant_type=refresh_token
  refresh_token=REFRESH
  resource=00000003-0000-0ff1-ce00-000000000000/sharepoint.fabrikam.example@REALM
`},
		{"as a pop-up, realm given, port kept", onTheFly + ", " + tokenRequest,
			"  site_url = \"https://SharePoint.fabrikam.example:8443/\"\n  is_dlg = true\n  realm = \"" + strings.ToUpper(given) + "\"\n  scopes = [\"list.read\"]",
			"https://sharepoint.fabrikam.example:8443/_layouts/15/OAuthAuthorize.aspx?IsDlg=1&client_id=app&redirect_uri=https%3A%2F%2Fcontoso.example%2FRedirectAccept.aspx&response_type=code&scope=List.Read",
			`POST https://accounts.accesscontrol.windows.net/` + given + `/tokens/OAuth/2
  Content-Type: application/x-www-form-urlencoded
  client_id=app@` + given + `
  client_secret=secret-a
  code=CODE
  grant_type=authorization_code
  redirect_uri=https://contoso.example/RedirectAccept.aspx
  resource=00000003-0000-0ff1-ce00-000000000000/sharepoint.fabrikam.example:8443@` + given + `
`, `POST https://accounts.accesscontrol.windows.net/` + given + `/tokens/OAuth/2
  Content-Type: application/x-www-form-urlencoded
  client_id=app@` + given + `
  client_secret=secret-a
  grant_type=refresh_token
  refresh_token=REFRESH
  resource=00000003-0000-0ff1-ce00-000000000000/sharepoint.fabrikam.example:8443@` + given + `
`},
		{"a farm in China, by a listener behind a proxy", "https://github.com/s-KaiNet/node-sp-auth; " + onTheFly,
			"  site_url = \"https://portal.fabrikam.cn:443\"\n  scopes = [\"http://sharepoint/taxonomy.Read\"]\n  grant \"authorization_code\" {\n    listen = \"" + freeAddress(t) + "\"\n  }",
			"https://portal.fabrikam.cn:443/_layouts/15/OAuthAuthorize.aspx?client_id=app&redirect_uri=https%3A%2F%2Fcontoso.example%2FRedirectAccept.aspx&response_type=code&scope=TermStore.Read",
			`GET https://portal.fabrikam.cn/_vti_bin/client.svc
  Authorization: Bearer
GET https://accounts.accesscontrol.chinacloudapi.cn/metadata/json/1
  ?realm=REALM
POST https://accounts.accesscontrol.chinacloudapi.cn/REALM/tokens/OAuth/2
  Content-Type: application/x-www-form-urlencoded
  client_id=app@REALM
  client_secret=secret-a
  code=CODE
  grant_type=authorization_code
  redirect_uri=https://contoso.example/RedirectAccept.aspx
  resource=00000003-0000-0ff1-ce00-000000000000/portal.fabrikam.cn@REALM
`, `POST https://accounts.accesscontrol.chinacloudapi.cn/REALM/tokens/OAuth/2
  Content-Type: application/x-www-form-urlencoded
  client_id=app@REALM
  client_secret=secret-a
  grant_type=refresh_token
  refresh_token=REFRESH
  resource=00000003-0000-0ff1-ce00-000000000000/portal.fabrikam.cn@REALM
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := newImitated(t, sharepoint(c.config))
			i.connect()
			if got := i.page.last().URL; got != c.browser {
				t.Errorf("%s: authorization request\n got %s\nwant %s", c.source, got, c.browser)
			}
			wire := func() string {
				text := i.wire()
				if realm := i.realm(); realm != "" {
					text = strings.ReplaceAll(text, realm, "REALM")
				}
				return text
			}
			if d := cmp.Diff(c.wire, wire()); d != "" {
				t.Errorf("%s: first consent (-want +got):\n%s", c.source, d)
			}
			first := i.record(site).Tokens.RefreshToken
			i.token(site, engine.TokenOptions{ForceRefresh: true})
			if d := cmp.Diff(c.refresh, wire()); d != "" {
				t.Errorf("%s: refresh (-want +got):\n%s", c.source, d)
			}
			if i.record(site).Tokens.RefreshToken.Equal(first) {
				t.Errorf("%s: the newer refresh token did not replace the old one", c.source)
			}
			i.quiet()
			// Nothing can be revoked: nothing is sent, and the outcome says so.
			out := i.apply(i.cfg, plan.Options{Destroy: true})
			if got := i.wire(); got != "" {
				t.Errorf("destroy sent\n%s", got)
			}
			if w := strings.Join(result(t, out, "site").Warnings, " "); !strings.Contains(w, "forgotten here, not revoked there") || !strings.Contains(w, "AppPrincipals.aspx") {
				t.Errorf("destroy says %q", w)
			}
		})
	}
}

// handle-security-tokens-in-provider-hosted-low-trust-sharepoint-add-ins: every
// value of an answer is a string, and scopes are not among them. Access tokens
// live 12 hours, refresh tokens 6 months.
func TestSharePointAnswerAndLifetimes(t *testing.T) {
	i := newImitated(t, sharepoint(plainSite))
	c := i.plan(i.cfg, plan.Options{}).Changes[0]
	if c.Access != 12*time.Hour || c.Refresh != 180*24*time.Hour || c.Way != string(grant.WayPaste) {
		t.Errorf("the plan says %v, %v, %s", c.Access, c.Refresh, c.Way)
	}
	i.connect()
	r := i.record(site)
	if got := r.ExpiresAt.Sub(i.clock.now()); got != 12*time.Hour {
		t.Errorf("the access token lives %v", got)
	}
	if got := r.RefreshExpiresAt.Sub(i.clock.now()); got != 180*24*time.Hour {
		t.Errorf("the refresh token lives %v", got)
	}
	if d := cmp.Diff([]string{"Web.Read", "List.Write"}, r.Info.Granted); d != "" {
		t.Errorf("granted, where the server does not say (-want +got):\n%s", d)
	}
	if got, want := r.Tokens.Extra["resource"].Reveal(), "00000003-0000-0ff1-ce00-000000000000/sharepoint.fabrikam.example@"+i.realm(); got != want || len(r.Tokens.Extra) != 1 {
		t.Errorf("kept of the answer: %q of %d", got, len(r.Tokens.Extra))
	}
	i.clock.pass(12*time.Hour - time.Minute) // within the margin of 5 minutes
	i.wire()
	i.token(site, engine.TokenOptions{})
	if !strings.Contains(i.wire(), "grant_type=refresh_token") {
		t.Error("the token was not renewed before its end")
	}
	i.clock.pass(180 * 24 * time.Hour)
	if c := i.plan(i.cfg, plan.Options{}).Changes[0]; c.Action != plan.Reauthorize || !slices.Contains(c.Reasons, plan.ReasonRefreshEnded) {
		t.Errorf("after 6 months: %s %v", c.Action, c.Reasons)
	}
	_, err := i.engine.Token(i.ctx, site, engine.TokenOptions{})
	if class(err) != engine.ClassNeedsUser || !errors.Is(err, engine.ErrConsentEnded) || !strings.Contains(err.Error(), "AADSTS700082") {
		t.Errorf("after 6 months: %v", err)
	}
}

// Each refusal of the server is recognised, and says what to do.
func TestSharePointRefusals(t *testing.T) {
	for _, c := range []struct {
		name, source string
		client       sandbox.Client
		config       string
		deny         bool
		wants        []string
	}{
		{name: "consent denied", source: onTheFly + " (what is answered is not documented)", config: plainSite, deny: true,
			wants: []string{"access_denied", "permission level Manage", "Trust It"}},
		{name: "wrong secret", source: tokenRequest, config: plainSite,
			client: sandbox.Client{ID: "app", Secret: "right", RedirectURIs: []string{"https://contoso.example/RedirectAccept.aspx"}},
			wants:  []string{"AADSTS7000215", "The client secret is wrong", "AppRegNew.aspx"}},
		{name: "expired secret", source: "replace-an-expiring-client-secret-in-a-sharepoint-add-in", config: plainSite,
			client: sandbox.Client{ID: "app", Secret: "secret-a", RedirectURIs: []string{"https://contoso.example/RedirectAccept.aspx"}, SecretExpires: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
			wants:  []string{"AADSTS7000222", "secret_expires_at"}},
		{name: "redirect URI that is not registered", source: register, config: plainSite,
			client: sandbox.Client{ID: "app", Secret: "secret-a", RedirectURIs: []string{"https://contoso.example/redirectaccept.aspx"}},
			wants:  []string{"AADSTS50011"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := newImitated(t, sharepoint(c.config))
			i.page.deny = c.deny
			if c.client.ID != "" {
				if err := i.box.Register(i.preset(site), c.client); err != nil {
					t.Fatal(err)
				}
			}
			err := i.refused(site)
			for _, want := range c.wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s: want %q in %v", c.source, want, err)
				}
			}
			if _, err := i.store.Get(i.ctx, site, state.PartInfo); !errors.Is(err, state.ErrNotFound) && !errors.Is(err, state.ErrNoState) {
				t.Errorf("something was saved: %v", err)
			}
		})
	}
}

// A realm that is given and does not exist (TokenHelper asks the site instead).
func TestSharePointUnknownRealm(t *testing.T) {
	i := newImitated(t, sharepoint(plainSite))
	text := sharepoint(plainSite + "\n  realm = \"00000000-1111-4222-8333-444444444444\"")
	i.cfg = i.config(text) // and not mounted: the farm has another realm
	err := i.refused(site)
	for _, want := range []string{"AADSTS90002", "ACS does not know the realm", "Remove realm"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in %v", want, err)
		}
	}
}

// The code lives about 5 minutes: who answers later is told so.
func TestSharePointCodeEndsAfterFiveMinutes(t *testing.T) {
	for _, late := range []time.Duration{5*time.Minute - time.Second, 5 * time.Minute} {
		i := newImitated(t, sharepoint(plainSite))
		i.options.User = &slow{visitor: i.page, wait: func() { i.clock.pass(late) }}
		i.engine = engine.New(i.options)
		if late < 5*time.Minute {
			i.connect()
			continue
		}
		err := i.refused(site)
		for _, want := range []string{"AADSTS70008", "lives about 5 minutes", "oauthctl apply"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("want %q in %v", want, err)
			}
		}
	}
}

// Several sites of a farm: the same site is asked once in a run, and no token is shared.
func TestSharePointSitesShareDiscovery(t *testing.T) {
	var text strings.Builder
	for _, name := range []string{"a", "b", "c"} {
		path := "print"
		if name == "c" {
			path = "archive"
		}
		fmt.Fprintf(&text, "connection %q {\n  provider = \"sharepoint\"\n  client_id = \"app\"\n  client_secret = env(\"A\")\n  scopes = \"Web.Read\"\n"+
			"  redirect_uris = [\"https://contoso.example/RedirectAccept.aspx\"]\n  site_url = \"https://sharepoint.fabrikam.example/%s\"\n}\n", name, path)
	}
	i := newImitated(t, text.String())
	i.connect()
	asked := map[string]int{}
	for _, r := range i.box.Requests() {
		asked[r.Method+" "+r.URL]++
	}
	if n := asked["GET "+farm+"/_vti_bin/client.svc"]; n != 1 {
		t.Errorf("the site of two connections was asked %d times", n)
	}
	if n := asked["GET https://sharepoint.fabrikam.example/archive/_vti_bin/client.svc"]; n != 1 {
		t.Errorf("the other site was asked %d times", n)
	}
	a, b := i.record(addr.Connection("a")), i.record(addr.Connection("b"))
	if a.Tokens.AccessToken.Equal(b.Tokens.AccessToken) || a.Info.Client.TokenEndpoint != b.Info.Client.TokenEndpoint {
		t.Error("two connections share a token, or not their token endpoint")
	}
	i.wire()
	i.apply(i.cfg, plan.Options{Replace: []addr.Addr{addr.Connection("a")}})
	if !strings.Contains(i.wire(), "client.svc") {
		t.Error("what one run found out was kept for the next")
	}
}

// freeAddress is a loopback address that nobody listened on a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// slow is a person who answers late.
type slow struct {
	*visitor
	wait func()
}

func (s *slow) Paste(ctx context.Context, visit grant.Visit) (secret.Secret, error) {
	answer, err := s.visitor.Paste(ctx, visit)
	s.wait()
	return answer, err
}
