package grant

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
)

// NewClient decodes the grant block and applies the preset's rules: grant,
// client authentication, scopes, redirect URI. It makes no request. Errors
// carry the place in the configuration.
func NewClient(conn *schema.Connection, preset *providers.Preset) (*Client, hcl.Diagnostics) {
	b := &builder{conn: conn, preset: preset, c: &Client{Addr: conn.Addr, Preset: preset, Conn: conn}}
	if typ, ok := b.grantType(); ok {
		b.c.Settings.Type, b.c.Settings.Interactive = typ.Name, typ.Interactive
		b.settings(typ)
		b.clientAuth()
		b.scopes()
		b.params()
		b.redirect()
		b.keepBlock()
		if !preset.Partial {
			b.behaviours()
		}
		b.account()
		b.lifetimes()
	}
	return b.c, b.diags
}

// builder collects a Client and what is wrong with it.
type builder struct {
	conn   *schema.Connection
	preset *providers.Preset
	c      *Client
	block  *schema.Object // of the grant block; nil if there is none
	diags  hcl.Diagnostics
}

func (b *builder) add(sev hcl.DiagnosticSeverity, at hcl.Range, summary, format string, args ...any) {
	header := b.conn.Range
	d := &hcl.Diagnostic{
		Severity: sev, Summary: summary, Detail: fmt.Sprintf(format, args...),
		Subject: &at, Extra: schema.DiagExtra{Addr: b.conn.Addr},
	}
	if header.Filename == at.Filename && at != header && header.End.Line == at.Start.Line {
		d.Context = &header
	}
	b.diags = append(b.diags, d)
}

func (b *builder) errorf(at hcl.Range, summary, format string, args ...any) {
	b.add(hcl.DiagError, at, summary, format, args...)
}

// at is where an attribute of the connection is written, or the connection itself.
func (b *builder) at(attr string) hcl.Range {
	if r, ok := b.conn.Ranges[attr]; ok {
		return r
	}
	return b.conn.Range
}

// in is where an attribute of the grant block is written.
func (b *builder) in(attr string) hcl.Range {
	if b.block != nil {
		if r, ok := b.block.Ranges[attr]; ok {
			return r
		}
		return b.block.Range
	}
	return b.conn.Range
}

// unknown reports whether an attribute waits for another connection.
func (b *builder) unknown(attr string) bool { return slices.Contains(b.conn.Unknown, attr) }

// server is the provider's title for messages.
func (b *builder) server() string { return title(b.preset) }

func title(p *providers.Preset) string {
	if p.Title != "" {
		return p.Title
	}
	return p.Name
}

// grantType finds the grant: the connection's, else the first of the preset.
func (b *builder) grantType() (Type, bool) {
	block := b.conn.Grant
	if block == nil {
		for _, name := range b.preset.Grants {
			if t, ok := typeNamed(name); ok {
				return t, true
			}
		}
		if len(b.preset.Grants) > 0 {
			b.errorf(b.conn.Range, "No usable grant", "%s offers %s; this version of oauthctl knows %s.",
				b.server(), list(b.preset.Grants), list(typeNames()))
			return Type{}, false
		}
		return typeNamed(AuthorizationCode)
	}
	at := block.Range
	name := ""
	if len(block.Labels) > 0 {
		name = block.Labels[0]
	}
	if len(block.LabelRange) > 0 {
		at = block.LabelRange[0]
	}
	t, ok := typeNamed(name)
	if !ok {
		detail := fmt.Sprintf("There is no grant %q. The grants are %s.", name, list(typeNames()))
		if s := schema.Suggest(name, typeNames()); s != "" {
			detail = fmt.Sprintf("There is no grant %q. Did you mean %q? The grants are %s.", name, s, list(typeNames()))
		}
		b.errorf(at, "Unknown grant", "%s", detail)
		return Type{}, false
	}
	if len(b.preset.Grants) > 0 && !b.preset.Supports(name) {
		b.errorf(at, "Grant not offered by the provider", "%s does not offer %q. It offers %s.",
			b.server(), name, list(b.preset.Grants))
		return Type{}, false
	}
	return t, true
}

