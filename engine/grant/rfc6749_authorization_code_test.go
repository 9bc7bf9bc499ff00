package grant_test

import (
	"context"
	"encoding/base64"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// The whole flow: what is asked for, what is exchanged, what comes of it, and
// that the browser says "done" only when the caller has saved.
func TestCodeFlow(t *testing.T) {
	w := newWorld(t)
	w.srv.Token = func(m map[string]any) { m["instance_url"] = "https://eu.example"; m["realmId"] = 9130355377388383000 }
	page := make(chan string, 1)
	w.consent(page)
	c := w.client(w.preset(), `
		client_secret = env("A B")
		scopes        = ["openid", "files.read"]
		account       = "ALICE@example.com"
		resource      = ["https://a.example", "https://b.example"]
		grant "authorization_code" {
		  prompt     = "login"
		  max_age    = "1h"
		  acr_values = ["gold", "silver"]
		  params     = { ui_locales = "de" }
		}`)
	g, err := c.Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	select {
	case p := <-page:
		t.Errorf("the browser has its page before anything was saved: %s", p)
	default:
	}
	g.Done(nil)
	if p := <-page; !strings.Contains(p, "You are signed in") {
		t.Errorf("the browser does not say that it worked: %s", p)
	}

	v := w.person.Visits()[0]
	u, err := url.Parse(v.URL)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	redirect := v.RedirectURI
	if !strings.HasPrefix(redirect, "http://127.0.0.1:") || !strings.HasSuffix(redirect, "/callback") || !strings.Contains(redirect, v.Listening) {
		t.Errorf("redirect URI %q, listening on %q", redirect, v.Listening)
	}
	for name, size := range map[string]int{"state": 64, "code_challenge": 43, "nonce": 43} {
		if len(q.Get(name)) != size {
			t.Errorf("%s = %q, want %d characters", name, q.Get(name), size)
		}
	}
	challenge, nonce := q.Get("code_challenge"), q.Get("nonce")
	q.Del("state")
	q.Del("code_challenge")
	q.Del("nonce")
	if diff := cmp.Diff(url.Values{
		"response_type": {"code"}, "client_id": {"client-1"}, "redirect_uri": {redirect}, "scope": {"openid files.read"},
		"code_challenge_method": {"S256"}, "prompt": {"login"}, "login_hint": {"ALICE@example.com"}, "max_age": {"3600"},
		"acr_values": {"gold silver"}, "ui_locales": {"de"}, "resource": {"https://a.example", "https://b.example"},
	}, q); diff != "" {
		t.Errorf("authorization request (-want +have):\n%s", diff)
	}

	calls := w.srv.Calls("/token")
	if len(calls) != 1 {
		t.Fatalf("%d token requests, want 1", len(calls))
	}
	verifier := calls[0].Form.Get("code_verifier")
	calls[0].Form.Del("code_verifier")
	if diff := cmp.Diff(url.Values{
		"grant_type": {"authorization_code"}, "code": {"code-1"}, "redirect_uri": {redirect},
		"resource": {"https://a.example", "https://b.example"},
	}, calls[0].Form); diff != "" {
		t.Errorf("token request (-want +have):\n%s", diff)
	}
	if len(verifier) != 43 || verifier == challenge || verifier == nonce {
		t.Errorf("code_verifier = %q", verifier)
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("client-1:s3cr3t%2B%2F%3AA+B"))
	if h := calls[0].Header; h.Get("Authorization") != basic || h.Get("Accept") != "application/json" || h.Get("Content-Type") != "application/x-www-form-urlencoded" {
		t.Errorf("headers of the token request: %v", h)
	}

	now := w.clock.Now()
	if g.Tokens.AccessToken.Reveal() != "access-1" || g.Tokens.RefreshToken.Reveal() != "refresh-1" || g.Tokens.TokenType != "Bearer" {
		t.Errorf("tokens: %q %q %q", g.Tokens.AccessToken.Reveal(), g.Tokens.RefreshToken.Reveal(), g.Tokens.TokenType)
	}
	if !g.ExpiresAt.Equal(now.Add(time.Hour)) || !g.ReceivedAt.Equal(now) {
		t.Errorf("expires %v, received %v, now %v", g.ExpiresAt, g.ReceivedAt, now)
	}
	if g.Subject != "sub-1" || g.Account != "ALICE@example.com" || g.Tokens.IDToken.Empty() || len(g.Warnings) != 0 {
		t.Errorf("subject %q, account %q, warnings %q", g.Subject, g.Account, g.Warnings)
	}
	if diff := cmp.Diff(map[string]secret.Secret{"instance_url": "https://eu.example", "realmId": "9130355377388383000"}, g.Tokens.Extra,
		cmp.Comparer(func(a, b secret.Secret) bool { return a.Equal(b) })); diff != "" {
		t.Errorf("extra members differ: %v", g.Tokens.Extra["realmId"].Reveal())
	}
	if diff := cmp.Diff([]string{"openid", "files.read"}, g.Granted); diff != "" {
		t.Errorf("granted: %s", diff)
	}
	if n := w.person.OpenDisplays(); n != 0 {
		t.Errorf("%d displays were not ended", n)
	}
	if _, err := net.Dial("tcp", v.Listening); err == nil {
		t.Error("the listener is still open after the flow")
	}
}

// Two flows share nothing that is secret.
func TestFreshSecrets(t *testing.T) {
	w := newWorld(t)
	w.consent(nil)
	seen := map[string]bool{}
	for range 2 {
		g, err := w.client(w.preset(), `scopes = ["openid"]`).Authorize(context.Background(), w.env())
		if err != nil {
			t.Fatal(err)
		}
		g.Done(nil)
	}
	for _, v := range w.person.Visits() {
		u, _ := url.Parse(v.URL)
		for _, name := range []string{"state", "nonce", "code_challenge", "redirect_uri"} {
			value := u.Query().Get(name)
			if seen[value] {
				t.Errorf("%s was used twice", name)
			}
			seen[value] = true
		}
	}
	if len(seen) != 8 {
		t.Errorf("%d different values, want 8", len(seen))
	}
}

// Answers that belong to the flow and end it without an exchange; no other
// endpoint is called.
func TestRefusedAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(url.Values)
		kind   grant.Kind
		words  string
		page   string
	}{
		"denied": {func(v url.Values) { v.Del("code"); v.Set("error", "access_denied") }, grant.Denied, "access_denied", "No access was given"},
		"denied, with escapes": {func(v url.Values) {
			v.Del("code")
			v.Set("error", "access_denied")
			v.Set("error_description", "no\x1b[2J<script>\u202e")
		}, grant.Denied, `no\x1b[2J<script>\u202e`, "No access was given"},
		"login required":                     {func(v url.Values) { v.Del("code"); v.Set("error", "login_required") }, grant.Denied, "login_required", "No access"},
		"server busy":                        {func(v url.Values) { v.Del("code"); v.Set("error", "temporarily_unavailable") }, grant.Temporary, "temporarily_unavailable", "did not work"},
		"invalid scope":                      {func(v url.Values) { v.Del("code"); v.Set("error", "invalid_scope") }, grant.Config, "invalid_scope", "did not work"},
		"invalid-authorization-response-iss": {func(v url.Values) { v.Set("iss", "https://evil.example") }, grant.Protocol, "https://evil.example", "did not work"},
		"issuer with a slash":                {func(v url.Values) { v.Set("iss", v.Get("iss")+"/") }, grant.Protocol, "another server", "did not work"},
		"remove-authorization-response-iss":  {func(v url.Values) { v.Del("iss") }, grant.Protocol, "iss", "did not work"},
		"denied by another server": {func(v url.Values) {
			v.Del("code")
			v.Set("error", "access_denied")
			v.Set("iss", "https://evil.example")
		}, grant.Protocol, "another server", "did not work"},
		"code twice":             {func(v url.Values) { v.Add("code", "other") }, grant.Protocol, "code twice", "did not work"},
		"iss twice":              {func(v url.Values) { v.Add("iss", v.Get("iss")) }, grant.Protocol, "iss twice", "did not work"},
		"no code":                {func(v url.Values) { v.Del("code") }, grant.Protocol, "no usable code", "did not work"},
		"code with a line break": {func(v url.Values) { v.Set("code", "a\nb") }, grant.Protocol, "no usable code", "did not work"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			page := make(chan string, 1)
			w.person.OnOpen = func(v grant.Visit) {
				answer := w.srv.Consent(v.URL)
				tc.change(answer)
				_, body := w.get(redirectTo(v, answer))
				page <- body
			}
			_, err := w.client(w.preset(), `scopes = ["openid"]`).Authorize(context.Background(), w.env())
			wantError(t, err, tc.kind, tc.words)
			if p := <-page; !strings.Contains(p, tc.page) || strings.Contains(p, "evil") || strings.Contains(p, "script") {
				t.Errorf("the browser shows: %s", p)
			}
			for _, call := range w.srv.Calls("") {
				if !strings.HasPrefix(call.Path, "/.well-known/") {
					t.Errorf("%s was called", call.Path)
				}
			}
		})
	}
}

