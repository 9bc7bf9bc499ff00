package grant

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/oauthctl/oauthctl/schema/addr"
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
	case ClientCredentials:
		return
	}
	if s.Listen != "" {
		if err := checkListen(s.Listen); err != "" {
			b.errorf(b.in("listen"), "Unusable listen address", "%s", err)
		}
	}
	given := b.conn.RedirectURIs
	if len(given) == 0 {
		if !b.unknown("redirect_uris") {
			b.defaultRedirect()
		}
		return
	}
	var parsed []*url.URL
	for _, raw := range given {
		u, problem := parseRedirect(raw)
		if problem != "" {
			b.errorf(b.at("redirect_uris"), "Unusable redirect URI", "%q %s", raw, problem)
			return
		}
		if b.preset.Redirect.HTTPS && u.Scheme != "https" {
			b.errorf(b.at("redirect_uris"), "Redirect URI not accepted by the provider", "%s accepts only https redirect URIs.", b.server())
			return
		}
		parsed = append(parsed, u)
	}
	i := preferredRedirect(parsed, s.Listen != "")
	s.RedirectURI = given[i]
	b.way(parsed[i])
}

// preferredRedirect: a loopback URI, unless a listener behind a proxy is asked
// for; then an https one; else the first.
func preferredRedirect(uris []*url.URL, proxied bool) int {
	for i, u := range uris {
		if proxied && u.Scheme == "https" || !proxied && u.Scheme == "http" {
			return i
		}
	}
	return 0
}

func (b *builder) way(u *url.URL) {
	s := &b.c.Settings
	switch {
	case u.Scheme == "http" && s.Listen != "":
		b.errorf(b.in("listen"), "listen without an https redirect URI",
			"A loopback redirect URI is listened on as it is written. Remove listen, or add the https redirect URI that a proxy carries here.")
	case u.Scheme == "http":
		s.Way = WayBrowser
		if b.preset.Redirect.FixedPort && portOf(u) == "" {
			b.errorf(b.at("redirect_uris"), "Redirect URI without a port",
				"%s compares the port of a redirect URI. Write the one that is registered there, for example %q.", b.server(), "http://"+u.Hostname()+":8085"+u.EscapedPath())
		}
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

// defaultRedirect is for a connection that gives none: a loopback address with
// a path of its own, as RFC 8252 §8.10 asks, so that an answer cannot be taken
// for one of another server. The word localhost stays without a path, since the
// servers that want it compare the path.
func (b *builder) defaultRedirect() {
	s := &b.c.Settings
	rules := b.preset.Redirect
	switch {
	case s.Listen != "":
		b.errorf(b.in("listen"), "listen without an https redirect URI", "Set redirect_uris to the https URI that a proxy carries here.")
	case rules.HTTPS:
		b.errorf(b.conn.Range, "Missing redirect URI", "%s accepts only https redirect URIs. Set redirect_uris to the one that is registered there.", b.server())
	case rules.FixedPort:
		b.errorf(b.conn.Range, "Missing redirect URI", "%s compares the port of a redirect URI. Set redirect_uris to the one that is registered there, for example [\"http://127.0.0.1:8085/callback\"].", b.server())
	case rules.LoopbackHost == "localhost":
		s.RedirectURI, s.Way = "http://localhost", WayBrowser
	default:
		host := rules.LoopbackHost
		if host == "" {
			host = "127.0.0.1"
		}
		s.RedirectURI, s.Way = "http://"+host+"/callback/"+slug(b.conn.Addr), WayBrowser
	}
}

// slug is a connection's address as a path that no browser rewrites.
func slug(a addr.Addr) string {
	if !a.Keyed {
		return a.Name
	}
	return a.Name + "/" + strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, a.Key)
}

// parseRedirect checks a redirect URI (RFC 6749 §3.1.2); the problem continues
// the sentence that starts with the URI.
func parseRedirect(raw string) (*url.URL, string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || !isPlain(raw) || strings.ContainsAny(raw, " \\"):
		return nil, "is not a URI."
	case u.Scheme == "":
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

// portOf is the port of a redirect URI; "" if the operating system chooses it.
func portOf(u *url.URL) string {
	if p := u.Port(); p != "0" {
		return p
	}
	return ""
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
