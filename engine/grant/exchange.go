package grant

import (
	"crypto"
	"slices"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// Fed are tokens that other connections have, for a grant that presents them.
// The zero value is for grants whose tokens come from nowhere else.
type Fed struct{ Subject, Actor secret.Secret }

// exchange is a decoded grant block that presents a token: what the state keeps
// of it, and the secrets.
type exchange struct {
	*state.Exchange
	subject, actor secret.Secret // values as they are now
	key            *clientKey    // signs assertions; nil: none, or not known yet
	kept           secret.Secret // the key as the state keeps it
	fed            bool          // a token is of another connection
	open           bool          // something else of the block is not known yet
}

// sourceNames are the attributes of which one gives a token.
func sourceNames(name string) []string { return []string{name, name + "_file", name + "_env"} }

// sourceAttrs are the attributes that give a token; what names it.
func sourceAttrs(name, what, doc string) []schema.Attr {
	return []schema.Attr{
		{Name: name, Kind: schema.Sensitive, Doc: doc},
		{Name: name + "_file", Kind: schema.String, Doc: "Absolute path of a file with " + what + ", a JWT, that somebody else keeps fresh. It is read for each request."},
		{Name: name + "_env", Kind: schema.String, Doc: "Name of an environment variable with " + what + ". It is read for each request."},
	}
}

// set lists those of the attributes that are set, unknown ones included.
func (b *builder) set(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !b.block.Has(n) && !slices.Contains(b.block.Unknown, n) })
}

// source reads where a token comes from.
func (b *builder) source(name string) (from state.Source, value secret.Secret, ok bool) {
	given := b.set(sourceNames(name))
	if len(given) > 1 {
		b.errorf(b.in(given[1]), "Several sources of a token", "A token has one source, and both %s and %s are set. Remove one of them.", given[0], given[1])
		return from, "", false
	}
	if origin, fed := b.block.Origin(name); fed {
		return b.fedBy(name, origin)
	}
	if len(given) == 0 {
		return from, "", false
	}
	from.File, from.Env = b.block.String(name+"_file"), b.block.String(name+"_env")
	value = secret.Secret(strings.TrimSpace(b.block.Secret(name).Reveal()))
	unknown := slices.Contains(b.block.Unknown, given[0])
	switch {
	case from.File != "":
		if problem := schema.CheckTokenFile(from.File); problem != "" {
			b.errorf(b.in(name+"_file"), "Invalid value for "+name+"_file", "%s", problem)
		}
	case from.Env != "":
		if problem := schema.CheckTokenEnv(from.Env); problem != "" {
			b.errorf(b.in(name+"_env"), "Invalid value for "+name+"_env", "%s", problem)
		}
	case !unknown && (value.Empty() || !isVisible(value.Reveal())):
		b.errorf(b.in(given[0]), "Unusable token", "The value of %s is empty, or has characters that no token has.", given[0])
	}
	return from, value, true
}

// fedBy: the token of another connection, which a renewal reads there again.
func (b *builder) fedBy(name string, origin schema.Origin) (state.Source, secret.Secret, bool) {
	if origin.Attribute == "" {
		b.errorf(b.in(name), "Token that cannot be followed",
			"The token is read anew at every renewal, without the configuration. Write the reference alone, such as %s = connection.NAME.access_token; "+
				"it may be an access_token, id_token or refresh_token of one connection.", name)
		return state.Source{}, "", true
	}
	if origin.Connection == b.conn.Addr {
		b.errorf(b.in(name), "Connection that feeds itself", "The token that the grant presents is its own. Name another connection.")
	}
	b.c.exchange.fed = true
	if !b.block.Has(name) && !slices.Contains(b.block.Unknown, name) {
		b.errorf(b.in(name), "No token to present", "%s has no %s.", origin.Connection, origin.Attribute)
	}
	return state.Source{Connection: origin.Connection.String(), Attribute: origin.Attribute}, b.block.Secret(name), true
}

// Exchange is what the state keeps of a grant that presents a token; nil of
// other grants.
func (c *Client) Exchange() *state.Exchange { return c.exchange.Exchange }

// GrantKey is the public half of the key that signs the assertions of the grant,
// which the server knows; nil if there is none.
func (c *Client) GrantKey() crypto.PublicKey {
	if c.exchange.key == nil {
		return nil
	}
	return c.exchange.key.signer.Public()
}

