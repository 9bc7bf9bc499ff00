package grant_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/grant/granttest"
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

// What the browser is told follows what the caller says.
func TestBrowserLearnsTheOutcome(t *testing.T) {
	for name, tc := range map[string]struct {
		finish func(*grant.Grant)
		want   string
	}{
		"saved":     {func(g *grant.Grant) { g.Done(nil) }, "You are signed in"},
		"not saved": {func(g *grant.Grant) { g.Done(fmt.Errorf("disk full")) }, "That did not work"},
		"twice":     {func(g *grant.Grant) { g.Done(nil); g.Done(fmt.Errorf("late")) }, "You are signed in"},
		"forgotten": {func(*grant.Grant) {}, "Almost done"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			page := make(chan string, 1)
			w.consent(page)
			g, err := w.client(w.preset(), "").Authorize(context.Background(), w.env())
			if err != nil {
				t.Fatal(err)
			}
			tc.finish(g)
			if p := <-page; !strings.Contains(p, tc.want) {
				t.Errorf("the page does not say %q: %s", tc.want, p)
			}
		})
	}
}

// Whatever does not prove that it is the answer is answered, ignored, and
// changes nothing; the real answer then completes the flow with one exchange.
func TestHostileCallbacks(t *testing.T) {
	w := newWorld(t)
	w.person.OnOpen = func(v grant.Visit) {
		good := w.srv.Consent(v.URL)
		state := good.Get("state")
		host := strings.TrimPrefix(strings.TrimSuffix(v.RedirectURI, "/callback"), "http://")
		for name, a := range map[string]struct {
			method, target, host string
			form                 url.Values
			status               int
		}{
			"wrong state":           {"GET", v.RedirectURI + "?code=x&state=" + strings.Repeat("0", 64), "", nil, 400},
			"missing state":         {"GET", v.RedirectURI + "?code=x", "", nil, 400},
			"empty state":           {"GET", v.RedirectURI + "?code=x&state=", "", nil, 400},
			"state twice":           {"GET", v.RedirectURI + "?code=x&state=" + state + "&state=" + state, "", nil, 400},
			"error without state":   {"GET", v.RedirectURI + "?error=access_denied", "", nil, 400},
			"error, wrong state":    {"GET", v.RedirectURI + "?error=access_denied&state=no", "", nil, 400},
			"broken query":          {"GET", v.RedirectURI + "?code=x;state=" + state + "&%zz", "", nil, 400},
			"no query":              {"GET", v.RedirectURI, "", nil, 400},
			"favicon":               {"GET", "http://" + host + "/favicon.ico?" + good.Encode(), "", nil, 404},
			"other path":            {"GET", "http://" + host + "/callback/?" + good.Encode(), "", nil, 404},
			"escaped path":          {"GET", "http://" + host + "/%63allback?" + good.Encode(), "", nil, 404},
			"head":                  {"HEAD", redirectTo(v, good), "", nil, 405},
			"post":                  {"POST", v.RedirectURI, "", good, 405},
			"preflight":             {"OPTIONS", redirectTo(v, good), "", nil, 405},
			"other host":            {"GET", redirectTo(v, good), "evil.example", nil, 421},
			"other port":            {"GET", redirectTo(v, good), "127.0.0.1:1", nil, 421},
			"localhost by name":     {"GET", redirectTo(v, good), strings.Replace(host, "127.0.0.1", "localhost", 1), nil, 421},
			"huge header":           {"GET", redirectTo(v, good) + "&x=" + strings.Repeat("a", 1<<20), "", nil, 431},
			"state in the fragment": {"GET", v.RedirectURI + "#" + good.Encode(), "", nil, 400},
		} {
			status, body := w.browse(a.method, a.target, a.host, a.form)
			if status != a.status {
				t.Errorf("%s: HTTP %d, want %d (%.80s)", name, status, a.status, body)
			}
			if strings.Contains(body, state) || strings.Contains(body, "access_denied") {
				t.Errorf("%s: the page shows what was sent", name)
			}
		}
		if n := len(w.srv.Calls("/token")); n != 0 {
			t.Errorf("%d token requests before the real answer", n)
		}
		w.get(redirectTo(v, good))
	}
	g, err := w.client(w.preset(), "").Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
	if n := len(w.srv.Calls("/token")); n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
}

