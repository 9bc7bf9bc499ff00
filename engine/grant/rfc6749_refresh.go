package grant

import (
	"context"
	"maps"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
)

// Refresh sends the refresh token of a record once, or asks again for a grant
// that needs nobody, with the pinned client of the record. scopes narrows; nil keeps.
// The error is always an *Error; its Outcome says what became of the request.
//
// The Grant is complete: what the server did not send again (refresh token,
// scopes, ID token, extra members) is taken over from the record.
func Refresh(ctx context.Context, env Env, rec *state.Record, scopes []string) (*Grant, error) {
	g, e := refresh(ctx, env, rec, scopes)
	if e != nil {
		return nil, e
	}
	return g, nil
}

func refresh(ctx context.Context, env Env, rec *state.Record, scopes []string) (*Grant, *Error) {
	if rec.Info == nil || rec.Tokens == nil {
		return nil, fail(Config, "refresh "+rec.Addr.String(), "", "the record was read without its tokens")
	}
	p := partyOf(env, rec)
	if ctx.Err() != nil {
		return nil, fail(Interrupted, "refresh "+rec.Addr.String(), "", "interrupted; nothing was sent")
	}
	ctx, cancel := uninterrupted(ctx, refreshTimeout) // a token that is on its way is waited for
	defer cancel()

	req, asked, e := p.renewal(env, rec, scopes)
	if e != nil {
		return nil, e
	}
	ans, e := p.send(ctx, env, req)
	if e != nil {
		return nil, e
	}
	lifetimes := schema.Lifetimes{Access: rec.Info.Access, Refresh: rec.Info.Refresh}
	if p.RefreshFixed {
		lifetimes.Refresh = 0 // a new refresh token ends when the old one would have
	}
	given := ans.grant
	if !req.once {
		given = func(l schema.Lifetimes) (*Grant, error) { return p.given(ans, l) }
	}
	g, err := given(lifetimes)
	if err != nil {
		return nil, unusable(req.doing+" at "+req.url, err)
	}
	if e := p.identifyAgain(ctx, env, g, ans, rec); e != nil {
		return nil, e
	}
	g.carryOver(rec, ans)
	g.compareScopes(asked, ans.scopes(p.ScopeSeparator))
	return g, nil
}

// renewal is the request that gets a record a new token, and the scopes that it
// asks for: with the refresh token if there is one; else a grant that needs
// nobody is asked for again.
func (p *party) renewal(env Env, rec *state.Record, scopes []string) (req post, asked []string, e *Error) {
	asked = scopes
	switch grant := rec.Info.Grant; {
	case !rec.Tokens.RefreshToken.Empty() && grant != ClientCredentials:
		if scopes == nil {
			asked = rec.Info.Granted
		}
		return p.refresh(rec.Tokens, scopes), asked, nil
	case grant == ClientCredentials, rec.Info.Exchange != nil:
		if scopes == nil {
			asked = rec.Info.Requested
		}
		req, e = p.alone(env, grant, asked)
		return req, asked, e
	}
	return req, nil, fail(Rejected, "refresh "+rec.Addr.String(), "a person has to consent again: run oauthctl apply", "there is no refresh token")
}

// refresh is the request of RFC 6749 §6. Without scopes the grant keeps those it has.
func (p *party) refresh(t *state.Tokens, scopes []string) post {
	form := p.form("refresh_token")
	form.Set("refresh_token", t.RefreshToken.Reveal())
	p.setScopes(form, scopes)
	return post{doing: "refresh the token", url: p.refreshURL(), form: form, once: true}
}

func (p *party) refreshURL() string {
	if p.RefreshEndpoint != "" {
		return p.RefreshEndpoint
	}
	return p.TokenEndpoint
}

// carryOver keeps of a record what the server did not send again. The end of a
// refresh token that stays moves only if the server says so.
func (g *Grant) carryOver(rec *state.Record, ans *answer) {
	old := rec.Tokens
	if rt := g.Tokens.RefreshToken; rt.Empty() || rt.Equal(old.RefreshToken) {
		g.Tokens.RefreshToken = old.RefreshToken
		g.RefreshExpiresAt = rec.RefreshExpiresAt
		if d := ans.refreshLifetime(); d > 0 && !old.RefreshToken.Empty() {
			g.RefreshExpiresAt = ans.at.Add(d)
		}
	}
	if g.RefreshExpiresAt.IsZero() && rec.Info.Client.RefreshFixed {
		g.RefreshExpiresAt = rec.RefreshExpiresAt
	}
	if g.Tokens.IDToken.Empty() {
		g.Tokens.IDToken = old.IDToken
	}
	if len(old.Extra) > 0 {
		extra := maps.Clone(old.Extra)
		maps.Copy(extra, g.Tokens.Extra)
		g.Tokens.Extra = extra
	}
	g.Tokens.ClientSecret, g.Tokens.ClientKey, g.Tokens.GrantKey = old.ClientSecret, old.ClientKey, old.GrantKey
	g.Tokens.SubjectToken, g.Tokens.ActorToken = old.SubjectToken, old.ActorToken
	if g.Account == "" {
		g.Account = rec.Info.Account
	}
	if g.Subject == "" {
		g.Subject = rec.Info.Subject
	}
}
