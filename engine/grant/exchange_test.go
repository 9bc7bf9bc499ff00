package grant_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/grant/granttest"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
)

const (
	bearerType   = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	exchangeType = "urn:ietf:params:oauth:grant-type:token-exchange"
	types        = "urn:ietf:params:oauth:token-type:"
)

// tryClient is the client of a connection; vars are the environment.
func tryClient(t *testing.T, p *providers.Preset, vars map[string]string, body string) (*grant.Client, hcl.Diagnostics) {
	t.Helper()
	dir := t.TempDir()
	text := "connection \"main\" {\n  provider = \"acme\"\n  client_id = \"client-1\"\n" + body + "\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := schema.Load(context.Background(), schema.Source{Dir: dir, LookupEnv: func(name string) (string, bool) { v, ok := vars[name]; return v, ok }})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return grant.NewClient(cfg.Connections[0], p)
}

// The request of a token exchange, parameter for parameter (RFC 8693 §2.1), when
// the connection is authorized and when it is renewed from the record alone.
func TestTokenExchangeRequests(t *testing.T) {
	vars := map[string]string{"TOKEN": "subject.1", "ACTOR": "actor-1", "SECRET": "s3cr3t"}
	file := token(t, map[string]any{"iss": "https://ci.example"})
	for name, tc := range map[string]struct {
		body string
		form url.Values
	}{
		"least": {`grant "token_exchange" { subject_token = env("TOKEN") }`, url.Values{
			"subject_token": {"subject.1"}, "subject_token_type": {types + "jwt"}}},
		"everything": {`scopes = ["a", "b"]
  resource = ["https://api.example/x"]
  token_params = { tenant = "7" }
  grant "token_exchange" {
    subject_token        = env("TOKEN")
    subject_token_type   = "access_token"
    actor_token          = env("ACTOR")
    actor_token_type     = "urn:acme:badge"
    requested_token_type = "access_token"
    audience             = ["orders", "invoices"]
  }`, url.Values{
			"subject_token": {"subject.1"}, "subject_token_type": {types + "access_token"}, "actor_token": {"actor-1"}, "actor_token_type": {"urn:acme:badge"},
			"requested_token_type": {types + "access_token"}, "audience": {"orders", "invoices"}, "resource": {"https://api.example/x"},
			"scope": {"a b"}, "tenant": {"7"}}},
		"read anew": {`audience = "of-the-connection"
  grant "token_exchange" {
    subject_token_file = "/run/token"
    actor_token_env    = "ACTOR"
  }`, url.Values{
			"subject_token": {file}, "subject_token_type": {types + "jwt"}, "actor_token": {"actor-1"}, "actor_token_type": {types + "jwt"},
			"audience": {"of-the-connection"}}},
		"with a secret": {`client_secret = env("SECRET")
  client_auth = "client_secret_post"
  grant "token_exchange" { subject_token = env("TOKEN") }`, url.Values{
			"subject_token": {"subject.1"}, "subject_token_type": {types + "jwt"}, "client_secret": {"s3cr3t"}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c, diags := tryClient(t, w.preset(), vars, tc.body)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			env := w.env()
			env.User = nil
			env.ReadFile = func(string) ([]byte, error) { return []byte(file + "\n"), nil }
			env.LookupEnv = func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
			g, err := c.Authorize(context.Background(), env)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := grant.Refresh(context.Background(), env, record(c, g), nil); err != nil {
				t.Fatal(err)
			}
			tc.form.Set("grant_type", exchangeType)
			tc.form.Set("client_id", "client-1")
			calls := w.srv.Calls("/token")
			if len(calls) != 2 {
				t.Fatalf("%d requests", len(calls))
			}
			for i, call := range calls {
				if diff := cmp.Diff(tc.form, call.Form); diff != "" {
					t.Errorf("request %d (-want +have):\n%s", i+1, diff)
				}
			}
		})
	}
}

// claimsOfJWT verifies an assertion and gives its header and claims.
func claimsOfJWT(t *testing.T, text string, key crypto.PublicKey) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(text, ".")
	for i, into := range []*map[string]any{&header, &claims} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(b, into) != nil {
			t.Fatalf("no JWT: %v", err)
		}
	}
	alg, _ := header["alg"].(string)
	jws, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err == nil {
		_, err = jws.Verify(key)
	}
	if err != nil {
		t.Errorf("the signature is not good: %v", err)
	}
	return header, claims
}

