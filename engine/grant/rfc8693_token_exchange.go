package grant

import (
	"net/url"
	"strings"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
)

// exchangeType is the grant type of RFC 8693 §2.1.
const exchangeType = "urn:ietf:params:oauth:grant-type:token-exchange"

// tokenTypes begins the identifiers of RFC 8693 §3.
const tokenTypes = "urn:ietf:params:oauth:token-type:"

// tokenTypeNames are those that have a short name.
var tokenTypeNames = []string{"access_token", "refresh_token", "id_token", "jwt", "saml1", "saml2"}

func exchangeSpec() *schema.Spec {
	types := "access_token, refresh_token, id_token, jwt, saml1, saml2, or a URI"
	attrs := sourceAttrs("subject_token", "the token", "The token that is presented, such as connection.NAME.access_token.")
	attrs = append(attrs, schema.Attr{Name: "subject_token_type", Kind: schema.String, Doc: "What it is: " + types + ".",
		Default: "by the attribute of the connection that it is; jwt if it is of none"})
	attrs = append(attrs, sourceAttrs("actor_token", "the token of who acts", "The token of who acts for the owner of the subject token.")...)
	return &schema.Spec{Attrs: append(attrs,
		schema.Attr{Name: "actor_token_type", Kind: schema.String, Doc: "What it is, likewise.", Default: "likewise"},
		schema.Attr{Name: "requested_token_type", Kind: schema.String, Doc: "What is asked for, likewise.", Default: "what the server gives: an access token"},
		schema.Attr{Name: "audience", Kind: schema.Strings, Doc: "Logical names of the services that the token is for. Their addresses go into resource of the connection.", Default: "audience of the connection"},
	)}
}

// tokenExchange reads a token_exchange block.
func (b *builder) tokenExchange() {
	x := &state.Exchange{Audience: b.block.Strings("audience")}
	b.c.exchange.Exchange = x
	if len(x.Audience) == 0 && b.conn.Audience != "" {
		x.Audience = []string{b.conn.Audience}
	}
	var ok, acts bool
	if x.Subject, b.c.exchange.subject, ok = b.source("subject_token"); !ok && len(b.set(sourceNames("subject_token"))) == 0 {
		b.errorf(b.block.Range, "Nothing to present",
			"Set subject_token = connection.NAME.access_token to exchange a token of another connection, or subject_token_env or subject_token_file to exchange one that somebody else keeps fresh.")
	}
	x.SubjectType = b.tokenType("subject_token", x.Subject)
	x.Actor, b.c.exchange.actor, acts = b.source("actor_token")
	switch _, typed := b.block.Ranges["actor_token_type"]; {
	case acts:
		x.ActorType = b.tokenType("actor_token", x.Actor)
	case typed && b.block.Has("actor_token_type"):
		b.errorf(b.in("actor_token_type"), "Type of no token", "There is no actor_token, and its type must not be sent without it (RFC 8693 §2.1). Remove actor_token_type.")
	}
	if b.block.Has("requested_token_type") {
		x.RequestedType = b.namedType("requested_token_type")
	}
	b.openly("subject_token", "actor_token")
}

// tokenType is the type that the block says, else what the source tells.
func (b *builder) tokenType(name string, from state.Source) string {
	switch {
	case b.block.Has(name + "_type"):
		return b.namedType(name + "_type")
	case from.Attribute != "":
		return tokenTypes + from.Attribute
	}
	return tokenTypes + "jwt"
}

// namedType is the identifier of a type, which may have a short name.
func (b *builder) namedType(attr string) string {
	given := b.block.String(attr)
	for _, name := range tokenTypeNames {
		if given == name {
			return tokenTypes + name
		}
	}
	if u, err := url.Parse(given); err != nil || !u.IsAbs() || strings.ContainsAny(given, " \t\r\n") {
		detail := "The type %q is neither a URI nor one of %s."
		if s := schema.Suggest(given, tokenTypeNames); s != "" {
			detail += " Did you mean \"" + s + "\"?"
		}
		b.errorf(b.in(attr), "Unknown type of token", detail, given, list(tokenTypeNames))
	}
	return given
}

// tokenExchange is the form of the grant (RFC 8693 §2.1).
func (p *party) tokenExchange(env Env, scopes []string) (url.Values, *Error) {
	x := p.exchange
	form := p.form(exchangeType)
	p.setScopes(form, scopes)
	subject, e := p.token(env, x.Subject, p.subject, p.fed.Subject)
	if e != nil {
		return nil, e
	}
	form.Set("subject_token", subject.Reveal())
	form.Set("subject_token_type", x.SubjectType)
	if x.ActorType != "" {
		actor, e := p.token(env, x.Actor, p.actor, p.fed.Actor)
		if e != nil {
			return nil, e
		}
		form.Set("actor_token", actor.Reveal())
		form.Set("actor_token_type", x.ActorType)
	}
	if x.RequestedType != "" {
		form.Set("requested_token_type", x.RequestedType)
	}
	for _, a := range x.Audience {
		form.Add("audience", a)
	}
	return form, nil
}