// A server whose issuer is unknown may send iss: there is nothing to compare it with.
func TestIssOfUnknownIssuer(t *testing.T) {
	w := newWorld(t)
	w.consent(nil)
	p := w.preset()
	p.Issuer, p.AuthorizationEndpoint, p.TokenEndpoint = "", w.srv.URL+"/authorize", w.srv.URL+"/token"
	g, err := w.client(p, "").Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
}

// Nobody answers: the flow ends by itself, and says what to do.
func TestNobodyAnswers(t *testing.T) {
	w := newWorld(t)
	c := w.client(w.preset(), "")
	c.Settings.Timeout = 30 * time.Millisecond
	_, err := c.Authorize(context.Background(), w.env())
	wantError(t, err, grant.Expired, "nobody answered within 30ms", "oauthctl apply")
	if _, err := net.Dial("tcp", w.person.Visits()[0].Listening); err == nil {
		t.Error("the listener is still open")
	}
	if d := w.person.Visits()[0].Deadline; !d.Equal(w.clock.Now().Add(30 * time.Millisecond)) {
		t.Errorf("the person was shown the deadline %v", d)
	}
}

// Ctrl-C ends a flow at once, and nothing was changed.
func TestInterrupted(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	w.person.OnOpen = func(grant.Visit) { cancel() }
	_, err := w.client(w.preset(), "").Authorize(ctx, w.env())
	wantError(t, err, grant.Interrupted, "nothing was changed")
}

