package sandbox

import (
	"crypto"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// Client authentication by assertion: RFC 7523 §3, OpenID Connect Core §9.

const (
	keyMethod       = "private_key_jwt"
	federatedMethod = "federated" // somebody else's JWT
	assertionType   = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	maxAssertion    = time.Hour       // how far ahead exp may lie
	assertionLeeway = 5 * time.Minute // of the client's clock
)

// assertionRules are what a server takes, from its preset.
type assertionRules struct {
	Audience      string   `json:"aud,omitempty"`
	Algorithms    []string `json:"alg,omitempty"`
	Certificate   bool     `json:"x5t,omitempty"`
	TokenAudience string   `json:"tokenAud,omitempty"`
}

// assertionClaims are those that are looked at (RFC 7523 §3).
type assertionClaims struct {
	Issuer    string          `json:"iss"`
	Subject   string          `json:"sub"`
	Audience  json.RawMessage `json:"aud"`
	ID        string          `json:"jti"`
	Expires   float64         `json:"exp"`
	NotBefore float64         `json:"nbf"`
	Scope     string          `json:"scope"` // of an assertion that is a grant
}

// audiences are the values of aud, and whether it is a single string.
func (c *assertionClaims) audiences() (values []string, single bool) {
	var one string
	if json.Unmarshal(c.Audience, &one) == nil {
		return []string{one}, true
	}
	_ = json.Unmarshal(c.Audience, &values)
	return values, false
}

// signed is an assertion whose structure has been checked.
type signed struct {
	jws    *jose.JSONWebSignature
	header jose.Header
	claims assertionClaims
}

// assertionOf reads the credentials of a client that presents an assertion.
func assertionOf(r *http.Request) (credentials, error) {
	form := r.PostForm
	switch {
	case r.Header.Get("Authorization") != "" || form.Has("client_secret"):
		return credentials{}, refuse("invalid_request", "the client authenticates in two ways at once (RFC 6749 §2.3)")
	case form.Get("client_assertion_type") != assertionType:
		return credentials{}, refuse("invalid_client", "client_assertion_type is not "+assertionType)
	}
	a, err := parseAssertion(form.Get("client_assertion"))
	if err != nil {
		return credentials{}, err
	}
	c := credentials{method: federatedMethod, id: form.Get("client_id"), assertion: a}
	if a.claims.Issuer == a.claims.Subject {
		c.method = keyMethod
		if c.id == "" {
			c.id = a.claims.Subject
		}
	}
	if c.id == "" {
		return c, refuse("invalid_client", "client_id is missing, and the assertion does not tell it")
	}
	return c, nil
}

func malformed(format string, args ...any) *refusal {
	return refuse("invalid_client", fmt.Sprintf(format, args...)).because(whyAssertionMalformed)
}

func signatureAlgorithms() []jose.SignatureAlgorithm {
	var algorithms []jose.SignatureAlgorithm
	for _, a := range schema.SignatureAlgorithms() {
		algorithms = append(algorithms, jose.SignatureAlgorithm(a))
	}
	return algorithms
}

func parseAssertion(text string) (*signed, error) {
	jws, err := jose.ParseSignedCompact(text, signatureAlgorithms())
	if err != nil || len(jws.Signatures) != 1 {
		return nil, malformed("the assertion is not a JWT that is signed with one of %s", strings.Join(schema.SignatureAlgorithms(), ", "))
	}
	a := &signed{jws: jws, header: jws.Signatures[0].Protected}
	if err := json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &a.claims); err != nil {
		return nil, malformed("the claims of the assertion are not JSON")
	}
	if a.claims.Issuer == "" || a.claims.Subject == "" {
		return nil, malformed("the assertion has no iss or no sub (RFC 7523 §3)")
	}
	return a, nil
}

// checkAssertion checks what a client presents, and gives its row.
func (v *visit) checkAssertion(t *tx, c credentials, row client) (client, error) {
	if c.method == keyMethod && row.Strict && len(row.Keys) == 0 {
		return row, refuse("invalid_client", "no key is registered for the client").because(whyAssertionKey)
	}
	check := v.checkOwn
	if c.method == federatedMethod {
		check = v.checkFederated
	}
	if refused := check(t, c, row); refused != nil {
		return row, refused
	}
	return row, nil
}

// checkOwn: an assertion that the client signed with its key.
func (v *visit) checkOwn(t *tx, c credentials, row client) *refusal {
	a, rules := c.assertion, v.Assertion
	x5t, _ := a.header.ExtraHeaders["x5t"].(string)
	x5t256, _ := a.header.ExtraHeaders["x5t#S256"].(string)
	auds, single := a.claims.audiences()
	now := t.now
	switch {
	case a.claims.Subject != c.id:
		return malformed("sub is not the client_id (RFC 7523 §3)")
	case len(rules.Algorithms) > 0 && !slices.Contains(rules.Algorithms, a.header.Algorithm):
		return malformed("%s does not take assertions signed with %s", v.Title, a.header.Algorithm)
	case rules.Certificate && x5t256 == "" && (x5t == "" || strings.HasPrefix(a.header.Algorithm, "PS")):
		return refuse("invalid_client", "the header has no x5t#S256, so the certificate cannot be found").because(whyAssertionKey)
	case !single || !slices.Contains(v.assertionAudiences(), auds[0]):
		return refuse("invalid_client", "aud is not "+strings.Join(v.assertionAudiences(), " or ")+", as one string").because(whyAssertionAudience)
	case a.claims.Expires == 0 || seconds(a.claims.Expires) <= now || seconds(a.claims.Expires) > now.add(maxAssertion),
		seconds(a.claims.NotBefore) > now.add(assertionLeeway):
		return refuse("invalid_client", "the assertion is not valid now, or for too long").because(whyAssertionTime)
	case a.claims.ID == "":
		return malformed("the assertion has no jti")
	case !verifies(a, row.Keys):
		return refuse("invalid_client", "the signature is not of a key that is registered for the client").because(whyAssertionKey)
	case !v.s.firstUse(v.ID+"\x00"+c.id+"\x00"+a.claims.ID, seconds(a.claims.Expires), now):
		return malformed("the assertion was used before: its jti has been seen (RFC 7523 §3)")
	}
	return nil
}

