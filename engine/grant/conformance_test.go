package grant_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/grant/granttest"
)

const (
	oidcc = "oidcc-client-test"
	fapi2 = "fapi2-security-profile-final-client-test"
)

// rpCase is a test of the OpenID Foundation's conformance suite for clients:
// a server that misbehaves in one way, and what the suite wants a client to do.
type rpCase struct {
	body    string                                       // of the connection; "": openid
	server  func(w *world)                               // how the server is set up
	claims  func(w *world, m map[string]any)             // changes the ID token
	token   func(w *world, m map[string]any)             // changes the token answer
	answer  func(answer url.Values)                      // changes what the browser brings
	refresh bool                                         // claims are about the ID token of a refresh
	check   func(t *testing.T, w *world, g *grant.Grant) // of what was accepted
	// refused is a word of the error, "" if the flow has to work.
	refused string
	// silent: the answer is no answer of the flow, which goes on waiting.
	silent bool
	// uncalled are endpoints that must not be called.
	uncalled []string
}

// rpCases are named as in the suite. docs/conformance.md says of each of the
// suite's other tests why it is not here.
func rpCases() map[string]rpCase {
	const evil = "https://evil.example"
	claim := func(name string, value any) func(*world, map[string]any) {
		return func(_ *world, m map[string]any) { m[name] = value }
	}
	key := func(keys ...jose.JSONWebKey) func(*world) { return func(w *world) { w.srv.Keys = keys } }
	// resigned replaces the ID token by one with the same claims.
	resigned := func(sign func(w *world, head, payload string) string) func(*world, map[string]any) {
		return func(w *world, m map[string]any) {
			part := strings.Split(m["id_token"].(string), ".")
			m["id_token"] = sign(w, part[0], part[1])
		}
	}
	unsigned := resigned(func(_ *world, _, payload string) string { return "eyJhbGciOiJub25lIn0." + payload + "." })
	spoiled := resigned(func(w *world, head, payload string) string {
		other := granttest.SignWith(jose.JSONWebKey{Key: w.srv.Keys[0].Key, Algorithm: w.srv.Keys[0].Algorithm}, map[string]any{"sub": "x"})
		return head + "." + payload + "." + strings.Split(other, ".")[2]
	})
	byAccount := "scopes = [\"openid\", \"email\"]\naccount = \"alice@example.com\""
	byUserinfo := func(_ *world, m map[string]any) { m["email"] = nil } // only there it can be seen
	userinfo := []string{"/userinfo"}
	exchange := []string{"/token", "/userinfo", "/keys"}

	cases := map[string]rpCase{
		oidcc: {check: func(t *testing.T, w *world, g *grant.Grant) {
			if g.Subject != "sub-1" || len(w.srv.Calls("/token")) != 1 {
				t.Errorf("subject %q, %d token requests", g.Subject, len(w.srv.Calls("/token")))
			}
		}},
		oidcc + "-client-secret-basic": {body: "scopes = [\"openid\"]\nclient_secret = env(\"X\")\nclient_auth = \"client_secret_basic\"",
			check: func(t *testing.T, w *world, _ *grant.Grant) {
				if c := w.srv.Calls("/token")[0]; !strings.HasPrefix(c.Header.Get("Authorization"), "Basic ") || c.Form.Has("client_secret") {
					t.Errorf("the client signs in with %q and %v", c.Header.Get("Authorization"), c.Form)
				}
			}},
		oidcc + "-idtoken-sig-none":  {token: unsigned, refused: "not valid"},
		oidcc + "-idtoken-sig-rs256": {server: key(granttest.RS256("r1"))},
		oidcc + "-idtoken-sig-es256": {server: key(granttest.ES256("e1"))},
		oidcc + "-invalid-sig-rs256": {server: key(granttest.RS256("r1")), token: spoiled, refused: "not valid"},
		oidcc + "-invalid-sig-es256": {token: spoiled, refused: "not valid"},
		oidcc + "-invalid-sig-hs256": {body: "scopes = [\"openid\"]\nclient_secret = env(\"X\")", token: resigned(func(*world, string, string) string {
			return granttest.SignWith(jose.JSONWebKey{Key: []byte(strings.Repeat("s3cr3t+/:X", 4)), Algorithm: "HS256"}, map[string]any{"sub": "sub-1"})
		}), refused: "not valid"},
		oidcc + "-invalid-aud":            {claims: claim("aud", "other"), refused: "audience"},
		oidcc + "-missing-aud":            {claims: claim("aud", nil), refused: "audience"},
		oidcc + "-invalid-iss":            {claims: claim("iss", evil), refused: "different provider"},
		oidcc + "-missing-iat":            {claims: claim("iat", nil), refused: "iat"},
		oidcc + "-missing-sub":            {claims: claim("sub", nil), refused: "sub"},
		oidcc + "-nonce-invalid":          {claims: claim("nonce", "other"), refused: "nonce"},
		oidcc + "-kid-absent-single-jwks": {server: key(granttest.ES256(""))},
		// The suite lets a client refuse, or try all keys, as this one does.
		oidcc + "-kid-absent-multiple-jwks": {server: key(granttest.ES256(""), granttest.ES256(""), granttest.RS256(""))},
		oidcc + "-userinfo-invalid-sub": {body: byAccount, claims: byUserinfo, server: func(w *world) {
			w.srv.On("/userinfo", granttest.JSON(200, map[string]any{"sub": "sub-2", "email": "alice@example.com", "email_verified": true}))
		}, refused: "another person"},
		oidcc + "-scope-userinfo-claims": {body: byAccount, claims: byUserinfo, check: func(t *testing.T, w *world, g *grant.Grant) {
			if g.Account != "alice@example.com" || len(w.srv.Calls("/userinfo")) != 1 {
				t.Errorf("account %q after %d requests", g.Account, len(w.srv.Calls("/userinfo")))
			}
		}},
		oidcc + "-userinfo-bearer-header": {body: byAccount, claims: byUserinfo, check: func(t *testing.T, w *world, _ *grant.Grant) {
			c := w.srv.Calls("/userinfo")[0]
			if c.Header.Get("Authorization") != "Bearer access-1" || c.Method != http.MethodGet || c.Query.Has("access_token") || len(c.Form) > 0 {
				t.Errorf("the token goes by %s, %q, %v, %v", c.Method, c.Header.Get("Authorization"), c.Query, c.Form)
			}
		}},

		oidcc + "-refresh-token": {refresh: true, check: func(t *testing.T, w *world, g *grant.Grant) {
			if g.Tokens.AccessToken != "access-2" || g.Tokens.RefreshToken != "refresh-2" {
				t.Error("the new tokens are not those of the answer")
			}
		}},
		oidcc + "-refresh-token-invalid-issuer": {refresh: true, claims: claim("iss", evil), refused: "different provider"},
		oidcc + "-refresh-token-invalid-sub":    {refresh: true, claims: claim("sub", "sub-2"), refused: "another person"},

		oidcc + "-discovery-openid-config": {check: func(t *testing.T, w *world, _ *grant.Grant) {
			if n := len(w.srv.Calls(oidcPath)); n != 1 {
				t.Errorf("the document was asked for %d times", n)
			}
		}},
		oidcc + "-discovery-jwks-uri-keys": {check: func(t *testing.T, w *world, _ *grant.Grant) {
			if n := len(w.srv.Calls("/keys")); n != 1 {
				t.Errorf("the keys were asked for %d times", n)
			}
		}},
		oidcc + "-discovery-issuer-mismatch": {server: func(w *world) { w.srv.Metadata = func(m map[string]any) { m["issuer"] = evil } },
			refused: "calls itself", uncalled: append([]string{"/authorize"}, exchange...)},
		oidcc + "-signing-key-rotation": {refresh: true, claims: func(w *world, _ map[string]any) { w.srv.Keys = []jose.JSONWebKey{granttest.ES256("k2")} }},
		oidcc + "-signing-key-rotation-just-before-signing": {claims: func(w *world, _ map[string]any) {
			w.srv.Keys = []jose.JSONWebKey{granttest.ES256("k2"), w.srv.Keys[0]}
		}},

		fapi2 + "-happy-path":         {},
		fapi2 + "-refresh-token-test": {refresh: true},
		fapi2 + "-discovery-issuer-mismatch": {server: func(w *world) { w.srv.Metadata = func(m map[string]any) { m["issuer"] = w.srv.URL + "/" } },
			refused: "calls itself", uncalled: append([]string{"/authorize"}, exchange...)},
		fapi2 + "-ensure-authorization-response-with-invalid-state-fails": {answer: func(v url.Values) { v.Set("state", strings.Repeat("0", 64)) },
			silent: true, refused: "nobody answered", uncalled: exchange},
		fapi2 + "-ensure-authorization-response-with-invalid-missing-state-fails": {answer: func(v url.Values) { v.Del("state") },
			silent: true, refused: "nobody answered", uncalled: exchange},
		fapi2 + "-invalid-authorization-response-iss": {answer: func(v url.Values) { v.Set("iss", evil) }, refused: "another server", uncalled: exchange},
		fapi2 + "-remove-authorization-response-iss":  {answer: func(v url.Values) { v.Del("iss") }, refused: "does not say which server", uncalled: exchange},
		fapi2 + "-token-endpoint-response-without-expires_in": {token: func(_ *world, m map[string]any) { delete(m, "expires_in") },
			check: func(t *testing.T, _ *world, g *grant.Grant) {
				if !g.ExpiresAt.IsZero() {
					t.Errorf("a lifetime that nobody said ends at %v", g.ExpiresAt)
				}
			}},
		fapi2 + "-token-type-case-insensitivity": {token: func(_ *world, m map[string]any) { m["token_type"] = "bEARER" }},
		fapi2 + "-invalid-iss":                   {claims: claim("iss", evil), refused: "different provider", uncalled: userinfo},
		fapi2 + "-invalid-aud":                   {claims: claim("aud", "other"), refused: "audience", uncalled: userinfo},
		fapi2 + "-invalid-nonce":                 {claims: claim("nonce", "other"), refused: "nonce", uncalled: userinfo},
		fapi2 + "-invalid-expired-exp":           {claims: func(w *world, m map[string]any) { m["exp"] = w.clock.Now().Add(-5 * time.Minute).Unix() }, refused: "expired", uncalled: userinfo},
		fapi2 + "-invalid-null-alg":              {token: unsigned, refused: "not valid", uncalled: userinfo},
		// The algorithm of the header is not that of the key.
		fapi2 + "-invalid-alternate-alg": {server: key(granttest.RS256("r1")), token: resigned(func(w *world, _, _ string) string {
			return granttest.SignWith(jose.JSONWebKey{Key: []byte(strings.Repeat("public key ", 4)), KeyID: "r1", Algorithm: "HS256"}, map[string]any{"iss": w.srv.URL, "sub": "sub-1"})
		}), refused: "not valid", uncalled: userinfo},
		fapi2 + "-invalid-secondary-aud": {claims: claim("aud", []string{"client-1", "other"}), refused: "azp", uncalled: userinfo},
		fapi2 + "-invalid-missing-aud":   {claims: claim("aud", nil), refused: "audience", uncalled: userinfo},
		fapi2 + "-invalid-missing-iss":   {claims: claim("iss", nil), refused: "different provider", uncalled: userinfo},
		fapi2 + "-invalid-missing-exp":   {claims: claim("exp", nil), refused: "expired", uncalled: userinfo},
		fapi2 + "-invalid-missing-nonce": {claims: claim("nonce", nil), refused: "nonce", uncalled: userinfo},
		fapi2 + "-valid-aud-as-array":    {claims: claim("aud", []string{"client-1"})},
	}
	return cases
}

