package providers

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Redirect is the redirect URI that a flow uses.
type Redirect struct {
	URI      string // as declared, or made by the rules; of a loopback one the port may be missing
	Loopback bool   // http to this machine: a listener here can receive the answer (RFC 8252 §7.3)
	Host     string // of a loopback one: "localhost", "127.0.0.1" or "::1"
	Port     string // of a loopback one; "" lets the operating system choose
	Made     bool   // none was declared: the rules made it
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
		better := c.Loopback && (!choice.Loopback || c.Host == r.LoopbackHost && choice.Host != r.LoopbackHost)
		if choice.URI == "" || better {
			choice = c
		}
	}
	return choice, nil
}

// ownPath is the path of the redirect URI for connections that declare none:
// another one for each issuer, so that an answer of one server cannot be taken
// for one of another (RFC 9700 §4.4.2.2). It follows from the server alone, so
// that what is registered stays right whatever connections and provider blocks
// are called.
func (p *Preset) ownPath() string {
	issuer, _, _ := strings.Cut(p.Issuer, tenantID) // a template is many issuers of one server
	below := ""
	if u, err := url.Parse(issuer); err == nil {
		below = u.Path
	}
	host := p.Host()
	if v6, ok := strings.CutPrefix(host, "["); ok { // brackets would be escaped
		host = strings.Replace(v6, "]", "", 1)
	}
	return path.Join("/callback", host, path.Clean("/"+below))
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
		return Redirect{}, fmt.Errorf("%q is not an absolute URI; write it as it is registered, for example http://127.0.0.1/callback", uri)
	}
	web := u.Scheme == "http" || u.Scheme == "https"
	host := u.Hostname()
	switch {
	case u.Fragment != "" || strings.HasSuffix(uri, "#"):
		return Redirect{}, fmt.Errorf("%q has a fragment, which RFC 6749 §3.1.2 forbids", uri)
	case u.User != nil:
		return Redirect{}, fmt.Errorf("%q holds a user name", uri)
	case web && host == "":
		return Redirect{}, fmt.Errorf("%q has no host", uri)
	case web && !validPort(u) && u.Port() != "0":
		return Redirect{}, fmt.Errorf("%q has no valid port", uri)
	case u.Scheme == "http" && !isLoopbackHost(host):
		return Redirect{}, fmt.Errorf("%q would send the code in clear: use https, or http on this machine", uri)
	}
	if err := r.accepts(u); err != nil {
		return Redirect{}, err
	}
	c := Redirect{URI: uri}
	if u.Scheme == "http" {
		c.Loopback, c.Host = true, strings.ToLower(host)
		if p := u.Port(); p != "0" {
			c.Port = p
		}
	}
	return c, nil
}

// accepts checks what differs from server to server.
func (r RedirectRules) accepts(u *url.URL) error {
	host := u.Hostname()
	loopback := isLoopbackHost(host)
	switch {
	case r.HTTPS && u.Scheme != "https":
		return fmt.Errorf("%q will not do: the server accepts https redirect URIs only", u)
	case loopback && slices.ContainsFunc(r.Refused, func(h string) bool { return strings.EqualFold(h, host) }):
		return fmt.Errorf("%q will not do: the server does not accept %s; register and use http://%s%s",
			u, host, bracket(r.LoopbackHost), u.EscapedPath())
	case loopback && r.FixedPort && u.Scheme == "http" && (u.Port() == "" || u.Port() == "0"):
		return fmt.Errorf("%q has no port, which the server compares: write it as registered, for example http://%s%s",
			u, net.JoinHostPort(host, "8085"), u.EscapedPath())
	}
	return nil
}

// bracket writes a host as it stands in a URL.
func bracket(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
