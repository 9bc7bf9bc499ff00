package grant

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
)

// authorizeAlone walks a grant that needs nobody: client credentials (RFC 6749
// §4.4), or one that presents a token.
func (c *Client) authorizeAlone(ctx context.Context, env Env) (*Grant, *Error) {
	p := c.party()
	req, e := p.alone(env, c.Settings.Type, c.Scopes)
	if e != nil {
		return nil, e
	}
	ans, e := p.send(ctx, env, req)
	if e != nil {
		return nil, e
	}
	g, err := p.given(ans, c.Lifetimes())
	if err != nil {
		return nil, unusable(req.doing+" at "+p.TokenEndpoint, err)
	}
	g.compareScopes(c.Scopes, ans.scopes(p.ScopeSeparator))
	return g, nil
}

// alone is the request of a grant that needs nobody.
func (p *party) alone(env Env, grant string, scopes []string) (post, *Error) {
	if grant == ClientCredentials {
		return p.credentials(scopes), nil
	}
	return p.present(env, grant, scopes)
}

// given are the tokens of an answer. What was asked for in an exchange has to be
// what is given (RFC 8693 §2.2.1).
func (p *party) given(ans *answer, l schema.Lifetimes) (*Grant, error) {
	if x := p.exchange; x != nil && x.RequestedType != "" {
		if got := ans.text("issued_token_type"); got != "" && got != x.RequestedType {
			return nil, fmt.Errorf("has a token of the type %s, and %s was asked for", named(got), named(x.RequestedType))
		}
	}
	return ans.grant(l)
}

// credentials is the request of the grant. It may be sent again: it holds no one-time value.
func (p *party) credentials(scopes []string) post {
	form := p.form("client_credentials")
	p.setScopes(form, scopes)
	return post{doing: "ask for a token", url: p.TokenEndpoint, form: form}
}

// party is the client for the token endpoint.
func (c *Client) party() *party {
	x := &c.exchange
	return &party{Client: c.StateClient(), secret: c.Conn.ClientSecret, key: c.assertion.kept, preset: c.Preset,
		exchange: x.Exchange, grantKey: x.kept, subject: x.subject, actor: x.actor, fed: Fed{x.subject, x.actor},
		redirect: c.Settings.RedirectURI, asked: c.Scopes}
}

// form starts the form of a token request: grant type, the parameters of the
// preset and connection, and the resources (RFC 8707 §2.2).
func (p *party) form(grantType string) url.Values {
	form := url.Values{}
	for k, v := range p.TokenParams {
		form.Set(k, v)
	}
	for _, r := range p.Resource {
		form.Add("resource", r)
	}
	form.Set("grant_type", grantType)
	return form
}

func (p *party) setScopes(form url.Values, scopes []string) {
	if len(scopes) > 0 {
		form.Set("scope", joinScopes(scopes, p.ScopeSeparator))
	}
}

func joinScopes(scopes []string, separator string) string {
	if separator == "" {
		separator = " "
	}
	return strings.Join(scopes, separator)
}

// unusable is the error for a complete answer that must not be used.
func unusable(doing string, err error) *Error {
	return &Error{Kind: Protocol, Outcome: Unknown, Doing: doing, Detail: "the answer " + Clean(err.Error())}
}

// partyOf is the client of a record.
func partyOf(env Env, rec *state.Record) *party {
	p := &party{Client: rec.Info.Client, secret: rec.Tokens.ClientSecret, key: rec.Tokens.ClientKey,
		exchange: rec.Info.Exchange, grantKey: rec.Tokens.GrantKey, subject: rec.Tokens.SubjectToken, actor: rec.Tokens.ActorToken, fed: env.Fed,
		redirect: rec.Info.RedirectURI, asked: rec.Info.Requested}
	if name := rec.Info.Preset; name != "" && env.Preset != nil {
		p.lookup = func() *providers.Preset { return env.Preset(name) }
	}
	return p
}
