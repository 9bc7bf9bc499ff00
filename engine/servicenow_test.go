package engine_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
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

// The pages below https://www.servicenow.com/docs/r/platform-security/authentication/
// that the expectations come from, and what is not there.
const (
	snFlow     = "authorization-workflow"
	snRequest  = "r_OAuthAPIRequestParameters"
	snRevoke   = "t_RevokeOAuthToken"
	snRegister = "t_CreateEndpointforExternalClients"
	snErrors   = "community m-p/2521408: one 401 for everything"
)

var incidents = addr.Connection("incidents")

// serviceNow is a connection with a redirect URI whose port is free here.
func serviceNow(t *testing.T, body string) string {
	t.Helper()
	return "connection \"incidents\" {\n  provider = \"servicenow\"\n  instance = \"dev12345\"\n  client_id = \"app\"\n  redirect_uris = [\"" + callback(t) + "\"]\n" + body + "\n}\n"
}

// callback is a redirect URI on a port that nobody listens on.
func callback(t *testing.T) string { return "http://localhost:" + freePort(t) + "/callback" }

// ports counts the ports that freePort has given out.
var ports atomic.Int32

// freePort is a port that nobody listens on, out of a range that the operating
// system chooses nothing from.
func freePort(t *testing.T) string {
	t.Helper()
	for range 200 {
		port := strconv.Itoa(20000 + (os.Getpid()*61+int(ports.Add(1)))%12000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			continue
		}
		_ = l.Close()
		return port
	}
	t.Fatal("no port is free")
	return ""
}

// register makes the client known to the instance, with the redirect URI that
// the configuration declares.
func (i *imitated) register(c sandbox.Client) {
	i.t.Helper()
	c.ID = "app"
	if c.RedirectURIs == nil {
		c.RedirectURIs = i.cfg.Connections[0].RedirectURIs
	}
	if err := i.box.Register(i.preset(incidents), c); err != nil {
		i.t.Fatal(err)
	}
}

