package grant_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/grant/granttest"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
)

// testKeys are made once: RSA keys take their time.
var testKeys = sync.OnceValue(func() map[string]crypto.Signer {
	must := func(k crypto.Signer, err error) crypto.Signer {
		if err != nil {
			panic(err)
		}
		return k
	}
	rsaKey := func(bits int) crypto.Signer { k, err := rsa.GenerateKey(rand.Reader, bits); return must(k, err) }
	ecKey := func(c elliptic.Curve) crypto.Signer { k, err := ecdsa.GenerateKey(c, rand.Reader); return must(k, err) }
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	return map[string]crypto.Signer{
		"rsa": rsaKey(2048), "other": rsaKey(2048), "weak": rsaKey(1024), "p256": ecKey(elliptic.P256()), "p224": ecKey(elliptic.P224()),
		"p384": ecKey(elliptic.P384()), "p521": ecKey(elliptic.P521()), "ed25519": must(ed, err),
	}
})

func block(typ string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
}

// keyPEM is a test key as PKCS #8.
func keyPEM(t *testing.T, name string) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(testKeys()[name])
	if err != nil {
		t.Fatal(err)
	}
	return block("PRIVATE KEY", der)
}

// certOf is a certificate of a test key, valid between two times.
func certOf(t *testing.T, name string, from, to time.Time) (text string, der []byte) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: to}
	der, err := x509.CreateCertificate(rand.Reader, template, template, testKeys()[name].Public(), testKeys()[name])
	if err != nil {
		t.Fatal(err)
	}
	return block("CERTIFICATE", der), der
}

// assertionClient builds a client with a client_assertion block; vars are the environment.
func assertionClient(t *testing.T, p *providers.Preset, vars map[string]string, body, assertion string) (*grant.Client, hcl.Diagnostics) {
	t.Helper()
	dir := t.TempDir()
	text := "connection \"main\" {\n  provider = \"acme\"\n  client_id = \"client-1\"\n" + body + "\n  client_assertion {\n" + assertion + "\n  }\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := schema.Load(context.Background(), schema.Source{Dir: dir, LookupEnv: func(name string) (string, bool) { v, ok := vars[name]; return v, ok }})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return grant.NewClient(cfg.Connections[0], p)
}

func mustAssert(t *testing.T, p *providers.Preset, vars map[string]string, body, assertion string) *grant.Client {
	t.Helper()
	c, diags := assertionClient(t, p, vars, body, assertion)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return c
}

// opened is an assertion that was sent: its header and claims, with the
// signature verified.
type opened struct {
	Header, Claims map[string]any
}

