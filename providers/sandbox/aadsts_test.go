package sandbox_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/providers/sandbox"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// entra is a rig over the preset microsoft.
type entra struct {
	*rig
	p *providers.Preset
}

func newEntra(t *testing.T, tenant string) *entra {
	t.Helper()
	conn := &schema.Connection{Addr: addr.Connection("x"), Provider: "microsoft", ClientID: "app",
		Args: map[string]schema.Arg{"tenant": {Value: cty.StringVal(tenant)}}}
	p, diags := providers.New().Resolve(&schema.Config{}, conn)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return &entra{newRig(t, p), p}
}

const local = "http://localhost:49152"

func (e *entra) authorizeURL(more ...string) string {
	q := url.Values{
		"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {local}, "state": {"st"},
		"scope": {"User.Read offline_access"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	set(q, more)
	return e.p.AuthorizationEndpoint + "?" + q.Encode()
}

func set(v url.Values, pairs []string) {
	for k := 0; k < len(pairs); k += 2 {
		if v.Set(pairs[k], pairs[k+1]); pairs[k+1] == "" {
			v.Del(pairs[k])
		}
	}
}

// redeem consents and redeems the code.
func (e *entra) redeem(asked, form []string, header ...string) (int, map[string]any) {
	e.t.Helper()
	f := url.Values{"grant_type": {"authorization_code"}, "client_id": {"app"}, "redirect_uri": {local}, "code_verifier": {verifier},
		"code": {e.consent(e.authorizeURL(asked...)).Get("code")}}
	set(f, form)
	return e.post(e.p.TokenEndpoint, f, header...)
}

func (e *entra) again(refresh any, header ...string) (int, map[string]any) {
	e.t.Helper()
	return e.post(e.p.TokenEndpoint, url.Values{"grant_type": {"refresh_token"}, "client_id": {"app"}, "refresh_token": {refresh.(string)}}, header...)
}

// number is the first of error_codes.
func number(answer map[string]any) int {
	codes, _ := answer["error_codes"].([]any)
	if len(codes) == 0 {
		return 0
	}
	n, _ := codes[0].(float64)
	return int(n)
}

// v2-oauth2-auth-code-flow, "Error response": the members, and how the description ends.
func TestEntraErrorShape(t *testing.T) {
	e := newEntra(t, "common")
	status, got := e.again("nonsense")
	guid := regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	if status != http.StatusBadRequest || got["error"] != "invalid_grant" || number(got) != 70000 || got["timestamp"] != "2026-03-01 12:00:00Z" ||
		!guid.MatchString(got["trace_id"].(string)) || !guid.MatchString(got["correlation_id"].(string)) ||
		got["error_uri"] != "https://login.microsoftonline.com/error?code=70000" {
		t.Errorf("%d %v", status, got)
	}
	description := regexp.MustCompile(`^AADSTS70000: .* Trace ID: \S+ Correlation ID: \S+ Timestamp: 2026-03-01 12:00:00Z$`)
	if d := got["error_description"].(string); !description.MatchString(d) {
		t.Errorf("description %q", d)
	}
}

// Refusals of the token endpoint, by number; reference-error-codes and reply-url.
func TestEntraRefusals(t *testing.T) {
	const origin = "http://localhost:49152"
	spa := sandbox.Client{ID: "app", Platform: "spa", RedirectURIs: []string{"http://localhost"}}
	native := sandbox.Client{ID: "app", Platform: "native", RedirectURIs: []string{"http://localhost"}}
	web := sandbox.Client{ID: "app", Platform: "web", Secret: secret.Secret("right"), RedirectURIs: []string{"http://localhost"}}
	for name, c := range map[string]struct {
		client      sandbox.Client
		asked, form []string
		header      []string
		wait        time.Duration
		status      int
		code        string
		number      int
	}{
		"single-page without Origin":    {client: spa, status: 400, code: "invalid_request", number: 9002327},
		"single-page with Origin":       {client: spa, header: []string{"Origin", origin}, status: 200},
		"Origin and no single-page":     {client: native, header: []string{"Origin", origin}, status: 400, code: "invalid_request", number: 9002326},
		"a secret beside Origin":        {client: sandbox.Client{ID: "app", Platform: "spa", Secret: "right", RedirectURIs: []string{"http://localhost"}}, form: []string{"client_secret", "right"}, header: []string{"Origin", origin}, status: 401, code: "invalid_client", number: 700025},
		"two resources":                 {client: native, asked: []string{"scope", "User.Read https://contoso.sharepoint.com/AllSites.Read"}, status: 400, code: "invalid_request", number: 28000},
		"two resources at /token":       {client: native, form: []string{"scope", "User.Read api://backend/read"}, status: 400, code: "invalid_request", number: 28000},
		".default beside others":        {client: native, asked: []string{"scope", "https://graph/.default User.Read"}, status: 400, code: "invalid_scope", number: 70011},
		"OpenID Connect beside one":     {client: native, asked: []string{"scope", "openid profile email offline_access api://backend/read"}, status: 200},
		"the parameter resource":        {client: native, form: []string{"resource", "https://graph.microsoft.com"}, status: 400, code: "invalid_request", number: 901002},
		"wrong secret":                  {client: web, form: []string{"client_secret", "wrong"}, status: 401, code: "invalid_client", number: 7000215},
		"expired secret":                {client: sandbox.Client{ID: "app", Secret: "right", RedirectURIs: []string{"http://localhost"}, SecretExpires: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)}, form: []string{"client_secret", "right"}, status: 401, code: "invalid_client", number: 7000222},
		"no secret":                     {client: web, status: 401, code: "invalid_client", number: 7000218},
		"the right secret":              {client: web, form: []string{"client_secret", "right"}, status: 200},
		"another redirect URI":          {client: native, form: []string{"redirect_uri", "http://localhost:1/other"}, status: 401, code: "invalid_client", number: 50011},
		"wrong verifier":                {client: native, form: []string{"code_verifier", strings.Repeat("x", 43)}, status: 400, code: "invalid_grant", number: 501481},
		"unknown code":                  {client: native, form: []string{"code", "nonsense"}, status: 400, code: "invalid_grant", number: 70000},
		"a code older than ten minutes": {client: native, wait: 10 * time.Minute, status: 400, code: "invalid_grant", number: 70008},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEntra(t, "common")
			if err := e.s.Register(e.p, c.client); err != nil {
				t.Fatal(err)
			}
			f := url.Values{"grant_type": {"authorization_code"}, "client_id": {"app"}, "redirect_uri": {local}, "code_verifier": {verifier},
				"code": {e.consent(e.authorizeURL(c.asked...)).Get("code")}}
			set(f, c.form)
			e.clock.Add(c.wait)
			status, got := e.post(e.p.TokenEndpoint, f, c.header...)
			if status != c.status || number(got) != c.number || c.code != "" && got["error"] != c.code {
				t.Errorf("%d %v", status, got)
			}
		})
	}
}

