package grant

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// bearerType is the grant type of RFC 7523 §2.1.
const bearerType = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// maxBearerLife is how long an assertion that is a grant may live: what servers
// with a limit take.
const maxBearerLife = time.Hour

// ownClaims are those that have arguments, or that are made for each assertion.
var ownClaims = []string{"iss", "sub", "aud", "exp", "iat", "nbf", "jti"}

// signedOnly are the arguments of an assertion that is signed here.
var signedOnly = []string{"algorithm", "key_id", "issuer", "subject", "audience", "claims", "lifetime", "scope_claim"}

func bearerSpec() *schema.Spec {
	own := []schema.Attr{
		{Name: "private_key", Kind: schema.Sensitive, Doc: "The key that signs the assertion, in PEM (PKCS #8, PKCS #1 or SEC 1) or as a JWK; never a literal: use env(), file() or a sensitive variable."},
		{Name: "algorithm", Kind: schema.String, OneOf: schema.SignatureAlgorithms(), Doc: "How the assertion is signed.", Default: "what the server takes: RS256 for RSA keys, ES256, ES384 or ES512 by the curve, EdDSA for Ed25519"},
		{Name: "key_id", Kind: schema.String, Doc: "The kid under which the server knows the key.", Default: "that of the JWK"},
		{Name: "issuer", Kind: schema.String, Doc: "The iss claim.", Default: "client_id"},
		{Name: "subject", Kind: schema.String, Doc: "The sub claim: whose token it shall be.", Default: "the issuer; at Google none"},
		{Name: "audience", Kind: schema.String, Doc: "The aud claim.", Default: "what the server wants, else its token endpoint"},
		{Name: "claims", Kind: schema.String, Doc: "Further claims: a JSON object, for example jsonencode({ target_audience = \"https://api.example\" })."},
		{Name: "lifetime", Kind: schema.Duration, Doc: "How long an assertion is valid; each is made for one request. At most an hour.", Default: `"3m"`},
		{Name: "scope_claim", Kind: schema.Bool, Doc: "Ask for the scopes in a claim of the assertion, and not in a parameter.", Default: "what the server wants, else false"},
		{Name: "on_behalf_of", Kind: schema.Bool, Doc: "Ask for a token of the person whose token is the assertion (requested_token_use, Microsoft).", Default: "true at Microsoft, else false"},
	}
	return &schema.Spec{Attrs: append(own, sourceAttrs("assertion", "the assertion",
		"A JWT that somebody else has issued, such as connection.NAME.id_token or connection.NAME.access_token.")...)}
}

// bearer reads a jwt_bearer block.
func (b *builder) bearer() {
	x := &state.Exchange{}
	rules := b.preset.Bearer
	b.c.exchange.Exchange = x
	var ok bool
	x.Subject, b.c.exchange.subject, ok = b.source("assertion")
	_, keyed := b.block.Ranges["private_key"]
	keyed = keyed && len(b.set([]string{"private_key"})) > 0
	x.Signed = keyed
	b.openly("assertion")
	switch given := b.set(sourceNames("assertion")); {
	case keyed && len(given) > 0:
		b.errorf(b.in(given[0]), "Several sources of an assertion", "The assertion is signed with private_key, or given with %s. Remove one of them.", given[0])
	case keyed && rules.OnBehalfOf:
		b.errorf(b.in("private_key"), "Assertion that is not taken",
			"%s takes only a person's token as the assertion of this grant, such as assertion = connection.NAME.access_token. For a client with a key, write a client_assertion block and grant \"client_credentials\" {}.", b.server())
	case keyed:
		b.signedBearer(x, rules)
	case !ok:
		b.errorf(b.block.Range, "Nothing to present", "Set private_key = env(\"GRANT_KEY_PEM\") to sign an assertion, or assertion = connection.NAME.id_token to present a token of another connection.")
	default:
		for _, name := range b.set(signedOnly) {
			b.errorf(b.in(name), "Argument for a private key", "An assertion that is given is sent as it is, so %s would change nothing. Remove it.", name)
		}
		x.OnBehalfOf = b.rule("on_behalf_of", rules.OnBehalfOf)
	}
	if keyed && b.block.Bool("on_behalf_of") {
		b.errorf(b.in("on_behalf_of"), "Argument for a given assertion", "An assertion that is signed here is on behalf of subject. Remove on_behalf_of.")
	}
}

// rule is an argument, or what the preset says if it is not set.
func (b *builder) rule(name string, preset bool) bool {
	if b.block.Has(name) {
		return b.block.Bool(name)
	}
	return preset
}

// openly notes what else of the block is not known than tokens of other connections.
func (b *builder) openly(tokens ...string) {
	for _, name := range b.block.Unknown {
		if origin, _ := b.block.Origin(name); origin.Attribute == "" || !slices.Contains(tokens, name) {
			b.c.exchange.open = true
		}
	}
}

// signedBearer reads what an assertion is made of.
func (b *builder) signedBearer(x *state.Exchange, rules providers.BearerRules) {
	unknown := func(name string) bool { return slices.Contains(b.block.Unknown, name) }
	x.KeyID, x.Lifetime = b.block.String("key_id"), b.block.Duration("lifetime")
	x.Issuer = cmp.Or(b.block.String("issuer"), b.conn.ClientID)
	x.SubjectID = b.block.String("subject")
	if x.SubjectID == "" && !rules.NoSubject {
		x.SubjectID = x.Issuer
	}
	x.ScopeClaim = b.rule("scope_claim", rules.ScopeClaim)
	switch rule := rules.Audience; {
	case b.block.Has("audience"):
		x.For = b.block.String("audience")
	case rule == "issuer":
		x.For = b.preset.Issuer
	case rule != "token_endpoint":
		x.For = rule
	}
	if b.block.Has("lifetime") && (x.Lifetime < time.Second || x.Lifetime > maxBearerLife) {
		b.errorf(b.in("lifetime"), "Invalid value for lifetime", "An assertion is used at once, so it lives between one second and one hour, not %s.", schema.FormatDuration(x.Lifetime))
	}
	if x.Claims = b.block.String("claims"); x.Claims != "" {
		b.checkClaims(x.Claims)
	}
	if !unknown("private_key") {
		b.bearerKey(x, rules.Algorithms)
	}
}

