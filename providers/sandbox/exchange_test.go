package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oauthctl/oauthctl/providers/sandbox"
)

const (
	bearer   = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	exchange = "urn:ietf:params:oauth:grant-type:token-exchange"
	types    = "urn:ietf:params:oauth:token-type:"
)

// machine is an access token of client credentials.
func (r *rig) machine() string {
	r.t.Helper()
	status, got := r.post(issuer+"/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"machine"}, "client_secret": {"hush"}, "scope": {"a b"}})
	if status != http.StatusOK {
		r.t.Fatalf("%d %v", status, got)
	}
	return got["access_token"].(string)
}

// RFC 8693 §2.1 and §2.2, case by case. TOKEN stands for one that is valid.
func TestTokenExchange(t *testing.T) {
	r := newRig(t, acme())
	valid := r.machine()
	job, err := r.s.WorkloadToken()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		form []string
		want string // error; "" is success
	}{
		"least":                {nil, ""},
		"of a CI system":       {[]string{"subject_token", job.Reveal(), "subject_token_type", types + "jwt"}, ""},
		"with an actor":        {[]string{"actor_token", valid, "actor_token_type", types + "access_token"}, ""},
		"audience, resource":   {[]string{"audience", "orders", "resource", "https://api.example"}, ""},
		"no subject":           {[]string{"subject_token", ""}, "invalid_request"},
		"no type":              {[]string{"subject_token_type", ""}, "invalid_request"},
		"unknown type":         {[]string{"subject_token_type", "urn:x"}, "invalid_request"},
		"unknown token":        {[]string{"subject_token", "nobody-issued-this"}, "invalid_request"},
		"forged JWT":           {[]string{"subject_token", assertion(t, r.clock, jose.ES256, ecKey(t), nil, nil)}, "invalid_request"},
		"type without actor":   {[]string{"actor_token_type", types + "jwt"}, "invalid_request"},
		"actor without type":   {[]string{"actor_token", valid}, "invalid_request"},
		"unknown actor":        {[]string{"actor_token", "x", "actor_token_type", types + "jwt"}, "invalid_request"},
		"what it cannot give":  {[]string{"requested_token_type", types + "saml2"}, "invalid_request"},
		"resource with a hash": {[]string{"resource", "https://api.example/#x"}, "invalid_target"},
		"no client":            {[]string{"client_id", ""}, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			form := url.Values{"grant_type": {exchange}, "client_id": {"down"}, "subject_token": {valid}, "subject_token_type": {types + "access_token"}}
			for i := 0; i < len(tt.form); i += 2 {
				form.Set(tt.form[i], tt.form[i+1])
			}
			status, got := r.post(issuer+"/token", form)
			if code, _ := got["error"].(string); code != tt.want {
				t.Fatalf("%d %v", status, got)
			}
			if tt.want == "" && (got["issued_token_type"] != types+"access_token" || got["access_token"] == valid || got["token_type"] != "Bearer") {
				t.Errorf("%v", got)
			}
		})
	}
	r.clock.Add(2 * time.Hour)
	status, got := r.post(issuer+"/token", url.Values{"grant_type": {exchange}, "client_id": {"down"}, "subject_token": {valid}, "subject_token_type": {types + "access_token"}})
	if got["error"] != "invalid_request" {
		t.Errorf("a token that has ended: %d %v", status, got)
	}
}

