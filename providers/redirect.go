package providers

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// Redirect is the redirect URI that a flow uses.
type Redirect struct {
	URI      string // as declared, or made by the rules; of a loopback one the port may be missing
	Loopback bool   // a listener on this machine can receive the answer
	Host     string // of a loopback one: "localhost", "127.0.0.1" or "::1"
	Port     string // of a loopback one; "" lets the operating system choose
	Made     bool   // none was declared: the rules made it
}

// WithPort is the URI that is sent to the server once the port is known.
func (r Redirect) WithPort(port string) string {
	u, err := url.Parse(r.URI)
	if err != nil || !r.Loopback {
		return r.URI
	}
	u.Host = net.JoinHostPort(r.Host, port)
	return u.String()
}

// Choose picks one of the declared redirect URIs: one that leads to this machine
// if there is one (the host that the server prefers first), else the first.
// Without any it makes a loopback URI by the rules. Every declared URI is
// checked, chosen or not. The error says what to write instead.
func (r RedirectRules) Choose(declared []string) (Redirect, error) {
	if len(declared) == 0 {
		return r.make()
	}
	var choice Redirect
	for _, uri := range declared {
		c, err := r.Check(uri)
		if err != nil {
			return Redirect{}, err
		}
		if choice.URI == "" || c.Loopback && (!choice.Loopback || c.Host == r.LoopbackHost && choice.Host != r.LoopbackHost) {
			choice = c
		}
	}
	return choice, nil
}

// make is the redirect URI for a connection that declares none.
func (r RedirectRules) make() (Redirect, error) {
	switch {
	case r.HTTPS:
		return Redirect{}, errors.New("the server accepts https redirect URIs only: declare the registered one in redirect_uris")
	case r.FixedPort:
		return Redirect{}, fmt.Errorf("the server compares the port: declare the registered URI, for example redirect_uris = [\"http://%s%s\"]",
			net.JoinHostPort(r.LoopbackHost, "8085"), r.Path)
	}
	u := url.URL{Scheme: "http", Host: bracket(r.LoopbackHost), Path: r.Path}
	return Redirect{URI: u.String(), Loopback: true, Host: r.LoopbackHost, Made: true}, nil
}

// Check checks one redirect URI against RFC 6749 §3.1.2 and the rules.
func (r RedirectRules) Check(uri string) (Redirect, error) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" || strings.ContainsFunc(uri, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return Redirect{}, fmt.Errorf("%q is not an absolute URI", uri)
	}
	c := Redirect{URI: uri}
	host := u.Hostname()
	switch {
	case u.Fragment != "" || strings.HasSuffix(uri, "#"):
		return c, fmt.Errorf("%q has a fragment, which RFC 6749 §3.1.2 forbids", uri)
	case u.User != nil:
		return c, fmt.Errorf("%q holds a user name", uri)
	case u.Scheme == "https" && host == "", u.Scheme == "http" && host == "":
		return c, fmt.Errorf("%q has no host", uri)
	case r.HTTPS && u.Scheme != "https":
		return c, fmt.Errorf("%q will not do: the server accepts https redirect URIs only", uri)
	case isLoopbackHost(host) && r.refuses(host):
		return c, fmt.Errorf("%q will not do: the server does not accept %s; use http://%s instead", uri, host, bracket(r.LoopbackHost))
	case u.Scheme != "http":
		return c, nil
	case !isLoopbackHost(host):
		return c, fmt.Errorf("%q would send the code in clear: use https, or http on this machine (http://%s)", uri, bracket(r.LoopbackHost))
	case r.FixedPort && u.Port() == "":
		return c, fmt.Errorf("%q has no port, which the server compares: write it as registered, for example http://%s%s",
			uri, net.JoinHostPort(host, "8085"), u.EscapedPath())
	case !validPort(u):
		return c, fmt.Errorf("%q has no valid port", uri)
	}
	c.Loopback, c.Host, c.Port = true, host, u.Port()
	return c, nil
}

func (r RedirectRules) refuses(host string) bool {
	return slices.ContainsFunc(r.Refused, func(h string) bool { return strings.EqualFold(h, host) })
}

// IsLoopback reports whether a URI leads to this machine over http, so that a
// listener here can receive what is sent to it (RFC 8252 §7.3).
func IsLoopback(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && u.Scheme == "http" && isLoopbackHost(u.Hostname())
}

// bracket writes a host as it stands in a URL.
func bracket(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
