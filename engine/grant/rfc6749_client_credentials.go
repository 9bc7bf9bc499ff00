package grant

import (
	"context"
	"net/url"
	"strings"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/state"
)

// authorizeByCredentials is the client credentials grant (RFC 6749 §4.4).
func (c *Client) authorizeByCredentials(ctx context.Context, env Env) (*Grant, *Error) {
	p := c.party()
	ans, e := p.send(ctx, env, p.credentials(c.Scopes))
	if e != nil {
		return nil, e
	}
	g, err := ans.grant(c.Lifetimes())
	if err != nil {
		return nil, unusable("ask for a token at "+p.TokenEndpoint, err)
	}
	g.compareScopes(c.Scopes, ans.scopes(p.ScopeSeparator))
	return g, nil
}

// credentials is the request of the grant. It may be sent again: it holds no one-time value.
func (p *party) credentials(scopes []string) post {
	form := p.form("client_credentials")
	p.setScopes(form, scopes)
	return post{doing: "ask for a token", url: p.TokenEndpoint, form: form}
}

// party is the client for the token endpoint.
func (c *Client) party() *party {
	return &party{Client: c.StateClient(), secret: c.Conn.ClientSecret, key: c.assertion.kept, preset: c.Preset,
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
	p := &party{Client: rec.Info.Client, secret: rec.Tokens.ClientSecret, key: rec.Tokens.ClientKey, redirect: rec.Info.RedirectURI, asked: rec.Info.Requested}
	if name := rec.Info.Preset; name != "" && env.Preset != nil {
		p.lookup = func() *providers.Preset { return env.Preset(name) }
	}
	return p
}