func (b *builder) checkClaims(text string) {
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &object) != nil || object == nil {
		b.errorf(b.in("claims"), "Invalid claims", "Further claims are a JSON object. Write it with jsonencode({ … }).")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if slices.Contains(ownClaims, name) {
			b.errorf(b.in("claims"), "Reserved claim", "The claim %q is made by the grant. Use the arguments issuer, subject, audience and lifetime.", name)
		}
	}
}

// bearerKey reads the key and pins how it signs.
func (b *builder) bearerKey(x *state.Exchange, offered []string) {
	wanted := b.block.String("algorithm")
	key, err := parseKey(b.conn.Grant.InventKey(b.block.Secret("private_key"), wanted))
	if err == nil {
		b.c.exchange.kept, err = key.pem()
	}
	if err != nil {
		b.errorf(b.in("private_key"), "Unusable private key", "%s.", upperFirst(err.Error()))
		return
	}
	b.c.exchange.key = key
	x.KeyID = cmp.Or(x.KeyID, key.kid)
	if wanted == "" && len(offered) == 0 {
		offered = []string{"RS256", "ES256", "ES384", "ES512", "EdDSA"} // RFC 7523 §5 demands RS256 of every server
	}
	x.Algorithm = cmp.Or(wanted, key.choose(offered))
	switch {
	case x.Algorithm == "":
		b.errorf(b.in("private_key"), "Private key of another kind",
			"%s takes assertions that are signed with %s. The private key, an %s, cannot do that.", b.server(), list(offered), key.kind())
	case !slices.Contains(key.algorithms(), x.Algorithm):
		b.errorf(b.in("algorithm"), "Algorithm of another key", "The private key is an %s, which signs with %s, not %s. Remove algorithm, or give another key.",
			key.kind(), list(key.algorithms()), x.Algorithm)
	}
}

// signs reports a grant whose assertion is signed here.
func (c *Client) signs() bool { return c.exchange.Exchange != nil && c.exchange.Signed }

// onBehalf reports a grant that acts for the owner of a token.
func (c *Client) onBehalf() bool { return c.exchange.Exchange != nil && c.exchange.OnBehalfOf }

// jwtBearer is the form of the grant (RFC 7523 §2.1).
func (p *party) jwtBearer(env Env, scopes []string) (url.Values, *Error) {
	form := p.form(bearerType)
	if !p.exchange.ScopeClaim {
		p.setScopes(form, scopes)
	}
	var assertion secret.Secret
	var e *Error
	if p.exchange.Signed {
		assertion, e = p.signGrant(env, scopes)
	} else {
		assertion, e = p.token(env, p.exchange.Subject, p.subject, p.fed.Subject)
	}
	if e != nil {
		return nil, e
	}
	form.Set("assertion", assertion.Reveal())
	if p.exchange.OnBehalfOf {
		form.Set("requested_token_use", "on_behalf_of")
	}
	return form, nil
}

// bearerLife is how long an assertion is valid if nothing is said: Salesforce
// takes three minutes.
const bearerLife = 3 * time.Minute

// signGrant mints an assertion with the key of the grant (RFC 7523 §3).
func (p *party) signGrant(env Env, scopes []string) (secret.Secret, *Error) {
	x := p.exchange
	if p.grantKey.Empty() {
		return "", fail(Config, "", "run oauthctl apply, which keeps the key", "the state does not hold the private key of the grant")
	}
	key, err := parseKey(p.grantKey)
	if err != nil {
		return "", fail(Config, "", "set private_key in the grant block anew and run oauthctl apply", "%s", err)
	}
	id, err := env.random()
	if err != nil {
		return "", fail(Config, "", "", "%s", err)
	}
	claims := map[string]any{}
	if x.Claims != "" {
		var further map[string]json.RawMessage
		if err := json.Unmarshal([]byte(x.Claims), &further); err != nil {
			return "", fail(Config, "", "set claims in the grant block anew and run oauthctl apply", "the claims are no JSON object")
		}
		for name, v := range further {
			claims[name] = v
		}
	}
	now := env.Now()
	claims["iss"], claims["aud"], claims["jti"] = x.Issuer, cmp.Or(x.For, p.TokenEndpoint), id
	claims["iat"], claims["exp"] = now.Unix(), now.Add(cmp.Or(x.Lifetime, bearerLife)).Unix()
	if x.SubjectID != "" {
		claims["sub"] = x.SubjectID
	}
	if x.ScopeClaim && len(scopes) > 0 {
		claims["scope"] = joinScopes(scopes, p.ScopeSeparator)
	}
	algorithm := x.Algorithm
	if !slices.Contains(key.algorithms(), algorithm) {
		algorithm = key.choose(nil)
	}
	text, err := key.jws(algorithm, claims, []jwsHeader{{"kid", x.KeyID}})
	if err != nil {
		return "", fail(Config, "", "compare algorithm in the grant block with the key", "the assertion cannot be signed: %s", Clean(err.Error()))
	}
	return secret.Secret(text), nil
}
