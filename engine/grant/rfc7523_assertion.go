package grant

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// The client authentication methods with an assertion (RFC 7523 §2.2).
const (
	authKey       = "private_key_jwt" // OpenID Connect Core §9
	authFederated = "federated"       // somebody else's JWT
)

// assertionType is the value of client_assertion_type (RFC 7523 §2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// assertionLife is how long an assertion is valid if nothing is said.
const assertionLife = 5 * time.Minute

// assertionClaims are the claims of RFC 7523 §3. The audience is one string: an
// array, even of one, is refused by servers that follow OpenID Connect Core §9.
type assertionClaims struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	ID        string `json:"jti"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`
}

// authenticate puts the client's assertion into the form, if it authenticates
// with one: made for this request, and for no other.
func (p *party) authenticate(ctx context.Context, env Env, doing string, form url.Values) *Error {
	var assertion secret.Secret
	var e *Error
	switch p.Auth {
	case authKey:
		assertion, e = p.sign(env)
	case authFederated:
		assertion, e = p.fetchToken(ctx, env)
	default:
		return nil
	}
	if e != nil {
		e.Doing = doing
		return e
	}
	form.Set("client_assertion_type", assertionType)
	form.Set("client_assertion", assertion.Reveal())
	return nil
}

// sign mints an assertion with the client's key.
func (p *party) sign(env Env) (secret.Secret, *Error) {
	if p.key.Empty() {
		return "", fail(Config, "", "run oauthctl apply, which keeps the key", "the state does not hold the client's private key")
	}
	key, err := parseKey(p.key)
	if err != nil {
		return "", fail(Config, "", "set private_key in client_assertion anew and run oauthctl apply", "%s", err)
	}
	now := env.Now()
	if ends := p.CertificateEnds; !ends.IsZero() && !now.Before(ends) {
		return "", fail(Config, "", "register a new certificate at the server, set certificate and private_key in client_assertion, and run oauthctl apply",
			"the client's certificate ended on %s", ends.UTC().Format("2006-01-02"))
	}
	id, err := env.random()
	if err != nil {
		return "", fail(Config, "", "", "%s", err)
	}
	life := p.AssertionLifetime
	if life <= 0 {
		life = assertionLife
	}
	claims := assertionClaims{
		Issuer: p.ClientID, Subject: p.ClientID, Audience: p.AssertionAudience, ID: id,
		IssuedAt: now.Unix(), NotBefore: now.Unix(), Expires: now.Add(life).Unix(),
	}
	if claims.Audience == "" {
		claims.Audience = p.TokenEndpoint
	}
	algorithm := key.choose(nil)
	if p.AssertionAlgorithm != "" && slices.Contains(key.algorithms(), p.AssertionAlgorithm) {
		algorithm = p.AssertionAlgorithm // else the key is of another kind now, and says itself
	}
	text, err := key.jws(algorithm, claims, []jwsHeader{
		{"kid", cmp.Or(p.AssertionKeyID, key.kid)}, {"x5t#S256", p.CertificateSHA256}, {"x5t", p.CertificateSHA1},
	})
	if err != nil {
		return "", fail(Config, "", "compare algorithm in client_assertion with the key", "the assertion cannot be signed: %s", Clean(err.Error()))
	}
	return secret.Secret(text), nil
}

type jwsHeader struct{ name, value string }

// jws signs claims (RFC 7515 §7.1). Headers without a value are left out.
func (k *clientKey) jws(algorithm string, claims any, headers []jwsHeader) (string, error) {
	o := (&jose.SignerOptions{}).WithType("JWT")
	for _, h := range headers {
		if h.value != "" {
			o = o.WithHeader(jose.HeaderKey(h.name), h.value)
		}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: k.signer}, o)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// federatedLeeway is how long after its end a JWT is still sent: the clock of
// this machine may be wrong, and the server decides.
const federatedLeeway = 5 * time.Minute

// fetchToken reads the JWT of somebody else, where it is kept fresh, or asks for one.
func (p *party) fetchToken(ctx context.Context, env Env) (secret.Secret, *Error) {
	var text secret.Secret
	var where string
	var e *Error
	if p.AssertionGitHub {
		text, where, e = p.askGitHub(ctx, env)
	} else {
		text, where, e = readSource(env, state.Source{File: p.AssertionFile, Env: p.AssertionEnv}, "the token with which the client authenticates", "token_file in client_assertion")
	}
	if e != nil {
		return "", e
	}
	token := secret.Secret(strings.TrimSpace(text.Reveal()))
	claims, err := peek(token)
	if err != nil {
		return "", fail(Config, "", "let whatever issues the token write it there, and nothing else", "%s holds no JWT: %s", where, err)
	}
	if claims.Expires > 0 {
		ends := time.Unix(claims.Expires, 0)
		if env.Now().After(ends.Add(federatedLeeway)) {
			return "", fail(Config, "", "get a fresh one: whatever issues it has stopped renewing it",
				"the token in %s ended at %s", where, ends.UTC().Format(time.RFC3339))
		}
	}
	return token, nil
}

