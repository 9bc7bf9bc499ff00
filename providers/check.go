package providers

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/providers/quirk"
	"github.com/oauthctl/oauthctl/schema"
)

// tenantID stands in an issuer for the tid claim of a token.
const tenantID = "{tenantid}"

// check reports what is wrong with an assembled preset, at the attribute that says it.
func (a *assembly) check(p *Preset) {
	a.checkURLs(p)
	a.checkNames("grants", p.Grants, grantNames, "grant")
	a.checkNames("client_auth", p.ClientAuth, authMethods, "client authentication method")
	a.checkNames("client_assertion", p.Assertion.Algorithms, schema.SignatureAlgorithms(), "signature algorithm")
	a.checkNames("jwt_bearer", p.Bearer.Algorithms, schema.SignatureAlgorithms(), "signature algorithm")
	a.checkNames("quirks", p.Quirks, quirk.Names(), "quirk")
	a.checkCallback(p)
	a.checkHints()
	if a.partial {
		return
	}
	if p.TokenEndpoint == "" && p.Discovery == "none" && !p.Located() {
		a.fail("token_endpoint", "Server without endpoints",
			"The provider %q has no token endpoint and no issuer to discover one from. "+
				"Set preset, issuer, or authorization_endpoint and token_endpoint.", p.Name)
		return
	}
	if p.Discovery != "none" && p.Issuer == "" {
		a.fail("discovery", "Discovery without issuer",
			"The provider %q asks for discovery, but has no issuer to discover from. Set issuer, or discovery = \"none\".", p.Name)
	}
	for _, g := range p.Grants {
		if missing := p.missingEndpoint(g); missing != "" {
			a.fail("grants", "Grant without endpoint",
				"The provider %q lists the grant %s, but has no %s, and no issuer to discover it from.", p.Name, g, missing)
		}
	}
	if !a.diags.HasErrors() {
		a.checkStrays(p)
	}
}

func (a *assembly) checkURLs(p *Preset) {
	urls := map[string]string{
		"authorization_endpoint": p.AuthorizationEndpoint, "token_endpoint": p.TokenEndpoint,
		"refresh_endpoint": p.RefreshEndpoint, "device_endpoint": p.DeviceEndpoint,
		"revocation_endpoint": p.RevocationEndpoint, "introspection_endpoint": p.IntrospectionEndpoint,
		"userinfo_endpoint": p.UserinfoEndpoint, "jwks_uri": p.JWKSURI,
	}
	for _, name := range endpointAttrs {
		if u := urls[name]; u != "" {
			if err := CheckEndpoint(u); err != nil {
				a.fail(name, "Invalid endpoint", "The attribute %s cannot be %q: %s.", name, u, err)
			}
		}
	}
	if p.Issuer != "" {
		if err := CheckIssuer(p.Issuer); err != nil {
			a.fail("issuer", "Invalid issuer", "The issuer cannot be %q: %s.", p.Issuer, err)
		}
	}
	if p.Docs != "" {
		if u, err := url.Parse(p.Docs); err != nil || u.Scheme != "https" {
			a.fail("docs", "Invalid link", "The attribute docs must be an https URL.")
		}
	}
}

func (a *assembly) checkNames(attr string, given, known []string, what string) {
	for i, g := range given {
		switch {
		case !slices.Contains(known, g):
			a.fail(attr, "Unknown "+what, "There is no %s %q.%s Known: %s.",
				what, g, didYouMean(g, known), strings.Join(known, ", "))
		case slices.Contains(given[:i], g):
			a.fail(attr, "Listed twice", "The %s %s is listed twice.", what, g)
		}
	}
}

// ofTheFlow are parameters of the authorization response that the flow itself
// uses (RFC 6749 §4.1.2, RFC 9207 §2, OpenID Connect Core §3.3.2.5): they are not kept.
var ofTheFlow = []string{"code", "state", "iss", "error", "error_description", "error_uri", "id_token", "access_token", "refresh_token"}

func (a *assembly) checkCallback(p *Preset) {
	for i, name := range p.CallbackParams {
		switch {
		case name == "" || len(name) > 64:
			a.fail("callback_params", "Invalid name", "A name in callback_params must have between 1 and 64 characters.")
		case slices.Contains(ofTheFlow, name):
			a.fail("callback_params", "Parameter of the flow", "%q is used by the flow itself and is not kept. Remove it from callback_params.", name)
		case slices.Contains(p.CallbackParams[:i], name):
			a.fail("callback_params", "Listed twice", "The parameter %s is listed twice.", name)
		}
	}
}