func TestEntraCodeTwice(t *testing.T) {
	e := newEntra(t, "common")
	code := e.consent(e.authorizeURL()).Get("code")
	if status, got := e.redeem(nil, []string{"code", code}); status != http.StatusOK {
		t.Fatal(got)
	}
	if _, got := e.redeem(nil, []string{"code", code}); number(got) != 54005 {
		t.Errorf("%v", got)
	}
}

// Refusals on the page and in the redirect.
func TestEntraAuthorizeRefusals(t *testing.T) {
	e := newEntra(t, "common")
	if err := e.s.Register(e.p, sandbox.Client{ID: "app", RedirectURIs: []string{"http://localhost", "http://localhost/Path"}}); err != nil {
		t.Fatal(err)
	}
	visit := func(who sandbox.Visitor, more ...string) (url.Values, error) {
		to, err := e.s.Visit(t.Context(), e.authorizeURL(more...), who)
		u, _ := url.Parse(to.URL)
		return u.Query(), err
	}
	for _, uri := range []string{"http://localhost:1/path", "https://localhost", "http://127.0.0.1:49152"} {
		if _, err := visit(sandbox.Visitor{}, "redirect_uri", uri); err == nil || !strings.Contains(err.Error(), "AADSTS50011") {
			t.Errorf("%s: %v", uri, err)
		}
	}
	if got, err := visit(sandbox.Visitor{}, "redirect_uri", "http://localhost:7/Path"); err != nil || got.Get("code") == "" {
		t.Errorf("another port of localhost: %v %v", got, err)
	}
	for _, c := range []struct {
		name string
		who  sandbox.Visitor
		more []string
		want string
	}{
		{"denied", sandbox.Visitor{Deny: true}, nil, "access_denied AADSTS65004"},
		{"nobody signed in", sandbox.Visitor{}, []string{"prompt", "none"}, "login_required AADSTS50058"},
		{"an administrator is needed", sandbox.Visitor{}, []string{"scope", "Sandbox.NeedsAdmin"}, "access_denied AADSTS90094"},
		{"and is here", sandbox.Visitor{Account: "admin@contoso.com"}, []string{"scope", "Sandbox.NeedsAdmin"}, " "},
	} {
		got, err := visit(c.who, c.more...)
		text, _, _ := strings.Cut(got.Get("error_description"), ":")
		if err != nil || got.Get("error")+" "+text != c.want || got.Get("state") != "st" {
			t.Errorf("%s: %v %v", c.name, got, err)
		}
	}
}

// refresh-tokens: the end of refresh tokens, and that the old one stays valid.
func TestEntraRefresh(t *testing.T) {
	e := newEntra(t, "common")
	_, first := e.redeem(nil, nil)
	status, second := e.again(first["refresh_token"])
	if status != http.StatusOK || second["refresh_token"] == first["refresh_token"] {
		t.Fatalf("%d %v", status, second)
	}
	if status, _ := e.again(first["refresh_token"]); status != http.StatusOK {
		t.Error("the old refresh token is dead")
	}
	e.clock.Add(90*24*time.Hour - time.Second)
	_, third := e.again(second["refresh_token"])
	e.clock.Add(time.Second)
	if _, got := e.again(second["refresh_token"]); number(got) != 700082 {
		t.Errorf("after 90 days: %v", got)
	}
	if status, _ := e.again(third["refresh_token"]); status != http.StatusOK {
		t.Error("use does not extend")
	}
	if err := e.s.EndSessions(e.p, "SAM@sandbox.example"); err != nil {
		t.Fatal(err)
	}
	if _, got := e.again(third["refresh_token"]); number(got) != 50173 {
		t.Errorf("after the sessions were ended: %v", got)
	}
}