// What the client sends to an instance: the browser to the first, then itself.
func TestServiceNowRequests(t *testing.T) {
	for _, c := range []struct {
		name, source, config, browser, wire, refresh string
	}{
		{"public client", snFlow + ": public clients", ``, `https://dev12345.service-now.com/oauth_auth.do
  client_id=app
  code_challenge=zwkx4Wi0nph1A8rxivb-JTtrPYKoEAjD6OHuZ8fI3FU
  code_challenge_method=S256
  redirect_uri=http://localhost:PORT/callback
  response_type=code
  state=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
`, `POST https://dev12345.service-now.com/oauth_token.do
  Content-Type: application/x-www-form-urlencoded
  client_id=app
  code=CODE
  code_verifier=VERIFIER
  grant_type=authorization_code
  redirect_uri=http://localhost:PORT/callback
`, `POST https://dev12345.service-now.com/oauth_token.do
  Content-Type: application/x-www-form-urlencoded
  client_id=app
  grant_type=refresh_token
  refresh_token=REFRESH
`},
		{"private client, auth scopes", snFlow + ": private clients; " + snRequest + ": parameters in the body", `
  client_secret = env("APP")
  scopes        = ["incident_read", "incident_write"]`, `https://dev12345.service-now.com/oauth_auth.do
  client_id=app
  code_challenge=zwkx4Wi0nph1A8rxivb-JTtrPYKoEAjD6OHuZ8fI3FU
  code_challenge_method=S256
  redirect_uri=http://localhost:PORT/callback
  response_type=code
  scope=incident_read incident_write
  state=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
`, `POST https://dev12345.service-now.com/oauth_token.do
  Content-Type: application/x-www-form-urlencoded
  client_id=app
  client_secret=secret-app
  code=CODE
  code_verifier=VERIFIER
  grant_type=authorization_code
  redirect_uri=http://localhost:PORT/callback
`, `POST https://dev12345.service-now.com/oauth_token.do
  Content-Type: application/x-www-form-urlencoded
  client_id=app
  client_secret=secret-app
  grant_type=refresh_token
  refresh_token=REFRESH
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := newImitated(t, serviceNow(t, c.config))
			i.connect()
			if d := cmp.Diff(c.browser, i.page.url()); d != "" {
				t.Errorf("%s: authorization request (-want +got):\n%s", c.source, d)
			}
			if d := cmp.Diff(c.wire, i.wire()); d != "" {
				t.Errorf("%s: code (-want +got):\n%s", c.source, d)
			}
			i.quiet()
			i.clock.pass(28 * time.Minute)
			i.token(incidents, engine.TokenOptions{})
			if d := cmp.Diff(c.refresh, i.wire()); d != "" {
				t.Errorf("%s: refresh (-want +got):\n%s", c.source, d)
			}
			i.quiet()
			old := i.record(incidents)
			i.use("")
			for _, r := range i.apply(i.cfg, plan.Options{}).Results {
				if r.State != engine.Done {
					t.Fatalf("revoke: %s: %v", r.State, r.Err)
				}
			}
			// Each token by its own URL, without authentication; nothing else.
			const revoke = "GET https://dev12345.service-now.com/oauth_revoke_token.do\n  ?token=TOKEN\n"
			if d := cmp.Diff(revoke+revoke, i.wire()); d != "" {
				t.Errorf("%s: revoke (-want +got):\n%s", snRevoke, d)
			}
			log := i.box.Requests()
			for k, want := range []secret.Secret{old.Tokens.RefreshToken, old.Tokens.AccessToken} {
				if r := log[len(log)-2+k]; !r.Query["token"][0].Equal(want) || len(r.Query) != 1 || len(r.Form) != 0 {
					t.Errorf("request %d of 2 has another token, or more than that", k+1)
				}
			}
		})
	}
}

// An instance has a name below service-now.com, or a host of its own.
func TestServiceNowInstance(t *testing.T) {
	for instance, want := range map[string]string{
		"dev12345":                    "https://dev12345.service-now.com/oauth_token.do",
		"DEV12345":                    "https://dev12345.service-now.com/oauth_token.do",
		"acme.service-now.com":        "https://acme.service-now.com/oauth_token.do",
		"acme.servicenowservices.com": "https://acme.servicenowservices.com/oauth_token.do",
		"itsm.contoso.example:8443":   "https://itsm.contoso.example:8443/oauth_token.do",
	} {
		i := newImitated(t, strings.Replace(serviceNow(t, ""), "dev12345", instance, 1))
		if got := i.preset(incidents).TokenEndpoint; got != want {
			t.Errorf("%s: %s, want %s", instance, got, want)
		}
	}
}

// oauth-auth-code-flow-state-parm: state must not be empty, and have no special
// characters; whatever is drawn.
func TestServiceNowState(t *testing.T) {
	i := newImitated(t, serviceNow(t, ""))
	for range 3 {
		i.apply(i.cfg, plan.Options{Replace: []addr.Addr{incidents}})
		u, err := url.Parse(i.page.last().URL)
		if err != nil {
			t.Fatal(err)
		}
		if s := u.Query().Get("state"); !regexp.MustCompile(`^[0-9A-Za-z]{43,}$`).MatchString(s) {
			t.Errorf("state is %q", s)
		}
	}
}

// What an instance would not refuse, but send elsewhere, is refused at plan.
func TestServiceNowRefusalsAtPlan(t *testing.T) {
	for _, c := range []struct{ name, source, config, want string }{
		{"no redirect URI", snRegister, "", "Missing redirect URI: When the redirect URI of a request is not among those of the registration, ServiceNow reports no error: it sends the answer to the first one that is registered"},
		{"a port that nobody knows before", snRegister, `redirect_uris = ["http://localhost/callback"]`, `Redirect URI without a port: When the redirect URI`},
		{"and what to write", snRegister, `redirect_uris = ["http://127.0.0.1:0/callback"]`, `declare it letter by letter: redirect_uris = ["http://127.0.0.1:8085/callback"]`},
		{"a port", snRegister, `redirect_uris = ["http://localhost:8085/callback"]`, ""},
		{"https", snRegister, `redirect_uris = ["https://portal.contoso.example/callback"]`, ""},
		{"no person", snFlow, "client_secret = env(\"A\")\n  grant \"client_credentials\" {}", ""},
		{"a secret in the header", snRequest, "redirect_uris = [\"http://localhost:8085/callback\"]\n  client_secret = env(\"A\")\n  client_auth = \"client_secret_basic\"", "accepts client_secret_post and none"},
		{"no instance", snFlow, `instance = null`, "needs the argument instance"},
		{"an address instead of a host", snFlow, `instance = "https://dev12345.service-now.com"`, "The argument instance does not accept"},
	} {
		t.Run(c.name, func(t *testing.T) {
			head := "instance = \"dev12345\"\n"
			if strings.HasPrefix(c.config, "instance") {
				head = ""
			}
			got := newKit(t).problems("connection \"c\" {\n  provider  = \"servicenow\"\n  client_id = \"app\"\n  " + head + c.config + "\n}\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) || strings.Count(got, "\n") > 1 {
				t.Errorf("%s: want %q, got\n%s", c.source, c.want, got)
			}
		})
	}
}

// r_OAuthAPIRequestParameters: as long as an access token lives, the same one
// comes back, with the time that it has left. Callers must not ask again and
// again for what they have.
func TestServiceNowHandsOutTheSameToken(t *testing.T) {
	for name, lifetimes := range map[string]string{
		"default margin":    "",
		"5 minutes":         `token_lifetimes { refresh_before = "5m" }`,
		"most of the token": `token_lifetimes { refresh_before = "20m" }`,
	} {
		t.Run(name, func(t *testing.T) {
			i := newImitated(t, serviceNow(t, lifetimes))
			i.connect()
			first := i.token(incidents, engine.TokenOptions{}).AccessToken
			born := i.clock.now()
			i.wire()
			// 29.5 minutes later 30 seconds are left, and everybody asks.
			i.clock.pass(29*time.Minute + 30*time.Second)
			for range 10 {
				tok := i.token(incidents, engine.TokenOptions{})
				if !tok.AccessToken.Equal(first) || !tok.ExpiresAt.Equal(born.Add(30*time.Minute)) || tok.Warning != "" {
					t.Fatalf("another token, or one until %v; %q", tok.ExpiresAt, tok.Warning)
				}
			}
			if n := strings.Count(i.wire(), "POST"); n != 1 {
				t.Errorf("10 callers made %d requests, want 1", n)
			}
			// A second at a time to the end and beyond: a handful of requests more.
			for range 60 {
				i.clock.pass(time.Second)
				if tok := i.token(incidents, engine.TokenOptions{}); !i.clock.now().Before(tok.ExpiresAt) {
					t.Fatalf("a token that ended at %v is handed out at %v", tok.ExpiresAt, i.clock.now())
				}
			}
			if n := strings.Count(i.wire(), "POST"); n > 6 {
				t.Errorf("%d requests in the last 30 seconds of a token", n)
			}
			if i.token(incidents, engine.TokenOptions{}).AccessToken.Equal(first) {
				t.Error("the token never changed")
			}
		})
	}
}

// t_ManageTokens: 1,800 and 8,640,000 seconds, unless the registration says
// otherwise. The refresh token is never replaced: the end does not move.
func TestServiceNowLifetimes(t *testing.T) {
	for name, c := range map[string]struct {
		config string
		want   time.Duration
	}{
		"as registered by default": {"", 8640000 * time.Second},
		"as registered otherwise":  {`token_lifetimes { refresh = "30d" }`, 30 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			i := newImitated(t, serviceNow(t, c.config))
			i.connect()
			end := i.clock.now().Add(c.want)
			for range 3 {
				r := i.record(incidents)
				if !r.RefreshExpiresAt.Equal(end) || r.ExpiresAt.Sub(i.clock.now()) != 30*time.Minute {
					t.Fatalf("access until %v, consent until %v, want %v", r.ExpiresAt, r.RefreshExpiresAt, end)
				}
				i.clock.pass(7 * 24 * time.Hour)
				i.token(incidents, engine.TokenOptions{})
			}
			i.quiet()
			i.clock.pass(c.want)
			if ch := i.plan(i.cfg, plan.Options{}).Changes; len(ch) != 1 || ch[0].Action != plan.Reauthorize {
				t.Errorf("after %v: %+v", c.want, ch)
			}
		})
	}
}

// One 401 for everything: a wrong code, secret or content. It is no failure
// that passes: nothing is sent again, nothing is lost.
func TestServiceNowCatchAll(t *testing.T) {
	const causes = "the code or refresh token is wrong or has ended, client_id or client_secret is wrong, or the request had content that it does not take"
	check := func(t *testing.T, i *imitated, err error) {
		t.Helper()
		if class(err) != engine.ClassError {
			t.Errorf("the class is %q", class(err))
		}
		for _, want := range []string{"server_error: access_denied (HTTP 401)", causes, "consent again: oauthctl apply -replace='connection.incidents'"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("want %q in %q", want, err)
			}
		}
		if n := strings.Count(i.wire(), "POST"); n != 1 {
			t.Errorf("%s: %d requests, want 1", snErrors, n)
		}
	}
	t.Run("wrong secret", func(t *testing.T) {
		i := newImitated(t, serviceNow(t, `client_secret = env("APP")`))
		i.register(sandbox.Client{Secret: "another"})
		check(t, i, i.refused(incidents))
	})
	t.Run("revoked refresh token", func(t *testing.T) {
		i := newImitated(t, serviceNow(t, `client_secret = env("APP")`))
		i.connect()
		if err := i.box.EndSessions(i.preset(incidents), "sam@sandbox.example"); err != nil {
			t.Fatal(err)
		}
		before := i.record(incidents)
		i.clock.pass(time.Hour)
		i.wire()
		_, err := i.engine.Token(i.ctx, incidents, engine.TokenOptions{})
		check(t, i, err)
		after := i.record(incidents)
		if after.Status != state.StatusOK || !after.Tokens.RefreshToken.Equal(before.Tokens.RefreshToken) || !after.Tokens.ClientSecret.Equal(before.Tokens.ClientSecret) {
			t.Errorf("the status is %s, or a credential was lost", after.Status)
		}
		if _, err := i.engine.Token(i.ctx, incidents, engine.TokenOptions{}); err == nil || i.wire() != "" {
			t.Errorf("the next caller asked at once: %v", err)
		}
	})
}

// After 100 days the 401 has one likely cause: a person is needed.
func TestServiceNowAfterTheEnd(t *testing.T) {
	i := newImitated(t, serviceNow(t, `client_secret = env("APP")`))
	i.connect()
	i.clock.pass(8640000 * time.Second)
	_, err := i.engine.Token(i.ctx, incidents, engine.TokenOptions{})
	if class(err) != engine.ClassNeedsUser || !errors.Is(err, engine.ErrConsentEnded) || !strings.Contains(err.Error(), "ServiceNow answers every refused token request") {
		t.Errorf("%s: %v", class(err), err)
	}
	if r := i.record(incidents); r.Status != state.StatusNeedsConsent || r.Tokens.RefreshToken.Empty() {
		t.Errorf("the status is %s, or the refresh token was lost", r.Status)
	}
}

// Deny, a closed window, an answer that went elsewhere: one clear error each.
func TestServiceNowNobodyConsents(t *testing.T) {
	t.Run("denied", func(t *testing.T) {
		i := newImitated(t, serviceNow(t, ""))
		i.page.deny = true
		err := i.refused(incidents)
		var g *grant.Error
		if !errors.As(err, &g) || g.Kind != grant.Denied || !strings.Contains(err.Error(), "The person denied access") {
			t.Errorf("%v", err)
		}
		if w := i.wire(); w != "" {
			t.Errorf("a denial was followed by\n%s", w)
		}
	})
	t.Run("sent to the first redirect URI", func(t *testing.T) {
		i := newImitated(t, serviceNow(t, "grant \"authorization_code\" {\n    timeout = \"1s\"\n  }"))
		i.register(sandbox.Client{RedirectURIs: []string{"https://portal.contoso.example/elsewhere", "https://portal.contoso.example/other"}})
		r := result(t, i.apply(i.cfg, plan.Options{}), incidents.Short())
		var g *grant.Error
		if !errors.As(r.Err, &g) || g.Kind != grant.Expired {
			t.Fatalf("%s: %v", r.State, r.Err)
		}
		for _, want := range []string{"nobody answered within 1s", "nothing arrived? If http://localhost:", "look at the address that the browser ended at"} {
			if !strings.Contains(r.Err.Error(), want) {
				t.Errorf("want %q in %q", want, r.Err)
			}
		}
	})
}

// authorization-workflow, step 7: refreshing is documented for private clients
// only. A public client that gets no refresh token works, and status knows when
// a person is needed.
func TestServiceNowPublicWithoutRefresh(t *testing.T) {
	i := newImitated(t, serviceNow(t, ""))
	i.register(sandbox.Client{NoRefresh: true})
	p := i.plan(i.cfg, plan.Options{})
	if notes := strings.Join(p.Changes[0].Notes, " "); !strings.Contains(notes, "may get no refresh token: then a new consent is due when the access token ends") {
		t.Errorf("the plan says %q", notes)
	}
	i.connect()
	r := i.record(incidents)
	if !r.Tokens.RefreshToken.Empty() || !r.RefreshExpiresAt.Equal(r.ExpiresAt) || r.ExpiresAt.IsZero() {
		t.Errorf("access until %v, consent until %v", r.ExpiresAt, r.RefreshExpiresAt)
	}
	i.quiet()
	i.clock.pass(31 * time.Minute)
	if _, err := i.engine.Token(i.ctx, incidents, engine.TokenOptions{}); class(err) != engine.ClassNeedsUser {
		t.Errorf("%v", err)
	}
	if ch := i.plan(i.cfg, plan.Options{}).Changes; len(ch) != 1 || ch[0].Action != plan.Reauthorize {
		t.Errorf("%+v", ch)
	}
}

// The imitated instance refuses what a real one does.
func TestServiceNowImitation(t *testing.T) {
	i := newImitated(t, serviceNow(t, ""))
	client := &http.Client{Transport: i.box.Transport()}
	page := "https://dev12345.service-now.com/oauth_auth.do?response_type=code&client_id=app&redirect_uri=" + url.QueryEscape("https://a.example/cb")
	for query, want := range map[string]string{"": "Missing State parameter in request", "&state=a-b_c": "Invalid State parameter"} {
		if _, err := i.box.Visit(t.Context(), page+query, sandbox.Visitor{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("state %q: %v, want %q", query, err, want)
		}
	}
	res, err := client.Post("https://dev12345.service-now.com/oauth_token.do", "application/json", strings.NewReader(`{"grant_type":"client_credentials"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if want := `{"error":"server_error","error_description":"access_denied"}`; err != nil || res.StatusCode != http.StatusUnauthorized || string(body) != want {
		t.Errorf("%s: a JSON body is answered with %d %s, %v", snRequest, res.StatusCode, body, err)
	}
}