// RFC 7523 §3 of an assertion that is a grant, claim by claim.
func TestBearerAssertions(t *testing.T) {
	key := ecKey(t)
	c := newClock()
	at := func(d time.Duration) int64 { return c.Now().Add(d).Unix() }
	type m = map[string]any
	for name, tt := range map[string]struct {
		changes m
		want    string
	}{
		"good":             {nil, ""},
		"issuer":           {m{"aud": issuer}, ""},
		"in a list":        {m{"aud": []string{"x", issuer}}, ""},
		"without jti":      {m{"jti": nil}, ""},
		"for another":      {m{"sub": "alice"}, ""},
		"another audience": {m{"aud": "https://other.example"}, "aud is not"},
		"no issuer":        {m{"iss": nil}, "no iss"},
		"no subject":       {m{"sub": nil}, "no sub"},
		"no end":           {m{"exp": nil}, "not valid now"},
		"ended":            {m{"exp": at(-time.Second)}, "not valid now"},
		"too long":         {m{"exp": at(2 * time.Hour)}, "for too long"},
		"not yet":          {m{"nbf": at(time.Hour)}, "not valid now"},
	} {
		t.Run(name, func(t *testing.T) {
			r := rigOf(t, newServer(t, sandbox.Options{Now: c.Now}), c, acme())
			if err := r.s.LearnIssuer(acme(), "app", key.Public()); err != nil {
				t.Fatal(err)
			}
			form := url.Values{"grant_type": {bearer}, "assertion": {assertion(t, c, jose.ES256, key, nil, tt.changes)}}
			status, got := r.post(issuer+"/token", form)
			words, _ := got["error_description"].(string)
			if tt.want == "" && status != 200 || tt.want != "" && (got["error"] != "invalid_grant" || !strings.Contains(words, tt.want)) {
				t.Errorf("%d %v, want %q", status, got, tt.want)
			}
		})
	}
	r := rigOf(t, newServer(t, sandbox.Options{Now: c.Now}), c, acme())
	if err := r.s.LearnIssuer(acme(), "app", key.Public()); err != nil {
		t.Fatal(err)
	}
	once := assertion(t, c, jose.ES256, key, nil, nil)
	for i, form := range []url.Values{
		{"assertion": {assertion(t, c, jose.ES256, ecKey(t), nil, nil)}}, // of a key that is not registered
		{"assertion": {once}},
		{"assertion": {once}}, // a second time
		{"assertion": {"x"}},
		{"assertion": {assertion(t, c, jose.ES256, key, nil, nil)}, "requested_token_use": {"on_behalf_of"}}, // nobody's token
		{},
	} {
		form.Set("grant_type", bearer)
		want := map[int]any{1: nil, 5: "invalid_request"}
		expected, named := want[i]
		if !named {
			expected = "invalid_grant"
		}
		if status, got := r.post(issuer+"/token", form); got["error"] != expected {
			t.Errorf("%d: %d %v", i, status, got)
		}
	}
	// A token that was issued here may be presented on behalf of its owner.
	if status, got := r.post(issuer+"/token", url.Values{"grant_type": {bearer}, "client_id": {"api"}, "assertion": {r.machine()}, "requested_token_use": {"on_behalf_of"}}); status != 200 {
		t.Errorf("%d %v", status, got)
	}
	if stats, err := r.s.Stats(); err != nil || stats.Exchanges != 2 {
		t.Errorf("%d exchanges, %v", stats.Exchanges, err)
	}
}

// The service that gives ID tokens to jobs wants the job's own token.
func TestJobTokens(t *testing.T) {
	r := newRig(t, acme())
	at, auth := r.s.JobToken()
	client := &http.Client{Transport: r.s.Transport()}
	ask := func(method, at, auth string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, at, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", auth)
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var body struct{ Value string }
		_ = json.NewDecoder(res.Body).Decode(&body)
		return res.StatusCode, body.Value
	}
	if status, _ := ask("GET", at, "Bearer another"); status != 401 {
		t.Errorf("another token: %d", status)
	}
	if status, _ := ask("POST", at, "Bearer "+auth.Reveal()); status != 405 {
		t.Errorf("POST: %d", status)
	}
	status, token := ask("GET", at+"&audience=urn%3Amine", "Bearer "+auth.Reveal())
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if status != 200 || err != nil || !strings.Contains(string(jws.UnsafePayloadWithoutVerification()), `"aud":"urn:mine"`) {
		t.Errorf("%d %v", status, err)
	}
}
