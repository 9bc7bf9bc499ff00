package grant

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// redirect chooses the redirect URI, and with it how the answer comes back
// (RFC 8252 §7): a loopback URI is listened on, an https URI needs a listener
// behind a proxy, and the answer to anything else is pasted.
func (b *builder) redirect() {
	s := &b.c.Settings
	switch s.Type {
	case DeviceCodeGrant:
		s.Way = WayDevice
		return
	case ClientCredentials, JWTBearer, TokenExchange:
		return
	}
	if s.Listen != "" {
		if err := checkListen(s.Listen); err != "" {
			b.errorf(b.in("listen"), "Unusable listen address", "%s", err)
		}
	}
	given := make([]string, len(b.conn.RedirectURIs))
	for i, uri := range b.conn.RedirectURIs {
		given[i] = withoutPort0(uri)
	}
	if len(given) == 0 && b.unknown("redirect_uris") {
		return
	}
	rules := b.preset.Redirect
	if rules.LoopbackHost == "" {
		rules.LoopbackHost, rules.Path = "127.0.0.1", "/callback"
	}
	choice, err := rules.Choose(given)
	if err != nil {
		b.errorf(b.at("redirect_uris"), "Unusable redirect URI", "%s: %s.", b.server(), err)
		return
	}
	s.RedirectURI = choice.URI
	if s.Listen != "" {
		if i := slices.IndexFunc(given, func(uri string) bool { return strings.HasPrefix(uri, "https://") }); i >= 0 {
			s.RedirectURI = given[i]
		}
	}
	u, problem := parseRedirect(s.RedirectURI)
	if problem != "" {
		b.errorf(b.at("redirect_uris"), "Unusable redirect URI", "%q %s", s.RedirectURI, problem)
		return
	}
	b.way(u)
}

// way says how the answer comes back to the redirect URI.
func (b *builder) way(u *url.URL) {
	s := &b.c.Settings
	switch {
	case u.Scheme == "http" && s.Listen != "":
		b.errorf(b.in("listen"), "listen without an https redirect URI",
			"A loopback redirect URI is listened on as it is written. Remove listen, or add the https redirect URI that a proxy carries here.")
	case u.Scheme == "http":
		s.Way = WayBrowser
	case u.Scheme == "https" && s.Listen != "":
		s.Way = WayBrowser
	default:
		s.Way = WayPaste
		if s.ResponseMode == "form_post" {
			b.errorf(b.in("response_mode"), "Answer that cannot be pasted",
				"With response_mode = \"form_post\" the answer is not in the URL. Use a loopback redirect URI, set listen, or remove response_mode.")
		}
		if s.Listen != "" {
			b.errorf(b.in("listen"), "listen without an https redirect URI", "Only an https redirect URI can be carried here by a proxy.")
		}
	}
}

// parseRedirect checks a redirect URI (RFC 6749 §3.1.2); the problem continues
// the sentence that starts with the URI.
func parseRedirect(raw string) (*url.URL, string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || !isPlain(raw) || strings.ContainsAny(raw, " \\"):
		return nil, "is not a URI."
	case u.Scheme == "" || strings.EqualFold(u.Scheme, "localhost") || u.Opaque != "" && u.Opaque[0] >= '0' && u.Opaque[0] <= '9':
		return nil, "has no scheme. Write it as it is registered, for example \"http://127.0.0.1/callback\"."
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return nil, "has a fragment, which redirect URIs must not have."
	case u.User != nil:
		return nil, "contains a user name."
	case u.Scheme == "urn":
		return nil, "is an out-of-band redirect, which servers have withdrawn. Use a loopback redirect URI, for example \"http://127.0.0.1/callback\"."
	case u.Scheme == "javascript" || u.Scheme == "data" || u.Scheme == "file":
		return nil, "has a scheme that is not for redirects."
	case (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() == "":
		return nil, "has no host."
	case u.Scheme == "http" && !isLoopbackHost(u.Hostname()):
		return nil, "is plain http on another machine: everybody on the way could take the code. Use https, or a loopback address."
	}
	return u, ""
}

// withoutPort0 leaves out the port 0, which says the same as no port: the
// operating system chooses one.
func withoutPort0(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Port() != "0" || !isLoopbackHost(u.Hostname()) {
		return uri
	}
	return strings.Replace(uri, "://"+u.Host, "://"+strings.TrimSuffix(u.Host, ":0"), 1)
}

// checkListen checks the address of a listener behind a proxy: a loopback
// address and a port. The text says what is wrong.
func checkListen(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" || port == "0" {
		return `Write an address and a port, for example listen = "127.0.0.1:8085".`
	}
	if !isLoopbackHost(host) {
		return `Only a loopback address is listened on, for example listen = "127.0.0.1:8085". Let the proxy connect to that.`
	}
	return ""
}

// isLoopbackHost reports a loopback address literal or the name localhost.
func isLoopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
