package providers

import (
	"net/url"
	"strings"
)

// Arrival is where the answers of an authorization endpoint arrive: a redirect
// URI, and what tells there which server an answer is from.
type Arrival struct {
	Server string // host of the issuer, else of the authorization endpoint
	URI    string
	Place  string // the URI without its port: arrivals at other places are never mixed up

	port     string
	anyPort  bool // the server leaves the port to the client (RFC 8252 §7.3)
	says     bool // each answer has iss (RFC 9207)
	compares bool // an iss that arrives is compared
}

// Arrival is where answers of the server arrive at a redirect URI; false if
// not enough is known of either.
func (p *Preset) Arrival(uri string) (Arrival, bool) {
	u, err := url.Parse(uri)
	a := Arrival{Server: p.Host(), URI: uri, says: p.RequireIss, compares: p.Issuer != ""}
	if err != nil || uri == "" || a.Server == "" || p.Partial {
		return Arrival{}, false
	}
	a.port, a.anyPort = u.Port(), isLoopbackHost(u.Hostname()) && !p.Redirect.FixedPort
	host := strings.ToLower(u.Hostname())
	a.Place = strings.ToLower(u.Scheme) + "://" + host + "/" + strings.TrimPrefix(u.EscapedPath(), "/") + "?" + u.RawQuery + u.Opaque
	return a, true
}

// Host is the host that the server is known by: of its issuer, else of its
// authorization endpoint; "" if neither is known.
func (p *Preset) Host() string {
	issuer, _, _ := strings.Cut(p.Issuer, tenantID) // a template is many issuers of one server
	if host := hostOf(issuer); host != "" {
		return strings.ToLower(host)
	}
	return strings.ToLower(hostOf(p.AuthorizationEndpoint))
}

// MixesUp reports whether one of two servers, if it turned hostile, could send
// the browser on to the other one and be handed the code that this one gives
// (RFC 9700 §4.4).
func (a Arrival) MixesUp(b Arrival) bool {
	return a.Server != b.Server && a.Place == b.Place && (a.takenFor(b) || b.takenFor(a))
}

// Like reports whether the two differ at most in the server, and in how the URI
// is written.
func (a Arrival) Like(b Arrival) bool {
	a.Server, a.URI = b.Server, b.URI
	return a == b
}

// takenFor reports whether an answer of a could be taken for one of b: a gives
// it to b's redirect URI, and nothing there tells that it is not b's.
func (a Arrival) takenFor(b Arrival) bool {
	told := b.compares && (a.says || b.says)
	return !told && (a.anyPort || a.port == b.port)
}
