package grant_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/grant/granttest"
)

// ID tokens that must be refused, named after the tests of the OpenID
// Foundation's conformance suite for clients.
func TestIDTokens(t *testing.T) {
	const wrongHash = "AAAAAAAAAAAAAAAAAAAAAA"
	for name, tc := range map[string]struct {
		claims func(w *world, m map[string]any)
		token  func(w *world, raw string) string
		words  string // "" if it is accepted
	}{
		"idtoken-sig-es256":   {},
		"valid-aud-as-array":  {claims: func(_ *world, m map[string]any) { m["aud"] = []string{"client-1"} }},
		"expired-a-moment":    {claims: func(w *world, m map[string]any) { m["exp"] = w.clock.Now().Add(-30 * time.Second).Unix() }},
		"issued-a-bit-ahead":  {claims: func(w *world, m map[string]any) { m["iat"] = w.clock.Now().Add(5 * time.Minute).Unix() }},
		"several-aud-and-azp": {claims: func(_ *world, m map[string]any) { m["aud"], m["azp"] = []string{"client-1", "other"}, "client-1" }},
		"right-athash":        {claims: func(_ *world, m map[string]any) { m["at_hash"] = nil }},
		"invalid-iss":         {claims: func(_ *world, m map[string]any) { m["iss"] = "https://evil.example" }, words: "evil.example"},
		"invalid-iss-slash":   {claims: func(w *world, m map[string]any) { m["iss"] = w.srv.URL + "/" }, words: "different provider"},
		"missing-iss":         {claims: func(_ *world, m map[string]any) { m["iss"] = nil }, words: "different provider"},
		"invalid-aud":         {claims: func(_ *world, m map[string]any) { m["aud"] = "other" }, words: "audience"},
		"missing-aud":         {claims: func(_ *world, m map[string]any) { m["aud"] = nil }, words: "audience"},
		"secondary-aud":       {claims: func(_ *world, m map[string]any) { m["aud"] = []string{"client-1", "other"} }, words: "azp"},
		"invalid-azp":         {claims: func(_ *world, m map[string]any) { m["azp"] = "other" }, words: "azp"},
		"missing-iat":         {claims: func(_ *world, m map[string]any) { m["iat"] = nil }, words: "iat"},
		"iat-in-the-future":   {claims: func(w *world, m map[string]any) { m["iat"] = w.clock.Now().Add(time.Hour).Unix() }, words: "clock"},
		"missing-sub":         {claims: func(_ *world, m map[string]any) { m["sub"] = nil }, words: "sub"},
		"invalid-expired-exp": {claims: func(w *world, m map[string]any) { m["exp"] = w.clock.Now().Add(-time.Hour).Unix() }, words: "expired"},
		"missing-exp":         {claims: func(_ *world, m map[string]any) { m["exp"] = nil }, words: "expired"},
		"nonce-invalid":       {claims: func(_ *world, m map[string]any) { m["nonce"] = "other" }, words: "nonce"},
		"missing-nonce":       {claims: func(_ *world, m map[string]any) { m["nonce"] = nil }, words: "nonce"},
		"invalid-athash":      {claims: func(_ *world, m map[string]any) { m["at_hash"] = wrongHash }, words: "at_hash"},
		"invalid-sig-es256": {token: func(_ *world, raw string) string {
			head, sig, _ := strings.Cut(raw[strings.Index(raw, ".")+1:], ".")
			return raw[:strings.Index(raw, ".")] + "." + head + "." + flip(sig)
		}, words: "not valid"},
		"idtoken-sig-none": {token: func(_ *world, raw string) string {
			return "eyJhbGciOiJub25lIn0." + strings.Split(raw, ".")[1] + "."
		}, words: "not valid"},
		"alternate-alg-hs256": {token: func(_ *world, raw string) string {
			return "eyJhbGciOiJIUzI1NiJ9." + strings.Split(raw, ".")[1] + "." + strings.Split(raw, ".")[2]
		}, words: "not valid"},
		"another-key": {token: func(w *world, _ string) string {
			return granttest.New(w.t, w.clock.Now).Sign(map[string]any{"iss": w.srv.URL})
		}, words: "not valid"},
		"not-a-jwt":     {token: func(*world, string) string { return "garbage\x1b[2J" }, words: "not valid"},
		"no-id-token":   {token: func(*world, string) string { return "" }, words: "no ID token"},
		"number-as-sub": {claims: func(_ *world, m map[string]any) { m["sub"] = 7 }, words: "not valid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if tc.claims != nil {
				w.srv.Claims = func(m map[string]any) { tc.claims(w, m) }
			}
			if tc.token != nil {
				w.srv.Token = func(m map[string]any) { m["id_token"] = tc.token(w, m["id_token"].(string)) }
			}
			w.consent(nil)
			g, err := w.client(w.preset(), `scopes = ["openid"]`).Authorize(context.Background(), w.env())
			if tc.words == "" {
				if err != nil {
					t.Fatal(err)
				}
				g.Done(nil)
				return
			}
			e := wantError(t, err, grant.Protocol, tc.words)
			if strings.ContainsRune(e.Error(), '\x1b') {
				t.Errorf("the error holds an escape: %q", e.Error())
			}
		})
	}
}