// settings decodes the grant block.
func (b *builder) settings(typ Type) {
	s := &b.c.Settings
	if typ.Name == AuthorizationCode {
		s.Timeout, s.ResponseMode = defaultTimeout, b.preset.ResponseMode
	}
	if typ.Interactive {
		s.LoginHint = b.conn.Account
	}
	if b.conn.Grant == nil {
		if typ.Name == JWTBearer || typ.Name == TokenExchange {
			b.errorf(b.conn.Range, "Nothing to present", "%s offers the grant %s. Say what it presents: write grant %q { … }.", b.server(), typ.Name, typ.Name)
		}
		return
	}
	obj, diags := b.conn.Grant.Decode(typ.Spec, nil)
	b.diags = append(b.diags, diags...)
	if obj == nil {
		return
	}
	b.block = obj
	switch typ.Name {
	case JWTBearer:
		b.bearer()
	case TokenExchange:
		b.tokenExchange()
	}
	s.Prompt, s.Listen, s.DomainHint = obj.String("prompt"), obj.String("listen"), obj.String("domain_hint")
	if obj.Has("login_hint") {
		s.LoginHint = obj.String("login_hint")
	}
	if obj.Has("response_mode") {
		s.ResponseMode = obj.String("response_mode")
	}
	if obj.Has("timeout") {
		s.Timeout = obj.Duration("timeout")
		if s.Timeout <= 0 || s.Timeout > time.Hour {
			b.errorf(b.in("timeout"), "Timeout out of range", "A person gets between one second and one hour.")
		}
	}
}

// clientAuth pins the client authentication method: it is never probed, since
// that would send a one-time code or refresh token twice.
func (b *builder) clientAuth() {
	secret := !b.conn.ClientSecret.Empty() || b.unknown("client_secret")
	offered := b.preset.ClientAuth
	method := b.conn.ClientAuth
	signed := b.assertionMethod()
	switch {
	case signed != "":
		b.c.Auth = signed
		b.checkAssertion(signed, method, offered)
		return
	case method == "" && !secret && b.c.signs(): // the assertion proves who asks, and the client need not (RFC 7523 §3.1)
		b.c.Auth = authNone
		return
	case method == "":
		method = b.preferred(secret, offered)
	}
	b.c.Auth = method
	switch {
	case b.unknown("client_auth"), method == "":
	case method == authKey || method == authFederated:
		b.errorf(b.at("client_auth"), "Missing client_assertion block",
			"With client_auth = %q the client signs in with a signed JWT. Say where it comes from: client_assertion { %s }.", method, assertionExample[method])
	case len(offered) > 0 && !slices.Contains(offered, method):
		b.errorf(b.at("client_auth"), "Client authentication not accepted by the provider",
			"%s accepts %s, not %q.", b.server(), list(offered), method)
	case secret && method == authNone:
		b.errorf(b.at("client_secret"), "Client secret that would not be sent",
			"With client_auth = \"none\" the client is public and has no secret. Remove client_secret, or choose client_secret_basic or client_secret_post.")
	case !secret && method != authNone:
		b.errorf(b.at("client_auth"), "Missing client secret",
			"With client_auth = %q the client signs in with a secret. Set client_secret, for example client_secret = env(\"CLIENT_SECRET\").", method)
	case method == authNone && (b.c.Settings.Type == ClientCredentials || b.c.onBehalf()):
		b.errorf(b.conn.Range, "Missing client secret",
			"The grant %s is for clients that can prove who they are (RFC 6749 §4.4). Set client_secret, for example client_secret = env(\"CLIENT_SECRET\"), or write a client_assertion block.", b.c.Settings.Type)
	}
}

// preferred is the method for a connection that does not name one; "" if the
// metadata document has to say, and after an error.
func (b *builder) preferred(secret bool, offered []string) string {
	if len(offered) == 0 {
		if secret {
			return ""
		}
		return authNone
	}
	for _, m := range offered {
		if secret && (m == authBasic || m == authPost) || !secret && m == authNone {
			return m
		}
	}
	if secret {
		b.errorf(b.at("client_secret"), "Client secret that would not be sent",
			"%s accepts %s: no method that sends a client secret. Remove client_secret.", b.server(), list(offered))
	} else {
		b.errorf(b.conn.Range, "Missing client secret",
			"%s accepts no public clients, only %s. Set client_secret, for example client_secret = env(\"CLIENT_SECRET\").", b.server(), list(offered))
	}
	return ""
}

// scopes are those of the connection, and what the provider needs for a refresh token.
func (b *builder) scopes() {
	for _, s := range b.conn.Scopes {
		if !slices.Contains(b.c.Scopes, s) {
			b.c.Scopes = append(b.c.Scopes, s)
		}
	}
	offline := b.preset.OfflineScope
	if offline != "" && b.c.Settings.Interactive && !slices.Contains(b.c.Scopes, offline) && !b.unknown("scopes") {
		b.c.Scopes = append(b.c.Scopes, offline)
		b.c.Added = []string{offline}
	}
}

// reserved parameters are set by the flow itself.
var reserved = []string{
	"client_id", "client_secret", "client_assertion", "client_assertion_type", "code", "code_challenge", "code_challenge_method", "code_verifier", "device_code",
	"actor_token", "assertion", "grant_type", "nonce", "redirect_uri", "refresh_token", "request", "request_uri", "response_type", "scope", "state", "subject_token",
}

