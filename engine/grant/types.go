package grant

import (
	"sync"

	"github.com/oauthctl/oauthctl/schema"
)

// The names of the grant types.
const (
	AuthorizationCode = "authorization_code"
	DeviceCodeGrant   = "device_code"
	ClientCredentials = "client_credentials"
	JWTBearer         = "jwt_bearer"
	TokenExchange     = "token_exchange"
)

// Type is one grant type.
type Type struct {
	Name        string // "authorization_code"
	RFC         string // "RFC 6749 §4.1"
	Interactive bool   // a person has to consent
	Spec        *schema.Spec
	Doc         string
}

// Types lists the grant types in the order of the documentation, each with the
// table of its block's attributes.
func Types() []Type {
	return []Type{{
		Name: AuthorizationCode, RFC: "RFC 6749 §4.1", Interactive: true, Spec: codeSpec(),
		Doc: "A person signs in and consents in a browser. PKCE (RFC 7636, S256), state, nonce and the issuer of the answer (RFC 9207) are always used and checked.",
	}, {
		Name: DeviceCodeGrant, RFC: "RFC 8628", Interactive: true, Spec: deviceSpec(),
		Doc: "A person types a short code on another device: for machines without a browser.",
	}, {
		Name: ClientCredentials, RFC: "RFC 6749 §4.4", Spec: &schema.Spec{},
		Doc: "The client signs in as itself, with its secret. Nobody consents.",
	}, {
		Name: JWTBearer, RFC: "RFC 7523 §2.1", Spec: bearerSpec(),
		Doc: "A signed JWT is presented, and an access token given for it: one that is signed here with `private_key`, as service accounts do, or one that somebody else has issued. Nobody consents, and each renewal presents one again.",
	}, {
		Name: TokenExchange, RFC: "RFC 8693", Spec: exchangeSpec(),
		Doc: "A token is presented, and another one given for it: for another audience, or on behalf of its owner. Nobody consents, and each renewal presents the token as it is then.",
	}}
}

func codeSpec() *schema.Spec {
	return &schema.Spec{Attrs: []schema.Attr{
		{Name: "prompt", Kind: schema.String, Doc: "What the server shall ask even if it need not: none, login, consent, select_account, or what the server documents."},
		{Name: "login_hint", Kind: schema.String, Doc: "Account to suggest on the sign-in page. A hint only: the connection's account is what is verified.", Default: "account"},
		{Name: "domain_hint", Kind: schema.String, Doc: "Where the account belongs, so that the sign-in page need not ask: a domain, or a word that the server documents (Microsoft: organizations, consumers). A hint only."},
		{Name: "listen", Kind: schema.String, Doc: "Loopback address to listen on behind a proxy or tunnel that carries an https redirect URI here."},
		{Name: "response_mode", Kind: schema.String, OneOf: []string{"query", "form_post"}, Doc: "How the browser brings the answer.", Default: `"query"`},
		{Name: "timeout", Kind: schema.Duration, Doc: "How long to wait for the person.", Default: `"3m"`},
		{Name: "max_age", Kind: schema.Duration, Doc: "Sign in again if the last sign-in is older."},
		{Name: "acr_values", Kind: schema.ScopeList, Doc: "Authentication context classes to ask for, preferred first."},
		{Name: "claims", Kind: schema.String, Doc: "Claims to ask for (OpenID Connect Core §5.5), or the challenge of an API that wants more: a JSON object, for example jsonencode({ id_token = { acr = { essential = true } } })."},
		{Name: "params", Kind: schema.StringMap, InAddress: true, Doc: "Further parameters of the authorization request."},
	}}
}

func deviceSpec() *schema.Spec {
	return &schema.Spec{Attrs: []schema.Attr{
		{Name: "timeout", Kind: schema.Duration, Doc: "How long to wait for the person, at most as long as the server's code lives.", Default: "the life of the code"},
		{Name: "params", Kind: schema.StringMap, Doc: "Further parameters of the device authorization request."},
	}}
}

// types is the table, made once: every connection looks into it.
var types = sync.OnceValue(Types)

// typeNamed finds a grant type.
func typeNamed(name string) (Type, bool) {
	for _, t := range types() {
		if t.Name == name {
			return t, true
		}
	}
	return Type{}, false
}

// typeNames lists the names for messages.
func typeNames() []string {
	var names []string
	for _, t := range types() {
		names = append(names, t.Name)
	}
	return names
}