// A single-page application's refresh tokens all end 24 hours after the sign-in.
func TestEntraSinglePageRefresh(t *testing.T) {
	e := newEntra(t, "common")
	origin := []string{"Origin", "http://localhost:49152"}
	_, first := e.redeem(nil, nil, origin...)
	if first["refresh_token_expires_in"] != float64(86400) {
		t.Errorf("%v", first["refresh_token_expires_in"])
	}
	e.clock.Add(23 * time.Hour)
	if _, got := e.again(first["refresh_token"]); number(got) != 9002327 {
		t.Errorf("without Origin: %v", got)
	}
	_, second := e.again(first["refresh_token"], origin...)
	if second["refresh_token_expires_in"] != float64(3600) {
		t.Errorf("%v", second["refresh_token_expires_in"])
	}
	e.clock.Add(time.Hour)
	if _, got := e.again(second["refresh_token"], origin...); number(got) != 700084 {
		t.Errorf("after a day: %v", got)
	}
}

// configurable-token-lifetimes: 60 to 90 minutes, at random; and what is granted
// may be more than was asked, without offline_access.
func TestEntraAnswers(t *testing.T) {
	e := newEntra(t, "common")
	seen := map[float64]bool{}
	for range 20 {
		_, got := e.redeem(nil, nil)
		life := got["expires_in"].(float64)
		if life < 3600 || life > 5400 || got["ext_expires_in"] != life {
			t.Fatalf("expires_in %v, ext_expires_in %v", life, got["ext_expires_in"])
		}
		seen[life] = true
	}
	if len(seen) < 5 {
		t.Errorf("lifetimes %v are not random", seen)
	}
	e.redeem([]string{"scope", "Mail.Read offline_access"}, nil)
	_, got := e.redeem([]string{"scope", "Files.Read offline_access"}, nil)
	if scopes := strings.Fields(got["scope"].(string)); !slices.Contains(scopes, "Files.Read") || !slices.Contains(scopes, "Mail.Read") || slices.Contains(scopes, "offline_access") {
		t.Errorf("scope %v", scopes)
	}
	_, got = e.redeem([]string{"scope", "api://backend/read"}, nil)
	if got["scope"] != "api://backend/read" || got["refresh_token"] != nil {
		t.Errorf("another resource: %v", got)
	}
}

// v2-oauth2-client-creds-grant-flow.
func TestEntraClientCredentials(t *testing.T) {
	for _, c := range []struct {
		tenant, scope string
		number        int
	}{
		{"contoso.com", "https://graph.microsoft.com/.default", 0},
		{"contoso.com", "User.Read", 1002012},
		{"contoso.com", "https://graph.microsoft.com/.default api://backend/.default", 1002012},
		{"common", "https://graph.microsoft.com/.default", 9001023},
		{"consumers", "https://graph.microsoft.com/.default", 9001023},
	} {
		e := newEntra(t, c.tenant)
		_, got := e.post(e.p.TokenEndpoint, url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_secret": {"hush"}, "scope": {c.scope}})
		if number(got) != c.number || c.number == 0 && (got["access_token"] == nil || got["refresh_token"] != nil) {
			t.Errorf("%s %s: %v", c.tenant, c.scope, got)
		}
	}
}

// v2-oauth2-device-code: a message to show, no complete URI, and names of its own.
func TestEntraDevice(t *testing.T) {
	e := newEntra(t, "common")
	start := func() map[string]any {
		_, got := e.post(e.p.DeviceEndpoint, url.Values{"client_id": {"app"}, "scope": {"User.Read offline_access"}})
		return got
	}
	poll := func(code any) map[string]any {
		_, got := e.post(e.p.TokenEndpoint, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {"app"}, "device_code": {code.(string)}})
		e.clock.Add(5 * time.Second)
		return got
	}
	got := start()
	if got["verification_uri_complete"] != nil || !strings.Contains(got["message"].(string), got["user_code"].(string)) || got["expires_in"] != float64(900) {
		t.Errorf("%v", got)
	}
	if p := poll(got["device_code"]); p["error"] != "authorization_pending" || number(p) != 70016 {
		t.Errorf("%v", p)
	}
	if err := e.s.VisitDevice(t.Context(), got["user_code"].(string), sandbox.Visitor{Deny: true}); err != nil {
		t.Fatal(err)
	}
	if p := poll(got["device_code"]); p["error"] != "authorization_declined" {
		t.Errorf("%v", p)
	}
	if p := poll("nonsense"); p["error"] != "bad_verification_code" {
		t.Errorf("%v", p)
	}
	got = start()
	e.clock.Add(15 * time.Minute)
	if p := poll(got["device_code"]); p["error"] != "expired_token" {
		t.Errorf("%v", p)
	}
}
