package sandbox

import (
	"net/url"
	"slices"
)

// refresh redeems a refresh token (RFC 6749 §6) by the rotation of the server.
// A token that was rotated away and comes again after the grace is reuse: the
// family is revoked (RFC 9700 §4.14.2), or everything between client and person
// where the server is known to go that far.
func (v *visit) refresh(t *tx, c client, creds credentials, form url.Values) (issued, error) {
	row, ok := t.refreshes[digestOf(form.Get("refresh_token"))]
	g := t.grants[row.Grant]
	switch {
	case form.Get("refresh_token") == "":
		return issued{}, refuse("invalid_request", "refresh_token is missing")
	case !ok || g.Realm != v.ID || g.Client != c.ID:
		return issued{}, refuse("invalid_grant", "the refresh token is unknown, or belongs to another client").because(whyRefreshUnknown)
	case row.Used != 0 && t.now >= row.Used.add(v.Grace):
		v.punish(t, g)
		return issued{}, refuse("invalid_grant", "the refresh token was used before; all tokens of this consent are revoked").because(whyRefreshRevoked)
	case g.Revoked:
		return issued{}, refuse("invalid_grant", "the refresh token has been revoked").because(whyRefreshRevoked)
	case row.Expires.passed(t.now):
		gone := refuse("invalid_grant", "the refresh token has expired").because(whyRefreshExpired)
		gone.fixed = g.Ends != 0
		return issued{}, gone
	}
	if again := v.manner().again; again != nil {
		if refused := again(v, creds, g); refused != nil {
			return issued{}, refused
		}
	}
	scopes := g.Scopes
	if form.Get("scope") != "" {
		narrowed, refused := v.readScopes(form.Get("scope"))
		if refused != nil {
			return issued{}, refused
		}
		for _, one := range narrowed {
			if !slices.Contains(g.Scopes, one) {
				return issued{}, refuse("invalid_scope", "a scope was not part of the consent")
			}
		}
		scopes = narrowed
	}
	t.put.Event = eventRefresh
	if v.rotates() && row.Used == 0 {
		row.Used = t.now
		t.put.Refresh = append(t.put.Refresh, row)
	}
	out, err := v.issue(t, g, scopes, v.Rotation != "none")
	if v.manner().sameRefresh {
		out.refreshToken = form.Get("refresh_token")
	}
	return out, err
}

// punish revokes what reuse costs.
func (v *visit) punish(t *tx, g consent) {
	t.put.Event = eventReuse
	if v.Blast != "client_user" {
		g.Revoked = true
		t.put.Grants = append(t.put.Grants, g)
		return
	}
	for _, other := range t.grants {
		if other.Realm == g.Realm && other.Client == g.Client && other.Person.Subject == g.Person.Subject {
			other.Revoked = true
			t.put.Grants = append(t.put.Grants, other)
		}
	}
}