// Keep puts the secrets of the client into what is sealed.
func (c *Client) Keep(t *state.Tokens) {
	t.ClientSecret, t.ClientKey = c.Conn.ClientSecret, c.assertion.kept
	t.GrantKey, t.SubjectToken, t.ActorToken = c.exchange.kept, "", ""
	if x := c.exchange.Exchange; x != nil {
		if x.Subject == (state.Source{}) {
			t.SubjectToken = c.exchange.subject
		}
		if x.Actor == (state.Source{}) {
			t.ActorToken = c.exchange.actor
		}
	}
}

// Fingerprints are the secrets of the grant whose change asks for a new one, by
// the name that a plan shows.
func (c *Client) Fingerprints() map[string]string {
	out := map[string]string{}
	if c.exchange.Exchange == nil {
		return out
	}
	var t state.Tokens
	c.Keep(&t)
	subject := "grant.subject_token"
	if c.Settings.Type == JWTBearer {
		subject = "grant.assertion"
	}
	out[subject], out["grant.actor_token"] = t.SubjectToken.Reveal(), t.ActorToken.Reveal()
	if c.exchange.key != nil {
		out["grant.private_key"] = c.exchange.key.id() // the same key may be written in several ways
	}
	return out
}

// Unknown are the attributes of the connection that are not known yet. A grant
// is known although the token that it presents is not: that is read when it is due.
func (c *Client) Unknown() []string {
	if !c.exchange.fed || c.exchange.open {
		return c.Conn.Unknown
	}
	return slices.DeleteFunc(slices.Clone(c.Conn.Unknown), func(s string) bool { return s == "grant" })
}

// Ends is when a token ends that says so itself; zero: it does not.
func Ends(token secret.Secret) time.Time {
	if claims, err := peek(token); err == nil && claims.Expires > 0 {
		return time.Unix(claims.Expires, 0)
	}
	return time.Time{}
}

// present is the request of a grant that presents a token. What it presents may
// be sent again: whoever gives a token for it decides how often.
func (p *party) present(env Env, grant string, scopes []string) (post, *Error) {
	req := post{doing: "exchange the token", url: p.TokenEndpoint}
	if p.exchange == nil {
		return req, fail(Config, req.doing, "run oauthctl apply, which keeps it", "the state does not hold what the grant %s presents", grant)
	}
	var e *Error
	if grant == JWTBearer {
		req.form, e = p.jwtBearer(env, scopes)
	} else {
		req.form, e = p.tokenExchange(env, scopes)
	}
	if e != nil {
		e.Doing = req.doing + " at " + req.url
	}
	return req, e
}

// token reads a token that is presented where it is now.
func (p *party) token(env Env, from state.Source, kept, fed secret.Secret) (secret.Secret, *Error) {
	switch {
	case from.Connection != "" && fed.Empty():
		return "", fail(Config, "", "", "%s has no %s", from.Connection, from.Attribute)
	case from.Connection != "":
		return fed, nil
	case from.File != "" || from.Env != "":
		text, where, e := readSource(env, from, "the token that the grant presents", "its path in the grant block")
		if e != nil {
			return "", e
		}
		token := secret.Secret(strings.TrimSpace(text.Reveal()))
		if _, err := peek(token); err != nil && from.File != "" { // a configuration may name any file, and shall not send what it likes
			return "", fail(Config, "", "let whatever issues the token write it there, and nothing else", "%s holds no JWT: %s", where, err)
		}
		if !isVisible(token.Reveal()) {
			return "", fail(Config, "", "let whatever issues the token write it there, and nothing else", "%s holds characters that no token has", where)
		}
		return token, p.current(env, token, where)
	case kept.Empty():
		return "", fail(Config, "", "run oauthctl apply, which keeps it", "the state does not hold the token that the grant presents")
	}
	return kept, p.current(env, kept, "the configuration")
}

// current refuses a token that says itself that it has ended.
func (p *party) current(env Env, token secret.Secret, where string) *Error {
	if ends := Ends(token); !ends.IsZero() && env.Now().After(ends.Add(federatedLeeway)) {
		return fail(Config, "", "get a fresh one: whatever issues it has stopped renewing it",
			"the token in %s ended at %s", where, ends.UTC().Format(time.RFC3339))
	}
	return nil
}