func (a *assembly) checkHints() {
	for _, o := range a.layers[:a.chain.user] {
		for _, n := range o.Nested["hint"] {
			if len(alternatives(n.Values["match"])) == 0 {
				a.diags = append(a.diags, &hcl.Diagnostic{
					Severity: hcl.DiagError, Summary: "Invalid match",
					Detail:  "The attribute match of a hint must be a string or a list of strings.",
					Subject: n.Ranges["match"].Ptr(),
				})
			}
		}
	}
}

// checkStrays warns when the user's block moves the token endpoint to another
// host while tokens would still be sent to the preset's.
func (a *assembly) checkStrays(p *Preset) {
	user := a.layers[:a.chain.user]
	if !user.has("token_endpoint") || len(a.layers) == len(user) {
		return
	}
	below := a.layers[len(user):]
	if hostOf(below.str("token_endpoint")) == hostOf(p.TokenEndpoint) {
		return
	}
	for _, s := range []struct{ attr, value string }{
		{"revocation_endpoint", p.RevocationEndpoint},
		{"introspection_endpoint", p.IntrospectionEndpoint},
		{"userinfo_endpoint", p.UserinfoEndpoint},
	} {
		if s.value == "" || user.has(s.attr) || hostOf(s.value) == hostOf(p.TokenEndpoint) {
			continue
		}
		a.diags = append(a.diags, &hcl.Diagnostic{
			Severity: hcl.DiagWarning, Summary: "Endpoint of the preset still in use",
			Detail: fmt.Sprintf("The provider %q has a token endpoint of its own, but its tokens are still sent to the preset's %s, %s. "+
				"Set %s too, or remove it with \"\".", p.Name, s.attr, s.value, s.attr),
			Subject: a.layers.rangeOf("token_endpoint", a.chain.user, a.fallback),
		})
	}
}

func (a *assembly) fail(attr, summary, format string, args ...any) {
	a.diags = append(a.diags, &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...),
		Subject: a.layers.rangeOf(attr, a.chain.user, a.fallback),
	})
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}

// CheckEndpoint checks the URL of an endpoint: absolute, https (http only on a
// loopback host), without user information and fragment (RFC 6749 §3.1, §3.2),
// and with an ASCII host, so that it reads as what it is.
func CheckEndpoint(raw string) error {
	_, err := parseEndpoint(raw)
	return err
}

// CheckIssuer checks an issuer identifier: the rules of CheckEndpoint, and no
// query (RFC 8414 §2). "{tenantid}" may stand in the path once.
func CheckIssuer(raw string) error {
	if strings.Count(raw, tenantID) > 1 {
		return fmt.Errorf("%s may stand in it only once", tenantID)
	}
	u, err := parseEndpoint(strings.Replace(raw, tenantID, "tenantid", 1))
	if err != nil {
		return err
	}
	if u.RawQuery != "" || u.ForceQuery {
		return errors.New("an issuer has no query (RFC 8414 §2)")
	}
	if strings.Contains(u.Host, "tenantid") && strings.Contains(raw, tenantID) {
		return fmt.Errorf("%s may stand in its path only", tenantID)
	}
	return nil
}

func parseEndpoint(raw string) (*url.URL, error) {
	for _, r := range raw {
		if r <= ' ' || r == 0x7f || strings.ContainsRune(`{}<>"\^|`+"`", r) {
			return nil, fmt.Errorf("the character %q does not belong in a URL", r)
		}
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("it is not a URL")
	}
	host := u.Hostname()
	switch {
	case u.Scheme == "" || u.Opaque != "" || host == "":
		return nil, errors.New("it must be an absolute URL, https://…")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("it must begin with https://")
	case u.Scheme == "http" && !isLoopbackHost(host):
		return nil, errors.New("http is for this machine only; use https")
	case u.User != nil:
		return nil, errors.New("it must not hold a user name or password")
	case u.Fragment != "" || strings.HasSuffix(raw, "#"):
		return nil, errors.New("it must not have a fragment")
	case !validHost(host):
		return nil, errors.New("its host name is not valid (write international names in their xn-- form)")
	case !validPort(u):
		return nil, errors.New("its port is not valid")
	}
	return u, nil
}

// validHost reports whether host is an IP literal or a DNS name in ASCII.
func validHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	if len(host) > 253 || strings.Contains(host, "..") || strings.HasPrefix(host, ".") || strings.HasPrefix(host, "-") {
		return false
	}
	return strings.IndexFunc(host, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !letter && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	}) < 0
}

func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.Atoi(u.Port())
	return err == nil && n > 0 && n < 65536
}

// isLoopbackHost reports whether a host is this machine: localhost, 127.0.0.0/8 or ::1.
func isLoopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
