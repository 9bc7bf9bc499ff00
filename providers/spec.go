package providers

import (
	"slices"

	"github.com/oauthctl/oauthctl/schema"
)

// grantNames are the grants that the attribute grants may list, in the order
// that a server is assumed to prefer them if nothing is said.
var grantNames = []string{
	"authorization_code", "device_code", "client_credentials", "refresh_token", "jwt_bearer", "token_exchange",
}

// authMethods are the client authentication methods that client_auth may list:
// those of RFC 7591 §2, and the JWT of somebody else (RFC 7523 §2.2).
var authMethods = []string{"none", "client_secret_basic", "client_secret_post", "private_key_jwt", "federated"}

// endpointAttrs are the attributes that hold URLs of the server.
var endpointAttrs = []string{
	"authorization_endpoint", "token_endpoint", "refresh_endpoint", "device_endpoint",
	"revocation_endpoint", "introspection_endpoint", "userinfo_endpoint", "jwks_uri",
}

// Spec is the table of a provider block, in a configuration and in the catalogue.
func Spec() *schema.Spec {
	return &schema.Spec{
		Open:  true,
		Attrs: slices.Concat(identityAttrs(), endpointAttrSpecs(), protocolAttrs(), requestAttrs()),
		Blocks: []schema.Nested{
			{Type: "argument", Labels: []string{"name"}, Spec: argumentSpec(),
				Doc: "A value that a connection or a provider block gives: its tenant, domain or instance. Other attributes use it as `arg.NAME`."},
			{Type: "redirect", Max: 1, Spec: redirectSpec(),
				Doc: "Which redirect URIs the server accepts."},
			{Type: "client_assertion", Max: 1, Spec: assertionSpec(),
				Doc: "Which signed JWTs the server takes from clients that authenticate with one (RFC 7523)."},
			{Type: "jwt_bearer", Max: 1, Spec: bearerSpec(),
				Doc: "Which assertions the server takes as a grant (RFC 7523 §2.1)."},
			{Type: "token_lifetimes", Max: 1, Spec: lifetimesSpec(),
				Doc: "How long tokens live where the server does not say. A connection's own token_lifetimes go before these."},
			{Type: "rotation", Max: 1, Spec: rotationSpec(),
				Doc: "What happens to a refresh token that has been used."},
			{Type: "hint", Labels: []string{"error"}, Spec: hintSpec(),
				Doc: "Explains an error of the server. The label is the error code (RFC 6749 §5.2), or `*` for any."},
		},
	}
}

func identityAttrs() []schema.Attr {
	return []schema.Attr{
		{Name: "preset", Kind: schema.String,
			Doc: "Name of a preset that this block builds on: every attribute set here replaces the preset's, and the empty string removes it."},
		{Name: "title", Kind: schema.String, Doc: "Name of the server as people know it."},
		{Name: "docs", Kind: schema.String, Doc: "https URL of the vendor's documentation."},
		{Name: "issuer", Kind: schema.String,
			Doc: "Issuer identifier, compared byte by byte with what the server says of itself (RFC 8414 §3.3). `{tenantid}` in it stands for the tid claim of the token. " +
				"Another issuer than the preset's means another server: the preset's endpoints are then dropped, and discovery finds them."},
		{Name: "discovery", Kind: schema.String, OneOf: []string{"auto", "oidc", "oauth", "none"},
			Doc:     "Which metadata document fills the endpoints that are not set: OpenID Connect Discovery, RFC 8414, the one and then the other, or none.",
			Default: `"auto" with an issuer, else "none"`},
	}
}

func endpointAttrSpecs() []schema.Attr {
	docs := map[string]string{
		"authorization_endpoint": "Where the browser is sent (RFC 6749 §3.1).",
		"token_endpoint":         "Where tokens are handed out (RFC 6749 §3.2).",
		"refresh_endpoint":       "Where tokens are refreshed, if that is not the token endpoint. A block that sets another token endpoint than its preset drops the preset's.",
		"device_endpoint":        "Where a device code is asked for (RFC 8628).",
		"revocation_endpoint":    "Where tokens are revoked (RFC 7009).",
		"introspection_endpoint": "Where a token is looked at (RFC 7662).",
		"userinfo_endpoint":      "Where the account is asked for (OpenID Connect Core §5.3).",
		"jwks_uri":               "Where the keys are that sign ID tokens (RFC 7517).",
	}
	var attrs []schema.Attr
	for _, name := range endpointAttrs {
		attrs = append(attrs, schema.Attr{Name: name, Kind: schema.String, Doc: docs[name]})
	}
	return attrs
}

