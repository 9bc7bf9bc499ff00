package sandbox_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/providers/sandbox"
)

// assertion signs claims over those that a good assertion of "app" has; nil removes one.
func assertion(t *testing.T, c *clock, alg jose.SignatureAlgorithm, key crypto.Signer, header, changes map[string]any) string {
	t.Helper()
	now := c.Now()
	claims := map[string]any{
		"iss": "app", "sub": "app", "aud": issuer + "/token", "jti": rand.Text(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	o := &jose.SignerOptions{}
	for k, v := range header {
		o = o.WithHeader(jose.HeaderKey(k), v)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, o)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func asserted(text string, more ...string) url.Values {
	f := url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_assertion": {text},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}}
	for i := 0; i < len(more); i += 2 {
		f.Set(more[i], more[i+1])
	}
	return f
}

func ecKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// RFC 7523 §3, claim by claim.
func TestAssertionsAreChecked(t *testing.T) {
	key, other := ecKey(t), ecKey(t)
	c := newClock()
	at := func(d time.Duration) int64 { return c.Now().Add(d).Unix() }
	type m = map[string]any
	for name, tt := range map[string]struct {
		key     crypto.Signer
		changes m
		form    []string
		want    string // words of the refusal; "" is success
	}{
		"good":                    {key, nil, nil, ""},
		"audience is the issuer":  {key, m{"aud": issuer}, nil, ""},
		"without client_id":       {key, nil, []string{"client_id", ""}, ""},
		"another audience":        {key, m{"aud": "https://other.example"}, nil, "aud is not"},
		"a list of audiences":     {key, m{"aud": []string{issuer}}, nil, "one string"},
		"another client":          {key, m{"iss": "x", "sub": "x"}, nil, "sub is not"},
		"no sub":                  {key, m{"sub": nil}, nil, "no sub"},
		"no jti":                  {key, m{"jti": nil}, nil, "jti"},
		"no exp":                  {key, m{"exp": nil}, nil, "not valid now"},
		"expired":                 {key, m{"exp": at(-time.Second)}, nil, "not valid now"},
		"lives too long":          {key, m{"exp": at(2 * time.Hour)}, nil, "for too long"},
		"not yet":                 {key, m{"nbf": at(10 * time.Minute)}, nil, "not valid now"},
		"another key":             {other, nil, nil, "signature"},
		"another type":            {key, nil, []string{"client_assertion_type", "urn:x"}, "client_assertion_type"},
		"no JWT":                  {key, nil, []string{"client_assertion", "x"}, "not a JWT"},
		"with a secret":           {key, nil, []string{"client_secret", "hush"}, "two ways"},
		"somebody's, without exp": {key, m{"iss": "https://ci.example", "exp": nil, "aud": "x"}, nil, "expired"},
		"somebody's":              {key, m{"iss": "https://ci.example", "aud": "x"}, nil, ""},
		"somebody's, two aud":     {key, m{"iss": "https://ci.example", "aud": []string{"x", "y"}}, nil, "exactly one"},
	} {
		t.Run(name, func(t *testing.T) {
			r := rigOf(t, newServer(t, sandbox.Options{Now: c.Now}), c, acme())
			if err := r.s.LearnKey(acme(), "app", key.Public()); err != nil {
				t.Fatal(err)
			}
			status, got := r.post(issuer+"/token", asserted(assertion(t, c, jose.ES256, tt.key, nil, tt.changes), tt.form...))
			words, _ := got["error_description"].(string)
			switch {
			case tt.want == "" && status != 200, tt.want != "" && (status == 200 || !strings.Contains(words, tt.want)):
				t.Errorf("%d %v %q, want %q", status, got["error"], words, tt.want)
			case tt.want != "" && tt.want != "two ways" && got["error"] != "invalid_client":
				t.Errorf("error = %v", got["error"])
			}
		})
	}
}

func TestAssertionIsUsedOnce(t *testing.T) {
	key := ecKey(t)
	r := newRig(t, acme())
	form := asserted(assertion(t, r.clock, jose.ES256, key, nil, nil))
	if status, _ := r.post(issuer+"/token", form); status != 200 {
		t.Fatalf("the first time: %d", status)
	}
	if status, got := r.post(issuer+"/token", form); status != 401 || !strings.Contains(got["error_description"].(string), "jti") {
		t.Errorf("the second time: %d %v", status, got)
	}
}

// A registered client has its key, and neither comes without nor with another.
func TestRegisteredKey(t *testing.T) {
	key := ecKey(t)
	r := newRig(t, acme())
	if err := r.s.Register(acme(), sandbox.Client{ID: "app", Key: key.Public()}); err != nil {
		t.Fatal(err)
	}
	if err := r.s.LearnKey(acme(), "app", ecKey(t).Public()); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		form url.Values
		want int
	}{
		"its key":     {asserted(assertion(t, r.clock, jose.ES256, key, nil, nil)), 200},
		"another":     {asserted(assertion(t, r.clock, jose.ES256, ecKey(t), nil, nil)), 401},
		"none at all": {url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}}, 401},
		"a secret":    {url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_secret": {"x"}}, 401},
	} {
		if status, got := r.post(issuer+"/token", tt.form); status != tt.want {
			t.Errorf("%s: %d %v", name, status, got)
		}
	}
}

// What Microsoft wants more: PS256 with the certificate's thumbprint, and tokens
// of others for one audience; its numbers
// (learn.microsoft.com/entra/identity-platform/certificate-credentials,
// reference-error-codes).
func TestMicrosoftAssertions(t *testing.T) {
	const endpoint = "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token"
	p := &providers.Preset{
		Name: "microsoft", Title: "Microsoft", TokenEndpoint: endpoint, Discovery: "none", Quirks: []string{"aadsts"},
		ClientAuth: []string{"private_key_jwt", "federated"},
		Assertion: providers.AssertionRules{Audience: "token_endpoint", Algorithms: []string{"PS256", "RS256"}, Certificate: true,
			TokenAudience: "api://AzureADTokenExchange"},
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	type m = map[string]any
	thumb, old := m{"x5t#S256": "abc"}, m{"x5t": "abc"}
	ci := m{"iss": "https://ci.example", "aud": "api://AzureADTokenExchange"}
	with := func(a, b m) m { out := maps.Clone(a); maps.Copy(out, b); return out }
	for name, tt := range map[string]struct {
		alg     jose.SignatureAlgorithm
		key     *rsa.PrivateKey
		header  m
		changes m
		want    string
	}{
		"PS256":               {jose.PS256, key, thumb, nil, ""},
		"RS256, x5t":          {jose.RS256, key, old, nil, ""},
		"PS256, x5t":          {jose.PS256, key, old, nil, "AADSTS700027"},
		"no thumbprint":       {jose.PS256, key, nil, nil, "AADSTS700027"},
		"PS512":               {jose.PS512, key, thumb, nil, "AADSTS50027"},
		"another key":         {jose.PS256, other, thumb, nil, "AADSTS700027"},
		"audience":            {jose.PS256, key, thumb, m{"aud": "https://login.microsoftonline.com"}, "AADSTS50027"},
		"expired":             {jose.PS256, key, thumb, m{"exp": 1}, "AADSTS700024"},
		"federated":           {jose.RS256, other, nil, ci, ""},
		"federated, PS256":    {jose.PS256, other, nil, ci, "AADSTS50027"},
		"federated, audience": {jose.RS256, other, nil, with(ci, m{"aud": "sts.example"}), "AADSTS700212"},
		"federated, expired":  {jose.RS256, other, nil, with(ci, m{"exp": 1}), "AADSTS500133"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, p)
			if err := r.s.LearnKey(p, "app", key.Public()); err != nil {
				t.Fatal(err)
			}
			changes := with(m{"aud": endpoint}, tt.changes)
			status, got := r.post(endpoint, asserted(assertion(t, r.clock, tt.alg, tt.key, tt.header, changes), "scope", "https://graph.microsoft.com/.default"))
			words, _ := got["error_description"].(string)
			if tt.want == "" && status != 200 || tt.want != "" && (status != 401 || got["error"] != "invalid_client" || !strings.HasPrefix(words, tt.want+":")) {
				t.Errorf("%d %v %q, want %q", status, got["error"], words, tt.want)
			}
		})
	}
}

// The made-up token of a workload is one that a strict server takes.
func TestWorkloadToken(t *testing.T) {
	p := acme()
	p.Assertion.TokenAudience = "api://AzureADTokenExchange"
	r := newRig(t, p)
	token, err := r.s.WorkloadToken()
	if err != nil {
		t.Fatal(err)
	}
	if status, got := r.post(issuer+"/token", asserted(token.Reveal())); status != 200 {
		t.Errorf("%d %v", status, got)
	}
}
