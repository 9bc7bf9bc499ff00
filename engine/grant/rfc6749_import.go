package grant

import (
	"context"
	"errors"
	"time"

	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// HasRefreshToken reports whether a grant type gives refresh tokens, one of
// which can be imported.
func HasRefreshToken(grantType string) bool {
	t, ok := typeNamed(grantType)
	return ok && t.Interactive
}

// Import sends a refresh token that was given to this client elsewhere, once,
// and verifies the answer as that of a consent. The client is prepared: see
// [Client.Prepare]. The error is always an *Error; with it comes the Grant if the
// server gave one that failed a check: nothing of it is revoked, since it may be
// in use elsewhere.
//
// Scopes are not asked for, so that the token keeps those it has.
func (c *Client) Import(ctx context.Context, env Env, token secret.Secret) (*Grant, error) {
	if ctx.Err() != nil {
		return nil, fail(Interrupted, "import "+c.Addr.String(), "", "interrupted; nothing was sent")
	}
	ctx, cancel := uninterrupted(ctx, refreshTimeout)
	defer cancel()
	p := c.party()
	req := p.refresh(&state.Tokens{RefreshToken: token}, nil)
	ans, e := p.send(ctx, env, req)
	if e != nil {
		return nil, e
	}
	lifetimes := c.Lifetimes()
	if p.RefreshFixed {
		lifetimes.Refresh = 0 // it ends when it would have ended anyway
	}
	g, err := ans.grant(lifetimes)
	if err != nil {
		return nil, unusable(req.doing+" at "+req.url, err)
	}
	if rt := g.Tokens.RefreshToken; rt.Empty() || rt.Equal(token) {
		g.Tokens.RefreshToken, g.RefreshExpiresAt = token, time.Time{}
		if d := ans.refreshLifetime(); d > 0 {
			g.RefreshExpiresAt = ans.at.Add(d)
		}
	}
	if e := c.identifyImport(ctx, env, g, ans); e != nil {
		return g, e
	}
	said := ans.scopes(p.ScopeSeparator)
	if said == nil && len(c.Scopes) > 0 {
		g.warn("the server does not say which scopes the token has: those of the configuration are assumed")
	}
	g.compareScopes(c.Scopes, said)
	return g, nil
}

// identifyImport verifies whose token it is. An ID token is optional in the
// answer to a refresh (OpenID Connect Core §12.2); the one that comes is verified.
func (c *Client) identifyImport(ctx context.Context, env Env, g *Grant, ans *answer) *Error {
	p := c.party()
	doing := "verify whose refresh token it is at " + title(c.Preset)
	var who *claims
	if raw := ans.text("id_token"); raw != "" && p.JWKSURI != "" && p.Issuer != "" {
		var err error
		var down *keysError
		switch who, err = p.verify(ctx, env, raw, "", g.Tokens.AccessToken); {
		case errors.As(err, &down):
			g.warn("the server's keys could not be fetched, and its ID token was left out: " + Clean(down.Error()))
		case err != nil:
			return notVerified(doing, err)
		default:
			g.Tokens.IDToken = secret.Secret(raw)
			g.Subject, g.Account = who.Subject, who.account()
		}
	}
	for try := range identifyTries {
		e := c.checkAccount(ctx, env, g, who, doing)
		if e == nil || e.Kind != Temporary || try == identifyTries-1 || env.sleep(ctx, time.Second) != nil {
			return e
		}
	}
	return nil
}

// identifyTries is how often a server is asked whose token it is: the token may
// have been replaced, so that one failure of the network must not cost it.
const identifyTries = 3