// The assertion that is a grant: header, claims and the form around it.
func TestSignedBearerRequests(t *testing.T) {
	google := providers.BearerRules{Audience: "token_endpoint", Algorithms: []string{"RS256"}, ScopeClaim: true, NoSubject: true}
	jwk, err := json.Marshal(jose.JSONWebKey{Key: testKeys()["p256"], KeyID: "of-the-jwk"})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		key, pem, block string
		rules           providers.BearerRules
		header, claims  map[string]any // beside iat, exp, jti
		scope           string         // parameter
		life            float64
	}{
		"defaults": {key: "rsa", header: map[string]any{"alg": "RS256"},
			claims: map[string]any{"iss": "client-1", "sub": "client-1", "aud": "{url}/token"}, scope: "a b", life: 180},
		"Google": {key: "rsa", rules: google, block: `key_id = "k1"`, header: map[string]any{"alg": "RS256", "kid": "k1"},
			claims: map[string]any{"iss": "client-1", "aud": "{url}/token", "scope": "a b"}, life: 180},
		"Google, for a person": {key: "rsa", rules: google, block: `subject = "alice@example.com"`, header: map[string]any{"alg": "RS256"},
			claims: map[string]any{"iss": "client-1", "sub": "alice@example.com", "aud": "{url}/token", "scope": "a b"}, life: 180},
		"everything": {key: "p384", block: `issuer = "i"
    subject = "s"
    audience = "urn:as"
    lifetime = "1h"
    scope_claim = true
    claims = jsonencode({ target = { a = [1] } })`, header: map[string]any{"alg": "ES384"},
			claims: map[string]any{"iss": "i", "sub": "s", "aud": "urn:as", "scope": "a b", "target": map[string]any{"a": []any{1.0}}}, life: 3600},
		"preset: issuer": {key: "rsa", rules: providers.BearerRules{Audience: "issuer"}, header: map[string]any{"alg": "RS256"},
			claims: map[string]any{"iss": "client-1", "sub": "client-1", "aud": "{url}"}, scope: "a b", life: 180},
		"a JWK": {key: "p256", pem: string(jwk), header: map[string]any{"alg": "ES256", "kid": "of-the-jwk"},
			claims: map[string]any{"iss": "client-1", "sub": "client-1", "aud": "{url}/token"}, scope: "a b", life: 180},
		"own algorithm": {key: "rsa", block: `algorithm = "PS512"`, header: map[string]any{"alg": "PS512"},
			claims: map[string]any{"iss": "client-1", "sub": "client-1", "aud": "{url}/token"}, scope: "a b", life: 180},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p := w.preset()
			p.Bearer, p.ClientAuth = tc.rules, []string{"client_secret_post"} // the assertion goes without
			if tc.pem == "" {
				tc.pem = keyPEM(t, tc.key)
			}
			c, diags := tryClient(t, p, map[string]string{"KEY": tc.pem}, "scopes = [\"a\", \"b\"]\n  grant \"jwt_bearer\" {\n    private_key = env(\"KEY\")\n    "+tc.block+"\n  }")
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			env := w.env()
			env.User, env.Rand = nil, bytes.NewReader(bytes.Repeat([]byte{1}, 64))
			g, err := c.Authorize(context.Background(), env)
			if err != nil {
				t.Fatal(err)
			}
			rec := record(c, g)
			if rec.Tokens.GrantKey.Empty() || rec.Tokens.SubjectToken != "" {
				t.Error("the key is not kept, or an assertion is")
			}
			if _, err := grant.Refresh(context.Background(), env, rec, nil); err != nil {
				t.Fatal(err)
			}
			now := float64(w.clock.Now().Unix())
			tc.header["typ"] = "JWT"
			tc.claims["iat"], tc.claims["exp"], tc.claims["jti"] = now, now+tc.life, base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))
			tc.claims["aud"] = strings.ReplaceAll(tc.claims["aud"].(string), "{url}", w.srv.URL)
			want := url.Values{"grant_type": {bearerType}}
			if tc.scope != "" {
				want.Set("scope", tc.scope)
			}
			for _, call := range w.srv.Calls("/token") {
				header, claims := claimsOfJWT(t, call.Form.Get("assertion"), testKeys()[tc.key].Public())
				if diff := cmp.Diff([]any{tc.header, tc.claims}, []any{header, claims}); diff != "" {
					t.Errorf("assertion (-want +have):\n%s", diff)
				}
				call.Form.Del("assertion")
				if diff := cmp.Diff(want, call.Form); diff != "" || call.Header.Get("Authorization") != "" {
					t.Errorf("form (-want +have):\n%s", diff)
				}
			}
		})
	}
}

