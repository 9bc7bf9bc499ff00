package grant

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/oauthctl/oauthctl/providers"
)

// metadata is an authorization server's document (RFC 8414 §2, OpenID Connect
// Discovery 1.0 §3, RFC 8628 §4, RFC 9207 §3), as far as it is used.
type metadata struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	DeviceEndpoint        string   `json:"device_authorization_endpoint"`
	RevocationEndpoint    string   `json:"revocation_endpoint"`
	IntrospectionEndpoint string   `json:"introspection_endpoint"`
	UserinfoEndpoint      string   `json:"userinfo_endpoint"`
	JWKSURI               string   `json:"jwks_uri"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
	AuthAlgorithms        []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	SendsIss              bool     `json:"authorization_response_iss_parameter_supported"`
}

// Discover fills the preset's endpoints from the server's metadata document
// (RFC 8414, OpenID Connect Discovery 1.0), comparing the issuer byte by byte,
// and pins the client authentication method; or in the server's own way. It
// makes no request if nothing is missing. The preset itself is not changed:
// c.Preset becomes a copy. Every error is an *Error.
func (c *Client) Discover(ctx context.Context, env Env) error {
	if e := c.locate(ctx, env); e != nil {
		return e
	}
	p := c.Preset
	if c.discovered || len(c.missing()) == 0 || !canDiscover(p) {
		if c.Auth == "" {
			c.Auth = authBasic // what RFC 8414 §2 says where nothing is said
		}
		return nil
	}
	doing := "discover " + title(p) + " at " + p.Issuer
	if err := checkEndpoint(p.Issuer); err != nil {
		return fail(Config, doing, "correct the issuer in the provider block", "%s", err)
	}
	urls, err := metadataURLs(p)
	if err != nil {
		return fail(Config, doing, "correct the issuer in the provider block", "%s", err)
	}
	var m *metadata
	var public bool
	var e *Error
	for i, u := range urls {
		m, public, e = env.Shared.document(u, func() (*metadata, bool, *Error) { return fetchMetadata(ctx, env, u) })
		if e == nil || i == len(urls)-1 || e.Status == 0 {
			break // another document is asked for only if this one is not there
		}
	}
	if e != nil {
		e.Doing = doing
		return e
	}
	if m.Issuer != p.Issuer {
		return fail(Protocol, doing, "write the issuer in the provider block exactly as the server does, or do not use the server",
			"the server calls itself %q, and the configuration %q", Clean(m.Issuer), p.Issuer)
	}
	return c.apply(m, doing, public)
}

// canDiscover reports whether there is a document to ask for.
func canDiscover(p *providers.Preset) bool {
	return p.Issuer != "" && p.Discovery != "none" && !strings.Contains(p.Issuer, "{")
}

// missing names the endpoints that the flow needs and the preset does not have.
func (c *Client) missing() []string {
	p := c.Preset
	var out []string
	need := func(yes bool, endpoint, name string) {
		if yes && endpoint == "" {
			out = append(out, name)
		}
	}
	need(true, p.TokenEndpoint, "token_endpoint")
	need(c.flow() == AuthorizationCode, p.AuthorizationEndpoint, "authorization_endpoint")
	need(c.flow() == DeviceCodeGrant, p.DeviceEndpoint, "device_endpoint")
	need(c.wantsIDToken(), p.JWKSURI, "jwks_uri")
	need(c.Conn.Account != "" && !c.wantsIDToken(), p.UserinfoEndpoint, "userinfo_endpoint")
	need(p.Revocation == "rfc7009", p.RevocationEndpoint, "revocation_endpoint")
	return out
}

// metadataURLs are the places of the document, to be tried in this order. RFC
// 8414 §3.1 puts the well-known part before the issuer's path, OpenID Connect
// Discovery §4 behind it.
func metadataURLs(p *providers.Preset) ([]string, error) {
	u, err := url.Parse(p.Issuer)
	if err != nil || u.RawQuery != "" {
		return nil, errors.New("the issuer is not an address that a document can be found at")
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	base := u.Scheme + "://" + u.Host
	oidc, oauth := base+path+"/.well-known/openid-configuration", base+"/.well-known/oauth-authorization-server"+path
	switch p.Discovery {
	case "oidc":
		return []string{oidc}, nil
	case "oauth":
		return []string{oauth}, nil
	}
	return []string{oidc, oauth}, nil
}

// readMetadata reads a document; nil if it is none.
func readMetadata(text []byte) *metadata {
	m := new(metadata)
	if err := json.Unmarshal(text, m); err != nil || m.Issuer == "" {
		return nil
	}
	return m
}

// fetchMetadata gets one document. public reports that the server was reached
// at an address of the public internet.
func fetchMetadata(ctx context.Context, env Env, at string) (m *metadata, public bool, e *Error) {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		public = remoteIsPublic(i.Conn)
	}})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, false, fail(Config, "", "", "%s", Clean(err.Error()))
	}
	req.Header.Set("Accept", "application/json")
	resp, err := env.HTTP.Do(req)
	if err != nil {
		e := &Error{Kind: Temporary, Outcome: NotSent, Detail: networkDetail(err), Err: scrub(err),
			Remedy: cmp.Or(networkRemedy(err), "try again later, or set the endpoints in the provider block")}
		if errors.Is(err, context.Canceled) {
			e.Kind = Interrupted
		}
		return nil, false, e
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return nil, false, fail(Temporary, "", "try again later", "%s", networkDetail(err))
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		e := fail(Temporary, "", "try again later", "%s cannot be read now", at)
		e.Status, e.RetryAfter = resp.StatusCode, retryAfter(resp.Header)
		return nil, false, e
	case resp.StatusCode != http.StatusOK:
		e := fail(Config, "", "correct the issuer, or set the endpoints in the provider block", "there is no metadata document at %s", at)
		e.Status = resp.StatusCode
		return nil, false, e
	}
	if m = readMetadata(text); m == nil {
		e := fail(Protocol, "", "correct the issuer, or set the endpoints in the provider block", "what is at %s is not a metadata document", at)
		e.Status = resp.StatusCode
		return nil, false, e
	}
	host := req.URL.Hostname()
	return m, public || isPublicLiteral(host), nil
}

func remoteIsPublic(conn net.Conn) bool {
	ap, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	return err == nil && isPublic(ap.Addr())
}

// isPublicLiteral decides where the connection tells nothing (behind a proxy
// that is inside): a host written as a public address.
func isPublicLiteral(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && isPublic(ip)
}

// apply fills what is empty in a copy of the preset.
func (c *Client) apply(m *metadata, doing string, public bool) error {
	if (c.flow() == AuthorizationCode || c.otherwise != WayNone) && len(m.ChallengeMethods) > 0 && !slices.Contains(m.ChallengeMethods, "S256") && c.Preset.PKCE != "broken" {
		return fail(Protocol, doing, "set pkce = \"broken\" in the provider block only if the server's owner says so",
			"the server does not offer the code challenge S256, only %s", Clean(strings.Join(m.ChallengeMethods, ", ")))
	}
	p := *c.Preset
	for _, f := range []struct {
		to         *string
		name, from string
	}{
		{&p.AuthorizationEndpoint, "authorization_endpoint", m.AuthorizationEndpoint},
		{&p.TokenEndpoint, "token_endpoint", m.TokenEndpoint},
		{&p.DeviceEndpoint, "device_authorization_endpoint", m.DeviceEndpoint},
		{&p.RevocationEndpoint, "revocation_endpoint", m.RevocationEndpoint},
		{&p.IntrospectionEndpoint, "introspection_endpoint", m.IntrospectionEndpoint},
		{&p.UserinfoEndpoint, "userinfo_endpoint", m.UserinfoEndpoint},
		{&p.JWKSURI, "jwks_uri", m.JWKSURI},
	} {
		if *f.to != "" || f.from == "" || f.to == &p.RevocationEndpoint && p.Revocation == "none" {
			continue
		}
		if err := c.checkNamed(f.from, public); err != nil {
			return fail(Protocol, doing, "do not use the server before its owner has corrected the document",
				"its %s %q cannot be used: %s", f.name, Clean(f.from), err)
		}
		*f.to = f.from
	}
	p.RequireIss = p.RequireIss || m.SendsIss
	if c.Auth == "" {
		switch {
		case len(m.AuthMethods) == 0, slices.Contains(m.AuthMethods, authBasic):
			c.Auth = authBasic
		case slices.Contains(m.AuthMethods, authPost):
			c.Auth = authPost
		default:
			return fail(Config, doing, "remove client_secret, or set client_auth in the connection",
				"the server accepts no client secret, only %s", Clean(strings.Join(m.AuthMethods, ", ")))
		}
	}
	c.discoverAlgorithm(m.AuthAlgorithms)
	c.Preset, c.guarded, c.discovered = &p, public, true
	return nil
}

// checkNamed checks an endpoint that the metadata named.
func (c *Client) checkNamed(endpoint string, public bool) error {
	if err := checkEndpoint(endpoint); err != nil {
		return err
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return err
	}
	if public {
		return checkPublicHost(u.Hostname())
	}
	issuer, err := url.Parse(c.Preset.Issuer)
	if err != nil || isLoopbackHost(issuer.Hostname()) {
		return err
	}
	if ip, err := netip.ParseAddr(issuer.Hostname()); err == nil && !isPublic(ip) {
		return nil // a server inside, by its address: it may point inside
	}
	return checkReachable(u.Hostname())
}

// prepare finds the endpoints and checks that the flow can get to its end.
func (c *Client) prepare(ctx context.Context, env Env) *Error {
	if err := c.Discover(ctx, env); err != nil {
		var e *Error
		if !errors.As(err, &e) {
			e = fail(Protocol, "discover "+title(c.Preset), "", "%s", Clean(err.Error()))
		}
		return e
	}
	return c.ready()
}

// ready checks, before a person is asked, that the flow can get to its end.
func (c *Client) ready() *Error {
	p := c.Preset
	doing := "authorize " + c.Addr.String() + " at " + title(p)
	for _, name := range c.missing() {
		switch name {
		case "revocation_endpoint":
		case "jwks_uri":
			return fail(Config, doing, "set jwks_uri in the provider block, or remove the scope openid",
				"the scope openid gives an ID token, and there are no keys to verify it with")
		case "userinfo_endpoint":
			return fail(Config, doing, "add the scope openid, or set userinfo_endpoint in the provider block",
				"there is no way to see whether %s signs in", c.Conn.Account)
		default:
			return fail(Config, doing, "set "+name+" in the provider block", "the server has no %s", strings.ReplaceAll(name, "_", " "))
		}
	}
	if c.wantsIDToken() && p.Issuer == "" {
		return fail(Config, doing, "set issuer in the provider block, or remove the scope openid",
			"the scope openid gives an ID token, and no issuer is known to compare it with")
	}
	for _, raw := range []string{p.AuthorizationEndpoint, p.TokenEndpoint, p.DeviceEndpoint} {
		if raw == "" {
			continue
		}
		if err := checkEndpoint(raw); err != nil {
			return fail(Config, doing, "correct the endpoint in the provider block", "%q cannot be used: %s", Clean(raw), err)
		}
	}
	return nil
}

// checkEndpoint checks the URL of an endpoint: https, or http on loopback; no
// credentials, no fragment, nothing that could mean something else to a browser.
func checkEndpoint(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || !isVisible(raw) || strings.ContainsAny(raw, "\"'<>\\^`{|}"):
		return errors.New("it is not a URL")
	case u.Scheme == "http" && !isLoopbackHost(u.Hostname()):
		return errors.New("it is plain http, which is allowed on loopback addresses only")
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("its scheme is %q and not https", Clean(u.Scheme))
	case u.Hostname() == "":
		return errors.New("it has no host")
	case u.User != nil:
		return errors.New("it contains credentials")
	case u.Fragment != "" || strings.HasSuffix(raw, "#"):
		return errors.New("it has a fragment")
	}
	return nil
}
