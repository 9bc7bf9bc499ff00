package grant

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/url"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/providers/quirk"
)

// behaviours lets what is particular about the server check the client and
// change what it asks for.
func (b *builder) behaviours() {
	c, s := b.c, &b.c.Settings
	d := &c.draft
	*d = quirk.Draft{
		Name: b.conn.Addr.Name, Server: b.server(), Args: b.preset.Args, Grant: s.Type, Interactive: s.Interactive,
		ClientID: b.conn.ClientID, ClientAuth: c.Auth, HasSecret: !b.conn.ClientSecret.Empty() || b.unknown("client_secret"),
		ApplicationType: b.conn.ApplicationType, Account: b.conn.Account, Scopes: c.Scopes, Added: c.Added,
		RedirectURI: s.RedirectURI, RedirectDeclared: len(b.conn.RedirectURIs) > 0, Paste: s.Way == WayPaste,
		Authorize: s.Params, Token: maps.Clone(b.conn.TokenParams), Resource: slices.Clone(b.conn.Resource),
		Unknown: b.conn.Unknown,
	}
	if d.Token == nil {
		d.Token = map[string]string{}
	}
	if b.conn.ApplicationType == "spa" {
		d.Origin = origin(s.RedirectURI)
	}
	for _, f := range quirk.Prepare(b.preset.Quirks, d) {
		severity := hcl.DiagError
		if f.Warning {
			severity = hcl.DiagWarning
		}
		at := b.at(f.Attr)
		if arg, ok := b.conn.Args[f.Attr]; ok {
			at = arg.Range
		}
		b.add(severity, at, f.Summary, "%s", f.Detail)
	}
	c.Scopes, c.Added, c.Notes, s.Params = d.Scopes, d.Added, d.Notes, d.Authorize
	c.ScopeNames = d.ScopeNames
}

// origin is the origin of a redirect URI (RFC 6454 §6.2), "" if it has none.
func origin(redirect string) string {
	u, err := url.Parse(redirect)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// locate finds endpoints in the server's own way, if it has one.
func (c *Client) locate(ctx context.Context, env Env) *Error {
	if c.located || !quirk.Locates(c.Preset.Quirks) {
		return nil
	}
	p := c.Preset.Clone()
	e, err := env.Shared.endpoints(p, func(e *quirk.Endpoints) error { return quirk.Locate(ctx, p.Quirks, env.HTTP, e) })
	doing := "find the endpoints of " + title(p)
	if err != nil {
		return notLocated(doing, err)
	}
	for _, endpoint := range []string{e.Authorization, e.Token} {
		if endpoint == "" {
			continue
		}
		if err := checkEndpoint(endpoint); err != nil {
			return fail(Protocol, doing, "", "%s", err)
		}
	}
	p.AuthorizationEndpoint, p.TokenEndpoint = e.Authorization, e.Token
	c.Preset, c.located = p, true
	return nil
}

// notLocated says why the server's own way led nowhere.
func notLocated(doing string, err error) *Error {
	out := &Error{Kind: Protocol, Outcome: NotSent, Doing: doing, Detail: Clean(err.Error()), Err: scrub(err)}
	var e *quirk.LocateError
	if errors.As(err, &e) {
		out.Kind, out.Doing, out.Detail, out.Remedy, out.Status = Config, e.Doing, Clean(e.Detail), e.Remedy, e.Status
		if e.Temporary {
			out.Kind = Temporary
		}
		if e.Err != nil {
			out.Detail = networkDetail(e.Err)
		}
	} else if netErr := (net.Error)(nil); errors.As(err, &netErr) {
		out.Kind = Temporary
	}
	if errors.Is(err, context.Canceled) {
		out.Kind = Interrupted
	}
	return out
}