// Microsoft's on-behalf-of flow: the preset makes it so, and the client proves who it is.
func TestOnBehalfOf(t *testing.T) {
	w := newWorld(t)
	p := w.preset()
	p.Bearer.OnBehalfOf = true
	const body = "scopes = [\"User.Read\"]\n  grant \"jwt_bearer\" { assertion = env(\"TOKEN\") }"
	vars := map[string]string{"TOKEN": "a-persons-token", "SECRET": "s3cr3t"}
	if _, diags := tryClient(t, p, vars, body); !diags.HasErrors() || !strings.Contains(diags.Error(), "client_secret") {
		t.Errorf("a public client acts for others: %v", diags)
	}
	c, diags := tryClient(t, p, vars, "client_secret = env(\"SECRET\")\n  client_auth = \"client_secret_post\"\n"+body)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if _, err := c.Authorize(context.Background(), w.env()); err != nil {
		t.Fatal(err)
	}
	want := url.Values{"grant_type": {bearerType}, "assertion": {"a-persons-token"}, "requested_token_use": {"on_behalf_of"}, "scope": {"User.Read"},
		"client_id": {"client-1"}, "client_secret": {"s3cr3t"}}
	if diff := cmp.Diff(want, w.srv.Calls("/token")[0].Form); diff != "" {
		t.Errorf("(-want +have):\n%s", diff)
	}
}

