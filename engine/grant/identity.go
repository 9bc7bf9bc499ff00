package grant

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// Clocks differ: an ID token may have ended a minute ago, or be ten minutes
// from the future.
const (
	expiryLeeway = time.Minute
	issuedLeeway = 10 * time.Minute
)

// maxSubject is the length of the longest subject (OpenID Connect Core §2).
const maxSubject = 255

// signingAlgs are the signatures that an ID token may have: all asymmetric ones
// that are in use. "none" and the HMACs, whose key is the client secret, are not.
var signingAlgs = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
}

// claims say who signed in. They come from a verified ID token, or from the
// userinfo endpoint.
type claims struct {
	Subject           string          `json:"sub"`
	Email             string          `json:"email"`
	EmailVerified     boolish         `json:"email_verified"`
	Verified          boolish         `json:"verified"` // the same, of Discord and Zoom
	PreferredUsername string          `json:"preferred_username"`
	UPN               string          `json:"upn"`
	Login             string          `json:"login"`    // GitHub
	Username          string          `json:"username"` // GitLab and others
	Name              string          `json:"name"`
	AuthorizedParty   string          `json:"azp"`
	TenantID          string          `json:"tid"`
	AuthTime          json.RawMessage `json:"auth_time"`
}

// boolish is a boolean that some servers send as a string or number; nil if it is missing.
type boolish struct{ value *bool }

func (b *boolish) UnmarshalJSON(text []byte) error {
	if string(text) != "null" {
		word := strings.Trim(string(text), `"`)
		v := word == "true" || word == "1"
		b.value = &v
	}
	return nil
}

// no: it was said, and it is not so.
func (b boolish) no() bool { return b.value != nil && !*b.value }