// Idle connections, more than the listener serves, do not keep the browser out.
func TestSlowConnections(t *testing.T) {
	w := newWorld(t)
	w.person.OnOpen = func(v grant.Visit) {
		for range 40 {
			conn, err := net.Dial("tcp", v.Listening)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			_, _ = conn.Write([]byte("GET /callback HTTP/1.1\r\nHost: "))
		}
		w.get(redirectTo(v, w.srv.Consent(v.URL)))
	}
	g, err := w.client(w.preset(), "").Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
}

// A second answer gets a neutral page and has no effect.
func TestSecondAnswer(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	pages := make(chan string, 2)
	w.srv.On("/token", granttest.Reply{Fault: granttest.Hang})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	w.person.OnOpen = func(v grant.Visit) {
		answer := w.srv.Consent(v.URL)
		wg.Go(func() { _, p := w.get(redirectTo(v, answer)); pages <- p })
		for len(w.srv.Calls("/token")) == 0 {
			time.Sleep(time.Millisecond)
		}
		denied := url.Values{"error": {"access_denied"}, "state": answer["state"], "iss": answer["iss"]}
		for _, a := range []url.Values{answer, denied} {
			if status, p := w.get(redirectTo(v, a)); status != 200 || !strings.Contains(p, "Already answered") {
				t.Errorf("a later answer got HTTP %d: %s", status, p)
			}
		}
		w.srv.Release()
	}
	_, err := w.client(w.preset(), "").Authorize(ctx, w.env())
	e := wantError(t, err, grant.Temporary)
	if e.Outcome != grant.Unknown {
		t.Errorf("outcome = %s, want unknown", e.Outcome)
	}
	wg.Wait()
	if p := <-pages; !strings.Contains(p, "That did not work") {
		t.Errorf("the first browser was told: %s", p)
	}
	if n := len(w.srv.Calls("/token")); n != 1 {
		t.Errorf("%d token requests, want 1", n)
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

// A port that is taken is said before any browser opens.
func TestPortTaken(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "localhost", "::1"} {
		for _, family := range []string{"127.0.0.1", "::1"} {
			if host != "localhost" && host != family {
				continue
			}
			t.Run(host+" held on "+family, func(t *testing.T) {
				taken, err := net.Listen("tcp", net.JoinHostPort(family, "0"))
				if err != nil {
					t.Logf("this machine has no %s", family)
					return
				}
				defer func() { _ = taken.Close() }()
				_, port, _ := net.SplitHostPort(taken.Addr().String())
				w := newWorld(t)
				c := w.client(w.preset(), fmt.Sprintf(`redirect_uris = ["http://%s/cb"]`, net.JoinHostPort(host, port)))
				_, aerr := c.Authorize(context.Background(), w.env())
				wantError(t, aerr, grant.Config, port, net.JoinHostPort(family, port), "redirect_uris")
				if len(w.person.Visits()) != 0 {
					t.Error("a browser was opened")
				}
			})
		}
	}
}

// The redirect URI is used as it is written; only a missing port is filled in.
func TestRedirectForms(t *testing.T) {
	free := freePort(t)
	for name, tc := range map[string]struct{ uri, prefix, suffix string }{
		"no port":          {"http://127.0.0.1/cb", "http://127.0.0.1:", "/cb"},
		"port 0":           {"http://127.0.0.1:0/cb", "http://127.0.0.1:", "/cb"},
		"no path":          {"http://localhost", "http://localhost:", ""},
		"root":             {"http://localhost/", "http://localhost:", "/"},
		"a port":           {"http://127.0.0.1:" + free + "/cb", "http://127.0.0.1:" + free, "/cb"},
		"IPv6":             {"http://[::1]/cb", "http://[::1]:", "/cb"},
		"a query":          {"http://127.0.0.1/cb?tenant=7", "http://127.0.0.1:", "/cb?tenant=7"},
		"another loopback": {"http://127.0.0.2/a/b", "http://127.0.0.2:", "/a/b"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.person.OnOpen = func(v grant.Visit) {
				target := redirectTo(v, w.srv.Consent(v.URL))
				if strings.Count(target, "?") == 2 {
					target = v.RedirectURI + "&" + strings.SplitN(target, "?", 3)[2]
				}
				w.get(target)
			}
			c := w.client(w.preset(), fmt.Sprintf("redirect_uris = [%q]", tc.uri))
			if c.Settings.RedirectURI != strings.Replace(tc.uri, ":0/", "/", 1) {
				t.Errorf("planned redirect URI = %q, want %q", c.Settings.RedirectURI, tc.uri)
			}
			g, err := c.Authorize(context.Background(), w.env())
			if err != nil {
				t.Fatal(err)
			}
			g.Done(nil)
			uri := w.person.Visits()[0].RedirectURI
			if !strings.HasPrefix(uri, tc.prefix) || !strings.HasSuffix(uri, tc.suffix) {
				t.Errorf("redirect URI = %q", uri)
			}
			if got := w.srv.Calls("/token")[0].Form.Get("redirect_uri"); got != uri {
				t.Errorf("the exchange names %q, the request %q", got, uri)
			}
		})
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// Both loopback addresses of localhost are held, so that no other program can
// take the answer there.
func TestLocalhostHoldsBoth(t *testing.T) {
	w := newWorld(t)
	w.person.OnOpen = func(v grant.Visit) {
		_, port, _ := net.SplitHostPort(v.Listening)
		if l, err := net.Listen("tcp6", "[::1]:"+port); err == nil {
			_ = l.Close()
			if l, err = net.Listen("tcp6", "[::1]:0"); err == nil { // this machine has IPv6
				_ = l.Close()
				t.Error("the port is free on [::1]")
			}
		}
		w.get(redirectTo(v, w.srv.Consent(v.URL)))
	}
	g, err := w.client(w.preset(), `redirect_uris = ["http://localhost"]`).Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
}

// The answer as a form: only POST settles it.
func TestFormPost(t *testing.T) {
	w := newWorld(t)
	w.person.OnOpen = func(v grant.Visit) {
		answer := w.srv.Consent(v.URL)
		if status, _ := w.get(redirectTo(v, answer)); status != http.StatusMethodNotAllowed {
			t.Errorf("GET got HTTP %d", status)
		}
		if status, _ := w.browse("POST", redirectTo(v, answer), "", url.Values{"x": {"y"}}); status != http.StatusBadRequest {
			t.Errorf("an answer in the query of a POST got HTTP %d", status)
		}
		big := url.Values{"x": {strings.Repeat("a", 1<<20)}}
		if status, _ := w.browse("POST", v.RedirectURI, "", big); status == http.StatusOK {
			t.Error("a huge form was accepted")
		}
		w.browse("POST", v.RedirectURI, "", answer)
	}
	g, err := w.client(w.preset(), `grant "authorization_code" { response_mode = "form_post" }`).Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
	if u, _ := url.Parse(w.person.Visits()[0].URL); u.Query().Get("response_mode") != "form_post" {
		t.Error("response_mode was not asked for")
	}
}

// Behind a proxy, the Host is that of the https redirect URI.
func TestBehindProxy(t *testing.T) {
	w := newWorld(t)
	address := "127.0.0.1:" + freePort(t)
	w.person.OnOpen = func(v grant.Visit) {
		answer := w.srv.Consent(v.URL)
		inside := "http://" + address + "/oauth/cb?" + answer.Encode()
		if status, _ := w.get(inside); status != http.StatusMisdirectedRequest {
			t.Errorf("with its own Host, the listener answered HTTP %d", status)
		}
		w.browse("GET", inside, "apps.example.com", nil)
	}
	c := w.client(w.preset(), fmt.Sprintf(`
		redirect_uris = ["https://apps.example.com/oauth/cb"]
		grant "authorization_code" { listen = %q }`, address))
	if c.Settings.Way != grant.WayBrowser {
		t.Errorf("way = %q", c.Settings.Way)
	}
	g, err := c.Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
	if v := w.person.Visits()[0]; v.RedirectURI != "https://apps.example.com/oauth/cb" || v.Listening != address {
		t.Errorf("visit: %q, listening on %q", v.RedirectURI, v.Listening)
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
