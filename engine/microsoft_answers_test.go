package engine_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/state"
)

// answering gives one answer to every token request while it has one.
type answering struct {
	next http.RoundTripper

	mu     sync.Mutex
	status int
	body   string
	header http.Header
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.body == "" || r.Method != http.MethodPost {
		return a.next.RoundTrip(r)
	}
	h := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	for k, v := range a.header {
		h[k] = v
	}
	return &http.Response{StatusCode: a.status, Header: h, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

// entra is an error as the token endpoint words it:
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#error-response-1.
func entra(code, number, text, more string) string {
	return fmt.Sprintf(`{"error":%q,"error_description":"AADSTS%s: %s\r\nTrace ID: 255d1aef-8c98-452f-ac51-23d051240864\r\nCorrelation ID: fb3d2015-bc17-4bb9-bb85-30c5cf1aaaa7\r\nTimestamp: 2026-03-02 12:00:00Z",`+
		`"error_codes":[%s],"timestamp":"2026-03-02 12:00:00Z","trace_id":"255d1aef-8c98-452f-ac51-23d051240864","correlation_id":"fb3d2015-bc17-4bb9-bb85-30c5cf1aaaa7"%s}`,
		code, number, text, number, more)
}

// What the token endpoint may answer, as it words it, and what becomes of the connection.
func TestMicrosoftAnswers(t *testing.T) {
	for _, c := range []struct {
		name    string
		status  int
		body    string
		refresh bool // to a refresh, else to the first code
		class   engine.Class
		marked  bool
		want    []string
	}{
		{"redirect URI mismatch", 401, entra("invalid_client", "50011", "The redirect URI 'http://localhost' specified in the request does not match.", ""),
			false, engine.ClassError, false, []string{"AADSTS50011", "registered", "Register the redirect URI"}},
		{"missing permission", 400, entra("invalid_grant", "65001", "The user or administrator has not consented to use the application with ID 'app'.", `,"suberror":"consent_required"`),
			false, engine.ClassNeedsUser, false, []string{"consented", "https://login.microsoftonline.com/organizations/v2.0/adminconsent?client_id=app&scope=User.Read"}},
		{"permission not in the registration", 400, entra("invalid_client", "650057", "Invalid resource.", ""),
			false, engine.ClassError, false, []string{"API permissions"}},
		{"wrong secret", 401, entra("invalid_client", "7000215", "Invalid client secret provided.", ""),
			false, engine.ClassError, false, []string{"AADSTS7000215", "secret's id was copied"}},
		{"unknown client", 400, entra("unauthorized_client", "700016", "Application with identifier 'app' was not found in the directory.", ""),
			false, engine.ClassError, false, []string{"AADSTS700016", "client_id"}},
		{"code used twice", 400, entra("invalid_grant", "54005", "OAuth2 Authorization code was already redeemed.", ""),
			false, engine.ClassNeedsUser, false, []string{"AADSTS54005", "once"}},

		{"not used for 90 days", 400, entra("invalid_grant", "700082", "The refresh token has expired due to inactivity.", `,"suberror":"bad_token"`),
			true, engine.ClassNeedsUser, true, []string{"AADSTS700082", "90 days"}},
		{"expired", 400, entra("invalid_grant", "70008", "The provided authorization code or refresh token has expired due to inactivity.", ""),
			true, engine.ClassNeedsUser, true, []string{"AADSTS70008"}},
		{"revoked", 400, entra("invalid_grant", "50173", "The provided grant has expired due to it being revoked.", ""),
			true, engine.ClassNeedsUser, true, []string{"AADSTS50173", "revoked"}},
		{"a second factor", 400, entra("interaction_required", "50076", "Due to a configuration change made by your administrator you must use multi-factor authentication.", `,"suberror":"basic_action","claims":"{}"`),
			true, engine.ClassNeedsUser, true, []string{"AADSTS50076"}},
		{"the number in error_codes only", 400, `{"error":"invalid_grant","error_description":"","error_codes":[50173]}`,
			true, engine.ClassNeedsUser, true, []string{"AADSTS50173", "revoked"}},
		{"an unknown number", 400, entra("invalid_grant", "999999", "Something new.", ""),
			true, engine.ClassNeedsUser, true, []string{"AADSTS999999"}},
		{"a rule that blocks", 400, entra("interaction_required", "53003", "Access has been blocked by Conditional Access policies.", ""),
			true, engine.ClassError, false, []string{"Conditional Access"}},
		{"expired secret", 401, entra("invalid_client", "7000222", "The provided client secret keys are expired.", ""),
			true, engine.ClassError, false, []string{"AADSTS7000222", "expired"}},
		{"the service fails", 503, entra("temporarily_unavailable", "90033", "A transient error has occurred. Please try again.", ""),
			true, engine.ClassTemporary, false, []string{"AADSTS90033", "again"}},
		{"throttled", 429, entra("invalid_request", "90055", "Server terminated the operation because it encountered a client request rate larger than allowed.", ""),
			true, engine.ClassTemporary, false, []string{"AADSTS90055", "Wait"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := newImitated(t, microsoft("\n  scopes = [\"User.Read\"]\n  redirect_uris = [\"http://localhost\"]"))
			a := &answering{next: i.box.Transport()}
			i.options.HTTP = grant.NewHTTPClient(grant.HTTPOptions{Transport: a})
			i.engine = engine.New(i.options)
			var err error
			if c.refresh {
				i.connect()
				i.clock.pass(2 * time.Hour)
				a.status, a.body = c.status, c.body
				_, err = i.engine.Token(i.ctx, graph, engine.TokenOptions{})
			} else {
				a.status, a.body = c.status, c.body
				err = i.refused(graph)
			}
			if class(err) != c.class {
				t.Errorf("%s, want %s", class(err), c.class)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("want %q in %v", want, err)
				}
			}
			var e *grant.Error
			if !errors.As(err, &e) || e.Hint == "" {
				t.Errorf("unexplained: %v", err)
			}
			if strings.Contains(err.Error(), "Correlation") || strings.Contains(err.Error(), "\r") {
				t.Errorf("the server's record is in %v", err)
			}
			if !c.refresh {
				return
			}
			if marked := i.record(graph).Status == state.StatusNeedsConsent; marked != c.marked || errors.Is(err, engine.ErrConsentEnded) != c.marked {
				t.Errorf("marked: %t, want %t: %v", marked, c.marked, err)
			}
			if c.marked && strings.Contains(err.Error(), "trace id") {
				t.Errorf("the server's words are in %v", err)
			}
		})
	}
}

// v2-oauth2-device-code: Microsoft's names of errors, and its answer without a
// complete URI.
func TestMicrosoftDeviceCode(t *testing.T) {
	for _, c := range []struct {
		name string
		deny bool
		kind grant.Kind
	}{{"allowed", false, ""}, {"authorization_declined", true, grant.Denied}} {
		t.Run(c.name, func(t *testing.T) {
			i := newImitated(t, microsoft("\n  tenant = \"contoso.com\"\n  scopes = [\"Mail.Read\"]\n  grant \"device_code\" {}"))
			i.page.deny = c.deny
			client, diags := grant.NewClient(i.cfg.Connections[0], i.preset(graph))
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			g, err := client.Authorize(i.ctx, i.patient())
			var e *grant.Error
			if c.kind == "" {
				if err != nil || g.Tokens.RefreshToken.Empty() {
					t.Errorf("%v", err)
				}
			} else if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Detail, "authorization_declined") {
				t.Errorf("%v", err)
			}
			want := `POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/devicecode
  Content-Type: application/x-www-form-urlencoded
  client_id=app
  scope=Mail.Read offline_access
POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token
  Content-Type: application/x-www-form-urlencoded
  client_id=app
  device_code=DEVICE
  grant_type=urn:ietf:params:oauth:grant-type:device_code
`
			if got := i.wire(); got != want {
				t.Errorf("v2-oauth2-device-code: sent\n%s", got)
			}
		})
	}
}

// A person who lets the code expire is still needed.
func TestMicrosoftDeviceCodeExpires(t *testing.T) {
	i := newImitated(t, microsoft("\n  tenant = \"contoso.com\"\n  scopes = [\"Mail.Read\"]\n  grant \"device_code\" {}"))
	client, diags := grant.NewClient(i.cfg.Connections[0], i.preset(graph))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	env := i.patient()
	env.User = absent{}
	_, err := client.Authorize(i.ctx, env)
	var e *grant.Error
	if !errors.As(err, &e) || e.Kind != grant.Expired {
		t.Errorf("%v", err)
	}
}
