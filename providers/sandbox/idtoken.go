package sandbox

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// idTokenLife is how long an ID token may be accepted.
const idTokenLife = 10 * time.Minute

// idClaims are the claims of an ID token (OpenID Connect Core 1.0 §2).
type idClaims struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Expires  int64  `json:"exp"`
	IssuedAt int64  `json:"iat"`
	AuthTime int64  `json:"auth_time"`
	Nonce    string `json:"nonce,omitempty"`
	AtHash   string `json:"at_hash"`
	Tenant   string `json:"tid,omitempty"`
	claims
}

// idToken signs an ID token for what was issued.
func (v *visit) idToken(out issued) (string, error) {
	half := sha256.Sum256([]byte(out.accessToken))
	body := idClaims{
		Issuer: v.Issuer, Audience: out.client, Nonce: out.nonce,
		Expires: out.now.add(idTokenLife).unix(), IssuedAt: out.now.unix(), AuthTime: out.authTime.unix(),
		AtHash: base64.RawURLEncoding.EncodeToString(half[:16]),
		claims: claimsOf(out.person),
	}
	if v.Tenanted {
		body.Tenant = tenant
	}
	payload, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	signed, err := v.s.sign("JWT", payload)
	if err != nil {
		return "", fmt.Errorf("sign the ID token: %w", err)
	}
	return signed, nil
}

// signingKey returns the key of the journal. It is made when it is first
// needed: it costs more than everything else here, and many never need it.
func (s *Server) signingKey() (*jose.JSONWebKey, error) {
	s.keyMu.Lock()
	defer s.keyMu.Unlock()
	if s.key != nil {
		return s.key, nil
	}
	raw, err := s.keptKey(nil)
	if err != nil {
		return nil, err
	}
	if raw == nil {
		key, err := rsa.GenerateKey(s.o.Rand, 2048)
		if err != nil {
			return nil, fmt.Errorf("make the signing key: %w", err)
		}
		id := sha256.Sum256(key.N.Bytes())
		made, err := json.Marshal(jose.JSONWebKey{
			Key: key, KeyID: base64.RawURLEncoding.EncodeToString(id[:9]), Algorithm: string(jose.RS256), Use: "sig",
		})
		if err != nil {
			return nil, err
		}
		if raw, err = s.keptKey(made); err != nil {
			return nil, err
		}
	}
	var key jose.JSONWebKey
	if err := json.Unmarshal(raw, &key); err != nil {
		return nil, fmt.Errorf("read the signing key: %w", err)
	}
	s.key = &key
	return s.key, nil
}

// keptKey returns the key of the book; if there is none it keeps the one given.
func (s *Server) keptKey(made json.RawMessage) (json.RawMessage, error) {
	var raw json.RawMessage
	err := s.book.update(func(t *tx) error {
		if raw = t.key; raw == nil && made != nil {
			raw, t.put.Key = made, made
		}
		return nil
	})
	return raw, err
}

// jwks publishes the public key (RFC 7517 §5).
func (v *visit) jwks(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	key, err := v.s.signingKey()
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}})
}

// metadata is RFC 8414 §2 and OpenID Connect Discovery 1.0 §3.
type metadata struct {
	Issuer        string   `json:"issuer"`
	Authorize     string   `json:"authorization_endpoint,omitempty"`
	Token         string   `json:"token_endpoint"`
	Device        string   `json:"device_authorization_endpoint,omitempty"`
	Revoke        string   `json:"revocation_endpoint,omitempty"`
	Introspect    string   `json:"introspection_endpoint,omitempty"`
	Userinfo      string   `json:"userinfo_endpoint,omitempty"`
	JWKS          string   `json:"jwks_uri,omitempty"`
	ResponseTypes []string `json:"response_types_supported"`
	ResponseModes []string `json:"response_modes_supported"`
	Grants        []string `json:"grant_types_supported"`
	Auth          []string `json:"token_endpoint_auth_methods_supported"`
	AuthAlgs      []string `json:"token_endpoint_auth_signing_alg_values_supported,omitempty"`
	PKCE          []string `json:"code_challenge_methods_supported,omitempty"`
	SubjectTypes  []string `json:"subject_types_supported"`
	IDTokenAlgs   []string `json:"id_token_signing_alg_values_supported"`
	Scopes        []string `json:"scopes_supported,omitempty"`
	Iss           bool     `json:"authorization_response_iss_parameter_supported,omitempty"`
}

// discovery is the metadata document.
func (v *visit) discovery(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	m := metadata{
		Issuer:        v.Issuer,
		Authorize:     v.Endpoints[RoleAuthorize],
		Token:         v.Endpoints[RoleToken],
		Device:        v.Endpoints[RoleDevice],
		Revoke:        v.Endpoints[RoleRevoke],
		Introspect:    v.Endpoints[RoleIntrospect],
		Userinfo:      v.Endpoints[RoleUserinfo],
		JWKS:          v.Endpoints[RoleJWKS],
		ResponseTypes: []string{"code"},
		ResponseModes: []string{"query", "form_post"},
		Auth:          standardMethods(v.Auth),
		AuthAlgs:      v.Assertion.Algorithms,
		SubjectTypes:  []string{"public"},
		IDTokenAlgs:   []string{string(jose.RS256)},
		Iss:           v.Iss,
	}
	for _, g := range []string{"authorization_code", "client_credentials", "refresh_token"} {
		if v.allows(g) {
			m.Grants = append(m.Grants, g)
		}
	}
	if m.Device != "" {
		m.Grants = append(m.Grants, deviceGrantType)
	}
	for _, g := range []string{bearerGrantType, exchangeGrantType} {
		if v.allows(grantNames[g]) {
			m.Grants = append(m.Grants, g)
		}
	}
	if v.PKCE != "broken" {
		m.PKCE = []string{"S256"}
	}
	if v.OpenID {
		m.Scopes = []string{"openid", "profile", "email"}
	}
	if v.Offline != "" {
		m.Scopes = slices.Concat(m.Scopes, []string{v.Offline})
	}
	answer(w, http.StatusOK, m)
}
