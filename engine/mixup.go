package engine

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
)

// mixups finds connections of different servers whose answers arrive at the
// same redirect URI, where nothing tells the ones from the others.
type mixups struct {
	seen   map[string][]arrival // by place, as far as they are news
	warned map[hcl.Range]bool
	diags  hcl.Diagnostics
}

// arrival is where the answers for a connection arrive.
type arrival struct {
	providers.Arrival
	conn   *schema.Connection
	preset *providers.Preset
}

// add compares a client with those before it. It warns once for each place of
// the configuration: a block with for_each would repeat itself.
func (m *mixups) add(c *grant.Client) {
	if c.Settings.Type != grant.AuthorizationCode {
		return
	}
	place, ok := c.Preset.Arrival(c.Settings.RedirectURI)
	if !ok {
		return
	}
	at := arrival{place, c.Conn, c.Preset}
	others := m.seen[at.Place]
	if i := slices.IndexFunc(others, func(o arrival) bool { return at.MixesUp(o.Arrival) }); i >= 0 {
		m.warn(at, others[i])
	}
	if m.seen == nil {
		m.seen, m.warned = map[string][]arrival{}, map[hcl.Range]bool{}
	}
	if news(others, at) {
		m.seen[at.Place] = append(others, at)
	}
}

// news reports whether at can be mixed up with what the others cannot. Two that
// differ in nothing but the server stand for all of these: a third one is of
// another server than one of the two.
func news(others []arrival, at arrival) bool {
	alike := 0
	for _, o := range others {
		if !at.Like(o.Arrival) {
			continue
		}
		if alike++; alike == 2 || o.Server == at.Server {
			return false
		}
	}
	return true
}

func (m *mixups) warn(at, other arrival) {
	subject, declared := at.conn.Ranges["redirect_uris"]
	if !declared {
		subject = at.conn.Range
	}
	if m.warned[subject] {
		return
	}
	m.warned[subject] = true
	m.diags = append(m.diags, &hcl.Diagnostic{
		Severity: hcl.DiagWarning,
		Summary:  "Redirect URI of two servers",
		Detail: fmt.Sprintf("The answers for %s (%s) and %s (%s) arrive at %s. Nothing in them says which server they are from: "+
			"one of the two, turned hostile, could have a code of the other one brought to it (RFC 9700 §4.4). "+
			"Register a redirect URI with another path for one of them%s. "+
			"If both have an issuer, and one of them says in every answer who it is (iss, RFC 9207), response_iss = true in its provider block does it, too.",
			at.conn.Addr, at.Server, other.conn.Addr, other.Server, shared(at, other), apart(at, other)),
		Subject: subject.Ptr(),
		Extra:   schema.DiagExtra{Addr: at.conn.Addr},
	})
}

// shared says what the redirect URIs of two connections have in common.
func shared(a, b arrival) string {
	if a.URI == b.URI {
		return "the same redirect URI, " + a.URI
	}
	return fmt.Sprintf("redirect URIs that servers need not tell apart (RFC 8252 §7.3), %s and %s", a.URI, b.URI)
}

// apart names a redirect URI that is the server's alone: what a connection has
// that declares none, unless the server's registration fixes that.
func apart(a, b arrival) string {
	for _, at := range []arrival{a, b} {
		if own, err := at.preset.Redirect.Choose(nil); err == nil && own.URI != at.URI {
			return fmt.Sprintf(": without redirect_uris, %s has %s", at.conn.Addr, own.URI)
		}
	}
	return ""
}