func protocolAttrs() []schema.Attr {
	return []schema.Attr{
		{Name: "grants", Kind: schema.Strings,
			Doc: "Grants that the server has, preferred first. The first is what a connection without a grant block uses.", Default: "all that the endpoints allow"},
		{Name: "client_auth", Kind: schema.Strings,
			Doc:     "Client authentication methods (RFC 7591 §2), preferred first. The method is pinned and never probed.",
			Default: "what discovery says, else client_secret_basic, or none without a secret"},
		{Name: "pkce", Kind: schema.String, OneOf: []string{"required", "supported", "broken"}, Default: `"supported"`,
			Doc: "PKCE with S256 (RFC 7636): required by the server, sent, or never sent because the server breaks."},
		{Name: "id_token", Kind: schema.Bool, Default: "false",
			Doc: "The server is an OpenID provider and returns ID tokens for the scope openid."},
		{Name: "response_iss", Kind: schema.Bool, Default: "false",
			Doc: "The server sends iss with every authorization response (RFC 9207); an answer without it is refused."},
		{Name: "revocation", Kind: schema.String, OneOf: []string{"rfc7009", "none"}, Default: `"rfc7009" if there can be an endpoint, else "none"`,
			Doc: "How tokens are revoked."},
		{Name: "revocation_note", Kind: schema.String,
			Doc: "What a person can do where the server cannot revoke, or what revoking costs."},
		{Name: "quirks", Kind: schema.Strings,
			Doc: "Names of built-in behaviours that make a strange token endpoint look standard; see `docs/providers`."},
	}
}

func requestAttrs() []schema.Attr {
	return []schema.Attr{
		{Name: "scope_separator", Kind: schema.String, Default: `" "`, Doc: "What stands between scopes in a request."},
		{Name: "offline_scope", Kind: schema.String,
			Doc: "Scope that is added, visibly in the plan, so that the server gives a refresh token."},
		{Name: "offline_params", Kind: schema.StringMap, InAddress: true,
			Doc: "Parameters of the authorization request that do the same."},
		{Name: "authorize_params", Kind: schema.StringMap, InAddress: true, Doc: "Further parameters of the authorization request."},
		{Name: "token_params", Kind: schema.StringMap, Doc: "Further parameters of every token request."},
		{Name: "response_mode", Kind: schema.String, OneOf: []string{"", "query", "form_post"},
			Doc: "How the authorization response comes back, if that has to be asked for."},
		{Name: "callback_params", Kind: schema.Strings,
			Doc: "Further parameters of the authorization response that are kept, sealed, with the tokens, and are members of `extra`. A `scope` among them says what was granted if the token answer does not."},
	}
}

func argumentSpec() *schema.Spec {
	return &schema.Spec{Attrs: []schema.Attr{
		{Name: "default", Kind: schema.String, Doc: "Value if none is given."},
		{Name: "required", Kind: schema.Bool, Default: "false", Doc: "A value has to be given."},
		{Name: "pattern", Kind: schema.String, Doc: "Regular expression (RE2) that the whole value must match."},
		{Name: "doc", Kind: schema.String, Doc: "What the value is and where to find it."},
		{Name: "example", Kind: schema.String, Doc: "A value as it may look."},
	}}
}

func redirectSpec() *schema.Spec {
	return &schema.Spec{Attrs: []schema.Attr{
		{Name: "loopback_host", Kind: schema.String, OneOf: []string{"127.0.0.1", "localhost", "::1"}, Default: `"127.0.0.1"`,
			Doc: "Host of the loopback redirect URI that is used when a connection declares none."},
		{Name: "path", Kind: schema.String, Default: "`/callback/` and host and path of the issuer, else the host of the authorization endpoint",
			Doc: "Path of that URI. One for each server keeps a hostile server from having the answers of another one (RFC 9700 §4.4)."},
		{Name: "fixed_port", Kind: schema.Bool, Default: "false",
			Doc: "The server compares the port of a loopback redirect URI, against RFC 8252 §7.3: the registered port has to be written."},
		{Name: "https", Kind: schema.Bool, Default: "false", Doc: "Only https redirect URIs are accepted."},
		{Name: "refused", Kind: schema.Strings, Doc: "Loopback hosts that the server does not take."},
	}}
}