// The tests of the OpenID Foundation's conformance suite for clients that apply,
// by their names, answered as its text demands: what has to work gives tokens,
// what has to be refused gives none, and no endpoint is called that must not be.
func TestConformance(t *testing.T) {
	var failed atomic.Int32
	t.Cleanup(func() {
		t.Logf("proof: conformance: %d cases of the OpenID conformance suite for relying parties, by name: %d answered as its text demands",
			len(rpCases()), len(rpCases())-int(failed.Load()))
	})
	for name, tc := range rpCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Cleanup(func() {
				if t.Failed() {
					failed.Add(1)
				}
			})
			w := newWorld(t)
			if tc.server != nil {
				tc.server(w)
			}
			if tc.claims != nil && !tc.refresh {
				w.srv.Claims = func(m map[string]any) { tc.claims(w, m) }
			}
			if tc.token != nil {
				w.srv.Token = func(m map[string]any) { tc.token(w, m) }
			}
			g, c, err := tc.authorize(w)
			if tc.refresh {
				if err != nil {
					t.Fatal(err)
				}
				g, err = tc.refreshed(w, c, g)
			}
			tc.judge(t, w, g, err)
		})
	}
}

// authorize is the code flow of the case's connection.
func (tc rpCase) authorize(w *world) (*grant.Grant, *grant.Client, error) {
	body := tc.body
	if body == "" {
		body = `scopes = ["openid"]`
	}
	c := w.client(w.preset(), body)
	w.person.OnOpen = func(v grant.Visit) {
		answer := w.srv.Consent(v.URL)
		if tc.answer != nil {
			tc.answer(answer)
		}
		w.get(redirectTo(v, answer))
	}
	if tc.silent {
		c.Settings.Timeout = 200 * time.Millisecond
	}
	g, err := c.Authorize(context.Background(), w.env())
	g.Done(err)
	return g, c, err
}