func flip(sig string) string {
	if sig[0] == 'A' {
		return "B" + sig[1:]
	}
	return "A" + sig[1:]
}

// The keys cannot be fetched: that is no verdict on the token.
func TestKeysUnavailable(t *testing.T) {
	w := newWorld(t)
	w.srv.On("/keys", granttest.Reply{Status: 503})
	w.consent(nil)
	_, err := w.client(w.preset(), `scopes = ["openid"]`).Authorize(context.Background(), w.env())
	wantError(t, err, grant.Temporary, "keys")
}

// The person who signed in is compared with the declared account before
// anything is handed out to be saved.
func TestAccount(t *testing.T) {
	for name, tc := range map[string]struct {
		scopes, account string
		claims          func(map[string]any)
		userinfo        map[string]any
		kind            grant.Kind // "" if it is accepted
		words           string
	}{
		"email":                 {scopes: "openid", account: "alice@example.com"},
		"email, other case":     {scopes: "openid", account: "Alice@Example.COM"},
		"subject":               {scopes: "openid", account: "sub-1"},
		"subject, other case":   {scopes: "openid", account: "SUB-1", kind: grant.Account, words: "alice@example.com signed in"},
		"preferred_username":    {scopes: "openid", account: "al", claims: func(m map[string]any) { m["preferred_username"] = "al" }},
		"upn":                   {scopes: "openid", account: "al@corp", claims: func(m map[string]any) { m["upn"] = "al@corp" }},
		"display name only":     {scopes: "openid", account: "Alice A.", claims: func(m map[string]any) { m["name"] = "Alice A." }, kind: grant.Account},
		"email not verified":    {scopes: "openid", account: "alice@example.com", claims: func(m map[string]any) { m["email_verified"] = false }, userinfo: map[string]any{"sub": "sub-1"}, kind: grant.Account},
		"not verified, as text": {scopes: "openid", account: "alice@example.com", claims: func(m map[string]any) { m["email_verified"] = "false" }, userinfo: map[string]any{"sub": "sub-1"}, kind: grant.Account},
		"verification not said": {scopes: "openid", account: "alice@example.com", claims: func(m map[string]any) { m["email_verified"] = nil }},
		"somebody else":         {scopes: "openid", account: "bob@example.com", kind: grant.Account, words: `alice@example.com signed in, and the connection declares account = "bob@example.com"`},
		"by userinfo":           {scopes: "openid", account: "alice@example.com", claims: func(m map[string]any) { m["email"] = nil }},
		"userinfo, another sub": {scopes: "openid", account: "bob@example.com", userinfo: map[string]any{"sub": "sub-2", "email": "bob@example.com"}, kind: grant.Protocol, words: "another person"},
		"userinfo without sub":  {scopes: "openid", account: "bob@example.com", userinfo: map[string]any{"email": "bob@example.com"}, kind: grant.Protocol, words: "another person"},
		"userinfo alone":        {scopes: "files", account: "alice@example.com"},
		"userinfo alone, other": {scopes: "files", account: "bob@example.com", kind: grant.Account},
		"GitHub's login":        {scopes: "repo", account: "octocat", userinfo: map[string]any{"id": 1, "login": "octocat", "name": nil}},
		"Discord's verified":    {scopes: "identify email", account: "bob@example.com", userinfo: map[string]any{"id": "1", "email": "bob@example.com", "verified": true}},
		"Discord's unverified":  {scopes: "identify email", account: "bob@example.com", userinfo: map[string]any{"id": "1", "email": "bob@example.com", "verified": false}, kind: grant.Account},
		"Zoom's verified":       {scopes: "user:read", account: "bob@example.com", userinfo: map[string]any{"id": "1", "email": "bob@example.com", "verified": 1}},
		"Zoom's unverified":     {scopes: "user:read", account: "bob@example.com", userinfo: map[string]any{"id": "1", "email": "bob@example.com", "verified": 0}, kind: grant.Account},
		"endless subject":       {scopes: "files", account: "bob@example.com", userinfo: map[string]any{"sub": strings.Repeat("x", 256), "email": "bob@example.com"}, kind: grant.Protocol, words: "more than 255"},
		"escapes in the name":   {scopes: "openid", account: "bob", claims: func(m map[string]any) { m["email"] = "a\x1b[2Jb" }, userinfo: map[string]any{"sub": "sub-1", "email": "a\x1b[2Jb"}, kind: grant.Account, words: `a\x1b[2Jb`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.srv.Claims = tc.claims
			if tc.userinfo != nil {
				w.srv.On("/userinfo", granttest.JSON(200, tc.userinfo))
			}
			page := make(chan string, 1)
			w.consent(page)
			g, err := w.client(w.preset(), "scopes = \""+tc.scopes+"\"\naccount = \""+tc.account+"\"").Authorize(context.Background(), w.env())
			revoked := w.srv.Calls("/revoke")
			if tc.kind == "" {
				if err != nil {
					t.Fatal(err)
				}
				g.Done(nil)
				if g.Account != tc.account || len(revoked) != 0 {
					t.Errorf("account %q, %d revocations", g.Account, len(revoked))
				}
				return
			}
			e := wantError(t, err, tc.kind, tc.words)
			if tc.kind == grant.Account && !strings.Contains(e.Remedy, tc.account) {
				t.Errorf("remedy: %s", e.Remedy)
			}
			if len(revoked) != 1 || revoked[0].Form.Get("token") != "refresh-1" || revoked[0].Form.Get("token_type_hint") != "refresh_token" {
				t.Errorf("the tokens were not given back: %v", revoked)
			}
			if p := <-page; !strings.Contains(p, "did not work") {
				t.Errorf("the browser shows: %s", p)
			}
		})
	}
}