// names are the claims that an account may be declared by, the one to show
// first. An address that the server calls unverified is not among them, nor is
// the display name, which anybody can choose.
func (c *claims) names() []string {
	var out []string
	if !c.EmailVerified.no() && !c.Verified.no() {
		out = append(out, c.Email)
	}
	out = append(out, c.PreferredUsername, c.UPN, c.Login, c.Username, c.Subject)
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

// account is how to call who signed in.
func (c *claims) account() string {
	if names := c.names(); len(names) > 0 && (names[0] != c.Subject || c.Name == "") {
		return Clean(names[0])
	}
	return Clean(c.Name)
}

// is reports whether c is the declared account. Names with an @ are compared
// without regard to case, as every mail server in use does.
func (c *claims) is(account string) bool {
	for _, n := range c.names() {
		if n == account || strings.Contains(account, "@") && strings.EqualFold(n, account) {
			return true
		}
	}
	return false
}

// wantsIDToken reports whether the connection asks for an ID token.
func (c *Client) wantsIDToken() bool {
	return c.Settings.Interactive && slices.Contains(c.Scopes, "openid")
}

// identify verifies who signed in, before anything is saved: by the ID token if
// openid was asked for, and for a declared account by the userinfo endpoint if
// that does not say enough.
func (c *Client) identify(ctx context.Context, env Env, g *Grant, ans *answer, nonce string) *Error {
	p := c.party()
	doing := "verify who signed in at " + title(c.Preset)
	var who *claims
	if c.wantsIDToken() {
		raw := ans.text("id_token")
		if raw == "" {
			return unusable(doing, errors.New("has no ID token, although the scope openid was asked for"))
		}
		var err error
		if who, err = p.verify(ctx, env, raw, nonce, g.Tokens.AccessToken); err != nil {
			return notVerified(doing, err)
		}
		if err := c.checkAge(g, who, env.Now()); err != nil {
			return c.refuse(ctx, env, g, notVerified(doing, err))
		}
		g.Tokens.IDToken = secret.Secret(raw)
		g.Subject, g.Account = who.Subject, who.account()
	}
	if e := c.checkAccount(ctx, env, g, who, doing); e != nil {
		return c.refuse(ctx, env, g, e)
	}
	return nil
}

// checkAccount compares who signed in with the declared account, if there is
// one; who is nil if no ID token says it.
func (c *Client) checkAccount(ctx context.Context, env Env, g *Grant, who *claims, doing string) *Error {
	want := c.Conn.Account
	if want == "" || who != nil && who.is(want) {
		if want != "" {
			g.Account = want
		}
		return nil
	}
	more, err := c.userinfo(ctx, env, g.Tokens.AccessToken, who)
	if err != nil {
		return notVerified(doing, err)
	}
	if more != nil {
		if more.is(want) {
			g.Account, g.Subject = want, more.Subject
			return nil
		}
		who = more
	}
	signedIn := "nobody who can be named"
	if who != nil && who.account() != "" {
		signedIn = who.account()
	}
	return &Error{Kind: Account, Outcome: Answered, Doing: doing,
		Detail: fmt.Sprintf("%s signed in, and the connection declares account = %q; nothing was saved", signedIn, want),
		Remedy: "sign in as " + want + ", or change account in the connection"}
}

// checkAge compares the time of the sign-in with max_age, if that was asked for
// (OpenID Connect Core §3.1.3.7). A server that does not tell it, as §2 wants it
// to, is warned of and not refused: the sign-in may well be new.
func (c *Client) checkAge(g *Grant, who *claims, now time.Time) error {
	most, err := strconv.ParseInt(c.Settings.Params["max_age"], 10, 64)
	if err != nil {
		return nil
	}
	at, err := strconv.ParseFloat(strings.Trim(string(who.AuthTime), `"`), 64)
	if err != nil || !(math.Abs(at) < 1e15) {
		g.warn("the server does not say when the person signed in (auth_time), so that max_age could not be checked")
		return nil
	}
	switch age := now.Unix() - int64(at); {
	case age > most && age-most > int64(expiryLeeway/time.Second):
		return errors.New("the person signed in longer ago than max_age allows (auth_time)")
	case age < -int64(issuedLeeway/time.Second):
		return errors.New("the sign-in is from the future (auth_time): check the clock of this machine")
	}
	return nil
}

// refuse gives back tokens that are not going to be saved, as far as the server lets us.
func (c *Client) refuse(ctx context.Context, env Env, g *Grant, e *Error) *Error {
	rec := &state.Record{Info: &state.Info{Client: c.StateClient()}, Tokens: &g.Tokens}
	rec.Addr = c.Addr
	c.Keep(rec.Tokens)
	_ = Revoke(ctx, env, rec) // best effort: e says what matters
	return e
}

// identifyAgain checks the ID token of a refresh answer: same issuer, same
// person (OpenID Connect Core §12.2). Keys that cannot be fetched right now must
// not cost the refresh token that has just been rotated: then the new ID token is dropped.
func (p *party) identifyAgain(ctx context.Context, env Env, g *Grant, ans *answer, rec *state.Record) *Error {
	raw := ans.text("id_token")
	if raw == "" || p.JWKSURI == "" || p.Issuer == "" || rec.Tokens.IDToken.Empty() {
		return nil
	}
	doing := "verify the ID token of the refreshed " + rec.Addr.String()
	who, err := p.verify(ctx, env, raw, "", g.Tokens.AccessToken)
	var down *keysError
	switch {
	case errors.As(err, &down):
		g.warn("the server's keys could not be fetched, and its new ID token was left out: " + Clean(down.Error()))
		return nil
	case err != nil:
		return notVerified(doing, err)
	case rec.Info.Subject != "" && who.Subject != rec.Info.Subject:
		return notVerified(doing, errors.New("it is about another person than the consent"))
	}
	g.Tokens.IDToken, g.Subject = secret.Secret(raw), who.Subject
	return nil
}

func notVerified(doing string, err error) *Error {
	e := &Error{Kind: Protocol, Outcome: Unknown, Doing: doing, Detail: Clean(err.Error())}
	var down *keysError
	if errors.As(err, &down) {
		e.Kind, e.Remedy = Temporary, "try again later"
	}
	return e
}

// verify checks an ID token (OpenID Connect Core §3.1.3.7): signature, iss, aud
// and exp by go-oidc, the rest here. nonce "" is not compared.
func (p *party) verify(ctx context.Context, env Env, raw, nonce string, access secret.Secret) (*claims, error) {
	ctx = oidc.ClientContext(guard(ctx, p.Guarded), env.HTTP)
	keys := &keySet{remote: oidc.NewRemoteKeySet(ctx, p.JWKSURI)}
	templated := strings.Contains(p.Issuer, "{tenantid}")
	verifier := oidc.NewVerifier(p.Issuer, keys, &oidc.Config{
		ClientID: p.ClientID, SupportedSigningAlgs: signingAlgs, SkipIssuerCheck: templated,
		Now: func() time.Time { return env.Now().Add(-expiryLeeway) },
	})
	token, err := verifier.Verify(ctx, raw)
	if keys.err != nil {
		return nil, keys.err
	}
	if err != nil {
		return nil, errors.New("the ID token is not valid: " + strings.TrimPrefix(err.Error(), "oidc: "))
	}
	who := new(claims)
	if err := token.Claims(who); err != nil {
		return nil, errors.New("the ID token's claims have the wrong types")
	}
	switch {
	case who.Subject == "" || len(who.Subject) > maxSubject:
		return nil, errors.New("the ID token does not say who signed in (sub)")
	case token.IssuedAt.Unix() <= 0:
		return nil, errors.New("the ID token does not say when it was issued (iat)")
	case token.IssuedAt.After(env.Now().Add(issuedLeeway)):
		return nil, errors.New("the ID token is from the future: check the clock of this machine")
	case nonce != "" && subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1:
		return nil, errors.New("the ID token belongs to another sign-in (nonce)")
	case templated && !sameIssuer(p.Issuer, token.Issuer, who.TenantID):
		return nil, fmt.Errorf("the ID token was issued by %q", token.Issuer)
	case len(token.Audience) > 1 && who.AuthorizedParty == "", who.AuthorizedParty != "" && who.AuthorizedParty != p.ClientID:
		return nil, errors.New("the ID token was issued to another client (azp)")
	}
	if token.AccessTokenHash != "" && token.VerifyAccessToken(access.Reveal()) != nil {
		return nil, errors.New("the ID token belongs to another access token (at_hash)")
	}
	return who, nil
}

// tenant is what {tenantid} may stand for: a tenant's GUID.
var tenant = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
})