func assertionSpec() *schema.Spec {
	return &schema.Spec{Attrs: []schema.Attr{
		{Name: "audience", Kind: schema.String, Default: `"token_endpoint"`,
			Doc: "The aud claim: `token_endpoint`, `issuer`, or the value itself."},
		{Name: "algorithms", Kind: schema.Strings, Default: "not known: PS256 for RSA keys, ES256, ES384 or ES512 by the curve, EdDSA for Ed25519",
			Doc: "Signature algorithms, preferred first (RFC 7518 §3.1)."},
		{Name: "certificate", Kind: schema.Bool, Default: "false",
			Doc: "The server knows the key by its certificate: a thumbprint has to be sent."},
		{Name: "token_audience", Kind: schema.String,
			Doc: "The aud claim that the server wants of JWTs that other issuers sign (`token_file`, `token_env`, `github_actions`)."},
	}}
}

func bearerSpec() *schema.Spec {
	return &schema.Spec{Attrs: []schema.Attr{
		{Name: "audience", Kind: schema.String, Default: `"token_endpoint"`,
			Doc: "The aud claim: `token_endpoint`, `issuer`, or the value itself."},
		{Name: "algorithms", Kind: schema.Strings, Default: "not known: RS256 for RSA keys, ES256, ES384 or ES512 by the curve, EdDSA for Ed25519",
			Doc: "Signature algorithms, preferred first (RFC 7518 §3.1)."},
		{Name: "scope_claim", Kind: schema.Bool, Default: "false",
			Doc: "Scopes are asked for in a claim of the assertion, and not in a parameter."},
		{Name: "no_subject", Kind: schema.Bool, Default: "false",
			Doc: "An assertion without a subject stands for its issuer: where a connection names none, there is no sub claim."},
		{Name: "on_behalf_of", Kind: schema.Bool, Default: "false",
			Doc: "The assertion is the token of a person, for whom the client acts (requested_token_use=on_behalf_of)."},
	}}
}

func lifetimesSpec() *schema.Spec {
	return &schema.Spec{Attrs: []schema.Attr{
		{Name: "access", Kind: schema.Duration, Doc: "Life of an access token."},
		{Name: "refresh", Kind: schema.Duration, Doc: "Time after which a new consent will be due."},
		{Name: "refresh_before", Kind: schema.Duration, Doc: "Margin before its end in which a token counts as expired."},
	}}
}

func rotationSpec() *schema.Spec {
	return &schema.Spec{Attrs: []schema.Attr{
		{Name: "kind", Kind: schema.String, OneOf: []string{"none", "replaced", "single_use", "unknown"}, Default: `"unknown"`,
			Doc: "none: the same one stays valid; replaced: a new one comes and the old one stays valid; single_use: the old one dies with its use."},
		{Name: "grace", Kind: schema.Duration, Default: `"0s"`,
			Doc: "How long the previous one may be sent again without punishment."},
		{Name: "blast_radius", Kind: schema.String, OneOf: []string{"grant", "client_user"},
			Doc: "What the reuse of a spent one costs: this grant, or all grants of the client and user."},
	}}
}

func hintSpec() *schema.Spec {
	return &schema.Spec{Attrs: []schema.Attr{
		{Name: "match", Kind: schema.Any,
			Doc: "Words that error_description must hold, whole and without regard to case; a string, or a list of alternatives."},
		{Name: "cause", Kind: schema.String, Required: true, Doc: "What the error means."},
		{Name: "remedy", Kind: schema.String,
			Doc: "What to do now. `{client_id}`, `{scope}` and `{redirect_uri}` in it stand for those of the connection, encoded for a URL."},
		{Name: "needs", Kind: schema.String, OneOf: needs,
			Doc: "Who or what can help: a new consent, an administrator, a change of the configuration, or time."},
	}}
}