// seconds is a NumericDate (RFC 7519 §2) as a stamp.
func seconds(n float64) stamp { return stamp(n * 1000) }

// assertionAudiences are the values of aud that name this server.
func (v *visit) assertionAudiences() []string { return v.audiencesBy(v.Assertion.Audience) }

func (v *visit) audiencesBy(rule string) []string {
	token := v.Endpoints[RoleToken]
	switch rule {
	case "token_endpoint":
		return []string{token}
	case "issuer":
		return []string{v.Issuer}
	case "":
		return slices.DeleteFunc([]string{v.Issuer, token}, func(s string) bool { return s == "" })
	default:
		return []string{rule}
	}
}

// verifies: one of the keys made the signature. The sandbox cannot know the key
// of a client that nobody told it about, and believes that one.
func verifies(a *signed, keys []json.RawMessage) bool {
	if len(keys) == 0 {
		return true
	}
	return slices.ContainsFunc(keys, func(raw json.RawMessage) bool {
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) != nil {
			return false
		}
		_, err := a.jws.Verify(key)
		return err == nil
	})
}

// firstUse notes an assertion, and tells whether it is the first with its ID.
// This process remembers it as long as it is valid.
func (s *Server) firstUse(id string, until, now stamp) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, ends := range s.assertions {
		if ends.passed(now) {
			delete(s.assertions, k)
		}
	}
	if _, seen := s.assertions[id]; seen {
		return false
	}
	s.assertions[id] = until
	return true
}

// checkFederated: somebody else's JWT. Its signature is the business of its
// issuer's keys, which the sandbox does not fetch.
func (v *visit) checkFederated(t *tx, c credentials, row client) *refusal {
	a, want := c.assertion, v.Assertion.TokenAudience
	auds, _ := a.claims.audiences()
	switch {
	case len(auds) != 1 || auds[0] == "":
		return refuse("invalid_client", "the token does not have exactly one audience").because(whyTokenAudience)
	case want != "" && auds[0] != want:
		return refuse("invalid_client", "the audience of the token is not "+want).because(whyTokenAudience)
	case a.claims.Expires == 0 || seconds(a.claims.Expires) <= t.now:
		return refuse("invalid_client", "the token has expired").because(whyTokenTime)
	case want != "" && a.header.Algorithm != string(jose.RS256):
		return malformed("the token is not signed with RS256")
	}
	return nil
}

// LearnKey tells the server of a preset, which it mounts, a public key of a
// client that is not registered, as its owner would in a portal. An assertion of
// the client must then be signed with one of the keys that were learned.
func (s *Server) LearnKey(p *providers.Preset, clientID string, key crypto.PublicKey) error {
	return s.learn(p, clientID, key)
}

// LearnIssuer does the same for a key with which an issuer signs assertions that
// are grants.
func (s *Server) LearnIssuer(p *providers.Preset, issuer string, key crypto.PublicKey) error {
	return s.learn(p, issuerID(issuer), key)
}

func (s *Server) learn(p *providers.Preset, clientID string, key crypto.PublicKey) error {
	prof, err := newProfile(p)
	if err == nil {
		err = s.book.mount(prof)
	}
	var raw json.RawMessage
	if err == nil {
		raw, err = json.Marshal(jose.JSONWebKey{Key: key})
	}
	if err == nil {
		err = s.book.update(func(t *tx) error {
			row, known := t.clients[clientKey{prof.ID, clientID}]
			if !known {
				row = client{Realm: prof.ID, ID: clientID}
			}
			same := func(k json.RawMessage) bool { return string(k) == string(raw) }
			if row.Strict || slices.ContainsFunc(row.Keys, same) || len(row.Keys) >= maxLearned {
				return nil
			}
			row.Keys = append(slices.Clone(row.Keys), raw)
			t.put.Clients = append(t.put.Clients, row)
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("sandbox: learn a key of %q at %q: %w", clientID, p.Name, err)
	}
	return nil
}

// workloadAudience is what the token of a made-up workload is for: it is that
// of the server that demands one.
const workloadAudience = "api://AzureADTokenExchange"

// WorkloadToken is the JWT of a made-up workload, as a CI system or a cluster
// would issue it: for configurations whose own token is not there.
func (s *Server) WorkloadToken() (secret.Secret, error) { return s.workloadToken(workloadAudience) }

func (s *Server) workloadToken(audience string) (secret.Secret, error) {
	key, err := s.signingKey()
	if err != nil {
		return "", err
	}
	now := s.o.Now()
	payload, err := json.Marshal(map[string]any{
		"iss": "https://workload.sandbox.example", "sub": "repo:sandbox/app:ref:refs/heads/main", "aud": audience,
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
	})
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	text, err := jws.CompactSerialize()
	return secret.Secret(text), err
}

// standardMethods are those of a list that have a registered name (RFC 7591
// §2), for the metadata document: any assertion is a private_key_jwt there.
func standardMethods(list []string) []string {
	var out []string
	for _, m := range list {
		if m == federatedMethod {
			m = keyMethod
		}
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out
}