// On a refresh the ID token must be about the same person at the same server.
func TestRefreshedIDToken(t *testing.T) {
	for name, tc := range map[string]struct {
		claims  func(map[string]any)
		keys    []granttest.Reply
		words   string // of the error
		warning string
	}{
		"refresh-token":                {},
		"refresh-token-invalid-issuer": {claims: func(m map[string]any) { m["iss"] = "https://evil.example" }, words: "different provider"},
		"refresh-token-invalid-sub":    {claims: func(m map[string]any) { m["sub"] = "sub-2" }, words: "another person"},
		"keys down":                    {keys: []granttest.Reply{{Status: 500}}, warning: "keys could not be fetched"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.consent(nil)
			c := w.client(w.preset(), `scopes = ["openid"]`)
			g, err := c.Authorize(context.Background(), w.env())
			if err != nil {
				t.Fatal(err)
			}
			g.Done(nil)
			rec := record(c, g)
			old := rec.Tokens.IDToken
			claims := map[string]any{"iss": w.srv.URL, "aud": "client-1", "sub": "sub-1", "iat": w.clock.Now().Unix(), "exp": w.clock.Now().Add(2 * time.Hour).Unix()}
			if tc.claims != nil {
				tc.claims(claims)
			}
			w.srv.Token = func(m map[string]any) { m["id_token"] = w.srv.Sign(claims) }
			w.srv.On("/keys", tc.keys...)
			g, err = grant.Refresh(context.Background(), w.env(), rec, nil)
			if tc.words != "" {
				if e := wantError(t, err, grant.Protocol, tc.words); e.Outcome != grant.Unknown {
					t.Errorf("outcome = %s: the refresh token was spent", e.Outcome)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if kept := g.Tokens.IDToken.Equal(old); kept != (tc.warning != "") {
				t.Errorf("the old ID token was kept: %v", kept)
			}
			if g.Tokens.AccessToken != "access-2" || !strings.Contains(strings.Join(g.Warnings, "\n"), tc.warning) {
				t.Errorf("warnings: %q", g.Warnings)
			}
		})
	}
}

// What a server without fixed issuer says of itself is compared with the tenant
// of the token.
func TestIssuerTemplate(t *testing.T) {
	const id = "9188040d-6c67-4c5b-b112-36a304b66dad"
	for name, tc := range map[string]struct {
		iss, tid string
		ok       bool
	}{
		"its tenant":     {"/" + id + "/v2.0", id, true},
		"another tenant": {"/11111111-2222-3333-4444-555555555555/v2.0", id, false},
		"no tenant":      {"/{tenantid}/v2.0", "{tenantid}", false},
		"a path":         {"/a/../b/v2.0", "a/../b", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p := w.preset()
			p.Issuer, p.Discovery, p.JWKSURI = w.srv.URL+"/{tenantid}/v2.0", "none", w.srv.URL+"/keys"
			p.AuthorizationEndpoint, p.TokenEndpoint = w.srv.URL+"/authorize", w.srv.URL+"/token"
			w.srv.Claims = func(m map[string]any) { m["iss"], m["tid"] = w.srv.URL+tc.iss, tc.tid }
			w.person.OnOpen = func(v grant.Visit) {
				answer := w.srv.Consent(v.URL)
				answer.Del("iss")
				w.get(redirectTo(v, answer))
			}
			g, err := w.client(p, `scopes = ["openid"]`).Authorize(context.Background(), w.env())
			if !tc.ok {
				wantError(t, err, grant.Protocol, "issued by")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			g.Done(nil)
		})
	}
}

// In an authorization response the template stands for one tenant, too.
func TestIssuerTemplateInCallback(t *testing.T) {
	for iss, ok := range map[string]bool{
		"/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0": true, "/{tenantid}/v2.0": false, "/common/v2.0": false, "/x/y/v2.0": false, "": false,
	} {
		w := newWorld(t)
		p := w.preset()
		p.Issuer, p.Discovery = w.srv.URL+"/{tenantid}/v2.0", "none"
		p.AuthorizationEndpoint, p.TokenEndpoint = w.srv.URL+"/authorize", w.srv.URL+"/token"
		w.person.OnOpen = func(v grant.Visit) {
			answer := w.srv.Consent(v.URL)
			answer.Set("iss", w.srv.URL+iss)
			w.get(redirectTo(v, answer))
		}
		g, err := w.client(p, "").Authorize(context.Background(), w.env())
		g.Done(nil)
		if (err == nil) != ok {
			t.Errorf("iss %q: %v", iss, err)
		}
	}
}

// A server of which nothing is known is asked for consent where offline access
// needs it (OpenID Connect Core §11).
func TestOfflineAccessAsksForConsent(t *testing.T) {
	w := newWorld(t)
	w.consent(nil)
	g, err := w.client(w.preset(), `scopes = ["openid", "offline_access"]`).Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
	if u, _ := url.Parse(w.person.Visits()[0].URL); u.Query().Get("prompt") != "consent" {
		t.Errorf("prompt = %q", u.Query().Get("prompt"))
	}
}

// What max_age asks for is checked: a server that lets an old sign-in pass has
// not done what the configuration wants (OpenID Connect Core §3.1.3.7).
func TestMaxAge(t *testing.T) {
	for name, tc := range map[string]struct {
		ago     any // seconds since the sign-in; nil: the server does not say
		words   string
		warning string
	}{
		"in time":           {ago: int64(3500)},
		"clocks differ":     {ago: int64(3630)},
		"too long ago":      {ago: int64(7200), words: "max_age"},
		"a word":            {ago: "today", warning: "max_age"},
		"no number":         {ago: "NaN", warning: "max_age"},
		"not said":          {warning: "max_age"},
		"from the future":   {ago: int64(-30)},
		"far in the future": {ago: int64(-7200), words: "clock"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.srv.Claims = func(m map[string]any) {
				m["auth_time"] = tc.ago
				if ago, ok := tc.ago.(int64); ok {
					m["auth_time"] = w.clock.Now().Unix() - ago
				}
			}
			w.consent(nil)
			g, err := w.client(w.preset(), "scopes = [\"openid\"]\ngrant \"authorization_code\" { max_age = \"1h\" }").Authorize(context.Background(), w.env())
			if tc.words != "" {
				wantError(t, err, grant.Protocol, tc.words)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			g.Done(nil)
			if !strings.Contains(strings.Join(g.Warnings, "\n"), tc.warning) || tc.warning == "" && len(g.Warnings) > 0 {
				t.Errorf("warnings: %q", g.Warnings)
			}
		})
	}
}