// sameIssuer compares an issuer with a template that has {tenantid} in it.
func sameIssuer(template, issuer, tid string) bool {
	return tenant().MatchString(tid) && issuer == strings.ReplaceAll(template, "{tenantid}", tid)
}

// keySet tells keys that could not be fetched from a signature that is wrong.
type keySet struct {
	remote *oidc.RemoteKeySet
	err    *keysError
}

// keysError: the server's keys could not be fetched.
type keysError struct{ err error }

func (e *keysError) Error() string { return e.err.Error() }

func (e *keysError) Unwrap() error { return e.err }

func (k *keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.remote.VerifySignature(ctx, jwt)
	if err != nil && strings.HasPrefix(err.Error(), "fetching keys") {
		k.err = &keysError{fmt.Errorf("fetch the server's keys: %s", Clean(strings.TrimPrefix(err.Error(), "fetching keys ")))}
	}
	return payload, err
}

// userinfo asks who signed in (OpenID Connect Core §5.3). nil if the server has
// no endpoint for it. Its subject must be that of the ID token.
func (c *Client) userinfo(ctx context.Context, env Env, access secret.Secret, known *claims) (*claims, error) {
	if c.Preset.UserinfoEndpoint == "" {
		return nil, nil
	}
	if err := checkEndpoint(c.Preset.UserinfoEndpoint); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(guard(ctx, c.guarded), http.MethodGet, c.Preset.UserinfoEndpoint, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Bearer "+access.Reveal())
	resp, err := env.HTTP.Do(req)
	if err != nil {
		return nil, &keysError{fmt.Errorf("ask %s: %s", c.Preset.UserinfoEndpoint, networkDetail(err))}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered with HTTP %d", c.Preset.UserinfoEndpoint, resp.StatusCode)
	}
	who := new(claims)
	if err := json.Unmarshal(body, who); err != nil {
		return nil, fmt.Errorf("%s gave no usable JSON", c.Preset.UserinfoEndpoint)
	}
	if len(who.Subject) > maxSubject {
		return nil, fmt.Errorf("%s names a person with more than %d characters (sub)", c.Preset.UserinfoEndpoint, maxSubject)
	}
	if known != nil && who.Subject != known.Subject {
		return nil, fmt.Errorf("%s speaks of another person than the ID token (sub)", c.Preset.UserinfoEndpoint)
	}
	return who, nil
}
