package grant

import (
	"context"
	"maps"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
)

// Refresh sends the refresh token of a record once (or asks again by client
// credentials) with the pinned client of the record. scopes narrows; nil keeps.
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

	req, asked := p.credentials(rec.Info.Requested), rec.Info.Requested
	if rec.Info.Grant == ClientCredentials {
		if scopes != nil {
			req, asked = p.credentials(scopes), scopes
		}
	} else {
		if rec.Tokens.RefreshToken.Empty() {
			return nil, fail(Rejected, "refresh "+rec.Addr.String(), "a person has to consent again: run oauthctl apply", "there is no refresh token")
		}
		req, asked = p.refresh(rec.Tokens, scopes), rec.Info.Granted
		if scopes != nil {
			asked = scopes
		}
	}
	ans, e := p.send(ctx, env, req)
	if e != nil {
		return nil, e
	}
	lifetimes := schema.Lifetimes{Access: rec.Info.Access, Refresh: rec.Info.Refresh}
	if p.RefreshFixed {
		lifetimes.Refresh = 0 // a new refresh token ends when the old one would have
	}
	g, err := ans.grant(lifetimes)
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
	g.Tokens.ClientSecret, g.Tokens.ClientKey = old.ClientSecret, old.ClientKey
	if g.Account == "" {
		g.Account = rec.Info.Account
	}
	if g.Subject == "" {
		g.Subject = rec.Info.Subject
	}
}
