package grant_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/grant/granttest"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// held is a record with a refresh token, as the engine keeps one.
func (w *world) held() *state.Record {
	r := &state.Record{
		Info: &state.Info{
			Grant: grant.AuthorizationCode, Requested: []string{"a", "b"}, Granted: []string{"a", "b"}, Account: "alice@example.com",
			Client: state.Client{TokenEndpoint: w.srv.URL + "/token", RevocationEndpoint: w.srv.URL + "/revoke", ClientID: "client-1",
				Auth: "client_secret_post", Resource: []string{"https://a.example", "https://b.example"}, TokenParams: map[string]string{"tenant": "7"}},
		},
		Tokens: &state.Tokens{
			AccessToken: "old-access", RefreshToken: "old-refresh", ClientSecret: "s3cr3t", TokenType: "Bearer",
			Extra: map[string]secret.Secret{"instance_url": "https://eu.example", "keep": "1"},
		},
	}
	r.Addr = addr.Connection("main")
	r.RefreshExpiresAt = w.clock.Now().Add(90 * 24 * time.Hour)
	return r
}

// The request, byte for byte, from the record alone; what the server does not
// send again stays.
func TestRefresh(t *testing.T) {
	w := newWorld(t)
	w.srv.On("/token", granttest.JSON(200, map[string]any{"access_token": "new", "token_type": "bEARER", "expires_in": "3600", "instance_url": "https://us.example"}))
	rec := w.held()
	rec.Info.Client.Origin = "http://localhost"
	g, err := grant.Refresh(context.Background(), w.env(), rec, nil)
	if err != nil {
		t.Fatal(err)
	}
	call := w.srv.Calls("/token")[0]
	if diff := cmp.Diff(url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {"old-refresh"}, "client_id": {"client-1"}, "client_secret": {"s3cr3t"},
		"resource": {"https://a.example", "https://b.example"}, "tenant": {"7"},
	}, call.Form); diff != "" {
		t.Errorf("request (-want +have):\n%s", diff)
	}
	if call.Header.Get("Authorization") != "" || call.Header.Get("Origin") != "http://localhost" || call.Header.Get("User-Agent") != "oauthctl/test" {
		t.Errorf("headers: %v", call.Header)
	}
	if g.Tokens.AccessToken != "new" || g.Tokens.RefreshToken != "old-refresh" || g.Tokens.TokenType != "Bearer" || g.Tokens.ClientSecret != "s3cr3t" {
		t.Error("the tokens are not as they should be")
	}
	if !g.ExpiresAt.Equal(w.clock.Now().Add(time.Hour)) || !g.RefreshExpiresAt.Equal(rec.RefreshExpiresAt) {
		t.Errorf("ends: %v, %v", g.ExpiresAt, g.RefreshExpiresAt)
	}
	if g.Tokens.Extra["instance_url"] != "https://us.example" || g.Tokens.Extra["keep"] != "1" || len(rec.Tokens.Extra) != 2 {
		t.Error("extra members were not merged")
	}
	if diff := cmp.Diff([]string{"a", "b"}, g.Granted); diff != "" || g.Account != "alice@example.com" {
		t.Errorf("granted %v, account %q", g.Granted, g.Account)
	}
}

