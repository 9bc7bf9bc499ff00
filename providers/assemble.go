package providers

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema"
)

// assembly makes a Preset of decoded layers and checks it.
type assembly struct {
	chain    *chain
	layers   layers
	fallback hcl.Range
	partial  bool // arguments are missing: what depends on them is empty
	diags    hcl.Diagnostics
}

// Clone is a copy that may be changed: its maps and slices are its own.
func (p *Preset) Clone() *Preset {
	q := *p
	q.Grants, q.ClientAuth, q.Quirks = slices.Clone(p.Grants), slices.Clone(p.ClientAuth), slices.Clone(p.Quirks)
	q.CallbackParams = slices.Clone(p.CallbackParams)
	q.Hints, q.Redirect.Refused = slices.Clone(p.Hints), slices.Clone(p.Redirect.Refused)
	q.Assertion.Algorithms = slices.Clone(p.Assertion.Algorithms)
	q.Bearer.Algorithms = slices.Clone(p.Bearer.Algorithms)
	q.OfflineParams, q.AuthorizeParams = maps.Clone(p.OfflineParams), maps.Clone(p.AuthorizeParams)
	q.TokenParams, q.Args = maps.Clone(p.TokenParams), maps.Clone(p.Args)
	return &q
}

func (a *assembly) preset() *Preset {
	l := a.layers
	p := &Preset{
		Name: a.chain.name, Base: a.chain.base, Title: l.str("title"), Docs: l.str("docs"),
		Issuer:    l.str("issuer"),
		PKCE:      l.str("pkce"),
		IDToken:   l.boolean("id_token"),
		Range:     a.chain.blocks[0].Range,
		Redirect:  redirectRules(l.nested("redirect")),
		Lifetimes: lifetimes(l.nested("token_lifetimes")),
		Rotation:  rotation(l.nested("rotation")),
		Assertion: assertionRules(l.nested("client_assertion")), Bearer: bearerRules(l.nested("jwt_bearer")),

		RequireIss:      l.boolean("response_iss"),
		ClientAuth:      l.strings("client_auth"),
		Grants:          l.strings("grants"),
		Quirks:          l.strings("quirks"),
		ScopeSeparator:  l.str("scope_separator"),
		OfflineScope:    l.str("offline_scope"),
		OfflineParams:   l.stringMap("offline_params"),
		AuthorizeParams: l.stringMap("authorize_params"),
		TokenParams:     l.stringMap("token_params"),
		ResponseMode:    l.str("response_mode"),
		CallbackParams:  l.strings("callback_params"),
		RevocationNote:  l.str("revocation_note"),
		Hints:           hints(l),
	}
	if p.Title == "" {
		p.Title = p.Name
	}
	if p.PKCE == "" {
		p.PKCE = "supported"
	}
	if p.ScopeSeparator == "" {
		p.ScopeSeparator = " "
	}
	a.endpoints(p)
	a.derive(p)
	if !l.nested("redirect").has("path") {
		p.Redirect.Path = p.ownPath()
	}
	return p
}

// endpoints fills the URLs. Another issuer above the preset's is another server:
// the preset's endpoints and its discovery are not carried over. Another token
// endpoint drops the preset's refresh endpoint, so that a refresh token never
// goes to a server that did not issue it.
func (a *assembly) endpoints(p *Preset) {
	l := a.layers
	limit := len(l) // layers from here on are of another server
	if i := l.at("issuer"); i < len(l) && p.Issuer != "" {
		below := l[i+1:]
		if !a.partial && below.has("issuer") && below.str("issuer") != p.Issuer {
			limit = i + 1
		}
	}
	own := l[:limit]
	p.AuthorizationEndpoint = own.str("authorization_endpoint")
	p.TokenEndpoint = own.str("token_endpoint")
	p.DeviceEndpoint = own.str("device_endpoint")
	p.RevocationEndpoint = own.str("revocation_endpoint")
	p.IntrospectionEndpoint = own.str("introspection_endpoint")
	p.UserinfoEndpoint = own.str("userinfo_endpoint")
	p.JWKSURI = own.str("jwks_uri")
	if own.at("refresh_endpoint") <= own.at("token_endpoint") {
		p.RefreshEndpoint = own.str("refresh_endpoint")
	}
	p.Discovery = own.str("discovery")
	switch {
	case p.Discovery != "":
	case p.Issuer != "":
		p.Discovery = "auto"
	default:
		p.Discovery = "none"
	}
}