// readSource reads a token from a file or the environment. For messages, what
// says which it is, path where its file is named, and where names the source.
func readSource(env Env, from state.Source, what, path string) (text secret.Secret, where string, e *Error) {
	if name := from.Env; name != "" {
		where = "the environment variable " + Clean(name)
		if problem := schema.CheckTokenEnv(name); problem != "" { // of a state that somebody else has made
			return "", where, fail(Config, "", "name another variable, and run oauthctl apply", "%s", Clean(problem))
		}
		var value string
		ok := false
		if env.LookupEnv != nil {
			value, ok = env.LookupEnv(name)
		}
		if !ok || strings.TrimSpace(value) == "" {
			return "", where, fail(Config, "", "set it to "+what+", and try again", "%s is not set", where)
		}
		return secret.Secret(value), where, nil
	}
	where = "the file " + Clean(from.File)
	err := errors.New("this program was given no way to read files")
	var data []byte
	if env.ReadFile != nil {
		data, err = env.ReadFile(from.File)
	}
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		remedy := "let this program read it, and try again"
		if errors.Is(err, fs.ErrNotExist) {
			remedy = "run this where the token is mounted, or correct " + path + " and run oauthctl apply"
		}
		return "", where, fail(Config, "", remedy, "%s with %s cannot be read: %s", where, what, Clean(err.Error()))
	}
	if len(strings.TrimSpace(string(data))) == 0 {
		return "", where, fail(Config, "", "let whatever issues the token write it there", "%s is empty", where)
	}
	return secret.Secret(data), where, nil
}

// peeked are the claims that a server compares with what is registered for the client.
type peeked struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience any    `json:"aud"`
	Expires  int64  `json:"-"`
}

// peek reads the claims of a JWT without believing them: it is the server that
// checks the signature. Its errors repeat nothing of the token.
func peek(token secret.Secret) (*peeked, error) {
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 || !isVisible(token.Reveal()) {
		return nil, errors.New("it is not three parts with dots between them")
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		peeked
		Expires json.Number `json:"exp"`
	}
	if err == nil {
		err = json.Unmarshal(body, &claims)
	}
	if err != nil {
		return nil, errors.New("its claims cannot be read")
	}
	if n, ok := seconds(claims.Expires); ok {
		claims.peeked.Expires = n
	}
	return &claims.peeked, nil
}

// assertionRemedy is what to do when the server does not take an assertion.
var assertionRemedy = map[string]string{
	authKey:       "compare client_id and the key or certificate in client_assertion with the client's registration, and look at the clock of this machine",
	authFederated: "compare client_id and the token with the federated credential that is registered for the client",
}

// explainAssertion completes an error of a client without a secret: what is
// known of the code may speak of one. The claims of a federated token are named,
// because they are what has to be compared.
func (p *party) explainAssertion(e *Error, assertion string) {
	own := assertionRemedy[p.Auth]
	if own == "" || e.Kind != Config {
		return
	}
	if e.Code == "invalid_client" && (e.Remedy == "" || strings.Contains(e.Remedy, "client_secret")) {
		e.Hint, e.Remedy = "", own
	}
	if claims := tellClaims(assertion); claims != "" && p.Auth == authFederated {
		e.Remedy = strings.TrimPrefix(strings.TrimSuffix(e.Remedy, ".")+"; "+claims, "; ")
	}
}

// tellClaims says in a few words who a federated token speaks of, so that it
// can be compared with what is registered. None of it is secret.
func tellClaims(token string) string {
	c, err := peek(secret.Secret(token))
	if err != nil {
		return ""
	}
	aud := fmt.Sprint(c.Audience)
	if list, ok := c.Audience.([]any); ok {
		var all []string
		for _, a := range list {
			all = append(all, fmt.Sprint(a))
		}
		aud = strings.Join(all, ", ")
	}
	return fmt.Sprintf("the token has issuer %q, subject %q and audience %q", Clean(c.Issuer), Clean(c.Subject), Clean(aud))
}
