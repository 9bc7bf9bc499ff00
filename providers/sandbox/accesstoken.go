package sandbox

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// accessClaims are the claims of an access token that is a JWT (RFC 9068 §2.2).
type accessClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	ClientID string `json:"client_id"`
	Scope    string `json:"scope,omitempty"`
	Expires  int64  `json:"exp,omitempty"`
	IssuedAt int64  `json:"iat"`
	AuthTime int64  `json:"auth_time,omitempty"`
	ID       string `json:"jti"`
}

// signs reports whether access tokens are JWTs, which an API can check with the
// server's keys: those of the sandbox's own issuer. Imitated servers give
// opaque ones, since nothing but the server itself may read them.
func (v *visit) signs() bool { return v.Plain && !v.s.o.Opaque }

// accessJWT wraps what was issued into a signed token. The book knows it by its jti.
func (v *visit) accessJWT(out issued) (string, error) {
	body := accessClaims{
		Issuer: v.Issuer, Audience: v.Issuer, Subject: out.person.Subject, ClientID: out.client,
		Scope: strings.Join(out.scopes, " "), IssuedAt: out.now.unix(), AuthTime: out.authTime.unix(), ID: out.accessToken,
	}
	if body.Subject == "" {
		body.Subject = out.client
	}
	if out.life > 0 {
		body.Expires = out.now.add(out.life).unix()
	}
	payload, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	signed, err := v.s.sign("at+jwt", payload)
	if err != nil {
		return "", fmt.Errorf("sign the access token: %w", err)
	}
	return signed, nil
}

// known is what the book knows a token by: itself, or the jti of an access
// token that this sandbox signed. The book must not be held.
func (v *visit) known(token string) string {
	if !v.signs() || strings.Count(token, ".") != 2 {
		return token
	}
	key, err := v.s.signingKey()
	if err != nil {
		return token
	}
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return token
	}
	payload, err := jws.Verify(key.Public())
	var body accessClaims
	if err != nil || json.Unmarshal(payload, &body) != nil {
		return token
	}
	return body.ID
}

// sign makes a JWT of the type with the key of the journal.
func (s *Server) sign(typ jose.ContentType, payload []byte) (string, error) {
	key, err := s.signingKey()
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithType(typ))
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}