func open(t *testing.T, form url.Values, key crypto.PublicKey) opened {
	t.Helper()
	if got := form.Get("client_assertion_type"); got != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		t.Errorf("client_assertion_type = %q", got)
	}
	parts := strings.Split(form.Get("client_assertion"), ".")
	if len(parts) != 3 {
		t.Fatal("no assertion was sent")
	}
	var o opened
	for i, into := range []*map[string]any{&o.Header, &o.Claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	alg, _ := o.Header["alg"].(string)
	jws, err := jose.ParseSignedCompact(form.Get("client_assertion"), []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err == nil {
		_, err = jws.Verify(key)
	}
	if err != nil {
		t.Errorf("the signature is not good: %v", err)
	}
	return o
}

// Header and claims for every kind of key, with clock and randomness that are
// known (RFC 7523 §3, RFC 7515 §4.1, RFC 7518 §3.1).
func TestAssertions(t *testing.T) {
	const credentials = `grant "client_credentials" {}`
	for name, tc := range map[string]struct {
		key, block string
		rules      providers.AssertionRules
		discovered []string // token_endpoint_auth_signing_alg_values_supported
		header     map[string]any
		audience   string // {url} is the server's
		life       time.Duration
	}{
		"RSA":                     {key: "rsa", header: map[string]any{"alg": "PS256"}},
		"RS256":                   {key: "rsa", block: `algorithm = "RS256"`, header: map[string]any{"alg": "RS256"}},
		"PS512":                   {key: "rsa", block: `algorithm = "PS512"`, header: map[string]any{"alg": "PS512"}},
		"P-256":                   {key: "p256", header: map[string]any{"alg": "ES256"}},
		"P-384":                   {key: "p384", header: map[string]any{"alg": "ES384"}},
		"P-521":                   {key: "p521", header: map[string]any{"alg": "ES512"}},
		"Ed25519":                 {key: "ed25519", header: map[string]any{"alg": "EdDSA"}},
		"kid":                     {key: "p256", block: `key_id = "2026-01"`, header: map[string]any{"alg": "ES256", "kid": "2026-01"}},
		"audience, lifetime":      {key: "p256", block: "audience = \"urn:as\"\nlifetime = \"10m\"", header: map[string]any{"alg": "ES256"}, audience: "urn:as", life: 10 * time.Minute},
		"preset: issuer":          {key: "rsa", rules: providers.AssertionRules{Audience: "issuer"}, header: map[string]any{"alg": "PS256"}, audience: "{url}"},
		"preset: another":         {key: "rsa", rules: providers.AssertionRules{Audience: "urn:x"}, header: map[string]any{"alg": "PS256"}, audience: "urn:x"},
		"preset: algorithms":      {key: "rsa", rules: providers.AssertionRules{Algorithms: []string{"ES256", "RS256"}}, header: map[string]any{"alg": "RS256"}},
		"metadata: algorithms":    {key: "rsa", discovered: []string{"ES256", "RS256"}, header: map[string]any{"alg": "RS256"}},
		"metadata, none that fit": {key: "p256", discovered: []string{"RS256"}, header: map[string]any{"alg": "ES256"}},
		"metadata, own is first":  {key: "rsa", block: `algorithm = "PS384"`, discovered: []string{"RS256"}, header: map[string]any{"alg": "PS384"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.srv.Metadata = func(m map[string]any) {
				if tc.discovered != nil {
					m["token_endpoint_auth_signing_alg_values_supported"] = tc.discovered
				}
			}
			p := w.preset()
			p.Assertion = tc.rules
			c := mustAssert(t, p, map[string]string{"KEY": keyPEM(t, tc.key)}, credentials, "private_key = env(\"KEY\")\n"+tc.block)
			env := w.env()
			env.User, env.Rand = nil, bytes.NewReader(bytes.Repeat([]byte{1}, 64)) // one for the look before, one for the request
			if _, err := c.Authorize(context.Background(), env); err != nil {
				t.Fatal(err)
			}
			got := open(t, w.srv.Calls("/token")[0].Form, testKeys()[tc.key].Public())
			tc.header["typ"] = "JWT"
			if tc.audience == "" {
				tc.audience = "{url}/token"
			}
			if tc.life == 0 {
				tc.life = 5 * time.Minute
			}
			now := float64(w.clock.Now().Unix())
			if diff := cmp.Diff(opened{tc.header, map[string]any{
				"iss": "client-1", "sub": "client-1", "aud": strings.ReplaceAll(tc.audience, "{url}", w.srv.URL),
				"jti": base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32)), "iat": now, "nbf": now, "exp": now + tc.life.Seconds(),
			}}, got); diff != "" {
				t.Errorf("(-want +have):\n%s", diff)
			}
		})
	}
}