// An interruption during the exchange does not throw the code away.
func TestInterruptedDuringExchange(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	w.srv.Token = func(map[string]any) { cancel() }
	w.consent(nil)
	g, err := w.client(w.preset(), "").Authorize(ctx, w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
}

// Without a person, an interactive grant says so and does nothing at all.
func TestNobodyIsHere(t *testing.T) {
	w := newWorld(t)
	env := w.env()
	env.User = nil
	_, err := w.client(w.preset(), "").Authorize(context.Background(), env)
	wantError(t, err, grant.NeedsUser, "connection.main", "oauthctl apply")
	if n := len(w.srv.Calls("")); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

// A pasted URL passes the same checks; a person may try three times.
func TestPaste(t *testing.T) {
	good := func(v grant.Visit, a url.Values) string { return "  " + redirectTo(v, a) + "\n" }
	for name, tc := range map[string]struct {
		pastes []func(v grant.Visit, a url.Values) string
		kind   grant.Kind // "" when it works
		words  string
	}{
		"whole URL": {pastes: []func(grant.Visit, url.Values) string{good}},
		"second try": {pastes: []func(grant.Visit, url.Values) string{
			func(_ grant.Visit, a url.Values) string { return a.Get("code") }, good}},
		"another page": {pastes: []func(grant.Visit, url.Values) string{
			func(_ grant.Visit, a url.Values) string { return "https://evil.example/cb?" + a.Encode() }}, kind: grant.Protocol, words: "https://apps.example.com/cb"},
		"another sign-in": {pastes: []func(grant.Visit, url.Values) string{
			func(v grant.Visit, a url.Values) string { a.Set("state", "x"); return redirectTo(v, a) }}, kind: grant.Protocol, words: "another sign-in"},
		"denied": {pastes: []func(grant.Visit, url.Values) string{
			func(v grant.Visit, a url.Values) string {
				return redirectTo(v, url.Values{"error": {"access_denied"}, "state": a["state"], "iss": a["iss"]})
			}}, kind: grant.Denied, words: "access_denied"},
		"another server": {pastes: []func(grant.Visit, url.Values) string{
			func(v grant.Visit, a url.Values) string {
				a.Set("iss", "https://evil.example")
				return redirectTo(v, a)
			}}, kind: grant.Protocol, words: "another server"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			var problems []string
			w.person.OnPaste = func(v grant.Visit) string {
				problems = append(problems, v.Problem)
				i := min(len(problems), len(tc.pastes)) - 1
				return tc.pastes[i](v, w.srv.Consent(v.URL))
			}
			c := w.client(w.preset(), `redirect_uris = ["https://apps.example.com/cb"]`)
			if c.Settings.Way != grant.WayPaste {
				t.Fatalf("way = %q", c.Settings.Way)
			}
			g, err := c.Authorize(context.Background(), w.env())
			if tc.kind != "" {
				wantError(t, err, tc.kind, tc.words)
				if n := len(w.srv.Calls("/token")); n != 0 {
					t.Errorf("%d token requests", n)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			g.Done(nil) // nobody waits: nothing happens
			if problems[0] != "" || len(problems) == 2 && !strings.Contains(problems[1], "https://apps.example.com/cb") {
				t.Errorf("the person was told %q", problems)
			}
		})
	}
}

// Where no browser can be opened, a loopback answer may be pasted, or come over
// a forwarded port.
func TestNoBrowser(t *testing.T) {
	for _, pasted := range []bool{true, false} {
		w := newWorld(t)
		w.person.OnPaste = func(v grant.Visit) string {
			target := redirectTo(v, w.srv.Consent(v.URL))
			if pasted {
				return target
			}
			w.get(target)
			return ""
		}
		env := w.env()
		env.NoBrowser = true
		g, err := w.client(w.preset(), "").Authorize(context.Background(), env)
		if err != nil {
			t.Fatal(err)
		}
		g.Done(nil)
		if v := w.person.Visits()[0]; v.Listening == "" {
			t.Error("nothing listened")
		}
	}
}

// Parameters of preset, connection and block: the nearest wins, and the server's
// own query is kept.
func TestAuthorizeParams(t *testing.T) {
	w := newWorld(t)
	w.consent(nil)
	p := &providers.Preset{
		Name: "acme", TokenEndpoint: w.srv.URL + "/token", AuthorizationEndpoint: w.srv.URL + "/authorize?realm=r", Base: "acme",
		AuthorizeParams: map[string]string{"a": "preset", "b": "preset", "c": "preset", "prompt": "select_account"},
		OfflineParams:   map[string]string{"access_type": "offline"}, ScopeSeparator: ",", PKCE: "broken", ResponseMode: "query",
		OfflineScope: "offline",
	}
	c := w.client(p, `
		scopes = "x y"
		audience = "https://api.example"
		authorize_params = { b = "connection", c = "connection" }
		grant "authorization_code" {
		  params = { c = "block" }
		  login_hint = "bob"
		}`)
	if !slices.Equal(c.Added, []string{"offline"}) {
		t.Errorf("added = %q", c.Added)
	}
	g, err := c.Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
	u, _ := url.Parse(w.person.Visits()[0].URL)
	q := u.Query()
	q.Del("state")
	q.Del("redirect_uri")
	if diff := cmp.Diff(url.Values{
		"realm": {"r"}, "response_type": {"code"}, "client_id": {"client-1"}, "scope": {"x,y,offline"}, "a": {"preset"}, "b": {"connection"},
		"c": {"block"}, "prompt": {"select_account"}, "access_type": {"offline"}, "audience": {"https://api.example"},
		"response_mode": {"query"}, "login_hint": {"bob"},
	}, q); diff != "" {
		t.Errorf("authorization request (-want +have):\n%s", diff)
	}
	if f := w.srv.Calls("/token")[0].Form; f.Has("code_verifier") || f.Get("client_id") != "client-1" {
		t.Errorf("token request: %v", f)
	}
}