// instead says which argument sets a reserved parameter.
var instead = map[string]string{
	"client_assertion": "client_assertion (a block)", "client_assertion_type": "client_assertion (a block)",
	"assertion": "grant (a block, jwt_bearer)", "subject_token": "grant (a block, token_exchange)", "actor_token": "grant (a block, token_exchange)",
	"scope": "scopes", "client_id": "client_id", "client_secret": "client_secret", "redirect_uri": "redirect_uris",
}

// params merges the parameters of the authorization request, strongest last:
// preset, connection, grant block.
func (b *builder) params() {
	s := &b.c.Settings
	b.refuseReserved(b.conn.AuthorizeParams, b.at("authorize_params"), "authorize_params")
	b.refuseReserved(b.conn.TokenParams, b.at("token_params"), "token_params")
	s.Params = map[string]string{}
	if !s.Interactive {
		return
	}
	if s.Type == AuthorizationCode {
		maps.Copy(s.Params, b.preset.AuthorizeParams)
		maps.Copy(s.Params, b.preset.OfflineParams)
		if b.conn.Audience != "" {
			s.Params["audience"] = b.conn.Audience
		}
		maps.Copy(s.Params, b.conn.AuthorizeParams)
	}
	if b.block != nil {
		own := b.block.StringMap("params")
		b.refuseReserved(own, b.in("params"), "params")
		maps.Copy(s.Params, own)
		if b.block.Has("max_age") {
			s.Params["max_age"] = fmt.Sprint(int64(b.block.Duration("max_age") / time.Second))
		}
		if acr := b.block.Strings("acr_values"); len(acr) > 0 {
			s.Params["acr_values"] = strings.Join(acr, " ")
		}
		if claims := b.block.String("claims"); claims != "" {
			s.Params["claims"] = claims
			var object map[string]json.RawMessage
			if json.Unmarshal([]byte(claims), &object) != nil || object == nil {
				b.errorf(b.in("claims"), "Invalid claims", "The parameter claims is a JSON object (OpenID Connect Core §5.5). Write it with jsonencode({ … }).")
			}
		}
	}
	if p, ok := s.Params["prompt"]; ok && s.Prompt == "" {
		s.Prompt = p
	}
	delete(s.Params, "prompt")
	// OpenID Connect Core §11: a server ignores offline_access without
	// prompt=consent. Presets know better; of other servers only that is known.
	if s.Type == AuthorizationCode && s.Prompt == "" && b.preset.Base == "" && slices.Contains(b.c.Scopes, "offline_access") {
		s.Prompt = "consent"
	}
}

func (b *builder) refuseReserved(params map[string]string, at hcl.Range, attr string) {
	if len(params) == 0 {
		return
	}
	for _, k := range slices.Sorted(maps.Keys(params)) {
		if !slices.Contains(reserved, k) {
			continue
		}
		remedy := "Remove it: the flow sets it by itself."
		if arg := instead[k]; arg != "" {
			remedy = fmt.Sprintf("Use the argument %s of the connection.", arg)
		}
		b.errorf(at, "Reserved parameter", "%s must not set %q. %s", attr, k, remedy)
	}
}

// lifetimes warns of what has no effect.
func (b *builder) lifetimes() {
	if !b.c.Settings.Interactive && b.conn.Lifetimes.Refresh > 0 {
		b.add(hcl.DiagWarning, b.at("refresh"), "Lifetime without effect",
			"With the grant %s nobody consents, so that no consent ends. Remove refresh from token_lifetimes.", b.c.Settings.Type)
	}
}

// account refuses what could only fail after the consent.
func (b *builder) account() {
	if b.conn.Account == "" {
		return
	}
	if !b.c.Settings.Interactive {
		b.errorf(b.at("account"), "Nobody signs in", "The grant %s has no account. Remove account.", b.c.Settings.Type)
		return
	}
	p := b.preset
	if p.Partial {
		return
	}
	canDiscover := p.Issuer != "" && p.Discovery != "none"
	if p.Located() && !p.IDToken && p.UserinfoEndpoint == "" {
		b.errorf(b.at("account"), "Account that cannot be verified", "%s does not say who signed in. Remove account.", b.server())
		return
	}
	if p.UserinfoEndpoint == "" && !canDiscover && !slices.Contains(b.c.Scopes, "openid") {
		b.errorf(b.at("account"), "Account that cannot be verified",
			"Who signed in is read from an ID token or the userinfo endpoint. Add the scope \"openid\", or set userinfo_endpoint in the provider block.")
	}
}

// list writes names for a message: a, b and c.
func list(names []string) string {
	switch len(names) {
	case 0:
		return "nothing"
	case 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