// Every request of every grant carries an assertion of its own, and nothing else
// that authenticates; a record can sign without the configuration.
func TestAssertionsOfEveryRequest(t *testing.T) {
	const scopes = "scopes = [\"a\"]\n"
	for name, grantBlock := range map[string]string{
		"authorization_code": scopes + "redirect_uris = [\"http://127.0.0.1/callback\"]\ngrant \"authorization_code\" {}",
		"device_code":        scopes + `grant "device_code" {}`,
		"client_credentials": scopes + `grant "client_credentials" {}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.consent(nil)
			w.srv.On("/token")
			if name == "device_code" {
				w.srv.On("/token", granttest.OAuthError(400, "authorization_pending", ""))
			}
			c := mustAssert(t, w.preset(), map[string]string{"KEY": keyPEM(t, "p256")}, grantBlock, `private_key = env("KEY")`)
			g, err := c.Authorize(context.Background(), w.env())
			if err != nil {
				t.Fatal(err)
			}
			g.Done(nil)
			rec := record(c, g)
			rec.Tokens.ClientKey = c.Key()
			if g, err = grant.Refresh(context.Background(), w.env(), rec, nil); err != nil {
				t.Fatal(err)
			}
			if !g.Tokens.ClientKey.Equal(c.Key()) {
				t.Error("a refresh loses the key")
			}
			if err := grant.Revoke(context.Background(), w.env(), rec); err != nil {
				t.Fatal(err)
			}
			seen, paths := map[any]bool{}, map[string]int{}
			for _, call := range w.srv.Calls("") {
				if call.Method != http.MethodPost {
					continue
				}
				paths[call.Path]++
				got := open(t, call.Form, testKeys()["p256"].Public())
				if seen[got.Claims["jti"]] || got.Claims["aud"] != w.srv.URL+"/token" {
					t.Errorf("%s: jti or aud: %v", call.Path, got.Claims)
				}
				seen[got.Claims["jti"]] = true
				if call.Form.Get("client_id") != "client-1" || call.Form.Has("client_secret") || call.Header.Get("Authorization") != "" {
					t.Errorf("%s: %v", call.Path, call.Header)
				}
			}
			want := map[string]map[string]int{
				"authorization_code": {"/token": 2, "/revoke": 1},
				"device_code":        {"/device": 1, "/token": 3, "/revoke": 1},
				"client_credentials": {"/token": 2, "/revoke": 1},
			}[name]
			if diff := cmp.Diff(want, paths); diff != "" {
				t.Errorf("requests (-want +have):\n%s", diff)
			}
		})
	}
}

// token is a JWT of another issuer; its signature is nobody's business here.
func token(t *testing.T, claims map[string]any) string {
	t.Helper()
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	return b64([]byte(`{"alg":"RS256"}`)) + "." + b64(body) + "." + b64([]byte("canary-signature"))
}

// The token of a platform is read anew for each request, and sent as it is.
func TestFederatedAssertions(t *testing.T) {
	w := newWorld(t)
	n := 0
	env := w.env()
	next := func() string {
		n++
		return token(t, map[string]any{"iss": "https://ci.example", "sub": "job", "aud": "api://x", "n": n, "exp": w.clock.Now().Add(time.Minute).Unix()})
	}
	env.ReadFile = func(name string) ([]byte, error) {
		if name != "/run/token" {
			return nil, fs.ErrNotExist
		}
		return []byte(next() + "\n"), nil
	}
	env.LookupEnv = func(name string) (string, bool) { return next(), name == "CI_JWT" }
	for _, source := range []string{`token_file = "/run/token"`, `token_env = "CI_JWT"`} {
		c := mustAssert(t, w.preset(), nil, `grant "client_credentials" {}`, source)
		g, err := c.Authorize(context.Background(), env)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := grant.Refresh(context.Background(), env, record(c, g), nil); err != nil {
			t.Fatal(err)
		}
		if !c.Key().Empty() || c.Auth != "federated" {
			t.Errorf("method %s", c.Auth)
		}
	}
	sent := map[string]bool{}
	for _, call := range w.srv.Calls("/token") {
		f := call.Form
		if f.Get("client_id") != "client-1" || f.Get("client_assertion_type") == "" || f.Has("client_secret") || call.Header.Get("Authorization") != "" {
			t.Errorf("%v", call.Header)
		}
		sent[f.Get("client_assertion")] = true
	}
	if len(sent) != 4 {
		t.Errorf("%d different tokens in 4 requests", len(sent))
	}
}

// Where the token cannot be read, nothing is sent: neither a code nor a refresh
// token is lost, and nobody is asked to consent for nothing.
func TestUnreadableTokens(t *testing.T) {
	w := newWorld(t)
	expired := token(t, map[string]any{"iss": "i", "exp": w.clock.Now().Add(-time.Hour).Unix()})
	for name, tc := range map[string]struct {
		source string
		read   func(string) ([]byte, error)
		words  []string
	}{
		"no file": {`token_file = "/run/token"`, func(name string) ([]byte, error) {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}, []string{"/run/token", "file does not exist", "token_file"}},
		"not allowed": {`token_file = "/run/token"`, func(name string) ([]byte, error) {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
		}, []string{"/run/token", "permission denied", "let this program read it"}},
		"no way":        {`token_file = "/run/token"`, nil, []string{"/run/token"}},
		"empty":         {`token_file = "/run/token"`, func(string) ([]byte, error) { return []byte("\n"), nil }, []string{"/run/token is empty"}},
		"no JWT":        {`token_file = "/run/token"`, func(string) ([]byte, error) { return []byte("canary canary"), nil }, []string{"/run/token holds no JWT"}},
		"expired":       {`token_file = "/run/token"`, func(string) ([]byte, error) { return []byte(expired), nil }, []string{"/run/token ended at", "fresh"}},
		"no variable":   {`token_env = "CI_JWT"`, nil, []string{"CI_JWT is not set"}},
		"without dots":  {`token_file = "/run/token"`, func(string) ([]byte, error) { return []byte("a.b"), nil }, []string{"three parts"}},
		"broken claims": {`token_file = "/run/token"`, func(string) ([]byte, error) { return []byte("a.canary.c"), nil }, []string{"claims cannot be read"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			env := w.env()
			env.ReadFile = tc.read
			c := mustAssert(t, w.preset(), nil, "scopes = [\"openid\"]\nredirect_uris = [\"http://127.0.0.1/callback\"]", tc.source)
			_, err := c.Authorize(context.Background(), env)
			wantError(t, err, grant.Config, tc.words...)
			if n := len(w.person.Visits()); n != 0 {
				t.Error("a person was asked although the client cannot authenticate")
			}
			rec := w.held()
			rec.Info.Client.Auth, rec.Info.Client.AssertionFile, rec.Info.Client.AssertionEnv = c.Auth, c.Conn.ClientAssertion.TokenFile, c.Conn.ClientAssertion.TokenEnv
			_, err = grant.Refresh(context.Background(), env, rec, nil)
			e := wantError(t, err, grant.Config, append(tc.words, "refresh the token")...)
			if e.Outcome != grant.NotSent || len(w.srv.Calls("/token")) != 0 {
				t.Errorf("outcome %s, %d requests", e.Outcome, len(w.srv.Calls("/token")))
			}
			if strings.Contains(e.Error()+e.Remedy, "canary") {
				t.Errorf("repeats the token: %v", e)
			}
		})
	}
}

// What a server says of an assertion is explained, without the assertion, even
// if the server repeats it. Of a federated token the claims are named, which is
// what has to be compared.
func TestRefusedAssertions(t *testing.T) {
	w := newWorld(t)
	jwt := token(t, map[string]any{"iss": "https://ci.example", "sub": "repo:a/b", "aud": []string{"api://x"}})
	env := w.env()
	env.LookupEnv = func(string) (string, bool) { return jwt, true }
	for source, words := range map[string][]string{
		`private_key = env("KEY")`: {"invalid_client", "certificate in client_assertion", "clock"},
		`token_env = "CI_JWT"`:     {"invalid_client", `issuer "https://ci.example", subject "repo:a/b" and audience "api://x"`},
	} {
		c := mustAssert(t, w.preset(), map[string]string{"KEY": keyPEM(t, "p256")}, `grant "client_credentials" {}`, source)
		echo := granttest.Reply{Status: 401, Body: `{"error":"invalid_client","error_description":"bad ` + jwt + `"}`}
		w.srv.On("/token", echo)
		_, err := c.Authorize(context.Background(), env)
		e := wantError(t, err, grant.Config, words...)
		if sent := w.srv.Calls("/token"); strings.Contains(e.Error()+e.Remedy+fmt.Sprint(errors.Unwrap(e)), sent[len(sent)-1].Form.Get("client_assertion")) {
			t.Errorf("repeats the assertion: %v", e)
		}
	}
}