// A rotated refresh token replaces the old one; a new endpoint and narrowed
// scopes are used as given.
func TestRefreshRotates(t *testing.T) {
	w := newWorld(t)
	rec := w.held()
	rec.Info.Client.RefreshEndpoint = w.srv.URL + "/renew"
	rec.Info.Refresh = 24 * time.Hour
	w.srv.On("/renew", granttest.JSON(200, map[string]any{"access_token": "n", "token_type": "Bearer", "refresh_token": "r2", "scope": "a"}))
	g, err := grant.Refresh(context.Background(), w.env(), rec, []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	if len(w.srv.Calls("/token")) != 0 || w.srv.Calls("/renew")[0].Form.Get("scope") != "a" {
		t.Error("the refresh did not go where and as it should")
	}
	if g.Tokens.RefreshToken != "r2" || !g.RefreshExpiresAt.Equal(w.clock.Now().Add(24*time.Hour)) || len(g.Warnings) != 0 || len(g.Granted) != 1 {
		t.Errorf("refresh ends %v, warnings %q, granted %q", g.RefreshExpiresAt, g.Warnings, g.Granted)
	}
}

// Endpoints that a server elsewhere named in its metadata stay outside on every
// later request too, whatever their names resolve to by then.
func TestRefreshOfAGuardedRecordStaysOutside(t *testing.T) {
	w := newWorld(t)
	rec := w.held()
	rec.Info.Client.Guarded = true
	_, err := grant.Refresh(context.Background(), w.env(), rec, nil)
	if e := wantError(t, err, grant.Config, "not a public address"); e.Outcome != grant.NotSent {
		t.Errorf("outcome %s", e.Outcome)
	}
	wantError(t, grant.Revoke(context.Background(), w.env(), rec), grant.Config, "not a public address")
	if n := len(w.srv.Calls("/token")) + len(w.srv.Calls("/revoke")); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// Client credentials are asked for again.
func TestRefreshByCredentials(t *testing.T) {
	w := newWorld(t)
	rec := w.held()
	rec.Info.Grant, rec.Tokens.RefreshToken = grant.ClientCredentials, ""
	if _, err := grant.Refresh(context.Background(), w.env(), rec, nil); err != nil {
		t.Fatal(err)
	}
	if f := w.srv.Calls("/token")[0].Form; f.Get("grant_type") != "client_credentials" || f.Get("scope") != "a b" {
		t.Errorf("request: %v", f)
	}
}

// Nobody consented, so that nobody's consent can have ended.
func TestCredentialsRefusedAreAMatterOfConfiguration(t *testing.T) {
	w := newWorld(t)
	rec := w.held()
	rec.Info.Grant, rec.Tokens.RefreshToken = grant.ClientCredentials, ""
	w.srv.On("/token", granttest.OAuthError(400, "invalid_grant", ""))
	_, err := grant.Refresh(context.Background(), w.env(), rec, nil)
	wantError(t, err, grant.Config, "invalid_grant")
}

// A server may repeat what it was sent, in part or in another form.
func TestErrorsDoNotRepeatWhatWasSent(t *testing.T) {
	w := newWorld(t)
	rec := w.held()
	rec.Tokens.RefreshToken, rec.Tokens.ClientSecret = "rt/very+secret==", "s3cr3t"
	pad := strings.Repeat("x", 295)
	for _, words := range []string{
		"rt/very+secret== is bad", pad + "rt/very+secret==", "token=rt%2Fvery%2Bsecret%3D%3D", "s3cr3t", "é\u202ert/very+secret==",
	} {
		for _, reply := range []granttest.Reply{granttest.OAuthError(400, "invalid_grant", words), granttest.OAuthError(400, words, "")} {
			w.srv.On("/token", reply)
			_, err := grant.Refresh(context.Background(), w.env(), rec, nil)
			w.srv.On("/revoke", reply)
			for _, text := range []string{fmt.Sprintf("%v %+v", err, err), fmt.Sprintf("%v", grant.Revoke(context.Background(), w.env(), rec))} {
				if strings.Contains(text, "rt/") || strings.Contains(text, "rt%2F") || strings.Contains(text, "s3cr3t") {
					t.Errorf("%q: %s", words, text)
				}
			}
		}
	}
}

// What the catalogue knows of a server explains the errors of a refresh as well,
// and is only looked for when there is one.
func TestRefreshErrorsAreExplained(t *testing.T) {
	w := newWorld(t)
	rec := w.held()
	rec.Info.Preset = "atlassian"
	env, asked := w.env(), 0
	env.Preset = func(name string) *providers.Preset {
		asked++
		return providers.New().Named(name)
	}
	if _, err := grant.Refresh(context.Background(), env, rec, nil); err != nil || asked != 0 {
		t.Errorf("asked %d times, %v", asked, err)
	}
	w.srv.On("/token", granttest.OAuthError(403, "invalid_grant", "Unknown or invalid refresh token."))
	_, err := grant.Refresh(context.Background(), env, rec, nil)
	wantError(t, err, grant.Rejected, "not used for 90 days")
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

// What became of a refresh token that was sent: the next decision hangs on it.
// Whatever happens, it is sent at most once.
func TestRefreshOutcomes(t *testing.T) {
	html := map[string]string{"Content-Type": "text/html"}
	for name, tc := range map[string]struct {
		reply   granttest.Reply
		kind    grant.Kind
		outcome grant.Outcome
		words   string
	}{
		"invalid_grant":         {granttest.OAuthError(400, "invalid_grant", "expired"), grant.Rejected, grant.Answered, "invalid_grant"},
		"own code":              {granttest.OAuthError(400, "bad_refresh_token", ""), grant.Rejected, grant.Answered, "bad_refresh_token"},
		"error in 200":          {granttest.OAuthError(200, "invalid_grant", ""), grant.Rejected, grant.Answered, "invalid_grant"},
		"empty 400":             {granttest.Reply{Status: 400}, grant.Rejected, grant.Answered, "HTTP 400"},
		"interaction_required":  {granttest.OAuthError(400, "interaction_required", ""), grant.Rejected, grant.Answered, "interaction_required"},
		"invalid_client":        {granttest.OAuthError(401, "invalid_client", ""), grant.Config, grant.Answered, "invalid_client"},
		"invalid_scope":         {granttest.OAuthError(400, "invalid_scope", ""), grant.Config, grant.Answered, "invalid_scope"},
		"401 without words":     {granttest.Reply{Status: 401}, grant.Config, grant.Answered, "HTTP 401"},
		"404":                   {granttest.Reply{Status: 404, Body: "<html>", Header: html}, grant.Config, grant.Answered, "HTTP 404"},
		"429":                   {granttest.Reply{Status: 429, Header: map[string]string{"Retry-After": "7"}}, grant.Temporary, grant.Answered, "HTTP 429"},
		"500":                   {granttest.Reply{Status: 500, Body: "oops", Header: html}, grant.Temporary, grant.Answered, "HTTP 500"},
		"503":                   {granttest.Reply{Status: 503}, grant.Temporary, grant.Answered, "HTTP 503"},
		"temporarily":           {granttest.OAuthError(400, "temporarily_unavailable", ""), grant.Temporary, grant.Answered, "temporarily"},
		"502":                   {granttest.Reply{Status: 502}, grant.Temporary, grant.Unknown, "HTTP 502"},
		"504":                   {granttest.Reply{Status: 504}, grant.Temporary, grant.Unknown, "HTTP 504"},
		"reset":                 {granttest.Reply{Fault: granttest.Reset}, grant.Temporary, grant.Unknown, "reset"},
		"closed":                {granttest.Reply{Fault: granttest.Close}, grant.Temporary, grant.Unknown, "closed the connection"},
		"hangs":                 {granttest.Reply{Fault: granttest.Hang}, grant.Temporary, grant.Unknown, "no answer in time"},
		"truncated":             {granttest.Reply{Fault: granttest.Truncate, Body: `{"access_token":"x",`}, grant.Temporary, grant.Unknown, "closed the connection"},
		"broken JSON":           {granttest.Reply{Body: `{"access_token":"x",`}, grant.Protocol, grant.Unknown, "broken JSON"},
		"HTML with 200":         {granttest.Reply{Body: "<html>login</html>", Header: html}, grant.Protocol, grant.Unknown, "not JSON"},
		"empty 200":             {granttest.Reply{}, grant.Protocol, grant.Unknown, "empty"},
		"member twice":          {granttest.Reply{Body: `{"access_token":"x","token_type":"Bearer","access_token":"y"}`}, grant.Protocol, grant.Unknown, "twice"},
		"no access token":       {granttest.Reply{Body: `{"token_type":"Bearer"}`}, grant.Protocol, grant.Unknown, "no access token"},
		"access token a number": {granttest.Reply{Body: `{"access_token":7,"token_type":"Bearer"}`}, grant.Protocol, grant.Unknown, "no access token"},
		"token with a newline":  {granttest.Reply{Body: `{"access_token":"a\nb","token_type":"Bearer"}`}, grant.Protocol, grant.Unknown, "characters"},
		"token with a space":    {granttest.Reply{Body: `{"access_token":"a b","token_type":"Bearer"}`}, grant.Protocol, grant.Unknown, "characters"},
		"token not ASCII":       {granttest.Reply{Body: `{"access_token":"ä","token_type":"Bearer"}`}, grant.Protocol, grant.Unknown, "characters"},
		"refresh token CR":      {granttest.Reply{Body: `{"access_token":"a","token_type":"Bearer","refresh_token":"a\rb"}`}, grant.Protocol, grant.Unknown, "characters"},
		"type mac":              {granttest.Reply{Body: `{"access_token":"a","token_type":"mac"}`}, grant.Protocol, grant.Unknown, "mac"},
		"no type":               {granttest.Reply{Body: `{"access_token":"a"}`}, grant.Protocol, grant.Unknown, "token type"},
		"too large":             {granttest.Reply{Body: `{"access_token":"a","token_type":"Bearer","x":"` + strings.Repeat("x", 1<<20) + `"}`}, grant.Protocol, grant.Unknown, "1024 KiB"},
		"redirect":              {granttest.Reply{Status: 307, Header: map[string]string{"Location": "/elsewhere"}}, grant.Protocol, grant.Unknown, "redirect"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.srv.On("/token", tc.reply)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if tc.reply.Fault == granttest.Hang {
				ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond)
				defer cancel()
			}
			_, err := grant.Refresh(ctx, w.env(), w.held(), nil)
			e := wantError(t, err, tc.kind, tc.words, "refresh the token at "+w.srv.URL+"/token")
			if e.Outcome != tc.outcome {
				t.Errorf("outcome = %s, want %s", e.Outcome, tc.outcome)
			}
			if tc.reply.Header["Retry-After"] != "" && e.RetryAfter != 7*time.Second {
				t.Errorf("retry after %v", e.RetryAfter)
			}
			if n := len(w.srv.Calls("")); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
			if text := fmt.Sprintf("%v %+v", err, e); strings.Contains(text, "old-refresh") || strings.Contains(text, "s3cr3t") {
				t.Errorf("the error holds a secret: %s", text)
			}
		})
	}
}

// A request that provably never left is told from one whose fate is unknown.
func TestRefreshNotSent(t *testing.T) {
	closed := "http://127.0.0.1:" + freePort(t) + "/token"
	tls, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and speaks no TLS
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tls.Close() }()
	go func() {
		for {
			conn, err := tls.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	for name, tc := range map[string]struct {
		url  string
		kind grant.Kind
	}{
		"connection refused":    {closed, grant.Temporary},
		"no such host":          {"https://host.invalid/token", grant.Temporary},
		"TLS handshake":         {"https://" + tls.Addr().String() + "/token", grant.Temporary},
		"plain http":            {"http://login.example/token", grant.Config},
		"no URL":                {"", grant.Config},
		"credentials in it":     {"https://a:b@login.example/token", grant.Config},
		"another scheme":        {"file:///etc/passwd", grant.Config},
		"a control character":   {"https://login.example/to\x1bken", grant.Config},
		"a fragment":            {"https://login.example/token#x", grant.Config},
		"plain http, as a name": {"http://localhost.evil.example/token", grant.Config},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			rec := w.held()
			rec.Info.Client.TokenEndpoint = tc.url
			_, err := grant.Refresh(context.Background(), w.env(), rec, nil)
			if e := wantError(t, err, tc.kind); e.Outcome != grant.NotSent {
				t.Errorf("outcome = %s: %v", e.Outcome, e)
			}
		})
	}
	t.Run("interrupted before", func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := grant.Refresh(ctx, w.env(), w.held(), nil)
		if e := wantError(t, err, grant.Interrupted); e.Outcome != grant.NotSent || len(w.srv.Calls("")) != 0 {
			t.Errorf("outcome = %s after %d calls", e.Outcome, len(w.srv.Calls("")))
		}
	})
	t.Run("no refresh token", func(t *testing.T) {
		w := newWorld(t)
		rec := w.held()
		rec.Tokens.RefreshToken = ""
		_, err := grant.Refresh(context.Background(), w.env(), rec, nil)
		if e := wantError(t, err, grant.Rejected); e.Outcome != grant.NotSent {
			t.Errorf("outcome = %s", e.Outcome)
		}
	})
}

