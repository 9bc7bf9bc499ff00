package plan

import (
	"strings"

	"github.com/oauthctl/oauthctl/state"
)

// exchange compares what a grant presents, and what it asks for. Nobody has to
// consent, and what was given so far was for something else: it is asked for again.
func (d *difference) exchange() {
	old, now := d.info.Exchange, d.w.Exchange
	if old == nil || now == nil || !d.known("grant") {
		return
	}
	presented := "grant.subject_token"
	if d.w.Grant == "jwt_bearer" {
		presented = "grant.assertion"
	}
	for _, f := range []struct{ name, before, after string }{
		{presented, sourceOf(old.Subject, old.Signed), sourceOf(now.Subject, now.Signed)},
		{"grant.actor_token", sourceOf(old.Actor, old.ActorType == ""), sourceOf(now.Actor, now.ActorType == "")},
		{"grant.subject_token_type", old.SubjectType, now.SubjectType},
		{"grant.actor_token_type", old.ActorType, now.ActorType},
		{"grant.requested_token_type", old.RequestedType, now.RequestedType},
		{"grant.audience", strings.Join(old.Audience, ", "), strings.Join(now.Audience, ", ")},
		{"grant.on_behalf_of", yes(old.OnBehalfOf), yes(now.OnBehalfOf)},
		{"grant.private_key", yes(old.Signed), yes(now.Signed)},
		{"grant.algorithm", old.Algorithm, now.Algorithm},
		{"grant.key_id", old.KeyID, now.KeyID},
		{"grant.issuer", old.Issuer, now.Issuer},
		{"grant.subject", old.SubjectID, now.SubjectID},
		{"grant.audience", old.For, now.For},
		{"grant.claims", old.Claims, now.Claims},
		{"grant.scope_claim", yes(old.ScopeClaim), yes(now.ScopeClaim)},
	} {
		if f.before != f.after {
			d.show(f.name, f.before, f.after)
			d.add(Reauthorize, ReasonGrantChanged)
		}
	}
	if old.Lifetime != now.Lifetime {
		d.show("grant.lifetime", lifetime(old.Lifetime), lifetime(now.Lifetime))
		d.add(Update, ReasonSettingsChanged)
	}
}

// sourceOf says where a token is read; "" if there is none.
func sourceOf(s state.Source, none bool) string {
	switch {
	case s.Connection != "":
		return s.Connection + "." + s.Attribute
	case s.File != "":
		return s.File
	case s.Env != "":
		return s.Env + " (environment)"
	case none:
		return ""
	}
	return "(kept in the state)"
}

func yes(b bool) string {
	if b {
		return "true"
	}
	return ""
}