// refreshed refreshes what was authorized; the server puts an ID token into the
// answer.
func (tc rpCase) refreshed(w *world, c *grant.Client, g *grant.Grant) (*grant.Grant, error) {
	rec := record(c, g)
	w.srv.Token = func(m map[string]any) {
		claims := map[string]any{"iss": w.srv.URL, "aud": "client-1", "sub": "sub-1", "iat": w.clock.Now().Unix(), "exp": w.clock.Now().Add(time.Hour).Unix()}
		if tc.claims != nil {
			tc.claims(w, claims)
		}
		m["id_token"] = w.srv.Sign(claims)
	}
	return grant.Refresh(context.Background(), w.env(), rec, nil)
}

func (tc rpCase) judge(t *testing.T, w *world, g *grant.Grant, err error) {
	t.Helper()
	for _, path := range tc.uncalled {
		if n := len(w.srv.Calls(path)); n != 0 {
			t.Errorf("%s was called", path)
		}
	}
	if tc.refused != "" {
		if err == nil || !strings.Contains(err.Error(), tc.refused) || g != nil {
			t.Errorf("want a refusal that says %q and no tokens, have %v", tc.refused, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if g.Tokens.AccessToken.Empty() {
		t.Error("no token")
	}
	if tc.check != nil {
		tc.check(t, w, g)
	}
}

// The page names exactly the cases that are run.
func TestConformancePage(t *testing.T) {
	text, err := os.ReadFile("../../docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	applied, _, found := strings.Cut(string(text), "\n## What does not apply")
	if !found {
		t.Fatal("the page does not say what does not apply")
	}
	cases := rpCases()
	var named []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ").FindAllStringSubmatch(applied, -1) {
		named = append(named, m[1])
		if _, ok := cases[m[1]]; !ok {
			t.Errorf("the page names %s, which is not run", m[1])
		}
	}
	for name := range cases {
		if !slices.Contains(named, name) {
			t.Errorf("the page does not name %s", name)
		}
	}
	if len(named) != len(cases) {
		t.Errorf("%d names on the page, %d cases", len(named), len(cases))
	}
}