// An interruption does not stop a refresh that is on its way.
func TestRefreshOutlivesInterruption(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	w.srv.Token = func(map[string]any) { cancel() }
	if _, err := grant.Refresh(ctx, w.env(), w.held(), nil); err != nil {
		t.Fatal(err)
	}
}

// One-time requests each have a connection of their own, so that none can meet
// one that the server is just closing.
func TestRefreshUsesFreshConnections(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		if _, err := grant.Refresh(context.Background(), w.env(), w.held(), nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range w.srv.Calls("/token") {
		if !slices.Contains(c.Header["Connection"], "close") {
			t.Errorf("a refresh left its connection open: %v", c.Header)
		}
	}
}

// A transport that tells nothing about its connections leaves the fate unknown,
// unless its error says that nothing was dialled.
func TestOutcomeWithForeignTransport(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want grant.Outcome
	}{
		"some error": {errors.New("boom"), grant.Unknown},
		"dial":       {&net.OpError{Op: "dial", Err: errors.New("refused")}, grant.NotSent},
		"read":       {&net.OpError{Op: "read", Err: errors.New("reset")}, grant.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			sends := 0
			env := w.env()
			env.HTTP = grant.NewHTTPClient(grant.HTTPOptions{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
				sends++
				return nil, tc.err
			})})
			_, err := grant.Refresh(context.Background(), env, w.held(), nil)
			if e := wantError(t, err, grant.Temporary); e.Outcome != tc.want || sends != 1 {
				t.Errorf("outcome = %s after %d sends", e.Outcome, sends)
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What a server echoes of secrets is not repeated.
func TestErrorHidesEchoedSecrets(t *testing.T) {
	w := newWorld(t)
	w.srv.On("/token", granttest.OAuthError(400, "invalid_grant", "token old-refresh of s3cr3t \x1b]0;x\x07 is\nover "+strings.Repeat("long ", 200)))
	_, err := grant.Refresh(context.Background(), w.env(), w.held(), nil)
	e := wantError(t, err, grant.Rejected, `\x1b]0;x\x07 is over`)
	if strings.Contains(e.Detail, "old-refresh") || strings.Contains(e.Detail, "s3cr3t") || len(e.Detail) > 400 {
		t.Errorf("detail: %s", e.Detail)
	}
}

// A quirk of the record's server is put on.
func TestRefreshWithQuirk(t *testing.T) {
	w := newWorld(t)
	rec := w.held()
	rec.Info.Client.Quirks = []string{"error_in_200", "error_names"}
	w.srv.On("/token", granttest.OAuthError(200, "bad_refresh_token", ""))
	_, err := grant.Refresh(context.Background(), w.env(), rec, nil)
	wantError(t, err, grant.Rejected, "invalid_grant")
	rec.Info.Client.Quirks = []string{"no_such_quirk"}
	_, err = grant.Refresh(context.Background(), w.env(), rec, nil)
	if e := wantError(t, err, grant.Config, "no_such_quirk"); e.Outcome != grant.NotSent {
		t.Errorf("outcome = %s", e.Outcome)
	}
}