func TestExchangeConfigurationErrors(t *testing.T) {
	w := newWorld(t)
	obo := w.preset()
	obo.Bearer.OnBehalfOf = true
	rs := w.preset()
	rs.Bearer.Algorithms = []string{"RS256"}
	vars := map[string]string{"KEY": keyPEM(t, "p256"), "WEAK": keyPEM(t, "weak"), "TOKEN": "canary", "EMPTY": " ", "SPACES": "two words",
		"PUBLIC":    `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
		"SYMMETRIC": `{"kty":"oct","k":"AAAA"}`, "BROKEN": `{"kty":"canary"`, "GOOGLE": `{"type":"service_account","private_key":"canary"}`}
	for name, tc := range map[string]struct {
		preset *providers.Preset
		block  string
		words  string
	}{
		"nothing to sign with":     {nil, `grant "jwt_bearer" {}`, "Nothing to present"},
		"nothing to exchange":      {nil, `grant "token_exchange" {}`, "subject_token = connection.NAME.access_token"},
		"both":                     {nil, `grant "jwt_bearer" {` + "\nprivate_key = env(\"KEY\")\nassertion = env(\"TOKEN\")\n}", "Several sources"},
		"two sources":              {nil, `grant "token_exchange" {` + "\nsubject_token = env(\"TOKEN\")\nsubject_token_env = \"TOKEN\"\n}", "both subject_token and subject_token_env"},
		"weak key":                 {nil, `grant "jwt_bearer" { private_key = env("WEAK") }`, "1024 bits"},
		"public JWK":               {nil, `grant "jwt_bearer" { private_key = env("PUBLIC") }`, "a private one is needed"},
		"symmetric JWK":            {nil, `grant "jwt_bearer" { private_key = env("SYMMETRIC") }`, "a private one is needed"},
		"broken JWK":               {nil, `grant "jwt_bearer" { private_key = env("BROKEN") }`, "no JWK"},
		"the whole key file":       {nil, `grant "jwt_bearer" { private_key = env("GOOGLE") }`, "jsondecode"},
		"key of another kind":      {rs, `grant "jwt_bearer" { private_key = env("KEY") }`, "RS256"},
		"algorithm of another key": {nil, `grant "jwt_bearer" {` + "\nprivate_key = env(\"KEY\")\nalgorithm = \"RS256\"\n}", "signs with ES256"},
		"lives too long":           {nil, `grant "jwt_bearer" {` + "\nprivate_key = env(\"KEY\")\nlifetime = \"2h\"\n}", "one hour"},
		"claims":                   {nil, `grant "jwt_bearer" {` + "\nprivate_key = env(\"KEY\")\nclaims = \"x\"\n}", "JSON object"},
		"own claim":                {nil, `grant "jwt_bearer" {` + "\nprivate_key = env(\"KEY\")\nclaims = jsonencode({ aud = \"x\" })\n}", "Reserved claim"},
		"key argument":             {nil, `grant "jwt_bearer" {` + "\nassertion = env(\"TOKEN\")\nsubject = \"x\"\n}", "subject would change nothing"},
		"self-signed at Entra":     {obo, `grant "jwt_bearer" { private_key = env("KEY") }`, "client_assertion"},
		"on behalf of a key":       {nil, `grant "jwt_bearer" {` + "\nprivate_key = env(\"KEY\")\non_behalf_of = true\n}", "Remove on_behalf_of"},
		"type without actor":       {nil, `grant "token_exchange" {` + "\nsubject_token = env(\"TOKEN\")\nactor_token_type = \"jwt\"\n}", "Remove actor_token_type"},
		"unknown type":             {nil, `grant "token_exchange" {` + "\nsubject_token = env(\"TOKEN\")\nsubject_token_type = \"acess_token\"\n}", `Did you mean "access_token"?`},
		"relative file":            {nil, `grant "token_exchange" { subject_token_file = "token.jwt" }`, "not absolute"},
		"the key of the state":     {nil, `grant "token_exchange" { subject_token_env = "OAUTHCTL_IDENTITY" }`, "opens the state"},
		"its passphrase":           {nil, `grant "jwt_bearer" { assertion_env = "oauthctl_passphrase" }`, "opens the state"},
		"dollar":                   {nil, `grant "token_exchange" { subject_token_env = "$TOKEN" }`, "without a dollar sign"},
		"empty":                    {nil, `grant "token_exchange" { subject_token = env("EMPTY") }`, "Unusable token"},
		"spaces":                   {nil, `grant "token_exchange" { subject_token = env("SPACES") }`, "Unusable token"},
		"account":                  {nil, `account = "alice"` + "\ngrant \"token_exchange\" { subject_token = env(\"TOKEN\") }", "has no account"},
	} {
		t.Run(name, func(t *testing.T) {
			p := tc.preset
			if p == nil {
				p = w.preset()
			}
			_, diags := tryClient(t, p, vars, tc.block)
			var text string
			for _, d := range diags {
				text += d.Summary + ": " + d.Detail + "\n"
			}
			if !diags.HasErrors() || !strings.Contains(text, tc.words) {
				t.Errorf("does not say %q: %s", tc.words, text)
			}
			if strings.Contains(text, "canary") {
				t.Errorf("repeats a secret: %s", text)
			}
		})
	}
}

// Answers that must not be used, and refusals: never a person's business, and
// nothing of what was sent is repeated.
func TestHostileExchangeAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		reply granttest.Reply
		kind  grant.Kind
		words []string
	}{
		"another type": {granttest.JSON(200, map[string]any{"access_token": "x", "token_type": "Bearer", "issued_token_type": types + "refresh_token"}), grant.Protocol, []string{"was asked for"}},
		"no Bearer":    {granttest.JSON(200, map[string]any{"access_token": "x", "token_type": "N_A", "issued_token_type": types + "jwt"}), grant.Protocol, []string{"Bearer"}},
		"refused":      {granttest.OAuthError(400, "invalid_grant", "canary.token.1 is bad"), grant.Config, []string{"invalid_grant"}},
		"subject":      {granttest.OAuthError(400, "invalid_request", "canary.token.1"), grant.Config, []string{"invalid_request"}},
		"target":       {granttest.OAuthError(400, "invalid_target", ""), grant.Config, []string{"invalid_target"}},
		"owner":        {granttest.OAuthError(400, "interaction_required", ""), grant.NeedsUser, []string{"interaction_required"}},
		"redirect":     {granttest.Reply{Status: 307, Header: map[string]string{"Location": "https://elsewhere.example/"}}, grant.Protocol, []string{"redirect"}},
		"busy":         {granttest.Reply{Status: 503}, grant.Temporary, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.srv.On("/token", tc.reply)
			c, diags := tryClient(t, w.preset(), map[string]string{"TOKEN": "canary.token.1"},
				"grant \"token_exchange\" {\nsubject_token = env(\"TOKEN\")\nrequested_token_type = \"jwt\"\n}")
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			_, err := c.Authorize(context.Background(), w.env())
			e := wantError(t, err, tc.kind, tc.words...)
			if strings.Contains(e.Error()+e.Remedy, "canary") {
				t.Errorf("repeats the token: %v", e)
			}
			if n := len(w.srv.Calls("/token")); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// What cannot be read is not sent.
func TestUnreadableSubjectTokens(t *testing.T) {
	w := newWorld(t)
	ended := token(t, map[string]any{"iss": "i", "exp": w.clock.Now().Unix() - 3600})
	for name, tc := range map[string]struct {
		text  string
		err   error
		words string
	}{
		"missing": {err: &fs.PathError{Op: "open", Path: "/run/token", Err: fs.ErrNotExist}, words: "its path in the grant block"},
		"empty":   {text: "\n", words: "/run/token is empty"},
		"two":     {text: "canary canary", words: "holds no JWT"},
		"ended":   {text: ended, words: "ended at"},
	} {
		t.Run(name, func(t *testing.T) {
			c, diags := tryClient(t, w.preset(), nil, `grant "token_exchange" { subject_token_file = "/run/token" }`)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			env := w.env()
			env.ReadFile = func(string) ([]byte, error) { return []byte(tc.text), tc.err }
			_, err := c.Authorize(context.Background(), env)
			if e := wantError(t, err, grant.Config, tc.words); strings.Contains(e.Error(), "canary") {
				t.Errorf("repeats the token: %v", e)
			}
			if n := len(w.srv.Calls("/token")); n != 0 {
				t.Errorf("%d requests", n)
			}
		})
	}
}
