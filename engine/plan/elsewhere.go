package plan

import (
	"cmp"
	"net/url"
	"slices"

	"github.com/oauthctl/oauthctl/state"
)

// Elsewhere is an endpoint that would be sent stored tokens, and never was.
type Elsewhere struct{ Name, Before, After string }

// SentElsewhere compares the endpoints to which the tokens of a record go. A
// refresh endpoint that is another is elsewhere, as a token endpoint would be;
// for revocation and introspection, one at an origin that the record does not
// know. What is empty in now stays as it was.
//
// Whoever may edit a configuration could collect the refresh tokens and secrets
// that others hold, if such a change were a setting like any other.
func SentElsewhere(old, now *state.Client) []Elsewhere {
	var out []Elsewhere
	at := cmp.Or(old.RefreshEndpoint, old.TokenEndpoint)
	if now.RefreshEndpoint != "" && now.RefreshEndpoint != at {
		out = append(out, Elsewhere{"refresh_endpoint", at, now.RefreshEndpoint})
	}
	known := func(origin string) bool {
		return slices.ContainsFunc([]string{old.Issuer, old.TokenEndpoint, old.RefreshEndpoint, old.RevocationEndpoint, old.IntrospectionEndpoint},
			func(raw string) bool { return originOf(raw) == origin })
	}
	for _, e := range []Elsewhere{
		{"revocation_endpoint", old.RevocationEndpoint, now.RevocationEndpoint},
		{"introspection_endpoint", old.IntrospectionEndpoint, now.IntrospectionEndpoint},
	} {
		if e.After != "" && e.After != e.Before && !known(originOf(e.After)) {
			out = append(out, e)
		}
	}
	return out
}

// Brought lists the endpoints of a client that somebody else has filled in where
// the configuration leaves them open, and that are at no origin which it names.
func Brought(declared, filled *state.Client) []Elsewhere {
	out := SentElsewhere(declared, filled)
	if declared.TokenEndpoint == "" && originOf(filled.TokenEndpoint) != originOf(declared.Issuer) {
		out = append(out, Elsewhere{"token_endpoint", "", filled.TokenEndpoint})
	}
	return out
}

// originOf is scheme and host of a URL (RFC 6454 §4); what is none is its own.
func originOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return raw
	}
	return u.Scheme + "://" + u.Host
}

// elsewhere compares them for a plan.
func (d *difference) elsewhere() {
	if d.w.Client == nil {
		return
	}
	for _, e := range SentElsewhere(&d.info.Client, d.w.Client) {
		d.c.Replaces = true
		d.show(e.Name, e.Before, e.After)
		d.add(Reauthorize, ReasonServerChanged)
	}
}