// derive fills what follows from the rest if it is not set.
func (a *assembly) derive(p *Preset) {
	l := a.layers
	impossible := func(g string) bool { return p.missingEndpoint(g) != "" }
	switch at := l.at("grants"); {
	case len(p.Grants) == 0:
		p.Grants = slices.DeleteFunc(slices.Clone(grantNames), impossible)
	case at >= a.chain.user && a.chain.user > 0: // the preset's, while the user may have removed an endpoint
		p.Grants = slices.DeleteFunc(slices.Clone(p.Grants), impossible)
	}
	p.Revocation = l.str("revocation")
	if p.RevocationEndpoint != "" && l.at("revocation_endpoint") < l.at("revocation") {
		p.Revocation = "rfc7009"
	}
	if p.Revocation == "" {
		p.Revocation = "none"
		if p.RevocationEndpoint != "" || p.Discovery != "none" {
			p.Revocation = "rfc7009"
		}
	}
}

// missingEndpoint names the endpoint attribute that a grant needs and that
// neither the preset nor discovery gives, or "".
func (p *Preset) missingEndpoint(grant string) string {
	if p.Discovery != "none" || p.Located() {
		return ""
	}
	switch {
	case p.TokenEndpoint == "":
		return "token_endpoint"
	case grant == "authorization_code" && p.AuthorizationEndpoint == "":
		return "authorization_endpoint"
	case grant == "device_code" && p.DeviceEndpoint == "":
		return "device_endpoint"
	}
	return ""
}

func redirectRules(l layers) RedirectRules {
	r := RedirectRules{
		LoopbackHost: l.str("loopback_host"), Path: l.str("path"),
		FixedPort: l.boolean("fixed_port"), HTTPS: l.boolean("https"), Refused: l.strings("refused"),
	}
	if r.LoopbackHost == "" {
		r.LoopbackHost = "127.0.0.1"
	}
	return r
}

func assertionRules(l layers) AssertionRules {
	return AssertionRules{
		Audience: l.str("audience"), Algorithms: l.strings("algorithms"),
		Certificate: l.boolean("certificate"), TokenAudience: l.str("token_audience"),
	}
}

func bearerRules(l layers) BearerRules {
	return BearerRules{
		Audience: l.str("audience"), Algorithms: l.strings("algorithms"),
		ScopeClaim: l.boolean("scope_claim"), NoSubject: l.boolean("no_subject"), OnBehalfOf: l.boolean("on_behalf_of"),
	}
}

func lifetimes(l layers) schema.Lifetimes {
	var t schema.Lifetimes
	if o := l.top("access"); o != nil {
		t.Access = o.Duration("access")
	}
	if o := l.top("refresh"); o != nil {
		t.Refresh = o.Duration("refresh")
	}
	if o := l.top("refresh_before"); o != nil {
		t.RefreshBefore = o.Duration("refresh_before")
	}
	return t
}

func rotation(l layers) Rotation {
	r := Rotation{Kind: l.str("kind"), BlastRadius: l.str("blast_radius")}
	if o := l.top("grace"); o != nil {
		r.Grace = o.Duration("grace")
	}
	if r.Kind == "" {
		r.Kind = "unknown"
	}
	return r
}

// hints are those of all layers, the user's first.
func hints(l layers) []Hint {
	var out []Hint
	for _, o := range l {
		for _, n := range o.Nested["hint"] {
			out = append(out, hintsOf(n)...)
		}
	}
	return out
}

// hintsOf makes one Hint for each alternative of match.
func hintsOf(n schema.NestedObject) []Hint {
	var out []Hint
	for _, match := range alternatives(n.Values["match"]) {
		out = append(out, Hint{
			Error: n.Labels[0], Match: match,
			Cause: n.String("cause"), Remedy: n.String("remedy"), Needs: n.String("needs"),
		})
	}
	return out
}

// alternatives reads a string or a list of strings; nothing is one empty string.
// Anything else gives none.
func alternatives(v cty.Value) []string {
	if v == cty.NilVal || v.IsNull() {
		return []string{""}
	}
	v, _ = v.UnmarkDeep()
	switch ty := v.Type(); {
	case !v.IsWhollyKnown():
		return nil
	case ty == cty.String:
		return []string{v.AsString()}
	case ty.IsTupleType() || ty.IsListType() || ty.IsSetType():
		var out []string
		for _, e := range v.AsValueSlice() {
			if e.Type() != cty.String || e.IsNull() {
				return nil
			}
			out = append(out, e.AsString())
		}
		return out
	}
	return nil
}
